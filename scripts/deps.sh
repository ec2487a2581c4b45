#!/bin/bash
# Usage: deps.sh tools|deb|packages|module|run|bench|test|rt|mutants|coverage|proof|style|analyze|debian
#
# Installs the Debian packages that a target needs and this machine lacks, as root or with sudo.
# If none is missing, the script does nothing.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

debian=$(debian_version)

# Prints the packages of a target. Most targets also need the packages of another target.
packages_for() {
	case $1 in
	tools)
		echo gcc g++ binutils make libc6-dev mandoc pkgconf python3
		;;
	deb)
		packages_for tools
		echo build-essential debhelper dh-dkms dh-python dpkg-dev
		;;
	packages)
		packages_for deb
		packages_for module
		echo lintian mmdebstrap
		;;
	module)
		echo gcc make libc6-dev rsync kmod linux-headers-amd64
		# a program of the unpacked headers needs this library (see stock_kernel)
		((debian < 13)) || echo libelf1t64
		;;
	run)
		packages_for module
		echo qemu-system-x86 busybox-static cpio gzip xz-utils python3
		;;
	bench)
		packages_for run
		echo python3-matplotlib
		;;
	test)
		packages_for run
		echo xz-utils ccache bc bison flex libelf-dev libssl-dev perl gcc-multilib python3-numpy
		# Debian 13 has no package linux-source-6.1: unpack-source.sh downloads that of Debian 12
		if ((debian < 13)); then echo linux-source-6.1; else debug_compiler; fi
		;;
	rt)
		packages_for test
		echo rt-tests
		;;
	mutants)
		packages_for test
		echo git
		;;
	coverage)
		packages_for test
		echo gcovr
		;;
	proof)
		echo spin gcc cpp libc6-dev
		;;
	style)
		packages_for test
		echo sparse coccinelle shellcheck abigail-tools mypy
		;;
	analyze)
		packages_for style
		echo clang
		;;
	debian)
		packages_for deb
		echo qemu-system-x86 mmdebstrap debian-archive-keyring e2fsprogs fdisk
		;;
	*)
		die "unknown target: $1"
		;;
	esac
}

is_installed() {
	# any package with headers of the stock kernel serves; on Debian 13, the headers may be unpacked
	if [[ $1 == linux-headers-amd64 ]]; then
		[[ $debian -ge 13 || -n $(stock_release 2>/dev/null) ]] && return
	fi
	[[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

missing=()
for package in $(packages_for "${1:?tools, deb, packages, module, run, bench, test, rt, mutants, coverage, proof, style, analyze or debian}"); do
	is_installed "$package" || missing+=("$package")
done
((${#missing[@]})) || exit 0

command -v apt-get >/dev/null ||
	die "apt-get is missing: install these packages of Debian, or those of your system with the same programs: ${missing[*]}"

# Both commands write to one log: if the lists cannot be fetched, only the first names the cause.
install_missing() {
	as_root apt-get -q update
	as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get -q -y --no-install-recommends install "${missing[@]}"
}

note "installing: ${missing[*]}"
ask_for_root
quietly "$BUILD/deps.log" "installing ${missing[*]}" install_missing
