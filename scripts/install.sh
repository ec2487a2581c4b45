#!/bin/bash
# Usage: [DESTDIR=DIR] [PREFIX=DIR] install.sh install|uninstall
#
# Installs library, headers, tool, the module for Python, manuals, completion, udev rule, the group
# for sysusers, examples of configuration, and the module's source tree for DKMS, from build/tools/
# and the sources. "uninstall" removes exactly that: a list beside the examples names each file and
# each folder that the installation made. LIBDIR (PREFIX/lib), SRCDIR (/usr/src) and PYTHONDIR name
# the other folders; print_python_folder prints the default of PYTHONDIR.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

destination=${DESTDIR:-}
prefix=${PREFIX:-/usr/local}
libdir=${LIBDIR:-$prefix/lib}
srcdir=${SRCDIR:-/usr/src}
pythondir=${PYTHONDIR:-}
version=$(project_version)
# Folders that the installation makes are open to all users, whatever root's umask is.
umask 022
doc=$prefix/share/doc/theseus-mm
module=$srcdir/theseus-mm-$version
manifest=$doc/installed-files
tools=$BUILD/tools
data=$ROOT/initramfs

# Prints the folder below PREFIX in which Python looks for modules. Debian's Python calls this folder
# dist-packages, and has one below /usr for all versions of Python 3.
print_python_folder() {
	/usr/bin/python3 - "${prefix%/}" <<-'SCRIPT'
		import sys, sysconfig
		prefix = sys.argv[1]
		if "deb_system" not in sysconfig.get_scheme_names():
		    print(sysconfig.get_path("purelib", "posix_prefix", {"base": prefix}))
		elif prefix == "/usr":
		    print(sysconfig.get_path("purelib", "deb_system"))
		else:
		    print("%s/lib/python%d.%d/dist-packages" % (prefix, *sys.version_info[:2]))
	SCRIPT
}

# Makes a folder and those above it, and notes each one that was missing.
make_folder() { # PATH
	[[ ! -d $destination$1 ]] || return 0
	if [[ $1 == / ]]; then
		mkdir -p "$destination"
		made+=(/)
		return
	fi
	make_folder "$(dirname "$1")"
	mkdir "$destination$1"
	made+=("$1/")
}

# Notes a file before it is written, so that an installation that fails can be undone. A file of the
# installation before is replaced in one step, so that a failure leaves the old file or the new one.
put_file() { # MODE|link SOURCE PATH
	local new=$destination$3.tmm-new
	make_folder "$(dirname "$3")"
	if grep -qxF -- "$3" "$temporary/old"; then
		kept+=("$3")
	else
		made+=("$3")
	fi
	made+=("$3.tmm-new")
	rm -f "$new"
	if [[ $1 == link ]]; then
		ln -s "$2" "$new"
	else
		install -m "$1" "$2" "$new"
	fi
	mv -f "$new" "$destination$3"
	unset 'made[-1]'
}

# Removes what only the installation before had, and prints those of its folders that are still used.
remove_stale() {
	local path
	{ grep -v '/$' "$temporary/old" || :; } |
		{ grep -vxF -f <(cut -f 3 "$temporary/list"; echo "$manifest") || :; } | remove_listed
	{ grep '/$' "$temporary/old" || :; } | remove_listed
	while IFS= read -r path; do
		[[ $path != */ || ! -d $destination$path ]] || printf '%s\n' "$path"
	done <"$temporary/old"
}

# Lists the files: mode, source and path of each. The source of a link is its target.
list_files() {
	local file
	printf '%s\t%s\t%s\n' \
		755 "$tools/tmm" "$prefix/bin/tmm" \
		644 "$tools/libtmm.so.0" "$libdir/libtmm.so.0" \
		link libtmm.so.0 "$libdir/libtmm.so" \
		644 "$tools/libtmm.a" "$libdir/libtmm.a" \
		644 "$temporary/libtmm.pc" "$libdir/pkgconfig/libtmm.pc" \
		644 "$tools/include/tmm.h" "$prefix/include/tmm.h" \
		644 "$ROOT/theseus_mm/include/uapi/linux/theseus_mm.h" \
		"$prefix/include/linux/theseus_mm.h" \
		644 "$tools/tmm.1" "$prefix/share/man/man1/tmm.1" \
		644 "$tools/theseus_mm.4" "$prefix/share/man/man4/theseus_mm.4" \
		644 "$tools/libtmm.3" "$prefix/share/man/man3/libtmm.3" \
		644 "$tools/completions/tmm" "$prefix/share/bash-completion/completions/tmm" \
		644 "$data/lib/udev/rules.d/60-theseus-mm.rules" \
		"$prefix/lib/udev/rules.d/60-theseus-mm.rules" \
		644 "$data/lib/sysusers.d/theseus-mm.conf" "$prefix/lib/sysusers.d/theseus-mm.conf" \
		644 "$temporary/dkms.conf" "$module/dkms.conf" \
		755 "$data/src/theseus-mm/check-build" "$module/check-build" \
		644 "$ROOT/Kbuild" "$module/Kbuild"
	for file in "$data"/lib/python3/theseus_mm/{*.py,py.typed}; do
		printf '644\t%s\t%s\n' "$file" "$pythondir/theseus_mm/${file##*/}"
	done
	(cd "$data/share/doc/theseus-mm" && find . -type f -printf '%P\n') | sort |
		while IFS= read -r file; do
			printf '644\t%s\t%s\n' "$data/share/doc/theseus-mm/$file" "$doc/$file"
		done
	(cd "$ROOT/theseus_mm" && find . -name '*.[ch]' -printf '%P\n') | sort |
		while IFS= read -r file; do
			printf '644\t%s\t%s\n' "$ROOT/theseus_mm/$file" "$module/theseus_mm/$file"
		done
}

# Writes the files whose content depends on the version or the folders.
write_files() {
	sed "s/#MODULE_VERSION#/$version/" "$data/src/theseus-mm/dkms.conf" >"$temporary/dkms.conf"
	sed -e "s|^prefix=.*|prefix=$prefix|" -e "s|^libdir=.*|libdir=$libdir|" \
		"$tools/libtmm.pc" >"$temporary/libtmm.pc"
}

list_installed() { [[ ! -e $destination$manifest ]] || cat "$destination$manifest"; }

# Fails if a file of somebody else has one of our names: "uninstall" could not bring it back.
check_names() {
	local path installed
	installed=$(list_installed)
	while IFS=$'\t' read -r _ _ path; do
		[[ -e $destination$path || -L $destination$path ]] || continue
		grep -qxF -- "$path" <<<"$installed" ||
			die "$destination$path: make install did not put this file there: remove the file, or choose another PREFIX"
	done
}

# Removes the compiled forms that Python keeps of a file after root has imported the module.
remove_bytecode() { # PATH
	local folder=${1%/*}/__pycache__ name=${1##*/}
	rm -f "$folder/${name%.py}".*.pyc
	rmdir "$folder" 2>/dev/null || :
}

# Removes what a list names, in the order of the list backwards. A folder that somebody else uses
# meanwhile stays.
remove_listed() {
	local path
	while IFS= read -r path; do
		[[ $path ]] || continue
		if [[ $path == */ ]]; then
			rmdir "$destination${path%/}" 2>/dev/null || :
		else
			rm -f "$destination$path"
			[[ $path != *.py ]] || remove_bytecode "$destination$path"
		fi
	done < <(tac)
}

undo_installation() {
	trap - EXIT
	printf '%s\n' "${made[@]}" | remove_listed
	rm -rf "$temporary"
	[[ -z $(list_installed) ]] || die "the installation before stays: the line above says why; mend that, then run make install again"
	die "nothing is installed: the line above says why; mend that, then run make install again"
}

# Programs, udev and systemd find files without further steps only below /usr and /usr/local.
print_next_steps() {
	local libraries=ldconfig users=systemd-sysusers rule='' path=''
	if [[ ${prefix%/} != /usr && ${prefix%/} != /usr/local ]]; then
		libraries="echo $libdir >/etc/ld.so.conf.d/theseus-mm.conf && ldconfig"
		users="systemd-sysusers $prefix/lib/sysusers.d/theseus-mm.conf"
		rule="ln -sf $prefix/lib/udev/rules.d/60-theseus-mm.rules /etc/udev/rules.d/ && "
		path="export PATH=$prefix/bin:\$PATH PYTHONPATH=$pythondir MANPATH=$prefix/share/man:"
	fi
	cat <<-NEXT
		theseus_mm $version is installed in $prefix. Next, as root:
		# programs find libtmm.so
		  $libraries
		# make the group theseus, whose members may use the device, and add a user
		  $users && ${rule}udevadm control -R
		  usermod -aG theseus USER
		# build the module (packages dkms, linux-headers-amd64), and load it; tmm regions prints
		# what this machine reserves
		  dkms install theseus-mm/$version
		  modprobe theseus_mm regions=512M@4G
		Examples for /etc/modprobe.d and /etc/modules-load.d are in $doc.
	NEXT
	[[ -z $path ]] || printf 'Users find the tool, the manuals and the module for Python after\n  %s\n' "$path"
}

install_all() {
	local mode source path
	[[ -e $tools/tmm && -e $tools/libtmm.a ]] || die "$tools/tmm is missing: run make tools first"
	temporary=$(mktemp -d)
	made=()
	kept=()
	trap 'rm -rf "$temporary"' EXIT
	write_files
	list_files >"$temporary/list"
	check_names <"$temporary/list"
	list_installed >"$temporary/old"
	grep -qxF -- "$module/" "$temporary/old" || check_dkms install
	trap undo_installation EXIT
	while IFS=$'\t' read -r mode source path; do
		put_file "$mode" "$source" "$path"
	done <"$temporary/list"
	make_folder "$doc"
	made+=("$manifest")
	{
		remove_stale
		printf '%s\n' "${made[@]}" "${kept[@]}"
	} >"$temporary/manifest"
	install -m 644 "$temporary/manifest" "$destination$manifest"
	trap - EXIT
	rm -rf "$temporary"
	[[ $destination ]] || print_next_steps
}

# DKMS links to the source trees of the modules that it has built.
check_dkms() { # install|uninstall
	local link
	for link in "$destination"/var/lib/dkms/theseus-mm/*/source; do
		[[ -L $link ]] || continue
		list_installed | grep -qxF -- "$(readlink "$link")/" || continue
		link=${link%/source}
		die "DKMS has the module: run dkms remove theseus-mm/${link##*/} --all, then make $1 again"
	done
}

uninstall_all() {
	[[ -e $destination$manifest ]] ||
		die "$destination$manifest is missing: nothing is installed there, or with another PREFIX"
	check_dkms uninstall
	list_installed | remove_listed
}

if [[ ${1:-} == install && -z $pythondir ]]; then
	need_programs /usr/bin/python3
	pythondir=$(print_python_folder)
fi
for folder in "$prefix" "$libdir" "$srcdir" ${pythondir:+"$pythondir"}; do
	[[ $folder == /* ]] ||
		die "PREFIX, LIBDIR, SRCDIR and PYTHONDIR have to begin with a slash: $folder does not"
done
case ${1:-} in
install) install_all ;;
uninstall) uninstall_all ;;
*) die "unknown argument: ${1:-none}: use install or uninstall" ;;
esac
