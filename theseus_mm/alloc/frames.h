/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Frames: sole ownership of a run of physical memory.
 *
 * Each run is an object of one of four types, so that passing a run in the wrong state does not
 * compile. At run time, the state is checked again against the frame table, which has the state
 * of each frame:
 *
 *	free <-> allocated -> mapped -> unmapped -> allocated <-> free
 *
 * A mapping that does not own its frames borrows allocated frames. Until the last borrow ends,
 * the frames can be neither changed nor given back, and a drop takes effect when the last
 * borrow ends.
 *
 * Invariant: a frame is in at most one object, and the frame table has the state of the frame.
 * A frame in no object is in the free set, a page table, or bad and out of use. Only frames.c
 * changes the state of an object.
 * Lock: the range allocator's, for states as well; none for @users.
 * Owner: the holder of the object. Functions that take a T ** consume the object: the pointer
 * is NULL after success and untouched after an error.
 */
#ifndef TMM_ALLOC_FRAMES_H
#define TMM_ALLOC_FRAMES_H

#include "alloc/frame_regions.h"
#include "alloc/range_request.h"
#include "core/range.h"

#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/list.h>

/**
 * struct tmm_frames - common part of the four types below
 * @chunk: first frame and count, and the account that is charged for the frames
 * @allocator: the allocator of the frames
 * @region: the region that contains the frames
 * @state: must match the type
 * @users: number of borrowers, plus 1 until the owner drops the frames; for allocated
 *         frames only
 * @link: for the owner's list
 */
struct tmm_frames {
	/* private: */
	struct tmm_chunk chunk;
	struct tmm_frame_allocator *allocator;
	struct tmm_frame_region *region;
	enum tmm_memory_state state;
	atomic_t users;
	struct list_head link;
};

/* Theseus: FreeFrames. Only for inspecting: the free set has no objects. */
struct tmm_free_frames {
	struct tmm_frames f;
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

/* The object that a chunk is part of. */
static inline struct tmm_frames *tmm_frames_of(struct tmm_chunk *chunk)
{
	return container_of(chunk, struct tmm_frames, chunk);
}

/* Queries */
static inline struct tmm_frame_range tmm_frames_range(const struct tmm_frames *frames)
{
	return tmm_frame_range_of(tmm_frame_4k(frames->chunk.start), frames->chunk.nr);
}

static inline u64 tmm_frames_nr(const struct tmm_frames *frames)
{
	return frames->chunk.nr;
}

/*
 * A function that inspects a free run. @req is all zeros; to allocate frames of the run, the
 * function sets @req as tmm_request_at() does. The caller holds the allocator's lock: the
 * function must neither sleep nor call the allocator. Return: true to stop and allocate @req,
 * false to see the next run.
 */
typedef bool (*tmm_frames_inspect_fn)(const struct tmm_free_frames *frames, void *context,
				      struct tmm_allocation_request *req);

int __init tmm_frames_init(void);
void tmm_frames_exit(void);

/* Allocators */
void tmm_frame_allocator_init(struct tmm_frame_allocator *fa);
void tmm_frame_allocator_destroy(struct tmm_frame_allocator *fa);

/* Allocated frames */
struct tmm_allocated_frames * __must_check
tmm_frame_allocator_allocate(struct tmm_frame_allocator *fa,
			     const struct tmm_allocation_request *req);
struct tmm_allocated_frames * __must_check
tmm_frame_allocator_allocate_one(struct tmm_frame_allocator *fa, struct tmm_account *account);
struct tmm_allocated_frames * __must_check
tmm_frame_allocator_allocate_deferred(struct tmm_frame_allocator *fa,
				      const struct tmm_allocation_request *req,
				      struct tmm_deferred_action *action);
struct tmm_allocated_frames * __must_check
tmm_frame_allocator_inspect_then_allocate(struct tmm_frame_allocator *fa,
					  tmm_frames_inspect_fn inspect, void *context);
struct tmm_allocated_frames * __must_check
tmm_frame_allocator_empty(struct tmm_frame_allocator *fa);

/* The end of allocated frames; alloc/frames_clear.h has the functions that clear frames. */
void tmm_allocated_frames_drop(struct tmm_allocated_frames **frames);
void tmm_allocated_frames_drop_list(struct list_head *list);

/* Borrows of allocated frames */
int __must_check tmm_allocated_frames_borrow(struct tmm_allocated_frames *frames);
void tmm_allocated_frames_unborrow(struct tmm_allocated_frames *frames);
bool tmm_allocated_frames_is_borrowed(const struct tmm_allocated_frames *frames);

/* The state machine */
struct tmm_allocated_frames *tmm_frames_into_owned(struct tmm_frames *frames,
						   struct tmm_frame_allocator *allocator,
						   struct tmm_frame_region *region);
struct tmm_mapped_frames *tmm_frames_into_mapped(struct tmm_allocated_frames **frames);
struct tmm_unmapped_frames *tmm_frames_into_unmapped(struct tmm_mapped_frames **frames);
struct tmm_allocated_frames *tmm_frames_into_allocated(struct tmm_unmapped_frames **frames);
struct tmm_allocated_frames *tmm_frames_unmap_into_allocated(struct tmm_mapped_frames **frames);

#endif /* TMM_ALLOC_FRAMES_H */
