// SPDX-License-Identifier: GPL-2.0
#include "alloc/bad_frames.h"

#include "alloc/pool.h"
#include "core/bug.h"

#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

/* Take a free frame out of the free set. */
static void take_out(struct tmm_frame_allocator *fa, struct tmm_range_region *range, u64 number)
{
	struct tmm_frame_region *region = tmm_frame_region_of(range);

	lockdep_assert_held(&fa->ra.lock);
	tmm_frame_maps_take(&region->maps, number, 1);
	tmm_frame_table_set(&region->table, number, 1, TMM_MARK_BAD);
	WRITE_ONCE(fa->nr_retired, fa->nr_retired + 1);
}

/* Return: -EBUSY if the frame is a page table or bookkeeping, which cannot move */
static int retire_frame(struct tmm_frame_allocator *fa, struct tmm_range_region *range, u64 number)
{
	lockdep_assert_held(&fa->ra.lock);
	if (range->type == TMM_REGION_RESERVED)
		return -EBUSY;
	switch (tmm_frame_table_get(&tmm_frame_region_of(range)->table, number)) {
	case TMM_MARK_FREE:
		take_out(fa, range, number);
		return 0;
	case TMM_MARK_TABLE:
		return -EBUSY;
	default:
		return 0;
	}
}

static struct tmm_range_region *ram_at(struct tmm_frame_allocator *fa, u64 number)
{
	struct tmm_range_region *range = tmm_range_allocator_region_at(&fa->ra, number);

	return range && tmm_frame_region_of(range)->window ? range : NULL;
}

/*
 * Make sure that a frame whose memory fails is never given out again. A free frame is taken out
 * of use at once. An owned frame stays with its owner, who can no longer read the frame; the
 * frame is taken out of use when the owner frees it. A page table stays in use until the table
 * is freed. Bookkeeping stays in use.
 *
 * May sleep. Takes and releases the allocator's lock. Return:
 *
 * * 0       - the frame is now known to be bad
 * * -EBUSY  - the same, but the frame is a page table or bookkeeping, and is still in use
 * * -EEXIST - the frame was already known to be bad
 * * -ERANGE - the frame is not in a region of RAM
 * * -ENOMEM - the kernel heap is exhausted; nothing has changed
 */
int tmm_bad_frames_retire(struct tmm_frame_allocator *fa, u64 number)
{
	struct tmm_range_region *range;
	int err;

	/* A region of RAM is never removed, so the pointer stays valid without the lock. */
	spin_lock(&fa->ra.lock);
	range = ram_at(fa, number);
	spin_unlock(&fa->ra.lock);
	if (!range)
		return -ERANGE;
	/* Once fa->bad has an entry for the frame, the frame cannot return to the free set. */
	err = xa_insert(&fa->bad, number, xa_mk_value(0), GFP_KERNEL);
	if (err)
		return err == -EBUSY ? -EEXIST : err;
	/* The frame may be in a magazine, and does not enter one again. */
	tmm_magazines_open_drain(&fa->ra);
	spin_lock(&fa->ra.lock);
	WRITE_ONCE(fa->nr_bad, fa->nr_bad + 1);
	err = retire_frame(fa, range, number);
	spin_unlock(&fa->ra.lock);
	tmm_magazines_close_drain(&fa->ra);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_bad_frames_retire);

/*
 * Take the bad frames out of a run that has just entered the free set. @ra is part of a frame
 * allocator, whose lock the caller holds. O(bad frames in the run).
 */
void tmm_bad_frames_came_back(struct tmm_range_allocator *ra, struct tmm_range_region *range,
			      u64 start, u64 nr)
{
	struct tmm_frame_allocator *fa = container_of(ra, struct tmm_frame_allocator, ra);
	unsigned long number;
	void *bad;

	lockdep_assert_held(&ra->lock);
	if (!tmm_bad_frames_exist(fa) || !nr)
		return;
	xa_for_each_range(&fa->bad, number, bad, start, start + nr - 1)
		take_out(fa, range, number);
}

/* True if a frame of the run is known to be bad. Takes no lock. O(log n). */
bool tmm_bad_frames_any(struct tmm_frame_allocator *fa, u64 start, u64 nr)
{
	unsigned long number = start;

	return tmm_bad_frames_exist(fa) && nr &&
	       xa_find(&fa->bad, &number, start + nr - 1, XA_PRESENT);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_bad_frames_any);

static void forget_frame(struct tmm_frame_allocator *fa, u64 number)
{
	struct tmm_frame_region *region;

	spin_lock(&fa->ra.lock);
	region = tmm_frame_region_ram_at(fa, number);
	if (!TMM_BUG_IF(!region) &&
	    tmm_frame_table_get(&region->table, number) == TMM_MARK_BAD) {
		tmm_frame_table_set(&region->table, number, 1, TMM_MARK_FREE);
		tmm_frame_maps_give(&region->maps, number, 1);
	}
	spin_unlock(&fa->ra.lock);
}

/*
 * Put the bad frames back into the free set, and forget them. The allocator is being
 * destroyed, so no caller allocates from the allocator.
 */
void tmm_bad_frames_end(struct tmm_frame_allocator *fa)
{
	unsigned long number;
	void *bad;

	xa_for_each(&fa->bad, number, bad) {
		xa_erase(&fa->bad, number);
		forget_frame(fa, number);
	}
	fa->nr_bad = 0;
	fa->nr_retired = 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_bad_frames_end);

/*
 * Parse a list of decimal, hexadecimal (0x) or octal (0) addresses, "<address>[,...]". @frames is
 * set to an array of the frames at these addresses, which the caller frees with kfree(). May
 * sleep. Return: 0; -EINVAL if @text is malformed, -ERANGE if a number does not fit, or -ENOMEM.
 */
int tmm_bad_frames_parse(const char *text, u64 **frames, unsigned int *nr)
{
	char *copy, *rest, *word;
	unsigned int count = 0;
	u64 *parsed;
	int err;

	copy = kstrdup(text, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	parsed = kcalloc(strlen(text) + 1, sizeof(*parsed), GFP_KERNEL);
	if (!parsed) {
		err = -ENOMEM;
		goto err_copy;
	}
	rest = copy;
	while ((word = strsep(&rest, ","))) {
		err = kstrtoull(word, 0, &parsed[count]);
		if (err)
			goto err_parsed;
		parsed[count++] >>= TMM_PAGE_SHIFT;
	}
	kfree(copy);
	*frames = parsed;
	*nr = count;
	return 0;

err_parsed:
	kfree(parsed);
err_copy:
	kfree(copy);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_bad_frames_parse);

/*
 * Parse the parameter bad=, which may be NULL or empty. An address in no region is an error,
 * since a mistyped address would leave the bad frame in use. The function logs a mistake.
 * @frames, which the caller frees with kfree(), and @nr are set on success only.
 */
int tmm_bad_frames_read(const char *text, const struct tmm_pools *pools, u64 **frames,
			unsigned int *nr)
{
	unsigned int i, count;
	u64 *parsed;
	int err;

	if (!text || !*text) {
		*frames = NULL;
		*nr = 0;
		return 0;
	}
	err = tmm_bad_frames_parse(text, &parsed, &count);
	if (err == -ENOMEM)
		return err;
	if (err) {
		pr_err("bad=%s: refused: the list is malformed: name <address>[,...], such as bad=0x130005000,0x130007000\n",
		       text);
		return err;
	}
	for (i = 0; i < count; i++) {
		if (tmm_pools_contain(pools, parsed[i]))
			continue;
		pr_err("bad=%#llx: refused: the address lies in no region, or in the struct pages of one: leave it out of bad=, or move the region\n",
		       parsed[i] << TMM_PAGE_SHIFT);
		kfree(parsed);
		return -ERANGE;
	}
	*frames = parsed;
	*nr = count;
	return 0;
}
