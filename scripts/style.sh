#!/bin/bash
# Usage: style.sh
#
# Checks the sources without building them: Linux's checkpatch and kernel-doc, shellcheck, the
# direction of includes, the rules of house.py, and the names in documents. Prints every finding,
# and fails if there is one.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

source=$("$ROOT/scripts/unpack-source.sh")
cd "$ROOT"
status=0
failed() { echo "style: $1 is not clean"; status=1; }

mapfile -t module < <(find theseus_mm kunit bench/kernel bench/marks -name '*.[ch]' | sort)
mapfile -t user < <(find initramfs bench scripts -name '*.[ch]' ! -path 'bench/kernel/*' ! -path 'bench/marks/*' | sort)
# The headers below proof/host/ imitate macros of Linux, and so look wrong to checkpatch.
mapfile -t -O "${#user[@]}" user < <(find proof/host -maxdepth 1 -name '*.[ch]' | sort)
mapfile -t scripts < <(find scripts .ci initramfs -name '*.sh' -o -path ".ci/*" | sort)

# Types of checkpatch that do not apply here, each with the reason.
ignored=(
	# asks for an entry in MAINTAINERS, which a module out of tree lacks
	FILE_PATH_CHANGES
	# sparse needs `typedef u64 __bitwise` to tell flags from raw bits
	NEW_TYPEDEFS
	# kselftest's and KUnit's table macros are not functions
	MACRO_ARG_REUSE
	COMPLEX_MACRO
	# a header of the user API has no BIT()
	BIT_MACRO
	# core/compat.[ch] must support several versions; house.py checks that no other file does
	LINUX_VERSION_CODE
	# mistakes TMM_BUG_IF(), which only warns, for BUG_ON(); BUG() is checked below
	AVOID_BUG
)
strict=--strict
checkpatch() {
	printf '%s\0' "$@" | xargs -0 -r -P "$(nproc)" -n 6 \
		perl "$source/scripts/checkpatch.pl" --no-tree $strict --terse \
		--no-summary --ignore "$(IFS=,; echo "${ignored[*]}")" -f
}
# checkpatch mistakes `FIXTURE_DATA(x) *self` for a product
products="need consistent spacing around '\*' (ctx:WxV)"
# checkpatch mistakes the declaration TMM_BORROW(type) for a call before a cast
unless_of_a_borrow() {
	local file line what
	while IFS=: read -r file line what; do
		[[ -n $file ]] || continue
		sed -n "${line}p" "$file" | grep -qE '^\s*TMM_BORROW(_MUT)?\(' ||
			printf '%s:%s:%s\n' "$file" "$line" "$what"
	done
}
findings=$(checkpatch "${module[@]}") || [[ -n $findings ]] || failed "running checkpatch"
# Tracepoints have the layout of Linux's. The strict checks mistake them for calls, and the
# path of their header for a division.
tracepoints='^theseus_mm/[a-z/]*/trace\.h:[0-9]*: CHECK: \(Alignment should match\|Lines should not end\|spaces preferred around that .\/.\)'
unless_of_a_borrow <<<"$findings" | grep -v -e "$tracepoints" -e '^$' && failed checkpatch
# Programs lack ARRAY_SIZE(), __printf() and pr_*(), and have tables of strings. The strict
# checks mistake kselftest's macros, which declare and loop, for calls.
strict=
ignored+=(ARRAY_SIZE PREFER_DEFINED_ATTRIBUTE_MACRO EMBEDDED_FUNCTION_NAME SPLIT_STRING
	STATIC_CONST_CHAR_ARRAY MACRO_WITH_FLOW_CONTROL ENOSYS)
# A signal handler needs volatile variables; functions that --wrap adds have no header.
ignored+=(VOLATILE AVOID_EXTERNS)
findings=$(checkpatch "${user[@]}") || [[ -n $findings ]] || failed "running checkpatch"
grep -v -e "$products" -e '^$' <<<"$findings" && failed "checkpatch of initramfs/"

grep -nE '\bBUG(_ON)?\(' "${module[@]}" && failed "BUG()"

docs=$(perl "$source/scripts/kernel-doc" -none "${module[@]}" 2>&1)
[[ -z $docs ]] || { echo "$docs"; failed kernel-doc; }

# A file includes headers of its own layer or of a lower one. All files may include the public
# headers in include/. kernel/ and device/ must not include each other.
layers() {
	awk '
	# the folder of a file below theseus_mm/; main.c is a layer of its own
	function floor_of(name) {
		if (name ~ /^(include|uapi|linux)\//) return "include"
		sub(/\/[^\/]*$/, "", name)
		return name
	}
	BEGIN {
		level["include"] = 0; level["core"] = 1; level["alloc"] = 2
		level["paging"] = 3; level["mapping"] = 4; level["kernel"] = 5
		level["device/share"] = 5; level["device/client"] = 6; level["device/show"] = 7
		level["device/call"] = 8; level["device"] = 9; level["main.c"] = 10
	}
	/^#include "/ {
		file = FILENAME; sub(/^theseus_mm\//, "", file); from = floor_of(file)
		match($0, /"[^"]*"/); name = substr($0, RSTART + 1, RLENGTH - 2)
		# the name of a header in the same folder has no folder
		if (name !~ /\//) next
		to = floor_of(name)
		if (!(from in level)) {
			print FILENAME ": is in no layer: add the folder to layers()"; bad = 1
			nextfile
		}
		if (!(to in level)) {
			print FILENAME ":" FNR ": " name " is in no layer"; bad = 1
		} else if (level[to] > level[from]) {
			print FILENAME ":" FNR ": " from " includes " name " of a higher layer"
			bad = 1
		} else if ((from == "kernel" && to ~ /^device/) || (to == "kernel" && from ~ /^device/)) {
			print FILENAME ":" FNR ": " from " includes " name " of the other face"
			bad = 1
		}
	}
	END { exit bad }' "$@"
}
mapfile -t layered < <(find theseus_mm -name '*.[ch]' ! -path '*/include/*' | sort)
layers "${layered[@]}" || failed "the layering"

# Only main.c declares module parameters.
grep -nE '\bmodule_param|MODULE_PARM_DESC' "${layered[@]}" | grep -v '^theseus_mm/main\.c:' &&
	failed "the module's parameters"

# house.py has rules for sizes, names, prototypes, circles of calls, kernel-doc, the handling of
# errors, the places of macros, and unused code.
python3 scripts/house.py --self-test || failed "the self-test of house.py"
python3 scripts/house.py || failed "the house"

# The driver tests may include only what any other driver may include.
grep -nE '^#include "|MODULE_IMPORT_NS' kunit/driver/* |
	grep -vE -e '"(linux/theseus_mm|driver/driver_(fixture|allocate|map)|support/fault)\.h"' \
		-e 'MODULE_IMPORT_NS\(THESEUS_MM\)' &&
	failed "the driver's includes"

# The table of calls for the trace events has the calls of the ABI's dump, and no others.
calls=$(diff \
	<(sed -n 's/^THESEUS_MM_IOC_\([A-Z_]*\) 0x[0-9a-f]*\([0-9a-f][0-9a-f]\) | .*/0x\2 \1/p' \
		theseus_mm/include/uapi/linux/theseus_mm.abi | grep -v ' MAGIC$' | sort) \
	<(sed -n 's/^\trow(\(0x[0-9a-f][0-9a-f]\), \([A-Z_]*\)).*/\1 \2/p' \
		theseus_mm/device/call/trace.h | sort)) || :
[[ -z $calls ]] || { echo "$calls"; failed "the trace's table of calls"; }

mapfile -t readmes < <(git ls-files '*README.md')
# Each test that a README names as `suite:case` must exist.
named=$(awk '
	FNR == NR || FILENAME ~ /_test\.c$/ {
		if (match($0, /\.name = "theseus_mm_[a-z0-9_]+"/))
			suite = substr($0, RSTART + 20, RLENGTH - 21)
		if (FNR == 1) n = 0
		if (match($0, /KUNIT_CASE(_PARAM)?\([a-z0-9_]+/)) {
			name = substr($0, RSTART, RLENGTH); sub(/.*\(/, "", name)
			cases[++n] = name
		}
		if (/kunit_test_suite\(/) for (i = 1; i <= n; i++) known[suite ":" cases[i]] = 1
		next
	}
	{
		line = $0
		while (match(line, /`[a-z0-9_]+:[a-z0-9_]+`/)) {
			name = substr(line, RSTART + 1, RLENGTH - 2)
			if (!(name in known)) print FILENAME ":" FNR ": there is no test " name
			line = substr(line, RSTART + RLENGTH)
		}
	}' kunit/*/*_test.c "${readmes[@]}")
[[ -z $named ]] || { echo "$named"; failed "the tests that a README names"; }

# Each file that a document names must exist. A link is relative to the document, and its anchor
# is a heading of the file. A name in backquotes that has a slash or one of our endings is a path
# from the document's folder, from one of the roots below, or from Linux's source. A name without
# a slash may be the name of any file.
documents=("${readmes[@]}" initramfs/tests/FAULTS.md initramfs/tests/MODES.md initramfs/share/TROUBLESHOOTING.md
	initramfs/share/SAME_TASK.md)
roots=(. theseus_mm theseus_mm/include kunit initramfs "$source")
anchors() { # FILE
	# shellcheck disable=SC2016 # no expansion
	sed -nE '/^```/,/^```/d; s/^#+ //p' "$1" | tr 'A-Z ' 'a-z-' | tr -cd 'a-z0-9_\n-'
}
check_links() { # DOCUMENT
	local link file anchor
	while read -r link; do
		[[ $link != *:* ]] || continue
		file=${link%%#*} anchor=${link#"${link%%#*}"}
		file=${file:+$(dirname "$1")/$file}
		if [[ ! -e ${file:=$1} ]]; then
			echo "$1: the file of the link $link does not exist"
		elif [[ $anchor ]] && ! anchors "$file" | grep -qxF -- "${anchor#\#}"; then
			echo "$1: the heading of the link $link does not exist"
		fi
	done < <(grep -oE '\]\([^) ]+\)' "$1" | sed 's/^](//; s/)$//' | sort -u)
}
check_names() { # DOCUMENT
	local name root
	# shellcheck disable=SC2016 # the backquotes are the document's
	while read -r name; do
		if [[ $name != */* ]]; then
			grep -qE "(^|/)${name//./\\.}$" <<<"$tracked" || echo "$1: no file $name"
			continue
		fi
		for root in "$(dirname "$1")" "${roots[@]}"; do
			[[ ! -e $root/$name ]] || continue 2
		done
		echo "$1: no file $name"
	done < <(grep -oE '`[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*/?(:[a-z0-9_]+)?`' "$1" | tr -d '`' |
		sed 's/:.*//' |
		grep -E '^(theseus_mm|kunit|initramfs|scripts|\.ci|core|alloc|paging|mapping|kernel|device|include|uapi|arch|mm)/|\.(c|h|sh|py|md|map|config|abi)$' |
		grep -v '^build/' | sort -u)
}
tracked=$(git ls-files)
stale=$(for document in "${documents[@]}"; do
	check_links "$document"
	check_names "$document"
done)
[[ -z $stale ]] || { echo "$stale"; failed "what documents name"; }

# README.md is for people who have never seen the project, and must stay short.
lines=$(wc -l <README.md)
((lines <= 250)) || failed "README.md ($lines lines, at most 250 are allowed)"

# Each test that the table of faults names as `FILE:case` must exist; FILE is a path from the
# root. Each row must name a test.
fault_table=initramfs/tests/FAULTS.md
missing=$(grep '^| [^-]' "$fault_table" | tail -n +2 | while IFS= read -r row; do
	# shellcheck disable=SC2016 # the backquotes are the table's
	mapfile -t tests < <(grep -oE '`[a-z0-9_/.]+:[a-z0-9_]+`' <<<"$row" | tr -d '`')
	((${#tests[@]})) || echo "$fault_table: no test: ${row:0:60}"
	for test in "${tests[@]}"; do
		case=${test#*:}
		grep -qE "(KUNIT_CASE(_PARAM)?\(|TEST(_F)?(_SIGNAL|_TIMEOUT)?\((\w+, )?|^(static )?(void|int) |^)$case\b" \
			"${test%%:*}" 2>/dev/null || echo "$fault_table: there is no test $test"
	done
done)
[[ -z $missing ]] || { echo "$missing"; failed "the table of faults"; }

# Each mutant applies, and the table has the results of the patches as they are.
scripts/test/mutants.py check || failed "the mutants"

# A test calls each exported function. Functions that are only called through inline functions
# or macros are replaced by those.
called_through() {
	case $1 in
	tmm_borrow_typed) echo 'tmm_as_(type|slice)(_mut)?' ;;
	tmm_borrow_enter_window) echo tmm_borrow_enter ;;
	tmm_allocate_frames_by_request_deferred) echo 'tmm_allocate_frames_(by_bytes_)?deferred' ;;
	tmm_range_new) echo 'tmm_(page|frame)_range_new' ;;
	tmm_range_from_bytes) echo 'tmm_(page|frame)_range_from_addr' ;;
	tmm_range_contains) echo 'tmm_(page|frame)_range_contains(_range)?' ;;
	tmm_range_contains_number) echo 'tmm_(page|frame)_range_contains_address' ;;
	tmm_range_overlap) echo 'tmm_(page|frame)_range_overlap' ;;
	tmm_range_to_extended) echo 'tmm_(page|frame)_range_to_extended' ;;
	tmm_range_convert) echo 'tmm_(page|frame)_range_convert' ;;
	*) echo "$1" ;;
	esac
}
untested=$(grep -rhoE '^EXPORT_SYMBOL_TMM\(\w+\)' theseus_mm --include='*.c' |
	sed 's/.*(//; s/)//' | sort |
	while read -r name; do
		grep -qwE "$(called_through "$name")" kunit/*/*_test.c || echo "$name: no test calls it"
	done)
[[ -z $untested ]] || { echo "$untested"; failed "the tests of what is exported"; }

# Types of the module for Python, and of the examples that use it
for program in initramfs/lib/python3/theseus_mm initramfs/share/examples/python/*.py; do
	MYPYPATH=initramfs/lib/python3 mypy --strict --no-error-summary \
		--cache-dir="$BUILD/mypy" "$program" || failed "mypy of $program"
done

shellcheck -x "${scripts[@]}" || failed shellcheck
shellcheck -s dash initramfs/init initramfs/src/theseus-mm/check-build debian/*.post* ||
	failed "shellcheck of the scripts for sh"

((status)) || echo "style: clean (${#module[@]} + ${#user[@]} C files, ${#scripts[@]} scripts)"
exit "$status"
