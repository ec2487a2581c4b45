#!/bin/bash
# Usage: build-kernel.sh [VARIANT]      (VARIANT: debug, or debug-rt)
#
# Builds a test kernel from Debian's source of Linux, 6.1 for debug and 6.12 for
# debug-rt, and prints its build directory. It is kept outside the tree, under a
# key made of everything that decides what comes out; a finished one is found
# again without running make. An interrupted build goes on where it stopped.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

variant=${1:-debug}
base=$ROOT/scripts/config/base.config
extra=$ROOT/scripts/config/$variant.config
[[ -r $extra ]] || die "no such variant: $variant"

compiler=$(debug_compiler)
linux=6.1
[[ $variant != *-rt ]] || linux=6.12
src=$("$ROOT/scripts/unpack-source.sh" "$linux")
key=$({ cat "$base" "$extra" "$0"; echo "${src##*/src-}"; "$compiler" -dumpfullversion; } |
	sha256sum | cut -c1-16)
out=$CACHE/kernel-$variant-$key

# A second caller waits for the first and finds the work done.
exec 9>"$CACHE/kernel-$variant-$key.lock"
if ! flock -n 9; then
	note "another build of this kernel is running, waiting for it"
	flock 9
fi
if [[ -e $out/.done ]]; then
	touch "$out/.done"
	printf '%s\n' "$out"
	exit 0
fi

# The compiler cache sees the same command lines from every build directory.
export CCACHE_DIR=$CACHE/ccache CCACHE_BASEDIR=$CACHE CCACHE_NOHASHDIR=1 CCACHE_MAXSIZE=2G
export KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 1970'
export KBUILD_BUILD_USER=tmm KBUILD_BUILD_HOST=rig KBUILD_BUILD_VERSION=1
kmake() { make -C "$src" O="$out" ARCH=x86_64 CC="ccache $compiler" LOCALVERSION= "$@"; }

# kunit.py's way: request, olddefconfig, then insist on every requested line.
# Kconfig drops silently what it cannot grant, and a test kernel without
# CONFIG_BUG or KUNIT_DEFAULT_ENABLED passes everything. A line of the variant
# replaces the line of the base that has the same symbol.
lines_of() { grep -hE '^(CONFIG_\w+=|# CONFIG_\w+ is not set$)' "$1"; }
symbols_of() { lines_of "$1" | grep -oE 'CONFIG_\w+'; }
requested() {
	lines_of "$extra"
	lines_of "$base" | grep -vwFf <(symbols_of "$extra")
}
configure() {
	local symbol missing twice
	twice=$({
		symbols_of "$base" | sort | uniq -d
		symbols_of "$extra" | sort | uniq -d
		comm -12 <(lines_of "$base" | sort) <(lines_of "$extra" | sort)
	})
	[[ -z $twice ]] || die "requested more than once:" "$twice"
	requested >"$out/.config"
	kmake -s olddefconfig >&2
	missing=$(comm -23 <(requested | grep '=' | sort) <(grep '=' "$out/.config" | sort))
	for symbol in $(requested | sed -n 's/^# \(.*\) is not set/\1/p'); do
		missing+=$(sed -n "s/^$symbol=/ wrongly on: &/p" "$out/.config")
	done
	[[ -z $missing ]] || die "Kconfig did not grant:" "$missing"
	touch "$out/.configured"
}

mkdir -p "$out"
[[ -e $out/.configured ]] || need_space 3000 "the $variant kernel"
[[ -e $out/.configured ]] || configure
note "building the $variant kernel (5 to 20 minutes when nothing is cached)"
quietly "$out/build.log" "the $variant kernel's build" \
	kmake -j"$(nproc)" bzImage modules
touch "$out/.done"

# The two newest of a variant stay, unless someone is building an older one. The key has 16
# characters, so the kernels of debug-rt are none of debug.
stale() {
	local done_file lock
	# shellcheck disable=SC2012 # names of our own making
	ls -t "$CACHE/kernel-$variant-"????????????????/.done | tail -n +3 | while read -r done_file; do
		lock=${done_file%/.done}.lock
		flock -n "$lock" rm -rf "${done_file%/.done}" "$lock" || :
	done
}
stale
printf '%s\n' "$out"
