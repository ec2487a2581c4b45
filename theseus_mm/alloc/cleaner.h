/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Cleaner: clears free frames ahead, so that an allocation need not, and so that the content of a
 * client does not outlive the client for long. Its thread is in alloc/cleaner_thread.h.
 *
 * The cleaner takes a piece of up to 2 MiB of free and dirty frames out of the free set, clears it
 * frame by frame, and gives it back. The clean map (alloc/clean_map.h) then has the frames.
 *
 * Invariant: the frames of the piece are free for everybody, like those of a magazine. So whoever
 * opens a drain (alloc/magazine.h) also recalls the piece: the frames go back at once, those that
 * are not cleared yet as dirty ones, and the cleaner takes no piece until the drain is closed. The
 * memory of the piece is written only under @lock, one frame at a time, so nobody waits long for
 * the lock, and no frame is written after a recall.
 * Lock: @lock, outside the allocator's lock, like that of a magazine.
 * Owner: struct tmm_frame_allocator. Only an allocator with magazines has a cleaner.
 */
#ifndef TMM_ALLOC_CLEANER_H
#define TMM_ALLOC_CLEANER_H

#include <linux/compiler.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct task_struct;
struct tmm_frame_allocator;
struct tmm_frame_region;
struct tmm_range_allocator;
struct wait_queue_head;

/**
 * struct tmm_cleaner - the piece that is being cleared
 * @lock: protects @region to @nr_done, and the memory of the piece
 * @region: the region that contains the piece
 * @start: first frame of the piece
 * @nr: frames of the piece; 0 if there is no piece
 * @nr_done: frames of the piece that are cleared
 * @has_work: frames have come back to the free set since the last pass began; written under the
 *            allocator's lock
 * @task: the thread; NULL if there is none
 */
struct tmm_cleaner {
	spinlock_t lock;	/* the piece */
	struct tmm_frame_region *region;
	u64 start;
	u64 nr;
	u64 nr_done;
	bool has_work;
	struct task_struct *task;
};

/**
 * enum tmm_cleaner_found - the result of a search for a piece
 * @TMM_CLEANER_PIECE: the cleaner has a piece
 * @TMM_CLEANER_GO_ON: the search is not finished
 * @TMM_CLEANER_BUSY: a drain is open
 * @TMM_CLEANER_NOTHING: no free frame from the cursor on is dirty
 */
enum tmm_cleaner_found {
	TMM_CLEANER_PIECE,
	TMM_CLEANER_GO_ON,
	TMM_CLEANER_BUSY,
	TMM_CLEANER_NOTHING,
};

/* Where the threads of alloc/cleaner_thread.h sleep */
extern struct wait_queue_head tmm_cleaner_sleepers;

void tmm_cleaner_init(struct tmm_cleaner *cleaner);

/* The steps of a pass */
enum tmm_cleaner_found tmm_cleaner_take(struct tmm_frame_allocator *fa, u64 *cursor);
bool tmm_cleaner_clear_one(struct tmm_frame_allocator *fa, u64 *cursor);

void tmm_cleaner_recall(struct tmm_range_allocator *ra);
void tmm_cleaner_note(struct tmm_frame_allocator *fa);
u64 tmm_cleaner_count(struct tmm_frame_allocator *fa);

#endif /* TMM_ALLOC_CLEANER_H */
