// SPDX-License-Identifier: GPL-2.0
/*
 * A kprobe on should_failslab(), which Linux provides for error injection, makes allocations
 * fail. Linux's failslab is no choice: failslab prints a stack for each failure, and would also
 * fail the allocations of kmemleak's own records.
 */
#include "support/fail_alloc.h"

#include <linux/gfp.h>
#include <linux/kprobes.h>
#include <linux/ptrace.h>
#include <linux/sched.h>

static struct task_struct *victim;
static unsigned int countdown;
static bool hit;
static void (*happens)(void *context);
static void *happens_to;

/* Runs in place of should_failslab(). The probe has set the result register already. */
static noinline notrace __no_sanitize_address void return_at_once(void)
{
	asm volatile("");
}

NOKPROBE_SYMBOL(return_at_once);

/* Runs in place of should_failslab() too, in the context of the task that allocates. */
static noinline notrace __no_sanitize_address int let_it_happen(void)
{
	happens(happens_to);
	return 0;
}

NOKPROBE_SYMBOL(let_it_happen);

static int before_should_failslab(struct kprobe *probe, struct pt_regs *regs)
{
	gfp_t gfp = (__force gfp_t)regs_get_kernel_argument(regs, 1);

	if (current != READ_ONCE(victim) || !countdown)
		return 0;
	/*
	 * Count only the allocations of the task itself: those of interrupts lack
	 * __GFP_DIRECT_RECLAIM, and those of kmemleak's records have __GFP_NORETRY.
	 */
	if (!(gfp & __GFP_DIRECT_RECLAIM) || (gfp & (__GFP_NORETRY | __GFP_NOFAIL)) ||
	    --countdown)
		return 0;
	hit = true;
	if (happens) {
		instruction_pointer_set(regs, (unsigned long)let_it_happen);
		return 1;
	}
	regs_set_return_value(regs, -ENOMEM);
	instruction_pointer_set(regs, (unsigned long)return_at_once);
	return 1;
}

NOKPROBE_SYMBOL(before_should_failslab);

/*
 * Linux does not optimize a probe with a post handler into a jump. A jump could not skip the
 * probed function.
 */
static void after_should_failslab(struct kprobe *probe, struct pt_regs *regs, unsigned long flags)
{
}

static struct kprobe probe;

int tmm_fail_alloc_register(void)
{
	probe = (struct kprobe){
		.symbol_name = "should_failslab",
		.pre_handler = before_should_failslab,
		.post_handler = after_should_failslab,
	};
	return register_kprobe(&probe);
}

void tmm_fail_alloc_unregister(void)
{
	WRITE_ONCE(victim, NULL);
	unregister_kprobe(&probe);
}

void tmm_fail_alloc_arm(unsigned int nth, void (*meanwhile)(void *), void *context)
{
	hit = false;
	countdown = nth;
	happens = meanwhile;
	happens_to = context;
	WRITE_ONCE(victim, current);
}

bool tmm_fail_alloc_disarm(void)
{
	WRITE_ONCE(victim, NULL);
	return hit;
}
