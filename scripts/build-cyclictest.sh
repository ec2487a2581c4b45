#!/bin/bash
# Usage: build-cyclictest.sh
#
# Packs cyclictest of Debian's package rt-tests with the libraries that it needs, and prints the path
# of the archive, which is appended to the one of build-initramfs.sh.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

need_programs cyclictest ldd cpio
root=$BUILD/cyclictest/root
rm -rf "$root"
mkdir -p "$root/bin"
cp "$(command -v cyclictest)" "$root/bin/cyclictest"
ldd "$root/bin/cyclictest" | grep -oE '/[^ ]+' | while read -r library; do
	install -D "$library" "$root$library"
done
(cd "$root" && find . -mindepth 1 | sort | cpio --quiet -o -H newc --owner 0:0 --reproducible) \
	>"$BUILD/cyclictest/archive.cpio"
printf '%s\n' "$BUILD/cyclictest/archive.cpio"
