# shellcheck shell=bash
# The range is reserved, the module loads, and the members of the group use it.

test_grub_passes_the_dollar_to_linux() {
	cat /proc/cmdline
	grep '^BOOT_IMAGE=/boot/vmlinuz-' /proc/cmdline
	# shellcheck disable=SC2016 # the dollar is memmap's own
	grep -oE 'memmap=[0-9]+[KMG]?\$(0x[0-9a-f]+|[0-9]+[KMG]?)' /proc/cmdline
}

# /proc/iomem shows the range of regions= as Reserved. Linux may join the range with reserved memory of
# the firmware that touches the range.
test_iomem_shows_the_range() {
	local regions size start first last found=
	regions=$(cat "$STATE/regions")
	size=${regions#regions=} start=${regions#*@}
	size=$(($(numfmt --from=iec "${size%@*}")))
	case $start in
	0x*) start=$((start)) ;;
	*) start=$(numfmt --from=iec "$start") ;;
	esac
	expect_equal "the size" $((256 << 20)) "$size"
	while IFS='-: ' read -r first last _; do
		((0x$first <= start && start + size - 1 <= 0x$last)) || continue
		found=$first-$last
	done < <(grep -i '^[0-9a-f].* : reserved$' /proc/iomem)
	[[ $found ]] || fail "no Reserved range has the whole of $regions: $(grep -i reserved /proc/iomem)"
	echo "$regions is in $found"
}

test_module_loads_with_the_regions_that_reserve_named() {
	modprobe theseus_mm "$(cat "$STATE/regions")"
	dmesg | grep 'theseus_mm: '
	grep theseus_mm /proc/iomem
	expect_equal "the loaded version" "$(disk_version)" "$(loaded_version)"
}

test_device_belongs_to_the_group() {
	udevadm settle
	expect_equal "$NODE" "root:theseus 660" "$(stat -c '%U:%G %a' "$NODE")"
}

test_member_copies_a_file_in_and_out() {
	head -c 5M /dev/urandom >/tmp/input
	chmod 644 /tmp/input
	as_member tmm put /tmp/input -- sh -c 'tmm cat >/home/member/output'
	cmp /tmp/input /home/member/output
	as_member tmm info
	as_member tmm map
}

# The example "walk" shows physical addresses (CAP_SYS_ADMIN), and "privileged" chooses them
# (CAP_SYS_RAWIO).
needs_capability() { [[ $1 == walk || $1 == privileged ]]; }

# A member builds and runs the example $1. Root runs the examples that need a capability.
run_example() { # NAME
	local said
	as_member sh -c "cc -O1 -o $1 $1.c \$(pkg-config --cflags --libs libtmm)"
	if ! needs_capability "$1"; then
		as_member "./$1"
		return
	fi
	said=$(expect_failure as_member "./$1")
	echo "$said"
	[[ $said == *"Operation not permitted"* ]] || fail "the member's run does not end with EPERM"
	"./$1"
}

test_member_builds_and_runs_the_examples() {
	local source
	copy_examples
	for source in *.c; do
		echo "# ${source%.c}"
		run_example "${source%.c}"
	done
	[[ -x quick_start && -x privileged ]] || fail "there are no examples"
}

test_outsider_is_refused() {
	local said
	said=$(expect_failure as_outsider tmm info)
	echo "$said"
	[[ $said == *"Permission denied"* || $said == *EACCES* ]] ||
		fail "the message does not say that the permission is missing"
	expect_failure as_outsider sh -c ": <>$NODE"
}
