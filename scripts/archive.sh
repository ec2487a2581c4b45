# shellcheck shell=bash
# Sourced after common.sh: Debian's archive, of releases other than the host's too. The lists and
# packages lie in the cache; nothing is installed, and the host's own lists stay as they are.

ARCHIVE=$CACHE/archive
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# Prints the host's own mirror for the archive with label $1, or Debian's.
mirror() { # Debian|Debian-Security
	local path=${1,,}
	# shellcheck disable=SC2016 # apt-get fills in the names
	apt-get indextargets --format '$(REPO_URI) $(LABEL)' 'Created-By: Packages' 2>/dev/null |
		awk -v label="$1" '{ uri = $1; sub(/^[^ ]* /, "") }
			$0 == label && !found++ { print uri }
			END { exit !found }' || printf 'http://deb.debian.org/%s\n' "$path"
}

archive() { # PROGRAM ARGUMENT...: apt-get or apt-cache, on the lists in the cache
	local program=$1
	shift
	"$program" -o Dir::Etc::sourcelist="$ARCHIVE/sources.list" -o Dir::Etc::sourceparts=/dev/null \
		-o Dir::State::lists="$ARCHIVE/lists" -o Dir::State::status="$ARCHIVE/status" \
		-o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
		-o Dir::Cache="$ARCHIVE/cache" -o APT::Sandbox::User=root \
		-o APT::Default-Release= -o Acquire::Languages=none "$@"
}

# Fetches the lists of packages from these mirrors.
update_lists() { # DEBIAN SECURITY
	printf "deb [signed-by=$KEYRING] %s %s main\n" \
		"$1" bookworm "$2" bookworm-security "$1" bookworm-backports "$1" trixie "$2" trixie-security \
		"$1" trixie-backports >"$ARCHIVE/sources.list"
	archive apt-get -q update -o APT::Update::Error-Mode=any >"$BUILD/archive.log" 2>&1
}

# True if the lists are less than a day old, or if they are less than two days old and a command used
# them in the last hour. All steps of one run have to find the same releases.
are_lists_fresh() {
	[[ $(find "$ARCHIVE/fresh" -mtime -1 2>/dev/null) ]] ||
		[[ $(find "$ARCHIVE/fresh" -mtime -2 2>/dev/null) &&
			$(find "$ARCHIVE/used" -mmin -60 2>/dev/null) ]]
}

# Fetches the lists of packages unless those in the cache are fresh, from the host's mirror or from
# Debian's own, which has all releases. If that fails, the old lists serve, and the next attempt is at
# least an hour later.
refresh_archive() {
	mkdir -p "$ARCHIVE"/{lists,cache/archives}/partial
	exec 6>"$ARCHIVE/lock"
	flock 6
	if ! are_lists_fresh; then
		need_space 100 "the list of Debian's packages"
		: >"$ARCHIVE/status"
		note "fetching the lists of Debian's packages"
		if update_lists "$(mirror Debian)" "$(mirror Debian-Security)" ||
			update_lists http://deb.debian.org/{debian,debian-security}; then
			touch "$ARCHIVE/fresh"
			rm -rf "$ARCHIVE/releases"
		elif [[ -e $ARCHIVE/fresh ]]; then
			note "no new lists of Debian's packages (see $BUILD/archive.log): the old ones serve"
			touch -d '23 hours ago' "$ARCHIVE/fresh"
		else
			tail -n 3 "$BUILD/archive.log" >&2
			die "cannot fetch the lists of Debian's packages, see $BUILD/archive.log$(advice_for "$BUILD/archive.log")"
		fi
	fi
	touch "$ARCHIVE/used"
	exec 6>&-
}

# Prints the newest release of Linux VERSION with SUFFIX for which each PREFIX has a package, for
# example: newest_release 6.12 +deb13-amd64 linux-headers- linux-image-
# The cache keeps the answer as long as the lists.
newest_release() { # VERSION SUFFIX PREFIX...
	local version=$1 suffix=$2 prefix release known
	shift 2
	known=$(IFS=,; echo "$ARCHIVE/releases/$version$suffix,$*")
	if [[ -e $known ]]; then
		cat "$known"
		return
	fi
	while read -r release; do
		for prefix in "$@"; do
			archive apt-cache -q show "$prefix$release" >/dev/null 2>&1 || continue 2
		done
		mkdir -p "${known%/*}"
		printf '%s\n' "$release" >"$known.$$"
		mv "$known.$$" "$known"
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
