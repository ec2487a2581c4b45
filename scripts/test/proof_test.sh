#!/bin/bash
# Tests proof.sh with small models: each kind of failure has to be seen.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
"$root/scripts/deps.sh" proof
unset MODELS

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/source"

# Each of two CPUs stores its own flag, then enters if the other CPU's flag is clear. With a barrier
# between the store and the load, at most one CPU enters.
write_model() { # [LINE IN THE MODEL]
	cat >"$work/models/flags.pml" <<END
#define NR_CPUS 2
#define NR_VARS 2
#define ON_COMMIT(variable, value) skip
#include "tso.pml"

byte nr_inside;

proctype enter(byte cpu)
{
	byte value;

	store(cpu, cpu, 1);
#ifndef NO_BARRIER	/* smp_mb() in enter() */
	barrier(cpu);
#endif
	load(cpu, 1 - cpu, value);
	if
	:: !value -> nr_inside++; assert(nr_inside == 1)
	:: else
	fi;
${1:-}
	skip
}

init {
	atomic { start_writers(); run enter(0); run enter(1) }
}
END
}
write_source() { # FUNCTION
	printf 'void %s(void)\n{\n\tsmp_mb();\n}\n' "$1" >"$work/source/a.c"
}
reset() {
	rm -rf "$work/models"
	mkdir "$work/models"
	cp "$root/proof/tso.pml" "$work/models/"
	write_model
	write_source enter
}

number=0
# Runs proof.sh, and ends the test unless the status and a line of the output are as expected.
expect() { # STATUS LINE WHAT
	local status=0
	number=$((number + 1))
	TMM_PROOF_SOURCE=$work/source "$root/scripts/proof.sh" "$work/models" >"$work/log" 2>&1 || status=$?
	if [[ $status != "$1" ]] || ! grep -qE "$2" "$work/log"; then
		echo "not ok $number $3: status $status"
		cat "$work/log"
		exit 1
	fi
	echo "ok $number $3"
	reset
}

reset
expect 0 '^5 passed, 0 failed$' 'a model with a switch that gives an error'
write_model '#ifndef NO_SKIP	/* nothing */
	skip;
#endif'
expect 1 '^not ok: flags with NO_SKIP: no error$' 'a switch that gives no error'
sed -i '/barrier(cpu);/d' "$work/models/flags.pml"
expect 1 '^not ok: flags: an error' 'a model with an error'
write_model 'if :: nr_inside == 9 -> nr_inside = 0 :: else fi;'
expect 1 '^not ok: flags: no run reaches a statement' 'a statement that no run reaches'
write_model 'no statement'
expect 1 '^not ok: flags: Spin failed' 'a model with a syntax error'
write_model 'store(cpu, cpu, 1); store(cpu, cpu, 1); store(cpu, cpu, 1); store(cpu, cpu, 1); store(cpu, cpu, 1);'
expect 1 '^not ok: flags: an error' 'a model that needs more stores than a buffer has'
write_model '#if 1
	skip;
#endif'
expect 1 '^not ok: flags.pml: a condition that is no switch' 'a condition that is no switch'
write_source leave
expect 1 '^not ok: no model has a switch for the barrier in leave' 'a barrier without a switch'
sed -i 's/byte nr_inside;/int steps;\n&/; s/^\tskip$/\tdo :: steps < 1100000 -> steps++ :: else -> break od/' \
	"$work/models/flags.pml"
expect 1 '^not ok: flags: the search was not complete' 'a search that is cut off'
echo "$number passed, 0 failed"
