// SPDX-License-Identifier: GPL-2.0
/*
 * theseus_mm_bench_buddy: measures the allocator of Linux's graphics drivers when the module is
 * loaded. This is a module of its own, since kernels without drm_buddy cannot load the module.
 */
#include "kernel/measure.h"
#include "kernel/report.h"
#include "core/compat.h"

#ifdef CONFIG_GPU_BUDDY
#include <linux/gpu_buddy.h>
#define BUDDY(name)	gpu_buddy_ ## name
#define buddy_mm	gpu_buddy
#define buddy_block	gpu_buddy_block
#else
#include <drm/drm_buddy.h>
#define BUDDY(name)	drm_buddy_ ## name
#define buddy_mm	drm_buddy
#define buddy_block	drm_buddy_block
#endif

#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sizes.h>

static struct buddy_mm buddy;

static int allocate_block(unsigned int i)
{
	LIST_HEAD(blocks);
	int err;

	err = BUDDY(alloc_blocks)(&buddy, 0, SZ_2G, PAGE_SIZE, PAGE_SIZE, &blocks, 0);
	if (!err)
		bench_objects[i] = list_first_entry(&blocks, struct buddy_block, link);
	return err;
}

static void undo_block(unsigned int i)
{
	BUDDY(free_block)(&buddy, bench_objects[i]);
	bench_objects[i] = NULL;
}

static int free_block(unsigned int i)
{
	undo_block(i);
	return 0;
}

static const struct bench_step steps_buddy[] = {
	{ "allocate-frame", "drm-buddy", allocate_block },
	{ "drop-frame", "drm-buddy", free_block },
};

static const struct bench_series series_buddy = {
	.steps = steps_buddy, .nr_steps = ARRAY_SIZE(steps_buddy), .undo = undo_block,
};

/* The allocator only hands out numbers; 2 GiB of them is the size of the module's region. */
static int __init buddy_init(void)
{
	int err = BUDDY(init)(&buddy, SZ_2G, PAGE_SIZE);

	if (err) {
		bench_report_failed("allocate-frame", err);
		return err;
	}
	bench_measure_sizes(&series_buddy);
	BUDDY(fini)(&buddy);
	return 0;
}

static void __exit buddy_exit(void)
{
}

module_init(buddy_init);
module_exit(buddy_exit);
MODULE_IMPORT_NS(TMM_COMPAT_NS(THESEUS_MM));
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Measures Linux's buddy allocator of graphics memory");
