#!/bin/bash
# Tests analyze.sh and findings.py in a small tree: each part has to find a fault that is planted in a
# file, unless the list has that finding with a reason. The last line is `N passed, N failed`.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
source=$("$root/scripts/unpack-source.sh")
# shellcheck source=scripts/test/checks.sh
. "$root/scripts/test/checks.sh"
unset PARTS FILE

tree=$temporary/tree
kernel=$temporary/kernel
mkdir -p "$tree"/{scripts,theseus_mm/core,kunit,bench/kernel,bench/marks,bench/program,initramfs/lib} \
	"$kernel/scripts/coccinelle/free"
cp "$root"/scripts/{analyze.sh,findings.py,common.sh} "$tree/scripts/"
cp "$source/scripts/coccinelle/free/ifnullfree.cocci" "$kernel/scripts/coccinelle/free/"
list=$tree/scripts/findings.txt
module=$tree/theseus_mm/core/number.c
program=$tree/initramfs/lib/query.c

write_script() { # NAME
	{ echo '#!/bin/bash'; cat; } >"$tree/scripts/$1"
	chmod +x "$tree/scripts/$1"
}
write_script unpack-source.sh <<<"echo $kernel"
write_script device_page.py <<<:
# Builds number.c as a program's object, and leaves the command as Kbuild does.
write_script build-module.sh <<'END'
dir=$(cd "$(dirname "$0")/.." && pwd)/build/module-$1
object=theseus_mm/core/number.o
mkdir -p "$dir/theseus_mm/core"
cp "$(dirname "$0")/../${object%.o}.c" "$dir/theseus_mm/core/"
echo "$dir" >"$dir/.kernel"
command="gcc -Wall -Wextra -Werror -mfunction-return=thunk -DNAME='\"a b\"' -c -o $dir/$object $dir/${object%.o}.c"
echo "cmd_$dir/$object := $command ; true" >"$dir/theseus_mm/core/.number.o.cmd"
eval "$command"
END

# Writes the clean sources, and an empty list.
reset() {
	: >"$list"
	cat >"$module" <<'END'
#include <stddef.h>
void kfree(const void *object);
size_t tmm_number(const char *digits);

size_t tmm_number(const char *digits)
{
	const char *name = NAME;

	kfree(digits);
	return name[0];
}
END
	cat >"$program" <<'END'
#include <stdlib.h>
int tmm_query(int nr);

int tmm_query(int nr)
{
	return nr;
}
END
}

# Expects a status, and a last line of the output.
ends() { # STATUS LINE PART
	local status=0
	PARTS=$3 "$tree/scripts/analyze.sh" >"$log" 2>&1 || status=$?
	[[ $status == "$1" && $(tail -n 1 "$log") == "$2" ]]
}
finds() { # PART FINDING
	ends 1 '0 passed, 1 failed' "$1" && grep -qxF "$1: new: $2" "$log"
}
knows() { # PART FINDING
	echo "$1 | $2 | the test plants this fault" >"$list"
	ends 0 '1 passed, 0 failed' "$1"
}
says() { # TEXT PART
	ends 1 '0 passed, 1 failed' "$2" && grep -qF "$1" "$log"
}
# Runs the part with a clang that says that it is another version.
prints_only() { # FINDING
	mkdir "$temporary/bin"
	# shellcheck disable=SC2016 # no expansion
	printf '%s\n' '#!/bin/bash' '[[ $1 == -dumpversion ]] && { echo 19.1.7; exit; }' \
		"exec $(command -v clang) \"\$@\"" >"$temporary/bin/clang"
	chmod +x "$temporary/bin/clang"
	PATH=$temporary/bin:$PATH ends 0 '1 passed, 0 failed' clang && grep -qxF "clang: new: $1" "$log" &&
		grep -q 'the list is for version 14, and this is 19.1.7' "$log"
}
plant() { # FILE LINE-PATTERN TEXT
	sed -i "s|$2|$3|" "$1"
}

# Reads lines of a tool, and expects these findings.
reads() { # FINDING..., lines on stdin
	local status=0
	(cd "$tree" && scripts/findings.py clang "$list") >"$log" || status=$?
	[[ $status == 1 && $(<"$log") == "$(printf 'clang: new: %s\n' "$@")" ]]
}

reset
check "a fault in a header of Linux that our line leads to" \
	reads 'theseus_mm/core/number.c: tmm_number: use after free' <<'END'
/usr/include/linux/list.h:10:3: warning: use after free
theseus_mm/core/number.c:9:2: note: Calling list_del
/usr/include/linux/list.h:10:3: note: use after free
/usr/include/linux/mm.h:20:3: warning: a fault of Linux
/usr/include/linux/mm.h:21:3: note: only Linux leads there
END
check "the same place in a header that lines of two functions lead to" \
	reads 'theseus_mm/core/number.c: -: garbage' 'theseus_mm/core/number.c: tmm_number: garbage' <<'END'
/usr/include/linux/io.h:10:3: warning: garbage
theseus_mm/core/number.c:9:2: note: Calling inb
/usr/include/linux/io.h:10:3: warning: garbage
theseus_mm/core/number.c:1:2: note: Calling inb
END
check "numbers of lines in a message" \
	reads 'theseus_mm/core/number.c: tmm_number: the lock of a line' <<'END'
./theseus_mm/core/number.c:9:2-7: the lock of line 77
END
check "a clean tree" ends 0 '4 passed, 0 failed' ''
check "an unknown part" ends 1 \
	'analyze.sh: PARTS: nothing: no such part; there are w1 coccinelle clang fanalyzer' nothing

plant "$module" '	kfree' '	int unused;\n	kfree'
check "w1 finds a warning" finds w1 \
	"theseus_mm/core/number.c: tmm_number: unused variable 'unused' [-Wunused-variable]"
reset
plant "$module" '	kfree' '	if (digits)\n		kfree'
nullfree='theseus_mm/core/number.c: tmm_number: WARNING: NULL check before some freeing functions is not needed.'
check "coccinelle finds a check for NULL" finds coccinelle "$nullfree"
check "a finding of the list" knows coccinelle "$nullfree"
plant "$module" '^#include' '\n\n#include'
check "a finding of the list in another line" ends 0 '1 passed, 0 failed' coccinelle
plant "$module" '	return' '	if (name)\n		kfree(name);\n	return'
check "the same finding a second time" finds coccinelle "$nullfree"
reset
echo "coccinelle | $nullfree | the test plants this fault" >"$list"
check "an entry without a finding" says 'no such finding any more: theseus_mm' coccinelle
check "another part without a finding" ends 0 '1 passed, 0 failed' w1

plant "$module" '	kfree(digits)' '	(void)digits;\n	name = NULL'
pointer="theseus_mm/core/number.c: tmm_number: Array access (from variable 'name') results in a null pointer dereference [core.NullDereference]"
: >"$list"
check "clang finds a pointer that is NULL in a module" finds clang "$pointer"
check "another version of clang prints it" prints_only "$pointer"
echo "clang | $pointer | x" >"$list"
check "an entry without a reason" says 'an entry needs its reason' clang
check "clang's finding in the list" knows clang "$pointer"
check "gcc finds the pointer" finds fanalyzer \
	"theseus_mm/core/number.c: tmm_number: dereference of NULL 'name' [CWE-476] [-Wanalyzer-null-dereference]"
reset
plant "$program" 'return nr' 'int *number = malloc(sizeof(*number));\n	if (!number)\n		return 0;\n	*number = nr;\n	free(number);\n	return *number'
check "clang finds a fault in a program" finds clang \
	'initramfs/lib/query.c: tmm_query: Use of memory after it is freed [unix.Malloc]'
check "gcc finds a fault in a program" finds fanalyzer \
	"initramfs/lib/query.c: tmm_query: use after 'free' of 'number' [CWE-416] [-Wanalyzer-use-after-free]"
check "a folder" env FILE=theseus_mm PARTS=fanalyzer "$tree/scripts/analyze.sh"
check "only one file" env FILE=theseus_mm/core/number.c PARTS=fanalyzer "$tree/scripts/analyze.sh"
reset
echo 'syntax error' >>"$program"
check "a program that does not compile" says 'the tools failed' fanalyzer
check "a program that clang does not read" says 'the tools failed' clang

echo "$passed passed, $failed failed"
((failed == 0))
