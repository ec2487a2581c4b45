// SPDX-License-Identifier: GPL-2.0
#include "alloc/frames_clear.h"

#include "alloc/clear.h"
#include "alloc/frames.h"
#include "core/bug.h"
#include "core/compat.h"

#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/string.h>

/* Frames to clear without a pause: a kernel that preempts fully needs no pauses for other tasks. */
static u64 nr_at_once(void)
{
	const bool is_preempted = preempt_model_full() || preempt_model_rt();

	return (is_preempted ? SZ_32M : SZ_2M) >> TMM_PAGE_SHIFT;
}

/* Clear a part of @frames. Return: 0 or an error of tmm_allocated_frames_zero(). */
static int clear_part(struct tmm_allocated_frames *frames, u64 start, u64 end)
{
	u64 nr;

	for (; start < end; start += nr) {
		void *ptr = tmm_frame_regions_ptr(frames->f.allocator, start);

		if (!ptr)
			return -EOPNOTSUPP;
		if (fatal_signal_pending(current))
			return -EINTR;
		nr = min(end - start, nr_at_once());
		if (tmm_clear_memory(ptr, nr << TMM_PAGE_SHIFT))
			return -EIO;
		cond_resched();
	}
	return 0;
}

/* A debug kernel checks that frames that are known to be clean hold zeros. */
static bool is_clean_part(struct tmm_allocated_frames *frames, u64 start, u64 end)
{
	if (!IS_ENABLED(CONFIG_DEBUG_VM))
		return true;
	for (; start < end; start++) {
		const void *ptr = tmm_frame_regions_ptr(frames->f.allocator, start);

		if (TMM_BUG_IF(memchr_inv(ptr, 0, TMM_PAGE_SIZE)))
			return false;
		cond_resched();
	}
	return true;
}

/**
 * tmm_allocated_frames_zero() - clear the content of frames
 * @frames: the frames
 *
 * Context: Process context, may sleep. O(bytes).
 * Return:
 * * 0           - all bytes are 0
 * * -EBUSY      - the frames are borrowed; nothing has changed
 * * -EOPNOTSUPP - the frames are device memory; nothing has changed
 * * -EIO        - a part of the memory fails; a part may have been cleared
 * * -EINTR      - the task is being killed; a part may have been cleared
 */
int tmm_allocated_frames_zero(struct tmm_allocated_frames *frames)
{
	const struct tmm_chunk *chunk = &frames->f.chunk;

	if (tmm_allocated_frames_is_borrowed(frames))
		return -EBUSY;
	return clear_part(frames, chunk->start, tmm_chunk_end(chunk));
}
EXPORT_SYMBOL_TMM(tmm_allocated_frames_zero);

/* The end of the frames that begin at @start, and are all clean, or all dirty. */
static u64 same_end(struct tmm_allocated_frames *frames, u64 start, u64 end, bool *clean)
{
	struct tmm_frame_allocator *fa = frames->f.allocator;
	const struct tmm_clean_map *map = &frames->f.region->clean;
	u64 next;

	spin_lock(&fa->ra.lock);
	next = tmm_clean_map_clean_end(map, start, end);
	*clean = next > start;
	if (!*clean)
		next = tmm_clean_map_dirty_end(map, start, end);
	spin_unlock(&fa->ra.lock);
	return next;
}

/*
 * Do what tmm_allocated_frames_zero() does, for frames that the caller has just allocated, and that
 * nobody has used since: frames that are known to be clean are not cleared again. A single frame is
 * cleared in any case: such a frame may come from a magazine, where nobody keeps the clean map.
 * Takes and releases the allocator's lock. O(dirty bytes + parts * log n).
 */
int tmm_allocated_frames_zero_new(struct tmm_allocated_frames *frames)
{
	const struct tmm_chunk *chunk = &frames->f.chunk;
	const u64 end = tmm_chunk_end(chunk);
	u64 start, next;
	bool clean;
	int err;

	if (chunk->nr <= 1)
		return tmm_allocated_frames_zero(frames);
	for (start = chunk->start; start < end; start = next) {
		next = same_end(frames, start, end, &clean);
		if (clean && is_clean_part(frames, start, next))
			continue;
		err = clear_part(frames, start, next);
		if (err)
			return err;
	}
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_allocated_frames_zero_new);
