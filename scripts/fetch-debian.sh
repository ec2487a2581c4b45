#!/bin/bash
# Usage: fetch-debian.sh bookworm|trixie
#
# Prints the path of a folder with a minimal Debian 12 (bookworm) or Debian 13 (trixie), which has
# DKMS and a compiler. The packages with the headers of two kernels, one of them with PREEMPT_RT, and
# with Python lie in its apt cache, so that a test can install them without a network. The packages
# come from the host's mirror, or from Debian's own, which has all releases. The folder is made anew
# after two weeks.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=scripts/archive.sh
. "$(dirname "$0")/archive.sh"

suite=${1:?bookworm or trixie}
key=$(sha256sum "$0" | cut -c1-16)
dir=$CACHE/packages-root-$suite-$key

exec 9>"$CACHE/packages-root-$suite.lock"
flock 9
if [[ -e $dir/made && -z $(find "$dir/made" -mtime +14) ]]; then
	printf '%s\n' "$dir/root"
	exit 0
fi

make_root() { # MIRROR SECURITY
	as_root rm -rf "$new/root"
	# shellcheck disable=SC2016 # mmdebstrap runs the hook with the folder as $1
	as_root mmdebstrap --mode=root --variant=apt --skip=cleanup/apt \
		--include=ca-certificates,ccache,dkms,gcc,libc6-dev,passwd,pkgconf,systemd,udev \
		--aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' \
		--dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
		--dpkgopt=force-unsafe-io \
		--customize-hook='chroot "$1" apt-get -q -y --download-only install linux-headers-amd64 linux-headers-rt-amd64 python3' \
		"$suite" "$new/root" \
		"deb [signed-by=$KEYRING] $1 $suite main" \
		"deb [signed-by=$KEYRING] $2 $suite-security main"
}

make_root_from() { # MIRROR SECURITY
	(quietly "$BUILD/fetch-debian-$suite.log" "making a minimal Debian ($suite) from $1" make_root "$@")
}

ask_for_root
need_space 1500 "a minimal Debian ($suite)"
note "unpacking a minimal Debian ($suite, up to 350 MB of packages)"
new=$(mktemp -d "$dir.XXXXXX")
trap 'as_root rm -rf "$new"' EXIT
if make_root_from "$(mirror Debian)" "$(mirror Debian-Security)" ||
	make_root_from http://deb.debian.org/{debian,debian-security}; then
	touch "$new/made"
	for old in "$CACHE/packages-root-$suite"-*; do
		[[ $old == "$new" ]] || as_root rm -rf "$old"
	done
	mv "$new" "$dir"
elif [[ -e $dir/made ]]; then
	note "no new packages of Debian: the folder that was made earlier serves"
else
	die "cannot make a minimal Debian ($suite), the lines above say why"
fi
printf '%s\n' "$dir/root"
