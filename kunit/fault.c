// SPDX-License-Identifier: GPL-2.0
/*
 * Allocations that fail on request. The kernel's failslab prints a stack for
 * each failure and would hit kmemleak's own records; a probe on the function
 * made for this does neither.
 */
#include "fault.h"

#include <kunit/resource.h>
#include <kunit/test.h>
#include <linux/gfp.h>
#include <linux/kprobes.h>
#include <linux/ptrace.h>
#include <linux/sched.h>

static struct task_struct *victim;
static unsigned int countdown;
static bool hit;

/* The probed function's stand-in: the result is in the register already. */
static noinline notrace __no_sanitize_address void return_at_once(void)
{
	asm volatile("");
}

NOKPROBE_SYMBOL(return_at_once);

static int before_should_failslab(struct kprobe *probe, struct pt_regs *regs)
{
	gfp_t gfp = (__force gfp_t)regs_get_kernel_argument(regs, 1);

	if (current != READ_ONCE(victim) || !countdown)
		return 0;
	/* Interrupts may not sleep; kmemleak's records carry __GFP_NORETRY. */
	if (!(gfp & __GFP_DIRECT_RECLAIM) || (gfp & (__GFP_NORETRY | __GFP_NOFAIL)) ||
	    --countdown)
		return 0;
	hit = true;
	regs_set_return_value(regs, -ENOMEM);
	instruction_pointer_set(regs, (unsigned long)return_at_once);
	return 1;
}

NOKPROBE_SYMBOL(before_should_failslab);

/* Keeps the probe from being turned into a jump, which could not return early. */
static void after_should_failslab(struct kprobe *probe, struct pt_regs *regs, unsigned long flags)
{
}

static int register_probe(struct kunit_resource *res, void *context)
{
	struct kprobe *probe = kzalloc(sizeof(*probe), GFP_KERNEL);
	int err;

	if (!probe)
		return -ENOMEM;
	probe->symbol_name = "should_failslab";
	probe->pre_handler = before_should_failslab;
	probe->post_handler = after_should_failslab;
	err = register_kprobe(probe);
	if (err)
		kfree(probe);
	else
		res->data = probe;
	return err;
}

static void unregister_probe(struct kunit_resource *res)
{
	WRITE_ONCE(victim, NULL);
	unregister_kprobe(res->data);
	kfree(res->data);
}

void tmm_test_fail_alloc(struct kunit *test, unsigned int nth)
{
	static const char name[] = "tmm_fault";
	struct kunit_resource *res = kunit_find_named_resource(test, name);

	if (!res) {
		res = kunit_alloc_and_get_resource(test, register_probe, unregister_probe,
						   GFP_KERNEL, NULL);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, res);
		res->name = name;
	}
	kunit_put_resource(res);
	hit = false;
	countdown = nth;
	WRITE_ONCE(victim, current);
}

bool tmm_test_fail_alloc_end(void)
{
	WRITE_ONCE(victim, NULL);
	return hit;
}
