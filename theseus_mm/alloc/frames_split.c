// SPDX-License-Identifier: GPL-2.0
#include "alloc/frames_split.h"

#include "alloc/chunk.h"
#include "core/compat.h"

#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/minmax.h>

/* Join @b to @a; the runs are adjacent, in the same region and in the same state. */
static void join_frames(struct tmm_frames *a, struct tmm_frames *b)
{
	const u64 seam = max(a->chunk.start, b->chunk.start);
	const bool has_seam = a->chunk.nr && b->chunk.nr;

	a->chunk.start = min(a->chunk.start, b->chunk.start);
	a->chunk.nr += b->chunk.nr;
	if (has_seam && tmm_frame_table_is_to_join(&a->region->table, seam, a->chunk.start,
						   tmm_chunk_end(&a->chunk))) {
		spin_lock(&a->allocator->ra.lock);
		tmm_frame_table_join(&a->region->table, seam, a->chunk.start,
				     tmm_chunk_end(&a->chunk));
		spin_unlock(&a->allocator->ra.lock);
	}
	tmm_range_allocator_free_object(&b->allocator->ra, &b->chunk);
}

/**
 * tmm_allocated_frames_merge() - join two adjacent runs
 * @frames: grows by @other; unchanged on error
 * @other: directly before or after @frames, of the same region; consumed
 *
 * Theseus: Frames::merge(), which does not compare the types of the regions.
 *
 * Context: Any but interrupt. Takes and releases the allocator's lock.
 * Return:
 * * 0             - @frames contains both runs
 * * -EBUSY        - one of the runs is borrowed
 * * -EMEDIUMTYPE  - the runs are in different regions (general and reserved regions never
 *   merge), or charged to different accounts
 * * -EDOM         - the runs are not adjacent
 */
int tmm_allocated_frames_merge(struct tmm_allocated_frames *frames,
			       struct tmm_allocated_frames **other)
{
	struct tmm_frames *a = &frames->f;
	struct tmm_frames *b = &(*other)->f;

	if (a == b)
		return -EDOM;
	if (tmm_allocated_frames_is_borrowed(frames) ||
	    tmm_allocated_frames_is_borrowed(*other))
		return -EBUSY;
	if (a->region != b->region || a->chunk.account != b->chunk.account)
		return -EMEDIUMTYPE;
	if (tmm_chunk_end(&a->chunk) != b->chunk.start &&
	    tmm_chunk_end(&b->chunk) != a->chunk.start)
		return -EDOM;
	join_frames(a, b);
	*other = NULL;
	return 0;
}
EXPORT_SYMBOL_TMM(tmm_allocated_frames_merge);

/* Allocate an object for a part of @frames; NULL if memory is exhausted. */
static struct tmm_frames *new_part(const struct tmm_frames *frames)
{
	struct tmm_chunk *chunk = tmm_range_allocator_new_object(&frames->allocator->ra);
	struct tmm_frames *part;

	if (!chunk)
		return NULL;
	part = tmm_frames_of(chunk);
	part->allocator = frames->allocator;
	part->region = frames->region;
	part->state = frames->state;
	atomic_set(&part->users, 1);
	INIT_LIST_HEAD(&part->link);
	return part;
}

static struct tmm_frames *split_frames(struct tmm_frames *frames, u64 at)
{
	struct tmm_frames *second;
	int err;

	err = tmm_chunk_check_split(&frames->chunk, at);
	if (err)
		return ERR_PTR(err);
	second = new_part(frames);
	if (!second)
		return ERR_PTR(-ENOMEM);
	tmm_chunk_split(&frames->chunk, at, &second->chunk);
	return second;
}

/**
 * tmm_allocated_frames_split_at() - split a run in two
 * @frames: becomes the first half; unchanged on error
 * @at: number of the first frame of the second half. If @at is the start of @frames, the first
 *      half is empty; if @at is the end, the second half is empty.
 * @second: set to the second half, on success only
 *
 * Theseus: Frames::split_at(), which consumes the run and returns both halves. Here the object
 * becomes the first half.
 *
 * Context: Process context, may sleep.
 * Return: 0, -EBUSY if @frames is borrowed, -EINVAL if @at lies outside or @frames is empty, or
 * -ENOMEM
 */
int tmm_allocated_frames_split_at(struct tmm_allocated_frames *frames, u64 at,
				  struct tmm_allocated_frames **second)
{
	struct tmm_frames *half;

	if (tmm_allocated_frames_is_borrowed(frames))
		return -EBUSY;
	half = split_frames(&frames->f, at);
	if (IS_ERR(half))
		return PTR_ERR(half);
	*second = container_of(half, struct tmm_allocated_frames, f);
	return 0;
}
EXPORT_SYMBOL_TMM(tmm_allocated_frames_split_at);

/* Allocate objects for the parts before and after @middle; NULL for an empty part. */
static int new_outer_parts(const struct tmm_frames *frames, const struct tmm_range *middle,
			   struct tmm_frames *parts[2])
{
	bool wanted[2] = {
		middle->first > frames->chunk.start,
		tmm_range_end(middle) < tmm_chunk_end(&frames->chunk),
	};
	unsigned int i;

	for (i = 0; i < 2; i++) {
		parts[i] = wanted[i] ? new_part(frames) : NULL;
		if (wanted[i] && !parts[i]) {
			if (i && parts[0])
				tmm_range_allocator_free_object(&frames->allocator->ra,
								&parts[0]->chunk);
			return -ENOMEM;
		}
	}
	return 0;
}

/**
 * tmm_allocated_frames_split_range() - split a run into up to three runs
 * @frames: becomes @middle; unchanged on error
 * @middle: the range to keep, in frames of any size
 * @before: set to the part before @middle, NULL if that part is empty; on success only
 * @after: set to the part after @middle, NULL if that part is empty; on success only
 *
 * Theseus: Frames::split_range()
 *
 * Context: Process context, may sleep.
 * Return: 0, -EBUSY if @frames is borrowed, -EINVAL if @middle is empty or not within @frames,
 * or -ENOMEM
 */
int tmm_allocated_frames_split_range(struct tmm_allocated_frames *frames,
				     struct tmm_frame_range middle,
				     struct tmm_allocated_frames **before,
				     struct tmm_allocated_frames **after)
{
	struct tmm_frames *parts[2];
	int err;

	if (tmm_allocated_frames_is_borrowed(frames))
		return -EBUSY;
	err = tmm_chunk_check_split_range(&frames->f.chunk, &middle.r);
	if (err)
		return err;
	err = new_outer_parts(&frames->f, &middle.r, parts);
	if (err)
		return err;
	tmm_chunk_split_range(&frames->f.chunk, &middle.r, parts[0] ? &parts[0]->chunk : NULL,
			      parts[1] ? &parts[1]->chunk : NULL);
	*before = parts[0] ? container_of(parts[0], struct tmm_allocated_frames, f) : NULL;
	*after = parts[1] ? container_of(parts[1], struct tmm_allocated_frames, f) : NULL;
	return 0;
}
EXPORT_SYMBOL_TMM(tmm_allocated_frames_split_range);

/*
 * Append @other, a run that directly follows @frames in the same region. @other is consumed.
 * The function is for mappings, whose frames are in the order of their pages. Not in
 * interrupts. Takes and releases the allocator's lock. Return: 0, -EMEDIUMTYPE or -EDOM, as
 * tmm_allocated_frames_merge().
 */
int tmm_mapped_frames_append(struct tmm_mapped_frames *frames, struct tmm_mapped_frames **other)
{
	struct tmm_frames *second = &(*other)->f;

	if (&frames->f == second)
		return -EDOM;
	if (frames->f.region != second->region ||
	    frames->f.chunk.account != second->chunk.account)
		return -EMEDIUMTYPE;
	if (tmm_chunk_end(&frames->f.chunk) != second->chunk.start)
		return -EDOM;
	join_frames(&frames->f, second);
	*other = NULL;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapped_frames_append);

/*
 * Split a run of frames in two, for a mapping that is split: each part of the mapping owns
 * the frames behind that part. @frames becomes the first half. May sleep. Return: 0, -EINVAL
 * or -ENOMEM, as tmm_allocated_frames_split_at().
 */
int tmm_mapped_frames_split_at(struct tmm_mapped_frames *frames, u64 at,
			       struct tmm_mapped_frames **second)
{
	struct tmm_frames *half = split_frames(&frames->f, at);

	if (IS_ERR(half))
		return PTR_ERR(half);
	*second = container_of(half, struct tmm_mapped_frames, f);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapped_frames_split_at);
