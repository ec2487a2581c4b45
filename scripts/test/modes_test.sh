#!/bin/bash
# Tests modes.sh and its table: the rows cover all pairs, the page names all modes, and a wrong choice
# is refused. Boots nothing.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck disable=SC2046 # several names
unset $(git rev-parse --local-env-vars)
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
unset MODES MODE KERNEL LEVELS CPUS PROGRAMS SUITES MACHINES SEED TIMES FILE TMM_KERNEL TMM_ACCEL TMM_TIMEOUT
# shellcheck source=scripts/mode_table.sh
. "$root/scripts/mode_table.sh"
page=$root/initramfs/tests/MODES.md

number=0
not_ok() { echo "not ok $((number + 1)) $1"; exit 1; }
ok() { number=$((number + 1)) && echo "ok $number $1"; }

# Prints each pair of values of two columns that no row has. A row is read from standard input.
missing_pairs() {
	local columns=('4level 5level' 'pti nopti' '1cpu 2cpu 4cpu' 'stock 6.12 7 6.12-rt') first second a b
	local rows=() row
	while IFS=- read -r -a row; do
		# the kernel may have a hyphen of its own
		rows+=("${row[0]} ${row[1]} ${row[2]} $(IFS=- && echo "${row[*]:3}") ")
	done
	for first in 0 1 2 3; do
		for ((second = first + 1; second < 4; second++)); do
			for a in ${columns[first]}; do
				for b in ${columns[second]}; do
					printf '%s\n' "${rows[@]}" | awk -v i="$first" -v j="$second" -v a="$a" -v b="$b" \
						'$(i + 1) == a && $(j + 1) == b { found = 1 } END { if (!found) print a, b }'
				done
			done
		done
	done
}
missing=$(printf '%s\n' "${MODE_ROWS[@]}" | missing_pairs)
[[ ! $missing ]] || not_ok "no row has: $missing"
ok 'the rows cover all pairs'
missing=$(printf '%s\n' "${MODE_ROWS[@]:1}" | missing_pairs)
[[ $missing ]] || not_ok 'a row is superfluous, or a missing pair is not seen'
ok 'a missing pair is seen'

# shellcheck disable=SC2016 # the backticks are Markdown's
diff <(printf '%s\n' "${MODE_NAMES[@]}" | sort) <(sed -n '/^| mode |/,$s/^| `\([^`]*\)` |.*/\1/p' "$page" | sort) ||
	not_ok 'initramfs/tests/MODES.md and mode_table.sh name different modes'
ok 'the page names all modes, each once'

# describe_mode needs these functions of run-tests.sh
die() { echo "$*"; exit 1; }
describe_machine() { :; }
append_archive() { :; }
for name in "${MODE_NAMES[@]}"; do
	describe_mode "$name"
	[[ ,$programs, == *,machine_test,* ]] || not_ok "$name: nothing checks the machine"
	for program in $(tr , ' ' <<<"$programs"); do
		[[ -e $root/initramfs/tests/$program.c ]] || not_ok "$name: no such program: $program"
	done
done
ok 'each mode names programs that exist, and checks its machine'
! (describe_mode nothing) >/dev/null || not_ok 'an unknown mode is described'
ok 'an unknown mode is not described'

repository=$(mktemp -d)
trap 'rm -rf "$repository"' EXIT
mkdir "$repository/scripts"
cp "$root"/scripts/{modes,mode_table,stages}.sh "$repository/scripts/"
cd "$repository"
cat >scripts/run-tests.sh <<'END'
#!/bin/bash
echo "set $1, mode $MODE"
echo "2 passed, $BROKEN failed"
exit "$BROKEN"
END
chmod +x scripts/run-tests.sh
echo build/ >.gitignore
git init -q
git add .
git -c user.name=test -c user.email=test@example.org commit -q -m test
mkdir build

# Runs modes.sh, and ends the test unless status, last line and a line of the output are as expected.
expect() { # STATUS LAST LINE WHAT [VARIABLE=VALUE...]
	local status=0
	env BROKEN=0 "${@:5}" scripts/modes.sh >build/log 2>&1 || status=$?
	if [[ $status != "$1" || $(tail -n 1 build/log) != "$2" ]] || ! grep -qE "$3" build/log; then
		cat build/log
		not_ok "$4: status $status"
	fi
	ok "$4"
}
two="MODES=${MODE_NAMES[0]},${MODE_NAMES[-1]}"
expect 1 '4 passed, 2 failed' "^${MODE_NAMES[0]} .* FAILED$" 'a mode that fails fails the run' "$two" BROKEN=1
expect 0 '4 passed, 0 failed' "^set mode, mode ${MODE_NAMES[0]}$" 'a mode that has failed runs again' "$two"
expect 0 "$((2 * ${#MODE_NAMES[@]})) passed, 0 failed" "^##### ${MODE_NAMES[0]}: has passed" \
	'a mode that has passed does not run again'
expect 1 '0 passed, 1 failed' '^MODES: kasl: no such mode' 'an unknown mode is refused' MODES=kaslr,kasl
expect 1 '0 passed, 1 failed' '^MODES=,: names no mode' 'an empty list of modes is refused' MODES=,
expect 1 '0 passed, 1 failed' '^PROGRAMS=a_test: refused' 'a variable that makes a mode smaller is refused' \
	PROGRAMS=a_test
expect 0 '2 passed, 0 failed' '^set mode, mode kaslr$' 'a chosen emulator runs the mode' \
	MODES=kaslr TMM_ACCEL=tcg
echo "$number passed, 0 failed"
