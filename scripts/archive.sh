# shellcheck shell=bash
# Sourced after common.sh: Debian's archive, of releases other than the host's too. The lists and
# packages lie in the cache; nothing is installed, and the host's own lists stay as they are.

ARCHIVE=$CACHE/archive
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# Prints the host's own mirror for the archive with label $1, or Debian's.
mirror() { # Debian|Debian-Security
	local path=${1,,}
	# shellcheck disable=SC2016 # apt-get fills in the names
	apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
		awk -v label="$1" '$1 == label { print $2; found = 1; exit }
			END { exit !found }' || printf 'http://deb.debian.org/%s\n' "$path"
}

archive() { # PROGRAM ARGUMENT...: apt-get or apt-cache, on the lists in the cache
	local program=$1
	shift
	"$program" -o Dir::Etc::sourcelist="$ARCHIVE/sources.list" -o Dir::Etc::sourceparts=/dev/null \
		-o Dir::State::lists="$ARCHIVE/lists" -o Dir::State::status="$ARCHIVE/status" \
		-o Dir::Cache="$ARCHIVE/cache" -o APT::Sandbox::User=root \
		-o APT::Default-Release= -o Acquire::Languages=none "$@"
}

# Fetches the lists of packages unless those in the cache are of the last day. Without a network,
# older lists serve.
refresh_archive() {
	local debian security
	[[ -z $(find "$ARCHIVE/fresh" -mtime -1 2>/dev/null) ]] || return 0
	mkdir -p "$ARCHIVE"/{lists,cache/archives}/partial
	: >"$ARCHIVE/status"
	debian=$(mirror Debian)
	security=$(mirror Debian-Security)
	printf "deb [signed-by=$KEYRING] %s %s main\n" \
		"$debian" bookworm-backports "$debian" trixie "$security" trixie-security \
		"$debian" trixie-backports >"$ARCHIVE/sources.list"
	note "fetching the lists of Debian's packages"
	if archive apt-get -q update -o APT::Update::Error-Mode=any >"$BUILD/archive.log" 2>&1; then
		touch "$ARCHIVE/fresh"
	elif [[ -e $ARCHIVE/fresh ]]; then
		note "no new lists of Debian's packages (see $BUILD/archive.log): the old ones serve"
	else
		tail -n 3 "$BUILD/archive.log" >&2
		die "cannot fetch the lists of Debian's packages: is there a network?"
	fi
}

# Prints the newest release among packages $1RELEASE, where each of the other packages has the same
# release too, for example: newest_release 6.12 +deb13-amd64 linux-headers- linux-image-
newest_release() { # VERSION SUFFIX PREFIX...
	local version=$1 suffix=$2 prefix release
	shift 2
	while read -r release; do
		for prefix in "$@"; do
			archive apt-cache -q show "$prefix$release" >/dev/null 2>&1 || continue 2
		done
		printf '%s\n' "$release"
		return
	done < <(archive apt-cache pkgnames "$1$version." | sed "s/^$1//" |
		grep -E "^[0-9.]+${suffix//[+.]/\\&}\$" | sort -Vr)
	return 1
}

# Downloads packages into the directory $1 and unpacks them there.
unpack_packages() { # DIRECTORY PACKAGE...
	local dir=$1 package
	shift
	mkdir -p "$dir/packages"
	(cd "$dir/packages" && archive apt-get -q download "$@")
	for package in "$dir"/packages/*.deb; do
		dpkg -x "$package" "$dir"
	done
	rm -r "$dir/packages"
}
