#!/bin/bash
# Usage: check.sh [stock|debug ...]
#
# Compares the ABI of the module and of the library with their dumps (abi.sh, abi-libtmm.sh), checks
# what a build says on a kernel that is too old or not tested, and runs sparse on every file of the
# module, for Debian's kernel and for the debug kernel, whose build includes the KUnit suites. Then
# runs the parts of analyze.sh that are quick. Any finding makes the script fail.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

# KUNIT_EXPECT_EQ() assigns both sides to plain integers, also flags of a __bitwise type.
known='/kunit/.*: incorrect type in initializer \(different base types\)'

# Checks that TMM_COMPAT_IS_TESTED of compat.c is right for versions of Linux.
check_tested_versions() { # DIRECTORY
	local version expected
	for version in 6.1.0,1 6.1.255,1 6.2.0,0 6.11.9,0 6.12.0,1 6.12.255,1 6.13.0,0 7.2.5,0 7.3.4,1 7.4.0,0; do
		expected=${version#*,} version=${version%,*}
		{
			printf '%s\n' '#define KERNEL_VERSION(a, b, c) (((a) << 16) + ((b) << 8) + (c))' \
				"#define LINUX_VERSION_CODE KERNEL_VERSION(${version//./, })"
			sed -n '/^#define TMM_COMPAT_VERSION/,/^#endif/p' "$ROOT/theseus_mm/core/compat.c"
			echo '_Static_assert(TMM_COMPAT_IS_TESTED == EXPECTED, "");'
		} >"$1/tested.c"
		gcc -fsyntax-only "-DEXPECTED=$expected" "$1/tested.c" || {
			echo "core/compat.c: TMM_COMPAT_IS_TESTED is not $expected for Linux $version"
			return 1
		}
	done
}

# Checks that old headers end the build with a sentence, and that a build for a kernel that was not
# tested prints a message although -Werror is on.
check_versions() {
	local dir=$BUILD/check-versions module
	mkdir -p "$dir/linux"
	printf '%s\n' '#define KERNEL_VERSION(a, b, c) (((a) << 16) + ((b) << 8) + (c))' \
		'#define LINUX_VERSION_CODE KERNEL_VERSION(6, 0, 9)' >"$dir/linux/version.h"
	if gcc -E -nostdinc -I "$dir" "$ROOT/theseus_mm/core/compat.h" >/dev/null 2>"$dir/old.log" ||
		! grep -q 'needs Linux 6.1 or later: build against' "$dir/old.log"; then
		echo "core/compat.h: headers of Linux 6.0 do not end the build with a sentence"
		return 1
	fi
	check_tested_versions "$dir" || return
	module=$("$ROOT/scripts/build-module.sh" stock 2>"$dir/stock.log")
	if ! make -C "$(<"$module/.kernel")" M="$module" \
		KCFLAGS='-Werror -DTMM_COMPAT_IS_TESTED=0' theseus_mm/core/compat.o \
		>"$dir/newer.log" 2>&1 ||
		! grep -q 'was not tested on this version of Linux' "$dir/newer.log" ||
		! grep -q 'was tested on 6.1, 6.12 and 7.3 only' "$module/theseus_mm/core/compat.o" ||
		grep -q 'was tested on 6.1, 6.12 and 7.3 only' "$module/theseus_mm.ko"; then
		echo "core/compat.c: wrong message for a kernel that is not tested, see $dir"
		return 1
	fi
}

status=0
"$ROOT/scripts/abi.sh" || status=1
"$ROOT/scripts/abi-libtmm.sh" || status=1
check_versions || status=1
for variant in "${@:-stock debug}"; do
	for one in $variant; do
		log=$BUILD/check-$one.log
		note "sparse, $one kernel"
		"$ROOT/scripts/build-module.sh" "$one" C=2 CF=-D__CHECK_ENDIAN__ >/dev/null 2>"$log" ||
			{ cat "$log"; status=1; }
		# findings in Linux's headers do not count
		if grep -E "^$BUILD/.*: (warning|error):" "$log" | grep -vE "$known"; then
			status=1
		fi
	done
done
FILE='' PARTS=w1,coccinelle "$ROOT/scripts/analyze.sh" || status=1
((status)) || echo "check: clean"
exit "$status"
