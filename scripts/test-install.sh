#!/bin/bash
# Usage: test-install.sh
#
# Installs, uses, upgrades and removes the packages in a guest with Debian 13, and ends with the
# line `N passed, N failed[, N skipped]`. build-debian.sh builds the guest's disk, once; run.sh in
# scripts/test/debian/ runs the parts, the files NN-NAME.sh there, in the guest.
#
#   COMPILE=guest compile the module in the guest, which takes an emulated guest half an hour
#   PARTS         run only these parts: names separated by commas. A part needs the parts before it.
#   TMM_TIMEOUT   time limit of the guest in seconds
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=scripts/closing.sh
. "$(dirname "$0")/closing.sh"

guest=$ROOT/scripts/test/debian
dir=$BUILD/install-$(date +%Y%m%d-%H%M%S)-$$
tests=$dir/tests
mkdir -p "$tests/packages"

names=
for part in "$guest"/[0-9]*.sh; do
	name=${part##*/[0-9][0-9]-}
	name=${name%.sh}
	[[ -z ${PARTS:-} || ,$PARTS, == *,$name,* ]] || continue
	cp "$part" "$tests/"
	names+=${names:+,}$name
done
for name in $(tr , ' ' <<<"${PARTS:-}"); do
	[[ ,$names, == *,$name,* ]] || die "PARTS: $name: no such part in scripts/test/debian/"
done

# Builds the packages as the apt repository "old", and with a higher version as the repository "new".
build_packages() {
	local version repository
	version=$(project_version)
	"$ROOT/scripts/build-deb.sh" "$tests/packages/old"
	"$ROOT/scripts/build-deb.sh" "$tests/packages/new" "${version%.*}.$((${version##*.} + 1))"
	for repository in old new; do
		(cd "$tests/packages/$repository" && dpkg-scanpackages -m . >Packages)
	done
}

# Builds the module with DKMS on the host, in a copy of the guest's root folder. That fills a compiler
# cache, so that DKMS in the guest takes the objects from this cache.
fill_ccache() { # ROOT
	cp "$guest/compile.sh" "$tests/packages/"
	# sudo keeps no variables
	as_root env TMM_CACHE="$CACHE" unshare --mount --net --pid --fork --kill-child \
		"$ROOT/scripts/in-debian.sh" "$1" "$tests/packages" "$CACHE/ccache-debian" \
		bash /repository/compile.sh
	cp -r "$CACHE/ccache-debian" "$tests/ccache"
}

make_tests_disk() {
	cp "$guest/run.sh" "$guest/lib.sh" "$guest/stale.c" "$tests/"
	cp -r "$ROOT/initramfs/tests/python" "$tests/"
	chmod 755 "$tests/run.sh"
	truncate -s 256M "$dir/tests.img"
	mke2fs -q -F -t ext4 -L tests -d "$tests" "$dir/tests.img"
}

boot_guest() {
	"$ROOT/scripts/qemu.sh" --disk "$debian/disk" --disk "$dir/tests.img" --dir "$dir" \
		--device edu --mem 5G --timeout "${TMM_TIMEOUT:-5400}" || :
}

debian=$("$ROOT/scripts/build-debian.sh")
if [[ ,$names, == *,install,* ]]; then
	build_packages >&2
	if [[ ${COMPILE:-} != guest ]]; then
		ask_for_root
		quietly "$dir/compile.log" "the build of the module" fill_ccache "$debian/root"
	fi
fi
make_tests_disk

# The examples and tests map the memory of the device edu, which has no driver.
# Two compilers and the page cache need 2 GiB. The 3 GiB above 4 GiB have a free aligned GiB.
note "booting: Debian 13, parts $names"
start=$SECONDS
repeat_spoiled "$dir" boot_guest
note "the guest ran for $((SECONDS - start)) s; its cases:"
sed -nE 's/\r$//; s/^    (not )?ok [0-9]+ ([a-z0-9_]+) # .*\b([0-9]+) s$/\3 s\t\2/p' \
	"$dir/result.log" >&2
"$ROOT/scripts/test/ktap.py" run --name install --plan user --programs "$names" "$dir" || :
note "logs: $dir"
close_with_sum "$dir/report.json"
