#!/bin/bash
# Usage: abi-libtmm.sh [renew]
#
# Compares the ABI of libtmm.so with the dump beside its sources: functions with their versions
# and parameters, and the structures of tmm.h. Fails if they differ, and also if a change that
# breaks programs is not found. With "renew", the script writes a new dump.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

source=$ROOT/initramfs/lib/libtmm
kept=$source/libtmm.abi
soname=libtmm.so.0
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT

# A structure that tmm.h only declares may change. The dump names no path of this machine.
dump_library() { # FOLDER
	abidw --headers-dir "$1/include" --drop-private-types --exported-interfaces-only \
		--no-corpus-path --no-comp-dir-path --no-show-locs --no-elf-needed \
		--type-id-style hash "$1/$soname" | sed "s| path='[^']*/| path='|"
}

# Any difference fails, as with the dump of the UAPI: a new function has to get into the dump too.
# abidiff ends with status 4, or more, only if it has found a difference.
compare_library() { # FOLDER
	local status=0
	abidiff "$kept" "$1/$soname" || status=$?
	((status == 0)) && return 0
	((status >= 4 && status < 128)) || die "abidiff failed (status $status)"
	return 1
}

# Builds the library with one change in a copy of its sources.
build_changed() { # FILE SED-SCRIPT
	local copy=$temporary/copy
	rm -rf "$copy"
	mkdir -p "$copy/include"
	cp "$source"/*.[ch] "$source/libtmm.map" "$copy"
	sed -i -E "$2" "$copy/$1"
	! cmp -s "$source/$1" "$copy/$1" || die "self-test: the change of $1 has no effect: $2"
	echo '__attribute__((visibility("default"))) void tmm_self_test(void) {}' >"$copy/self_test.c"
	cp "$copy/tmm.h" "$copy/include"
	gcc -shared -std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -g -fPIC -fvisibility=hidden \
		-w -I "$ROOT/theseus_mm/include/uapi" -Wl,-soname,$soname \
		-Wl,--version-script="$copy/libtmm.map" -o "$copy/$soname" "$copy"/*.c
}

must_differ() { # WHAT FILE SED-SCRIPT
	build_changed "$2" "$3"
	! compare_library "$temporary/copy" >"$temporary/said" 2>&1 ||
		die "self-test: abidiff does not find $1"
}

must_agree() { # WHAT FILE SED-SCRIPT
	build_changed "$2" "$3"
	compare_library "$temporary/copy" >"$temporary/said" 2>&1 ||
		{ cat "$temporary/said"; die "self-test: abidiff complains about $1"; }
}

test_comparison() {
	must_agree "a longer comment" tmm.h '1i /* a comment */'
	must_agree "a field of a private structure" internal.h \
		's/^struct tmm_client \{/&\n\tlong self_test;/'
	must_differ "a removed function" libtmm.map '/tmm_parts_drop;/d'
	must_differ "a function with another version" libtmm.map 's/LIBTMM_0/LIBTMM_1/'
	must_differ "a new field in the middle of a structure" tmm.h \
		's/^struct tmm_region \{/&\n\tuint64_t self_test;/'
	must_differ "a new function" libtmm.map 's/tmm_parts_drop;/&\n\ttmm_self_test;/'
}

"$ROOT/scripts/build-libtmm.sh"
if [[ ${1:-} == renew ]]; then
	dump_library "$BUILD/tools" >"$temporary/found"
	cp "$temporary/found" "$kept"
	note "written: ${kept#"$ROOT"/}"
	exit 0
fi
[[ $# == 0 ]] || die "unknown argument: $1: use renew or none"
if ! compare_library "$BUILD/tools" >"$temporary/said"; then
	cat "$temporary/said"
	cat <<-'WHY'
	abi: libtmm.so has changed. A function that is removed or changed, and a structure whose
	fields move, break existing programs: add a new function instead, and take new fields from
	the reserved ones. If the change is intended, run `make abi` and commit the new dump.
	WHY
	exit 1
fi
test_comparison
echo "abi: libtmm.so is unchanged ($(grep -c '<elf-symbol' "$kept") functions)"
