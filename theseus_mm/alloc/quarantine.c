// SPDX-License-Identifier: GPL-2.0
#include "alloc/quarantine.h"

#include "alloc/frames.h"

#include <kunit/visibility.h>
#include <linux/export.h>
#include <linux/list.h>
#include <linux/spinlock.h>

/*
 * Put frames into quarantine, so that nobody gets the frames again. @frames is consumed, and
 * must not be borrowed. Not in interrupts. Takes and releases the quarantine's lock. Cannot
 * fail. O(1).
 */
void tmm_allocated_frames_quarantine(struct tmm_allocated_frames **frames)
{
	struct tmm_frames *doomed = &(*frames)->f;
	struct tmm_frame_allocator *fa = doomed->allocator;

	*frames = NULL;
	spin_lock(&fa->quarantine_lock);
	list_add_tail(&doomed->link, &fa->quarantine);
	WRITE_ONCE(fa->nr_quarantined, fa->nr_quarantined + doomed->chunk.nr);
	spin_unlock(&fa->quarantine_lock);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_allocated_frames_quarantine);

/*
 * Give back all frames in quarantine. The caller makes sure that no more frames are added. May
 * sleep. O(runs * log n).
 */
void tmm_quarantine_end(struct tmm_frame_allocator *fa)
{
	LIST_HEAD(list);

	spin_lock(&fa->quarantine_lock);
	list_splice_init(&fa->quarantine, &list);
	WRITE_ONCE(fa->nr_quarantined, 0);
	spin_unlock(&fa->quarantine_lock);
	tmm_allocated_frames_drop_list(&list);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_quarantine_end);
