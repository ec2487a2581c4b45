#!/bin/bash
# Tests nightly.sh, stress.sh, coverage.sh and stages.sh in a small repository, whose stages print results without
# a guest.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
# A hook of git sets variables that name the hook's repository, and a user's configuration may sign
# commits.
# shellcheck disable=SC2046 # several names
unset $(git rev-parse --local-env-vars)
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
unset STAGES FILE PROGRAMS SUITES KERNEL LEVELS MACHINES MODES PARTS CPUS SEED TIMES MINUTES LIFE MUTANTS
unset SECONDS_EACH COMPILE TMM_KERNEL TMM_ACCEL TMM_TIMEOUT TMM_COVERAGE

repository=$(mktemp -d)
trap 'rm -rf "$repository"' EXIT
mkdir "$repository/scripts"
cp "$root"/scripts/{coverage,nightly,races,stages,stress}.sh "$repository/scripts/"
cd "$repository"
cat >Makefile <<'END'
test-kernels:
	@echo "3 passed, 0 failed, 1 skipped"
test-install:
	@echo "2 passed, $(BROKEN) failed"; exit $(BROKEN)
test-packages:
	@echo "$(SAID)"; exit $(STATUS)
test-rt:
	@echo "1 passed, 0 failed"
test-mutants:
	@echo "7 passed, 0 failed"
test-walk:
	@echo "5 passed, 0 failed"
test-races:
	@echo "1 passed, 0 failed"
test-modes:
	@echo "7 passed, 0 failed"
test-stress:
	@echo "$(MINUTES) passed, 0 failed"
coverage:
	@echo "7 passed, 0 failed"
analyze:
	@echo "6 passed, 0 failed"
END
# stress.sh asks for one set of tests at a time
cat >scripts/run-tests.sh <<'END'
#!/bin/bash
echo "set $1, kernel ${KERNEL:-}, CPUs ${CPUS:-}, programs ${PROGRAMS:-}, seconds ${SECONDS_EACH:-}, suites ${SUITES:-}"
echo "figures: 5 operations"
[[ ! ${TMM_COVERAGE:-} ]] || echo counters >"$TMM_COVERAGE"
echo "2 passed, $BROKEN failed"
exit "$BROKEN"
END
cat >scripts/coverage.py <<'END'
#!/bin/bash
cat "${@:4}" >/dev/null || exit
echo "figures: counters of $(($# - 3)) parts"
echo "1 passed, 0 failed"
END
chmod +x scripts/run-tests.sh scripts/coverage.py
mkdir -p initramfs/tests kunit/alloc
echo '/* Races: a test. */' >initramfs/tests/race_test.c
echo 'tmm_test_fail_alloc(test, 1);' >kunit/alloc/pages_test.c
echo build/ >.gitignore
git init -q
git add .
git -c user.name=test -c user.email=test@example.org commit -q -m test

number=0
script=(scripts/nightly.sh)
# Runs the script, and ends the test unless status and last line are as expected.
expect() { # STATUS LINE WHAT [VARIABLE=VALUE...]
	local status=0
	number=$((number + 1))
	env BROKEN=0 SAID='4 passed, 0 failed' STATUS=0 BETWEEN=: LAST=: "${@:4}" "${script[@]}" >build/log 2>&1 || status=$?
	if [[ $status != "$1" || $(tail -n 1 build/log) != "$2" ]]; then
		echo "not ok $number $3: status $status"
		cat build/log
		exit 1
	fi
	echo "ok $number $3"
}
says() { grep -q "$1" build/log || { echo "the log has no '$1'"; cat build/log; exit 1; }; }
mkdir build

expect 1 '102 passed, 1 failed, 1 skipped' 'a failed stage fails the run' BROKEN=1 SAID='3 passed, 0 failed'
says '^install  .* FAILED$'
says '^kernels  .* ok$'
expect 0 '102 passed, 0 failed, 1 skipped' 'a stage that has passed is not run again'
says '##### kernels: has passed at this commit'
says '##### install: make test-install'
expect 0 '6 passed, 0 failed' 'a variable that makes a stage smaller runs the stage' PARTS=boot STAGES=install,packages
says '##### install: make test-install'
expect 1 '0 passed, 1 failed' 'an unknown stage is refused' STAGES=instal
rm -r build/nightly
expect 1 '4 passed, 1 failed' 'a stage that fails without counting a failure' STAGES=packages STATUS=1
expect 1 '0 passed, 1 failed' 'a stage without a result' STAGES=packages SAID=nothing
says "^stage packages: the output has no line 'N passed, N failed'"
expect 1 '0 passed, 0 failed' 'a run without a test' STAGES=packages SAID='0 passed, 0 failed'
expect 0 '1 passed, 0 failed' 'a chosen stage' STAGES=rt
touch change
expect 0 '1 passed, 0 failed' 'a tree with changes runs the stage' STAGES=rt
says '##### rt: make test-rt'
git add change
git -c user.name=test -c user.email=test@example.org commit -q -m change
expect 0 '1 passed, 0 failed' 'a clean tree runs the stage once' STAGES=rt

script=(scripts/stress.sh)
expect 0 '4 passed, 0 failed' 'a part in two kernels' PARTS=fuzz SEED=7 MINUTES=2
says '^SEED=7 MINUTES=2 PARTS=fuzz$'
says 'set stress, kernel debug, CPUs , programs fuzz_stress,fuzz_quarantine_stress,fuzz_damage_stress,fuzz_pages_stress, seconds 16'
says '^fuzz-stock  .* ok$'
says '^         seed 7$'
says '^         5 operations$'
expect 0 '4 passed, 0 failed' 'a part that has passed with this seed is not run again' PARTS=fuzz SEED=7 MINUTES=2
says '##### fuzz-debug: has passed at this commit'
says '^         seed 7$'
if grep -q '^set ' build/log; then
	echo "the part ran again"
	exit 1
fi
expect 0 '4 passed, 0 failed' 'another seed runs the part' PARTS=fuzz SEED=8 MINUTES=2
says 'set stress, kernel stock'
expect 0 '2 passed, 0 failed' 'two parts that share a guest' PARTS=fuzz,death SEED=7 MINUTES=2 KERNEL=stock
says 'programs fuzz_stress,.*death_stress, seconds 25'
says '^fuzz-death-stock  .* ok$'
expect 0 '4 passed, 0 failed' 'another time runs the part' PARTS=fuzz SEED=8 MINUTES=4
says 'set stress, kernel debug, .* seconds 31'
expect 0 '2 passed, 0 failed' 'as much time for one kernel runs the part' PARTS=fuzz SEED=8 MINUTES=2 KERNEL=stock
says 'set stress, kernel stock, .* seconds 31'
expect 0 '2 passed, 0 failed' 'a life of the storm alone' PARTS=fuzz SEED=8 LIFE=3 KERNEL=stock
says 'kernel stock, CPUs , programs fuzz_stress,fuzz_quarantine_stress,fuzz_damage_stress,fuzz_pages_stress, '
expect 0 '2 passed, 0 failed' 'parts that need KUnit take no time of another kernel' PARTS=model,fuzz SEED=8 KERNEL=stock
says '^SEED=8 MINUTES=5 PARTS=fuzz$'
says 'set stress, kernel stock, .* seconds 76'
expect 1 '2 passed, 1 failed' 'a part that fails' PARTS=faults SEED=9 BROKEN=1
says 'set kunit, .* suites pages$'
expect 1 '2 passed, 1 failed' 'a part that has failed is run again' PARTS=faults SEED=9 BROKEN=1
says 'set kunit'
expect 1 '0 passed, 1 failed' 'an unknown part is refused' PARTS=storms
expect 1 '0 passed, 1 failed' 'an empty list of parts is refused' PARTS=,
expect 1 '0 passed, 1 failed' 'a part that the kernel cannot run is refused' PARTS=faults KERNEL=stock
for wrong in MINUTES=long SEED=09 LIFE=x; do
	expect 1 '0 passed, 1 failed' "a number that is none is refused: $wrong" "$wrong"
done
script=(scripts/races.sh)
expect 0 '8 passed, 0 failed' 'the tests in the kernel that reports races'
says 'set kunit, kernel debug-kcsan'
says 'set user, kernel debug-kcsan'
says 'set walk, kernel debug-kcsan, CPUs 4'
says 'set stress, kernel debug-kcsan, .*death_stress'
expect 0 '8 passed, 0 failed' 'parts that have passed are not run again'
says '##### storm: has passed at this commit'
expect 0 '2 passed, 0 failed' 'one part of the tests' PARTS=walk
expect 1 '0 passed, 1 failed' 'an unknown part of the tests is refused' PARTS=walks
expect 1 '0 passed, 1 failed' 'a variable that leaves out tests is refused' SUITES=pages

script=(scripts/coverage.sh)
expect 0 '2 passed, 0 failed, 1 skipped' 'a part of the coverage alone' PARTS=faults
says '^SEED=1 PARTS=faults$'
says 'set user, kernel , .*programs fault_calls_test,'
says 'no comparison with scripts.coverage.txt'
expect 1 '21 passed, 9 failed' 'parts of the coverage that fail' BROKEN=1
expect 0 '21 passed, 0 failed' 'all parts of the coverage'
says '##### faults: has passed at this commit'
says 'set stress, kernel debug, .*programs fuzz_stress,.*fuzz_damage_stress,'
says '^         counters of 10 parts$'
expect 0 '21 passed, 0 failed' 'parts that have passed are not run again'
says '##### stress: has passed at this commit'
says '##### judge: scripts/coverage.py judge scripts/coverage.txt build/coverage '
rm build/coverage/seed-1/*/walk.json
expect 1 '20 passed, 1 failed' 'counters that are gone'
expect 1 '0 passed, 1 failed' 'an unknown part of the coverage' PARTS=walks
for wrong in SUITES=a PROGRAMS=a MACHINES=a KERNEL=stock LEVELS=5 CPUS=2 TIMES=2 LIFE=1 SEED=x; do
	expect 1 '0 passed, 1 failed' "a variable that changes the tests of the coverage is refused: $wrong" "$wrong"
done

script=(scripts/nightly.sh)
mv .git build/
expect 0 '1 passed, 0 failed' 'a tree without git runs the stage' STAGES=rt
says '##### rt: make test-rt'
expect 0 '1 passed, 0 failed' 'a tree without git runs the stage again' STAGES=rt
says '##### rt: make test-rt'

# A script that runs beside another one
cat >first <<'END'
set -euo pipefail
. scripts/stages.sh
begin_beside bash second
test_stage one echo "1 passed, 0 failed"
eval "$BETWEEN"
end_beside beside
end_stages
END
cat >second <<'END'
set -euo pipefail
. scripts/stages.sh
test_stage two bash -c "echo $SAID; echo \$\$ >build/pid; $LAST"
end_stages
END
script=(bash first)
expect 0 '5 passed, 0 failed' 'the counts of a script beside another one are added'
says '^two  .* ok$'
expect 1 '5 passed, 1 failed' 'a stage that fails beside others fails the run' LAST='exit 1'
says '^two  .* FAILED$'
rm build/pid
expect 1 '1 passed, 2 failed' 'a script that ends early ends the other one' LAST='sleep 1000' \
	BETWEEN='timeout 60 bash -c "until [[ -s build/pid ]]; do sleep 0.1; done"; false'
says '4 passed, 0 failed'
! kill -0 "$(<build/pid)" 2>/dev/null || { echo "the other script still runs"; exit 1; }
echo "$number passed, 0 failed"
