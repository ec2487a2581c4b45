#!/bin/bash
# Usage: proof.sh [FOLDER]
#
# Checks the models of the module's protocols with Spin, in proof/ or in FOLDER:
#
#   - each model has no error: Spin tries all runs, and reaches each statement of the model;
#   - with each switch alone, which removes one barrier, wait or check, Spin finds an error;
#   - each function of the module that has a full barrier is named in the comment of a model.
#
# A switch is a macro NO_..., which the text of a model tests: the comment beside the test says what
# the switch removes. The last line is `N passed, N failed`.
#
#   MODELS   check only these models: names separated by commas
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

folder=$(cd "${1:-$ROOT/proof}" && pwd)
passed=0
failed=0
closed=0
work=$(mktemp -d)
close() {
	rm -rf "$work"
	((closed)) || failed=$((failed + 1))
	printf '%d passed, %d failed\n' "$passed" "$failed"
}
trap close EXIT
trap 'exit 130' INT TERM

pass() { printf 'ok: %s\n' "$1"; }
# A failure of Spin comes with its output.
fail() { # MESSAGE [LOG]
	printf 'not ok: %s\n' "$1"
	[[ ! ${2:-} ]] || sed 's/^/    /' "$2"
}

# Lets Spin try the runs of a model in the present folder. The output is in the file log.
search() { # MODEL OPTIMISATION DEFINITION...
	cp "$folder"/*.pml .
	(
		# an endless expansion of a macro would fill the memory
		ulimit -v 8000000
		timeout 60 spin -a "${@:3}" "$1.pml" &&
			gcc "$2" -w -DSAFETY -DMEMLIM=2000 -o pan pan.c &&
			timeout 900 ./pan -m1000000
	) >log 2>&1
}

# True if Spin tried all runs to their ends.
is_complete() {
	grep -q '^Full statespace search for:$' log &&
		! grep -qE 'Search not completed|max search depth too small|out of memory|memory limit|truncated' log
}

# Prints the statements that no run reached. A process that never ends has no last state.
unreached() {
	sed -n '/^unreached in /,/^$/ { /\.pml:[0-9]*, state/p }' log | grep -v '"-end-"$' || :
}

check_model() { # MODEL
	local start=$SECONDS states depth
	if ! search "$1" -O1; then
		fail "$1: Spin failed" log
	elif ! grep -q ', errors: 0$' log; then
		fail "$1: an error" log
	elif ! is_complete; then
		fail "$1: the search was not complete" log
	elif [[ $(unreached) ]]; then
		fail "$1: no run reaches a statement" log
	else
		states=$(sed -n 's/^ *\([0-9]*\) states, stored$/\1/p' log)
		depth=$(sed -n 's/.*depth reached \([0-9]*\), errors: 0$/\1/p' log)
		pass "$1: no error in $states states, depth $depth, $((SECONDS - start)) s"
	fi
}

# An error has to be that of a property. A run that is too long for the model's own bounds, or a model
# that does not compile, is none.
check_switch() { # MODEL SWITCH
	local error
	search "$1" -O0 -DBOUNDED "-D$2" || { fail "$1 with $2: Spin failed" log; return; }
	error=$(sed -n 's/^pan:1: \(.*\) (at depth \([0-9]*\))$/\1 (depth \2)/p' log)
	if [[ ! $error ]] || ! grep -q ', errors: 1$' log; then
		fail "$1 with $2: no error"
	elif [[ $error == *"stores["* ]]; then
		fail "$1 with $2: an error of the model: $error"
	else
		pass "$1 with $2: $error"
	fi
}

# Starts a check, of which as many run at the same time as there are CPUs. Each has a folder, in which
# its result is the file result.
nr_checks=0
start_check() { # COMMAND...
	local run
	while (($(jobs -pr | wc -l) >= $(nproc))); do
		wait -n || :
	done
	nr_checks=$((nr_checks + 1))
	run=$work/$nr_checks
	mkdir "$run"
	(
		trap - EXIT
		cd "$run"
		"$@" >result
		rm -f pan pan.*
	) &
}

# Prints the results of all checks in their order, and counts them.
end_checks() {
	local i
	wait
	for ((i = 1; i <= nr_checks; i++)); do
		cat "$work/$i/result"
		passed=$((passed + $(grep -c '^ok: ' "$work/$i/result" || :)))
		failed=$((failed + $(grep -c '^not ok: ' "$work/$i/result" || :)))
		grep -qE '^(not )?ok: ' "$work/$i/result" || failed=$((failed + 1))
	done
}

# Prints the switches of a file. Any other condition of the preprocessor would be a part of the model
# that may not be tried.
switches() { # FILE
	sed -n 's/^#if[n]*def \(NO_[A-Z_]*\)\(\t.*\)\?$/\1/p' "$1" | sort -u
}
check_text() { # FILE
	local other name=${1##*/}
	other=$(grep -nE '^[[:space:]]*#[[:space:]]*(if|elif)' "$1" |
		grep -vE ':#ifn?def (NO_[A-Z_]+|NR_STORES|BOUNDED)([[:space:]]|$)') || :
	if [[ $other ]]; then
		fail "$name: a condition that is no switch: $other"
	elif ! grep -q '^init ' "$1" && [[ $(switches "$1") ]]; then
		fail "$name: only a model can have switches"
	else
		pass "$name: each condition is a switch"
	fi
}

# Prints FILE:FUNCTION for each full barrier in the module. Kernel style has the name of a function in
# the line before the body, which begins with a brace in the first column.
barriers() { # FILE...
	awk '
	FNR == 1 { name = "" }
	/^[a-zA-Z_].*\(/ && !/;$/ {
		line = $0; sub(/\(.*/, "", line); sub(/.*[ *]/, "", line); name = line
	}
	/^[ \t]*\/?\*/ { next }
	/(^|[^a-z_])(__)?smp_(mb|rmb|wmb|store_mb|mb__[a-z_]+)\(/ || /(^|[^a-z_])(mb|rmb|wmb)\(\)/ {
		print FILENAME ":" name
	}' "$@" | sort -u
}
check_barriers() { # SOURCE
	local sources place name
	mapfile -t sources < <(find "$1" -name '*.[ch]' | sort)
	while IFS=: read -r place name; do
		# the comment beside the switch has the barrier and the function
		if grep -qE "^#ifn?def NO_[A-Z_]+	+/\* .*smp_.*\<$name\(\)" "$folder"/*.pml; then
			pass "a model has a switch for the barrier in $name(), $place"
		else
			fail "no model has a switch for the barrier in $name(), $place"
		fi
	done < <(barriers "${sources[@]}")
}

for file in "$folder"/*.pml; do
	start_check check_text "$file"
done
for file in "$folder"/*.pml; do
	grep -q '^init ' "$file" || continue
	model=${file##*/}
	model=${model%.pml}
	[[ -z ${MODELS:-} || ,$MODELS, == *,$model,* ]] || continue
	start_check check_model "$model"
	for switch in $(switches "$file"); do
		start_check check_switch "$model" "$switch"
	done
done
start_check check_barriers "${TMM_PROOF_SOURCE:-$ROOT/theseus_mm}"
end_checks

closed=1
((failed == 0 && passed > 0))
