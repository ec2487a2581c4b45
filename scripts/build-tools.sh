#!/bin/bash
# Usage: build-tools.sh
#
# Builds build/tools/: the library (build-libtmm.sh) and the command-line tool
# (build-tmm.sh). Then makes all checks that need no device: the header compiles alone in C11
# and C++17; the library exports the declared names, and each is in the man page and in an
# example; the man pages are clean; the page of the device has all that the sources have, and its
# examples compile; TROUBLESHOOTING.md has each message of a failure; README.md shows the tested
# program, which can be linked as README.md says; the host-side tests of the library, the module
# for Python and the tool pass.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

sources=$ROOT/initramfs
tool=$sources/bin/tmm
share=$sources/share
host=$sources/tests/host
tools=$BUILD/tools
strict=(-Wall -Wextra -Werror -pedantic)
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT

# The program is also linked and run: a C++ program links only if the header declares the names as
# those of C. The program finds no device.
check_header() { # COMPILER LANGUAGE STANDARD
	local program=$temporary/header-$2
	cat >"$program.c" <<'SOURCE'
#include <tmm.h>
#include <tmm.h>
int main(void)
{
	return tmm_client_open("/nonexistent") != NULL;
}
SOURCE
	"$1" -x "$2" -std="$3" "${strict[@]}" -I "$tools/include" "$program.c" \
		-L "$tools" -ltmm -o "$program" || die "tmm.h is no clean $3"
	LD_LIBRARY_PATH=$tools "$program" || die "a program in $3 does not run"
}

# The names are the same in all places: the header declares them, both libraries export them, and
# the man page and the examples show them.
check_names() {
	local name missing=
	nm -D --defined-only "$tools/libtmm.so" | sed -n 's/.* T \(.*\)@@LIBTMM_[0-9.]*$/\1/p' |
		sort >"$temporary/shared"
	nm -g --defined-only "$tools/libtmm.a" | sed -n 's/.* [A-Z] //p' | sort >"$temporary/static"
	# once comments are gone, each name before a parenthesis is a function
	gcc -E -P "$tools/include/tmm.h" | grep -oE '\btmm_[a-z_]+\(' |
		tr -d '(' | sort >"$temporary/declared"
	diff "$temporary/declared" "$temporary/shared" || die "libtmm.map and tmm.h differ"
	diff "$temporary/declared" "$temporary/static" || die "libtmm.a and tmm.h differ"
	while read -r name; do
		grep -qw "$name" "$share"/examples/*.c || missing+=" $name (no example)"
		grep -qw "^.Fn $name\|^.Fo $name" "$share/man/libtmm.3" ||
			missing+=" $name (not in the man page)"
	done <"$temporary/declared"
	[[ -z $missing ]] || die "not complete:$missing"
}

# Pages that a page refers to may not be installed.
check_man_page() { # PAGE
	local said
	said=$(mandoc -Tlint -W style "$1" 2>&1 |
		grep -v -e 'outdated mandoc.db' -e 'referenced manual not found') || :
	[[ -z $said ]] || die "${1##*/}: $said"
}

# Each call, field, definition, error, parameter and file is in the sources and in the page.
check_device_page() {
	"$ROOT/scripts/device_page.py" self-test || die "device_page.py does not find every difference"
	"$ROOT/scripts/device_page.py" check || die "theseus_mm(4) differs from the sources"
	"$ROOT/scripts/device_page.py" examples >"$temporary/device_page.c"
	gcc -std=gnu11 -Wall -Wextra -Werror -Wno-unused -I "$ROOT/theseus_mm/include/uapi" \
		-c -o "$temporary/device_page.o" "$temporary/device_page.c" ||
		die "an example of theseus_mm(4) does not compile"
	check_man_page "$tools/theseus_mm.4"
}

# The packages are built from a copy of the sources, without the parts that only development needs.
check_copy_of_sources() {
	"$ROOT/scripts/build-deb.sh" sources "$temporary/sources"
	"$temporary/sources/scripts/device_page.py" page >/dev/null ||
		die "build-deb.sh does not copy all sources of theseus_mm(4)"
}

# Each message of a failure is in the page for troubleshooting, and the page has no others.
check_messages() {
	"$ROOT/scripts/messages.py" self-test || die "messages.py does not find every difference"
	"$ROOT/scripts/messages.py" check || die "TROUBLESHOOTING.md differs from the sources"
}

# Each piece of C in the comparison compiles, as a function that has a socket.
check_same_task() {
	awk '
	BEGIN {
		print "#define _GNU_SOURCE"
		n = split("tmm.h err.h fcntl.h linux/memfd.h stdio.h string.h sys/mman.h unistd.h", name, " ")
		for (i = 1; i <= n; i++) print "#include <" name[i] ">"
	}
	/^```c$/ { print "void piece_" ++nr "(int socket);\nvoid piece_" nr "(int socket)\n{"; inside = 1; next }
	inside && /^```$/ { print "}"; inside = 0 }
	inside' "$share/SAME_TASK.md" >"$temporary/same_task.c"
	gcc -std=gnu11 -Wall -Wextra -Werror -Wno-unused-parameter -I "$tools/include" \
		-c -o "$temporary/same_task.o" "$temporary/same_task.c" ||
		die "a piece of C in SAME_TASK.md does not compile"
	[[ $(grep -c '^void piece_.*;$' "$temporary/same_task.c") -ge 6 ]] ||
		die "SAME_TASK.md has too few pieces of C"
}

# People copy this program first, so README.md shows the one that the tests run.
check_quick_start() {
	local fence=\`\`\`
	sed -n "/^<!-- quick_start\.c -->/,/^$fence\$/{/^<!--/d;/^$fence/d;p}" "$ROOT/README.md" |
		diff - "$share/examples/quick_start.c" ||
		die "README.md does not show quick_start.c as it is"
}

# Without the device, the program must get as far as opening it.
run_quick_start() { # HOW LINKED...
	local how=$1 said
	shift
	gcc -o "$temporary/quick_start" "$share/examples/quick_start.c" "$@" ||
		die "quick_start.c cannot be linked $how"
	said=$("$temporary/quick_start" 2>&1) || :
	[[ $said == *"No such file"* || -e /dev/theseus_mm ]] ||
		die "quick_start.c does not run linked $how: $said"
}

# The program is linked in the two ways that README.md names.
check_linking() {
	local flags
	run_quick_start statically -I "$tools/include" "$tools/libtmm.a"
	flags=$(pkg-config --cflags --libs "$tools/libtmm.pc") || die "libtmm.pc is not clean"
	# shellcheck disable=SC2086 # several words
	LD_LIBRARY_PATH=$tools run_quick_start "by pkg-config" $flags
}

# The test replaces ioctl() and calloc(), so it decides when calls and allocations fail.
run_host_test() {
	gcc -std=gnu11 -D_GNU_SOURCE -g -Wall -Wextra -Werror -fsanitize=address,undefined \
		-fno-sanitize-recover=undefined -I "$tools/include" \
		-I "$ROOT/theseus_mm/include/uapi" -Wl,--wrap=ioctl,--wrap=calloc \
		-o "$temporary/host_test" "$host"/libtmm_*.c "$tools/libtmm.a"
	timeout 60 "$temporary/host_test" || die "the library's host-side tests failed"
}

# The module for Python calls a library that is linked with the same fake kernel.
run_python_test() {
	local test
	gcc -std=gnu11 -D_GNU_SOURCE -g -shared -fPIC -Wall -Wextra -Werror -I "$tools/include" \
		-I "$ROOT/theseus_mm/include/uapi" -Wl,--wrap=ioctl,--wrap=calloc \
		-Wl,-soname,libtmm.so.0 -o "$temporary/libtmm.so.0" "$host/libtmm_kernel.c" \
		-Wl,--whole-archive "$tools/libtmm.a" -Wl,--no-whole-archive
	for test in "$host"/python_*test.py; do
		LD_LIBRARY_PATH=$temporary PYTHONDONTWRITEBYTECODE=1 \
			PYTHONPATH=$sources/lib/python3:$sources/tests/python \
			timeout 120 /usr/bin/python3 "$test" >"$temporary/python.log" 2>&1 ||
			{ cat "$temporary/python.log" >&2; die "${test##*/} failed"; }
	done
}

# Two tools are tested: the built one, and one that is linked with a fake kernel.
run_tool_test() {
	gcc -std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -g -Wall -Wextra -Werror \
		-fsanitize=address,undefined -fno-sanitize-recover=undefined \
		-I "$tools/include" -I "$ROOT/theseus_mm/include/uapi" \
		"-DTMM_VERSION=\"$(project_version)\"" \
		-Wl,--wrap=ioctl,--wrap=open64 -o "$temporary/tmm" "$tool"/*.c \
		"$host/fake_kernel.c" "$tools/libtmm.a"
	"$host/tmm_test.sh" "$tools" "$temporary/tmm" ||
		die "the tool's host-side tests failed"
	"$host/reserve_test.sh" "$temporary/tmm" || die "the tests of tmm reserve failed"
}

"$ROOT/scripts/build-tmm.sh"
check_header gcc c c11
check_header g++ c++ c++17
check_names
check_man_page "$share/man/libtmm.3"
check_man_page "$share/man/tmm.1"
check_device_page
check_copy_of_sources
check_messages
check_same_task
check_quick_start
check_linking
run_host_test
run_python_test
run_tool_test
note "built: $(cd "$BUILD" && echo tools/{tmm,libtmm.a,libtmm.so,libtmm.pc,libtmm.3,include/tmm.h,tmm.1,theseus_mm.4,completions/tmm})"