# shellcheck shell=bash
# The modes of the machine, one guest each: modes.sh runs them, and initramfs/tests/MODES.md explains
# them.

# A row is LEVELS-PTI-CPUS-KERNEL. Each pair of values of two columns is in one row at least.
MODE_ROWS=(
	4level-nopti-1cpu-stock 5level-nopti-2cpu-stock 4level-pti-4cpu-stock
	5level-pti-1cpu-6.12 4level-nopti-2cpu-6.12 5level-nopti-4cpu-6.12
	4level-nopti-1cpu-7 5level-pti-2cpu-7 4level-nopti-4cpu-7
	5level-pti-1cpu-6.12-rt 4level-pti-2cpu-6.12-rt 5level-nopti-4cpu-6.12-rt
)
MODE_NAMES=(
	"${MODE_ROWS[@]}"
	kaslr nokaslr nothp nopat nosmap nopdpe1gb
	region-odd-size region-odd-address region-below-2m region-64g region-many region-firmware
	preempt-none-stock preempt-voluntary-stock preempt-full-stock
	preempt-none-6.12 preempt-voluntary-6.12 preempt-full-6.12
	preempt-full-7 preempt-lazy-7
	preempt-full-6.12-rt preempt-lazy-6.12-rt preempt-laziest-6.12-rt
	hotplug hotplug-debug nmi nmi-debug suspend
	memory-hotplug memory-hotplug-struct-pages kexec crash
)

# Programs for any machine, and those that also need a region with a free GiB. All programs make many
# calls, or map much memory.
small_programs=machine_test,region_test
large_programs=$small_programs,work_test,create_leaves_test,borrow_race_test,mmap_large_test

# Reserves a region, with a machine that has enough memory for it.
reserve() { # SIZE START
	regions=${regions:+$regions,}$1@$2
	memmap+=("memmap=$1\$$2")
}

# Sets the variables kernel, levels, programs, and expected, which machine_test compares with the
# guest; next and next_programs, if another Linux follows; the array options for qemu.sh and the
# kernel; and those that describe_machine sets.
# shellcheck disable=SC2034 # run-tests.sh uses them
describe_mode() { # MODE
	local pti cpus
	kernel=stock levels=5 programs=$large_programs expected='' options=() next='' next_programs=''
	case $1 in
	[45]level-*)
		IFS=- read -r levels pti cpus kernel <<<"$1"
		levels=${levels%level} cpus=${cpus%cpu}
		options=(--cpus "$cpus")
		expected=cpus:$cpus,levels:$levels
		case $pti in
		pti) expected+=,pti:on ;;
		nopti) expected+=,pti:off options+=(pti=off) ;;
		esac
		case $kernel in
		stock) expected+=',release:6.1.*' ;;
		*-rt) expected+=",release:${kernel%-rt}.*-rt-*" ;;
		*) expected+=",release:$kernel.*" ;;
		esac
		# an NMI of one CPU reaches another one
		((cpus == 1)) || programs+=,window_test
		((cpus < 4)) || programs+=,mmap_race_test
		;;
	kaslr) expected=kaslr:on ;;
	nokaslr) expected=kaslr:off options=(nokaslr) ;;
	nothp) expected=thp:never options=(transparent_hugepage=never) ;;
	nopat) expected=pat:off options=(nopat) programs+=,device_test,lib_device_test ;;
	nosmap) expected=smap:off options=(--cpu 'max,-smap') programs+=,window_test,access_test ;;
	nopdpe1gb) expected=pdpe1gb:off,pse:on options=(--cpu 'max,-pdpe1gb') ;;
	preempt-*)
		local model
		IFS=- read -r _ model kernel <<<"$1"
		expected=preempt:$model options=("preempt=$model")
		# A model that is not in this list fails the mode, and then needs a mode of its own.
		case $kernel in
		7) expected+=,models:full+lazy ;;
		6.12-rt) expected+=,models:full+lazy+laziest ;;
		*) expected+=,models:none+voluntary+full ;;
		esac
		;;
	hotplug*) options=(--cpus 4) expected=cpus:4 programs=$small_programs,hotplug_test ;;&
	nmi*) expected=cpus:2 programs=$small_programs,nmi_test ;;&
	suspend) expected=cpus:2 programs=$small_programs,suspend_test ;;
	memory-hotplug*)
		# the region ends where Linux's memory may go on
		memory=(--mem '2G,slots=2,maxmem=600G' --low 1G) memmap=() regions=''
		reserve 256M 0x130000000
		section_regions=$regions
		options=(--monitor) levels=4
		expected=cpus:2,levels:4 programs=$small_programs,memory_hotplug_test
		;;&
	memory-hotplug-struct-pages)
		# the struct pages lie in the first part of the region, which is no part of it any more
		options+=(tmm.load=struct_pages=1) programs=machine_test,memory_hotplug_test
		;;
	kexec | crash)
		memory=(--mem 2G) memmap=() regions='' section_regions=''
		reserve 64M 0x40000000
		next=$1
		expected=cpus:2 programs=$small_programs,kexec_test
		options=("tmm.next=$1")
		;;&
	kexec)
		# the loader type that Linux's own kexec_file_load() sets
		next_programs=$small_programs,work_test,borrow_race_test
		options+=("next.tmm.programs=$next_programs" 'next.tmm.expect=cpus:2,loader:208')
		;;
	crash)
		# The crash kernel has only the memory of crashkernel=. The crash kernel must not start a second
		# CPU, which may be one that the crash has stopped. Without nokaslr, the first Linux may lie in
		# the memory of crashkernel=.
		next_programs=$small_programs,crash_test
		# shellcheck disable=SC2016 # the dollar is memmap's own
		options+=(nokaslr crashkernel=768M@0x8000000 "next.tmm.programs=$next_programs"
			'next.memmap=32M$0x30000000' next.tmm.regions=32M@0x30000000
			"next.tmm.crashed=$regions" next.nr_cpus=1
			'next.tmm.expect=loader:208,vmcore:yes,cpus:1')
		;;
	*-debug) kernel=debug ;;
	region-*)
		programs=$small_programs memory=(--mem 2G) memmap=() regions='' section_regions=''
		expected=cpus:2
		;;&
	region-odd-size) reserve 78860K 0x40000000 ;;
	region-odd-address) reserve 64M 0x4012b000 ;;
	region-below-2m) reserve 2044K 0x40000000 ;;
	region-64g)
		# The host gives the guest only the memory that is written.
		memory=(--mem 66G --object 'memory-backend-ram,id=ram,size=66G,reserve=off'
			--numa 'node,memdev=ram')
		reserve 64G 0x100000000
		options=(tmm.load=clean_ahead=0)
		;;
	region-many)
		local number
		# The first region is the largest, since the module keeps the state of all regions in that one.
		for number in {0..29}; do
			reserve $((64 * (30 - number)))K "$(printf '0x%x' $((0x40000000 + number * 0x301000)))"
		done
		;;
	region-firmware)
		describe_machine firmware
		programs+=,beside_firmware_test
		;;
	esac
	[[ $expected ]] || die "no such mode: $1: there are ${MODE_NAMES[*]}"
}

# Prints the path of an archive with the kernel and the initramfs of the Linux that follows.
pack_next() { # IMAGE INITRAMFS FOLDER
	mkdir -p "$3/next"
	cp "$1" "$3/next/vmlinuz"
	cp "$2" "$3/next/initrd"
	(cd "$3" && find next | cpio --quiet -o -H newc --owner 0:0) >"$3/archive.cpio"
	printf '%s\n' "$3/archive.cpio"
}

# Moves the logs of the second Linux to another folder. The log of the first one loses only the panic that
# the probe causes. That panic may be missing, since Linux prints nothing from an NMI: crash_test looks
# for the message in memory.
split_logs() { # FOLDER NEXT-FOLDER kexec|crash
	local panic='Kernel panic - not syncing: theseus_mm_nmi_probe: an NMI in a window'
	mkdir -p "$2"
	mv "$1/console.log" "$1/console-both.log"
	mv "$1/result.log" "$1/result-both.log"
	awk -v first="$1/console.log" -v second="$2/console.log" \
		'/Linux version /{ nr++ } { print > (nr > 1 ? second : first) }' "$1/console-both.log"
	awk -v first="$1/result.log" -v second="$2/result.log" \
		'{ print > (ended ? second : first) } /^VERDICT /{ ended = 1 }' "$1/result-both.log"
	case $3 in
	kexec) grep -q 'kexec_core: Starting new kernel' "$1/console.log" ;;
	crash) sed -i "/$panic/,\$d" "$1/console.log" ;;
	esac
}
