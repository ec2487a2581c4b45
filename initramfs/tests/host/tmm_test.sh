#!/bin/bash
# Usage: tmm_test.sh TOOLS FAKE
#
# The tests of tmm that need no device. They check the answers to wrong arguments, that the help
# texts, the manual page and the completion have the same options, and the words that bash
# completes. FAKE is the tool linked with a fake kernel that shows a busy region. With FAKE, the
# tests check that pictures are not wider than asked, that JSON and SVG are well-formed, and that
# the terminal is restored.
set -uo pipefail

tools=$1 fake=$2
tmm=$tools/tmm
commands=(alloc bench cat demo dump hold info map put regions reserve stats translate)
unset TMM_FD TMM_SIZE FAKE COLUMNS LINES NO_COLOR COLORTERM
export LC_ALL=C TERM=dumb ASAN_OPTIONS=detect_leaks=1

# shellcheck source=initramfs/tests/host/check.sh
. "$(dirname "$0")/check.sh"

# --- wrong arguments, and help ----------------------------------------------------

test_calls() {
	local command
	check "no command" complains 2 "Usage: tmm COMMAND" "$tmm"
	check "unknown command" complains 2 "unknown command: fly" "$tmm" fly
	check "help of an unknown command" complains 2 "unknown command" "$tmm" help fly
	check "--help" ends 0 "$tmm" --help
	check "--version" ends 0 "$tmm" --version
	check "--version says it" grep -q '^tmm [0-9.]*, interface 2$' "$out/stdout"
	for command in "${commands[@]}"; do
		check "$command --help" ends 0 "$tmm" "$command" --help
		check "$command --help says how" grep -q "^Usage: tmm $command" "$out/stdout"
		check "$command --help mentions --json" grep -q -- --json "$out/stdout"
		check "$command --nonsense" complains 2 "unrecognized option '--nonsense'" \
			"$tmm" "$command" --nonsense
		check "the list has $command" bash -c "'$tmm' --help | grep -q '^  $command '"
		[[ $command == regions || $command == reserve || $command == cat ]] && continue
		check "$command without a device" without_device "$command"
	done
	check "device that is none" complains 1 "not a device of theseus_mm" \
		env TMM_DEVICE=/dev/null "$tmm" info
	check "output that is full" full_output
}

without_device() {
	local arguments=()
	case $1 in
	alloc | hold) arguments=(1M) ;;
	translate | dump) arguments=(0x1000) ;;
	put) arguments=(/etc/passwd) ;;
	demo) arguments=(/etc/passwd) ;;
	esac
	if [[ $1 == demo ]]; then
		ends 1 env TMM_DEVICE=/nonexistent "$tmm" demo "${arguments[@]}" &&
			grep -q "^demo: FAILED: .*(ENOENT)" "$out/stdout"
		return
	fi
	complains 1 "tmm: open /nonexistent: No such file or directory (ENOENT)" \
		env TMM_DEVICE=/nonexistent "$tmm" "$1" "${arguments[@]}"
}

full_output() {
	"$tmm" --help >/dev/full 2>"$out/stderr"
	[[ $? == 1 ]] && grep -q "tmm: write: No space left on device (ENOSPC)" "$out/stderr"
}

test_arguments() {
	local wrong
	for wrong in "map --width 31" "map --width 9999" "map --width x" "map --watch=0" \
		"map --watch=x" "map --color=red" "map --by time" "map extra" \
		"map --svg x --json" "stats 0" "stats x" "stats 1 0" "stats 1 1 1" \
		"alloc" "alloc x" "alloc 1M 2M" "alloc -k socks 1M" "alloc -n 0 1M" \
		"alloc --at v0x 1M" "alloc --range 5 1M" "alloc --range 9-5 1M" "alloc -a 0 1M" \
		"alloc -c -k pages 1M" "hold" "hold x" "hold 1M socks" "put" "put a b" \
		"cat -f x" "cat -p 0" "cat -p 1" "cat /proc/4294967297/fd/3" \
		"cat /proc/1/fd/18446744073709551617" "cat -f 4294967296" "cat --json" "cat /etc/passwd" "cat -s x -f 3" \
		"info -f x" "info -p 0 -f 3" "info -p 1" "info -f 4294967296" \
		"translate" "translate x" "translate 1 2" "dump -1" "bench -r 0" "bench -s 1" \
		"bench x" "info x" "demo a b" "regions x" "reserve" "reserve x" "reserve 0" \
		"reserve 1M 2M" "reserve -k x 1M" "reserve -n x 1M" "reserve -n 1024 1M" \
		"reserve 18446744073709551615" "reserve 99999999T" "alloc 99999999T" \
		"alloc 1Q" "alloc 18446744073709551616" "hold 18446744073709551616K" \
		"translate 0x10000000000000000" "stats 18446744073709551617"; do
		# shellcheck disable=SC2086 # several words
		check "tmm $wrong" ends 2 "$fake" $wrong
		check "tmm $wrong says so" grep -q '^tmm: \|^Usage: ' "$out/stderr"
	done
	check "cat without a source" complains 2 "no descriptor" "$tmm" cat
	check "cat of a descriptor that is something else" \
		complains 1 "not an exported mapping" "$tmm" cat --fd 0
	check "cat of a closed descriptor" complains 1 "(EBADF)" "$tmm" cat --fd 77
	check "cat of no process" complains 1 "(ESRCH)" "$tmm" cat /proc/4194303/fd/3
	check "info of a descriptor that is something else" \
		complains 1 "not a descriptor of /dev/theseus_mm" "$tmm" info --fd 0
	check "info of a closed descriptor" complains 1 "(EBADF)" "$tmm" info --fd 77
	check "info of no process" complains 1 "(ESRCH)" "$tmm" info --fd 3 --pid 4194303
	check "put of no file" complains 1 "open /nonexistent" "$fake" put /nonexistent
	check "put of a directory" complains 1 "(EISDIR)" "$fake" put /
	check "a call that the module lacks" complains 1 "lacks this call" "$fake" alloc 1M
	check "translate of nothing" complains 1 "nothing is mapped there (ENOENT)" \
		"$fake" translate v0x1000
	check "translate without privilege" complains 1 "(EPERM)" \
		env FAKE=nobody "$fake" translate 0x1000
}

# --- the same options everywhere ---------------------------------------------------

# A command has an option if it does not refuse the option as unknown.
test_options() {
	local command option
	for command in "${commands[@]}"; do
		"$tmm" "$command" --help | grep -oE -- '--[a-z-]+' | grep -vx -- --help |
			sort -u >"$out/help"
		_tmm_options_of "$command" | sort -u >"$out/completion"
		check "completion and --help of $command" diff "$out/help" "$out/completion"
		while read -r option; do
			check "$command $option exists" exists "$command" "$option"
			check "tmm.1 has $option" grep -q -- "Fl Fl ${option#--}" "$tools/tmm.1"
		done <"$out/help"
		check "tmm.1 has $command" grep -q "Nm Cm $command\b" "$tools/tmm.1"
	done
	sed -n 's/.*Fl Fl \([a-z-]*\).*/--\1/p' "$tools/tmm.1" | sort -u |
		grep -vx -e --help -e --version >"$out/page"
	for command in "${commands[@]}"; do
		_tmm_options_of "$command"
	done | sort -u >"$out/all"
	check "tmm.1 has no other options" diff "$out/all" "$out/page"
}

_tmm_options_of() { _tmm_options "$1" | tr ' ' '\n' | sed 's/=$//' | sort -u; }

exists() {
	"$tmm" "$1" "$2" </dev/null 2>&1 | grep -q "unrecognized option" && return 1
	return 0
}

# --- completion --------------------------------------------------------------------

# EXPECTED WORD...: the last word is still being typed
completes() {
	local expected=$1
	shift
	COMP_WORDS=(tmm "$@")
	COMP_CWORD=$#
	COMPREPLY=()
	_tmm 2>/dev/null
	[[ ${COMPREPLY[*]} == "$expected" ]] || {
		echo "completed: ${COMPREPLY[*]}" >&2
		return 1
	}
}

test_completion() {
	check "complete is told" bash -c "source '$tools/completions/tmm'; complete -p tmm" >/dev/null
	check "commands" completes "map" ma
	check "all commands" completes "${commands[*]} help --help --version" ""
	check "help" completes "translate" help tr
	check "options" completes "--watch --watch= --width" map --w
	check "values" completes "owner use" map --by ""
	check "values behind =" completes "always" map --color = al
	check "all values behind =" completes "auto always never" map --color =
	check "an optional value is no next word" completes "--json" map --color --j
	check "kinds" completes "frames" alloc -k f
	check "kinds to hold" completes "pages" hold 1M p
	touch "$out/photo.jpg"
	check "files" completes "$out/photo.jpg" put "$out/pho"
	check "files of an option" completes "$out/photo.jpg" map --svg "$out/pho"
	check "no options behind --" completes "" put f -- x --js
}

# --- pictures ------------------------------------------------------------------------

# WIDTH: no line of $out/stdout has more than WIDTH columns
is_narrow() {
	python3 -c '
import re, sys
for line in open(sys.argv[1], encoding="utf-8"):
    plain = re.sub("\x1b\\[[0-9;]*m", "", line.rstrip("\n"))
    if len(plain) > int(sys.argv[2]):
        sys.exit(f"{len(plain)}: {plain}")' "$out/stdout" "$1"
}

test_width() {
	local width kind arguments
	for kind in "" empty old nobody many; do
		for width in 32 40 80 200; do
			for arguments in "" "--by use --color=always"; do
				# shellcheck disable=SC2086 # several words
				check "map $kind $width $arguments" ends 0 env FAKE="$kind" \
					LC_ALL=C.UTF-8 "$fake" map --width $width $arguments
				check "map $kind is $width wide $arguments" is_narrow $width
			done
		done
	done
	check "COLUMNS" ends 0 env COLUMNS=50 "$fake" map
	check "COLUMNS is respected" is_narrow 50
}

test_picture() {
	check "map" ends 0 "$fake" map
	check "an owner is named" grep -q 'A  database  *1037  root' "$out/stdout"
	check "and has cells" grep -q '^ *0x40000000 A*$' "$out/stdout"
	check "what clients left that are gone" grep -q '\*  orphans  *1.1 MiB' "$out/stdout"
	check "the rest is the kernel's" grep -q '\*  kernel ' "$out/stdout"
	check "the longest run" grep -q '^  2 MiB  *62 MiB  *31  *79.8 %$' "$out/stdout"
	check "no escapes of others" bash -c "! grep -q \$'\033' '$out/stdout'"
	check "no colours in a file" ends 0 env TERM=xterm-256color "$fake" map
	check "really none" bash -c "! grep -q \$'\033' '$out/stdout'"
	check "colours when asked for" ends 0 env NO_COLOR=1 "$fake" map --color=always
	check "really some" grep -q $'\033\[' "$out/stdout"
	check "letters without UTF-8" bash -c "! grep -q █ '$out/stdout'"
	check "an older module" ends 0 env FAKE=old "$fake" map
	check "shows uses" grep -q '^  M  mapped' "$out/stdout"
	check "without privilege" ends 0 env FAKE=nobody "$fake" map
	check "others are hidden" grep -q 'of others (5)' "$out/stdout"
	check "and have cells" grep -q '???' "$out/stdout"
	check "no address" grep -q '^  *0 ' "$out/stdout"
}

test_handles() {
	check "info of a client" ends 0 "$fake" info --fd 99
	check "its objects are counted" grep -q '^client 6 *owns 4 objects:' "$out/stdout"
	check "pages" grep -q '^ *3 pages *16 KiB *0 *v0xff00000000000000$' "$out/stdout"
	check "frames, nobody knows where" grep -q '^ *5 frames *2 MiB *1 *?$' "$out/stdout"
	check "a mapping" grep -q \
		'^ *9 mapping *12 KiB *2 *v0xff00000000200000 writable, shareable, borrowed 1 t' \
		"$out/stdout"
	check "an export" grep -q '^ *- mapping .* export 2, read-only$' "$out/stdout"
	check "info of a client as JSON" ends 0 "$fake" info --json --fd 99
	check "is JSON" is_json
	check "and has them" grep -q '"export": 2' "$out/stdout"
	check "without a client" ends 0 "$fake" info
	check "orphans are counted" grep -q 'of closed clients: 1.1 MiB' "$out/stdout"
	check "none are listed" bash -c "! grep -q owns '$out/stdout'"
}

is_json() { python3 -m json.tool <"$out/stdout" >/dev/null; }
are_json_lines() {
	local line
	while read -r line; do
		python3 -m json.tool <<<"$line" >/dev/null || return
	done <"$out/stdout"
	[[ $(wc -l <"$out/stdout") == "$1" ]]
}

test_json() {
	local kind
	for kind in "" empty old nobody many; do
		check "map --json $kind" ends 0 env FAKE=$kind "$fake" map --json
		check "is JSON" is_json
		check "info --json $kind" ends 0 env FAKE=$kind "$fake" info --json
		check "is JSON" is_json
		check "info $kind" ends 0 env FAKE=$kind "$fake" info
		check "stats --json $kind" ends 0 env FAKE=$kind "$fake" stats --json
		check "is one line" are_json_lines 1
	done
	check "stats 1 2" ends 0 "$fake" stats -j 1 2
	check "are two lines" are_json_lines 2
	check "cells are all there" ends 0 "$fake" map --json
	check "they add up" python3 -c '
import json, sys
map = json.load(open(sys.argv[1]))
for region in map["regions"]:
    for use, size in region["use"].items():
        assert size == sum(cell[use] for cell in region["cells"]), use
    assert sum(region["use"].values()) == region["bytes"]
assert [c["comm"] for c in map["clients"]][3] == "<&\"\x27\x1b[31m"
assert map["regions"][0]["start"] == "0x40000000"
assert map["free"]["longest"][0]["fragmentation"] > 0.79
' "$out/stdout"
	check "physical addresses are null" bash -c \
		"FAKE=nobody '$fake' map --json | python3 -c 'import json, sys
for r in json.load(sys.stdin)[\"regions\"]: assert r[\"start\"] is None'"
	echo "memmap=512M\$4G memmap=1G\$0x1000000000" >"$out/cmdline"
	check "regions --json" ends 0 "$tmm" regions --json --cmdline "$out/cmdline"
	check "is JSON" is_json
	test_regions
	check "demo --json" ends 1 env TMM_DEVICE=/nonexistent "$tmm" demo --json
	check "is JSON" is_json
	test_json_of_memory
}

# STATUS COMMAND...: with a fake kernel that gives memory, the command ends with STATUS and
# prints JSON.
speaks_json() {
	local status=$1 leaks=1
	shift
	# alloc drops no object; the kernel frees all when alloc ends
	[[ $1 != alloc ]] || leaks=0
	check "$*" ends "$status" env FAKE=serves ASAN_OPTIONS=detect_leaks=$leaks "$fake" "$@"
	check "$* is JSON" is_json
}

# Each call that the fake kernel serves has a 99.9th percentile and a slowest run; memcpy() is no call.
have_slowest_calls() {
	python3 -c '
import json, sys
results = [one for one in json.load(sys.stdin)["results"] if "error" not in one]
# neither copies nor pairs of calls are timed one by one
calls = [one for one in results if "samples" in one]
assert not any(one["name"].startswith("copy_") for one in calls), results
for one in calls:
    assert 1 <= one["samples"] <= 10000, one
    assert 0 < one["p999_ns"] <= one["worst_ns"], one
    assert one["samples"] >= 1000 or one["p999_ns"] == one["worst_ns"], one
    assert one["min_ns"] <= one["median_ns"] <= one["max_ns"], one
assert len(calls) > 4, results
assert not any("p999_ns" in one for one in results if one not in calls), results
' <"$out/stdout"
}

test_json_of_memory() {
	speaks_json 0 alloc -j -c -n 3 64K -- true
	speaks_json 0 alloc -j -k frames 4K -- true
	speaks_json 0 alloc -j -k pages 4K -- true
	speaks_json 0 translate -j 0xff00000000000000
	speaks_json 0 dump -j 0xff00000000000000
	check "dump has the page" grep -q '"kind": "page"' "$out/stdout"
	speaks_json 0 bench --rounds 1 --size 64K --json
	check "bench has a time" grep -q '"median_ns"' "$out/stdout"
	check "bench has the slowest calls" have_slowest_calls
	# the fake kernel does not count the second client's memory, so that step fails
	speaks_json 1 demo --json /etc/passwd
	check "the mapping is compared" bash -c \
		"[[ \$(grep -c 'the mapping and the file are identical' '$out/stderr') == 3 ]]"
	check "a mapping that differs is noticed" file_that_is_not_the_mapping
}

# The fake mapping does not keep what is written to it.
file_that_is_not_the_mapping() {
	ends 1 env FAKE=forgets "$fake" demo /etc/passwd &&
		grep -q '^demo: FAILED: .*the mapping differs from the file' "$out/stdout"
}

# Add an entry to a firmware's map: NUMBER TYPE START END
firmware_entry() {
	mkdir -p "$out/memmap/$1"
	echo "$2" >"$out/memmap/$1/type"
	echo "$3" >"$out/memmap/$1/start"
	echo "$4" >"$out/memmap/$1/end"
}

# PARAMETER WORDS-OF-STDERR MEMMAP
regions_are() {
	echo "$3" >"$out/cmdline"
	"$tmm" regions -f "$out/memmap" -c "$out/cmdline" >"$out/stdout" 2>"$out/stderr"
	[[ $(<"$out/stdout") == "$1" && $(<"$out/stderr") == *"$2"* ]] ||
		{ cat "$out/stdout" "$out/stderr"; return 1; }
}

test_regions() {
	firmware_entry 0 "System RAM" 0x0 0x9fbff
	firmware_entry 1 "Reserved" 0x9fc00 0x9ffff
	firmware_entry 2 "System RAM" 0x100000 0x7ffdffff
	firmware_entry 3 "Reserved" 0x7ffe0000 0x7fffffff
	firmware_entry 4 "System RAM" 0x100000000 0x17fffffff
	check "regions beside the firmware's" \
		regions_are "regions=64M@0x7bfe0000" "" "memmap=64M\$0x7bfe0000"
	check "regions that run into the firmware's" \
		regions_are "regions=64M@0x7bfe0000" "4096 of the 67112960 bytes" \
		"memmap=65540K\$0x7bfe0000"
	check "regions with a hole" \
		regions_are "regions=128M@0x77fe0000,1965952K@0x100000000" "not RAM: left out" \
		"memmap=4G\$0x77fe0000"
	check "regions that are no RAM" \
		regions_are "" "no memmap=" "memmap=64K\$0x7ffe0000"
	check "regions that do not fit" regions_are "" "memmap=17592186044417M\$1M: not a range: ignored" \
		"memmap=17592186044417M\$1M"
}

test_svg() {
	local kind
	for kind in "" empty old nobody many; do
		check "map --svg $kind" ends 0 env FAKE=$kind "$fake" map --svg "$out/map.svg"
		check "is XML" python3 -c 'import sys, xml.dom.minidom as d; d.parse(sys.argv[1])' \
			"$out/map.svg"
	done
	check "nothing else is left" test ! -e "$out/map.svg.new"
	check "map --svg -" ends 0 "$fake" map --svg -
	check "on stdout" grep -q '^<svg ' "$out/stdout"
	check "a place that is none" complains 1 "(ENOENT)" "$fake" map --svg /nonexistent/map.svg
}

# --- a terminal ----------------------------------------------------------------------

# The Python test uses a pty: a signal or a key ends the watch, and the terminal is restored.
test_watch() {
	local how
	for how in TERM INT HUP q; do
		check "--watch and $how" python3 "$(dirname "$0")/watch_test.py" "$fake" $how
	done
	check "--watch into a pipe" bash -c "timeout 30 '$fake' map --watch=0.1 | head -n 200 >'$out/stdout'"
	check "no escapes there" bash -c "! grep -q \$'\033' '$out/stdout'"
	check "several pictures" bash -c "[[ \$(grep -c '^region 0' '$out/stdout') -gt 1 ]]"
}

# shellcheck source=initramfs/share/bash-completion/tmm
source "$tools/completions/tmm"
test_calls
test_arguments
test_options
test_completion
test_width
test_picture
test_handles
test_json
test_svg
test_watch
end_checks tmm
