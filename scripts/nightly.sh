#!/bin/bash
# Usage: nightly.sh
#
# Runs the tests that take too long for CI, on a machine that may have no packages installed, and
# prints the time of each stage. A stage that has passed is not run again at the same commit, so a
# run after an interruption begins with the stage that was interrupted. To run all stages again,
# remove build/nightly/. The stage stress always runs: for MINUTES (60), with a seed that it prints.
#
#   STAGES   run only these stages: names separated by commas
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null
# shellcheck source=scripts/stages.sh
. scripts/stages.sh

# The stage NAME is the target test-NAME, and the last stages are the targets coverage and analyze.
all=(kernels rt walk modes stress races mutants install packages coverage analyze)
for name in $(tr , ' ' <<<"${STAGES:-}"); do
	[[ " ${all[*]} " == *" $name "* ]] || {
		echo "STAGES: $name: no such stage; there are ${all[*]}" >&2
		exit 1
	}
done

chosen=${FILE:-}${PROGRAMS:-}${SUITES:-}${KERNEL:-}${LEVELS:-}${MACHINES:-}${MODES:-}${PARTS:-}
chosen+=${COMPILE:-}${TMM_KERNEL:-}${TMM_ACCEL:-}${CPUS:-}${SEED:-}${TIMES:-}${MINUTES:-}${LIFE:-}
chosen+=${MUTANTS:-}
records=$(find_records nightly "$chosen")

for name in "${all[@]}"; do
	[[ -z ${STAGES:-} || ,$STAGES, == *,$name,* ]] || continue
	case $name in
	coverage | analyze) kept_stage "$records" "$name" make "$name" ;;
	# each run has another seed, so one that has passed says little of the next
	stress) test_stage "$name" make test-stress MINUTES="${MINUTES:-60}" ;;
	*) kept_stage "$records" "$name" make "test-$name" ;;
	esac
done

end_stages
