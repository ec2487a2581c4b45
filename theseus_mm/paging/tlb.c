// SPDX-License-Identifier: GPL-2.0
#include "paging/tlb.h"

#include "core/bug.h"
#include "core/compat.h"

#include <kunit/visibility.h>
#include <linux/cpumask.h>
#include <linux/export.h>
#include <linux/preempt.h>
#include <linux/processor.h>
#include <linux/rcupdate.h>
#include <linux/smp.h>

DEFINE_PER_CPU(unsigned long, tmm_inside);
EXPORT_PER_CPU_SYMBOL_GPL(tmm_inside);

static tmm_tlb_shootdown_fn shootdown_cb;

/**
 * tmm_tlb_wait() - wait until no CPU is inside that was inside at the call
 *
 * Enough where no present entry changed, only tables were unlinked.
 *
 * Context: Any but interrupt; not inside a window.
 */
void tmm_tlb_wait(void)
{
	unsigned int cpu;

	TMM_BUG_IF(irqs_disabled() && tmm_tlb_is_inside());
	/* Pairs with the barrier in tmm_tlb_enter(): it sees us, or we see it. */
	smp_mb();
	preempt_disable();
	for_each_online_cpu(cpu) {
		const unsigned long *inside = per_cpu_ptr(&tmm_inside, cpu);
		/* Pairs with tmm_tlb_leave(): what that CPU did inside is done. */
		unsigned long seen = smp_load_acquire(inside);

		/* Waiting for ourselves would never end. */
		if (cpu == smp_processor_id())
			continue;
		if (seen & 1)
			smp_cond_load_acquire(inside, VAL != seen);
	}
	preempt_enable();
}
EXPORT_SYMBOL_IF_KUNIT(tmm_tlb_wait);

/**
 * tmm_tlb_shootdown() - make changed entries take effect everywhere
 * @pages: the pages whose entries were changed or cleared
 *
 * After this no CPU uses an entry as it was before the change, in hardware or in
 * a software walk, and what it pointed to can be freed. Calls the registered
 * callback, if there is one.
 *
 * Context: Any but interrupt; not inside a window.
 */
void tmm_tlb_shootdown(struct tmm_page_range pages)
{
	tmm_tlb_shootdown_fn fn;

	tmm_tlb_wait();
	rcu_read_lock();
	fn = READ_ONCE(shootdown_cb);
	if (fn)
		fn(pages);
	rcu_read_unlock();
}
EXPORT_SYMBOL_IF_KUNIT(tmm_tlb_shootdown);

/**
 * tmm_set_broadcast_tlb_shootdown_cb() - be told of every remap and unmap
 * @fn: called with the pages whose present entries were changed, after all CPUs
 *      see the change and before any frame can be given out again; must not
 *      sleep. NULL ends it.
 *
 * Theseus: set_broadcast_tlb_shootdown_cb(). There it is the shootdown; here the
 * module does that itself, and the callback is for whoever copied translations.
 * There is one for all: the last that was set counts, as there.
 *
 * Context: Process context, may sleep: returns when the previous callback is no
 *          longer running.
 */
void tmm_set_broadcast_tlb_shootdown_cb(tmm_tlb_shootdown_fn fn)
{
	WRITE_ONCE(shootdown_cb, fn);
	synchronize_rcu();
}
EXPORT_SYMBOL_TMM(tmm_set_broadcast_tlb_shootdown_cb);
