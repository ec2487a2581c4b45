#!/bin/bash
# Usage: nightly.sh
#
# Runs the tests that take too long for CI, on a machine that may have no packages installed, and
# prints the time of each stage. A stage that has passed is not run again at the same commit, so a
# run after an interruption begins with the stage that was interrupted. To run all stages again,
# remove build/nightly/.
#
#   STAGES   run only these stages: names separated by commas
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null
# shellcheck source=scripts/stages.sh
. scripts/stages.sh

# The stage NAME is the target test-NAME, and the last stage is the target analyze.
all=(kernels rt walk install packages analyze)
for name in $(tr , ' ' <<<"${STAGES:-}"); do
	[[ " ${all[*]} " == *" $name "* ]] || {
		echo "STAGES: $name: no such stage; there are ${all[*]}" >&2
		exit 1
	}
done

# Prints the folder with a file for each stage that has passed at this commit. Prints nothing if the
# tree has changes or no commit, or if a variable changes a stage.
find_records() {
	local chosen=${FILE:-}${PROGRAMS:-}${SUITES:-}${KERNEL:-}${LEVELS:-}${MACHINES:-}${PARTS:-}
	local changes commit
	chosen+=${COMPILE:-}${TMM_KERNEL:-}${TMM_ACCEL:-}${CPUS:-}${SEED:-}${TIMES:-}
	changes=$(git status --porcelain) && commit=$(git rev-parse HEAD) || return 0
	[[ $chosen$changes ]] || printf 'build/nightly/%s\n' "$commit"
}
records=$(find_records)
[[ -z $records ]] || mkdir -p "$records"

nightly_stage() { # NAME
	local record=${records:+$records/$1} before=("$passed" "$failed" "$skipped") start=$SECONDS
	[[ -z ${STAGES:-} || ,$STAGES, == *,$1,* ]] || return 0
	if [[ $record && -e $record ]]; then
		repeat_result "$1" "$record"
		return
	fi
	if [[ $1 == analyze ]]; then test_stage analyze make analyze; else test_stage "$1" make "test-$1"; fi
	if [[ $record ]] && ((failed == before[1])); then
		printf '%s\n' "$((passed - before[0])) $((skipped - before[2])) $((SECONDS - start))" \
			>"$record"
	fi
}

repeat_result() { # NAME RECORD
	local nr_passed nr_skipped seconds
	read -r nr_passed nr_skipped seconds <"$2"
	printf '\n##### %s: has passed at this commit\n' "$1"
	passed=$((passed + nr_passed))
	skipped=$((skipped + nr_skipped))
	note_time "$1" $((SECONDS - seconds)) 0
}

for name in "${all[@]}"; do
	nightly_stage "$name"
done

end_stages
