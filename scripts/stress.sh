#!/bin/bash
# Usage: stress.sh
#
# Tries to break the module for MINUTES, which its parts share, in the debug kernel with KASAN and in
# Debian's kernel. Starting the guests takes time besides. The seeds come first, and a table with the
# time, the result and the figures of each part comes last, before `N passed, N failed`. A part that
# has passed is not run again at the same commit with the same SEED and the same time; without SEED, each
# run has other seeds. To run all parts again, remove build/stress/.
#
#   model    the random walks, in which a simple model checks every step, with two and with four
#            CPUs; the debug kernel only
#   races    the programs in which threads and processes race
#   fuzz     the storm: random calls of many processes, beside a client that has to work; without
#            struct pages, with struct pages, with quarantine, and with memory that fails and a
#            device that goes and comes
#   faults   allocations, copies and limits that fail, in KUnit and in every call; the debug kernel
#            only, and once, whatever MINUTES says
#   death    clients that are killed, or take all memory; loading and unloading under load
#
#   MINUTES  time for all parts together (5)
#   SEED     seed of all random numbers
#   PARTS    run only these parts: names separated by commas
#   KERNEL   run in this kernel only
#   LIFE     run only this life of the storm in the part fuzz, as a message has named it with SEED
#
# Without the debug kernel, the parts model and faults are left out.
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null
# shellcheck source=scripts/stages.sh
. scripts/stages.sh

kernels=(debug stock)
[[ -z ${KERNEL:-} ]] || kernels=("$KERNEL")
has_debug() { [[ " ${kernels[*]} " == *" debug "* ]]; }
all=(model races fuzz faults death)
chosen=()
for name in $(tr , ' ' <<<"${PARTS:-${all[*]}}"); do
	[[ " ${all[*]} " == *" $name "* ]] || {
		echo "PARTS: $name: no such part; there are ${all[*]}" >&2
		exit 1
	}
	# these need KUnit
	[[ $name != model && $name != faults ]] || has_debug || continue
	chosen+=("$name")
done
if ((${#chosen[@]} == 0)); then
	echo "PARTS=$PARTS: no part for the kernel ${kernels[*]}" >&2
	exit 1
fi
is_chosen() { [[ " ${chosen[*]} " == *" $1 "* ]]; }
minutes=${MINUTES:-5}
seed=${SEED:-$((RANDOM * 32768 + RANDOM))}
number='(0|[1-9][0-9]*)'
if ! [[ $minutes =~ ^[1-9][0-9]*$ && $seed =~ ^$number$ && ${LIFE:-} =~ ^$number?$ ]]; then
	echo "MINUTES=$minutes, SEED=$seed, LIFE=${LIFE:-}: all have to be decimal numbers" >&2
	exit 1
fi
printf 'SEED=%s MINUTES=%s PARTS=%s\n' "$seed" "$minutes" "$(IFS=,; echo "${chosen[*]}")"

seconds=$((minutes * 60 / ${#chosen[@]}))
# Without SEED, no two runs are the same.
records=
if [[ ${SEED:-} ]]; then
	records=$(find_records "stress/seed-$seed-seconds-$seconds-kernels-${#kernels[@]}" \
		"${LIFE:-}${TMM_KERNEL:-}${TMM_ACCEL:-}")
fi
# The variables of this script must not change what a part runs.
unset SEED KERNEL PARTS SUITES PROGRAMS LEVELS TIMES CPUS

# Runs a set of tests for the time of a part, each time with the next seed.
again() { # SECONDS COMMAND...
	local start=$SECONDS number=$seed status=0
	while ((status == 0)); do
		SEED=$number "${@:2}" || status=$?
		printf 'figures: seed %s\n' "$number"
		number=$((number + 1))
		((SECONDS - start < $1)) || break
	done
	return "$status"
}

# Linux reports a case that takes longer than 120 s, so a walk has no more steps than with TIMES=5.
model() {
	TIMES=$((seconds < 300 ? 1 : 5)) again "$seconds" scripts/run-tests.sh walk
}

races() { # KERNEL
	local programs
	programs=$(grep -l '^/\* Races: ' initramfs/tests/*_test.c | sed 's:.*/::; s:\.c$::' | paste -sd,)
	KERNEL=$1 LEVELS=5 PROGRAMS=${programs:?} again $((seconds / ${#kernels[@]})) \
		scripts/run-tests.sh user
}

# The parts fuzz and death share a guest, since starting and checking one takes more than a minute.
storm() { # KERNEL
	local programs=() time=0
	if is_chosen fuzz; then
		time=$seconds
		programs=(fuzz_stress fuzz_quarantine_stress fuzz_damage_stress)
		# Linux 6.15 and later have no struct pages for this memory
		[[ $1 == 7* ]] || programs+=(fuzz_pages_stress)
	fi
	if is_chosen death; then
		time=$((time + seconds))
		programs+=(death_stress)
	fi
	KERNEL=$1 PROGRAMS=$(IFS=,; echo "${programs[*]}") \
		SECONDS_EACH=$((1 + time / ${#kernels[@]} / ${#programs[@]})) again 0 scripts/run-tests.sh stress
}

faults() {
	local suites
	suites=$(grep -lE '\btmm_test_(fail|in)_alloc' kunit/*/*_test.c |
		sed 's:.*/\(.*\)_test\.c:\1:' | sort | paste -sd,)
	LEVELS=5 SUITES=${suites:?} PROGRAMS=fault_calls_test,fault_actions_test \
		again 0 scripts/run-tests.sh kunit user
}

for part in "${chosen[@]}"; do
	case $part in
	model | faults)
		kept_stage "$records" "$part" "$part"
		;;
	races)
		for kernel in "${kernels[@]}"; do
			kept_stage "$records" "$part-$kernel" "$part" "$kernel"
		done
		;;
	fuzz | death)
		[[ $part == fuzz ]] || ! is_chosen fuzz || continue
		[[ $part == death ]] || ! is_chosen death || part=fuzz-death
		for kernel in "${kernels[@]}"; do
			kept_stage "$records" "$part-$kernel" storm "$kernel"
		done
		;;
	esac
done
end_stages
