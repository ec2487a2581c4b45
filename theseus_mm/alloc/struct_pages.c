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
	/* copy of the struct pages that Linux had before; NULL if Linux had none */
	struct page *found;
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

#ifdef CONFIG_ZONE_DEVICE
/*
 * Linux takes memory for struct pages from the given altmap for whole sections only. The struct
 * pages of a partial section lie in Linux's own memory.
 */
static u64 nr_reserved_frames(u64 start, u64 nr_bytes)
{
	const u64 section = 1ULL << SECTION_SIZE_BITS;
	u64 first = ALIGN(start, section);
	u64 end = ALIGN_DOWN(start + nr_bytes, section);

	if (first >= end)
		return 0;
	return (((end - first) >> PAGE_SHIFT) * sizeof(struct page)) >> PAGE_SHIFT;
}

/*
 * A section that the run shares with Linux's own memory has had struct pages since boot.
 * memremap_pages() uses these struct pages, and leaves them undefined afterwards. But
 * pfn_valid() stays true for these struct pages, so Linux may read them; page_table_check, for
 * example, does so when such a frame is mapped. So restore_found() restores the old contents.
 *
 * Count these struct pages. If @found is not NULL, copy them to @found, or back from @found.
 * Return: the number of these struct pages.
 */
static u64 copy_found(const struct range *range, struct page *found, bool is_back)
{
	u64 pfn = PHYS_PFN(range->start);
	u64 end = PHYS_PFN(range->end) + 1;
	u64 nr_found = 0;
	u64 next;

	for (; pfn < end; pfn = next) {
		next = min_t(u64, end, SECTION_ALIGN_UP(pfn + 1));
		if (!pfn_valid(pfn))
			continue;
		if (found && is_back)
			memcpy(pfn_to_page(pfn), found + nr_found, (next - pfn) * sizeof(*found));
		else if (found)
			memcpy(found + nr_found, pfn_to_page(pfn), (next - pfn) * sizeof(*found));
		nr_found += next - pfn;
	}
	return nr_found;
}

static int save_found(struct tmm_struct_pages *pages)
{
	u64 nr = copy_found(&pages->pgmap.range, NULL, false);

	if (!nr)
		return 0;
	pages->found = kvmalloc_array(nr, sizeof(*pages->found), GFP_KERNEL | __GFP_NOWARN);
	if (!pages->found)
		return -ENOMEM;
	copy_found(&pages->pgmap.range, pages->found, false);
	return 0;
}

static void restore_found(struct tmm_struct_pages *pages)
{
	if (!pages->found)
		return;
	copy_found(&pages->pgmap.range, pages->found, true);
	kvfree(pages->found);
}

static int memory_failure_of_page(struct dev_pagemap *pgmap, unsigned long pfn,
				  unsigned long nr_pages, int flags)
{
	int err = nr_pages ? 0 : -EINVAL;

	down_read(&failure_lock);
	for (; nr_pages && !err; nr_pages--)
		err = on_failure ? on_failure(pfn++) : -ENODEV;
	up_read(&failure_lock);
	return err;
}

static const struct dev_pagemap_ops page_ops = { .memory_failure = memory_failure_of_page };

/*
 * Make the struct pages of a run, which tmm_struct_pages_check() has accepted. May sleep.
 * O(pages). Return: the pages, or an error pointer.
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
	int err;

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
	err = save_found(pages);
	if (err)
		goto free;
	window = memremap_pages(pgmap, NUMA_NO_NODE);
	if (!IS_ERR(window))
		return pages;
	err = PTR_ERR(window);
	restore_found(pages);
free:
	kfree(pages);
	return ERR_PTR(err);
}

/* Undo tmm_struct_pages_create(). No page is pinned; @pages may be NULL. May sleep. */
void tmm_struct_pages_destroy(struct tmm_struct_pages *pages)
{
	if (!pages)
		return;
	memunmap_pages(&pages->pgmap);
	restore_found(pages);
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
