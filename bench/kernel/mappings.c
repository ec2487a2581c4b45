// SPDX-License-Identifier: GPL-2.0
#include "kernel/mappings.h"
#include "kernel/measure.h"
#include "linux/theseus_mm.h"

#include <linux/vmalloc.h>

u64 bench_mapping_bytes;

int bench_mapping_create(unsigned int i)
{
	struct tmm_mapped_pages *mp = tmm_create_mapping(bench_mapping_bytes,
							 TMM_PTE_DEFAULT | TMM_PTE_WRITABLE);

	if (IS_ERR(mp))
		return PTR_ERR(mp);
	bench_objects[i] = mp;
	return 0;
}

int bench_mapping_remap(unsigned int i)
{
	return tmm_mapped_pages_remap(bench_objects[i], TMM_PTE_DEFAULT);
}

void bench_mapping_undo(unsigned int i)
{
	struct tmm_mapped_pages *mp = bench_objects[i];

	tmm_mapped_pages_drop(&mp);
	bench_objects[i] = NULL;
}

int bench_mapping_drop(unsigned int i)
{
	bench_mapping_undo(i);
	return 0;
}

int bench_vmalloc_create(unsigned int i)
{
	bench_objects[i] = vmalloc(bench_mapping_bytes);
	return bench_objects[i] ? 0 : -ENOMEM;
}

void bench_vmalloc_undo(unsigned int i)
{
	vfree(bench_objects[i]);
	bench_objects[i] = NULL;
}

int bench_vmalloc_drop(unsigned int i)
{
	bench_vmalloc_undo(i);
	return 0;
}
