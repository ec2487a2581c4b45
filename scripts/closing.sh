# shellcheck shell=bash
# Sourced after common.sh by the scripts that run tests in guests. However such a script ends, its last
# line is `N passed, N failed[, N skipped]`.

closed=0
trap '((closed)) || echo "0 passed, 1 failed"' EXIT
trap 'exit 130' INT TERM

# Prints the sum of the reports, which has to be the last line of the script. The status is 0 only if no
# test failed.
close_with_sum() { # REPORT...
	local closing status=0
	closing=$("$ROOT/scripts/test/ktap.py" sum "$@") || status=$?
	[[ $closing == *passed* ]] || exit 1
	# shellcheck disable=SC2034 # the trap reads it
	closed=1
	printf '%s\n' "$closing"
	return "$status"
}
