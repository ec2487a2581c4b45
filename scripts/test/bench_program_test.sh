#!/bin/bash
# Tests the parts of bench_program that need no device: its command line, the percentiles, and the
# lines that bench.py reads. The last line is `N passed, N failed`.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=scripts/test/checks.sh
. "$root/scripts/test/checks.sh"
unset BENCH_ROWS BENCH_SYSTEMS BENCH_SIZES

program=$temporary/bench_program
tester=$temporary/tester
flags=(-O2 -std=gnu11 -Wall -Wextra -Werror -pthread -D_GNU_SOURCE -I "$root/bench/program"
	-I "$root/theseus_mm/include/uapi")
gcc "${flags[@]}" -o "$program" "$root"/bench/program/*.c
gcc "${flags[@]}" -fsanitize=address,undefined -fno-sanitize-recover=undefined -o "$tester" \
	"$root/scripts/test/bench_program_test.c" "$root"/bench/program/{area,clock,device,machine,result}.c

# The program measures nothing, and changes nothing on this machine, if an argument is wrong.
refuses() { # TEXT ARGUMENT...
	local status=0
	"$program" "${@:2}" >"$log" 2>&1 || status=$?
	[[ $status == 2 ]] && grep -qF -- "$1" "$log" && ! grep -q tmm-bench "$log"
}

refuses_variable() {
	local status=0
	BENCH_SIZES=$1 "$program" calls >"$log" 2>&1 || status=$?
	[[ $status == 2 ]] && grep -qF "$1: expected up to 8 numbers" "$log"
}

prints_help() {
	"$program" --help >"$log" 2>&1
	grep -q '^Usage: bench_program' "$log"
}

prints() { # ROWS SYSTEMS, expected lines on stdin
	local status=0
	"$tester" "$1" "$2" >"$log" 2>&1 || status=$?
	[[ $status == 0 ]] && diff - "$log"
}

fails_with_reason() {
	local status=0
	"$tester" "the reason" >"$log" 2>&1 || status=$?
	[[ $status == 1 ]] && grep -qxF 'tmm-bench: failed row-a the reason' "$log"
}

check "a group that does not exist" refuses 'nothing: no such group' calls nothing
check "an option that does not exist" refuses 'Usage: bench_program' --nothing
for sizes in 0 100001 1,0 1,,2 5x ',' 1,2,3,4,5,6,7,8,9; do
	check "--sizes $sizes" refuses "$sizes: expected up to 8 numbers from 1 to 100000" -n "$sizes"
done
check "BENCH_SIZES" refuses_variable 7,x
check "--help" prints_help
check "percentiles" "$tester"
check "all lines" prints '' '' <<'END'
tmm-bench: row-a ours 100 cycles 1 12.2 12 12
tmm-bench: row-a linux 1 bytes 3 5.5000 6 7
tmm-bench: row-b ours 1 bytes 3 5.5000 6 7
tmm-bench: row-a ours - skipped no room for 5
tmm-bench: row-b ours - skipped nobody asked
tmm-bench: # program: a note
END
check "the lines of chosen rows and systems" prints row-c,row-a ours <<'END'
tmm-bench: row-a ours 100 cycles 1 12.2 12 12
tmm-bench: row-a ours - skipped no room for 5
tmm-bench: # program: a note
END
check "a row is not chosen by a part of its name" prints row,row-ab '' <<'END'
tmm-bench: # program: a note
END
check "a failure" fails_with_reason
tells_errors_apart() {
	"$tester" errors >"$log" 2>&1 && diff - "$log"
}
check "too few huge pages, and another error" tells_errors_apart <<'END'
tmm-bench: row-a hugetlb - skipped Linux has too few huge pages
tmm-bench: failed row-a hugetlb: huge pages: EMFILE
END

echo "$passed passed, $failed failed"
((failed == 0))
