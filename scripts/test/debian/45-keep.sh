# shellcheck shell=bash
# The example "keep": its memory is in the fd store of systemd and outlives the service.

UNIT=/etc/systemd/system/keep.service
PROGRAM=/usr/local/bin/keep
FREE=/sys/class/misc/theseus_mm/frames_free

start_of_memory() { systemctl show -P StatusText keep; }
nr_stored() { systemctl show -P NFileDescriptorStore "$1"; }

# Waits until a command prints a value, at most a minute: systemd closes descriptors some time after
# a command of systemctl has ended.
expect_soon() { # WHAT EXPECTED COMMAND...
	local _
	for _ in {1..60}; do
		[[ $("${@:3}") != "$2" ]] || return 0
		sleep 1
	done
	expect_equal "$1" "$2" "$("${@:3}")"
}

# The memory has the number of starts. The program fails if the rest of the memory has changed.
expect_start() { # NUMBER
	expect_soon "the service" "start $1 of this memory" start_of_memory
	expect_equal "the state" active "$(systemctl is-active keep)"
	expect_equal "descriptors in the store" 1 "$(nr_stored keep)"
}

# Gives the unit these settings, and no earlier ones, for the next start.
set_unit() { # SETTING...
	mkdir -p "$UNIT.d"
	# the tests start the service more often than systemd allows
	printf '%s\n' '[Unit]' StartLimitIntervalSec=0 '[Service]' "$@" >"$UNIT.d/test.conf"
	systemctl daemon-reload
}

test_service_of_the_example_starts() {
	copy_examples
	as_member sh -c "cc -O1 -o keep keep.c \$(pkg-config --cflags --libs libtmm)"
	cp keep "$PROGRAM"
	cp keep.service "$UNIT"
	set_unit
	cat "$FREE" >"$STATE/free"
	systemctl start keep
	expect_start 1
	systemd-analyze fdstore keep
	(($(cat "$STATE/free") - $(cat "$FREE") >= 1024)) || fail "the service owns no 4 MiB"
	(($(ps -o uid= -C keep) > 0)) || fail "the service runs as root"
}

test_memory_outlives_restarts() {
	local start
	for start in 2 3 4; do
		systemctl restart keep
		expect_start "$start"
	done
}

test_memory_outlives_a_crash() {
	systemctl kill --signal=KILL keep
	expect_start 5
}

# systemd passes the store on to its new process.
test_memory_outlives_a_restart_of_systemd() {
	systemctl daemon-reexec
	expect_equal "descriptors in the store" 1 "$(nr_stored keep)"
	systemctl restart keep
	expect_start 6
}

test_memory_outlives_restarts_without_polling() {
	local start
	set_unit ExecStart= "ExecStart=$PROGRAM FDPOLL=0"
	for start in 7 8 9; do
		systemctl restart keep
		expect_start "$start"
	done
}

# The first restart takes over a descriptor that was stored without polling.
test_polling_can_be_turned_on_again() {
	set_unit
	systemctl restart keep
	expect_start 10
	systemctl restart keep
	expect_start 11
}

# systemd polls the descriptors of the store, and closes a stale descriptor.
test_systemd_drops_only_a_stale_descriptor() {
	cc -o /tmp/stale /tests/stale.c -ltmm
	systemd-run -q --collect --unit=stale --service-type=exec -p NotifyAccess=all \
		-p FileDescriptorStoreMax=2 -p StandardOutput=journal /tmp/stale
	expect_soon "the status" "imported one of 2" systemctl show -P StatusText stale
	expect_soon "descriptors in the store" 1 nr_stored stale
	systemd-analyze fdstore stale
	systemd-analyze fdstore stale | grep -w kept
	! systemd-analyze fdstore stale | grep -w imported || fail "the stale descriptor is in the store"
	systemctl stop stale
	rm /tmp/stale
}

test_stop_gives_the_memory_back() {
	systemctl stop keep
	expect_soon "free frames" "$(cat "$STATE/free")" cat "$FREE"
	expect_equal "descriptors in the store" 0 "$(nr_stored keep)"
	systemctl start keep
	expect_start 1
	systemctl stop keep
}

# systemd forgets a stopped unit and its store unless another unit, here multi-user.target, refers to
# the unit.
test_memory_outlives_a_stop_if_the_unit_says_so() {
	systemctl enable keep
	set_unit FileDescriptorStorePreserve=yes
	systemctl start keep
	expect_start 1
	systemctl stop keep
	expect_equal "descriptors in the store" 1 "$(nr_stored keep)"
	systemctl start keep
	expect_start 2
	systemctl stop keep
	systemctl clean --what=fdstore keep
	expect_soon "free frames" "$(cat "$STATE/free")" cat "$FREE"
}

test_service_goes() {
	systemctl disable keep
	rm -r "$UNIT" "$UNIT.d" "$PROGRAM"
	systemctl daemon-reload
	systemctl reset-failed
	expect_equal "users of the module" 0 "$(cat /sys/module/theseus_mm/refcnt)"
}
