# SPDX-License-Identifier: GPL-2.0
# bash completion for tmm(1)
# shellcheck shell=bash

_tmm_words() { # WORDS
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current")
	# --option=value goes on after the =
	[[ ${#COMPREPLY[@]} != 1 || ${COMPREPLY[0]} != *= ]] || compopt -o nospace 2>/dev/null
}

_tmm_files() {
	mapfile -t COMPREPLY < <(compgen -f -- "$current")
	compopt -o filenames 2>/dev/null
}

# What follows an option that has an argument. False if it has none.
_tmm_argument() { # COMMAND OPTION
	case $1:$2 in
	map:--by | map:-b) _tmm_words "owner use" ;;
	map:--color) _tmm_words "auto always never" ;;
	map:--watch) _tmm_words "1 2 5 10" ;;
	map:--width | map:-w) _tmm_words "80 120 160 200" ;;
	map:--svg | map:-s | cat:--output | cat:-o | regions:--cmdline | regions:-c | \
		regions:--firmware | regions:-f) _tmm_files ;;
	alloc:--kind | alloc:-k) _tmm_words "mapping frames pages" ;;
	alloc:--align | alloc:-a) _tmm_words "4K 2M 1G" ;;
	alloc:--at | alloc:--range | alloc:--count | alloc:-n) ;;
	cat:--fd | cat:-f | cat:--size | cat:-s | info:--fd | info:-f) ;;
	cat:--pid | cat:-p | info:--pid | info:-p) _tmm_words "$(cd /proc && echo [0-9]*)" ;;
	bench:--rounds | bench:-r | bench:--size | bench:-s) ;;
	*) return 1 ;;
	esac
}

_tmm_options() { # COMMAND
	case $1 in
	map) echo --ascii --by --color --color= --json --svg --watch --watch= --width ;;
	alloc) echo --align --at --contiguous --count --json --kind --range ;;
	put) echo --contiguous --json --read-only ;;
	cat) echo --fd --json --output --pid --size ;;
	bench) echo --json --rounds --size ;;
	regions) echo --cmdline --firmware --json ;;
	info) echo --fd --json --pid ;;
	stats | hold | translate | dump | demo) echo --json ;;
	esac
}

_tmm() {
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[1]} commands i
	commands="alloc bench cat demo dump hold info map put regions stats translate"
	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		_tmm_words "$commands help --help --version"
		return
	fi
	# behind -- is a command with arguments of its own
	for ((i = 2; i < COMP_CWORD; i++)); do
		[[ ${COMP_WORDS[i]} == -- && ($command == alloc || $command == put) ]] || continue
		if ((COMP_CWORD == i + 1)); then
			mapfile -t COMPREPLY < <(compgen -c -- "$current")
		else
			_tmm_files
		fi
		return
	done
	# bash makes a word of the = in --option=value
	if [[ $current == = ]]; then
		current=
		_tmm_argument "$command" "$previous"
		return
	fi
	if [[ $previous == = ]]; then
		_tmm_argument "$command" "${COMP_WORDS[COMP_CWORD - 2]}"
		return
	fi
	# optional arguments come with = only
	case $previous in
	--color | --watch) ;;
	*) ! _tmm_argument "$command" "$previous" || return ;;
	esac
	if [[ $current == -* ]]; then
		_tmm_words "$(_tmm_options "$command") --help"
		return
	fi
	case $command in
	help) _tmm_words "$commands" ;;
	hold) _tmm_words "mapping frames pages" ;;
	put | demo) _tmm_files ;;
	esac
}

complete -F _tmm tmm
