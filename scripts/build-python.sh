#!/bin/bash
# Usage: build-python.sh
#
# Packs what the guest's Python tests need, and prints the path of the archive, which is
# appended to the one of build-initramfs.sh: this machine's Debian packages of Python and NumPy
# with the libraries they need, libtmm.so, the module theseus_mm, the tests of initramfs/tests/python
# as programs of /bin/tests, and the examples.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

sources=$ROOT/initramfs
root=$BUILD/python/root
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

build_root() {
	local library
	rm -rf "$root"
	mkdir -p "$root"
	package_files | tar -C / -c -T - | tar -C "$root" -x
	while read -r library; do
		install -D -m 755 "$library" "$root$library"
	done < <(libraries)
	"$python" -m compileall -q -s "$root" -p / "$root/usr/lib"
}

# The Python of the packages changes rarely, and takes longer than the rest.
stamp=$BUILD/python/stamp
wanted=$(dpkg-query -W -f '${Package} ${Version}\n' "$version" python3-numpy libc6 && sha256sum "$0")
if [[ $(cat "$stamp" 2>/dev/null) != "$wanted" ]]; then
	note "copying $version and NumPy for the guest"
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

archive=$BUILD/python.cpio
(cd "$root" && find . -mindepth 1 | sort |
	cpio --quiet -o -H newc --owner 0:0 --reproducible) >"$archive.new"
mv "$archive.new" "$archive"
printf '%s\n' "$archive"
