#!/bin/bash
# Usage: races.sh
#
# Runs the tests in a kernel with KCSAN, which reports accesses that race. A report counts if a
# function of the module, or of a module of the tests, is in one of its stacks; races within Linux
# are listed. The table at the end has the time and the result of each part, before
# `N passed, N failed`. A part that has passed is not run again at the same commit. To run all parts
# again, remove build/races/.
#
#   kunit   the KUnit suites, with 5 levels
#   user    the programs of `make test-user` for the debug kernel, without those that need lockdep
#   walk    the random walks, with four CPUs
#   storm   random calls of many processes, and clients that are killed (see stress.sh)
#
#   PARTS   run only these parts: names separated by commas
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null
# shellcheck source=scripts/stages.sh
. scripts/stages.sh

all=(kunit user walk storm)
for name in $(tr , ' ' <<<"${PARTS:-}"); do
	[[ " ${all[*]} " == *" $name "* ]] || {
		echo "PARTS: $name: no such part; there are ${all[*]}" >&2
		exit 1
	}
done
for name in PROGRAMS SUITES KERNEL LEVELS CPUS TIMES; do
	[[ -z ${!name:-} ]] || {
		echo "$name=${!name}: refused, since the parts run all their tests in one kernel: unset $name; PARTS= chooses parts" >&2
		exit 1
	}
done

# These variables change the seed or the size of the storm, so such a run leaves no records.
records=$(find_records races "${TMM_KERNEL:-}${TMM_ACCEL:-}${SEED:-}${MINUTES:-}${LIFE:-}")
export KERNEL=debug-kcsan
# stress.sh has another variable PARTS
chosen=${PARTS:-}
unset PARTS

for name in "${all[@]}"; do
	[[ -z $chosen || ,$chosen, == *,$name,* ]] || continue
	case $name in
	walk) CPUS=4 TIMES=1 kept_stage "$records" "$name" scripts/run-tests.sh walk ;;
	storm) kept_stage "$records" "$name" env PARTS=fuzz,death scripts/stress.sh ;;
	*) LEVELS=5 kept_stage "$records" "$name" scripts/run-tests.sh "$name" ;;
	esac
done
end_stages
