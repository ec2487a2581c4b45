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

/**
 * tmm_mapped_pages_any_bad() - does memory behind pages fail?
 * @mp: the mapping, borrowed
 * @first: index of the first page in the mapping
 * @nr: number of pages
 *
 * Context: Process context, may sleep. O(leaves) while there is a bad frame at all, else O(1).
 * Return: true if a frame behind one of the pages is known to be bad
 */
bool tmm_mapped_pages_any_bad(const struct tmm_mapped_pages *mp, u64 first, u64 nr)
{
	return tmm_leaf_runs_any_bad(mp->pt, mp->pages->chunk.start + first, nr);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapped_pages_any_bad);

/**
 * tmm_mapped_pages_has_frame() - does a mapping map a frame?
 * @mp: the mapping, borrowed
 * @number: the frame
 *
 * Context: Process context, may sleep. O(runs of frames).
 * Return: true if it is
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

/* What it maps to is part of; NULL if it is empty. */
static const struct tmm_frame_region *region_of(const struct tmm_mapped_pages *mp)
{
	if (mp->borrowed)
		return mp->borrowed->f.region;
	return list_empty(&mp->frames) ? NULL :
	       list_first_entry(&mp->frames, struct tmm_mapped_frames, f.link)->f.region;
}

/**
 * tmm_mapped_pages_is_ram() - does a mapping map to RAM?
 * @mp: the mapping, which nobody changes meanwhile
 *
 * Return: true if it does or is empty, false if it maps to device memory
 */
bool tmm_mapped_pages_is_ram(const struct tmm_mapped_pages *mp)
{
	const struct tmm_frame_region *region = region_of(mp);

	return !region || region->window;
}

/**
 * tmm_mapped_pages_memory_type() - how a mapping is cached
 * @mp: the mapping, which nobody changes meanwhile
 *
 * Return: the memory type of all that it maps to
 */
enum tmm_memory_type tmm_mapped_pages_memory_type(const struct tmm_mapped_pages *mp)
{
	const struct tmm_frame_region *region = region_of(mp);

	return region ? region->memory_type : TMM_WRITE_BACK;
}

/**
 * tmm_mapped_pages_is_closed() - was the device of a mapping's memory removed?
 * @mp: the mapping, which nobody changes meanwhile
 *
 * Context: Any. O(runs of frames) for device memory.
 * Return: true once the device of one of its frames was removed, and always from then on
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

/* May the two be one mapping? An empty one fits any memory. */
bool tmm_mapped_pages_memory_is_same(const struct tmm_mapped_pages *a,
				     const struct tmm_mapped_pages *b)
{
	return !region_of(a) || !region_of(b) ||
	       (tmm_mapped_pages_is_ram(a) == tmm_mapped_pages_is_ram(b) &&
		tmm_mapped_pages_memory_type(a) == tmm_mapped_pages_memory_type(b));
}

/**
 * tmm_mapped_pages_taint() - from now on, never let anybody else have the frames
 * @mp: the mapping, borrowed by the caller
 *
 * When it is dropped, its frames go into quarantine, and they cannot be had apart from
 * it. Parts that it is split into are tainted as well, as is what it is merged with.
 *
 * Context: Any.
 */
void tmm_mapped_pages_taint(struct tmm_mapped_pages *mp)
{
	WRITE_ONCE(mp->is_tainted, true);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapped_pages_taint);
