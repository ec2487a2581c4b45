#!/bin/bash
# Usage: build-python.sh
#
# Packs what the guest's Python tests need, and prints the path of the archive, which is
# appended to the one of build-initramfs.sh: Debian's packages of Python and NumPy with the libraries
# they need, libtmm.so, the module theseus_mm, the tests of initramfs/tests/python as programs of
# /bin/tests, and the examples.
#
#   PYTHON    empty: the packages of this machine; 3.13: those of Debian 13, which are downloaded
#             and unpacked in the cache
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

sources=$ROOT/initramfs
PYTHON=${PYTHON:-}
# shellcheck source=scripts/archive.sh
. "$ROOT/scripts/archive.sh"
root=$BUILD/python$PYTHON/root
python=/usr/bin/python3
version=$("$python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')

# Parts of the packages that no test imports.
unused='^/usr/(share|include|lib/valgrind)/|/(idlelib|lib2to3|pydoc_data|ensurepip|tkinter|turtledemo|f2py|tests|testing/_private/extbuild)(/|$)|/config-|\.(a|h|pyi|c)$'

# Lists the files of the packages. dpkg knows files of /usr/lib also as files of /lib.
package_files() {
	local file
	dpkg -L python3-minimal libpython3-stdlib python3-numpy "$version" "$version-minimal" \
		"lib$version-minimal" "lib$version-stdlib" | grep -vE "$unused" | sort -u |
		while read -r file; do
			[[ -d $file && ! -L $file ]] || printf '%s\n' "${file#/}"
		done
}

# Lists the shared libraries that the programs and libraries of the root need, as this machine has
# them. cp follows the links of Debian's alternatives.
libraries() {
	{
		printf '%s\n' "$root/usr/bin/$version"
		find "$root/usr/lib" -name '*.so*' -type f
	} | xargs ldd 2>/dev/null |
		grep -oE '(=> |^[[:space:]])/[^ ]+' | grep -oE '/.*' | grep -v "^$root" | sort -u
}

# Debian 13's packages with their own C library, unpacked.
TRIXIE=(libc6 libgcc-s1 libstdc++6 libgfortran5 libquadmath0 zlib1g libbz2-1.0 liblzma5 libzstd1
	libexpat1 libffi8 libssl3t64 libuuid1 libblas3 liblapack3 python3-numpy python3.13
	python3.13-minimal libpython3.13-minimal libpython3.13-stdlib)

build_trixie_root() {
	local libraries=usr/lib/x86_64-linux-gnu
	refresh_archive
	rm -rf "$root"
	unpack_packages "$root" "${TRIXIE[@]/%//trixie}" >&2
	find "$root" -printf '%P\0' | grep -zE "$(tr -d '^' <<<"$unused")" |
		(cd "$root" && xargs -0 rm -rf)
	# what the installation of the packages does
	ln -s blas/libblas.so.3 "$root/$libraries/libblas.so.3"
	ln -s lapack/liblapack.so.3 "$root/$libraries/liblapack.so.3"
	ln -s python3.13 "$root/usr/bin/python3"
	ln -s usr/lib64 "$root/lib64"
	"$root/lib64/ld-linux-x86-64.so.2" --library-path "$root/$libraries" \
		"$root/usr/bin/python3.13" -m compileall -q -s "$root" -p / "$root/usr/lib"
}

build_host_root() {
	local library
	rm -rf "$root"
	mkdir -p "$root"
	package_files | tar -C / -c -T - | tar -C "$root" -x
	while read -r library; do
		install -D -m 755 "$library" "$root$library"
	done < <(libraries)
	"$python" -m compileall -q -s "$root" -p / "$root/usr/lib"
}

# The Python of the packages changes rarely, and takes longer than the rest. Prints the packages.
describe_packages() {
	case $PYTHON in
	'') dpkg-query -W -f '${Package} ${Version}\n' "$version" python3-numpy libc6 ;;
	3.13) archive apt-cache -q policy python3.13 python3-numpy libc6 | grep Candidate ;;
	*) die "PYTHON=$PYTHON: neither empty nor 3.13" ;;
	esac
	sha256sum "$0"
}

build_root() {
	case $PYTHON in
	'') build_host_root ;;
	3.13) build_trixie_root ;;
	esac
}

[[ $PYTHON != 3.13 ]] || refresh_archive
stamp=$BUILD/python$PYTHON/stamp
wanted=$(describe_packages)
if [[ $(cat "$stamp" 2>/dev/null) != "$wanted" ]]; then
	note "copying Python ${PYTHON:-of this machine} and NumPy for the guest"
	build_root
	printf '%s\n' "$wanted" >"$stamp"
fi

"$ROOT/scripts/build-libtmm.sh"
packages=$root/usr/lib/python3/dist-packages
rm -rf "$packages/theseus_mm" "${root:?}/bin" "${root:?}/share"
mkdir -p "$root"/{bin/tests,share/examples}
cp -r "$sources/lib/python3/theseus_mm" "$packages/"
install -D -m 644 "$BUILD/tools/libtmm.so.0" "$root/usr/lib/libtmm.so.0"
cp -r "$sources/share/examples/python" "$root/share/examples/"
for test in "$sources"/tests/python/*.py; do
	name=${test##*/}
	[[ $name != *_test.py ]] || name=${name%.py}
	install -m 755 "$test" "$root/bin/tests/$name"
done
find "$packages/theseus_mm" "$root/share" -name __pycache__ -prune -exec rm -r {} +

packed=$BUILD/python$PYTHON.cpio
(cd "$root" && find . -mindepth 1 | sort |
	cpio --quiet -o -H newc --owner 0:0 --reproducible) >"$packed.new"
mv "$packed.new" "$packed"
printf '%s\n' "$packed"
