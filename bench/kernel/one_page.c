// SPDX-License-Identifier: GPL-2.0
/* Mappings of one page, beside vmalloc(). */
#include "kernel/groups.h"
#include "kernel/measure.h"
#include "linux/theseus_mm.h"

#include <linux/kernel.h>
#include <linux/vmalloc.h>

static int create_ours(unsigned int i)
{
	struct tmm_mapped_pages *mp = tmm_create_mapping(PAGE_SIZE,
							 TMM_PTE_DEFAULT | TMM_PTE_WRITABLE);

	if (IS_ERR(mp))
		return PTR_ERR(mp);
	bench_objects[i] = mp;
	return 0;
}

static int remap_ours(unsigned int i)
{
	return tmm_mapped_pages_remap(bench_objects[i], TMM_PTE_DEFAULT);
}

static void undo_ours(unsigned int i)
{
	struct tmm_mapped_pages *mp = bench_objects[i];

	tmm_mapped_pages_drop(&mp);
	bench_objects[i] = NULL;
}

static int drop_ours(unsigned int i)
{
	undo_ours(i);
	return 0;
}

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
	{ "create-4k", "ours", create_ours },
	{ "read-64", "ours", read_ours },
	{ "remap-4k", "ours", remap_ours },
	{ "drop-4k", "ours", drop_ours },
};

static const struct bench_series series_ours = {
	.steps = steps_ours, .nr_steps = ARRAY_SIZE(steps_ours), .undo = undo_ours,
};

static int create_vmalloc(unsigned int i)
{
	bench_objects[i] = vmalloc(PAGE_SIZE);
	return bench_objects[i] ? 0 : -ENOMEM;
}

static void undo_vmalloc(unsigned int i)
{
	vfree(bench_objects[i]);
	bench_objects[i] = NULL;
}

static int drop_vmalloc(unsigned int i)
{
	undo_vmalloc(i);
	return 0;
}

static const struct bench_step steps_vmalloc[] = {
	{ "create-4k", "vmalloc", create_vmalloc },
	{ "drop-4k", "vfree", drop_vmalloc },
};

static const struct bench_series series_vmalloc = {
	.steps = steps_vmalloc, .nr_steps = ARRAY_SIZE(steps_vmalloc), .undo = undo_vmalloc,
	.settle = vm_unmap_aliases,
};

void bench_one_page(void)
{
	bench_measure_sizes(&series_ours);
	bench_measure_sizes(&series_vmalloc);
}
