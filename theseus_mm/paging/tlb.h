/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TLB rule of the module: when a CPU can still use an old entry.
 *
 * A CPU is *inside* while it has a private root loaded (paging/window.h) or reads tables in
 * software. Each CPU has a sequence number, which is odd while the CPU is inside. A CPU that
 * enters a window loads CR3, which drops all TLB entries of private roots. A CPU that begins a
 * software walk reads the present entries. So only CPUs that were inside when an entry changed
 * can still use the old entry. Code that changes entries follows this order:
 *
 *	change entries -> tmm_tlb_shootdown() -> free what the entries pointed to
 *
 * The shootdown needs no interprocessor interrupt. A CPU stays inside only for a short time,
 * with interrupts off, and takes no lock there. So the wait is short, and the caller may hold
 * any lock.
 */
#ifndef TMM_PAGING_TLB_H
#define TMM_PAGING_TLB_H

#include "core/range.h"

#include <linux/atomic.h>
#include <linux/irqflags.h>
#include <linux/lockdep.h>
#include <linux/percpu.h>

DECLARE_PER_CPU(unsigned long, tmm_inside);

typedef void (*tmm_tlb_shootdown_fn)(struct tmm_page_range pages);

/* True if this CPU is inside. Interrupts or preemption must be off, or the answer may be stale. */
static inline bool tmm_tlb_is_inside(void)
{
	return raw_cpu_read(tmm_inside) & 1;
}

/*
 * Go inside. The caller has interrupts off until tmm_tlb_leave(). If the shootdown of a change
 * did not wait for this CPU, this CPU reads the changed entries after this call.
 */
static inline void tmm_tlb_enter(void)
{
	lockdep_assert_irqs_disabled();
	__this_cpu_write(tmm_inside, __this_cpu_read(tmm_inside) + 1);
	/*
	 * Pairs with tmm_tlb_wait(): either the waiter sees this CPU inside, or this CPU sees
	 * the change.
	 */
	smp_mb();
}

static inline void tmm_tlb_leave(void)
{
	/*
	 * Pairs with tmm_tlb_wait(): the accesses of this CPU are complete before the waiter
	 * goes on. A compiler barrier is enough: on x86, a CPU reorders no load or store with a
	 * later store of its own.
	 */
	smp_store_release(this_cpu_ptr(&tmm_inside), __this_cpu_read(tmm_inside) + 1);
}

/**
 * struct tmm_walk - a software walk of tables that other CPUs may unlink
 * @flags: interrupt state before the walk
 * @is_nested: this CPU was inside before the walk, and stays inside after it
 */
struct tmm_walk {
	unsigned long flags;
	bool is_nested;
};

/*
 * A table found during the walk is not freed before tmm_tlb_walk_end(). A walk must be
 * short, since interrupts are off. Always inline, so that @walk stays in registers.
 */
static __always_inline void tmm_tlb_walk_begin(struct tmm_walk *walk)
{
	local_irq_save(walk->flags);
	walk->is_nested = tmm_tlb_is_inside();
	if (!walk->is_nested)
		tmm_tlb_enter();
}

static __always_inline void tmm_tlb_walk_end(const struct tmm_walk *walk)
{
	if (!walk->is_nested)
		tmm_tlb_leave();
	local_irq_restore(walk->flags);
}

void tmm_tlb_wait(void);
void tmm_tlb_shootdown(struct tmm_page_range pages);
void tmm_set_broadcast_tlb_shootdown_cb(tmm_tlb_shootdown_fn fn);

#endif /* TMM_PAGING_TLB_H */
