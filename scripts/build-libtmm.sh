#!/bin/bash
# Usage: build-libtmm.sh
#
# Builds build/tools/libtmm.{a,so}, and copies include/tmm.h, libtmm.pc and the man page into
# the same folder. CPPFLAGS, CFLAGS and LDFLAGS are added to the flags.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

source=$ROOT/initramfs/lib/libtmm
page=$ROOT/initramfs/share/man/libtmm.3
tools=$BUILD/tools
objects=$BUILD/libtmm
soname=libtmm.so.0
sources=("$source"/*.c)
flags=(-std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -O2 -g -fPIC -fvisibility=hidden
	-Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes
	-I "$ROOT/theseus_mm/include/uapi")
read -ra extra <<<"${CPPFLAGS:-} ${CFLAGS:-}"
read -ra extra_link <<<"${CFLAGS:-} ${LDFLAGS:-}"

# The headers of the UAPI and the version are inputs as well.
newest=$(find "$source" "$page" "$ROOT/theseus_mm/include/uapi/linux" "$ROOT/theseus_mm/version.h" \
	"$0" -maxdepth 1 -type f \
	-newer "$tools/libtmm.a" -print -quit 2>/dev/null || echo all)
[[ -n $newest || ! -e $tools/$soname ]] || exit 0

need_programs gcc
echo "    CC libtmm" >&2
rm -rf "$objects"
mkdir -p "$objects" "$tools/include"
rm -f "$tools/libtmm.a"
(cd "$objects" && gcc "${flags[@]}" "${extra[@]}" -c "${sources[@]}")

gcc -shared "${extra_link[@]}" -o "$tools/$soname" "$objects"/*.o -Wl,-soname,$soname \
	-Wl,--version-script="$source/libtmm.map" -Wl,--no-undefined-version \
	-Wl,-z,defs -Wl,-z,relro -Wl,-z,now
ln -sfn $soname "$tools/libtmm.so"

# The static library is one object, so that the library's internal names stay local.
ld -r -o "$objects/libtmm.o" "$objects"/*.o
objcopy --localize-hidden "$objects/libtmm.o"
cp "$source/tmm.h" "$tools/include/"
sed "s/@VERSION@/$(project_version)/" "$source/libtmm.pc" >"$tools/libtmm.pc"
write_page "$page"
ar rcsD "$tools/libtmm.a" "$objects/libtmm.o"
