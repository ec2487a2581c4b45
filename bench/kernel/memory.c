// SPDX-License-Identifier: GPL-2.0
/* Linux's memory that the module's objects need. */
#include "kernel/groups.h"
#include "kernel/measure.h"
#include "kernel/report.h"
#include "linux/theseus_mm.h"

#include <linux/delay.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/vmstat.h>

#define NR_MAPPINGS	40000

/* Each CPU adds what it has counted to the sum once a second, in a work item. */
#define SUM_MS		2500

/* The memory of Linux's slabs that cannot be reclaimed, which has all objects of the module. */
s64 bench_slab_bytes(void)
{
	msleep(SUM_MS);
	return (s64)global_node_page_state_pages(NR_SLAB_UNRECLAIMABLE_B) << PAGE_SHIFT;
}

static void drop_mappings(unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		struct tmm_mapped_pages *mp = bench_objects[i];

		tmm_mapped_pages_drop(&mp);
		bench_objects[i] = NULL;
		cond_resched();
	}
}

void bench_memory(void)
{
	s64 before;
	unsigned int i;

	if (!bench_is_wanted("memory-4k", "ours"))
		return;
	before = bench_slab_bytes();
	for (i = 0; i < NR_MAPPINGS; i++) {
		struct tmm_mapped_pages *mp;

		mp = tmm_create_mapping(PAGE_SIZE, TMM_PTE_DEFAULT | TMM_PTE_WRITABLE);
		if (IS_ERR(mp)) {
			bench_report_failed("memory-4k", PTR_ERR(mp));
			drop_mappings(i);
			return;
		}
		bench_objects[i] = mp;
		cond_resched();
	}
	bench_report_bytes("memory-4k", "ours", NR_MAPPINGS, NR_MAPPINGS,
			   max_t(s64, bench_slab_bytes() - before, 0));
	drop_mappings(NR_MAPPINGS);
}
