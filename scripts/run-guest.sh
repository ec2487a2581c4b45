#!/bin/bash
# Usage: run-guest.sh demo|shell [FILE]
#
# Boots a kernel of Debian with the module: the stock kernel, or the one that KERNEL names (for
# example 6.12). "demo" shows what the module does with FILE (by default the module's own file), and
# ends with `demo: ok` and status 0, or with `demo: FAILED: <step>`. "shell" connects this terminal
# to the guest.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

plan=${1:?demo or shell}
file=${2:-}
variant=${KERNEL:-stock}
step='start'
[[ $plan != demo ]] || trap '[[ -z $step ]] || echo "demo: FAILED: $step"' EXIT
trap 'exit 130' INT TERM

step='read FILE'
# while the guest boots, its memory contains the file twice, besides the reserved 512 MiB
limit=$((400 << 20))
if [[ -n $file ]]; then
	[[ -f $file && -r $file ]] || die "$file is not a readable file"
	(($(stat -L -c %s "$file") <= limit)) || die "$file is larger than 400 MiB"
fi

step="fetch Debian's kernel image"
kernel=$("$ROOT/scripts/fetch-kernel.sh" "$variant")
step='build the module'
exec 8>"$BUILD/.lock"
flock 8
note "building the module for ${kernel##*/vmlinuz-}"
"$ROOT/scripts/build-module.sh" "$variant" >/dev/null
step='build the initramfs'
note "building the initramfs"
initrd=$("$ROOT/scripts/build-initramfs.sh" "$variant")

step='pack FILE'
dir=$BUILD/guest-$plan
rm -rf "$dir"
mkdir -p "$dir/root/host"
cp -L "${file:-$BUILD/module-$variant/theseus_mm.ko}" "$dir/root/host/"
# Appends FILE as a second, uncompressed archive, which is faster than packing the first one anew.
{
	cat "$initrd"
	head -c $(((4 - $(stat -c %s "$initrd") % 4) % 4)) /dev/zero
	(cd "$dir/root" && find . -mindepth 1 | cpio --quiet -o -H newc --owner 0:0)
} >"$dir/initrd"
rm -rf "$dir/root"
exec 8>&-

# The guest cannot find out the size of this terminal, so the kernel command line names the size.
size=$({ stty size </dev/tty; } 2>/dev/null) || size='24 80'
tty=0
[[ ! -t 1 ]] || tty=1

# shellcheck disable=SC2016 # the dollar is memmap's own
machine=(--kernel "$kernel" --initrd "$dir/initrd" --dir "$dir"
	'memmap=512M$0x40000000' "tmm.rows=${size% *}" "tmm.cols=${size#* }"
	"tmm.tty=$tty" "tmm.term=${TERM:-dumb}")

step='boot the guest'
note "booting a guest with 2 CPUs and 512 MiB reserved at 1 GiB (about 15 s emulated)"
if [[ $plan == shell ]]; then
	exec "$ROOT/scripts/qemu.sh" --shell "${machine[@]}" tmm.plan=shell
fi

# shellcheck disable=SC2317 # repeat_spoiled calls it
boot_guest() {
	local status=0
	"$ROOT/scripts/qemu.sh" --stream --timeout "${TMM_TIMEOUT:-600}" "${machine[@]}" \
		tmm.plan=run | "$ROOT/scripts/test/ktap.py" stream || status=$?
	((status == 0)) || note "the guest did not end by itself: see $dir/console.log"
}
repeat_spoiled "$dir" boot_guest
echo
step='judge the run'
status=0
verdict=$("$ROOT/scripts/test/ktap.py" demo "$dir") || status=$?
[[ $verdict == demo:* ]] || exit 1
step=
printf '%s\n' "$verdict"
exit "$status"
