// SPDX-License-Identifier: GPL-2.0
/* Large mappings, beside vmalloc(). N is the number of mappings that exist at once. */
#include "kernel/groups.h"
#include "kernel/mappings.h"
#include "kernel/measure.h"

#include <linux/kernel.h>
#include <linux/sizes.h>
#include <linux/vmalloc.h>

/**
 * struct large_size - a size of mapping
 * @nr_bytes: the size
 * @nr: mappings at once
 * @nr_rounds: number of rounds, each with @nr mappings
 * @rows: names of the rows: create, remap, drop
 * @has_vmalloc: vmalloc() has room for @nr areas of this size
 */
struct large_size {
	u64 nr_bytes;
	unsigned int nr;
	unsigned int nr_rounds;
	const char *rows[3];
	bool has_vmalloc;
};

static const struct large_size large_sizes[] = {
	{ SZ_2M, 100, 20, { "create-2m", "remap-2m", "drop-2m" }, true },
	{ SZ_64M, 4, 25, { "create-64m", "remap-64m", "drop-64m" }, true },
	{ SZ_256M, 1, 20, { "create-256m", "remap-256m", "drop-256m" }, true },
	{ SZ_1G, 1, 20, { "create-1g", "remap-1g", "drop-1g" }, false },
};

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
	if (size->has_vmalloc)
		bench_measure(&series_linux, size->nr, size->nr, DIV_ROUND_UP(size->nr_rounds, 5));
}

void bench_large(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(large_sizes); i++)
		measure_size(&large_sizes[i]);
}
