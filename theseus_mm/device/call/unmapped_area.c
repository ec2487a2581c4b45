// SPDX-License-Identifier: GPL-2.0
/*
 * Choose the address of a VMA of a mapping. A large VMA is aligned so that large leaves fit.
 */
#include "device/call/unmapped_area.h"

#include "device/call/call.h"
#include "core/compat.h"
#include "core/page.h"
#include "device/client/client.h"
#include "device/client/exports.h"
#include "device/client/lending.h"
#include "device/client/mmap_offset.h"
#include "device/share/mapping_file.h"
#include "device/share/prefault.h"

#include <linux/err.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/overflow.h>

/*
 * Choose an address for a VMA. A large VMA gets the same offset from a 1 GiB or 2 MiB boundary
 * as address @like, so that large leaves fit.
 */
static unsigned long place_area(struct file *file, unsigned long address, unsigned long nr_bytes,
				unsigned long pgoff, unsigned long flags, unsigned long like)
{
	unsigned long size = nr_bytes >= tmm_page_size_bytes(TMM_1G) ? tmm_page_size_bytes(TMM_1G) :
			     tmm_page_size_bytes(TMM_2M);
	unsigned long found, more;

	if (!address && nr_bytes >= size && !(flags & MAP_FIXED) &&
	    !check_add_overflow(nr_bytes, size, &more)) {
		found = tmm_compat_unmapped_area(file, 0, more, pgoff, flags);
		if (!IS_ERR_VALUE(found))
			return found + ((like - found) & (size - 1));
	}
	return tmm_compat_unmapped_area(file, address, nr_bytes, pgoff, flags);
}

/*
 * Choose the address for mmap(), and ask for a prefault of the VMA if the flags have
 * MAP_POPULATE. Only ->get_unmapped_area() gets the flags of mmap(), so ->mmap() cannot ask.
 *
 * If the caller finds no mapping, @like is not an address of the mapping. mmap() then usually fails
 * later. mmap() succeeds if another call had taken the mapping for a moment only, and mremap()
 * succeeds on an area of a stale export. In both cases, the alignment may not suit large leaves.
 */
static unsigned long choose_address(struct file *file, unsigned long address,
				    unsigned long nr_bytes, unsigned long pgoff,
				    unsigned long flags, unsigned long like)
{
	address = place_area(file, address, nr_bytes, pgoff, flags, like);
	if (!IS_ERR_VALUE(address) && (flags & (MAP_POPULATE | MAP_NONBLOCK)) == MAP_POPULATE)
		tmm_prefault_ask(address);
	return address;
}

/* Choose the address for mmap() of a client's descriptor. MAP_OFFSET returned @pgoff. */
unsigned long tmm_unmapped_area(struct file *file, unsigned long address,
				unsigned long nr_bytes, unsigned long pgoff,
				unsigned long flags)
{
	u64 like;

	/* A small VMA lies anywhere. */
	if (nr_bytes < tmm_page_size_bytes(TMM_2M) ||
	    tmm_mmap_offset_address(file->private_data, pgoff, &like))
		like = 0;
	return choose_address(file, address, nr_bytes, pgoff, flags, like);
}

/* Choose the address for mmap() of an exporting descriptor. @pgoff is a page of the mapping. */
unsigned long tmm_export_unmapped_area(struct file *file, unsigned long address,
				       unsigned long nr_bytes, unsigned long pgoff,
				       unsigned long flags)
{
	struct theseus_mm_query query;

	if (tmm_export_query(file->private_data, &query))
		query.start = 0;
	return choose_address(file, address, nr_bytes, pgoff, flags,
			      query.start + (pgoff << PAGE_SHIFT));
}

/* Choose the address for mmap() of a lending descriptor. @pgoff is a page of the mapping. */
unsigned long tmm_lending_unmapped_area(struct file *file, unsigned long address,
					unsigned long nr_bytes, unsigned long pgoff,
					unsigned long flags)
{
	struct theseus_mm_query query;

	if (tmm_lending_query(file->private_data, &query))
		query.start = 0;
	return choose_address(file, address, nr_bytes, pgoff, flags,
			      query.start + (pgoff << PAGE_SHIFT));
}
