# shellcheck shell=bash
# apt removes the packages while a process uses the module, and nothing is left behind.

test_removal_leaves_the_module_in_use_alone() {
	local packages
	hold_memory
	mapfile -t packages < <(our_packages)
	apt_get remove "${packages[@]}"
	expect_equal "the configuration of packages" "" "$(dpkg --audit)"
	expect_held
	expect_equal "modules" "" "$(find /lib/modules -name 'theseus_mm.ko*')"
	expect_equal "modules in DKMS" "" "$(dkms status)"
}

test_module_unloads_after_its_last_user() {
	release_memory
	# modprobe finds only an installed module
	expect_failure modprobe -r theseus_mm | grep -F 'Module theseus_mm not found.'
	rmmod theseus_mm
	[[ ! -e $NODE ]] || fail "$NODE is still there"
	! grep theseus_mm /proc/iomem || fail "the range is still claimed"
}

test_purge_succeeds() {
	local packages
	mapfile -t packages < <(our_packages)
	# the headers have to be named, since apt never removes those of the running kernel by itself
	apt_get purge "${packages[@]}" dkms '^linux-headers-.*' '^linux-kbuild-.*'
	expect_equal "packages" "" "$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' |
		grep -E 'theseus|^libtmm|^(dkms|linux-headers|linux-kbuild)' || :)"
}

test_nothing_is_left() {
	list_files >"$STATE/after"
	# DKMS keeps its key, with which it signs the modules of all packages
	expect_equal "files of DKMS" "" \
		"$(find /var/lib/dkms -mindepth 1 ! -name mok.key ! -name mok.pub 2>/dev/null || :)"
	diff "$STATE/before" "$STATE/after" || fail "the files above differ from before the installation"
	expect_equal "files of the group" "" "$(find / -xdev -group theseus 2>/dev/null || :)"
}
