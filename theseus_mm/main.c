// SPDX-License-Identifier: GPL-2.0
/*
 * theseus_mm: the order in which the parts come and go, and nothing else.
 */
#include "alloc/advice.h"
#include "alloc/bad_frames.h"
#include "alloc/frames.h"
#include "alloc/pages.h"
#include "alloc/pool.h"
#include "core/number.h"
#include "device/client/offsets.h"
#include "device/files.h"
#include "device/share/bad_memory.h"
#include "device/share/linger.h"
#include "device/share/mapping_file.h"
#include "device/share/unplug.h"
#include "device/show/debugfs.h"
#include "include/linux/theseus_mm.h"
#include "kernel/instance.h"
#include "mapping/instance.h"
#include "paging/window.h"

#include <linux/init.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/notifier.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/suspend.h>

/* The limit that Linux has for a charp parameter; the error is Linux's as well. */
#define REGIONS_MAX	1024

static int set_regions(const char *text, const struct kernel_param *kp)
{
	if (strnlen(text, REGIONS_MAX + 1) > REGIONS_MAX) {
		pr_err("refused: regions= is longer than %u characters: join ranges that touch, or name fewer\n",
		       REGIONS_MAX);
		return -ENOSPC;
	}
	return param_set_charp(text, kp);
}

static const struct kernel_param_ops regions_ops = {
	.set = set_regions,
	.get = param_get_charp,
	.free = param_free_charp,
};

static char *regions;
module_param_cb(regions, &regions_ops, &regions, 0400);
MODULE_PARM_DESC(regions, "RAM to claim, reserved at boot with memmap=: <size>@<start>[,...], K/M/G suffixes");

static bool struct_pages;
module_param_cb(struct_pages, &tmm_param_ops_switch, &struct_pages, 0400);
MODULE_PARM_DESC(struct_pages, "let I/O pin the memory (O_DIRECT, RDMA, VFIO, dma-buf); costs 64 bytes of each 4096 (default off)");

static char *bad;
module_param(bad, charp, 0400);
MODULE_PARM_DESC(bad, "addresses of memory that is known to fail: <address>[,...]; their frames are never given out");

static struct tmm_pool *pools;
static unsigned int nr_pools;
static u64 *bad_frames;
static unsigned int nr_bad_frames;
static struct tmm_chardev chardev;

/* Reserved RAM is not saved: after hibernation the root would be garbage. */
static int refuse_hibernation(struct notifier_block *nb, unsigned long event, void *unused)
{
	if (event == PM_HIBERNATION_PREPARE || event == PM_RESTORE_PREPARE)
		return notifier_from_errno(-EBUSY);
	return NOTIFY_DONE;
}

static struct notifier_block pm_notifier = { .notifier_call = refuse_hibernation };

static void release_pools(void)
{
	while (nr_pools)
		tmm_pool_release(&pools[--nr_pools]);
	kfree(pools);
}

static int __init claim_pools(void)
{
	unsigned int i;
	int err;

	if (!regions || !*regions) {
		pr_err("regions= is missing: name the RAM to claim as regions=<size>@<start>[,...]\n");
		tmm_list_candidates();
		return -ENODEV;
	}
	err = tmm_pools_parse(regions, &pools, &nr_pools);
	if (err)
		return err;
	for (i = 0; i < nr_pools; i++) {
		pools[i].wants_struct_pages = struct_pages;
		err = tmm_pool_claim(&pools[i]);
		if (err) {
			release_pools();
			return err;
		}
	}
	return 0;
}

/* The other regions need no more than the minimum that every region has. */
static int __init check_first(const struct tmm_memory *first)
{
	const u64 nr_min = tmm_instance_first_nr_min(first->first, nr_pools, nr_bad_frames);

	if (first->nr >= nr_min)
		return 0;
	pr_err("refused: regions=%lluK@%#llx,...: the first of %u regions holds the bookkeeping of all and needs %lluK: make it larger, or name fewer regions\n",
	       pools[0].nr_bytes >> 10, pools[0].start, nr_pools,
	       ((nr_min << TMM_PAGE_SHIFT) + pools[0].nr_reserved) >> 10);
	return -EINVAL;
}

static bool __init is_claimed(u64 frame)
{
	unsigned int i;

	for (i = 0; i < nr_pools; i++)
		if ((frame << TMM_PAGE_SHIFT) - pools[i].start - pools[i].nr_reserved <
		    pools[i].nr_bytes - pools[i].nr_reserved)
			return true;
	return false;
}

/* An address in no region is an error: it may be mistyped, and the bad frame still in use. */
static int __init parse_bad(void)
{
	unsigned int i;
	int err;

	if (!bad || !*bad)
		return 0;
	err = tmm_bad_frames_parse(bad, &bad_frames, &nr_bad_frames);
	if (err == -ENOMEM)
		return err;
	if (err) {
		pr_err("refused: bad=%s is malformed: name <address>[,...], such as bad=0x130005000,0x130007000\n",
		       bad);
		return err;
	}
	for (i = 0; i < nr_bad_frames; i++) {
		if (is_claimed(bad_frames[i]))
			continue;
		pr_err("refused: bad=%#llx lies in no region, or in the struct pages of one: leave it out of bad=, or move the region\n",
		       bad_frames[i] << TMM_PAGE_SHIFT);
		kfree(bad_frames);
		bad_frames = NULL;
		return -ERANGE;
	}
	return 0;
}

static int __init init_instance(void)
{
	struct tmm_memory *memories = kcalloc(nr_pools, sizeof(*memories), GFP_KERNEL);
	struct tmm_initial_memory_mappings initial;
	unsigned int i;
	int err = parse_bad();

	if (err || !memories) {
		kfree(memories);
		kfree(bad_frames);
		return err ?: -ENOMEM;
	}
	for (i = 0; i < nr_pools; i++)
		memories[i] = (struct tmm_memory){
			.first = (pools[i].start + pools[i].nr_reserved) >> TMM_PAGE_SHIFT,
			.nr = (pools[i].nr_bytes - pools[i].nr_reserved) >> TMM_PAGE_SHIFT,
			.window = pools[i].window + pools[i].nr_reserved,
			.has_struct_pages = pools[i].struct_pages,
			.bad = bad_frames,
			.nr_bad = nr_bad_frames,
		};
	err = check_first(memories);
	if (!err)
		err = tmm_init(memories, nr_pools, &initial);
	kfree(memories);
	kfree(bad_frames);
	if (err == -EIO)
		pr_err("refused: the private root does not translate correctly on this machine: report it with dmesg and /proc/cpuinfo\n");
	if (err)
		return err;
	err = tmm_init_post_heap(&initial);
	if (err) {
		tmm_startup_abandon(&initial);
		tmm_exit();
	}
	return err;
}

static void __init announce(void)
{
	struct tmm_range_totals totals;
	unsigned int i;

	for (i = 0; i < nr_pools; i++)
		pr_info("claimed %lluK@%#llx%s\n", pools[i].nr_bytes >> 10, pools[i].start,
			pools[i].struct_pages ? ", with struct pages" : "");
	tmm_range_allocator_totals(&tmm_kernel_instance()->fa.ra, &totals);
	pr_info("%llu frames to give out, %u-level private root\n", totals.nr_free,
		tmm_paging_levels());
}

static int __init open_to_users(void)
{
	int err;

	err = tmm_loans_init();
	if (err)
		return err;
	err = tmm_offsets_cache_init();
	if (err)
		goto err_loans;
	err = tmm_mapping_files_init();
	if (err)
		goto err_offsets;
	err = tmm_unplug_init(tmm_kernel_instance());
	if (err)
		goto err_files;
	tmm_bad_memory_init(tmm_kernel_instance());
	tmm_debugfs_init(tmm_kernel_instance());
	err = tmm_chardev_register(&chardev, tmm_kernel_instance());
	if (!err)
		return 0;
	pr_err("not loaded: Linux cannot register /dev/theseus_mm (error %d): see the kernel messages above\n",
	       err);

	tmm_debugfs_exit();
	tmm_bad_memory_exit();
	tmm_unplug_exit();
err_files:
	tmm_mapping_files_exit();
err_offsets:
	tmm_offsets_cache_exit();
err_loans:
	tmm_loans_exit();
	return err;
}

static void close_to_users(void)
{
	tmm_chardev_unregister(&chardev);
	tmm_debugfs_exit();
	tmm_bad_memory_exit();
	tmm_unplug_exit();
	tmm_mapping_files_exit();
	tmm_offsets_cache_exit();
	tmm_loans_exit();
}

static int __init start(void)
{
	int err;

	err = tmm_frames_init();
	if (err)
		return err;
	err = tmm_pages_init();
	if (err)
		goto err_frames;
	err = tmm_windows_init();
	if (err)
		goto err_pages;
	err = claim_pools();
	if (err)
		goto err_windows;
	err = init_instance();
	if (err)
		goto err_pools;
	err = register_pm_notifier(&pm_notifier);
	if (err)
		goto err_instance;
	err = open_to_users();
	if (err)
		goto err_notifier;
	announce();
	return 0;

err_notifier:
	unregister_pm_notifier(&pm_notifier);
err_instance:
	tmm_exit();
err_pools:
	release_pools();
err_windows:
	tmm_windows_exit();
err_pages:
	tmm_pages_exit();
err_frames:
	tmm_frames_exit();
	return err;
}

static int __init tmm_module_init(void)
{
	int err = start();

	/* All other errors are logged where they are found. */
	if (err == -ENOMEM)
		pr_err("not loaded: Linux's own memory is exhausted: free some, or name smaller ranges in regions=\n");
	else if (err == -ENOSPC)
		pr_err("not loaded: the regions have no room for the first page tables: name larger regions\n");
	return err;
}

static void __exit tmm_module_exit(void)
{
	close_to_users();
	unregister_pm_notifier(&pm_notifier);
	tmm_exit();
	release_pools();
	tmm_windows_exit();
	tmm_pages_exit();
	tmm_frames_exit();
}

module_init(tmm_module_init);
module_exit(tmm_module_exit);
MODULE_DESCRIPTION("Theseus memory-management API on RAM reserved at boot");
MODULE_LICENSE("GPL");
