/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Windows, software walks and unmap: paging/tlb.[ch], paging/window.c, paging/translate.c and
 * tmm_mapper_unmap() in paging/mapper.c.
 *
 * Each CPU runs windows and walks, as often as it likes. One task unmaps a page, and then frees the
 * frame and the table. The task may change its CPU before and after tmm_tlb_wait() reads the CPU's
 * number. The module turns preemption off there only to keep the wait short.
 *
 * Property: no window reads or writes the frame, and no window or walk reads the table, after both
 * were freed; and each write of a window has reached memory by then.
 */
#define NR_CPUS 2

/* Variables in memory */
#define INSIDE 0		/* of CPU 0, and then of CPU 1 */
#define TOP NR_CPUS		/* the entry that points to the table: 1 or 0 */
#define LEAF (NR_CPUS + 1)	/* the entry in the table: 1 or 0 */
#define FRAME (NR_CPUS + 2)	/* a word of the frame */
#define NR_VARS (NR_CPUS + 3)

bool is_freed;

#define ON_COMMIT(variable, value) assert(variable != FRAME || !is_freed)
#include "tso.pml"

bool is_busy[NR_CPUS];	/* a task runs on the CPU and cannot be preempted */

/* Counts up by one. The sequence of a CPU wraps at 4, which can only make a wait longer. */
#define NEXT(n) (((n) + 1) & 3)

/* tmm_tlb_enter() */
inline enter()
{
	load(cpu, INSIDE + cpu, n);
	store(cpu, INSIDE + cpu, NEXT(n));
	n = 0;
#ifndef NO_BARRIER_IN_ENTER	/* smp_mb() in tmm_tlb_enter() */
	barrier(cpu);
#endif
}

/* tmm_tlb_leave() */
inline leave()
{
	load(cpu, INSIDE + cpu, n);
	store(cpu, INSIDE + cpu, NEXT(n));
	n = 0
}

/* tmm_tlb_walk_begin() and tmm_tlb_walk_end() around walk_tables(), or around the walk of tmm_table_acquire_existing() */
inline walk()
{
	enter();
	table = 0;
	load(cpu, TOP, table);
	if
	:: table -> assert(!is_freed); load(cpu, LEAF, table)
	:: else
	fi;
	table = 0;
	leave()
}

/* tmm_window_enter(), accesses, and tmm_window_leave() */
inline window()
{
	enter();
	/*
	 * The load of CR3 drops the entries in the TLB. The model does not let the load drain the
	 * buffer of stores, although the instruction does.
	 */
#ifndef NO_FLUSH	/* CR3 without X86_CR3_PCID_NOFLUSH in tmm_window_enter_table() */
	tlb = 0;
	table = 0;
#endif
#ifdef NO_ORDER_IN_LEAVE	/* tmm_tlb_leave() after the accesses in tmm_window_leave() */
	leave();
#endif
	do
	/* The CPU may read the tables at any time, and may keep entries of both levels. */
	:: !tlb && !table -> load(cpu, TOP, table)
	:: !tlb && table -> assert(!is_freed); load(cpu, LEAF, tlb)
	:: tlb -> assert(!is_freed)
	:: tlb && drained(cpu) -> store(cpu, FRAME, 1)
	/* In a window, tmm_tlb_walk_begin() finds that the CPU is inside, and changes nothing. */
#ifdef NO_NESTING	/* is_nested of struct tmm_walk */
	:: enter(); leave()
#endif
	:: break
	od;
#ifndef NO_ORDER_IN_LEAVE
	leave()
#endif
}

/* The code on a CPU that enters windows and walks tables. Interrupts are off in both. */
proctype insider(byte cpu)
{
	byte n, tlb, table;
end:
	do
	:: atomic { !is_busy[cpu] -> is_busy[cpu] = true };
		if
		:: window()
		:: walk()
		fi;
		is_busy[cpu] = false
	od
}

/* With preemption on, the task may go on at the other CPU. A switch of tasks is a barrier. */
inline may_move()
{
	if
	:: skip
	:: atomic { drained(cpu) -> is_busy[cpu] = false };
		atomic {
			if
			:: !is_busy[0] && drained(0) -> cpu = 0
			:: !is_busy[1] && drained(1) -> cpu = 1
			fi;
			is_busy[cpu] = true
		}
	fi
}

/* wait_for_cpu() */
inline wait_for_cpu()
{
	load(cpu, INSIDE + other, seen);
#ifndef NO_WAIT	/* smp_cond_load_acquire() in wait_for_cpu() */
	do
	:: seen & 1 ->
		load(cpu, INSIDE + other, n);
		if
		:: n != seen -> break
		:: else
		fi
	:: else -> break
	od;
#endif
	seen = 0;
	n = 0
}

/* tmm_tlb_wait() */
inline tlb_wait()
{
#ifndef NO_BARRIER_IN_WAIT	/* smp_mb() in tmm_tlb_wait() */
	barrier(cpu);
#endif
	may_move();
	/* While the task runs on this CPU, the CPU is not inside, and later it sees the change. */
	self = cpu;
	may_move();
	other = 0;
	do
	:: other < NR_CPUS ->
		if
		:: other != self -> wait_for_cpu()
		:: else
		fi;
		other++
	:: else -> break
	od
}

proctype unmapper()
{
	byte cpu, self, other, seen, n;

	atomic { !is_busy[0] -> is_busy[0] = true };
	/*
	 * The mapper clears entries by instructions that are barriers themselves, but the rule of
	 * paging/tlb.h allows any store.
	 */
	store(cpu, LEAF, 0);
	store(cpu, TOP, 0);
	tlb_wait();
	is_freed = true;
	is_busy[cpu] = false
}

init {
	atomic {
		mem[TOP] = 1;
		mem[LEAF] = 1;
		start_writers();
		run insider(0);
		run insider(1);
		run unmapper()
	}
}
