# shellcheck shell=bash
# The functions with which the scripts that source this file (.ci/run, nightly.sh) run their stages.
# At the end, the script prints the time of each stage. However the script ends, its last line is
# `N passed, N failed[, N skipped]`.

passed=0
failed=0
skipped=0
times=()
ended=0
beside_pid=
close() {
	((ended)) || failed=$((failed + 1))
	if [[ $beside_pid ]]; then
		kill -- "-$beside_pid" || :
		cat "$beside_log"
		failed=$((failed + 1))
	fi
	rm -f "$log" "$beside_log"
	printf '\n'
	((${#times[@]} == 0)) || printf '%s\n' "${times[@]}"
	printf '%d passed, %d failed' "$passed" "$failed"
	((skipped == 0)) || printf ', %d skipped' "$skipped"
	printf '\n'
}
log=$(mktemp)
beside_log=$(mktemp)
trap close EXIT
trap 'exit 130' INT TERM

# Runs a stage. A stage that fails adds a failure.
stage() { # NAME COMMAND...
	local start=$SECONDS status=0
	run_command "$@" || status=$?
	((status == 0)) || failed=$((failed + 1))
	note_time "$1" "$start" "$status"
}

# Runs a stage of tests, and adds the counts of its last result line. A stage that fails without
# counting a failure adds one failure.
test_stage() { # NAME COMMAND...
	local start=$SECONDS status=0 line before=$failed
	run_command "$@" || status=$?
	line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1) || line=
	if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed(,\ ([0-9]+)\ skipped)?$ ]]; then
		passed=$((passed + BASH_REMATCH[1]))
		failed=$((failed + BASH_REMATCH[2]))
		skipped=$((skipped + ${BASH_REMATCH[4]:-0}))
	else
		echo "stage $1: the output has no line 'N passed, N failed'; run the command with stage instead of test_stage if it counts no tests"
		status=1
	fi
	if ((status != 0 && failed == before)); then
		failed=$((failed + 1))
	fi
	note_time "$1" "$start" "$status"
	note_figures "$log"
}

# Makes and prints the folder with a file for each stage that has passed at this commit. Prints nothing
# if the tree has changes or no commit, or if CHOSEN, the values of the variables that change a stage,
# is not empty.
find_records() { # FOLDER CHOSEN
	local changes commit
	changes=$(git status --porcelain) && commit=$(git rev-parse HEAD) || return 0
	[[ ! $2$changes ]] || return 0
	mkdir -p "build/$1/$commit"
	printf 'build/%s/%s\n' "$1" "$commit"
}

# Runs a stage of tests as test_stage does, unless the folder RECORDS says that the stage has passed.
# Without a folder, the stage always runs.
kept_stage() { # RECORDS NAME COMMAND...
	local record=${1:+$1/$2} before=("$passed" "$failed" "$skipped") start=$SECONDS
	if [[ $record && -e $record ]]; then
		repeat_result "$2" "$record"
		return
	fi
	test_stage "${@:2}"
	if [[ $record ]] && ((failed == before[1])); then
		{
			echo "$((passed - before[0])) $((skipped - before[2])) $((SECONDS - start))"
			grep '^figures: ' "$log" || :
		} >"$record"
	fi
}

repeat_result() { # NAME RECORD
	local nr_passed nr_skipped seconds
	read -r nr_passed nr_skipped seconds <"$2"
	printf '\n##### %s: has passed at this commit\n' "$1"
	passed=$((passed + nr_passed))
	skipped=$((skipped + nr_skipped))
	note_time "$1" $((SECONDS - seconds)) 0
	note_figures "$2"
}

# The lines "figures: TEXT" of a stage come again at the end, below its time.
note_figures() { # FILE
	local line
	while read -r line; do
		times+=("         ${line#figures: }")
	done < <(grep '^figures: ' "$1" || :)
}

# Starts a script that has stages of its own, beside the stages that follow.
begin_beside() { # COMMAND...
	setsid "$@" >"$beside_log" 2>&1 &
	beside_pid=$!
}

# Waits for that script, prints its output, and adds its counts and the times of its stages.
end_beside() { # NAME
	local status=0 line
	wait "$beside_pid" || status=$?
	beside_pid=
	while read -r line; do
		times+=("$line")
	done < <(grep -E '^[a-z0-9-]+ +[0-9]+ s  (ok|FAILED)$' "$beside_log" || :)
	test_stage "$1" repeat_beside "$status"
}

# shellcheck disable=SC2317 # test_stage calls it
repeat_beside() { # STATUS
	cat "$beside_log"
	return "$1"
}

run_command() { # NAME COMMAND...
	printf '\n##### %s: %s\n' "$1" "${*:2}"
	"${@:2}" 2>&1 | tee "$log"
}

note_time() { # NAME START STATUS
	times+=("$(printf '%-14s %5d s  %s' "$1" $((SECONDS - $2)) "$( (($3)) && echo FAILED || echo ok)")")
}

# Ends the script, with status 0 only if tests ran and nothing failed.
end_stages() {
	ended=1
	((failed == 0 && passed > 0))
}
