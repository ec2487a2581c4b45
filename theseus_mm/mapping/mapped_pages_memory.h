/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory behind a mapping: its kind (RAM or device memory), and whether it can be used.
 *
 * Invariant: all memory of a mapping is of one kind (mapping/mapped_pages.h).
 * Lock: none. The caller has borrowed the mapping, or no other code changes the mapping.
 */
#ifndef TMM_MAPPING_MAPPED_PAGES_MEMORY_H
#define TMM_MAPPING_MAPPED_PAGES_MEMORY_H

#include "alloc/bad_frames.h"
#include "alloc/frames.h"
#include "core/pte_flags.h"
#include "mapping/mapped_pages.h"
#include "paging/page_table.h"

#include <linux/list.h>
#include <linux/types.h>

/* Returns the region of the mapping's frames, or NULL if the mapping is empty. */
static inline const struct tmm_frame_region *
tmm_mapped_pages_region(const struct tmm_mapped_pages *mp)
{
	if (mp->borrowed)
		return mp->borrowed->f.region;
	return list_empty(&mp->frames) ? NULL :
	       list_first_entry(&mp->frames, struct tmm_mapped_frames, f.link)->f.region;
}

/*
 * Returns true if a mapping maps RAM or is empty, and false if the mapping maps device memory. No
 * other code changes the mapping during the call.
 */
static inline bool tmm_mapped_pages_is_ram(const struct tmm_mapped_pages *mp)
{
	const struct tmm_frame_region *region = tmm_mapped_pages_region(mp);

	return !region || region->window;
}

enum tmm_memory_type tmm_mapped_pages_memory_type(const struct tmm_mapped_pages *mp);
bool tmm_mapped_pages_memory_is_same(const struct tmm_mapped_pages *a,
				     const struct tmm_mapped_pages *b);

bool tmm_mapped_pages_device_is_closed(const struct tmm_mapped_pages *mp);

/*
 * Was the device of any of the mapping's frames removed? If the result is true once, it stays
 * true. No other code changes the mapping during the call.
 *
 * Context: Any. O(runs of frames) for device memory.
 */
static inline bool tmm_mapped_pages_is_closed(const struct tmm_mapped_pages *mp)
{
	return !tmm_mapped_pages_is_ram(mp) && tmm_mapped_pages_device_is_closed(mp);
}

bool tmm_mapped_pages_find_bad(const struct tmm_mapped_pages *mp, u64 first, u64 nr);

/*
 * Is a frame behind one of @nr pages known to be bad? @first is the index of the first page in
 * the mapping, which is borrowed.
 *
 * Context: Process context, may sleep. O(leaves) if any bad frame is known, else O(1).
 */
static inline bool tmm_mapped_pages_any_bad(const struct tmm_mapped_pages *mp, u64 first, u64 nr)
{
	return tmm_bad_frames_exist(mp->pt->fa) && tmm_mapped_pages_find_bad(mp, first, nr);
}

bool tmm_mapped_pages_has_frame(const struct tmm_mapped_pages *mp, u64 number);

/* Quarantine */
void tmm_mapped_pages_taint(struct tmm_mapped_pages *mp);

#endif /* TMM_MAPPING_MAPPED_PAGES_MEMORY_H */
