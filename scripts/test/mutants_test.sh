#!/bin/bash
# Tests mutants.sh and mutants.py in a small tree, whose guest is a script that writes logs.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
# A hook of git sets variables that name the hook's repository.
# shellcheck disable=SC2046 # several names
unset $(git rev-parse --local-env-vars)
unset MUTANTS TIMES TMM_KERNEL TMM_ACCEL TMM_TIMEOUT KERNEL LEVELS CPUS SEED SUITES PROGRAMS MACHINES REPEAT

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree"/{theseus_mm,kunit/alloc,initramfs/tests,mutants,scripts/config,scripts/test}
cp "$root"/scripts/{mutants,common}.sh "$tree/scripts/"
cp "$root"/scripts/test/{complaints,ktap,mutants}.py "$tree/scripts/test/"
cd "$tree"
export TMM_CACHE=$tree/cache
touch Kbuild scripts/qemu.sh
echo none >theseus_mm/module.c
printf 'TEST(first)\nTEST_F(area, second)\n' >initramfs/tests/area_test.c
printf '\tKUNIT_CASE(first),\n\tKUNIT_CASE(second),\n\t.name = "theseus_mm_one",\n' >kunit/alloc/one_test.c
# shellcheck disable=SC2016 # the dollar is the script's
printf '#!/bin/bash\necho "kernel-$1"\n' | tee scripts/fetch-kernel.sh >scripts/build-kernel.sh

# The guest does what the module's source says. Each boot adds a line to the file boots.
cat >scripts/run-tests.sh <<'END'
#!/bin/bash
set -euo pipefail
cd "$(dirname "$0")/.."
mistake=$(<theseus_mm/module.c)
[[ $mistake != build ]] || { echo "does not build" >&2; exit 1; }
echo "$KERNEL $SUITES $PROGRAMS $REPEAT" >>"$BOOTS"
mkdir -p build/logs "build/module-$KERNEL"
echo "$mistake" >"build/module-$KERNEL/theseus_mm.ko"
exec 4>&1 >build/logs/result.log 3>build/logs/console.log
is() { [[ ,$mistake, == *,$1,* ]]; }
no() { if "$@"; then echo "not ok"; else echo ok; fi; }
echo "[    1.0] theseus_mm rig: begin" >&3
for ((i = 1; i <= REPEAT; i++)); do
	echo "# repetition $i"
	echo "[    1.0] theseus_mm rig: repetition $i" >&3
	if [[ $SUITES ]]; then
		printf '    # Subtest: theseus_mm_one\n    1..2\n' >&3
		! is warns-first || echo "WARNING: CPU: 0 PID: 1 at tmm_leaks" >&3
		echo "    $(no is first) 1 first" >&3
		! is warns-second || echo "WARNING: CPU: 0 PID: 1 at tmm_leaks" >&3
		! is dies-second || { echo "BUG: tmm_leaks" >&3; break; }
		echo "    $(no is second) 2 second" >&3
		echo "$(no is any) 1 theseus_mm_one" >&3
	else
		printf '    # Subtest: area_test\n    1..2\n    %s 1 first\n' "$(no is first)"
		! is dies-before || break
		! is warns-in-first || echo "WARNING: CPU: 0 PID: 1 at tmm_leaks" >&3
		echo "    #  RUN           area.second ..."
		! is dies-in-second || { echo "BUG: tmm_leaks" >&3; break; }
		if is not-in-run-3 && ((i == 3)); then
			echo "    ok 2 area.second"
		else
			echo "    $(no is second) 2 area.second"
		fi
		! is dies-after || break
		printf '%s 1 area_test\n1..1\n' "$(no is any)"
	fi
	! is problem || echo "# PROBLEM: free frames: 5 before area_test, 4 after"
done
[[ $mistake != dies-* ]] || ((i > REPEAT)) || { echo "$PWD/build/logs" >&4; exit; }
echo "[    1.0] theseus_mm rig: end" >&3
verdict=ok why=
! is problem || verdict=fail why=": free frames: 5 before area_test, 4 after"
echo "VERDICT $verdict plan=$([[ $SUITES ]] && echo kunit || echo user)$why"
echo "$PWD/build/logs" >&4
END
chmod +x scripts/*.sh
export BOOTS=$tree/boots

# Writes a patch that lets the source say MISTAKE. The lines of the header come after the mistake.
write_mutant() { # NAME MISTAKE [LINE...]
	{
		printf 'Mistake: it is wrong\n'
		printf '%s\n' "${@:3}"
		printf '\n--- a/theseus_mm/module.c\n+++ b/theseus_mm/module.c\n@@ -1 +1 @@\n-none\n+%s\n' "$2"
	} >"mutants/$1.patch"
}
program=('Kernel: stock' 'Programs: area_test' 'Case: area_test: area.second')
suite=('Kernel: debug' 'Suites: one' 'Case: theseus_mm_one.second')
reset() {
	rm -rf build mutants boots
	mkdir mutants
	echo none >theseus_mm/module.c
	printf '# Mutants\n\n%s\n' \
		'| mutant | the mistake | kernel | the case that catches the mistake | caught | patch |' \
		'|---|---|---|---|---|---|' >mutants/README.md
	touch boots
}

number=0
script=(scripts/mutants.sh)
# Runs the script, and ends the test unless the status and a line of the output are as expected.
expect() { # STATUS LINE WHAT [VARIABLE=VALUE...]
	local status=0
	number=$((number + 1))
	env "${@:4}" "${script[@]}" >log 2>&1 || status=$?
	if [[ $status != "$1" ]] || ! grep -qE "$2" log; then
		echo "not ok $number $3: status $status, no line $2"
		cat log
		exit 1
	fi
	echo "ok $number $3"
}
says() { grep -qE "$1" log || { echo "the log has no '$1'"; cat log; exit 1; }; }
boots() { # LINE...
	diff <(printf '%s\n' "$@") boots || { echo "other boots than expected"; exit 1; }
	: >boots
}

reset
write_mutant a second "${program[@]}"
expect 0 '^ok: a: caught 10 of 10 times' 'a mutant that each run catches'
says '^1 passed, 0 failed$'
boots 'stock  area_test 2' 'stock  area_test 10'
expect 0 '^ok: a: caught 10 of 10 times before$' 'a mutant that was caught is not tried again'
[[ ! -s boots ]]
expect 0 'caught 20 of 20' 'more runs are tried' TIMES=20
boots 'stock  area_test 20'
echo >>Kbuild
expect 0 '^1 passed, 0 failed$' 'another source: everything is tried again' TIMES=1
boots 'stock  area_test 2' 'stock  area_test 1'
write_mutant b first "${program[@]}"
expect 1 '^    run 2: failed, but not as named: area_test\.first$' 'another failure does not count' TIMES=2
says '^not ok: b: escaped: 0 of 2 caught; the logs of the last boot: /'
says '^1 passed, 1 failed$'
boots 'stock  area_test 2' 'stock  area_test 2'
says '^figures: 2 mutants tried, 4 runs, 1 mutants caught each time$'
expect 1 'escaped' 'a mutant that has escaped is tried again' MUTANTS=b TIMES=1
boots 'stock  area_test 1'
write_mutant c always-passes "${program[@]}"
expect 1 '^    run 1: passed$' 'no failure' MUTANTS=c TIMES=1
write_mutant c problem "${program[@]}"
expect 1 'not as named: free frames: 5 before area_test, 4 after$' 'a problem of the guest' MUTANTS=c TIMES=1
write_mutant d second,not-in-run-3 "${program[@]}"
expect 1 'escaped: 9 of 10 caught' 'nine of ten runs do not suffice' MUTANTS=d
says '^    run 3: passed$'

reset
write_mutant a dies-after,second "${program[@]}"
expect 0 'caught 3 of 3' 'a guest that dies after the case: another boot goes on' TIMES=3
boots 'stock  area_test 2' 'stock  area_test 3' 'stock  area_test 2' 'stock  area_test 1'
write_mutant a dies-before,second "${program[@]}"
expect 1 'escaped: 0 of 2' 'a guest that dies before the case' TIMES=2
write_mutant a second "${program[@]}" 'Once a boot: Linux says so once'
: >boots
expect 0 'caught 2 of 2' 'a sign that comes once a boot' TIMES=2
boots 'stock  area_test 1' 'stock  area_test 1'

reset
write_mutant a warns-second "${suite[@]}" 'Complaint: at tmm_leaks'
expect 0 'caught 2 of 2' 'a complaint of the kernel during the case' TIMES=2
boots 'debug one  2' 'debug one  2'
write_mutant a warns-first "${suite[@]}" 'Complaint: at tmm_leaks'
expect 1 'escaped: 0 of 2' 'a complaint during another case' TIMES=2
says 'run 1: failed, but not as named: WARNING: CPU: 0'
write_mutant a dies-second "${suite[@]}" 'Complaint: BUG: tmm_leaks'
expect 0 'caught 2 of 2' 'a guest that dies with the complaint' TIMES=2
write_mutant a second "${suite[@]}" 'Complaint: at tmm_leaks'
expect 1 'not as named: theseus_mm_one.second' 'a failure without the complaint' TIMES=1
write_mutant a second "${suite[@]}"
expect 0 'caught 1 of 1' 'a case of KUnit that fails' TIMES=1

write_mutant a dies-in-second "${program[@]}" 'Complaint: BUG: tmm_leaks'
expect 0 'caught 2 of 2' 'a guest that dies in the last case of a program' TIMES=2
write_mutant a warns-in-first "${program[@]}" 'Complaint: at tmm_leaks'
expect 1 'not as named: WARNING' 'a complaint although the last case has passed' TIMES=1

# Without the mutant
for mistake in first second problem dies-before dies-after warns; do
	reset
	echo "$mistake" >theseus_mm/module.c
	write_mutant a second "${program[@]}"
	sed -i "s/^-none/-$mistake/" mutants/a.patch
	case $mistake in
	warns)
		sed -i 's/^+second/+warns,second/' mutants/a.patch
		sed -i 's/theseus_mm rig: end/BUG: here; &/' scripts/run-tests.sh
		;;
	esac
	expect 1 '^not ok: a: refused, since the tests do not pass without the mutant$' \
		"refused without the mutant: $mistake" TIMES=1
	(($(wc -l <boots) == 1)) || { echo "the mutant was tried"; exit 1; }
done
sed -i 's/BUG: here; //' scripts/run-tests.sh
reset
write_mutant a second "${program[@]::2}" 'Case: area_test: area.third'
expect 1 'the case area_test: area.third has not passed' 'a case that does not exist' TIMES=1
write_mutant a second "${suite[@]}" 'Complaint: harmless'
sed -i 's/^\t\t! is dies-second /\t\techo harmless >\&3\n&/' scripts/run-tests.sh
expect 1 '^the sign of the mutant appears$' 'a sign that also appears without the mutant' TIMES=1

# Mutants that cannot be tried
reset
write_mutant a second "${program[@]}"
sed -i 's/^-none/-some/' mutants/a.patch
expect 1 '^not ok: a: could not be tried$' 'a patch that does not apply' TIMES=1
write_mutant a build "${program[@]}"
expect 1 'does not build' 'a mutant that does not build' TIMES=1
printf '%s\n' 'Mistake: it is wrong' "${program[@]}" '' '--- a/initramfs/tests/area_test.c' \
	'+++ b/initramfs/tests/area_test.c' '@@ -1,2 +1,3 @@' ' TEST(first)' ' TEST_F(area, second)' '+TEST(third)' \
	>mutants/a.patch
expect 1 '^the patch does not change the module$' 'a patch that does not change the module' TIMES=1
for header in 'Kernel: 6.12' 'Kernel: stock' 'Suites: one' 'Colour: red' 'red'; do
	write_mutant a second "${program[@]:1}" "$header"
	[[ $header != 'Kernel: stock' ]] || write_mutant a second 'Kernel: stock' 'Suites: one' 'Case: theseus_mm_one.first'
	expect 1 'mutants/a.patch: ' "a header that is wrong: $header" TIMES=1
done
reset
write_mutant a second "${program[@]}"
for variable in TMM_KERNEL TMM_ACCEL CPUS KERNEL SUITES PROGRAMS LEVELS; do
	expect 1 "^mutants.sh: $variable=1: the header" "a variable that is refused: $variable" "$variable=1"
	says '^0 passed, 1 failed$'
done
expect 1 '^mutants.sh: TIMES=0: ' 'no runs' TIMES=0
expect 1 'there is no mutants/z.patch' 'an unknown mutant' MUTANTS=a,z

# The table
expect 0 'caught 10 of 10' 'a mutant for the table'
script=(scripts/mutants.sh --table)
expect 0 'README.md: 1 mutants$' 'the table'
# shellcheck disable=SC2016 # the backquotes are Markdown's
grep -qE '^\| `a` \| it is wrong \| stock \| `area_test: area.second` \| 10 of 10 \| [0-9a-f]{8} \|$' \
	mutants/README.md
script=(scripts/test/mutants.py check)
expect 0 '^mutants: 1$' 'the check of the table'
sed -i 's/^Case:/Racy: always\n&/' mutants/a.patch
expect 1 'mutants/a.patch: the patch has no result in the table' 'a patch that has changed'
script=(scripts/mutants.sh --table)
expect 0 'README.md: 1 mutants$' 'a table with a patch that no run has tried'
grep -q '| 0 of 0 |' mutants/README.md
script=(scripts/test/mutants.py check)
expect 0 '^mutants that no run has tried: a$' 'a mutant that no run has tried is named'
script=(scripts/mutants.sh)
expect 0 'caught 2 of 2' 'the patch is tried again' TIMES=2
script=(scripts/mutants.sh --table)
expect 0 'README.md: 1 mutants$' 'the new table'
script=(scripts/test/mutants.py check)
expect 0 '^mutants with fewer than ten runs: a$' 'a mutant with two runs is named'
sed -i 's/it is wrong/it is right/' mutants/README.md
expect 1 'the row of the table differs' 'a table that was edited'
sed -i 's/it is right/it is wrong/; s/2 of 2/1 of 2/' mutants/README.md
expect 1 '1 of 2 runs do not catch the mistake' 'a mutant that has escaped'
sed -i 's/1 of 2/2 of 2/' mutants/README.md
echo some >theseus_mm/module.c
expect 1 'mutants/a.patch: does not apply' 'a patch that does not apply any more'
echo none >theseus_mm/module.c
echo 'TEST(first)' >initramfs/tests/area_test.c
expect 1 'its tests have no case area_test: area.second' 'a test that is gone'
rm mutants/a.patch
expect 1 'there is no patch a' 'a row without a patch'
echo "$number passed, 0 failed"
