/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who may still be using an entry: the module's TLB rule.
 *
 * A CPU is *inside* while it has a private root loaded (paging/window.h) or
 * reads tables in software. Each CPU has a sequence number, odd while inside.
 * Coming in loads CR3, which drops what the TLB knew of private roots, so only
 * CPUs that were inside when an entry changed can still use the old one. Hence:
 *
 *	change entries -> tmm_tlb_shootdown() -> free what they pointed to
 *
 * No interprocessor interrupt is needed: being inside is short, with interrupts
 * off, and takes no lock, so the wait is short and may be done under any lock.
 */
#ifndef TMM_PAGING_TLB_H
#define TMM_PAGING_TLB_H

#include "core/range.h"

#include <linux/atomic.h>
#include <linux/irqflags.h>
#include <linux/percpu.h>

DECLARE_PER_CPU(unsigned long, tmm_inside);

typedef void (*tmm_tlb_shootdown_fn)(struct tmm_page_range pages);

/* Is this CPU inside? Interrupts or preemption are off, or the answer is stale. */
static inline bool tmm_tlb_is_inside(void)
{
	return raw_cpu_read(tmm_inside) & 1;
}

/*
 * Go inside: interrupts are off and stay off until tmm_tlb_leave(). What is
 * read after this is not older than any change whose shootdown did not wait
 * for this CPU.
 */
static inline void tmm_tlb_enter(void)
{
	__this_cpu_write(tmm_inside, __this_cpu_read(tmm_inside) + 1);
	/* Pairs with tmm_tlb_wait(): it sees us inside, or we see its change. */
	smp_mb();
}

static inline void tmm_tlb_leave(void)
{
	/* Pairs with tmm_tlb_wait(): our accesses are done when it goes on. */
	smp_store_release(this_cpu_ptr(&tmm_inside), __this_cpu_read(tmm_inside) + 1);
}

/**
 * struct tmm_walk - a software walk of tables beside their freeing
 * @flags: interrupts as they were
 * @is_nested: this CPU was inside already, and stays so
 */
struct tmm_walk {
	unsigned long flags;
	bool is_nested;
};

/* Tables found after this stay until tmm_tlb_walk_end(). Short; interrupts are off. */
static inline void tmm_tlb_walk_begin(struct tmm_walk *walk)
{
	local_irq_save(walk->flags);
	walk->is_nested = tmm_tlb_is_inside();
	if (!walk->is_nested)
		tmm_tlb_enter();
}

static inline void tmm_tlb_walk_end(const struct tmm_walk *walk)
{
	if (!walk->is_nested)
		tmm_tlb_leave();
	local_irq_restore(walk->flags);
}

void tmm_tlb_wait(void);
void tmm_tlb_shootdown(struct tmm_page_range pages);
void tmm_set_broadcast_tlb_shootdown_cb(tmm_tlb_shootdown_fn fn);

#endif /* TMM_PAGING_TLB_H */
