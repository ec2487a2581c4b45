#!/bin/bash
# Usage: build-module.sh stock|debug [MAKE-ARGUMENT...]
#
# Builds theseus_mm.ko (and the KUnit modules, where the kernel has KUnit) in
# build/module-VARIANT, on a copy of the sources: two kernels' objects cannot
# share a directory, and none belongs in the source tree. Incremental.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

variant=${1:?stock or debug}
shift
if [[ $variant == stock ]]; then
	kdir=/lib/modules/$(stock_release)/build
else
	kdir=$("$ROOT/scripts/build-kernel.sh" "$variant")
fi

dir=$BUILD/module-$variant
mkdir -p "$dir"
# Another kernel (headers were updated, the configuration changed): start afresh.
kernel=$(readlink -f "$kdir")
if [[ $(cat "$dir/.kernel" 2>/dev/null) != "$kernel" ]]; then
	rm -rf "$dir"
	mkdir -p "$dir"
	printf '%s\n' "$kernel" >"$dir/.kernel"
fi
# What is not a source is protected from --delete by being excluded.
rsync -a --delete --exclude='*.mod.c' \
	--include='*/' --include='*.[ch]' --include=Kbuild --exclude='*' \
	"$ROOT/Kbuild" "$ROOT/theseus_mm" "$ROOT/kunit" "$dir/"

# UBSAN_SANITIZE works on objects where the kernel has UBSAN for some only.
args=(-C "$kdir" M="$dir" W=1 KCFLAGS=-Werror UBSAN_SANITIZE=y TMM_SUITES="${SUITES:-}")
if command -v ccache >/dev/null; then
	export CCACHE_DIR=$CACHE/ccache CCACHE_BASEDIR=$dir CCACHE_NOHASHDIR=1
	args+=(CC='ccache gcc')
fi
make "${args[@]}" --no-print-directory -j"$(nproc)" "$@" modules >&2
printf '%s\n' "$dir"
