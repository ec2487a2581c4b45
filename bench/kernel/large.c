// SPDX-License-Identifier: GPL-2.0
/* Large mappings, beside vmalloc(). N is the number of mappings that exist at once. */
#include "kernel/groups.h"
#include "kernel/mappings.h"
#include "kernel/measure.h"
#include "linux/theseus_mm.h"

#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/sizes.h>
#include <linux/vmalloc.h>

#define MAX_NR		100

/**
 * struct parts - what is left of a mapping that was unmapped
 * @pages: its pages
 * @frames: its frames
 */
struct parts {
	struct tmm_allocated_pages *pages;
	struct list_head frames;
};

static struct parts parts[MAX_NR];

/**
 * struct large_size - a size of mapping
 * @nr_bytes: the size
 * @nr: mappings at once
 * @nr_rounds: number of rounds, each with @nr mappings
 * @rows: names of the rows: create, remap, drop
 * @unmap_row: name of the row that unmaps and keeps the parts
 * @has_vmalloc: vmalloc() has room for @nr areas of this size
 */
struct large_size {
	u64 nr_bytes;
	unsigned int nr;
	unsigned int nr_rounds;
	const char *rows[3];
	const char *unmap_row;
	bool has_vmalloc;
};

static const struct large_size large_sizes[] = {
	{ SZ_2M, 100, 20, { "create-2m", "remap-2m", "drop-2m" }, "unmap-2m", true },
	{ SZ_64M, 4, 25, { "create-64m", "remap-64m", "drop-64m" }, "unmap-64m", true },
	{ SZ_256M, 1, 20, { "create-256m", "remap-256m", "drop-256m" }, "unmap-256m", true },
	{ SZ_1G, 1, 20, { "create-1g", "remap-1g", "drop-1g" }, "unmap-1g", false },
};

static bool is_unmapped(unsigned int i)
{
	return bench_objects[i] == &parts[i];
}

static int unmap(unsigned int i)
{
	struct tmm_mapped_pages *mp = bench_objects[i];
	int err;

	INIT_LIST_HEAD(&parts[i].frames);
	err = tmm_mapped_pages_unmap_into_parts(&mp, &parts[i].pages, &parts[i].frames);
	if (!err)
		bench_objects[i] = &parts[i];
	return err;
}

static void undo(unsigned int i)
{
	if (!is_unmapped(i)) {
		bench_mapping_undo(i);
		return;
	}
	tmm_allocated_frames_drop_list(&parts[i].frames);
	tmm_allocated_pages_drop(&parts[i].pages);
	bench_objects[i] = NULL;
}

static int drop_parts(unsigned int i)
{
	undo(i);
	return 0;
}

/* Mappings that are unmapped. The rows of making and dropping them are measured elsewhere. */
static void measure_unmap(const struct large_size *size)
{
	const struct bench_step steps[] = {
		{ "", "ours", bench_mapping_create },
		{ size->unmap_row, "ours", unmap },
		{ "", "ours", drop_parts },
	};
	const struct bench_series series = {
		.steps = steps, .nr_steps = ARRAY_SIZE(steps), .undo = undo,
	};

	bench_measure(&series, size->nr, size->nr, size->nr_rounds);
}

static void measure_size(const struct large_size *size)
{
	const struct bench_step ours[] = {
		{ size->rows[0], "ours", bench_mapping_create },
		{ size->rows[1], "ours", bench_mapping_remap },
		{ size->rows[2], "ours", bench_mapping_drop },
	};
	const struct bench_step linux_own[] = {
		{ size->rows[0], "vmalloc", bench_vmalloc_create },
		{ size->rows[2], "vfree", bench_vmalloc_drop },
	};
	const struct bench_series series_ours = {
		.steps = ours, .nr_steps = ARRAY_SIZE(ours), .undo = bench_mapping_undo,
	};
	const struct bench_series series_linux = {
		.steps = linux_own, .nr_steps = ARRAY_SIZE(linux_own), .undo = bench_vmalloc_undo,
		.settle = vm_unmap_aliases,
	};

	bench_mapping_bytes = size->nr_bytes;
	bench_measure(&series_ours, size->nr, size->nr, size->nr_rounds);
	measure_unmap(size);
	if (size->has_vmalloc)
		bench_measure(&series_linux, size->nr, size->nr, DIV_ROUND_UP(size->nr_rounds, 5));
}

void bench_large(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(large_sizes); i++)
		measure_size(&large_sizes[i]);
}
