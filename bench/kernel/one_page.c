// SPDX-License-Identifier: GPL-2.0
/* Mappings of one page, beside vmalloc(). */
#include "kernel/groups.h"
#include "kernel/mappings.h"
#include "kernel/measure.h"
#include "linux/theseus_mm.h"

#include <linux/kernel.h>
#include <linux/vmalloc.h>

static int read_ours(unsigned int i)
{
	struct tmm_borrow borrow;
	u8 bytes[64];
	int err;

	err = tmm_borrow_begin(bench_objects[i], 0, sizeof(bytes), false, &borrow);
	if (err)
		return err;
	err = tmm_borrow_read(&borrow, 0, bytes, sizeof(bytes));
	tmm_borrow_end(&borrow);
	return err;
}

static const struct bench_step steps_ours[] = {
	{ "create-4k", "ours", bench_mapping_create },
	{ "read-64", "ours", read_ours },
	{ "remap-4k", "ours", bench_mapping_remap },
	{ "drop-4k", "ours", bench_mapping_drop },
};

static const struct bench_series series_ours = {
	.steps = steps_ours, .nr_steps = ARRAY_SIZE(steps_ours), .undo = bench_mapping_undo,
};

static const struct bench_step steps_vmalloc[] = {
	{ "create-4k", "vmalloc", bench_vmalloc_create },
	{ "drop-4k", "vfree", bench_vmalloc_drop },
};

static const struct bench_series series_vmalloc = {
	.steps = steps_vmalloc, .nr_steps = ARRAY_SIZE(steps_vmalloc), .undo = bench_vmalloc_undo,
	.settle = vm_unmap_aliases,
};

void bench_one_page(void)
{
	bench_mapping_bytes = PAGE_SIZE;
	bench_measure_sizes(&series_ours);
	bench_measure_sizes(&series_vmalloc);
}
