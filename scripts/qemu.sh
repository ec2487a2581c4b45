#!/bin/bash
# Usage: qemu.sh --kernel IMAGE --initrd ARCHIVE --dir DIR [OPTION...] [PARAMETER...]
#        qemu.sh --disk IMAGE --dir DIR [OPTION...]
#
#   --disk IMAGE     boot from this disk by its own boot loader, and let the guest restart. Further
#                    --disk options add disks. Changes of a disk are lost when the guest ends.
#   --mem SIZE       size of the guest's memory (2G)
#   --low SIZE       size of the part below 4 GiB; the rest begins at 4 GiB
#   --cpus N         number of CPUs (2)
#   --timeout SEC    time limit (600); after that the exit status is 124
#   --stream         show the guest's terminal while the guest runs
#   --shell          connect the guest's terminal to this one; no time limit
#   --gdb            wait for a debugger on port 1234; no time limit, no KASLR
#   --device ARG     add a -device; may be given several times
#   --object ARG     add an -object for a later --device; may be given several times
#   --numa ARG       add a -numa; may be given several times
#   --cpu MODEL      model of the CPUs, with features (max)
#   --icount         let the emulator's clock count instructions, on one CPU. With TMM_ACCEL=kvm, the
#                    guest runs on one CPU, and the clock is the processor's.
#   --monitor        let the guest's third terminal be QEMU's monitor
#   --plugin ARG     add a -plugin of the emulator
#
# Only this script describes the virtual machine. The PARAMETERs go to the kernel's command
# line. The script writes to DIR: qemu.cmd, accel, console.log (ttyS0, the kernel) and
# result.log (ttyS1, everything else). QEMU's exit status is useless: it is 0 after a panic.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

kernel='' initrd='' dir='' mem=2G low='' limit=600 stream=0 shell=0 cpus=2 cpu=max icount=()
parameters=()
devices=()
disks=()
monitor=()
while (($#)); do
	case $1 in
	--kernel) kernel=$2 && shift ;;
	--initrd) initrd=$2 && shift ;;
	--disk) disks+=(-drive "file=$2,format=raw,if=virtio,snapshot=on,cache=unsafe") && shift ;;
	--dir) dir=$2 && shift ;;
	--mem) mem=$2 && shift ;;
	--low) low=,max-ram-below-4g=$2 && shift ;;
	--timeout) limit=$2 && shift ;;
	--device | --object | --numa | --plugin) devices+=("-${1#--}" "$2") && shift ;;
	--cpus) cpus=$2 && shift ;;
	--cpu) cpu=$2 && shift ;;
	--icount) cpus=1 icount=(-icount 'shift=0,sleep=off') ;;
	--monitor) monitor=(yes) ;;
	--stream) stream=1 ;;
	--shell) shell=1 limit=0 ;;
	--gdb) limit=0 devices+=(-s -S) parameters+=(nokaslr) ;;
	-*) die "unknown option: $1" ;;
	*) parameters+=("$1") ;;
	esac
	shift
done
if ((${#disks[@]})); then
	[[ -n $dir && -z $kernel$initrd && ${#parameters[@]} == 0 ]] ||
		die "--disk needs --dir, and excludes --kernel, --initrd, --gdb and parameters"
else
	[[ -r $kernel && -r $initrd && -n $dir ]] || die "needs --kernel, --initrd and --dir"
fi
mkdir -p "$dir"
console=$dir/console.log
result=$dir/result.log
rm -f "$console" "$result"

# Linux waits a few milliseconds for the first timer interrupts, and panics without them. On a busy
# host the emulator is slower than that, so no_timer_check leaves that check out.
#
# Sets the variable "machine" to QEMU's command line, for accelerator $1 and parameters $2...
describe() {
	local accel=$1
	shift
	machine=(qemu-system-x86_64 -nodefaults -no-user-config -machine "q35$low"
		-accel "$accel" -cpu "$cpu" -smp "$cpus" -m "$mem"
		-nographic -monitor none
		-serial "file:$console" "${terminal[@]}" "${monitor[@]}" "${devices[@]}" "${disks[@]}" "${icount[@]}")
	((${#disks[@]} == 0)) || return 0
	machine+=(-no-reboot -kernel "$kernel" -initrd "$initrd"
		-append "console=ttyS0 panic=-1 oops=panic no_timer_check $*")
}

# Boots a guest once to find out whether KVM works. Without virtualisation in the CPU, a
# /dev/kvm that opens and even creates a machine proves nothing. A guest that boots from a disk
# takes no plan and prints no verdict: its boot counts once Linux starts the first process.
kvm_works() {
	local answer machine
	answer=$CACHE/kvm-$(</proc/sys/kernel/random/boot_id)
	local terminal=(-serial "file:$dir/probe.log") console=$dir/probe-console.log
	if [[ ! -e $answer ]]; then
		rm -f "$CACHE"/kvm-* "$dir/probe.log"
		describe kvm tmm.plan=probe
		timeout -k 5 20 "${machine[@]}" </dev/null >/dev/null 2>&1 || :
		if grep -q '^VERDICT ok plan=probe' "$dir/probe.log" 2>/dev/null ||
			{ ((${#disks[@]})) && grep -q 'Run /init as init' "$console"; }; then
			echo yes >"$answer"
		else
			echo no >"$answer"
		fi
	fi
	[[ $(<"$answer") == yes ]]
}

choose_accel() {
	local tcg=tcg,thread=multi
	case ${TMM_ACCEL:-} in
	tcg)
		accel=$tcg why="TMM_ACCEL asks for it"
		((${#icount[@]} == 0)) || accel=tcg why="instructions are counted"
		;;
	kvm) accel=kvm why="TMM_ACCEL asks for it" ;;
	'')
		if ! grep -qE '^flags.*\b(vmx|svm)\b' /proc/cpuinfo; then
			accel=$tcg why="the CPU has no virtualisation"
		elif [[ ! -w /dev/kvm ]]; then
			accel=$tcg why="/dev/kvm is missing or not writable"
		elif ! kvm_works; then
			accel=$tcg why="a guest with KVM did not boot"
		else
			accel=kvm why="a guest with KVM booted"
		fi
		;;
	*) die "TMM_ACCEL=$TMM_ACCEL: neither tcg nor kvm" ;;
	esac
}

# With KVM, the processor's own clock counts.
if ((${#icount[@]})); then
	if [[ ${TMM_ACCEL:-tcg} == kvm ]]; then icount=(); else TMM_ACCEL=tcg; fi
fi
terminal=(-serial "file:$result")
if ((shell)); then
	terminal=(-chardev "stdio,id=terminal,signal=off,logfile=$result"
		-serial chardev:terminal)
fi
# The guest's third serial port is a client of the socket of QEMU's monitor.
# The path of a socket has at most 107 characters.
if ((${#monitor[@]})); then
	sockets=$(mktemp -d)
	trap 'rm -rf "$sockets"' EXIT
	# shellcheck disable=SC2054 # the commas are QEMU's
	monitor=(-chardev "socket,id=monitor,path=$sockets/monitor,server=on,wait=off"
		-mon "chardev=monitor,mode=control"
		-chardev "socket,id=guest,path=$sockets/monitor" -serial chardev:guest)
fi
choose_accel
note "acceleration: ${accel%%,*} ($why)"
printf '%s (%s)\n' "$accel" "$why" >"$dir/accel"
describe "$accel" "${parameters[@]}"
printf '%q ' "${machine[@]}" >"$dir/qemu.cmd"

if ((shell)); then
	exec "${machine[@]}"
fi

touch "$result"
timeout -k 5 "$limit" "${machine[@]}" </dev/null >"$dir/qemu.log" 2>&1 &
qemu=$!
trap 'kill "$qemu" 2>/dev/null || :; exit 130' INT TERM
if ((stream)); then
	tail -n +1 -s 0.2 --pid="$qemu" -f "$result" &
else
	while kill -0 "$qemu" 2>/dev/null; do
		((SECONDS % 20)) || printf '    %3d s: %s\n' "$SECONDS" \
			"$(tail -qn 1 "$console" "$result" 2>/dev/null | tail -n 1 | cut -c1-90)" >&2
		sleep 1
	done
fi
status=0
wait "$qemu" || status=$?
wait
if ((status == 124 || status == 137)); then
	note "the guest was still running after $limit s; the end of its console:"
	tail -n 40 "$console" >&2
	exit 124
elif ((status)); then
	cat "$dir/qemu.log" >&2
	die "QEMU ended with status $status"
fi
