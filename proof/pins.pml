/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The search for pins: tmm_pins_find() in alloc/pins.c, and Linux's gup_pte_range() and zapping.
 *
 * One CPU removes a page from a process and searches for pins; then the frame goes to another owner
 * if no pin was found. The other CPU pins the page without a lock, as often as it likes.
 *
 * Property: no pin is held on a frame that was found unpinned.
 */
#define NR_CPUS 2

#define ENTRY 0		/* of the process, for the page */
#define COUNT 1		/* of the struct page; 1 is TMM_UNPINNED */
#define NR_VARS 2

#define ON_COMMIT(variable, value) skip
#include "tso.pml"

bool is_reused;

proctype pinner(byte cpu)
{
	byte value;
end:
	do
	:: load(cpu, ENTRY, value);
		if
		:: value ->
			/* try_grab_folio() and its opposite are instructions with a LOCK prefix. */
			d_step { drained(cpu) -> mem[COUNT]++ }
#ifndef NO_RECHECK_OF_ENTRY	/* gup_pte_range() of Linux reads the entry again */
			load(cpu, ENTRY, value);
#endif
			if
			:: value -> assert(!is_reused); assert(!is_reused)
			:: else
			fi;
			d_step { drained(cpu) -> mem[COUNT]-- }
		:: else
		fi;
		value = 0
	od
}

proctype owner(byte cpu)
{
	byte count;

	/*
	 * Zapping uses an exchange, which is a barrier itself, except where the whole process ends.
	 * The model has the weaker store for both.
	 */
	store(cpu, ENTRY, 0);
#ifndef NO_BARRIER_IN_FIND	/* smp_mb() in tmm_pins_find() */
	barrier(cpu);
#endif
	do
	:: load(cpu, COUNT, count);
		if
		:: count == 1 -> break
		:: else	/* the loan lingers, and tmm_linger_settle_all() looks again */
		fi
	od;
	is_reused = true
}

init {
	atomic {
		mem[ENTRY] = 1;
		mem[COUNT] = 1;
		start_writers();
		run owner(0);
		run pinner(1)
	}
}
