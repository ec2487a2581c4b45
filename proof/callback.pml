/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The callback of shootdowns: tmm_set_broadcast_tlb_shootdown_cb() and tmm_tlb_shootdown() in
 * paging/tlb.c.
 *
 * One CPU does shootdowns; the other removes the callback, and then unloads the callback's code.
 *
 * Property: the callback does not run after its removal has returned.
 */
#define NR_CPUS 2

#define CALLBACK 0
#define NR_VARS 1

#define ON_COMMIT(variable, value) skip
#include "tso.pml"

bool is_reading;	/* between rcu_read_lock() and rcu_read_unlock() */
bool was_removed;

proctype shooter(byte cpu)
{
	byte fn;
end:
	do
	:: load(cpu, CALLBACK, fn);
		if
		:: fn ->
#ifndef NO_RCU_LOCK	/* rcu_read_lock() in tmm_tlb_shootdown() */
			is_reading = true;
#endif
#ifndef NO_RECHECK_OF_CALLBACK	/* the second READ_ONCE() in tmm_tlb_shootdown() */
			load(cpu, CALLBACK, fn);
#endif
			if
			:: fn -> assert(!was_removed)
			:: else
			fi;
			is_reading = false
		:: else
		fi;
		fn = 0
	od
}

proctype remover(byte cpu)
{
	store(cpu, CALLBACK, 0);
#ifndef NO_SYNCHRONIZE	/* synchronize_rcu() in tmm_set_broadcast_tlb_shootdown_cb() */
	/* synchronize_rcu() is a barrier before and after its wait for readers. */
	barrier(cpu);
	!is_reading;
#endif
	was_removed = true
}

init {
	atomic {
		mem[CALLBACK] = 1;
		start_writers();
		run shooter(0);
		run remover(1)
	}
}
