#!/bin/bash
# Usage: mutants.sh [--table]
#
# Tries the mutants: each patch in mutants/ makes one mistake in a copy of the tree, and the tests that
# its header names have to catch the mistake, in each of TIMES runs. Before a mutant, the same tests
# have to pass in the same guest without the patch. scripts/test/mutants.py describes the header.
#
# A boot does the tests TIMES times, each time with the module loaded afresh, and each repetition is
# judged on its own. If the guest dies, another boot goes on with the rest. A mutant that was caught is
# not tried again unless its patch, a source or the kernel has changed. To try all again, remove
# build/mutants/. Ends with the line `N passed, N failed`.
#
#   MUTANTS  try only these mutants: names of patches separated by commas
#   TIMES    runs that have to catch each mutant (10)
#
# With --table, writes the table in mutants/README.md anew from the headers and the kept results.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

folder=$BUILD/mutants
tool=$ROOT/scripts/test/mutants.py
mkdir -p "$folder/results" "$folder/unchanged"
if [[ ${1:-} == --table ]]; then
	exec "$tool" table "$folder/results"
fi

passed=0
failed=0
nr_runs=0
closed=0
close() {
	((closed)) || failed=$((failed + 1))
	printf '%d passed, %d failed\n' "$passed" "$failed"
}
trap close EXIT
trap 'exit 130' INT TERM

for variable in TMM_KERNEL TMM_ACCEL TMM_TIMEOUT KERNEL LEVELS CPUS SEED SUITES PROGRAMS MACHINES REPEAT; do
	[[ -z ${!variable:-} ]] ||
		die "$variable=${!variable}: the header of a mutant says how it is tried: unset $variable"
done
times=${TIMES:-10}
[[ $times =~ ^[1-9][0-9]*$ ]] || die "TIMES=$times: not a number of runs"
# In run-tests.sh of the copy, TIMES is the factor of the random walks.
unset TIMES

chosen=${MUTANTS:-$(cd "$ROOT/mutants" && printf '%s\n' *.patch | sed 's/\.patch$//' | paste -sd,)}
mapfile -t mutants < <(tr , '\n' <<<"$chosen")
for name in "${mutants[@]}"; do
	[[ -e $ROOT/mutants/$name.patch ]] || die "MUTANTS: there is no mutants/$name.patch"
done
# Two runs at a time would use the same copy.
exec 9>"$folder/lock"
flock 9

# The tree as it is now, so that changes during a run do not matter; and the copy, to which the patches
# are applied. Only files that differ get a new time, so that make builds no more than their objects.
source=$folder/source copy=$folder/tree
rsync -a --delete --exclude=/build --exclude=/.git "$ROOT/" "$source/"
restore() {
	rsync -rlpc --delete --exclude=/build --exclude=/mutants "$source/" "$copy/"
}
restore

# The hash of everything but the patch that decides about a result.
base=$(cd "$source" && find Kbuild theseus_mm kunit initramfs scripts/config scripts/{common,qemu}.sh \
	scripts/{run-tests,mutants}.sh scripts/build-* scripts/test/{complaints,ktap,mutants}.py -type f \
	! -name '*.md' -print0 | sort -z | xargs -0 sha256sum | sha256sum)
tool=$source/scripts/test/mutants.py
list=$("$tool" list "${mutants[@]}")
declare -A kernels
kernel_of() { # KERNEL
	case $1 in
	stock) "$copy/scripts/fetch-kernel.sh" stock ;;
	*) "$copy/scripts/build-kernel.sh" "$1" ;;
	esac
}
key_of() { # TEXT...
	printf '%s\n' "$base" "$@" | sha256sum | cut -c1-16
}

# Runs the tests once or more often in the copy. Sets the variable "logs" to the folder with the logs.
run_copy() { # KERNEL SUITES PROGRAMS REPEAT
	local status=0
	KERNEL=$1 SUITES=${2#-} PROGRAMS=${3#-} REPEAT=$4 "$copy/scripts/run-tests.sh" repeat \
		9>&- >"$folder/output" 2>"$folder/progress" || status=$?
	logs=$(tail -n 1 "$folder/output")
	if ((status)) || [[ ! -d $logs ]]; then
		tail -n 20 "$folder/progress"
		return 1
	fi
	module=$(sha256sum <"$copy/build/module-$1/theseus_mm.ko")
}

# The tests have to pass without the patch, in two repetitions, so that reloading is tried too. Keeps
# the logs, with which the result of each mutant is compared.
check_unchanged() { # NAME KERNEL SUITES PROGRAMS
	local run patch=$source/mutants/$1.patch wrong
	run=$folder/unchanged/$(key_of "${kernels[$2]}" "$2" "$3" "$4")
	if [[ ! -e $run/module ]]; then
		note "without a mutant: kernel $2, suites $3, programs $4"
		restore || return 1
		run_copy "$2" "$3" "$4" 2 || return 1
		rm -rf "$run"
		mkdir -p "$run"
		cp "$logs"/{console,result}.log "$run/"
		if ! wrong=$("$tool" unchanged "$patch" "$run"); then
			printf '%s\n' "$wrong"
			echo "logs: $logs"
			rm -rf "$run"
			return 1
		fi
		echo "$module" >"$run/module"
	elif ! wrong=$("$tool" unchanged "$patch" "$run"); then
		printf '%s\n' "$wrong"
		return 1
	fi
	unchanged_module=$(<"$run/module")
}

# Tries a mutant until TIMES repetitions are judged. Sets the variables "caught" and "tried".
try_mutant() { # NAME KERNEL SUITES PROGRAMS once|often
	local left verdicts
	caught=0 tried=0
	restore || return 1
	# Otherwise git would look for the paths in the repository around the copy.
	(cd "$copy" && GIT_CEILING_DIRECTORIES=$folder git apply "$source/mutants/$1.patch") || return 1
	while ((tried < times)); do
		left=$((times - tried))
		[[ $5 != once ]] || left=1
		run_copy "$2" "$3" "$4" "$left" || return 1
		if [[ $module == "$unchanged_module" ]]; then
			echo "the patch does not change the module"
			return 1
		fi
		mapfile -t verdicts < <("$tool" judge "$source/mutants/$1.patch" "$logs")
		rm -f "${logs%/*}"/initrd-*
		((${#verdicts[@]})) || { echo "the logs cannot be judged: $logs"; return 1; }
		for verdict in "${verdicts[@]}"; do
			tried=$((tried + 1))
			if [[ $verdict == caught ]]; then
				caught=$((caught + 1))
			else
				echo "    run $tried: $verdict"
			fi
		done
	done
}

escape() { # NAME MESSAGE
	printf 'not ok: %s: %s\n' "$1" "$2"
	failed=$((failed + 1))
}

printf 'TIMES=%s MUTANTS=%s\n' "$times" "$chosen"
while read -r -u 3 name kernel suites programs how hash; do
	[[ ${kernels[$kernel]:-} ]] || kernels[$kernel]=$(kernel_of "$kernel")
	key=$(key_of "${kernels[$kernel]}" "$hash")
	result=$folder/results/$name
	if [[ -e $result ]]; then
		read -r caught tried _ old_key <"$result"
		if [[ $old_key == "$key" ]] && ((tried >= times)); then
			printf 'ok: %s: caught %d of %d times before\n' "$name" "$caught" "$tried"
			passed=$((passed + 1)) nr_runs=$((nr_runs + tried))
			continue
		fi
	fi
	begin=$SECONDS tried=0
	if ! check_unchanged "$name" "$kernel" "$suites" "$programs"; then
		escape "$name" "refused, since the tests do not pass without the mutant"
	elif ! try_mutant "$name" "$kernel" "$suites" "$programs" "$how"; then
		escape "$name" "could not be tried"
	elif ((caught < tried)); then
		tail -n 15 "$logs/result.log" "$logs/console.log"
		escape "$name" "escaped: $caught of $tried caught; the logs of the last boot: $logs"
	else
		printf '%d %d %s %s\n' "$caught" "$tried" "$hash" "$key" >"$result"
		printf 'ok: %s: caught %d of %d times, %d s\n' "$name" "$caught" "$tried" $((SECONDS - begin))
		passed=$((passed + 1))
	fi
	nr_runs=$((nr_runs + tried))
done 3<<<"$list"
restore
printf 'figures: %d mutants tried, %d runs, %d mutants caught each time\n' "${#mutants[@]}" "$nr_runs" "$passed"
closed=1
((failed == 0 && passed > 0))
