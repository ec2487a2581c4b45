#!/bin/bash
# Usage: bad_input_test.sh [TEST...]
#
# Tests the errors of commands that miss something: the network, the compiler, room on the disk,
# headers, a kernel, apt-get, the rights of root. Each command says what to do, and leaves nothing that
# is half done. The test prints a line for each check, and the closing line with the counts.
set -uo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../common.sh"
# shellcheck source=scripts/test/checks.sh
. "$(dirname "$0")/checks.sh"

says() { grep -qF -- "$1" "$log"; }

# The command of a check that has to fail.
fails() { ! "$@" >"$log" 2>&1; }

# Runs a command as the root of a namespace, whose mounts end with the command.
alone() { unshare --map-root-user --mount "$@"; }

# A copy of the tree, in which everything has to be built.
copy_tree() {
	tree=$temporary/tree
	mkdir -p "$tree"
	cp -a "$ROOT"/{CHANGELOG.md,Kbuild,LICENSE,Makefile,debian,initramfs,kunit,scripts,theseus_mm} "$tree/"
}

# A folder with all programs of /usr/bin but one.
hide_program() { # NAME-PATTERN
	rm -rf "${temporary:?}/bin"
	mkdir "$temporary/bin"
	find /usr/bin /usr/sbin -mindepth 1 -maxdepth 1 ! -name "$1" \
		-exec ln -s -t "$temporary/bin" {} + 2>/dev/null
}

test_no_network() {
	local cache=$temporary/cache
	mkdir "$cache"
	check "fetch-kernel.sh without a network fails" fails \
		env TMM_CACHE="$cache" unshare --map-root-user --net "$ROOT/scripts/fetch-kernel.sh" 7
	check "and says so" says "connect this machine to the network, then try again"
	check "and leaves no kernel" test -z "$(find "$cache" -maxdepth 1 -type d -name 'kernel-7*')"
	check "make run without a network fails" fails \
		env TMM_CACHE="$cache" unshare --map-root-user --net "$ROOT/scripts/run-guest.sh" demo
	check "and says so, too" says "connect this machine to the network, then try again"
	check "and leaves no image" test -z "$(find "$cache" -name 'vmlinuz*')"
}

test_no_space() {
	local disk=$temporary/disk
	mkdir "$disk"
	# shellcheck disable=SC2016 # the inner shell expands its arguments
	check "make deb on a full disk fails" fails \
		alone bash -c 'mount -t tmpfs -o size=1m none "$1" && "$2" "$1" && exit
			ls -A "$1"; exit 1' - "$disk" "$ROOT/scripts/build-deb.sh"
	check "and says so" says "the disk is full: free some space"
	check "and leaves only its log" test "$(tail -n 1 "$log")" = build.log
	# shellcheck disable=SC2016 # the inner shell expands its arguments
	check "make install on a full disk fails" fails \
		alone bash -c 'mount -t tmpfs -o size=300k none "$1" &&
			make -s -C "$2" install DESTDIR="$1" PREFIX=/usr/local && exit
			ls -A "$1" | sed "s/^/left: /"; exit 1' - "$disk" "$ROOT"
	check "and names the cause" says "No space left on device"
	check "and says what to do" says "mend that, then run make install again"
	check "and leaves nothing" test -z "$(grep '^left: ' "$log")"
}

test_no_space_for_a_kernel() {
	local cache=$temporary/small
	mkdir "$cache"
	# shellcheck disable=SC2016 # the inner shell expands its arguments
	check "fetch-kernel.sh with a full cache fails" fails \
		alone bash -c 'mount -t tmpfs -o size=2m none "$1" && TMM_CACHE=$1 "$2" 6.12 && exit
			find "$1" -name "kernel-*" ! -name "*.lock" | sed "s/^/left: /"; exit 1' \
		- "$cache" "$ROOT/scripts/fetch-kernel.sh"
	check "and says so" says "name a folder on another disk in TMM_CACHE"
	check "and leaves nothing of a kernel" test -z "$(grep '^left: ' "$log")"
}

# The check comes before the first download, so that this test needs no network.
test_no_space_for_a_debian() {
	local cache=$temporary/tiny
	mkdir "$cache"
	# shellcheck disable=SC2016 # the inner shell expands its arguments
	check "fetch-debian.sh with a full cache fails" fails \
		alone bash -c 'mount -t tmpfs -o size=2m none "$1" && TMM_CACHE=$1 "$2" bookworm && exit
			find "$1" -name "packages-*" ! -name "*.lock" | sed "s/^/left: /"; exit 1' \
		- "$cache" "$ROOT/scripts/fetch-debian.sh"
	check "and says so" says "a minimal Debian (bookworm) needs 1500 MB: free some"
	check "and leaves nothing of a Debian" test -z "$(grep '^left: ' "$log")"
}

test_no_compiler() {
	copy_tree
	hide_program '*gcc*'
	check "make install without a compiler fails" fails \
		env PATH="$temporary/bin" make -s -C "$tree" install DESTDIR="$temporary/root"
	check "and says what to do" says "gcc is missing: run make tools first"
	check "and installs nothing" test ! -e "$temporary/root"
	check "the module is not built without one either" fails \
		env PATH="$temporary/bin" "$tree/scripts/build-module.sh" stock
	check "and the message names it" says "is missing: install the package gcc"
}

# The machine has a compiler, but not the one of the kernel.
test_other_compiler() {
	copy_tree
	hide_program 'gcc-[0-9]*'
	check "there is a compiler" env PATH="$temporary/bin" gcc --version
	check "the module is not built with another compiler than the kernel" fails \
		env PATH="$temporary/bin" "$tree/scripts/build-module.sh" stock
	check "and the message names the kernel's compiler" grep -E \
		': (gcc-[0-9]+) is missing: install the package \1, the compiler of that kernel$' "$log"
	check "and leaves no folder for the module" test ! -e "$tree/build/module-stock"
}

test_unknown_kernel() {
	check "KERNEL= that Debian does not have fails" fails "$ROOT/scripts/fetch-kernel.sh" 5.10
	check "and says which there are" says "take one of stock,$KERNEL_NAMES"
	check "TMM_KERNEL= without headers fails" fails \
		env TMM_KERNEL=5.10.0-1-amd64 "$ROOT/scripts/build-module.sh" stock
	check "and says what to install" says "install linux-headers-RELEASE, or correct TMM_KERNEL"
}

test_no_apt() {
	copy_tree
	hide_program 'apt-get'
	rm "$temporary/bin/dpkg-query"
	check "a system without apt-get is refused" fails env PATH="$temporary/bin" "$tree/scripts/deps.sh" tools
	check "and the message says so" says "apt-get is missing: install these packages of Debian"
	check "and names the packages" says "with the same programs: gcc g++"
}

# Without dpkg-query, all packages seem to be missing. A namespace without a map of users hides that
# root runs the test.
test_neither_root_nor_sudo() {
	local command
	copy_tree
	hide_program 'sudo'
	rm "$temporary/bin/dpkg-query" "$temporary/bin/apt-get"
	printf '#!/bin/sh\ntouch "%s"\n' "$temporary/called" >"$temporary/bin/apt-get"
	chmod +x "$temporary/bin/apt-get"
	for command in "deps.sh tools" "fetch-debian.sh bookworm"; do
		# shellcheck disable=SC2086 # several words
		check "$command as neither root nor with sudo fails" fails \
			env PATH="$temporary/bin" TMM_CACHE="$temporary/new" unshare --user "$tree/scripts/"$command
		check "and says what to do" \
			says "this user is not root, and sudo is missing: run the command as root, or install sudo"
	done
	check "and apt-get did not run" test ! -e "$temporary/called"
	check "and there is no Debian" test -z "$(find "$temporary/new" -type d -name 'packages-*')"
}

# The user's folder may already have files, also one with the name that the script could use itself.
test_own_folder() {
	local dir=$temporary/own
	mkdir -p "$dir/source"
	echo mine >"$dir/source/file"
	check "make deb into a folder with files" "$ROOT/scripts/build-deb.sh" "$dir"
	check "leaves the files alone" test "$(cat "$dir/source/file")" = mine
	check "and leaves no tree of its own" test "$(find "$dir" -mindepth 1 -type d | wc -l)" = 1
}

# The lists serve for a day, and for a second day as long as each use is within an hour of the last.
test_lists() {
	mkdir -p "$temporary/archive"
	ARCHIVE=$temporary/archive
	check "no lists are not fresh" eval '! are_lists_fresh'
	touch "$ARCHIVE/fresh" "$ARCHIVE/used"
	check "new lists are fresh" are_lists_fresh
	touch -d '25 hours ago' "$ARCHIVE/fresh"
	check "used lists of yesterday are fresh" are_lists_fresh
	touch -d '2 hours ago' "$ARCHIVE/used"
	check "other lists of yesterday are not" eval '! are_lists_fresh'
	touch "$ARCHIVE/used"
	touch -d '50 hours ago' "$ARCHIVE/fresh"
	check "used lists of the day before are not" eval '! are_lists_fresh'
}

# shellcheck source=scripts/archive.sh
. "$ROOT/scripts/archive.sh"
tests=("$@")
((${#tests[@]})) || mapfile -t tests < <(compgen -A function test_)
"$ROOT/scripts/build-tmm.sh"
for test in "${tests[@]}"; do
	"$test"
done
echo "$passed passed, $failed failed"
((failed == 0))
