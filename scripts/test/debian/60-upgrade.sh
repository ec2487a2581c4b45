# shellcheck shell=bash
# apt installs a newer version while a process uses the module.

test_upgrade_leaves_the_module_in_use_alone() {
	local before
	before=$(loaded_version)
	hold_memory
	offer_packages new
	apt_get upgrade
	expect_equal "the configuration of packages" "" "$(dpkg --audit)"
	dpkg --compare-versions "$(package_version theseus-mm-dkms)" gt "$before" ||
		fail "apt has not upgraded theseus-mm-dkms"
	expect_held
	expect_equal "the loaded version" "$before" "$(loaded_version)"
	as_member tmm info
}

test_dkms_has_only_the_newer_version() {
	dkms status
	expect_equal "modules in DKMS" 1 "$(dkms status | wc -l)"
	dkms status | grep "^theseus-mm/$(package_version theseus-mm-dkms), $(uname -r), x86_64: installed\$"
	expect_equal "the module's version" "$(package_version theseus-mm-dkms)" "$(disk_version)"
}

test_newer_module_replaces_the_older_one() {
	release_memory
	modprobe -r theseus_mm
	modprobe theseus_mm "$(cat "$STATE/regions")"
	expect_equal "the loaded version" "$(disk_version)" "$(loaded_version)"
	as_member tmm info
}
