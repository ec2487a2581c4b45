#!/bin/bash
# Usage: abi.sh [renew]
#
# Compares the ABI in <linux/theseus_mm.h> with the dump in the same folder: every number, and
# the size and offset of every structure and field, for programs of 64 and of 32 bits. Fails if
# they differ. With "renew", the script writes a new dump.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

header=$ROOT/theseus_mm/include/uapi/linux/theseus_mm.h
kept=$ROOT/theseus_mm/include/uapi/linux/theseus_mm.abi
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT

# Turns the header into a program that prints the dump. A line of a structure that the script
# does not understand is an error, so that the dump is complete.
generate() {
	# without comments, and with continued lines as one
	gcc -fpreprocessed -dD -E -P "$header" 2>/dev/null | sed -e ':a' -e '/\\$/N; s/\\\n//; ta' |
		awk '
	BEGIN {
		print "#include <stddef.h>\n#include <stdio.h>\n#include <linux/theseus_mm.h>"
		print "#define MEMBER(s, m) ((struct s *)0)->m\nint main(void)\n{"
	}
	/^#define THESEUS_MM_[A-Z0-9_]+[ \t]+[^ \t]/ {
		printf "\tprintf(\"%s %%#llx\\n\", (unsigned long long)(%s));\n", $2, $2
		next
	}
	/^struct [a-z0-9_]+ *\{$/ {
		name = $2
		printf "\tprintf(\"struct %s size %%zu align %%zu\\n\", sizeof(struct %s), _Alignof(struct %s));\n",
			name, name, name
		next
	}
	/^\};$/ { name = ""; next }
	name != "" {
		if (!match($0, /^[ \t]*[a-z_0-9]+ [a-z_0-9]+(\[[A-Za-z0-9_]+\])?;$/)) {
			print "unexpected line in a structure: " $0 >"/dev/stderr"
			exit 1
		}
		field = $2
		sub(/(\[.*)?;$/, "", field)
		printf "\tprintf(\"%s.%s offset %%zu size %%zu\\n\", offsetof(struct %s, %s), sizeof(MEMBER(%s, %s)));\n",
			name, field, name, field, name, field
	}
	END { print "\treturn 0;\n}" }'
}

# Each line has both widths, so that a difference between them can be seen.
dump() {
	local bits
	generate >"$temporary/dump.c" || die "$header: a structure that this script does not understand"
	for bits in 64 32; do
		gcc "-m$bits" -std=gnu11 -Wall -Werror -I "${header%/linux/*}" -o "$temporary/dump$bits" \
			"$temporary/dump.c"
		"$temporary/dump$bits" >"$temporary/$bits"
	done
	echo "# What theseus_mm.h gives to programs of 64 bits | of 32. Written by: make abi"
	paste -d'|' "$temporary/64" "$temporary/32" |
		awk -F'|' '{ rest = $2; sub(/^(struct )?[^ ]+ /, "", rest); print $1 " | " rest }'
}

dump >"$temporary/found"
if [[ ${1:-} == renew ]]; then
	cp "$temporary/found" "$kept"
	note "written: ${kept#"$ROOT"/}"
	exit 0
fi
[[ $# == 0 ]] || die "unknown argument: $1: use renew or none"
[[ $(wc -l <"$temporary/found") -gt 100 ]] || die "$header: the dump is far too short"
if diff -u --label "${kept#"$ROOT"/} (kept)" --label "${header#"$ROOT"/} (now)" \
	"$kept" "$temporary/found"; then
	echo "abi: unchanged ($(grep -c . "$kept") lines)"
	exit 0
fi
cat <<'WHY'
abi: theseus_mm.h has changed. A line that is removed or changed breaks existing programs:
new calls, and new fields at the end of a structure, may only be added. Two changes are
harmless: the size of a structure that grew at its end, and the numbers of its calls, which
contain that size. If the change is intended, run `make abi` and commit the new dump.
WHY
exit 1
