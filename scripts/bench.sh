#!/bin/bash
# Usage: bench.sh all|check|figures
#        bench.sh bounds [ROUND,...]
#        bench.sh lines
#        bench.sh profile ROW [SYSTEM [N]]
#
# Measures the module's functions and calls beside Linux's own, in guests with a kernel of Debian: the
# stock kernel, or the one that KERNEL names. The first guest has one CPU and counts instructions,
# the second one has two CPUs and measures time. A third one measures how long the module has
# interrupts or preemption off, with a theseus_mm.ko of its own, whose sources have marks.
#
#   all       measures all rows, writes build/bench/results.json, prints the table and draws the
#             plots. For the stock kernel 6.1, also renews bench/README.md, its pictures and
#             bench/figures.json; for another kernel, which the stock kernel of Debian 13 is too,
#             the document is build/bench/README.md, and bench/kernels.json keeps the figures of
#             that KERNEL.
#   check     measures some rows of the module at small sizes, and compares them with
#             bench/figures.json. Fails if a row costs over 3 % more than its figure, has no
#             figure, or was not measured. Also does what "bounds" does, if there is
#             bench/bounds.json.
#   figures   measures the same, and renews bench/figures.json and bench/bounds.json only
#   bounds    prints the longest stretches of each call in which interrupts or preemption are off,
#             and fails if one is longer than in bench/bounds.json. A ROUND, such as
#             bounds-1g (bench/program/bounds.c), is only printed.
#   lines     prints the cache lines that two independent clients on two CPUs share, and fails if a
#             line is shared that scripts/bench_lines.py does not know
#   profile   prints the instructions that one operation needs in each function, for a row such as
#             create-4k of a system (ours) with N objects (1000)
#
#   TMM_ACCEL=kvm   measures cycles on the processor instead of instructions
#   TMM_TIMEOUT     time limit of a guest in seconds
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

mode=${1:?all, check, figures, bounds, lines or profile}
case $mode in
all | check | figures | bounds | lines) ;;
profile) : "${2:?the row to profile, for example create-4k}" ;;
*) die "unknown mode: $mode" ;;
esac
[[ $mode == all || ${TMM_ACCEL:-tcg} == tcg ]] ||
	die "TMM_ACCEL=$TMM_ACCEL: $mode needs the emulator: leave it out"
variant=${KERNEL:-stock}
[[ $variant != debug* ]] || die "KERNEL=$variant: a debug kernel has no figures that mean anything: name a kernel of Debian"
out=$BUILD/bench
mkdir -p "$out"

kernel=$("$ROOT/scripts/fetch-kernel.sh" "$variant")
exec 8>"$BUILD/.lock"
flock 8
note "building the module that measures, for ${kernel##*/vmlinuz-}"
TMM_BENCH=1 "$ROOT/scripts/build-module.sh" "$variant" >/dev/null
initrd=$("$ROOT/scripts/build-initramfs.sh" "$variant")

# With PREEMPT_RT, the holder of a spinlock can be preempted, and with KVM the clock counts cycles.
marks=
if [[ $mode != profile && $mode != lines && $variant != *-rt && ${TMM_ACCEL:-tcg} == tcg ]]; then
	note "building the module with marks"
	marks=$(TMM_MARKS=1 TMM_BENCH=1 "$ROOT/scripts/build-module.sh" "$variant")
fi

# The program lies in a second archive, like a FILE of make run.
build_program() {
	local sources=("$ROOT"/bench/program/*.c)
	mkdir -p "$out/root/bin"
	[[ -e ${sources[0]} ]] || return 0
	gcc -static -O2 -g0 -std=gnu11 -Wall -Wextra -Werror -pthread -D_GNU_SOURCE \
		-I "$ROOT/bench" -I "$ROOT/bench/program" -I "$BUILD/tools/include" \
		-I "$ROOT/theseus_mm/include/uapi" \
		-o "$out/root/bin/bench_program" "${sources[@]}" "$BUILD/tools/libtmm.a"
}
rm -rf "$out/root"
build_program
mkdir -p "$out/root/lib/modules/stock"
for name in drm drm_buddy; do
	[[ ! -e ${kernel%/*}/modules/$name.ko ]] || cp -t "$out/root/lib/modules/stock" "${kernel%/*}/modules/$name.ko"
done
add_archive() { # FOLDER <ARCHIVE
	cat
	(cd "$1" && find . -mindepth 1 | cpio --quiet -o -H newc --owner 0:0)
}
{
	cat "$initrd"
	head -c $(((4 - $(stat -c %s "$initrd") % 4) % 4)) /dev/zero
} | add_archive "$out/root" >"$out/initrd"
if [[ $marks ]]; then
	# Linux pads each file, so that a further archive can follow.
	rm -rf "$out/root-marks"
	mkdir -p "$out/root-marks/lib/modules"
	cp -t "$out/root-marks/lib/modules" "$marks/theseus_mm.ko" "$marks"/bench/*.ko
	add_archive "$out/root-marks" <"$out/initrd" >"$out/initrd-marks"
fi
exec 8>&-

# Without KASLR, each boot has the same addresses. Each window checks the entries of the top-level
# table that Linux leaves empty, and their number depends on these addresses.
#
# Linux has 2 GiB below 4 GiB and 4 GiB above the region; two pages of 1 GiB are of that.
# shellcheck disable=SC2016 # the dollar is memmap's own
machine=(--kernel "$kernel" --mem 8G --low 2G
	--timeout "${TMM_TIMEOUT:-3600}"
	'memmap=2G$4G' tmm.regions=2G@4G no5lvl tmm.levels=4 tmm.plan=bench init_on_alloc=0 nokaslr
	hugepagesz=1G hugepages=2 log_buf_len=4M watchdog_thresh=60)

# shellcheck disable=SC2317 # repeat_spoiled calls it
boot_guest() { # DIRECTORY [OPTION...]
	"$ROOT/scripts/qemu.sh" --dir "$1" --initrd "$archive" "${machine[@]}" "${@:2}" || :
}

archive=$out/initrd
boot() { # NAME [OPTION...]
	note "booting: $1"
	rm -rf "${out:?}/$1"
	mkdir -p "$out/$1"
	repeat_spoiled "$out/$1" boot_guest "$out/$1" "${@:2}"
}

# Boots the guest that check and figures need.
boot_chosen() {
	local text chosen
	# A failure of a process substitution would be lost.
	text=$("$ROOT/scripts/bench.py" chosen)
	mapfile -t chosen <<<"$text"
	boot check --icount "${chosen[@]}"
}

# Boots the guest whose module has marks, which measure every call of a program.
with_marks=()
rounds=bounds-100-mappings,bounds-100000-mappings,bounds-40000-fragments,bounds-64-waiters,bounds-1g,bounds-clean-memory
boot_marks() { # [ROUND,...]
	[[ $marks ]] || return 0
	archive=$out/initrd-marks boot marks --icount "tmm.bench_rows=${1:-$rounds}" tmm.bench_systems=ours
	with_marks=(--marks "$out/marks")
}

build_plugin() { # NAME
	gcc -shared -fPIC -O2 -Wall -Wextra -Werror -fvisibility=hidden -o "$out/$1.so" \
		"$ROOT/scripts/$1.c"
}

# Boots the guest in which two clients run between marks.
boot_lines() {
	build_plugin lines
	TMM_ACCEL=tcg boot lines --cpus 2 --plugin "file=$out/lines.so,out=$out/lines.counts" \
		tmm.bench_symbols=yes tmm.bench_group=lines
}

module=$BUILD/module-$variant/theseus_mm.ko
case $mode in
all)
	# The document in the tree is that of 6.1, whose calls the bars name.
	renew=() keep=()
	[[ $variant != stock || ${kernel##*/} != vmlinuz-6.1.* || ${TMM_ACCEL:-tcg} != tcg ]] || renew=(--renew)
	[[ $variant == stock || ${TMM_ACCEL:-tcg} != tcg ]] || keep=(--keep "$variant")
	boot one-cpu --icount
	boots=("$out/one-cpu")
	if [[ -e $out/root/bin/bench_program ]]; then
		boot two-cpus --cpus 2
		boots+=("$out/two-cpus")
	fi
	lines=()
	if [[ ${TMM_ACCEL:-tcg} == tcg ]]; then
		boot_lines
		lines=(--lines "$out/lines" --counts "$out/lines.counts")
	fi
	boot_marks
	# Debian's own Python has the package for plots.
	/usr/bin/python3 "$ROOT/scripts/bench.py" report --module "$module" --out "$out" "${renew[@]}" \
		"${keep[@]}" "${with_marks[@]}" "${lines[@]}" "${boots[@]}"
	if ((${#renew[@]})); then
		boot_chosen
		"$ROOT/scripts/bench.py" figures --module "$module" "${with_marks[@]}" "$out/check"
	fi
	;;
check | figures)
	boot_chosen
	# Without bounds there is nothing to compare with.
	[[ $mode == check && ! -e $ROOT/bench/bounds.json ]] || boot_marks
	"$ROOT/scripts/bench.py" "$mode" --module "$module" "${with_marks[@]}" "$out/check"
	;;
bounds)
	[[ $marks ]] || die "KERNEL=$variant: with PREEMPT_RT there are no stretches under a spinlock"
	boot_marks "${2:-}"
	"$ROOT/scripts/bench.py" bounds --module "$module" ${2:+--partly} "${with_marks[@]}"
	;;
lines)
	boot_lines
	"$ROOT/scripts/bench_lines.py" "$out/lines" "$out/lines.counts" "$module"
	;;
profile)
	build_plugin profile
	[[ ${4:-1000} =~ ^[0-9]+$ ]] || die "N=$4 is no number"
	boot profile --icount --plugin "file=$out/profile.so,out=$out/profile.counts" \
		tmm.bench_symbols=yes "tmm.bench_rows=$2" "tmm.bench_systems=${3:-ours}" \
		"tmm.bench_sizes=${4:-1000}"
	"$ROOT/scripts/profile.py" "$out/profile" "$out/profile.counts"
	;;
esac
