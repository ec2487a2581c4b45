#!/bin/bash
# Usage: coverage.sh
#
# Runs the tests in the debug kernel, with a module that counts how often each of its lines runs. Prints
# a table of lines and branches by file, and writes the sources with their counts to
# build/coverage/index.html. Fails if a test fails, if less than 95 % of the lines ran, or if the lines
# that did not run differ from those in scripts/coverage.txt, each of which has its reason.
#
# A part that has passed is not run again at the same commit with the same SEED. To run all parts
# again, remove build/coverage/.
#
#   kunit-5, kunit-4   the KUnit suites with 5 and with 4 levels
#   programs           all programs of `make test-user` for the debug kernel
#   faults             allocations, copies and limits that fail in every call
#   loads              the programs that load the module many times
#   walk               the random walks with four CPUs
#   harness            the boot of `make test-harness`, in which a task dies
#   unplug, firmware   the programs of these machines
#   stress             the storm and the deaths of `make test-stress`, for 30 s each
#
#   SEED    seed of all random numbers (1)
#   PARTS   run only these parts: names separated by commas. The table, index.html and the comparison
#           with the list need all parts.
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null
# shellcheck source=scripts/stages.sh
. scripts/stages.sh

all=(kunit-5 kunit-4 programs faults loads walk harness unplug firmware stress)
chosen=("${all[@]}")
[[ ! ${PARTS:-} ]] || mapfile -t chosen < <(tr , '\n' <<<"$PARTS")
for name in "${chosen[@]}"; do
	[[ " ${all[*]} " == *" $name "* ]] || {
		echo "PARTS: $name: no such part; there are ${all[*]}" >&2
		exit 1
	}
done
# Each of these would make a part another one.
for name in SUITES PROGRAMS MACHINES KERNEL LEVELS CPUS TIMES SECONDS_EACH LIFE; do
	[[ ! ${!name:-} ]] || {
		echo "$name=${!name}: leave it out, since the list is for all tests; PARTS= chooses parts" >&2
		exit 1
	}
done
export SEED=${SEED:-1}
[[ $SEED =~ ^(0|[1-9][0-9]*)$ ]] || {
	echo "SEED=$SEED: has to be a decimal number" >&2
	exit 1
}
printf 'SEED=%s PARTS=%s\n' "$SEED" "$(IFS=,; echo "${chosen[*]}")"

records=$(find_records "coverage/seed-$SEED" "${TMM_KERNEL:-}${TMM_ACCEL:-}${TMM_TIMEOUT:-}")
folder=$records
if [[ ! $folder ]]; then
	folder=build/coverage/seed-$SEED/changed
	rm -rf "$folder"
	mkdir -p "$folder"
fi

# The variables of a part reach the script as those of make do.
guest() { # [VARIABLE=VALUE...] SET
	env TMM_COVERAGE="$PWD/$folder/$name.json" "${@:1:$#-1}" scripts/run-tests.sh "${!#}"
}

part() { # NAME
	case $1 in
	kunit-*) guest LEVELS="${1#kunit-}" kunit ;;
	programs) guest LEVELS=5 user ;;
	faults) guest LEVELS=5 PROGRAMS=fault_calls_test,fault_actions_test user ;;
	loads) guest LEVELS=5 PROGRAMS=load_test,bad_memory_test user ;;
	walk) guest CPUS=4 TIMES=1 walk ;;
	harness) guest harness ;;
	unplug | firmware) guest KERNEL=debug MACHINES="$1" machines ;;
	stress)
		guest KERNEL=debug SECONDS_EACH=30 \
			PROGRAMS=fuzz_stress,fuzz_quarantine_stress,fuzz_damage_stress,fuzz_pages_stress,death_stress stress
		;;
	esac
}

parts=()
for name in "${chosen[@]}"; do
	kept_stage "$records" "$name" part "$name"
	parts+=("$folder/$name.json")
done
if ((${#chosen[@]} == ${#all[@]})); then
	test_stage judge scripts/coverage.py judge scripts/coverage.txt build/coverage "${parts[@]}"
else
	echo "PARTS=$PARTS: no table and no comparison with scripts/coverage.txt, which need all parts: leave PARTS out"
	skipped=$((skipped + 1))
fi

end_stages
