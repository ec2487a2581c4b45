#!/bin/bash
# Usage: build-initramfs.sh KERNEL [tests]   (KERNEL: stock, debug, debug-rt, 6.12, ...)
#
# Compiles the programs of initramfs/ statically, packs them with busybox, the modules of
# build/module-KERNEL and the guest's init, and prints the path of the archive. A file of the host
# is not part of the archive: run-guest.sh appends a second one. With TMM_COVERAGE=1, takes the modules
# of build/module-KERNEL-coverage.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

variant=${1:?stock, debug or another kernel}
tests=${2:-}
built=$variant${TMM_COVERAGE:+-coverage}
sources=$ROOT/initramfs
bin=$BUILD/initramfs/bin
flags=(-static -O2 -g0 -std=gnu11 -Wall -Wextra -Werror -pthread
	-I "$ROOT/theseus_mm/include/uapi")
shopt -s nullglob

# The files that any program may include. If one is newer than a program, the program is rebuilt.
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

# Builds the example programs of libtmm, which examples_test runs.
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

# Removes programs whose source was removed, so that they do not run any more.
remove_stale() { # PROGRAMS SOURCES
	local program
	for program in "$bin/$1"/*; do
		[[ -e $2/$(basename "$program").c ]] || rm "$program"
	done
}

test_is_wanted() { [[ -z ${PROGRAMS:-} || ,$PROGRAMS, == *,$1,* ]]; }

# The examples of theseus_mm(4), which device_page_test runs. The file keeps its age if nothing has
# changed.
build_page_examples() {
	local header=$BUILD/tools/device_page_examples.h
	"$ROOT/scripts/device_page.py" examples >"$header.new"
	cmp -s "$header" "$header.new" || cp "$header.new" "$header"
	rm "$header.new"
	is_fresh "$bin/tests/device_page_test" "$header" || rm -f "$bin/tests/device_page_test"
}

# All tests use the kernel's own kselftest_harness.h. Tests that include library.h are linked with
# libtmm.
build_tests() {
	local test target library=$BUILD/tools/libtmm.a
	mkdir -p "$bin/tests"
	build_page_examples
	flags+=(-D_GNU_SOURCE -I "$("$ROOT/scripts/unpack-source.sh")/tools/testing/selftests")
	for test in "$sources"/tests/*_test.c; do
		test_is_wanted "$(basename "$test" .c)" || continue
		target=$bin/tests/$(basename "$test" .c)
		if grep -q '^#include "library\.h"' "$test"; then
			is_fresh "$target" "$library" || rm -f "$target"
			compile "$target" "$test" -I "$BUILD/tools/include" "$library"
		else
			compile "$target" "$test" -I "$BUILD/tools"
		fi
	done
	remove_stale tests "$sources/tests"
}

# Builds each test whose source says "Also 32-bit:" a second time for 32 bits: NAME_test becomes
# NAME32_test. The harness warns where pointers are shorter than its numbers.
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

# The programs of make test-stress: each NAME_stress.c is linked with the other files of the folder.
build_stress() {
	local header=$BUILD/tools/stress_calls.h file program name
	local parts=() files=("$sources"/stress/*.[ch])
	"$ROOT/scripts/stress_calls.py" >"$header.new"
	cmp -s "$header" "$header.new" || cp "$header.new" "$header"
	rm "$header.new"
	for file in "$sources"/stress/*.c; do
		[[ $file == *_stress.c ]] || parts+=("$file")
	done
	for program in "$sources"/stress/*_stress.c; do
		name=$(basename "$program" .c)
		is_fresh "$bin/stress/$name" "$header" "${files[@]}" || rm -f "$bin/stress/$name"
		compile "$bin/stress/$name" "$program" "${parts[@]}" \
			-I "$sources/stress" -I "$sources/tests" -I "$BUILD/tools"
	done
	remove_stale stress "$sources/stress"
}

install_busybox() {
	local applet
	for applet in $(/bin/busybox --list); do
		ln -s busybox "$root/bin/$applet"
	done
	# the list contains busybox itself, whose link this copy replaces
	cp --remove-destination /bin/busybox "$root/bin/busybox"
}

hints() {
	cat <<'HINTS'

A guest with reserved memory, in which the module is loaded. Things to try:
  tmm                      list the commands of the tool
  tmm demo                 show everything once
  lsmod; dmesg | grep theseus_mm; grep -i theseus /proc/iomem
  ls /sys/class/misc/theseus_mm /sys/kernel/debug/theseus_mm
  rmmod theseus_mm; insmod /lib/modules/theseus_mm.ko $(tmm regions)
  exit                     end the guest
HINTS
}

build_tools
if [[ -n $tests ]]; then
	build_tests
	build_tests_32
	build_stress
	build_examples
fi

root=$BUILD/initramfs/root-$built${tests:+-tests}
rm -rf "$root"
mkdir -p "$root"/{bin,lib/modules,etc,host}
install_busybox
for tool in "$bin"/*; do
	[[ -d $tool ]] || cp "$tool" "$root/bin/"
done
if [[ -n $tests ]]; then
	cp -r "$bin/tests" "$bin/stress" "$bin/examples" "$root/bin/"
	# the same storm: init loads the module with another parameter, or the program itself does damage
	for name in pages quarantine damage; do
		ln -s fuzz_stress "$root/bin/stress/fuzz_${name}_stress"
	done
	# not in tests/, where a guest runs all programs if the host names none
	[[ ! -d $bin/tests32 ]] || cp -r "$bin/tests32" "$root/bin/"
fi
# Some drivers are modules in Debian's kernel, and built into the debug kernels.
if [[ $variant != debug* && -n $tests ]]; then
	mkdir -p "$root/lib/modules/stock"
	cp -t "$root/lib/modules/stock" "$(dirname "$("$ROOT/scripts/fetch-kernel.sh" "$variant")")"/modules/*.ko
fi
find "$BUILD/module-$built" -name '*.ko' -exec cp -t "$root/lib/modules" {} +
cp "$sources/init" "$root/init"
hints >"$root/etc/hints"
# Debian's kernel checks signatures. Our module has none, so loading it sets a taint flag.
[[ $variant == debug* ]] || touch "$root/etc/signatures"

archive=$BUILD/initramfs-$built${tests:+-tests}.cpio.gz
(cd "$root" && find . -mindepth 1 | sort |
	cpio --quiet -o -H newc --owner 0:0 --reproducible | gzip -1) >"$archive.new"
mv "$archive.new" "$archive"
printf '%s\n' "$archive"
