# shellcheck shell=bash
# The functions and variables that the parts share; run.sh sources this file before a part.
# shellcheck disable=SC2034 # the parts use the variables

STATE=/var/lib/tests
NODE=/dev/theseus_mm
export LC_ALL=C DEBIAN_FRONTEND=noninteractive

# DKMS takes the objects that compile.sh built on the host, with the guest's compiler and folders.
if [[ -d /tests/ccache ]]; then
	export PATH=/usr/lib/ccache:$PATH CCACHE_DIR=/tests/ccache CCACHE_READONLY=1
	export CCACHE_TEMPDIR=/tmp CCACHE_COMPILERCHECK=content
fi

# Ends the case.
fail() {
	echo "FAILED: $*" >&2
	exit 1
}

expect_equal() { # WHAT EXPECTED FOUND
	[[ $2 == "$3" ]] || fail "$1: expected '$2', found '$3'"
}

# Prints the output of a command, and fails unless the command fails.
expect_failure() { # COMMAND...
	local output
	if output=$("$@" 2>&1); then
		fail "$*: succeeded: $output"
	fi
	printf '%s\n' "$output"
}

# The tests have two users, of whom the member is in the group theseus (20-install.sh).
as_member() { runuser -u member -- "$@"; }
as_outsider() { runuser -u outsider -- "$@"; }

# Enters a folder of the member with the examples of the package libtmm-dev, as dpkg packs them.
copy_examples() {
	[[ -d /home/member/examples ]] || cp -rL /usr/share/doc/libtmm-dev/examples /home/member/
	cd /home/member/examples || exit
	gunzip ./*.gz 2>/dev/null || :
	chown -R member: .
}

is_loaded() { [[ -d /sys/module/theseus_mm ]]; }

# The names of the project's packages.
our_packages() { sed -n "s/^Package: //p" /tests/packages/old/Packages; }

# Offers the packages of build "old" or "new" to apt, besides those of Debian.
offer_packages() { # old|new
	echo "deb [trusted=yes] file:/tests/packages/$1 ./" >/etc/apt/sources.list.d/theseus-mm.list
	apt-get -q update
}

# apt asks no question, and keeps the files that the administrator changed. The packages find ccache.
apt_get() {
	apt-get -q -y --no-install-recommends -o Dpkg::Use-Pty=0 -o "Dpkg::Path=$PATH" \
		-o Dpkg::Options::=--force-confold "$@"
}

# The versions of the packages and of the module, on the disk and in the kernel.
package_version() { dpkg-query -W -f '${Version}' "$1"; }
disk_version() { modinfo -F version theseus_mm; }
loaded_version() { cat /sys/module/theseus_mm/version; }

# Starts a process of the member that owns 16 MiB until release_memory.
hold_memory() {
	local _
	systemd-run -q --collect --unit=holder --uid=member tmm alloc -c 16M -- sleep infinity
	for _ in {1..60}; do
		! pgrep -u member -x sleep >/dev/null || return 0
		sleep 1
	done
	fail "tmm alloc did not start its program: $(journalctl -u holder -o cat)"
}

# The process still runs, and its memory is still its own.
expect_held() {
	expect_equal "the holder" active "$(systemctl is-active holder)"
	is_loaded || fail "the module is not loaded"
	(($(cat /sys/module/theseus_mm/refcnt) > 0)) || fail "the module has no user"
}

release_memory() {
	systemctl stop holder
	expect_equal "users of the module" 0 "$(cat /sys/module/theseus_mm/refcnt)"
}

# Lists files with type, mode and owner, and a checksum of those in /etc. The list leaves out files
# that a machine writes by itself, and files that the tests change as an administrator would.
list_files() {
	local out=(/proc /sys /dev /run /tmp /tests /root "$STATE" /var/tmp /var/log /var/cache/apt
		/var/cache/ldconfig /var/cache/debconf /var/lib/apt /var/lib/dkms /var/lib/dpkg /var/lib/systemd
		/boot/grub/grub.cfg /boot/grub/grubenv /home /etc/apt/sources.list.d)
	local prune=() path
	for path in "${out[@]}"; do
		prune+=(-path "$path" -o)
	done
	find / -xdev \( "${prune[@]}" -false \) -prune -o -printf '%p %y %m %u:%g %l\n' | sort
	find /etc -xdev -type f ! -path '/etc/*group*' ! -path '/etc/*shadow*' \
		! -path '/etc/apt/sources.list.d/*' ! -path /etc/default/grub \
		! -path /etc/ld.so.cache -exec sha256sum {} + | sort -k 2
}
