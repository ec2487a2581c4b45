#!/bin/bash
# Runs in the Debian guest of test-install.sh: tests.service starts this script after each boot, with
# its output on ttyS1. The script runs the cases of each part, NN-NAME.sh, in the parts' order, and
# prints KTAP with the guest's verdict as the last line, as ktap.py expects.
#
# A part is a file of bash functions, which can call those of lib.sh. Each function test_NAME is a case,
# which runs in a shell of its own with `set -euo pipefail` and passes if the shell's status is 0. A
# part with a line "# Reboots." restarts the guest after its last case.
set -uo pipefail

state=/var/lib/tests
parts=(/tests/[0-9]*.sh)
limit=1800

# The marks that ktap.py looks for show that the kernel's log is complete.
mark_log() { echo "<6>theseus_mm rig: $1" >/dev/kmsg; }

# A module that is signed with a key that Linux does not know taints Linux with 4096 + 8192. Linux
# without the module has no taint. Prints a problem for every other value.
taint_problem() {
	local taint
	taint=$(</proc/sys/kernel/tainted)
	case $taint in
	0 | 12288) ;;
	*) echo "tainted $taint instead of 0 or 12288" ;;
	esac
}

finish() { # PROBLEM
	mark_log end
	if [[ $1 ]]; then
		echo "VERDICT fail plan=user: $1"
	else
		echo "VERDICT ok plan=user"
	fi
	sync
	systemctl poweroff
	exit
}

run_case() { # NUMBER PART CASE
	local start=$SECONDS status
	# shellcheck disable=SC2016 # the new shell expands its arguments
	timeout -k 10 "$limit" bash -euo pipefail -c '. /tests/lib.sh; . "$1"; "$2"' \
		"$3" "$2" "$3" </dev/null 2>&1 | sed -u 's/^/    # /'
	status=${PIPESTATUS[0]}
	case $status in
	0) echo "    ok $1 ${3#test_} # $((SECONDS - start)) s" ;;
	124) echo "    not ok $1 ${3#test_} # timed out after $limit s" ;;
	*) echo "    not ok $1 ${3#test_} # exit status $status after $((SECONDS - start)) s" ;;
	esac
	return "$status"
}

run_part() { # NUMBER PART
	local name=${2##*/[0-9][0-9]-} cases case number=0 result=ok
	name=${name%.sh}
	mapfile -t cases < <(sed -n 's/^\(test_[a-z0-9_]*\)() {.*/\1/p' "$2")
	echo "    # Subtest: $name"
	echo "    1..${#cases[@]}"
	for case in "${cases[@]}"; do
		number=$((number + 1))
		run_case "$number" "$2" "$case" || result='not ok'
	done
	echo "$result $1 $name"
}

next=0
if [[ -e $state/next ]]; then
	next=$(<"$state/next")
	[[ -e $state/reboots ]] || finish "the guest restarted before part $next had ended"
	rm "$state/reboots"
else
	mkdir -p "$state"
	mark_log begin
	echo "KTAP version 1"
	echo "1..${#parts[@]}"
fi
echo "# up after $(cut -d. -f1 /proc/uptime) s: $(uname -r), $(</proc/cmdline)"
while ((next < ${#parts[@]})); do
	part=${parts[next]}
	next=$((next + 1))
	echo "$next" >"$state/next"
	run_part "$next" "$part"
	if grep -q '^# Reboots\.$' "$part"; then
		touch "$state/reboots"
		sync
		systemctl reboot
		exit
	fi
done
finish "$(taint_problem)"
