#!/bin/bash
# Usage: in-root.sh ROOT HEADERS DIRECTORY COMMAND...
#
# Runs a command in the root folder ROOT, where HEADERS and DIRECTORY have the paths that they
# have here. build-module.sh starts this script in a mount namespace of its own, as its root, so
# that nothing is seen or left outside.
set -euo pipefail

root=$1 headers=$2 dir=$3
shift 3
mkdir -p "$root$headers" "$root$dir"
mount --rbind /proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --bind "$headers" "$root$headers"
mount --bind "$dir" "$root$dir"
# The root folder has no locales.
exec env LANG=C chroot "$root" "$@"
