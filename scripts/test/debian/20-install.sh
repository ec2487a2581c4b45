# shellcheck shell=bash
# The packages come from apt; DKMS builds the module once the headers are there.

# A user may install the packages first, and the kernel's headers later.
test_apt_installs_without_headers() {
	local packages
	offer_packages old
	# libtmm0 comes by itself
	mapfile -t packages < <(our_packages | grep -vx libtmm0)
	apt_get install "${packages[@]}"
	dpkg -s libtmm0 | grep '^Status: install ok installed$'
	expect_equal "the configuration of packages" "" "$(dpkg --audit)"
	expect_equal "modules" "" "$(find /lib/modules -name 'theseus_mm.ko*')"
}

test_headers_that_come_later_bring_the_module() {
	apt_get install linux-headers-amd64
	dkms status
	dkms status | grep "^theseus-mm/$(package_version theseus-mm-dkms), $(uname -r), x86_64: installed\$"
	expect_equal "the module's version" "$(package_version theseus-mm-dkms)" "$(disk_version)"
}

test_dkms_signs_the_module() {
	modinfo theseus_mm | grep -E '^(signer|sig_|vermagic)'
	[[ -n $(modinfo -F signer theseus_mm) ]] || fail "the module has no signature"
}

test_group_exists_and_is_empty() {
	expect_equal "members of theseus" "" "$(getent group theseus | cut -d: -f4)"
	usermod -aG theseus member
}

test_manuals_and_completion_are_there() {
	ls -l /usr/share/man/man1/tmm.1.gz /usr/share/man/man3/libtmm.3.gz \
		/usr/share/bash-completion/completions/tmm
}

# Nothing is reserved yet.
test_module_is_refused_without_a_reservation() {
	expect_failure modprobe theseus_mm regions=256M@4G
	dmesg | grep 'theseus_mm: ' | tail -n 3
	! is_loaded || fail "the module is loaded"
}
