#!/bin/bash
# Usage: unpack-source.sh [VERSION]
#
# Prints the directory of the source of Linux VERSION (6.1), which the first call unpacks. The
# source comes from the installed package linux-source-VERSION. If no such package is installed, the
# script downloads Debian's newest.
set -euo pipefail
shopt -s inherit_errexit
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=scripts/archive.sh
. "$(dirname "$0")/archive.sh"

version=${1:-6.1}
package=linux-source-$version

is_installed() { [[ -e /usr/src/$package.tar.xz ]]; }

# Prints the version of the package that Debian's lists name first, if there is one.
candidate() {
	refresh_archive
	archive apt-cache policy "$package" | awk '$1 == "Candidate:" && $2 != "(none)" { print $2 }'
}

# Unpacks the source into the directory $1.
unpack() { # DIRECTORY
	if is_installed; then
		tar -xf "/usr/src/$package.tar.xz" -C "$1" --strip-components=1
		return
	fi
	unpack_packages "$1/package" "$package=$release"
	tar -xf "$1/package/usr/src/$package.tar.xz" -C "$1" --strip-components=1
	rm -r "$1/package"
}

# Removes all sources of this version but the two newest.
remove_stale() {
	# shellcheck disable=SC2012 # names of our own making
	ls -dt "$CACHE/src-$version".* | tail -n +3 | xargs -r -d '\n' rm -rf --
}

exec 9>"$CACHE/src.lock"
flock 9
if is_installed; then release=$(package_version "$package"); else release=$(candidate); fi
[[ -n $release ]] || die "Debian has no package $package any more"
src=$CACHE/src-$release
if [[ ! -e $src/.unpacked ]]; then
	need_space 1800 "the source of Linux $version"
	note "unpacking $package $release (a minute or two)"
	rm -rf "$src" "$CACHE/src-new"
	mkdir "$CACHE/src-new"
	trap 'rm -rf "$CACHE/src-new"' EXIT
	quietly "$BUILD/unpack-source.log" "unpacking $package" unpack "$CACHE/src-new"
	touch "$CACHE/src-new/.unpacked"
	mv "$CACHE/src-new" "$src"
	is_installed || remove_stale
fi
printf '%s\n' "$src"
