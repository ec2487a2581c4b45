#!/bin/bash
# Usage: build-debian.sh
#
# Builds a disk with Debian 13 for test-install.sh, and prints the path of a folder: "disk" is the
# disk, and "root" has the disk's files. The disk boots by its own GRUB, with systemd, and needs no
# network: the packages that apt fetches in the guest are in a repository on the disk. The folder
# stays in the cache until this script changes.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=scripts/archive.sh
. "$(dirname "$0")/archive.sh"

suite=trixie
name=debian-$suite
dir=$CACHE/$name-$(printf '%s\n' "$suite" | cat - "$0" | sha256sum | cut -c1-16)

# The packages besides those that each Debian has: the kernel, its boot loader, compiler and
# Python for users, what DKMS needs, and ccache (see test-install.sh).
installed=(systemd-sysv dbus udev kmod e2fsprogs linux-image-amd64 grub-pc initramfs-tools zstd
	passwd procps gcc libc6-dev make patch pkgconf dpkg-dev pahole openssl
	ccache python3 python3-numpy)
# The packages that only the repository on the disk has. The guest installs them with apt.
offered=(dkms linux-headers-amd64)

# 2048 sectors of 512 bytes are before the file system; GRUB's core is there.
disk_bytes=$((4 << 30))
first_sector=2048
uuid=6c1f2d0e-5f5c-4a53-9a0e-7b4f0d3c1e13
# On a busy host, an emulated timer is late for the kernel's check, which panics then.
options='console=ttyS0 no_timer_check panic=-1'

exec 9>"$CACHE/$name.lock"
flock 9
if [[ -e $dir ]]; then
	touch "$dir"
	printf '%s\n' "$dir"
	exit 0
fi

ask_for_root
need_space 7000 "a disk with Debian 13"
# what an interrupted build has left
as_root rm -rf "$CACHE/$name".??????
new=$(mktemp -d "$CACHE/$name.XXXXXX")
chmod 755 "$new"
trap 'as_root rm -rf "$new"' EXIT
root=$new/root

list_sources() { # MIRROR SECURITY
	printf "deb [signed-by=$KEYRING] %s %s main\n" \
		"$1" "$suite" "$1" "$suite-updates" "$2" "$suite-security"
}

# mmdebstrap runs these scripts as root, with the new root folder as their argument.
write_hooks() {
	# Without an answer grub-pc asks for a disk to install GRUB on. An initramfs with all
	# drivers takes an emulated machine long to unpack.
	cat >"$new/prepare" <<-'EOF'
		#!/bin/sh
		set -eu
		echo grub-pc grub-pc/install_devices_empty boolean true | chroot "$1" debconf-set-selections
		mkdir -p "$1/etc/initramfs-tools/conf.d"
		echo MODULES=list >"$1/etc/initramfs-tools/conf.d/guest"
		printf '%s\n' virtio_pci virtio_blk ext4 >"$1/etc/initramfs-tools/modules"
	EOF
	cat >"$new/offer" <<-EOF
		#!/bin/sh
		set -eu
		export APT_CONFIG="\$MMDEBSTRAP_APT_CONFIG"
		apt-get clean
		apt-get -q -y --no-install-recommends --download-only install ${offered[*]}
		mkdir -p "\$1/srv/debian"
		mv "\$1"/var/cache/apt/archives/*.deb "\$1/srv/debian/"
		cd "\$1/srv/debian"
		dpkg-scanpackages -m . >Packages
	EOF
	write_configuration >"$new/configure"
	chmod +x "$new/prepare" "$new/offer" "$new/configure"
}

# The files that the guest's installer and administrator would have written. The first boot uses
# this small grub.cfg, since update-grub works only in the guest, where it sees its disk.
write_configuration() {
	cat <<-EOF
		#!/bin/sh
		set -eu
		cd "\$1"
		echo debian >etc/hostname
		echo 127.0.0.1 localhost debian >etc/hosts
		: >etc/resolv.conf
		echo 'deb [trusted=yes] file:/srv/debian ./' >etc/apt/sources.list
		echo 'UUID=$uuid / ext4 errors=remount-ro 0 1' >etc/fstab
		echo 'LABEL=tests /tests ext4 ro,nofail 0 0' >>etc/fstab
		mkdir tests
		cat >etc/default/grub <<'END'
		GRUB_DEFAULT=0
		GRUB_TIMEOUT=0
		GRUB_DISTRIBUTOR=Debian
		GRUB_CMDLINE_LINUX_DEFAULT=""
		GRUB_CMDLINE_LINUX="$options"
		GRUB_TERMINAL=serial
		GRUB_SERIAL_COMMAND="serial --unit=0 --speed=115200"
		END
		cat >boot/grub/grub.cfg <<'END'
		serial --unit=0 --speed=115200
		terminal_output serial
		linux /vmlinuz root=UUID=$uuid ro $options
		initrd /initrd.img
		boot
		END
		mkdir boot/grub/i386-pc
		cp usr/lib/grub/i386-pc/*.mod usr/lib/grub/i386-pc/*.lst usr/lib/grub/i386-pc/boot.img \
			boot/grub/i386-pc/
		chroot . grub-mkimage -O i386-pc -p '(hd0,msdos1)/boot/grub' \
			-o /boot/grub/i386-pc/core.img biosdisk part_msdos ext2
		cat >etc/systemd/system/tests.service <<'END'
		[Unit]
		Description=Tests on the disk that is labelled so
		ConditionPathExists=/tests/run.sh
		RequiresMountsFor=/tests
		After=multi-user.target
		[Service]
		Type=exec
		ExecStart=/tests/run.sh
		StandardOutput=file:/dev/ttyS1
		StandardError=inherit
		[Install]
		WantedBy=graphical.target
		END
		mkdir -p etc/systemd/system/graphical.target.wants
		ln -s ../tests.service etc/systemd/system/graphical.target.wants/
	EOF
}

make_root() { # MIRROR SECURITY
	as_root rm -rf "$root"
	list_sources "$@" | as_root mmdebstrap --variant=apt --architectures=amd64 --mode=root \
		--include="$(IFS=,; echo "${installed[*]}")" \
		--aptopt='APT::Install-Recommends "false"' \
		--essential-hook="$new/prepare" --customize-hook="$new/offer" \
		--customize-hook="$new/configure" "$suite" "$root" -
}

# The host's mirror may lack the release that Debian's own has.
make_root_from() { # MIRROR SECURITY
	(quietly "$BUILD/debian-root.log" "the build of Debian $suite from $1" make_root "$@")
}

# The disk is the same for each mirror, and the guest must not look for a mirror.
check_names() {
	local host
	host=$(mirror Debian | cut -d/ -f3)
	[[ $host != deb.debian.org ]] || return 0
	! as_root grep -rlF -- "$host" "$root/etc" "$root/var" "$root/srv" ||
		die "the files above name the mirror $host: remove its name in build-debian.sh"
}

# GRUB's boot.img loads core.img from the second sector on, which is what grub-bios-setup writes
# too; that program works on devices only.
make_disk() {
	local grub=$root/boot/grub/i386-pc
	(($(stat -c %s "$grub/core.img") <= (first_sector - 1) * 512)) ||
		die "$grub/core.img does not fit before the file system"
	truncate -s "$disk_bytes" "$new/disk"
	echo "start=$first_sector, type=83, bootable" | sfdisk -q --label dos "$new/disk"
	dd if="$grub/boot.img" of="$new/disk" bs=440 count=1 conv=notrunc
	dd if="$grub/core.img" of="$new/disk" bs=512 seek=1 conv=notrunc
	as_root mke2fs -q -t ext4 -L debian -U "$uuid" -d "$root" \
		-E "offset=$((first_sector * 512)),lazy_itable_init=0,lazy_journal_init=0" \
		"$new/disk" "$(((disk_bytes / 512 - first_sector) / 2))k"
}

note "building a disk with Debian 13 ($suite), about 250 MB to download"
write_hooks
make_root_from "$(mirror Debian)" "$(mirror Debian-Security)" ||
	make_root_from http://deb.debian.org/{debian,debian-security} ||
	die "cannot make a folder with Debian 13, the lines above say why"
check_names
quietly "$BUILD/debian-disk.log" "the build of the disk" make_disk
rm "$new/prepare" "$new/offer" "$new/configure"
# another tree may still use a disk that it has just built
as_root find "$CACHE" -maxdepth 1 -name "$name-*" -mtime +1 -exec rm -rf {} +
mv "$new" "$dir"
printf '%s\n' "$dir"
