#!/bin/bash
# Usage: build-deb.sh [DIRECTORY [VERSION]]
#        build-deb.sh sources DIRECTORY
#
# Builds the Debian packages theseus-mm-dkms, libtmm0, libtmm-dev, python3-theseus-mm and
# theseus-mm-tools into DIRECTORY (build/deb/). The build works on a copy of the sources, whose
# debian/changelog the script writes from CHANGELOG.md. The tests ask for another VERSION, to have an
# upgrade. The second form only makes the copy, as DIRECTORY, which must not exist.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

version=$(project_version)
wanted=$version
if [[ ${1:-} == sources ]]; then
	tree=${2:?the directory of the copy}
else
	directory=${1:-$BUILD/deb}
	wanted=${2:-$version}
fi

# The newest version in CHANGELOG.md has to be the one that is built.
heading=$(sed -n 's/^## \[\([0-9][^]]*\)\] - \(.*\)$/\1 \2/p' "$ROOT/CHANGELOG.md" | head -n 1)
[[ ${heading% *} == "$version" ]] ||
	die "CHANGELOG.md begins with version ${heading% *}, and theseus_mm/version.h has $version: make both the same"

# Writes Debian's form of the newest section: each item becomes a paragraph with a star.
write_changelog() {
	printf 'theseus-mm (%s) unstable; urgency=medium\n\n' "$wanted"
	awk '/^## \[[0-9]/ { sections++; next }
		sections == 1 && /^- / { printf "%s%s", (items++ ? "\n" : ""), substr($0, 3); next }
		sections == 1 && /^  [^ ]/ { printf " %s", substr($0, 3) }
		END { print "" }' "$ROOT/CHANGELOG.md" |
		while IFS= read -r item; do
			fold -s -w 74 <<<"$item" | sed 's/ $//; 1s/^/  * /; 2,$s/^/    /'
		done
	printf '\n -- %s  %s\n' "$(sed -n 's/^Maintainer: //p' "$ROOT/debian/control")" \
		"$(date -R -u -d "${heading#* }")"
}

copy_sources() {
	mkdir "$tree" "$tree/bench"
	cp -a "$ROOT"/{CHANGELOG.md,Kbuild,LICENSE,debian,initramfs,scripts,theseus_mm} "$tree/"
	cp -a "$ROOT/bench/bounds.json" "$tree/bench/" # for theseus_mm(4)
	sed -i "s/^\(#define TMM_VERSION\t\"\).*\"$/\1$wanted\"/" "$tree/theseus_mm/version.h"
	write_changelog >"$tree/debian/changelog"
}

[[ ${1:-} != sources ]] || { copy_sources; exit 0; }

# The build uses Debian's flags, not those of whoever calls make.
build_packages() {
	copy_sources
	cd "$tree"
	env -u CFLAGS -u CPPFLAGS -u LDFLAGS -u DESTDIR -u PREFIX -u LIBDIR -u SRCDIR -u PYTHONDIR \
		DEB_BUILD_OPTIONS=noautodbgsym dpkg-buildpackage --build=binary --unsigned-source --unsigned-changes
}
mkdir -p "$directory"
source=$(mktemp -d "$directory/source.XXXXXX")
trap 'rm -rf "$source"' EXIT
tree=$source/theseus-mm-$wanted
note "building the packages of version $wanted"
quietly "$directory/build.log" "the build of the packages" build_packages
rm -f "$directory"/{libtmm0,libtmm-dev,python3-theseus-mm,theseus-mm-dkms,theseus-mm-tools}_*.deb
mv "$source"/*.deb "$source"/*.changes "$source"/*.buildinfo "$directory/"
for package in "$directory"/*_"$wanted"_*.deb; do
	printf '%s\n' "$package"
done
