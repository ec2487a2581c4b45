#!/bin/bash
# Usage: check.sh [stock|debug ...]
#
# Compares the ABI with its dump (abi.sh), and runs sparse on every file of the module, for
# Debian's kernel and for the debug kernel, whose build includes the KUnit suites. Any finding
# makes the script fail.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

# KUNIT_EXPECT_EQ() assigns both sides to plain integers, also flags of a __bitwise type.
known='/kunit/.*: incorrect type in initializer \(different base types\)'

status=0
"$ROOT/scripts/abi.sh" || status=1
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
((status)) || echo "check: clean"
exit "$status"
