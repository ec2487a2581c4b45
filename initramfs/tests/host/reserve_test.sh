#!/bin/bash
# Usage: reserve_test.sh TMM
#
# The tests of `tmm reserve`: it reads the memory maps of the machines in machines/, and of
# variants of them, and the tests compare the range, the lines for the boot loaders, and the errors.
set -uo pipefail

tmm=$1
here=$(dirname "$0")
export LC_ALL=C ASAN_OPTIONS=detect_leaks=1
# shellcheck source=initramfs/tests/host/check.sh
. "$here/check.sh"
root=$out/root

# Makes the files of a machine, whose description the sed script changes first.
machine() { # NAME [SED-SCRIPT]
	rm -rf "$root"
	sed -E "${2:-}" "$here/machines/$1.txt" >"$out/machine"
	python3 "$here/unpack_machine.py" "$out/machine" "$root"
}

# Makes the files of the laptop. Many tests need them, so they are made once, and copied.
laptop() {
	if [[ ! -e $out/laptop ]]; then
		machine laptop-uefi
		mv "$root" "$out/laptop"
	fi
	rm -rf "$root"
	cp -r "$out/laptop" "$root"
}

# The first line of the output says where the range is.
places() { # LINE ARGUMENT...
	local line=$1
	shift
	ends 0 "$tmm" reserve --root "$root" "$@" && [[ ! -s $out/stderr ]] || return 1
	[[ $(head -n 1 "$out/stdout") == "$line" ]] ||
		{ head -n 1 "$out/stdout" >&2; return 1; }
}

# The last output has this line.
says() { grep -qxF -- "$1" "$out/stdout" || { cat "$out/stdout" >&2; return 1; }; }
says_not() { ! grep -qF -- "$1" "$out/stdout"; }

refuses() { # TEXT ARGUMENT...
	local text=$1
	shift
	complains 1 "$text" "$tmm" reserve --root "$root" "$@"
}

# --- machines ----------------------------------------------------------------------

# The kernel of vm-bios-4g is at 0x11a800000, that of vm-grub-reserved at 0x184400000. The initrds
# are at the end of the memory below 4 GiB.
test_recorded() {
	machine vm-bios-4g
	check "before the kernel" places \
		"384 MiB at p0x100000000: a multiple of 1 GiB, above 4 GiB, on NUMA node 0." 384M
	check "behind the kernel" places \
		"1 GiB at p0x140000000: a multiple of 1 GiB, above 4 GiB, on NUMA node 0." 1G
	check "beside the kernel" refuses "the largest size that can be reserved is 1572M" 2G
	machine vm-bios-512m
	check "a small machine" places \
		"128 MiB at p0x10000000: a multiple of 128 MiB, below 4 GiB, on NUMA node 0." -s 128M
	check "too little would be left" refuses \
		"256 MiB: too much: Linux has 455.2 MiB, uses 26.7 MiB now, and has to keep 282.7 MiB" 256M
	check "beside the initrd" places \
		"252 MiB at p0x10000000: a multiple of 128 MiB, below 4 GiB, on NUMA node 0." -k 0 252M
	check "not over the initrd" refuses "is so large" -k 0 256M
	machine vm-uefi-6g
	check "UEFI" places \
		"3 GiB at p0x100000000: a multiple of 1 GiB, above 4 GiB, on NUMA node 0." 3G
	machine vm-numa-8g
	check "the first node" places \
		"2 GiB at p0x100000000: a multiple of 1 GiB, above 4 GiB, on NUMA node 0." -n 0 2G
	check "the second node" places \
		"3 GiB at p0x180000000: a multiple of 1 GiB, above 4 GiB, on NUMA node 1." 3G
	check "beside the crash kernel" places \
		"3.7 GiB at p0x180000000: a multiple of 1 GiB, above 4 GiB, on NUMA node 1." 3824M
	machine vm-grub-reserved
	check "beside a reserved range" places \
		"1 GiB at p0x140000000: a multiple of 1 GiB, above 4 GiB, on NUMA node 0." 1G
	check "the reserved range is told" says \
		"memmap= reserves 1 GiB at p0x100000000 already (regions=1G@0x100000000)."
}

test_laptop() {
	machine laptop-uefi
	check "1 GiB" places "1 GiB at p0x100000000: a multiple of 1 GiB, above 4 GiB, on NUMA node 0." 1G
	check "what Linux keeps" says "Linux keeps 14.5 GiB of 15.5 GiB, and uses 3.5 GiB now."
	check "struct pages" says "The module's parameter struct_pages=1 is possible."
	check "behind the kernel" places \
		"6 GiB at p0x180000000: a multiple of 1 GiB, above 4 GiB, on NUMA node 0." 6G
	check "rounded" places "4 MiB at p0x100000000: a multiple of 1 GiB, above 4 GiB, on NUMA node 0." 2049K
	check "the rounding is told" says "The size is rounded up from 2 MiB to 4 MiB."
	check "no sections" says \
		"The module's parameter struct_pages=1 needs a range chosen with --struct-pages."
	check "sections" places \
		"384 MiB at p0x100000000: a multiple of 1 GiB, above 4 GiB, on NUMA node 0." -s 300M
	check "sections are told" says "The module's parameter struct_pages=1 is possible."
	check "smaller alignment" places \
		"10.7 GiB at p0x17ca00000: a multiple of 2 MiB, above 4 GiB, on NUMA node 0." 11046M
}

# Variants of the memory above 4 GiB, until it is too small.
test_low_memory() {
	local low='/^0x100000000 /d; /^100000000-/,/^42f/d'
	machine laptop-uefi "$low; s/^MemTotal.*/MemTotal: 3000000 kB/; s/^MemAvail.*/MemAvailable: 2500000 kB/"
	check "below" places "512 MiB at p0x40000000: a multiple of 1 GiB, below 4 GiB, on NUMA node 0." 512M
	check "below is told" says "There is no room for the range above 4 GiB."
	check "beside the table" places \
		"1 GiB at p0x68000000: a multiple of 128 MiB, below 4 GiB, on NUMA node 0." 1G
	machine laptop-uefi "$low; s/^initrd.*/initrd 0x40000000 0x2000/"
	check "beside the initrd" places \
		"512 MiB at p0x80000000: a multiple of 1 GiB, below 4 GiB, on NUMA node 0." 512M
	machine laptop-uefi "$low; s/^setup_data.*/setup_data 0x50000018/"
	check "beside the data" places \
		"512 MiB at p0x80000000: a multiple of 1 GiB, below 4 GiB, on NUMA node 0." 512M
	machine laptop-uefi 's/0x42effffff/0x10fffffff/; s/^42f000000-42f/110000000-110/
		s/100000000-42effffff/100000000-10fffffff/; /Kernel/d'
	check "small memory above 4 GiB" places \
		"512 MiB at p0x40000000: a multiple of 1 GiB, below 4 GiB, on NUMA node 0." 512M
	check "1 GiB stays below" refuses "the largest size that can be reserved is" 2200M
}

test_numa() {
	machine server-numa
	check "behind the crash kernel" places \
		"16 GiB at p0x140000000: a multiple of 1 GiB, above 4 GiB, on NUMA node 0." 16G
	check "a node" places \
		"16 GiB at p0x880000000: a multiple of 1 GiB, above 4 GiB, on NUMA node 1." -n 1 16G
	check "the first node is too small" places \
		"31 GiB at p0x880000000: a multiple of 1 GiB, above 4 GiB, on NUMA node 1." 31G
	check "no node has room" places "32 GiB at p0x140000000: a multiple of 1 GiB, above 4 GiB." 32G
	check "several nodes are told" says "No NUMA node has room: the range may lie on several."
	check "a node keeps memory" refuses "the largest size that can be reserved is 32512M" -n 1 32G
	check "a node that is none" refuses "node 2: the machine has no memory there" -n 2 1G
	check "the kernel is in low memory" places \
		"60 GiB at p0x140000000: a multiple of 1 GiB, above 4 GiB." -k 1G 60G
	machine server-numa '/^block/d'
	check "without nodes" places "1 GiB at p0x140000000: a multiple of 1 GiB, above 4 GiB." 1G
	check "no node is told" says_not NUMA
	check "the option needs nodes" refuses "node 0: the machine has no memory there" -n 0 1G
}

test_holes() {
	machine holes
	check "512 MiB" places "512 MiB at p0x100000000: a multiple of 1 GiB, above 4 GiB." 512M
	check "behind a hole" places "752 MiB at p0x1c8000000: a multiple of 128 MiB, above 4 GiB." 752M
	check "2 MiB" places "1016 MiB at p0x1c0200000: a multiple of 2 MiB, above 4 GiB." 1016M
	check "2 MiB are told" says "No address with a larger alignment than 2 MiB has room."
	check "no struct pages" says \
		"The module's parameter struct_pages=1 needs a range chosen with --struct-pages."
	check "sections" refuses "the largest size that can be reserved is 896M" -s 1016M
	check "no memory of drivers" refuses "is so large" 1100M
	check "the size that fits" places "1022 MiB at p0x40000000: a multiple of 1 GiB, below 4 GiB." 1022M
	# overlapping entries, as a firmware may have them: RAM is what no other entry covers
	machine holes 's/^0x100000000 .*/&\n0x100000000 0x11fffffff Reserved/; /^\[boot\]/d'
	check "overlapping entries" places "32 MiB at p0x140000000: a multiple of 1 GiB, above 4 GiB." 32M
}

# Memory that was added after boot is in the firmware's map, but not in the boot loader's.
test_added_memory() {
	machine server-numa 's/^extension.*/without 0x100000000\nwithout 0x880000000/'
	check "memory was added" places \
		"512 MiB at p0x40000000: a multiple of 1 GiB, below 4 GiB, on NUMA node 0." 512M
	machine server-numa 's/^extension.*/without 0x880000000/'
	check "a node was added" refuses "is so large" -n 1 1G
	machine server-numa '/^\[boot\]/,/^initrd/d'
	check "without boot parameters" places \
		"1 GiB at p0x880000000: a multiple of 1 GiB, above 4 GiB, on NUMA node 1." -n 1 1G
	machine server-numa 's/^extension.*/ram 0x100000 0x7f337fff/'
	check "a map of one entry is none" places \
		"1 GiB at p0x880000000: a multiple of 1 GiB, above 4 GiB, on NUMA node 1." -n 1 1G
}

# --- the command line ----------------------------------------------------------------

# Appends to the command line of the laptop.
with_arguments() { machine laptop-uefi "s|^BOOT_IMAGE.*|& $*|"; }

test_cmdline() {
	with_arguments "memmap=512M\$0x200000000,64M\$0x2c0000000"
	check "reserved ranges" ends 0 "$tmm" reserve -r "$root" 1G
	check "the first" says "memmap= reserves 512 MiB at p0x200000000 already (regions=512M@0x200000000)."
	check "the second" says "memmap= reserves 64 MiB at p0x2c0000000 already (regions=64M@0x2c0000000)."
	check "two are no problem" says_not randomized
	with_arguments "memmap=2M\$1G,2M\$2G memmap=1M!3G memmap=1M#1G"
	check "four ranges" ends 0 "$tmm" reserve -r "$root" 1G
	check "a fifth is one too many" says \
		"With more than 4 memmap= ranges, Linux's physical address is not randomized."
	with_arguments "memmap=512M"
	check "no dollar" ends 0 "$tmm" reserve -r "$root" 1G
	check "it is told" says \
		"A memmap= of the command line has no \$, and so limits Linux's memory: remove it."
	with_arguments "memmap=$(seq -s, -f "2M\$%gM" 8192 4 8268) memmap=512M"
	check "more ranges than notes" ends 0 "$tmm" reserve -r "$root" 1G
	check "they hide no other note" says \
		"A memmap= of the command line has no \$, and so limits Linux's memory: remove it."
	check "some are listed" says "memmap= reserves 2 MiB at p0x200000000 already (regions=2M@0x200000000)."
	check "the others are counted" says "memmap= reserves 7 more ranges: tmm reserve --json lists all."
	with_arguments "-- memmap=512M\$8G"
	check "arguments of init" ends 0 "$tmm" reserve -r "$root" 1G
	check "are left alone" says_not "already"
	with_arguments "cma=64M@4G"
	check "cma= with an address" places \
		"1 GiB at p0x180000000: a multiple of 1 GiB, above 4 GiB, on NUMA node 0." 1G
	with_arguments "cma=64M@0x180000000-8G"
	check "cma= with a range" places \
		"5 GiB at p0x200000000: a multiple of 1 GiB, above 4 GiB, on NUMA node 0." 5G
	with_arguments "cma=64M cma=64M@x cma=y@4G cma=64M@4G-z cma=64M@4G-1G"
	check "cma= without an address" places \
		"1 GiB at p0x100000000: a multiple of 1 GiB, above 4 GiB, on NUMA node 0." 1G
	with_arguments "memmap=0\$4G"
	check "a memmap= that is none" ends 0 "$tmm" reserve -r "$root" 1G
	check "is told" grep -qxF "tmm: memmap=0\$4G: not a range: ignored" "$out/stderr"
	with_arguments "memmap=$(seq -s, -f "2M\$%gM" 16384 4 20480)"
	check "too many memmap=" ends 0 "$tmm" reserve -r "$root" 1G
	check "are told" grep -qxF "tmm: memmap=2M\$20480M: more than 1024 ranges: ignored" "$out/stderr"
}

# --- the lines --------------------------------------------------------------------------

test_lines() {
	machine laptop-uefi "s/^\[cmdline\]/[lockdown]\nnone [integrity] confidentiality\n&/"
	check "the whole text" ends 0 "$tmm" reserve -r "$root" 2G
	check "is as expected" diff "$here/machines/laptop-uefi-2g.expected" "$out/stdout"
	check "JSON" ends 0 "$tmm" reserve -r "$root" --json 2G
	check "has the lines" python3 - "$out/stdout" <<-'EOF'
		import json, sys
		said = json.load(open(sys.argv[1]))
		assert said["start"] == "0x180000000" and said["bytes"] == 2 << 30, said
		assert said["align"] == 1 << 30 and said["node"] == 0 and said["struct_pages"], said
		assert said["linux"] == {"bytes": 16253324 << 10, "used": (16253324 - 12582912) << 10,
		                         "kept": (16253324 << 10) - (2 << 30)}, said
		assert said["memmap"] == said["systemd_boot"] == "memmap=2G$6G", said
		assert said["qemu"] == r"memmap=2G\$6G" and said["regions"] == "regions=2G@6G", said
		assert said["grub"] == r'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX memmap=2G\\\$6G"', said
		assert said["reserved"] == [] and len(said["notes"]) == 1, said
	EOF
	with_arguments "memmap=512M\$0x200000000"
	rm -r "$root/sys/devices"
	check "JSON of a reserved range" ends 0 "$tmm" reserve -r "$root" -j 2G
	check "has the range, and no node" python3 -c 'import json, sys
said = json.load(open(sys.argv[1]))
assert said["reserved"] == [{"start": "0x200000000", "bytes": 512 << 20}], said
assert said["node"] is None, said' "$out/stdout"
	test_quoting
}

# The shell that reads /etc/default/grub removes the first backslashes. GRUB's language removes
# the last one; its rule is that a backslash protects the next character.
test_quoting() {
	local value
	printf 'GRUB_CMDLINE_LINUX="quiet"\n' >"$out/grub"
	"$tmm" reserve -r "$root" 2G | grep '^GRUB_CMDLINE_LINUX=' >>"$out/grub"
	# shellcheck disable=SC2016 # the inner shell expands the variable
	value=$(sh -c '. "$1"; printf "%s" "$GRUB_CMDLINE_LINUX"' sh "$out/grub")
	check "what 10_linux writes" test "$value" = "quiet memmap=2G\\\$6G"
	check "what GRUB passes on" test "${value//\\/}" = "quiet memmap=2G\$6G"
	value=$("$tmm" reserve -r "$root" 2G | sed -n '/^# QEMU/{n;p}')
	check "what a shell passes to QEMU" test "$(eval "printf %s \"$value\"")" = "memmap=2G\$6G"
}

# --- errors -----------------------------------------------------------------------------

# Refuses the laptop after the files of the root were changed.
refuses_with() { # TEXT COMMAND...
	local text=$1
	shift
	laptop
	(cd "$root" && "$@")
	refuses "$text" 1G
}

put() { printf '%b' "$2" >"$1"; }

test_maps() {
	local map=sys/firmware/memmap
	check "no map" refuses_with "$map: No such file or directory (ENOENT): mount sysfs, and" rm -r $map
	check "no RAM" refuses_with "$map: the map has no System RAM" \
		sed -i 's/System RAM/Reserved/' $map/{0,2,4,6,8,10,13,18}/type
	check "no start" refuses_with "$map/4/start: No such file" rm $map/4/start
	check "no type" refuses_with "$map/4/type: No such file" rm $map/4/type
	check "a bad start" refuses_with "$map/4/start: not an address" put $map/4/start "4x\n"
	check "an empty end" refuses_with "$map/4/end: not an address" put $map/4/end ""
	check "a signed end" refuses_with "$map/4/end: not an address" put $map/4/end "-1\n"
	check "an end before the start" refuses_with "$map/4: the end is not above the start" \
		put $map/4/end "0x1000\n"
	check "the end of all addresses" refuses_with "$map/4: the end is not above the start" \
		put $map/4/end "0xffffffffffffffff\n"
	check "a file instead of an entry" refuses_with "$map/x/type: Not a directory" put $map/x ""
	check "too many entries" refuses_with "the map has too many entries" python3 -c '
import os
for i in range(100, 4300):
    os.makedirs(f"sys/firmware/memmap/{i}")
    for name, text in ("type", "System RAM"), ("start", hex(i << 33)), ("end", hex((i << 33) + 4095)):
        open(f"sys/firmware/memmap/{i}/{name}", "w").write(text)'
	check "a gap in the numbers" gap_in_numbers
}

# Linux leaves a gap when memory was removed.
gap_in_numbers() {
	laptop
	rm -r "$root/sys/firmware/memmap/3"
	places "1 GiB at p0x100000000: a multiple of 1 GiB, above 4 GiB, on NUMA node 0." 1G
}

test_boot_params() {
	local data=sys/kernel/boot_params/data further=sys/kernel/boot_params/setup_data/0
	check "a short message" refuses_with "$data: not Linux's boot parameters" truncate -s 4095 $data
	check "a long message" refuses_with "$data: not Linux's boot parameters" truncate -s 4097 $data
	check "too many entries" refuses_with "$data: not Linux's boot parameters" \
		poke $data $((0x1e8)) '\xc8'
	check "an entry that is no range" refuses_with "the memory map has an entry that is not a range" \
		poke $data $((0x2d0)) '\xff\xff\xff\xff\xff\xff\xff\xff'
	check "no RAM in common" refuses_with "Linux: no RAM is in all of them" \
		sed -i 's/^.*System RAM/10000000000-1000fffffff : System RAM/' proc/iomem
	check "an unreadable message" refuses_with "(EISDIR)" make_directory $data
	check "a short extension" refuses_with "data: not a memory map" further 0x1 19
	check "no extension" refuses_with "(ENOENT)" further 0x1 -
	mkdir -p "$root/$further"
	check "other data" other_data
}

poke() { # FILE OFFSET BYTES
	printf '%b' "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

make_directory() { rm "$1" && mkdir "$1"; }

further() { # TYPE SIZE|-
	mkdir -p sys/kernel/boot_params/setup_data/0
	echo "$1" >sys/kernel/boot_params/setup_data/0/type
	[[ $2 == - ]] || truncate -s "$2" sys/kernel/boot_params/setup_data/0/data
}

other_data() {
	laptop
	(cd "$root" && further 0x9 19)
	places "1 GiB at p0x100000000: a multiple of 1 GiB, above 4 GiB, on NUMA node 0." 1G
}

test_iomem() {
	check "no iomem" refuses_with "proc/iomem: No such file" rm proc/iomem
	check "not root" refuses_with "all addresses are 0: run tmm as root, outside of containers" \
		sed -i -E 's/[0-9a-f]{8,}/00000000/g' proc/iomem
	check "no System RAM" refuses_with "there is no System RAM" sed -i 's/: System RAM/: RAM/' proc/iomem
	check "a line that is no range" refuses_with "proc/iomem: line 3 is not a range" \
		sed -i '3s/-/+/' proc/iomem
	check "a line without a name" refuses_with "proc/iomem: line 3 is not a range" \
		sed -i '3s/ :.*//' proc/iomem
	check "an end before the start" refuses_with "proc/iomem: line 3 is not a range" \
		sed -i '3s/.*/00002000-00001000 : Reserved/' proc/iomem
	check "an empty iomem" refuses_with "all addresses are 0" truncate -s 0 proc/iomem
	check "too many lines" refuses_with "the map has too many entries" many_ranges 4097 ""
	check "too many parts" refuses_with "proc/iomem: the map has too many entries" \
		many_ranges 4096 "  1ffe01000-1ffe01fff : Crash kernel"
	check "a cma= that splits" refuses_with "cma= splits too many ranges" many_ranges 4096 ""
	check "an iomem that is a directory" refuses_with "(EISDIR)" make_directory proc/iomem
}

# NUMBER LAST: as many ranges of RAM, then a line
many_ranges() {
	local start
	for ((start = 0; start < $1; start++)); do
		printf '%x-%x : System RAM\n' $((start << 21)) $(((start << 21) + 0xfffff))
	done >proc/iomem
	[[ -z $2 ]] || echo "$2" >>proc/iomem
	# all of this is RAM for the firmware, and nothing is known of the boot loader
	rm -r sys/kernel/boot_params sys/firmware/memmap/*
	mkdir sys/firmware/memmap/0
	put sys/firmware/memmap/0/type "System RAM\n"
	put sys/firmware/memmap/0/start "0x0\n"
	put sys/firmware/memmap/0/end "0x3ffffffff\n"
	put proc/cmdline "cma=4K@0x1ffe01000\n"
}

test_other_files() {
	local nodes=sys/devices/system/memory/block_size_bytes
	check "no command line" refuses_with "proc/cmdline: No such file" rm proc/cmdline
	check "no meminfo" refuses_with "proc/meminfo: No such file" rm proc/meminfo
	check "no MemTotal" refuses_with "MemTotal or MemAvailable is missing or wrong" \
		sed -i 1d proc/meminfo
	check "no MemAvailable" refuses_with "MemTotal or MemAvailable is missing or wrong" \
		sed -i /MemAvailable/d proc/meminfo
	check "another unit" refuses_with "MemTotal or MemAvailable is missing or wrong" \
		sed -i 's/kB/MB/' proc/meminfo
	check "more available than there is" refuses_with "MemTotal or MemAvailable is missing or wrong" \
		sed -i 's/^MemTotal.*/MemTotal: 1 kB/' proc/meminfo
	check "nodes of no size" unknown_nodes $nodes "0\n"
	check "nodes of a bad size" unknown_nodes $nodes "x\n"
}

unknown_nodes() {
	laptop
	(cd "$root" && put "$@")
	places "1 GiB at p0x100000000: a multiple of 1 GiB, above 4 GiB." 1G
}

test_no_room() {
	laptop
	check "more than there is" refuses "1 TiB: too much: Linux has 15.5 GiB, uses 3.5 GiB now" 1T
	check "the largest size" grep -qxF \
		"tmm: reserve: the largest size that can be reserved is 11046M" "$out/stderr"
	check "the largest size fits" ends 0 "$tmm" reserve -r "$root" 11046M
	check "and no larger one" refuses "is so large" 11048M
	check "--keep" refuses "has to keep 15 GiB (--keep)" -k 15G 1G
	check "--keep 0 allows more" ends 0 "$tmm" reserve -r "$root" -k 0 11046M
	check "no room at all" refuses "no memory can be reserved" -k 16G 1G
	check "all sizes" refuses "too much" 18446744073707454463
}

test_recorded
test_laptop
test_low_memory
test_numa
test_holes
test_added_memory
test_cmdline
test_lines
test_maps
test_boot_params
test_iomem
test_other_files
test_no_room
end_checks reserve
