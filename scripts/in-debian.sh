#!/bin/bash
# Usage: in-debian.sh ROOT REPOSITORY CCACHE COMMAND...
#
# Runs a command in the folder ROOT of fetch-debian.sh or build-debian.sh, as root and without a network.
# The command sees REPOSITORY as /repository, and the compiler cache CCACHE as /ccache. Files that the
# command changes elsewhere lie in memory, and are gone when the command ends. The script has to start in
# namespaces of its own: unshare --mount --net --pid --fork --kill-child in-debian.sh ...
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

root=$1 repository=$2 ccache=$3
shift 3
# The command replaces this script, which thus cannot remove a folder at the end. So the cache has one
# folder for all runs, and each run mounts its own files there.
work=$CACHE/packages-view
view=$work/root
mkdir -p "$ccache" "$work"
mount -t tmpfs -o size=3g none "$work"
mkdir "$work"/{upper,work,root}
mount -t overlay none -o "lowerdir=$root,upperdir=$work/upper,workdir=$work/work" "$view"
mkdir "$view/repository" "$view/ccache"
mount -t proc none "$view/proc"
mount --rbind /dev "$view/dev"
mount -t tmpfs none "$view/tmp"
mount -t tmpfs none "$view/run"
mount --bind "$repository" "$view/repository"
mount --bind "$ccache" "$view/ccache"
exec chroot "$view" "$@"
