// SPDX-License-Identifier: GPL-2.0
#include "alloc/magazine_home.h"

#include "alloc/magazine.h"
#include "alloc/range_allocator.h"

#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/list.h>
#include <linux/lockdep.h>

static bool is_home(const struct tmm_range_allocator *ra, u64 block)
{
	const struct tmm_homes *homes = ra->magazines.homes;
	const unsigned int slot = block % TMM_NR_HOMES;

	return homes->used & BIT_ULL(slot) && homes->blocks[slot] == block;
}

/*
 * Move *@block up, or down if @is_reversed, to the nearest block that is nobody's home, in at most
 * TMM_NR_HOMES steps. Return: false if there is no such block.
 */
static bool skip_homes(const struct tmm_range_allocator *ra, bool is_reversed, u64 *block)
{
	while (is_home(ra, *block)) {
		if (is_reversed && !*block)
			return false;
		*block += is_reversed ? -1 : 1;
	}
	return true;
}

/*
 * Find the first free chunk of a region in a block that is nobody's home. Each search skips the
 * homes that lie side by side. Return: false if TMM_HOME_TRIES searches find no such chunk; then
 * *@start is the last chunk found, or unchanged.
 */
static bool find_vacant(const struct tmm_range_allocator *ra,
			const struct tmm_range_region *region, u64 *start)
{
	const unsigned int order = ra->hooks->home_order;
	struct tmm_fit_request fit = {
		.nr = 1, .align = 1, .end = U64_MAX, .from_top = region->is_reversed,
	};
	unsigned int i;

	for (i = 0; i < TMM_HOME_TRIES; i++) {
		struct tmm_fit_cursor cursor = {};
		u64 found, vacant;

		if (tmm_free_set_find(&region->free, &fit, &cursor, &found))
			return false;
		*start = found;
		vacant = found >> order;
		if (!skip_homes(ra, region->is_reversed, &vacant))
			return false;
		if (vacant == found >> order)
			return true;
		if (region->is_reversed)
			fit.end = (vacant + 1) << order;
		else
			fit.min = vacant << order;
	}
	return false;
}

/*
 * Find the first chunk for a filling of a magazine that has no home: in a block that is nobody's
 * home, or else in a home behind those that all search first. The caller holds the allocator's
 * lock. O(number of regions * log n). Return: 0, or -ENOSPC if all general regions are exhausted.
 */
int tmm_magazine_home_find(const struct tmm_range_allocator *ra, struct tmm_range_region **region,
			   u64 *start)
{
	struct tmm_range_region *each;
	int err = -ENOSPC;

	list_for_each_entry(each, &ra->regions, link) {
		u64 found = U64_MAX;
		bool is_vacant;

		if (each->type != TMM_REGION_GENERAL)
			continue;
		is_vacant = find_vacant(ra, each, &found);
		if (found != U64_MAX) {
			*region = each;
			*start = found;
			err = 0;
		}
		if (is_vacant)
			break;
	}
	return err;
}

/*
 * Number of chunks from @start on, in the direction of the region and up to @nr, before a block
 * that is somebody's home. @nr is at most the size of a block.
 */
unsigned int tmm_magazine_home_limit(const struct tmm_range_allocator *ra,
				     const struct tmm_range_region *region, u64 start,
				     unsigned int nr)
{
	const unsigned int order = ra->hooks->home_order;
	const u64 offset = start & (BIT_ULL(order) - 1);
	const u64 nr_left = region->is_reversed ? offset + 1 : BIT_ULL(order) - offset;
	const u64 next = (start >> order) + (region->is_reversed ? -1 : 1);

	return nr <= nr_left || !is_home(ra, next) ? nr : nr_left;
}

/*
 * Make the block of a chunk the home of a magazine, which has none. If the block's slot is in use,
 * the magazine gets no home. The caller holds the locks of the magazine and of the allocator.
 */
void tmm_magazine_home_enter(struct tmm_range_allocator *ra, struct tmm_magazine *magazine,
			     u64 number)
{
	const u64 block = number >> ra->hooks->home_order;
	const unsigned int slot = block % TMM_NR_HOMES;
	struct tmm_homes *homes = ra->magazines.homes;

	lockdep_assert_held(&magazine->lock);
	lockdep_assert_held(&ra->lock);
	if (homes->used & BIT_ULL(slot))
		return;
	magazine->home = block;
	homes->used |= BIT_ULL(slot);
	homes->blocks[slot] = block;
}

/* Let another magazine have the home. The caller holds the locks of the magazine and of @ra. */
void tmm_magazine_home_leave(struct tmm_range_allocator *ra, struct tmm_magazine *magazine)
{
	lockdep_assert_held(&magazine->lock);
	lockdep_assert_held(&ra->lock);
	if (magazine->home != TMM_NO_HOME)
		ra->magazines.homes->used &= ~BIT_ULL(magazine->home % TMM_NR_HOMES);
	magazine->home = TMM_NO_HOME;
}
