#!/bin/bash
# Usage: install_test.sh
#
# Tests `make install` and `make uninstall` in a temporary folder. Prints a line for each check,
# and the closing line with the counts.
set -uo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../common.sh"
# shellcheck source=scripts/test/checks.sh
. "$(dirname "$0")/checks.sh"

fails() { ! "$@"; }
says() { grep -qF -- "$1" "$log"; }
run() { # install|uninstall [SRCDIR [PYTHONDIR]]
	make -s -C "$ROOT" "$1" DESTDIR="$destination" PREFIX="$prefix" SRCDIR="${2:-}" LIBDIR= \
		PYTHONDIR="${3:-}" >"$log" 2>&1
}
list_tree() { (cd "$temporary/root" && find . -printf '%p %y %m %s %l\n' | sort); }
is_as_before() { diff <(printf '%s\n' "$before") <(list_tree); }

# A folder that somebody else fills in part.
begin() { # DESTDIR PREFIX
	rm -rf "$temporary/root"
	destination=$temporary/root/$1 prefix=$2
	mkdir -p "$destination$prefix/share/man/man1"
	echo other >"$destination$prefix/share/man/man1/other.1"
	before=$(list_tree)
}

test_round_trip() { # DESTDIR PREFIX
	begin "$1" "$2"
	check "install to '$1$2'" run install
	check "the tool runs from '$1$2'" "$destination$prefix/bin/tmm" --version
	check "the module's source is in '$1/usr/src'" \
		test -e "$destination/usr/src/theseus-mm-$(project_version)/Kbuild"
	check "a second install to '$1$2'" run install
	check "uninstall from '$1$2'" run uninstall
	check "uninstall leaves '$1$2' as it was" is_as_before
}

test_program() {
	begin build /usr/local
	check "install for a program" run install
	check "a program is built with pkg-config" build_program
}

build_program() {
	local flags
	flags=$(PKG_CONFIG_LIBDIR=$destination$prefix/lib/pkgconfig \
		PKG_CONFIG_SYSROOT_DIR=$destination pkg-config --cflags --libs libtmm) || return
	# shellcheck disable=SC2086 # several words
	gcc -o "$temporary/program" "$ROOT/initramfs/share/examples/quick_start.c" $flags
}

# Imports the module, after which Python keeps compiled files beside the module.
import_module() { # FOLDER
	env -u PYTHONDONTWRITEBYTECODE -u PYTHONPYCACHEPREFIX PYTHONPATH="$destination$1" \
		LD_LIBRARY_PATH="$destination$prefix/lib" /usr/bin/python3 -c 'import theseus_mm' &&
		[[ -d $destination$1/theseus_mm/__pycache__ ]]
}

test_python() { # NAME PREFIX FOLDER [PYTHONDIR]
	begin "python $1" "$2"
	check "install for Python, $1" run install '' "${4:-}"
	check "Python imports the module from '$3'" import_module "$3"
	check "uninstall for Python, $1" run uninstall
	check "uninstall leaves no compiled files, $1" is_as_before
}

# Files that somebody else put into the folders meanwhile stay, and foreign files are not replaced.
test_other_files() {
	begin other /usr/local
	check "install beside others" run install
	echo mine >"$destination$prefix/share/doc/theseus-mm/mine"
	check "uninstall beside others" run uninstall
	check "the file of somebody else stays" test -e "$destination$prefix/share/doc/theseus-mm/mine"

	begin taken /usr/local
	mkdir -p "$destination$prefix/bin"
	echo theirs >"$destination$prefix/bin/tmm"
	before=$(list_tree)
	check "install over the file of somebody else fails" fails run install
	check "and says what to do" says "remove the file, or choose another PREFIX"
	check "and changes nothing" is_as_before
}

test_bad_input() {
	begin bad /usr/local
	check "uninstall without an installation fails" fails run uninstall
	check "and says so" says "nothing is installed"
	prefix=relative
	check "a PREFIX that does not begin with a slash is refused" fails run install
	check "and the message says so" says "PREFIX"
	check "and nothing is changed" is_as_before
}

test_dkms() {
	begin dkms /usr/local
	check "install for DKMS" run install
	mkdir -p "$destination/var/lib/dkms/theseus-mm/1.0"
	ln -s "/usr/src/theseus-mm-$(project_version)" "$destination/var/lib/dkms/theseus-mm/1.0/source"
	before=$(list_tree)
	check "uninstall of a module that DKMS has fails" fails run uninstall
	check "and names the command for DKMS" says "run dkms remove theseus-mm/1.0 --all"
	check "and removes nothing" is_as_before
}

# Without DESTDIR, the installation says what to do next.
test_next_steps() {
	begin none /usr/local
	prefix=$destination/usr destination=
	check "install without DESTDIR" run install "$prefix/src"
	check "the installation prints the next steps" says "dkms install theseus-mm/"
	check "the installation names its examples" test -e "$prefix/share/doc/theseus-mm/modprobe.d"
	check "and says how udev finds the rule of a PREFIX of one's own" \
		says "ln -sf $prefix/lib/udev/rules.d/60-theseus-mm.rules /etc/udev/rules.d/"
	check "and how programs find the library" says "echo $prefix/lib >/etc/ld.so.conf.d"
}

# An installation over another one that fails half-way leaves the other one.
test_failure_over_another() {
	begin kept /usr/local
	check "install before a failure" run install
	echo >"$destination/file"
	before=$(list_tree)
	check "install over it where SRCDIR is in a file fails" fails run install /file/src
	check "and says that the installation before stays" says "the installation before stays"
	check "and leaves it as it was" is_as_before
	check "install over it with another SRCDIR" run install /opt/src
	check "has moved the module's source" test ! -e "$destination/usr/src" -a -e "$destination/opt/src"
	rm "$destination/file"
	check "uninstall after that" run uninstall
	rm -rf "${destination:?}/usr"
	check "leaves nothing" test -z "$(ls -A "$destination")"
}

# An installation that fails half-way is undone.
test_failure() {
	begin full /usr/local
	mkdir -p "$destination/usr"
	echo >"$destination/usr/src"
	before=$(list_tree)
	check "install where /usr/src is a file fails" fails run install
	check "and says that nothing is installed" says "nothing is installed"
	check "and leaves nothing" is_as_before
}

python=$(/usr/bin/python3 -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
"$ROOT/scripts/build-tmm.sh"
test_round_trip plain /usr/local
test_round_trip 'with blanks/and more' '/usr/local/two words'
test_round_trip 'own prefix' /opt/theseus
test_program
test_python 'all versions' /usr /usr/lib/python3/dist-packages
test_python 'one version' /usr/local "/usr/local/lib/$python/dist-packages"
test_python 'own folder' /opt/theseus /srv/python /srv/python
test_other_files
test_bad_input
test_dkms
test_next_steps
test_failure
test_failure_over_another
echo "$passed passed, $failed failed"
((failed == 0))
