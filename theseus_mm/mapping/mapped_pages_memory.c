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

/*
 * Is a frame behind one of @nr pages known to be bad? @first is the index of the first page in
 * the mapping, which is borrowed.
 *
 * Context: Process context, may sleep. O(leaves) if any bad frame is known, else O(1).
 */
bool tmm_mapped_pages_any_bad(const struct tmm_mapped_pages *mp, u64 first, u64 nr)
{
	const struct tmm_page page = tmm_page_4k(tmm_mapped_pages_first(mp) + first);

	return tmm_leaf_runs_any_bad(mp->pt, tmm_page_range_of(page, nr));
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapped_pages_any_bad);

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

/* Returns the region of the mapping's frames, or NULL if the mapping is empty. */
static const struct tmm_frame_region *region_of(const struct tmm_mapped_pages *mp)
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
bool tmm_mapped_pages_is_ram(const struct tmm_mapped_pages *mp)
{
	const struct tmm_frame_region *region = region_of(mp);

	return !region || region->window;
}

/*
 * Returns the memory type of all memory of a mapping. No other code changes the mapping during
 * the call.
 */
enum tmm_memory_type tmm_mapped_pages_memory_type(const struct tmm_mapped_pages *mp)
{
	const struct tmm_frame_region *region = region_of(mp);

	return region ? region->memory_type : TMM_WRITE_BACK;
}

/*
 * Was the device of any of the mapping's frames removed? If the result is true once, it stays
 * true. No other code changes the mapping during the call.
 *
 * Context: Any. O(runs of frames) for device memory.
 */
bool tmm_mapped_pages_is_closed(const struct tmm_mapped_pages *mp)
{
	const struct tmm_mapped_frames *frames;

	if (tmm_mapped_pages_is_ram(mp))
		return false;
	if (mp->borrowed)
		return READ_ONCE(mp->borrowed->f.region->range.is_closed);
	list_for_each_entry(frames, &mp->frames, f.link)
		if (READ_ONCE(frames->f.region->range.is_closed))
			return true;
	return false;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapped_pages_is_closed);

/*
 * Returns true if the memory of the two mappings allows a merge. An empty mapping fits any
 * memory.
 */
bool tmm_mapped_pages_memory_is_same(const struct tmm_mapped_pages *a,
				     const struct tmm_mapped_pages *b)
{
	return !region_of(a) || !region_of(b) ||
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
