// SPDX-License-Identifier: GPL-2.0
#include "paging/window.h"

#include "paging/mirror.h"
#include "paging/page_table.h"
#include "paging/tlb.h"

#include <asm/cpufeature.h>
#include <asm/processor-flags.h>
#include <asm/special_insns.h>
#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/irqflags.h>
#include <linux/kdebug.h>
#include <linux/limits.h>
#include <linux/notifier.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/sched.h>

/* This bit tells the CPU to keep the TLB entries of the address-space number that it loads. */
#ifndef X86_CR3_PCID_NOFLUSH
#define X86_CR3_PCID_NOFLUSH	BIT_ULL(63)
#endif

/*
 * Linux's root while this CPU has a private root loaded, else 0. The die notifier reads this
 * value if a task dies inside a window.
 */
static DEFINE_PER_CPU(unsigned long, linux_cr3);

/* Do what tmm_window_enter() does, with @top, one of the two top-level tables of @pt. */
int tmm_window_enter_table(struct tmm_page_table *pt, u64 *top, struct tmm_window *window)
{
	const u64 *live;

	if (!in_task())
		return -EPERM;
	local_irq_save(window->flags);
	if (tmm_tlb_is_inside()) {
		local_irq_restore(window->flags);
		return -EDEADLK;
	}
	tmm_tlb_enter();
	window->cr3 = __native_read_cr3();
	live = tmm_mirror_live_root(window->cr3);
	if (unlikely(tmm_mirror_is_stale(pt, live))) {
		/*
		 * With PTI, an NMI during a copy of the lower half runs on the first table, so
		 * update both.
		 */
		tmm_mirror_copy(pt->top, live);
		tmm_mirror_copy(pt->low, live);
	}
	__this_cpu_write(linux_cr3, window->cr3);
	/* Load address-space number 0, which Linux does not use, without NOFLUSH. */
	native_write_cr3(top == pt->low ? pt->paddr + TMM_PAGE_SIZE : pt->paddr);
	return 0;
}

/*
 * Load a private root on this CPU. Interrupts are off until tmm_window_leave(). Addresses of
 * @pt above the lower half can then be used: with tmm_window_copy(), or directly where an entry
 * is known to allow the access. Returns -EDEADLK if this CPU is already in a window, because
 * windows do not nest, or -EPERM outside of process context.
 */
int tmm_window_enter(struct tmm_page_table *pt, struct tmm_window *window)
{
	return tmm_window_enter_table(pt, pt->top, window);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_window_enter);

/* Load Linux's root again, on the CPU that entered the window, and restore the interrupt state. */
void tmm_window_leave(const struct tmm_window *window)
{
	unsigned long cr3 = window->cr3;

	/*
	 * None of Linux's own mappings changed on this CPU during the window, so keep their TLB
	 * entries.
	 */
	if (cpu_feature_enabled(X86_FEATURE_PCID))
		cr3 |= X86_CR3_PCID_NOFLUSH;
	native_write_cr3(cr3);
	__this_cpu_write(linux_cr3, 0);
	tmm_tlb_leave();
	local_irq_restore(window->flags);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_window_leave);

/*
 * Leave the window or the walk that this CPU is in, for a task that dies there. The function
 * does nothing if this CPU is not inside. Interrupts stay as they are.
 *
 * Context: Any.
 */
void tmm_window_abandon(void)
{
	unsigned long cr3;

	/*
	 * Interrupts are off inside a window, and in an NMI or fault that interrupts the
	 * window.
	 */
	if (!irqs_disabled() || !tmm_tlb_is_inside())
		return;
	cr3 = __this_cpu_read(linux_cr3);
	if (cr3)
		native_write_cr3(cr3);
	__this_cpu_write(linux_cr3, 0);
	tmm_tlb_leave();
}
EXPORT_SYMBOL_IF_KUNIT(tmm_window_abandon);

static int note_oops(struct notifier_block *nb, unsigned long event, void *unused)
{
	if (event == DIE_OOPS)
		tmm_window_abandon();
	return NOTIFY_DONE;
}

/*
 * This notifier runs last. An earlier notifier that lets the task go on, such as a debugger's,
 * stops the chain before this notifier.
 */
static struct notifier_block die_notifier = {
	.notifier_call = note_oops,
	.priority = INT_MIN,
};

/*
 * Register the notifier for tasks that die in a window. Process context, before the first
 * window.
 */
int tmm_windows_init(void)
{
	return register_die_notifier(&die_notifier);
}

/* Undo tmm_windows_init(). Process context, after the last window. */
void tmm_windows_exit(void)
{
	unregister_die_notifier(&die_notifier);
}
