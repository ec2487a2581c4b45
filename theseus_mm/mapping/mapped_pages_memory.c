// SPDX-License-Identifier: GPL-2.0
#include "mapping/mapped_pages_memory.h"

#include "alloc/frames.h"
#include "alloc/pages.h"
#include "mapping/mapped_pages.h"
#include "paging/leaf_runs.h"
#include "paging/mapper.h"

#include <kunit/visibility.h>
#include <linux/list.h>
#include <linux/sched.h>

/* Do what tmm_mapped_pages_any_bad() does, if any bad frame is known. */
bool tmm_mapped_pages_find_bad(const struct tmm_mapped_pages *mp, u64 first, u64 nr)
{
	const struct tmm_page page = tmm_page_4k(tmm_mapped_pages_first(mp) + first);

	return tmm_leaf_runs_any_bad(mp->pt, tmm_page_range_of(page, nr));
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapped_pages_find_bad);

/*
 * Does a mapping, which is borrowed, map the frame @number?
 *
 * Context: Process context, may sleep. O(runs of frames).
 */
bool tmm_mapped_pages_has_frame(const struct tmm_mapped_pages *mp, u64 number)
{
	const struct tmm_mapped_frames *frames;

	if (mp->borrowed)
		return number - mp->borrowed->f.chunk.start < tmm_frames_nr(&mp->borrowed->f);
	list_for_each_entry(frames, &mp->frames, f.link) {
		if (number - frames->f.chunk.start < tmm_frames_nr(&frames->f))
			return true;
		cond_resched();
	}
	return false;
}

/*
 * Returns the memory type of all memory of a mapping. No other code changes the mapping during
 * the call.
 */
enum tmm_memory_type tmm_mapped_pages_memory_type(const struct tmm_mapped_pages *mp)
{
	const struct tmm_frame_region *region = tmm_mapped_pages_region(mp);

	return region ? region->memory_type : TMM_WRITE_BACK;
}

/* Do what tmm_mapped_pages_is_closed() does, for a mapping of device memory. */
bool tmm_mapped_pages_device_is_closed(const struct tmm_mapped_pages *mp)
{
	const struct tmm_mapped_frames *frames;

	if (mp->borrowed)
		return READ_ONCE(mp->borrowed->f.region->range.is_closed);
	list_for_each_entry(frames, &mp->frames, f.link)
		if (READ_ONCE(frames->f.region->range.is_closed))
			return true;
	return false;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapped_pages_device_is_closed);

/*
 * Returns true if the memory of the two mappings allows a merge. An empty mapping fits any
 * memory.
 */
bool tmm_mapped_pages_memory_is_same(const struct tmm_mapped_pages *a,
				     const struct tmm_mapped_pages *b)
{
	return !tmm_mapped_pages_region(a) || !tmm_mapped_pages_region(b) ||
	       (tmm_mapped_pages_is_ram(a) == tmm_mapped_pages_is_ram(b) &&
		tmm_mapped_pages_memory_type(a) == tmm_mapped_pages_memory_type(b));
}

/*
 * Taint a mapping, so that no later owner gets its frames. The caller has borrowed the mapping.
 * When the mapping is dropped, its frames go into quarantine. The frames cannot be separated from
 * the mapping. The parts of a split are tainted too, and so is the result of a merge.
 *
 * Context: Any.
 */
void tmm_mapped_pages_taint(struct tmm_mapped_pages *mp)
{
	WRITE_ONCE(mp->is_tainted, true);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapped_pages_taint);
