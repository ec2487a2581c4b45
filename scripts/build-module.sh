#!/bin/bash
# Usage: build-module.sh KERNEL [MAKE-ARGUMENT...]   (KERNEL: stock, debug, debug-rt, 6.12, ...)
#
# Builds theseus_mm.ko, and the KUnit modules if the kernel has KUnit, in build/module-KERNEL. With
# TMM_BENCH=1, also builds the module that measures. With TMM_MARKS=1, builds modules with the marks
# of bench/marks/ in build/module-KERNEL-marks. With TMM_COVERAGE=1, builds theseus_mm.ko with counters
# of its lines in build/module-KERNEL-coverage.
# The build works incrementally on a copy of the sources: the objects of two kernels cannot
# share a directory, and objects do not belong in the source tree.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

variant=${1:?stock, debug or another kernel}
shift
compiler_root=
compiler=gcc
wanted=$variant
[[ $variant != stock ]] || wanted=$(stock_kernel)
case $wanted in
stock) kdir=/lib/modules/$(stock_release)/build ;;
debug*)
	kdir=$("$ROOT/scripts/build-kernel.sh" "$variant")
	compiler=$(debug_compiler)
	;;
*)
	image=$("$ROOT/scripts/fetch-kernel.sh" "$wanted")
	kdir=${image%/boot/*}/build
	[[ ! -e ${image%/boot/*}/root ]] || compiler_root=$(readlink -f "${image%/boot/*}/root")
	;;
esac

[[ -e $kdir/Makefile ]] ||
	die "$kdir: there are no headers of that kernel: install linux-headers-RELEASE, or correct TMM_KERNEL"
# Debian's headers name the compiler of their kernel.
[[ ! -e $kdir/.kernelvariables ]] ||
	compiler=$(sed -n 's/^CC = .*)\(gcc-[0-9]*\)$/\1/p' "$kdir/.kernelvariables")
[[ $compiler_root ]] || command -v "${compiler:=gcc}" >/dev/null ||
	die "$compiler is missing: install the package $compiler, the compiler of that kernel"

dir=$BUILD/module-$variant${TMM_MARKS:+-marks}${TMM_COVERAGE:+-coverage}
mkdir -p "$dir"
# After an update of the headers or a change of the configuration, all objects are stale.
kernel=$(readlink -f "$kdir")
if [[ $(cat "$dir/.kernel" 2>/dev/null) != "$kernel" ]]; then
	rm -rf "$dir"
	mkdir -p "$dir"
	printf '%s\n' "$kernel" >"$dir/.kernel"
fi
# Files that are not sources are excluded, so that --delete keeps them.
rsync -a --delete --exclude='*.mod.c' \
	--include='*/' --include='*.[ch]' --include=Kbuild --exclude='*' \
	"$ROOT/Kbuild" "$ROOT/theseus_mm" "$ROOT/kunit" "$ROOT/bench" "$dir/"

# An initramfs takes all modules of the folder.
[[ ${TMM_BENCH:-} ]] || rm -f "$dir"/bench/*.ko

# If the kernel has UBSAN for chosen objects only, UBSAN_SANITIZE chooses ours. The checks of UBSAN are
# branches that never run, so they would spoil the figures of the coverage.
sanitize=y
[[ ! ${TMM_COVERAGE:-} ]] || sanitize=n
args=(-C "$kdir" M="$dir" W=1 KCFLAGS=-Werror UBSAN_SANITIZE="$sanitize" TMM_SUITES="${SUITES:-}" TMM_BENCH="${TMM_BENCH:-}"
	TMM_MARKS="${TMM_MARKS:-}" TMM_COVERAGE="${TMM_COVERAGE:-}")
if [[ -z $compiler_root ]] && command -v ccache >/dev/null; then
	export CCACHE_DIR=$CACHE/ccache CCACHE_BASEDIR=$dir CCACHE_NOHASHDIR=1
	args+=(CC="ccache $compiler")
fi
make=(make)
if [[ -n $compiler_root ]]; then
	# The root folder shows the headers and this directory under their own names.
	make=(unshare --map-root-user --mount "$ROOT/scripts/in-root.sh" "$compiler_root"
		"${image%/boot/*}" "$dir" make CROSS_COMPILE=)
fi
"${make[@]}" "${args[@]}" --no-print-directory -j"$(nproc)" "$@" modules >&2
printf '%s\n' "$dir"
