# shellcheck shell=bash
# The other scripts source this file: paths, versions, messages.
# shellcheck disable=SC2034 # the variables are used by the scripts that source this

export LC_ALL=C
# The PATH of an ordinary user of Debian lacks the folders of mke2fs and sfdisk.
PATH=$PATH:/usr/sbin:/sbin
# The scripts run under make, but start builds that are independent of that make.
unset MAKEFLAGS MFLAGS MAKELEVEL
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=$ROOT/build
CACHE=${TMM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/theseus_mm}
mkdir -p "$BUILD" "$CACHE"

# Progress goes to stderr, since other scripts read the results on stdout.
note() { printf '==> %s\n' "$*" >&2; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# Ends the script unless the machine has these programs.
need_programs() { # PROGRAM...
	local program
	for program in "$@"; do
		command -v "$program" >/dev/null ||
			die "$program is missing: run make tools first, which installs what the build needs"
	done
}

# Ends the script unless the cache's disk has room. On a full disk, apt-get waits forever.
need_space() { # MEGABYTES WHAT
	local free
	free=$(df -Pm "$CACHE" | awk 'NR == 2 { print $4 }')
	((free >= $1)) ||
		die "$CACHE: $free MB are free, and $2 needs $1 MB: free some, or name a folder on another disk in TMM_CACHE"
}

# Prints advice on a failure whose cause the log names. The log of a full disk may lack the cause, so
# the free space of the log's disk counts too.
advice_for() { # LOG
	if grep -q 'No space left on device' "$1" ||
		(($(df -Pk "${1%/*}" | awk 'NR == 2 { print $4 }') < 64)); then
		echo ": the disk is full: free some space, or name a folder on another disk in TMM_CACHE"
	elif grep -qE 'Temporary failure (resolving|in name)|Could not (resolve|connect)|Unable to connect|Network is unreachable' "$1"; then
		echo ": Debian's archive cannot be reached: connect this machine to the network, then try again"
	fi
}

# Runs a command that boots a guest with its logs in DIRECTORY. If a known bug of Linux or of the
# emulator spoiled the boot (see ktap.py), runs the command again, at most twice.
repeat_spoiled() { # DIRECTORY COMMAND...
	local try
	for try in 1 2 3; do
		"${@:2}"
		"$ROOT/scripts/test/ktap.py" spoiled "$1" || return 0
		cp "$1/console.log" "$1/console-spoiled-$try.log"
		((try == 3)) ||
			note "boot $try is repeated: a known bug of Linux or of the emulator spoiled this boot"
	done
}

# Runs a long command with its output in file $1, and shows the last line every 15 s. If the
# command, which the message calls $2, fails, shows the end of its output and ends the script.
quietly() {
	local log=$1 what=$2 pid rc=0 start=$SECONDS next=15
	shift 2
	# a process group of its own, so that the trap can stop all its processes
	set -m
	"$@" </dev/null >"$log" 2>&1 &
	pid=$!
	set +m
	trap 'kill -- "-$pid"; exit 130' INT TERM
	while kill -0 "$pid" 2>/dev/null; do
		sleep 1
		((SECONDS - start >= next)) || continue
		next=$((next + 15))
		printf '    %s, %d s\n' "$(tail -n 1 "$log" | cut -c1-70)" \
			$((SECONDS - start)) >&2
	done
	wait "$pid" || rc=$?
	trap - INT TERM
	((rc == 0)) && return 0
	tail -n 40 "$log" >&2
	die "$what failed (status $rc), see $log$(advice_for "$log")"
}

# The kernels that KERNEL= takes besides stock (see stock_kernel), debug and debug-rt: the newest 6.12
# for Debian 12, without and with PREEMPT_RT, Debian 13's own, and the newest 7.x among Debian 13's
# backports.
KERNEL_NAMES=6.12,6.12-rt,6.12-deb13,7
# fetch-kernel.sh ends with this status if Debian does not have the kernel any more.
GONE=4

# The version of the project, which stands in one place.
project_version() {
	sed -n 's/^#define TMM_VERSION\t"\(.*\)"$/\1/p' "$ROOT/theseus_mm/version.h"
}

# Copies a man page into build/tools/, with the version in its footer.
write_page() { # PAGE
	sed "s/^\.Os\$/.Os theseus_mm $(project_version)/" "$1" >"$BUILD/tools/${1##*/}"
}

package_version() { dpkg-query -W -f '${Version}' "$1"; }

# The version of Debian, for example 12, or 0 on another system.
debian_version() { (. /etc/os-release && [[ $ID == debian ]] && echo "${VERSION_ID:-0}") || echo 0; }

# The release of the stock headers in use, for example 6.1.0-56-amd64: TMM_KERNEL, or the newest
# installed headers of the kernel that this release of Debian came with.
stock_release() {
	local dir found=${TMM_KERNEL:-} version=6.1
	if [[ -z $found ]]; then
		(($(debian_version) < 13)) || version=6.12
		for dir in $(printf '%s\n' "/usr/src/linux-headers-$version".*-amd64 | sort -V); do
			[[ -e $dir/.config && $dir != *-rt-* && $dir != *-cloud-* ]] || continue
			found=${dir#/usr/src/linux-headers-}
		done
	fi
	[[ -n $found ]] || die "no headers of Debian's kernel are installed: run scripts/deps.sh module"
	printf '%s\n' "$found"
}

# Prints the kernel that KERNEL=stock means. In Debian 13, the package of the headers would install the
# kernel as well. So if no headers are installed there, headers and kernel are unpacked in the cache.
stock_kernel() {
	if (($(debian_version) < 13)) || (stock_release) >/dev/null 2>&1; then
		echo stock
	else
		echo 6.12-deb13
	fi
}

# Prints the compiler of the debug kernels: gcc 12, the default of Debian 12, on Debian 13 too.
debug_compiler() { if (($(debian_version) < 13)); then echo gcc; else echo gcc-12; fi; }

# Ends the script unless as_root() can work.
need_root() {
	((EUID == 0)) || command -v sudo >/dev/null ||
		die "this user is not root, and sudo is missing: run the command as root, or install sudo"
}

# Lets sudo ask for the password now, and not during a command that runs quietly.
ask_for_root() {
	need_root
	((EUID == 0)) || sudo -n true 2>/dev/null || sudo -v
}

as_root() { # COMMAND...
	need_root
	if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}
