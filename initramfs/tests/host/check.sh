# shellcheck shell=bash
# Sourced by the tests of tmm that need no device: run checks, and count them.
# shellcheck disable=SC2034 # the variables are used by the scripts that source this

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
nr_failed=0 nr=0

check() { # WHAT COMMAND...
	local what=$1
	shift
	nr=$((nr + 1))
	"$@" && return
	nr_failed=$((nr_failed + 1))
	echo "${0##*/}: FAILED: $what" >&2
}

# STATUS COMMAND...: the command ends with STATUS; its output is in $out/stdout, $out/stderr
ends() {
	local status=0 expected=$1
	shift
	"$@" >"$out/stdout" 2>"$out/stderr" </dev/null || status=$?
	[[ $status == "$expected" ]] || {
		echo "status $status instead of $expected: $*" >&2
		cat "$out/stderr" >&2
		return 1
	}
}

# STATUS TEXT COMMAND...: the command ends with STATUS; stderr has TEXT, and stdout is empty
complains() {
	local status=$1 text=$2
	shift 2
	ends "$status" "$@" && [[ ! -s $out/stdout ]] || return 1
	grep -qF -- "$text" "$out/stderr" || { cat "$out/stderr" >&2; return 1; }
}

# Prints the counts of NAME. False if a check has failed. The last call of a script.
end_checks() { # NAME
	if ((nr_failed)); then
		echo "$1: $nr_failed of $nr checks failed" >&2
		return 1
	fi
	echo "$1: $nr checks passed"
}
