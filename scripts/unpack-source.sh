#!/bin/bash
# Usage: unpack-source.sh
#
# Prints the directory of Linux's source, which the first call unpacks.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

version=$(package_version linux-source-6.1)
src=$CACHE/src-$version

exec 9>"$CACHE/src.lock"
flock 9
if [[ ! -e $src/.unpacked ]]; then
	note "unpacking linux-source-6.1 $version (about a minute)"
	rm -rf "$src"
	mkdir -p "$src"
	tar -xf /usr/src/linux-source-6.1.tar.xz -C "$src" --strip-components=1
	touch "$src/.unpacked"
fi
printf '%s\n' "$src"
