# shellcheck shell=bash
# The guest itself, before anything is installed.

test_grub_boots_the_guest() {
	grep '^BOOT_IMAGE=/vmlinuz ' /proc/cmdline
}

test_systemd_has_started_everything() {
	expect_equal "process 1" systemd "$(cat /proc/1/comm)"
	systemctl --failed --no-legend
	expect_equal "the system" running "$(systemctl is-system-running --wait)"
	systemd-analyze time
}

test_debian_is_13_with_its_own_kernel() {
	grep '^VERSION_ID="13"' /etc/os-release
	[[ $(uname -r) == 6.12.*+deb13-amd64 ]] || fail "the kernel is $(uname -r)"
	dpkg -S "/boot/vmlinuz-$(uname -r)"
}

test_guest_has_no_network_and_no_swap() {
	expect_equal "network interfaces" lo "$(ls /sys/class/net)"
	expect_equal "swap" "" "$(tail -n +2 /proc/swaps)"
}

test_python_has_numpy() {
	python3 -c 'import numpy; print("numpy", numpy.__version__)'
}

# The last part compares the files with this list.
test_files_are_listed_before_the_installation() {
	useradd -m member
	useradd -m outsider
	list_files >"$STATE/before"
	(($(wc -l <"$STATE/before") > 10000)) || fail "only $(wc -l <"$STATE/before") files"
}
