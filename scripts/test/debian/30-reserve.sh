# shellcheck shell=bash
# `tmm reserve` proposes a range; the line for GRUB goes into GRUB's file as printed.
# Reboots.

test_tmm_reserve_prints_a_line_for_grub() {
	local size
	size=$(stat -c %Y-%s /etc/default/grub /boot/grub/grub.cfg)
	tmm reserve 256M | tee "$STATE/reserve"
	expect_equal "GRUB's files" "$size" "$(stat -c %Y-%s /etc/default/grub /boot/grub/grub.cfg)"
	expect_equal "lines for GRUB" 1 "$(grep -c ^GRUB_CMDLINE_LINUX= "$STATE/reserve")"
	grep ^GRUB_CMDLINE_LINUX= "$STATE/reserve" >>/etc/default/grub
	grep -o 'regions=[^ ]*' "$STATE/reserve" | tail -n 1 >"$STATE/regions"
	cat "$STATE/regions"
}

test_update_grub_takes_the_line() {
	update-grub
	grep -m 1 'linux.*vmlinuz.*memmap=' /boot/grub/grub.cfg
}
