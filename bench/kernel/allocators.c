// SPDX-License-Identifier: GPL-2.0
/* The allocators of frames and pages, beside Linux's own. */
#include "kernel/groups.h"
#include "kernel/measure.h"
#include "kernel/report.h"
#include "linux/theseus_mm.h"

#include <linux/genalloc.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/vmalloc.h>

static int allocate_frame(unsigned int i)
{
	struct tmm_allocated_frames *frames = tmm_allocate_frames(1);

	if (IS_ERR(frames))
		return PTR_ERR(frames);
	bench_objects[i] = frames;
	return 0;
}

static void undo_frame(unsigned int i)
{
	struct tmm_allocated_frames *frames = bench_objects[i];

	tmm_allocated_frames_drop(&frames);
	bench_objects[i] = NULL;
}

static int drop_frame(unsigned int i)
{
	undo_frame(i);
	return 0;
}

/* The frames are dirty from the second step on, as frames that were used are. */
static int clear_frame(unsigned int i)
{
	return tmm_allocated_frames_zero(bench_objects[i]);
}

static const struct bench_step steps_frame[] = {
	{ "allocate-frame", "ours", allocate_frame },
	{ "drop-frame", "ours", drop_frame },
};

static const struct bench_series series_frame = {
	.steps = steps_frame, .nr_steps = ARRAY_SIZE(steps_frame), .undo = undo_frame,
};

static const struct bench_step steps_clear[] = {
	{ "", "", allocate_frame },
	{ "clear-4k", "ours", clear_frame },
	{ "", "", drop_frame },
};

static const struct bench_series series_clear = {
	.steps = steps_clear, .nr_steps = ARRAY_SIZE(steps_clear), .undo = undo_frame,
};

static int allocate_linux_page(unsigned int i)
{
	bench_objects[i] = alloc_page(GFP_KERNEL);
	return bench_objects[i] ? 0 : -ENOMEM;
}

static void undo_linux_page(unsigned int i)
{
	__free_page(bench_objects[i]);
	bench_objects[i] = NULL;
}

static int free_linux_page(unsigned int i)
{
	undo_linux_page(i);
	return 0;
}

static int clear_linux_page(unsigned int i)
{
	clear_page(page_address(bench_objects[i]));
	return 0;
}

static const struct bench_step steps_linux[] = {
	{ "allocate-frame", "alloc-page", allocate_linux_page },
	{ "drop-frame", "free-page", free_linux_page },
};

static const struct bench_series series_linux = {
	.steps = steps_linux, .nr_steps = ARRAY_SIZE(steps_linux), .undo = undo_linux_page,
};

static const struct bench_step steps_clear_linux[] = {
	{ "", "", allocate_linux_page },
	{ "clear-4k", "clear-page", clear_linux_page },
	{ "", "", free_linux_page },
};

static const struct bench_series series_clear_linux = {
	.steps = steps_clear_linux, .nr_steps = ARRAY_SIZE(steps_clear_linux),
	.undo = undo_linux_page,
};

static int allocate_page_ours(unsigned int i)
{
	struct tmm_allocated_pages *pages = tmm_allocate_pages(1);

	if (IS_ERR(pages))
		return PTR_ERR(pages);
	bench_objects[i] = pages;
	return 0;
}

static void undo_page_ours(unsigned int i)
{
	struct tmm_allocated_pages *pages = bench_objects[i];

	tmm_allocated_pages_drop(&pages);
	bench_objects[i] = NULL;
}

static int drop_page_ours(unsigned int i)
{
	undo_page_ours(i);
	return 0;
}

static const struct bench_step steps_page[] = {
	{ "allocate-page", "ours", allocate_page_ours },
	{ "drop-page", "ours", drop_page_ours },
};

static const struct bench_series series_page = {
	.steps = steps_page, .nr_steps = ARRAY_SIZE(steps_page), .undo = undo_page_ours,
};

/* One page of memory is mapped again and again, since vm_map_ram() writes an entry too. */
static struct page *mapped_page;

static int map_ram(unsigned int i)
{
	bench_objects[i] = vm_map_ram(&mapped_page, 1, NUMA_NO_NODE);
	return bench_objects[i] ? 0 : -ENOMEM;
}

static void undo_ram(unsigned int i)
{
	vm_unmap_ram(bench_objects[i], 1);
	bench_objects[i] = NULL;
}

static int unmap_ram(unsigned int i)
{
	undo_ram(i);
	return 0;
}

static const struct bench_step steps_ram[] = {
	{ "allocate-page", "vm-map-ram", map_ram },
	{ "drop-page", "vm-unmap-ram", unmap_ram },
};

static const struct bench_series series_ram = {
	.steps = steps_ram, .nr_steps = ARRAY_SIZE(steps_ram), .undo = undo_ram,
	.settle = vm_unmap_aliases,
};

static struct gen_pool *pool;

static int allocate_from_pool(unsigned int i)
{
	bench_objects[i] = (void *)gen_pool_alloc(pool, PAGE_SIZE);
	return bench_objects[i] ? 0 : -ENOMEM;
}

static void undo_from_pool(unsigned int i)
{
	gen_pool_free(pool, (unsigned long)bench_objects[i], PAGE_SIZE);
	bench_objects[i] = NULL;
}

static int free_to_pool(unsigned int i)
{
	undo_from_pool(i);
	return 0;
}

static const struct bench_step steps_pool[] = {
	{ "allocate-frame", "gen-pool", allocate_from_pool },
	{ "drop-frame", "gen-pool", free_to_pool },
};

static const struct bench_series series_pool = {
	.steps = steps_pool, .nr_steps = ARRAY_SIZE(steps_pool), .undo = undo_from_pool,
};

/* A pool only hands out numbers; 2 GiB of them is the size of the module's region. */
static void measure_pool(void)
{
	if (!bench_series_is_wanted(&series_pool))
		return;
	pool = gen_pool_create(PAGE_SHIFT, NUMA_NO_NODE);
	if (!pool || gen_pool_add(pool, SZ_4G, SZ_2G, NUMA_NO_NODE))
		bench_report_failed("allocate-frame", -ENOMEM);
	else
		bench_measure_sizes(&series_pool);
	if (pool)
		gen_pool_destroy(pool);
}

static void measure_ram(void)
{
	if (!bench_series_is_wanted(&series_ram))
		return;
	mapped_page = alloc_page(GFP_KERNEL);
	if (!mapped_page) {
		bench_report_failed("allocate-page", -ENOMEM);
		return;
	}
	bench_measure_sizes(&series_ram);
	__free_page(mapped_page);
}

void bench_allocators(void)
{
	bench_measure_sizes(&series_frame);
	bench_measure_sizes(&series_linux);
	measure_pool();
	bench_measure_sizes(&series_page);
	measure_ram();
	bench_measure(&series_clear, 1000, 1000, 1);
	bench_measure(&series_clear_linux, 1000, 1000, 1);
}
