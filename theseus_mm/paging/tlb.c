// SPDX-License-Identifier: GPL-2.0
#include "paging/tlb.h"

#include "core/bug.h"
#include "core/compat.h"

#include <kunit/visibility.h>
#include <linux/bitops.h>
#include <linux/cpumask.h>
#include <linux/export.h>
#include <linux/preempt.h>
#include <linux/processor.h>
#include <linux/rcupdate.h>
#include <linux/smp.h>

DEFINE_PER_CPU(unsigned long, tmm_inside);
EXPORT_PER_CPU_SYMBOL_GPL(tmm_inside);

static tmm_tlb_shootdown_fn shootdown_cb;

/* Wait until @cpu has left, if the CPU is inside now. */
static void wait_for_cpu(unsigned int cpu)
{
	const unsigned long *inside = per_cpu_ptr(&tmm_inside, cpu);
	/*
	 * Pairs with tmm_tlb_leave(): the accesses of that CPU are complete. A load and an acquire
	 * are the same on x86, whose loads keep their order. The caller's barrier comes before
	 * this load.
	 */
	unsigned long seen = smp_load_acquire(inside);

	if (unlikely(seen & 1))
		smp_cond_load_acquire(inside, VAL != seen);
}

/*
 * Wait until every CPU that is inside when the function is called has left. A caller that only
 * unlinked tables, and changed no present leaf, needs no more than this wait. The loop takes the
 * online CPUs a word of the mask at a time, which costs a few instructions for each CPU.
 *
 * Context: Any but interrupt; not inside a window.
 */
void tmm_tlb_wait(void)
{
	unsigned int first, self;

	TMM_BUG_IF(irqs_disabled() && tmm_tlb_is_inside());
	/*
	 * Pairs with the barrier in tmm_tlb_enter(): either a CPU that enters sees the change,
	 * or this loop sees that CPU inside.
	 */
	smp_mb();
	preempt_disable();
	self = smp_processor_id();
	for (first = 0; first < nr_cpu_ids; first += BITS_PER_LONG) {
		unsigned long cpus = READ_ONCE(cpumask_bits(cpu_online_mask)[BIT_WORD(first)]);

		for (; cpus; cpus &= cpus - 1) {
			unsigned int cpu = first + __ffs(cpus);

			/* A wait for this CPU would never end. */
			if (cpu != self)
				wait_for_cpu(cpu);
		}
	}
	preempt_enable();
}
EXPORT_SYMBOL_IF_KUNIT(tmm_tlb_wait);

/*
 * Make changed entries of @pages take effect on all CPUs, and call the registered callback.
 * When the function returns, no CPU uses an old entry, in hardware or in a software walk. So
 * the caller can free what the old entries pointed to.
 *
 * Context: Any but interrupt; not inside a window.
 */
void tmm_tlb_shootdown(struct tmm_page_range pages)
{
	tmm_tlb_shootdown_fn fn;

	tmm_tlb_wait();
	if (likely(!READ_ONCE(shootdown_cb)))
		return;
	/*
	 * Read the callback again under rcu_read_lock(): the callback may have been
	 * removed since, and its removal waits only for RCU readers.
	 */
	rcu_read_lock();
	fn = READ_ONCE(shootdown_cb);
	if (fn)
		fn(pages);
	rcu_read_unlock();
}
EXPORT_SYMBOL_IF_KUNIT(tmm_tlb_shootdown);

/**
 * tmm_set_broadcast_tlb_shootdown_cb() - register a callback for every remap and unmap
 * @fn: called with the pages whose present entries were changed, after all CPUs
 *      see the change and before the module reuses any frame; must not sleep. NULL
 *      removes the callback.
 *
 * Theseus: set_broadcast_tlb_shootdown_cb(). In Theseus the callback does the shootdown.
 * Here the module does the shootdown itself, and the callback is for modules that copied
 * translations. As in Theseus, there is one callback, and a new one replaces the old one.
 *
 * Context: Process context, may sleep. The previous callback is no longer running when
 *          the function returns.
 */
void tmm_set_broadcast_tlb_shootdown_cb(tmm_tlb_shootdown_fn fn)
{
	WRITE_ONCE(shootdown_cb, fn);
	synchronize_rcu();
}
EXPORT_SYMBOL_TMM(tmm_set_broadcast_tlb_shootdown_cb);
