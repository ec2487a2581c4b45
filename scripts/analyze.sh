#!/bin/bash
# Usage: analyze.sh
#
# Runs tools that look for faults without running the code, and compares their findings with
# scripts/findings.txt (see findings.py). That list has the findings that are no faults, each with
# its reason. Any other finding fails, and so does an entry of the list that no tool finds any more.
# The list is for the tools of Debian 12: what other versions find is printed, and does not fail.
# Linux's own headers do not count. The last line is `N passed, N failed`; each part counts once:
#
#   w1          gcc's warnings with W=1, in all modules for Debian's kernel and the debug kernel
#   coccinelle  Linux's own scripts for coccinelle, over all files of the modules
#   clang       clang's analyzer, over the modules and programs, without tests
#   fanalyzer   gcc's analyzer, over the same sources
#
# checkpatch and kernel-doc are in style.sh, and sparse is in check.sh.
#
#   PARTS   run only these parts: names separated by commas
#   FILE    look at this source or folder only, a path from the root of the tree
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

cd "$ROOT"
all=(w1 coccinelle clang fanalyzer)
for name in $(tr , ' ' <<<"${PARTS:-}"); do
	[[ " ${all[*]} " == *" $name "* ]] || die "PARTS: $name: no such part; there are ${all[*]}"
done
chosen=${FILE:-}
[[ -z $chosen || -e $chosen ]] || die "FILE: there is no $chosen"
export BUILD out=$BUILD/analyze
mkdir -p "$out"

# Runs a function for each line of the standard input, on all CPUs. A function that fails makes the
# part fail. What the functions print is not mixed, since a note belongs to the finding before it.
each() { # FUNCTION
	xargs -r -d '\n' -P "$(nproc)" -n 1 bash -euo pipefail -c "$(declare -f "$1" run_one)
		run_one $1 \"\$1\"" -
}

# shellcheck disable=SC2317 # each() calls it
run_one() { # FUNCTION ARGUMENT
	local said status
	# bash ignores errexit in a function whose status is tested
	set +e
	said=$(set -e; "$1" "$2" 2>&1)
	status=$?
	set -e
	[[ -z $said ]] || (flock 9 && printf '%s\n' "$said") 9>"$out/lock"
	return "$status"
}

# Filters the names of files.
choose() { sort | awk -v chosen="$chosen" 'chosen == "" || $0 == chosen || index($0, chosen "/") == 1'; }

# The versions that the list is for. The compilers of the kernels, which W=1 is for, have none.
declare -A listed=([coccinelle]=1.1 [clang]=14 [fanalyzer]=12)
version_of() { # PART
	case $1 in
	coccinelle) spatch --version | sed -n '1s/^spatch version \([0-9.]*[0-9]\).*/\1/p' ;;
	clang) clang -dumpversion ;;
	fanalyzer) gcc -dumpfullversion ;;
	esac
}
is_listed() { # PART VERSION
	[[ $2. == "${listed[$1]:+${listed[$1]}.}"* ]]
}

# Builds with -k, so that the findings of all files are shown. An object that is already built has no
# warning, since each warning is an error.
find_w1() {
	local kernel
	for kernel in stock debug; do
		build_module "$kernel" -k
	done
}

# Also builds the module that measures, which is for Debian's kernels.
build_module() { # KERNEL [MAKE-ARGUMENT...]
	local bench=
	[[ $1 == debug ]] || bench=1
	TMM_BENCH=$bench scripts/build-module.sh "$@" 2>&1 ||
		echo "analyze: the modules for the kernel $1 cannot be built"
}

# The first two scripts need a compiler for OCaml: one is about the tables of one driver of Linux, and
# sparse finds the pointers that the other one finds. The third one proposes min() and max(), and
# takes longer than any other.
skipped=(api/check_bq27xxx_data null/badzero misc/minmax)

# Prints the findings of one script. Such a script names its own options for spatch.
# shellcheck disable=SC2317 # each() calls it
run_spatch() { # SCRIPT
	local options
	read -ra options < <(sed -n 's/.*Options: *//p' "$1") || :
	spatch -D report --very-quiet --cocci-file "$1" "${options[@]}" --dir .
}

find_coccinelle() {
	local source tree=$out/tree
	source=$(scripts/unpack-source.sh)/scripts/coccinelle
	rm -rf "$tree"
	mkdir "$tree"
	find theseus_mm kunit bench/kernel bench/marks -name '*.[ch]' | choose |
		rsync -a --files-from=- "$ROOT" "$tree"
	cd "$tree"
	find "$source" -name '*.cocci' | grep -vE "/($(IFS='|'; echo "${skipped[*]}"))\.cocci$" | sort |
		each run_spatch
}

# Analyses a source of a module with the flags of its build that decide what the code means. Kbuild
# writes the command of the build, which ends with the object and the source, to a file.
# shellcheck disable=SC2317 # each() calls it
run_for_module() { # COMMAND-FILE
	local line flags=() dir=${1#"$BUILD/"}
	dir=$BUILD/${dir%%/*}
	line=$(sed -n '1s/^[a-z]*cmd_[^ ]* := //p' "$1")
	# the file quotes for the shell
	eval "set -- ${line%%;*}"
	while (($# > 2)); do
		case $1 in
		-include | -isystem | -I | -D) flags+=("$1" "$2"); shift ;;
		-I* | -D* | -U* | -std=* | -nostdinc | -m64 | -mcmodel=* | -fshort-wchar | -O2) flags+=("$1") ;;
		esac
		shift
	done
	cd "$(<"$dir/.kernel")"
	if [[ $analyzer == gcc ]]; then
		gcc "${flags[@]}" -fno-pie -fanalyzer -fdiagnostics-path-format=none -c -o /dev/null "$2"
		return
	fi
	# the analyzer does not know that assembly sets a variable, such as a CPU's own
	clang --analyze -Wno-everything -Xclang -analyzer-output=text \
		-Xclang -analyzer-disable-checker=core.uninitialized.Assign "${flags[@]}" -o /dev/null "$2"
}

# Programs are built by several scripts. These flags and folders serve all of them.
write_program_flags() {
	local selftests
	selftests=$(scripts/unpack-source.sh)/tools/testing/selftests
	mkdir -p "$out/include"
	scripts/device_page.py examples >"$out/include/device_page_examples.h"
	cat >"$out/program.flags" <<-END
		-O2 -std=gnu11 -pthread -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DTMM_VERSION=__DATE__
		-I theseus_mm/include/uapi -I initramfs/lib/libtmm -I bench -I bench/program
		-I $out/include -I $selftests
	END
}

# gcc sees the conditions that the source has if nothing is optimised. gcc 12 calls memory lost that an
# array behind a pointer has taken over; clang looks for lost memory, too.
# shellcheck disable=SC2317 # each() calls it
run_for_program() { # SOURCE
	if [[ $analyzer == gcc ]]; then
		gcc "@$out/program.flags" -O0 -fanalyzer -Wno-analyzer-malloc-leak \
			-fdiagnostics-path-format=none -c -o /dev/null "$1"
		return
	fi
	clang --analyze -Wno-everything -Xclang -analyzer-output=text "@$out/program.flags" -o /dev/null "$1"
}

# A test checks a pointer with a macro of kselftest or KUnit, which ends the test in a way that the
# analyzers do not see, so that each such check would give findings.
list_programs() {
	find initramfs bench/program -name '*.c' ! -path 'initramfs/tests/*' | choose
}

# Prints the files with the commands of the build for Debian's kernel.
list_commands() { # <SOURCES
	local file
	while read -r file; do
		find "$BUILD/module-stock/${file%/*}" -maxdepth 1 -name ".$(basename "$file" .c).o.cmd"
	done
}

analyze_all() { # clang|gcc
	export analyzer=$1
	build_module stock
	find theseus_mm bench/kernel -name '*.c' | choose | list_commands | each run_for_module
	write_program_flags
	list_programs | each run_for_program
}

find_clang() { analyze_all clang; }
find_fanalyzer() { analyze_all gcc; }

passed=0
failed=0
pid=
# Ends a run that is interrupted, which has not passed, and its tools.
interrupted() {
	[[ -z $pid ]] || kill -- "-$pid"
	echo "$passed passed, $((failed + 1)) failed"
}
trap interrupted EXIT
trap 'exit 130' INT TERM
for name in "${all[@]}"; do
	[[ -z ${PARTS:-} || ,$PARTS, == *,$name,* ]] || continue
	start=$SECONDS
	status=ok
	log=$out/$name.log
	# Bash ignores errexit in a function whose status is tested. The job is a process group.
	set -m
	"find_$name" </dev/null >"$log" 2>&1 &
	set +m
	pid=$!
	wait "$pid" || {
		tail -n 20 "$log"
		echo "analyze: $name: the tools failed, see $log"
		status=failed
	}
	pid=
	! grep '^analyze: ' "$log" || status=failed
	version=$(version_of "$name")
	scripts/findings.py "$name" scripts/findings.txt ${chosen:+"$chosen"} <"$log" ||
		! is_listed "$name" "$version" || status=failed
	is_listed "$name" "$version" ||
		echo "analyze: $name: the list is for version ${listed[$name]}, and this is $version: its findings do not fail"
	if [[ $status == ok ]]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
	echo "analyze: $name${version:+ $version}: $status ($((SECONDS - start)) s)"
done
trap - EXIT
echo "$passed passed, $failed failed"
((failed == 0 && passed > 0))
