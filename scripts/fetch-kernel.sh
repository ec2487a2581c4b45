#!/bin/bash
# Usage: fetch-kernel.sh
#
# Prints the path of Debian's kernel image for the release that the module is built for. The
# script downloads and unpacks the package without installing it, since an installation would
# rebuild the host's initramfs and change the host's boot loader. The modules that tests load
# are next to the image, in modules/.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

release=$(stock_release)
package=linux-image-$release
version=$(package_version "linux-headers-$release")
dir=$CACHE/$package-$version-with-modules
image=$dir/boot/vmlinuz-$release

exec 9>"$CACHE/$package.lock"
flock 9
if [[ -e $image ]]; then
	printf '%s\n' "$image"
	exit 0
fi

download() { # [=VERSION]
	(cd "$new" && apt-get -o APT::Sandbox::User=root download "$package$1")
}
fetch() {
	download "=$version" && return
	echo "not found, refreshing the package lists"
	as_root apt-get -q update
	download "=$version" || download ""
}

note "downloading $package $version (about 70 MB)"
new=$(mktemp -d "$dir.XXXXXX")
trap 'rm -rf "$new"' EXIT
quietly "$BUILD/fetch-kernel.log" "the download of $package" fetch
mkdir "$new/unpacked"
dpkg -x "$new"/*.deb "$new/unpacked"
# Keeps only the modules that tests load, since all modules together take 300 MB.
mkdir "$new/unpacked/boot/modules"
for module in brd kvm kvm-amd kvm-intel irqbypass ccp mce-inject hwpoison-inject; do
	find "$new/unpacked/lib/modules" -name "$module.ko" \
		-exec cp -t "$new/unpacked/boot/modules" {} +
done
rm -rf "$dir" "$new/unpacked/lib"
mv "$new/unpacked" "$dir"
[[ -r $image ]] || die "$package contains no boot/vmlinuz-$release"
printf '%s\n' "$image"
