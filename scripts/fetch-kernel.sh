#!/bin/bash
# Usage: fetch-kernel.sh [KERNEL]
#
# Prints the path of the image of a kernel of Debian: stock, or one of KERNEL_NAMES (common.sh).
# "stock" is the release of the host's headers, or 6.12 on a Debian 13 without headers. The image
# is taken out of its package, which is downloaded and unpacked but never installed: an
# installation would rebuild the host's initramfs and touch its boot loader. The modules that tests
# load lie beside the image, in modules/. For a kernel other than stock, the headers are unpacked
# too: DIR/build, where DIR/boot holds the image. Where the host's compiler does not suit, DIR/root
# is a link to a root folder that has a suitable compiler.
set -euo pipefail
shopt -s inherit_errexit
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=scripts/archive.sh
. "$(dirname "$0")/archive.sh"

kernel=${1:-stock}
[[ $kernel != stock ]] || kernel=$(stock_kernel)
# Of a kernel's modules, 300 MB, only those that tests and measurements load.
modules=(brd kvm kvm-amd kvm-intel irqbypass ccp mce-inject hwpoison-inject drm drm_buddy)

exec 9>"$CACHE/kernel-$kernel.lock"
flock 9

take_modules() { # DIRECTORY
	local module lib=$1/lib/modules
	# From Linux 7 on, the modules are in /usr, and the image is beside them.
	[[ -d $lib ]] || lib=$1/usr/lib/modules
	mkdir -p "$1/boot/modules"
	for module in "${modules[@]}"; do
		find "$lib" -name "$module.ko.xz" -exec unxz {} +
		find "$lib" -name "$module.ko" -exec cp -t "$1/boot/modules" {} +
	done
	find "$lib" -name vmlinuz -exec mv {} "$1/boot/vmlinuz-${2:-}" \;
	rm -r "$lib"
}

stock() {
	local release package version dir new image
	release=$(stock_release)
	package=linux-image-$release
	version=$(package_version "linux-headers-$release")
	dir=$CACHE/$package-$version-with-modules-2
	image=$dir/boot/vmlinuz-$release
	if [[ ! -e $image ]]; then
		need_space 600 "$package"
		note "downloading $package $version (about 70 MB)"
		new=$(mktemp -d "$dir.XXXXXX")
		# shellcheck disable=SC2064 # the directory of now
		trap "rm -rf '$new'" EXIT
		quietly "$BUILD/fetch-kernel.log" "the download of $package" \
			fetch_stock "$new" "$package" "$version"
		take_modules "$new/unpacked"
		rm -rf "$dir"
		mv "$new/unpacked" "$dir"
	fi
	[[ -r $image ]] || die "$package holds no boot/vmlinuz-$release"
	printf '%s\n' "$image"
}

fetch_stock() { # DIRECTORY PACKAGE VERSION
	cd "$1"
	if ! apt-get -o APT::Sandbox::User=root download "$2=$3"; then
		echo "not found, refreshing the package lists"
		as_root apt-get -q update
		apt-get -o APT::Sandbox::User=root download "$2=$3" ||
			apt-get -o APT::Sandbox::User=root download "$2"
	fi
	dpkg -x ./*.deb unpacked
}

# The suffix of the releases of a kernel.
suffix_of() {
	case $1 in
	6.12) echo +deb12-amd64 ;;
	6.12-rt) echo +deb12-rt-amd64 ;;
	6.12-deb13 | 7) echo +deb13-amd64 ;;
	*) die "KERNEL=$1 is not a kernel of Debian: take one of stock,$KERNEL_NAMES" ;;
	esac
}

other() {
	local suffix release images common dir new root
	suffix=$(suffix_of "$kernel")
	images=(linux-image-)
	# From Linux 7 on, the package linux-image-* is empty.
	[[ $kernel != 7* ]] || images=(linux-binary- linux-modules-)
	refresh_archive
	if ! release=$(newest_release "${kernel%%-*}" "$suffix" linux-headers- "${images[@]}"); then
		note "KERNEL=$kernel: Debian has no release with image and headers any more"
		exit "$GONE"
	fi
	dir=$CACHE/kernel-$release
	common=${release%-amd64}-common
	[[ $release != *-rt-* ]] || common=${release%-rt-*}-common-rt
	if [[ ! -e $dir/boot/vmlinuz-$release ]]; then
		need_space 800 "kernel $release"
		note "downloading kernel $release and its headers (about 120 MB)"
		new=$(mktemp -d "$dir.XXXXXX")
		# shellcheck disable=SC2064 # the directory of now
		trap "rm -rf '$new'" EXIT
		quietly "$BUILD/fetch-kernel.log" "the download of kernel $release" \
			unpack_packages "$new" "${images[@]/%/$release}" "linux-headers-$release" \
			"linux-headers-$common" "linux-kbuild-${common%-common*}"
		take_modules "$new" "$release"
		# The headers contain the paths that they have once installed. Without vmlinux, no
		# BTF is made, which would need pahole.
		sed -i "s|/usr/src/|$dir&|g" "$new/usr/src/linux-headers-$release/Makefile"
		rm -f "$new/usr/src/linux-headers-$release/vmlinux"
		ln -s "usr/src/linux-headers-$release" "$new/build"
		rm -rf "$dir"
		mv "$new" "$dir"
	fi
	# The compiler of Debian 13 does not run on an older host.
	if [[ $suffix == +deb13* ]] && (($(debian_version) < 13)); then
		root=$(compiler_root)
		ln -sfn "$root" "$dir/root"
	fi
	[[ -r $dir/boot/vmlinuz-$release ]] || die "the packages of $release hold no kernel"
	printf '%s\n' "$dir/boot/vmlinuz-$release"
}

# Prints the directory of a root with Debian 13's compiler.
compiler_root() {
	local dir=$CACHE/root-gcc-14 new
	exec 6>"$dir.lock"
	flock 6
	if [[ ! -e $dir/usr/bin/gcc-14 ]]; then
		need_space 1000 "gcc 14 of Debian 13"
		note "downloading gcc 14 of Debian 13 (about 80 MB)"
		new=$(mktemp -d "$dir.XXXXXX")
		# shellcheck disable=SC2064 # the directory of now
		trap "rm -rf '$new'" EXIT
		quietly "$BUILD/fetch-compiler.log" "the download of gcc 14" fetch_root "$new"
		rm -rf "$dir"
		mv "$new" "$dir"
	fi
	printf '%s\n' "$dir"
}

fetch_root() { # DIRECTORY
	local package
	mkdir -p "$1/packages/partial"
	archive apt-get -q -y --no-install-recommends -o Dir::Cache::archives="$1/packages" \
		--download-only install gcc-14/trixie make bash dash coreutils sed grep gawk \
		findutils diffutils perl base-files kmod libelf1t64
	# base-files first: its links of /bin and /lib are where the others unpack to
	for package in "$1"/packages/base-files_*.deb "$1"/packages/*.deb; do
		dpkg -x "$package" "$1"
	done
	rm -r "$1/packages"
	ln -s gcc-14 "$1/usr/bin/gcc"
	ln -s gawk "$1/usr/bin/awk"
}

if [[ $kernel == stock ]]; then stock; else other; fi
