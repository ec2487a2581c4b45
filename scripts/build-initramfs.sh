#!/bin/bash
# Usage: build-initramfs.sh stock|debug [tests]
#
# Compiles the programs of initramfs/ statically, packs them with busybox, the
# modules of build/module-VARIANT and the guest's init, and prints the archive's
# path. A file of the host's travels in an archive of its own (pack-file.sh).
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

variant=${1:?stock or debug}
tests=${2:-}
sources=$ROOT/initramfs
bin=$BUILD/initramfs/bin
flags=(-static -O2 -g0 -std=gnu11 -Wall -Wextra -Werror -pthread
	-I "$ROOT/theseus_mm/include/uapi")
shopt -s nullglob

# Everything a program may include: newer than the program means build it again.
shared=("$sources"/tests/*.h "$ROOT"/theseus_mm/include/uapi/linux/*.h "$0")

is_fresh() { # TARGET INPUT...
	local target=$1 input
	shift
	[[ -e $target ]] || return
	for input in "$@"; do
		[[ $target -nt $input ]] || return
	done
}

compile() { # TARGET SOURCE [FLAG...]
	local target=$1 source=$2
	shift 2
	is_fresh "$target" "$source" "${shared[@]}" && return
	echo "    CC ${target#"$bin"/}" >&2
	mkdir -p "${target%/*}"
	gcc "${flags[@]}" -o "$target" "$source" "$@"
}

build_tools() {
	"$ROOT/scripts/build-tmm.sh"
	is_fresh "$bin/tmm" "$BUILD/tools/tmm" && return
	mkdir -p "$bin"
	strip -o "$bin/tmm" "$BUILD/tools/tmm"
}

# What libtmm's header and man page show; examples_test runs them.
build_examples() {
	local example library=$BUILD/tools/libtmm.a
	mkdir -p "$bin/examples"
	for example in "$sources"/share/examples/*.c; do
		is_fresh "$bin/examples/$(basename "$example" .c)" "$example" "$library" \
			"$sources"/share/examples/*.h "$0" && continue
		echo "    CC examples/$(basename "$example" .c)" >&2
		gcc -static -O2 -g0 -std=gnu11 -Wall -Wextra -Werror -I "$BUILD/tools/include" \
			-o "$bin/examples/$(basename "$example" .c)" "$example" "$library"
	done
	remove_stale examples "$sources/share/examples"
}

# A program whose source is gone must not run.
remove_stale() { # PROGRAMS SOURCES
	local program
	for program in "$bin/$1"/*; do
		[[ -e $2/$(basename "$program").c ]] || rm "$program"
	done
}

test_is_wanted() { [[ -z ${PROGRAMS:-} || ,$PROGRAMS, == *,$1,* ]]; }

# The tests use the kernel's own kselftest_harness.h, and those that say so the library.
build_tests() {
	local test target library=$BUILD/tools/libtmm.a
	flags+=(-D_GNU_SOURCE -I "$("$ROOT/scripts/unpack-source.sh")/tools/testing/selftests")
	for test in "$sources"/tests/*_test.c; do
		test_is_wanted "$(basename "$test" .c)" || continue
		target=$bin/tests/$(basename "$test" .c)
		if grep -q '^#include "library\.h"' "$test"; then
			is_fresh "$target" "$library" || rm -f "$target"
			compile "$target" "$test" -I "$BUILD/tools/include" "$library"
		else
			compile "$target" "$test"
		fi
	done
	remove_stale tests "$sources/tests"
}

# Those that say so, as a 32-bit program would be built: NAME_test becomes NAME32_test.
# The harness was not written for pointers that are shorter than its numbers.
build_tests_32() {
	local test name
	for test in "$sources"/tests/*_test.c; do
		grep -q '^/\* Also 32-bit: ' "$test" || continue
		name=$(basename "$test" _test.c)32_test
		test_is_wanted "$name" || continue
		compile "$bin/tests32/$name" "$test" -m32 -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 \
			-Wno-pointer-to-int-cast -Wno-clobbered
	done
	for test in "$bin"/tests32/*; do
		name=$(basename "$test" 32_test)_test.c
		grep -q '^/\* Also 32-bit: ' "$sources/tests/$name" 2>/dev/null || rm "$test"
	done
}

install_busybox() {
	local applet
	for applet in $(/bin/busybox --list); do
		ln -s busybox "$root/bin/$applet"
	done
	# the list has busybox too
	cp --remove-destination /bin/busybox "$root/bin/busybox"
}

hints() {
	cat <<'HINTS'

A guest with reserved memory; the module is loaded. Things to try:
  tmm                      what it can do
  tmm demo                 the whole tour
  lsmod; dmesg | grep theseus_mm; grep -i theseus /proc/iomem
  ls /sys/class/misc/theseus_mm /sys/kernel/debug/theseus_mm
  rmmod theseus_mm; insmod /lib/modules/theseus_mm.ko $(tmm regions)
  exit                     ends the guest
HINTS
}

build_tools
if [[ -n $tests ]]; then
	build_tests
	build_tests_32
	build_examples
fi

root=$BUILD/initramfs/root-$variant${tests:+-tests}
rm -rf "$root"
mkdir -p "$root"/{bin,lib/modules,etc,host}
install_busybox
for tool in "$bin"/*; do
	[[ -d $tool ]] || cp "$tool" "$root/bin/"
done
if [[ -n $tests ]]; then
	cp -r "$bin/tests" "$bin/examples" "$root/bin/"
	# a guest that is told no names runs what is in tests
	[[ ! -d $bin/tests32 ]] || cp -r "$bin/tests32" "$root/bin/"
fi
# Debian's kernel has as modules what the debug kernel has built in.
if [[ $variant == stock && -n $tests ]]; then
	mkdir -p "$root/lib/modules/stock"
	cp -t "$root/lib/modules/stock" "$(dirname "$("$ROOT/scripts/fetch-kernel.sh")")"/modules/*.ko
fi
find "$BUILD/module-$variant" -name '*.ko' -exec cp -t "$root/lib/modules" {} +
cp "$sources/init" "$root/init"
hints >"$root/etc/hints"
# Debian's kernel checks signatures and taints itself over ours, which has none.
[[ $variant != stock ]] || touch "$root/etc/signatures"

archive=$BUILD/initramfs-$variant${tests:+-tests}.cpio.gz
(cd "$root" && find . -mindepth 1 | sort |
	cpio --quiet -o -H newc --owner 0:0 --reproducible | gzip -1) >"$archive.new"
mv "$archive.new" "$archive"
printf '%s\n' "$archive"
