// SPDX-License-Identifier: GPL-2.0
#include "alloc/struct_pages.h"

#include <kunit/visibility.h>
#include <linux/align.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/numa.h>
#include <linux/rwsem.h>
#include <linux/slab.h>
#include <linux/string.h>

/* Struct pages of one run of RAM. */
struct tmm_struct_pages {
	/* Linux's description of the run */
	struct dev_pagemap pgmap;
};

/* Protects the callback for failing memory; held for reading while the callback runs. */
static DECLARE_RWSEM(failure_lock);
static int (*on_failure)(u64 number);

/*
 * Set the callback for failing memory, or NULL for no callback. @report is called with the
 * number of the frame, in process context, and returns an error if the frame stays in use. May
 * sleep. When this function returns, no call of the previous callback is running.
 */
void tmm_struct_pages_on_failure(int (*report)(u64 number))
{
	down_write(&failure_lock);
	on_failure = report;
	up_write(&failure_lock);
}

/* Alignment of both ends of a run with struct pages: a power of two, in bytes. */
u64 tmm_struct_pages_align(void)
{
	return memremap_compat_align();
}

/*
 * Check whether a run can have struct pages. Return: 0; -EINVAL if the run is not aligned for
 * struct pages; or -EOPNOTSUPP on a kernel without ZONE_DEVICE.
 */
int tmm_struct_pages_check(u64 start, u64 nr_bytes)
{
	if (!IS_ENABLED(CONFIG_ZONE_DEVICE))
		return -EOPNOTSUPP;
	return IS_ALIGNED(start | nr_bytes, tmm_struct_pages_align()) ? 0 : -EINVAL;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_struct_pages_check);

/*
 * Shrink a run of reserved RAM to the part that shares no section with Linux's memory. Nothing
 * is left if *@start >= *@end. memremap_pages() would use Linux's struct pages in a shared
 * section, and leave them undefined (page_init_poison()), while Linux may still read them.
 *
 * Linux makes struct pages for all of each section in which it has RAM at boot
 * (memory_present(), early_section()), so pfn_valid() holds for every frame of a shared
 * section, holes included. A section in the middle of the run is reserved as a whole and has no
 * RAM of Linux's, so only the first and the last section can be shared. Memory that is added
 * after boot shares no section with the run: Linux adds memory of its own in whole sections
 * (check_hotplug_memory_range()), and memremap_pages() makes only subsections of the claimed
 * range valid (fill_subsection_map()).
 */
void tmm_struct_pages_cut(u64 *start, u64 *end)
{
	if (pfn_valid(PHYS_PFN(*start)))
		*start = ALIGN(*start + 1, TMM_STRUCT_PAGES_SECTION);
	if (*start < *end && pfn_valid(PHYS_PFN(*end - 1)))
		*end = ALIGN_DOWN(*end - 1, TMM_STRUCT_PAGES_SECTION);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_struct_pages_cut);

/* Check whether a claimed run shares a section with Linux's memory. */
bool tmm_struct_pages_are_shared(u64 start, u64 nr_bytes)
{
	u64 own_start = start;
	u64 own_end = start + nr_bytes;

	tmm_struct_pages_cut(&own_start, &own_end);
	return own_start != start || own_end != start + nr_bytes;
}

#ifdef CONFIG_ZONE_DEVICE
/*
 * Linux takes memory for struct pages from the given altmap for whole sections only. The struct
 * pages of a partial section lie in Linux's own memory.
 */
static u64 nr_reserved_frames(u64 start, u64 nr_bytes)
{
	u64 first = ALIGN(start, TMM_STRUCT_PAGES_SECTION);
	u64 end = ALIGN_DOWN(start + nr_bytes, TMM_STRUCT_PAGES_SECTION);

	if (first >= end)
		return 0;
	return (((end - first) >> PAGE_SHIFT) * sizeof(struct page)) >> PAGE_SHIFT;
}

static int memory_failure_of_page(struct dev_pagemap *pgmap, unsigned long pfn,
				  unsigned long nr_pages, int flags)
{
	int err;

	if (!nr_pages)
		return -EINVAL;
	down_read(&failure_lock);
	do {
		err = on_failure ? on_failure(pfn++) : -ENODEV;
	} while (!err && --nr_pages);
	up_read(&failure_lock);
	return err;
}

static const struct dev_pagemap_ops page_ops = { .memory_failure = memory_failure_of_page };

/*
 * Make the struct pages of a run, which tmm_struct_pages_check() has accepted and which shares
 * no section with Linux's memory. May sleep. O(pages). Return: the pages, or an error pointer.
 */
struct tmm_struct_pages *tmm_struct_pages_create(u64 start, u64 nr_bytes)
{
	struct tmm_struct_pages *pages = kzalloc(sizeof(*pages), GFP_KERNEL);
	const struct vmem_altmap altmap = {
		.base_pfn = PHYS_PFN(start),
		.end_pfn = PHYS_PFN(start + nr_bytes - 1),
		.free = nr_reserved_frames(start, nr_bytes),
	};
	struct dev_pagemap *pgmap;
	void *window;

	if (!pages)
		return ERR_PTR(-ENOMEM);
	pgmap = &pages->pgmap;
	pgmap->type = MEMORY_DEVICE_GENERIC;
	pgmap->ops = &page_ops;
	pgmap->nr_range = 1;
	pgmap->range.start = start;
	pgmap->range.end = start + nr_bytes - 1;
	/* The struct has const members, so an assignment does not compile. */
	memcpy(&pgmap->altmap, &altmap, sizeof(altmap));
	if (altmap.free)
		pgmap->flags = PGMAP_ALTMAP_VALID;
	window = memremap_pages(pgmap, NUMA_NO_NODE);
	if (IS_ERR(window)) {
		kfree(pages);
		return ERR_CAST(window);
	}
	return pages;
}

/* Undo tmm_struct_pages_create(). No page is pinned; @pages may be NULL. May sleep. */
void tmm_struct_pages_destroy(struct tmm_struct_pages *pages)
{
	if (!pages)
		return;
	memunmap_pages(&pages->pgmap);
	kfree(pages);
}
#else
struct tmm_struct_pages *tmm_struct_pages_create(u64 start, u64 nr_bytes)
{
	return ERR_PTR(-EOPNOTSUPP);
}

void tmm_struct_pages_destroy(struct tmm_struct_pages *pages)
{
}
#endif /* CONFIG_ZONE_DEVICE */

/*
 * Bytes at the start of the run that hold the struct pages. These bytes have no struct pages
 * themselves, and must not be accessed.
 */
u64 tmm_struct_pages_nr_reserved(const struct tmm_struct_pages *pages)
{
	return (u64)pages->pgmap.altmap.free << PAGE_SHIFT;
}
