#!/bin/bash
# Usage: build-tmm.sh [shared]
#
# Builds build/tools/tmm, the command-line tool, linked with libtmm, and copies its man page and
# its bash completion into the same folder. Makes the man page of the device there, too. The tool
# needs no shared library, unless "shared" asks for one that uses libtmm.so. CPPFLAGS, CFLAGS and
# LDFLAGS are added to the flags.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

source=$ROOT/initramfs/bin/tmm
share=$ROOT/initramfs/share
uapi=$ROOT/theseus_mm/include/uapi
tools=$BUILD/tools
linked=(-static "$BUILD/tools/libtmm.a")
[[ ${1:-} != shared ]] || linked=(-L "$BUILD/tools" -ltmm)
read -ra extra <<<"${CPPFLAGS:-} ${CFLAGS:-} ${LDFLAGS:-}"
flags=(-O2 -g -std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Wall -Wextra -Werror
	-Wmissing-prototypes -Wstrict-prototypes -I "$uapi" -I "$tools/include"
	"-DTMM_VERSION=\"$(project_version)\"")

need_programs python3
"$ROOT/scripts/build-libtmm.sh"
mkdir -p "$tools/completions"
write_page "$share/man/tmm.1"
"$ROOT/scripts/device_page.py" page >"$tools/theseus_mm.4"
cp "$share/bash-completion/tmm" "$tools/completions/tmm"

newest=$(find "$source" "$uapi/linux" "$ROOT/theseus_mm/version.h" "$tools/libtmm.a" "$0" -maxdepth 1 -type f \
	-newer "$tools/tmm" -print -quit 2>/dev/null || echo all)
[[ -n $newest || ! -e $tools/tmm ]] || exit 0

need_programs gcc
echo "    CC tmm" >&2
gcc "${flags[@]}" "${extra[@]}" -o "$tools/tmm" "$source"/*.c "${linked[@]}"
