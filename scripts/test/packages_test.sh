#!/bin/bash
# Usage: packages_test.sh [TEST...]
#
# Tests the packages in a minimal Debian, as its root: scripts/test-packages.sh starts this script
# there, without a network. /repository/now and /repository/next have the packages and those of
# the next version. Prints a line for each check, and the closing line with the counts.
set -uo pipefail
export LC_ALL=C DEBIAN_FRONTEND=noninteractive CCACHE_DIR=/ccache CCACHE_NOHASHDIR=1
# The kernel does not boot here, so it needs no initramfs.
export INITRD=No
PATH=/usr/lib/ccache:/usr/sbin:/usr/bin:/sbin:/bin

# The release of the headers in apt's cache.
kernel=$(apt-cache depends linux-headers-amd64 |
	sed -n 's/.*Depends: linux-headers-\([0-9].*\)/\1/p' | head -n 1)
updates=/lib/modules/$kernel/updates
log=/tmp/log
passed=0
failed=0

check() { # NAME COMMAND...
	local name=$1
	shift
	if "$@" >/tmp/check 2>&1; then
		echo "ok $name"
		passed=$((passed + 1))
	else
		echo "not ok $name"
		sed 's/^/    /' /tmp/check
		tail -n 25 "$log" | sed 's/^/    log: /'
		failed=$((failed + 1))
	fi
}
fails() { ! "$@"; }
says() { grep -qF -- "$1" "$log"; }
is_missing() { [[ ! -e $1 ]]; }

# Only the local repository can be reached.
use_repository() { # now|next
	echo "deb [trusted=yes] file:/repository/$1 ./" >/etc/apt/sources.list.d/local.list
	apt-get -q update -o Dir::Etc::sourcelist=sources.list.d/local.list \
		-o Dir::Etc::sourceparts=- -o APT::Get::List-Cleanup=0 >"$log" 2>&1
}
# Without DPkg::Path, apt gives the packages' scripts a path of its own, without ccache.
apt() {
	timeout 600 apt-get -q -y --no-install-recommends -o DPkg::Path="$PATH" "$@" \
		>"$log" 2>&1 </dev/null
}

# Lists all files with owner and mode, and the checksums of those in /etc. Left out are the records
# of apt, dpkg and DKMS's signing key, the backups that groupdel writes, and what depmod writes.
list_tree() { # FILE
	{
		find / -xdev \( -path /proc -o -path /dev -o -path /tmp -o -path /run \
			-o -path /ccache -o -path /repository -o -path /var/lib/dpkg \
			-o -path /var/lib/apt -o -path /var/cache -o -path /var/log \
			-o -path '/var/lib/dkms/mok.*' -o -path '/lib/modules/*/modules.*' \
			-o -path '/usr/lib/modules/*/modules.*' -o -path /etc/ld.so.cache \
			-o -path '/etc/group-' -o -path '/etc/gshadow-' -o -path /etc/apt \) -prune \
			-o -printf '%p %y %m %u %g %l\n'
		find /etc -type f ! -path '/etc/apt/*' ! -name '*-' ! -name ld.so.cache -exec md5sum {} +
	} | sort >"$1"
}

# Leaves out the files of installed packages, such as the kernel's headers.
without_packages() { # FILE
	sed 's|^/lib/|/usr/lib/|' /var/lib/dpkg/info/*.list |
		awk 'FNR == NR { packaged[$0] = 1; next } !($1 in packaged)' - "$1"
}

module_file() { find "$updates" -name 'theseus_mm.ko*' 2>/dev/null; }
module_says() { # FIELD TEXT
	local file
	file=$(module_file)
	[[ $file && $(modinfo -F "$1" "$file") == *"$2"* ]]
}
no_module() { [[ -z $(module_file) ]]; }
group_exists() { getent group theseus; }

# Commands that would touch a loaded module leave a trace instead.
guard_module() {
	local name
	for name in rmmod modprobe insmod; do
		mv "/usr/sbin/$name" "/tmp/$name"
		printf '#!/bin/sh\necho "%s $*" >>/tmp/loaded\n' "$name" >"/usr/sbin/$name"
		chmod +x "/usr/sbin/$name"
	done
}

unguard_module() {
	local name
	for name in rmmod modprobe insmod; do
		mv "/tmp/$name" "/usr/sbin/$name"
	done
}

build_program() { # [FLAG...]
	cat >/tmp/program.c <<'SOURCE'
#include <tmm.h>
#include <linux/theseus_mm.h>
int main(void)
{
	return tmm_client_open("/nonexistent") != NULL;
}
SOURCE
	# shellcheck disable=SC2046 # several words
	gcc -Wall -Werror -o /tmp/program /tmp/program.c "$@" $(pkg-config --cflags --libs libtmm) &&
		/tmp/program
}

# Installs the packages that stay when the project's packages are removed: Python, and in Debian 13 the
# kernel, on which its headers depend.
install_others() {
	mkdir -p "/lib/modules/$kernel"
	check "install Python" apt install python3
	! apt-cache depends "linux-headers-$kernel" | grep "linux-image-$kernel$" >/dev/null ||
		check "install the kernel" apt install "linux-image-$kernel"
}

test_without_headers() {
	check "install without headers" apt install theseus-mm-dkms theseus-mm-tools libtmm-dev
	check "the package says that headers are missing" says "install linux-headers-amd64"
	check "no module is built" no_module
	check "the tool runs" tmm --version
	check "a program is built with the shared library" build_program
	check "a program is built with the static library" build_program -static
	check "the group exists" group_exists
	check "udev takes the rule" check_rule
}

# The module for Python works without a compiler and without NumPy. /repository/host has the tests
# that need no device.
test_python() {
	check "install the module for Python" apt install python3-theseus-mm
	check "a missing device is an OSError with errno" python3 -c "$no_device"
	check "the examples are there" test -x /usr/share/doc/python3-theseus-mm/examples/quick_start.py
	check "an example names the missing device" example_fails
	check "build a library with a fake kernel" build_fake_library
	check "the module's tests that need no device" env LD_LIBRARY_PATH=/tmp/fake \
		python3 -B /repository/host/python_test.py
}

# The tests see the host's /dev, which may have the device, so the client opens another path.
no_device='
import errno, theseus_mm
try:
    theseus_mm.Client("/nonexistent")
except OSError as error:
    assert error.errno == errno.ENOENT, error
    assert "is the module theseus_mm loaded?" in str(error), error
else:
    raise SystemExit("the client is open")'

example_fails() {
	local status=0
	mount --bind /tmp /dev
	python3 -B /usr/share/doc/python3-theseus-mm/examples/quick_start.py >/tmp/example 2>&1 || status=$?
	umount /dev
	cat /tmp/example
	((status == 1)) && grep -q '^FileNotFoundError: .*is the module theseus_mm loaded?' /tmp/example
}

build_fake_library() {
	mkdir -p /tmp/fake
	gcc -std=gnu11 -D_GNU_SOURCE -shared -fPIC -Wl,--wrap=ioctl,--wrap=calloc \
		-Wl,-soname,libtmm.so.0 -o /tmp/fake/libtmm.so.0 /repository/host/libtmm_kernel.c \
		-Wl,--whole-archive -l:libtmm.a -Wl,--no-whole-archive
}

check_rule() {
	local rule=/usr/lib/udev/rules.d/60-theseus-mm.rules
	grep -q 'GROUP="theseus", MODE="0660"' "$rule" || return
	! udevadm verify --help >/dev/null 2>&1 || udevadm verify "$rule"
}

# The postinst hook of the headers runs DKMS.
test_late_headers() {
	check "install headers later" apt install linux-headers-amd64
	check "DKMS has built the module for $kernel" module_says vermagic "$kernel "
	check "the module has the version" module_says version "$version"
	check "DKMS has signed the module" module_says signer "DKMS module signing key"
	check "DKMS calls the module installed" dkms_says "$version" installed
}

# The package of the headers also brings the common headers and, in Debian 13, the kernel.
list_rt_packages() { dpkg-query -W -f '${Package}\n' | grep -E '^linux-.*-rt(-amd64)?$'; }

# A second kernel, with PREEMPT_RT: Linux 6.1 in Debian 12, and 6.12 in Debian 13. The removal of a
# kernel runs the hooks in prerm.d.
test_rt_kernel() {
	local rt updates packages
	check "install the headers of a kernel with PREEMPT_RT" apt install linux-headers-rt-amd64
	rt=$(list_rt_packages | sed -n 's/^linux-headers-\([0-9].*-rt-amd64\)$/\1/p')
	updates=/lib/modules/$rt/updates
	check "DKMS has built the module for $rt" module_says vermagic "$rt SMP "
	check "that module has the version" module_says version "$version"
	check "run the hooks of a kernel that goes" run-parts --arg="$rt" /etc/kernel/prerm.d
	check "its module is gone" no_module
	mapfile -t packages < <(list_rt_packages)
	check "remove that kernel" apt purge "${packages[@]}"
	# Debian 12 has headers without the kernel, which would remove its folder.
	rm -rf "/lib/modules/$rt"
}

dkms_says() { # VERSION STATE
	[[ $(dkms status -m theseus-mm -v "$1" -k "$kernel") == *"$2"* ]]
}

test_upgrade() {
	guard_module
	use_repository next
	check "upgrade" apt install theseus-mm-dkms theseus-mm-tools libtmm-dev python3-theseus-mm
	check "the module has the next version" module_says version "$next"
	check "there is one module" test "$(module_file | wc -l)" = 1
	check "the source tree of the old version is gone" is_missing "/usr/src/theseus-mm-$version"
	check "DKMS has forgotten the old version" is_missing "/var/lib/dkms/theseus-mm/$version"
}

# Puts a /dev with the node of a loaded module over the host's /dev.
mount_node() {
	mount -t tmpfs none /dev
	mknod -m 666 /dev/null c 1 3
	mknod -m 660 /dev/theseus_mm c 10 255
	chgrp theseus /dev/theseus_mm
	ln -s /proc/self/fd /dev/fd
}

test_removal() {
	check "remove" apt remove theseus-mm-dkms
	check "the module is gone" no_module
	check "the source tree is gone" is_missing "/usr/src/theseus-mm-$next"
	check "no command unloads or loads the module" is_missing /tmp/loaded
	unguard_module
	mount_node
	check "purge" apt purge theseus-mm-dkms theseus-mm-tools libtmm-dev libtmm0 \
		python3-theseus-mm
	check "the group is gone" fails group_exists
	check "the node of a loaded module belongs to root" test "$(stat -c %U:%G /dev/theseus_mm)" = root:root
	umount /dev
	compare_tree "nothing is left"
}

compare_tree() { # NAME
	list_tree /tmp/after
	check "$1" diff <(without_packages /tmp/before) <(without_packages /tmp/after)
}

test_group_with_members() {
	check "install for a member" apt install theseus-mm-dkms
	usermod -aG theseus nobody
	check "purge with a member" apt purge theseus-mm-dkms
	check "a group with a member stays" group_exists
	gpasswd -d nobody theseus >/dev/null
	groupdel theseus
}

# Linux 5.10 has no compiler's version here, so that only DKMS can refuse to build for it.
test_refused_kernel() {
	local other=/lib/modules/5.10.0-1-amd64
	mkdir -p "$other"
	ln -s "$(readlink -f "/lib/modules/$kernel/build")" "$other/build"
	check "install beside a kernel that is too old" apt install theseus-mm-dkms
	check "DKMS says why it builds no module" says "BUILD_EXCLUSIVE directive"
	check "the module for $kernel is built" module_says vermagic "$kernel "
	check "there is none for the old kernel" is_missing "$other/updates"
	check "purge beside it" apt purge theseus-mm-dkms
	rm -r "$other"
}

test_no_compiler() {
	local compiler
	compiler=$(sed -n 's/^CONFIG_CC_VERSION_TEXT="\([^ "]*\).*/\1/p' "/lib/modules/$kernel/build/.config")
	PATH=${PATH#/usr/lib/ccache:}
	mv "/usr/bin/$compiler" /tmp/compiler
	check "install without the compiler fails" fails apt install theseus-mm-dkms
	check "the package names the compiler" says "install ${compiler#x86_64-linux-gnu-}"
	check "and what to do then" says "Then run: dpkg --configure -a"
	check "no module is installed" no_module
	mv /tmp/compiler "/usr/bin/$compiler"
	PATH=/usr/lib/ccache:$PATH
	check "dpkg --configure -a builds the module" dpkg --configure -a
	check "the module is built now" module_says vermagic "$kernel "
	check "purge after that" apt purge theseus-mm-dkms
	compare_tree "nothing is left after that"
}

test_no_space() {
	mount -t tmpfs -o size=4m none /var/lib/dkms
	check "install on a full disk fails" fails apt install theseus-mm-dkms
	check "the package says that the disk is full" says "/var/lib/dkms has"
	check "no module is installed there" no_module
	check "purge on a full disk" apt purge theseus-mm-dkms
	umount --lazy /var/lib/dkms
	compare_tree "nothing is left on the full disk"
}

version=$(sed -n 's/^Version: //p' /repository/now/Packages | head -n 1)
next=$(sed -n 's/^Version: //p' /repository/next/Packages | head -n 1)
echo "# $(. /etc/os-release && echo "$PRETTY_NAME"), DKMS $(dpkg-query -W -f '${Version}' dkms), Linux $kernel"
use_repository now
install_others
list_tree /tmp/before
if (($#)); then
	for test in "$@"; do "$test"; done
	exit
fi
test_without_headers
test_python
test_late_headers
test_rt_kernel
test_upgrade
test_removal
use_repository now
list_tree /tmp/before
test_refused_kernel
test_group_with_members
test_no_compiler
test_no_space
echo "$passed passed, $failed failed"
((failed == 0))
