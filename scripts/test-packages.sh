#!/bin/bash
# Usage: test-packages.sh [SUITE...]
#
# Tests `make install`, the errors of commands that miss something, and the Debian packages. The script
# builds the packages in this version and in a higher one, runs lintian, and installs the packages in
# a minimal Debian 12 and 13 (bookworm, trixie), where DKMS builds the module for the headers of that
# Debian's kernel. No module is loaded.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

suites=("$@")
((${#suites[@]})) || suites=(bookworm trixie)
dir=$BUILD/test-packages
passed=0
failed=0

count() { # LOG: adds the counts of a closing line
	local line
	line=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$1" | tail -n 1) || line='0 passed, 1 failed'
	[[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+) ]]
	passed=$((passed + BASH_REMATCH[1]))
	failed=$((failed + BASH_REMATCH[2]))
}

build_packages() {
	local version
	version=$(project_version)
	"$ROOT/scripts/build-deb.sh" "$dir/now" >/dev/null
	"$ROOT/scripts/build-deb.sh" "$dir/next" "$version+next" >/dev/null
	for repository in now next; do
		(cd "$dir/$repository" && dpkg-scanpackages . >Packages 2>/dev/null)
	done
}

check_lintian() {
	if lintian --allow-root --pedantic --display-info --fail-on error,warning,info,pedantic \
		"$dir"/now/*.deb; then
		echo "ok lintian finds nothing"
		passed=$((passed + 1))
	else
		echo "not ok lintian finds nothing"
		failed=$((failed + 1))
	fi
}

test_suite() { # SUITE
	local root
	root=$("$ROOT/scripts/fetch-debian.sh" "$1")
	# sudo keeps no variables
	as_root env TMM_CACHE="$CACHE" unshare --mount --net --pid --fork --kill-child \
		"$ROOT/scripts/in-debian.sh" "$root" "$dir" "$CACHE/ccache-packages" /repository/test
}

mkdir -p "$dir/host"
cp "$ROOT/scripts/test/packages_test.sh" "$dir/test"
cp "$ROOT/initramfs/tests"/{host/python_test.py,host/libtmm_kernel.c,host/libtmm_test.h,python/child.py} \
	"$dir/host/"
build_packages
check_lintian
for test in install bad_input; do
	"$ROOT/scripts/test/${test}_test.sh" >"$dir/$test.log" 2>&1 || :
	cat "$dir/$test.log"
	count "$dir/$test.log"
done

ask_for_root
declare -A pids=()
for suite in "${suites[@]}"; do
	test_suite "$suite" >"$dir/$suite.log" 2>&1 &
	pids[$suite]=$!
done
for suite in "${suites[@]}"; do
	wait "${pids[$suite]}" || :
	cat "$dir/$suite.log"
	count "$dir/$suite.log"
done
echo "$passed passed, $failed failed"
((failed == 0))
