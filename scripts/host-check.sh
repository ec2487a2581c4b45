#!/bin/bash
# Usage: host-check.sh [CHECK...]   (CHECK: a file CHECK_check.c in proof/host/)
#
# Compiles sources of the module for this machine, and runs the checks in proof/host/ on them. Then
# breaks a source for each line of proof/host/breaks, and runs one of the checks again, which has to
# fail. Boots nothing. Prints a line for each part with its number of cases, and ends with the line
# `N passed, N failed`.
set -euo pipefail
shopt -s inherit_errexit
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

linux=$("$ROOT/scripts/unpack-source.sh")
# the compiler of the debug kernel, which has the same source
compiler=$(debug_compiler)
cd "$ROOT"
folder=proof/host
out=$BUILD/host-check
log=$out/log
# Two runs at a time would use the same files.
exec 9>"$out.lock"
flock 9
rm -rf "$out"
mkdir -p "$out"

checks=("$@")
if ((!$#)); then
	mapfile -t checks < <(cd "$folder" && printf '%s\n' ./*_check.c | sed 's:^\./::; s/_check\.c$//')
fi

sources=(
	theseus_mm/core/{address,number,page,range}.c
	theseus_mm/alloc/{account,bad_frames,chunk,chunk_cache,clean_map,cleaner,clear,fit}.c
	theseus_mm/alloc/{frame_maps,frame_regions,frame_table,frames,frames_clear,frames_split}.c
	theseus_mm/alloc/{free_map,free_map_find,free_ranges,free_set,magazine,magazine_fill}.c
	theseus_mm/alloc/{magazine_home,pages,quarantine,range_allocator,range_request,range_search}.c
	theseus_mm/alloc/table_frames.c theseus_mm/mapping/placement.c
	"$linux"/lib/{ctype,rbtree}.c
	"$folder"/{runtime,cells,world,steps,frame_steps}.c
)
# Headers of Linux serve where they need no kernel; those in proof/host/include/ come first.
# shellcheck disable=SC2054 # the comma is part of an option
flags=(-std=gnu11 -O1 -g1 -nostdinc -isystem "$("$compiler" -print-file-name=include)"
	-Wall -Werror -Wno-unused-but-set-variable -fno-strict-aliasing -fno-strict-overflow
	-ffunction-sections -fdata-sections
	-fsanitize=address,undefined -fno-sanitize-recover=undefined
	-D__KERNEL__ -DCONFIG_64BIT -include common.h
	-I "$folder/include" -I "$folder" -I theseus_mm -I theseus_mm/include
	-I "$linux/include" -I "$linux/include/uapi")

object_of() { # SOURCE
	printf '%s/%s.o\n' "$out" "$(basename "$1" .c)"
}

compile() { # SOURCE OBJECT
	ccache "$compiler" "${flags[@]}" -c -o "$2" "$1"
}

link() { # CHECK OBJECT...
	"$compiler" -fsanitize=address,undefined -Wl,--gc-sections -o "$out/$1" "$(object_of "$1_check.c")" \
		"${@:2}"
}

export CCACHE_DIR=$CACHE/ccache CCACHE_MAXSIZE=2G
passed=0 failed=0
objects=()
for source in "${sources[@]}"; do
	objects+=("$(object_of "$source")")
	compile "$source" "${objects[-1]}"
done

for check in "${checks[@]}"; do
	compile "$folder/${check}_check.c" "$(object_of "${check}_check.c")"
	link "$check" "${objects[@]}"
	status=0
	"$out/$check" >"$log" 2>&1 || status=$?
	sed "s/^ok /ok $check: /" "$log"
	passed=$((passed + $(grep -c '^ok ' "$log" || :)))
	if ((status)); then
		echo "FAILED $check (status $status)"
		failed=$((failed + 1))
	fi
done

# Replaces a source by its broken copy, and expects that the check fails.
catches() { # CHECK FILE EXPRESSION
	local broken=$out/broken.c object status=0
	object=$(object_of "$2")
	sed -E "$3" "$2" >"$broken"
	if cmp -s "$2" "$broken"; then
		echo "the expression changes nothing in $2"
		return 1
	fi
	compile "$broken" "$out/broken.o" || return 1
	# Each object but that of the source
	link "$1" "${objects[@]/#$object/$out/broken.o}" || return 1
	timeout 600 "$out/$1" >"$log" 2>&1 || status=$?
	case $status in
	0) echo "the check passes" && return 1 ;;
	124) echo "the check does not end" && return 1 ;;
	esac
}

while IFS='|' read -r check file expression what; do
	[[ $check && $check != \#* && " ${checks[*]} " == *" $check "* ]] || continue
	if catches "$check" "theseus_mm/$file" "$expression"; then
		echo "ok $check catches: $what"
		passed=$((passed + 1))
	else
		echo "FAILED $check does not catch: $what"
		failed=$((failed + 1))
	fi
done <"$folder/breaks"

printf '%d passed, %d failed\n' "$passed" "$failed"
((failed == 0 && passed > 0))
