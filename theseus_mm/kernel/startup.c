// SPDX-License-Identifier: GPL-2.0
#include "kernel/startup.h"

#include "alloc/bad_frames.h"
#include "alloc/cleaner_thread.h"
#include "alloc/pool.h"
#include "core/address.h"
#include "include/linux/theseus_mm.h"
#include "kernel/instance.h"
#include "mapping/instance.h"
#include "mapping/memory.h"

#include <linux/errno.h>
#include <linux/notifier.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/suspend.h>

/* Hibernation does not save reserved RAM, so after hibernation the root would be invalid. */
static int refuse_hibernation(struct notifier_block *nb, unsigned long event, void *unused)
{
	if (event == PM_HIBERNATION_PREPARE || event == PM_RESTORE_PREPARE)
		return notifier_from_errno(-EBUSY);
	return NOTIFY_DONE;
}

static struct notifier_block pm_notifier = { .notifier_call = refuse_hibernation };

static struct tmm_memory memory_of(const struct tmm_pool *pool, const u64 *bad,
				   unsigned int nr_bad)
{
	return (struct tmm_memory){
		.first = (pool->start + pool->nr_reserved) >> TMM_PAGE_SHIFT,
		.nr = (pool->nr_bytes - pool->nr_reserved) >> TMM_PAGE_SHIFT,
		.window = pool->window + pool->nr_reserved,
		.has_struct_pages = pool->struct_pages,
		.bad = bad,
		.nr_bad = nr_bad,
	};
}

/*
 * Check that the first region has room for the bookkeeping of all regions. Each other region
 * needs room for its own bookkeeping only.
 */
static int check_first(const struct tmm_pools *pools, const struct tmm_memory *first)
{
	const u64 nr_min = tmm_memory_first_nr_min(first->first, pools->nr);
	const struct tmm_pool *pool = &pools->pools[0];

	if (first->nr >= nr_min)
		return 0;
	pr_err("regions=%lluK@%#llx,...: refused: the first of %u regions holds the bookkeeping of all and needs %lluK: make it larger, or name fewer regions\n",
	       pool->nr_bytes >> 10, pool->start, pools->nr,
	       ((nr_min << TMM_PAGE_SHIFT) + pool->nr_reserved) >> 10);
	return -EINVAL;
}

static int init_memories(const struct tmm_pools *pools, const u64 *bad, unsigned int nr_bad,
			 struct tmm_initial_memory_mappings *initial)
{
	struct tmm_memory *memories;
	unsigned int i;
	int err;

	memories = kcalloc(pools->nr, sizeof(*memories), GFP_KERNEL);
	if (!memories)
		return -ENOMEM;
	for (i = 0; i < pools->nr; i++)
		memories[i] = memory_of(&pools->pools[i], bad, nr_bad);
	err = check_first(pools, memories);
	if (err)
		goto out;
	err = tmm_init(memories, pools->nr, initial);
	if (err == -EIO)
		pr_err("private root: refused: some addresses translate wrongly on this machine: report this with dmesg and /proc/cpuinfo\n");
out:
	kfree(memories);
	return err;
}

static int init_instance(const struct tmm_pools *pools, const char *bad)
{
	struct tmm_initial_memory_mappings initial;
	unsigned int nr_bad;
	u64 *bad_frames;
	int err;

	err = tmm_bad_frames_read(bad, pools, &bad_frames, &nr_bad);
	if (err)
		return err;
	err = init_memories(pools, bad_frames, nr_bad, &initial);
	kfree(bad_frames);
	if (err)
		return err;
	err = tmm_init_post_heap(&initial);
	if (err)
		goto err_abandon;
	err = tmm_instance_start_magazines(tmm_kernel_instance());
	if (err)
		goto err_exit;
	return 0;

err_abandon:
	tmm_startup_abandon(&initial);
err_exit:
	tmm_kernel_exit();
	return err;
}

/*
 * Initialise the module's instance on @pools, without the bad frames that @bad names. The
 * function logs errors, except -ENOMEM and -ENOSPC, which the caller logs.
 */
int tmm_kernel_start(const struct tmm_pools *pools, const char *bad)
{
	int err;

	err = init_instance(pools, bad);
	if (err)
		return err;
	err = tmm_cleaner_start(&tmm_kernel_instance()->fa);
	if (err)
		goto err_exit;
	err = register_pm_notifier(&pm_notifier);
	if (err)
		goto err_cleaner;
	return 0;

err_cleaner:
	tmm_cleaner_stop(&tmm_kernel_instance()->fa);
err_exit:
	tmm_kernel_exit();
	return err;
}

void tmm_kernel_stop(void)
{
	unregister_pm_notifier(&pm_notifier);
	tmm_cleaner_stop(&tmm_kernel_instance()->fa);
	tmm_kernel_exit();
}

void tmm_kernel_announce(void)
{
	struct tmm_range_totals totals;

	tmm_range_allocator_totals(&tmm_kernel_instance()->fa.ra, &totals);
	pr_info("%llu frames to give out, %u-level private root\n", totals.nr_free,
		tmm_paging_levels());
}
