#!/bin/bash
# Usage: run-tests.sh [--strict] PART...        (PART: harness, kunit, user, none)
#
# Boots the debug kernel, runs the parts in it and closes with the line
# `N passed, N failed[, N skipped]`. kunit and user share one boot; each boot
# happens once per entry of LEVELS ("5 4": with 5-level paging and without).
#
#   LEVELS        paging levels to test, "5 4" unless told
#   TMM_TIMEOUT   seconds a boot may take
#   TMM_ACCEL     tcg or kvm
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

# Whatever ends this script, it is not mistaken for one that found nothing wrong.
closed=0
trap '((closed)) || echo "0 passed, 1 failed"' EXIT
trap 'exit 130' INT TERM

# Two regions, both above 4 GiB, where a physical address cut to 32 bits shows.
# The first has one whole aligned GiB, 5 GiB to 6 GiB, and 320 MiB around it that
# cannot be part of another; the second is too small for anything big. All other
# memory is what kmemleak scans, slowly: no more of it than is needed, which is
# 704 MiB below 4 GiB, and 768 MiB and 64 MiB between the regions above.
memory=(--mem 2896M --low 704M)
# shellcheck disable=SC2016 # the dollar is memmap's own
memmap=(memmap='1344M$0x130000000' memmap='16M$0x188000000')
regions=1344M@0x130000000,16M@0x188000000

# Devices for a driver that uses the module: one with registers, and one with 1 GiB
# of memory, which takes of the host's only what is touched.
devices=(--device edu
	--object 'memory-backend-ram,id=shared,size=1G,share=on'
	--device 'ivshmem-plain,memdev=shared')

strict=()
harness=0
plan=
for part in "$@"; do
	case $part in
	--strict) strict=(panic_on_warn=1) ;;
	harness) harness=1 ;;
	kunit | user | none) plan+=${plan:+,}$part ;;
	*) die "unknown part: $part" ;;
	esac
done

dir=$BUILD/run-$(date +%Y%m%d-%H%M%S)-$$
mkdir -p "$dir"
ln -sfn "$(basename "$dir")" "$BUILD/latest"
reports=()

names_of() { # PATTERN FILE...
	local pattern=$1
	shift
	sed -n "$pattern" "$@" 2>/dev/null | sort | paste -sd, -
}
# What must have run is read from the source, not from what ran.
suites() { names_of 's/^\t\.name = "\(theseus_mm_[a-z0-9_]*\)",$/\1/p' "$ROOT"/kunit/*_test.c; }
programs() { printf '%s\n' "$ROOT"/initramfs/tests/*_test.c | names_of 's:.*/\(.*\)\.c$:\1:p'; }

# Another run may be building in the same tree: one at a time, and the archive that
# is booted is a copy of this run's own.
prepare() {
	local built
	exec 8>"$BUILD/.lock"
	flock 8
	kernel=$("$ROOT/scripts/build-kernel.sh" debug)
	"$ROOT/scripts/build-module.sh" debug >/dev/null
	built=$("$ROOT/scripts/build-initramfs.sh" debug)
	initrd=$dir/initrd
	cp "$built" "$initrd"
	exec 8>&-
}

# A boot that Linux spoiled by itself (ktap.py says how) is repeated, twice at most.
boot() { # NAME LEVELS PLAN
	local try
	for try in 1 2 3; do
		boot_once "$@"
		"$ROOT/scripts/ktap.py" spoiled "$dir/$1" || return 0
		note "Linux complained before the module was loaded: boot $try does not count"
		cp "$dir/$1/console.log" "$dir/$1/console-spoiled-$try.log"
	done
}

boot_once() { # NAME LEVELS PLAN
	local run=$dir/$1 levels=$2 arguments=() limit=900
	[[ $3 == *user* ]] && limit=1800
	[[ $levels == 4 ]] && arguments+=(no5lvl)
	mkdir -p "$run"
	cp "$kernel/.config" "$run/config"
	# KVM offers 5 levels only where the host has them
	if [[ $levels == 5 ]] && ! grep -qw la57 /proc/cpuinfo; then
		local -x TMM_ACCEL=tcg
	fi
	note "booting: $1 (plan $3, $levels-level paging)"
	"$ROOT/scripts/qemu.sh" --kernel "$kernel/arch/x86/boot/bzImage" \
		--initrd "$initrd" --dir "$run" --timeout "${TMM_TIMEOUT:-$limit}" \
		"${memory[@]}" "${devices[@]}" \
		"${memmap[@]}" "${arguments[@]}" "${strict[@]}" pti=on log_buf_len=4M \
		kunit.enable=1 kunit.stats_enabled=2 kmemleak=on slub_debug=FZP \
		watchdog_thresh=60 \
		"tmm.plan=$3" "tmm.levels=$levels" "tmm.regions=$regions" || :
}

test_harness() {
	note "the parser's own tests"
	"$ROOT/scripts/ktap_test.py" "$dir/parser.json" || :
	reports+=("$dir/parser.json")
	boot selftest 5 selftest-fail
	"$ROOT/scripts/ktap.py" selftest "$dir/selftest" || :
	reports+=("$dir/selftest/report.json")
}

test_plan() { # LEVELS
	local name=$1-level
	boot "$name" "$1" "$plan"
	"$ROOT/scripts/ktap.py" run --name "$name" --plan "$plan" \
		--suites "$(suites)" --programs "$(programs)" "$dir/$name" || :
	reports+=("$dir/$name/report.json")
}

prepare
if ((harness)); then
	test_harness
fi
if [[ -n $plan ]]; then
	for levels in ${LEVELS:-5 4}; do
		test_plan "$levels"
	done
fi
note "logs: $dir"
status=0
closing=$("$ROOT/scripts/ktap.py" sum "${reports[@]}") || status=$?
[[ $closing == *passed* ]] || exit 1
# shellcheck disable=SC2034 # the trap reads it
closed=1
printf '%s\n' "$closing"
exit "$status"
