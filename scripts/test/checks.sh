# shellcheck shell=bash
# Sourced by tests of scripts: a temporary folder, which goes when the test ends, and check(), which
# counts. The test writes the output of its commands to the file that "log" names.

temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
log=$temporary/log
passed=0
failed=0

check() { # NAME COMMAND...
	local name=$1
	shift
	if "$@" >"$temporary/check" 2>&1; then
		echo "ok $name"
		passed=$((passed + 1))
	else
		echo "not ok $name"
		sed 's/^/    /' "$temporary/check" "$log"
		failed=$((failed + 1))
	fi
}
