#!/bin/bash
# Usage: check.sh [stock|debug ...]
#
# What programs get from the UAPI is as it was kept (abi.sh); and sparse on every file of
# the module, for Debian's kernel and for the debug kernel (which has the KUnit suites
# too). A finding is a failure.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

# KUNIT_EXPECT_EQ() keeps both sides in plain integers, flags of a type of their own too
known='/kunit/.*: incorrect type in initializer \(different base types\)'

status=0
"$ROOT/scripts/abi.sh" || status=1
for variant in "${@:-stock debug}"; do
	for one in $variant; do
		log=$BUILD/check-$one.log
		note "sparse, $one kernel"
		"$ROOT/scripts/build-module.sh" "$one" C=2 CF=-D__CHECK_ENDIAN__ >/dev/null 2>"$log" ||
			{ cat "$log"; status=1; }
		# the kernel's own headers are not ours to clean
		if grep -E "^$BUILD/.*: (warning|error):" "$log" | grep -vE "$known"; then
			status=1
		fi
	done
done
((status)) || echo "check: clean"
exit "$status"
