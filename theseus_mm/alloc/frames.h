/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Frames: sole ownership of a run of physical memory, and the allocator that
 * hands it out.
 *
 * Each owned run is one object of one of three types, so that passing a run in
 * the wrong state does not compile; the state is checked again at run time
 * against the frame table, which knows each frame's state:
 *
 *	(free) <-> allocated -> mapped -> unmapped -> allocated <-> (free)
 *
 * Invariant: a frame is in the free set or in exactly one object, and the frame
 * table says in which state. Only frames.c changes a state.
 * Lock: the range allocator's, for states as well.
 * Owner: whoever holds the object. Functions that take a T ** consume it: the
 * pointer is NULL after success and untouched after an error.
 */
#ifndef TMM_ALLOC_FRAMES_H
#define TMM_ALLOC_FRAMES_H

#include "alloc/frame_table.h"
#include "alloc/range_allocator.h"
#include "core/range.h"

#include <linux/err.h>
#include <linux/list.h>

/**
 * struct tmm_frame_region - a run of physical memory
 * @range: type, first frame and count; the free set
 * @table: state of each frame
 * @window: kernel alias of the first frame; NULL for device memory. For tables,
 *          zeroing and bookkeeping only: data is never handed out through it.
 */
struct tmm_frame_region {
	struct tmm_range_region range;
	struct tmm_frame_table table;
	void *window;
};

/**
 * struct tmm_frame_allocator - physical memory of one instance
 * @ra: regions, free sets, lock
 * @spares: objects for the frames of tables, one each; under @ra's lock
 * @nr_tables: frames that are page tables now; under @ra's lock
 */
struct tmm_frame_allocator {
	struct tmm_range_allocator ra;
	struct list_head spares;
	u64 nr_tables;
};

/**
 * struct tmm_frames - common part of the three types below
 * @chunk: first frame and count
 * @allocator: where they go back to
 * @region: the region they are part of
 * @state: must be what the type says
 * @link: for the owner's list
 */
struct tmm_frames {
	/* private: */
	struct tmm_chunk chunk;
	struct tmm_frame_allocator *allocator;
	struct tmm_frame_region *region;
	enum tmm_memory_state state;
	struct list_head link;
};

/* Theseus: AllocatedFrames */
struct tmm_allocated_frames {
	struct tmm_frames f;
};

/* Theseus: Frames<Mapped> */
struct tmm_mapped_frames {
	struct tmm_frames f;
};

/* Theseus: UnmappedFrames */
struct tmm_unmapped_frames {
	struct tmm_frames f;
};

int __init tmm_frames_init(void);
void tmm_frames_exit(void);

/* The allocator */
void tmm_frame_allocator_init(struct tmm_frame_allocator *fa);
int __must_check tmm_frame_allocator_add(struct tmm_frame_allocator *fa,
					 struct tmm_frame_region *region, void *table_memory);
void tmm_frame_allocator_destroy(struct tmm_frame_allocator *fa);
struct tmm_allocated_frames * __must_check
tmm_frame_allocator_allocate(struct tmm_frame_allocator *fa,
			     const struct tmm_allocation_request *req);
void *tmm_frame_allocator_ptr(struct tmm_frame_allocator *fa, u64 number);
int __must_check tmm_frame_allocator_count(struct tmm_frame_allocator *fa,
					   const struct tmm_frame_range *range,
					   u64 counts[TMM_NR_MARKS]);

/* Frames of page tables, which have no object of their own */
int __must_check tmm_frame_allocator_take_table(struct tmm_frame_allocator *fa, u64 *number);
void tmm_frame_allocator_give_table(struct tmm_frame_allocator *fa, u64 number);

/* Queries */
static inline struct tmm_frame_range tmm_frames_range(const struct tmm_frames *frames)
{
	return (struct tmm_frame_range){ { frames->chunk.start, frames->chunk.nr, TMM_4K } };
}

static inline u64 tmm_frames_nr(const struct tmm_frames *frames)
{
	return frames->chunk.nr;
}

/* Transforms of allocated frames */
int __must_check tmm_allocated_frames_merge(struct tmm_allocated_frames *frames,
					    struct tmm_allocated_frames **other);
int __must_check tmm_allocated_frames_split_at(struct tmm_allocated_frames *frames, u64 at,
					       struct tmm_allocated_frames **second);
int __must_check tmm_allocated_frames_zero(struct tmm_allocated_frames *frames);
void tmm_allocated_frames_drop(struct tmm_allocated_frames **frames);

/* Transforms of mapped frames */
int __must_check tmm_mapped_frames_append(struct tmm_mapped_frames *frames,
					  struct tmm_mapped_frames **other);
int __must_check tmm_mapped_frames_split_at(struct tmm_mapped_frames *frames, u64 at,
					    struct tmm_mapped_frames **second);

/* The state machine */
struct tmm_mapped_frames *tmm_frames_into_mapped(struct tmm_allocated_frames **frames);
struct tmm_unmapped_frames *tmm_frames_into_unmapped(struct tmm_mapped_frames **frames);
struct tmm_allocated_frames *tmm_frames_into_allocated(struct tmm_unmapped_frames **frames);

#endif /* TMM_ALLOC_FRAMES_H */
