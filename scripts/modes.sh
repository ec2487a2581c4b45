#!/bin/bash
# Usage: modes.sh
#
# Tests the module in each mode of the machine (see initramfs/tests/MODES.md): boots a guest that has
# the mode, lets a program check that the guest really has it, and runs a few programs. A mode that has
# passed is not run again at the same commit. To run all modes again, remove build/modes/.
#
#   MODES    run only these modes: names separated by commas
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null
chosen=${MODES:-}
# shellcheck source=scripts/stages.sh
. scripts/stages.sh
# shellcheck source=scripts/mode_table.sh
. scripts/mode_table.sh

# A mode decides about its kernel, its levels, its CPUs and its programs.
for name in KERNEL LEVELS CPUS PROGRAMS SUITES MACHINES SEED TIMES FILE; do
	[[ -z ${!name:-} ]] || {
		echo "$name=${!name}: refused, since a mode has its own; MODES= chooses modes" >&2
		exit 1
	}
done
names=()
for name in $(tr , ' ' <<<"${chosen:-${MODE_NAMES[*]}}"); do
	[[ " ${MODE_NAMES[*]} " == *" $name "* ]] || {
		echo "MODES: $name: no such mode; there are ${MODE_NAMES[*]}" >&2
		exit 1
	}
	names+=("$name")
done
if ((${#names[@]} == 0)); then
	echo "MODES=$chosen: names no mode" >&2
	exit 1
fi

records=$(find_records modes "${TMM_KERNEL:-}${TMM_ACCEL:-}${TMM_TIMEOUT:-}")
for name in "${names[@]}"; do
	MODE=$name kept_stage "$records" "$name" scripts/run-tests.sh mode
done
end_stages
