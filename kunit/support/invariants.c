// SPDX-License-Identifier: GPL-2.0
#include "support/invariants.h"

#include "support/fixture.h"

#include <linux/math.h>
#include <linux/minmax.h>

#define BROKEN(test, fmt, ...) \
	KUNIT_FAIL(test, TMM_SEED_FMT fmt, tmm_test_seed(), ##__VA_ARGS__)

/*
 * The fit of a chunk: the length of its part from the first multiple of 1 << @order on, at most
 * TMM_MAX_RUN. free_ranges.c computes the fit in another way.
 */
static u64 own_fit(const struct tmm_chunk *chunk, unsigned int order)
{
	u64 rest = chunk->start % (1ULL << order);
	u64 skipped = rest ? (1ULL << order) - rest : 0;

	return skipped < chunk->nr ? min(chunk->nr - skipped, TMM_MAX_RUN) : 0;
}

static u64 recorded_fit(struct rb_node *node, unsigned int order)
{
	struct tmm_chunk *chunk = rb_entry_safe(node, struct tmm_chunk, rb);

	return chunk && order < chunk->fits.nr_orders ? chunk->fits.len[order] : 0;
}

/*
 * Compares the longest fits that a node records for its subtree with the node's own fits, and with
 * those that its children record. If each node passes, the records of all nodes are right.
 */
static bool check_fits(struct kunit *test, struct tmm_chunk *chunk)
{
	unsigned int order;

	for (order = 0; order < TMM_NR_ALIGN_ORDERS; order++) {
		u64 want = max3(own_fit(chunk, order), recorded_fit(chunk->rb.rb_left, order),
				recorded_fit(chunk->rb.rb_right, order));
		u64 got = recorded_fit(&chunk->rb, order);

		bool indexed = order < chunk->fits.nr_orders;

		if (got != want || indexed != !!want) {
			BROKEN(test,
			       "chunk [%#llx, +%llu), order %u: indexed %u, fit %llu, not %llu",
			       chunk->start, chunk->nr, order, indexed, got, want);
			return false;
		}
	}
	return true;
}

void tmm_check_free_ranges(struct kunit *test, const struct tmm_free_ranges *set)
{
	struct tmm_chunk *chunk, *before = NULL;
	u64 nr_free = 0;
	u64 nr_ranges = 0;

	for (chunk = tmm_free_ranges_first(set); chunk; chunk = tmm_free_ranges_next(chunk)) {
		if (!chunk->nr || (before && tmm_chunk_end(before) >= chunk->start)) {
			BROKEN(test, "chunk [%#llx, +%llu) is empty or touches [%#llx, +%llu)",
			       chunk->start, chunk->nr, before ? before->start : 0,
			       before ? before->nr : 0);
			return;
		}
		if (!check_fits(test, chunk))
			return;
		nr_free += chunk->nr;
		nr_ranges++;
		before = chunk;
	}
	if (nr_free != set->nr_free || nr_ranges != set->nr_ranges)
		BROKEN(test, "found %llu chunks in %llu ranges, the counters say %llu in %llu",
		       nr_free, nr_ranges, set->nr_free, set->nr_ranges);
}

static void check_region(struct kunit *test, const struct tmm_range_region *region)
{
	struct tmm_chunk *chunk;

	tmm_check_free_ranges(test, &region->free);
	for (chunk = tmm_free_ranges_first(&region->free); chunk;
	     chunk = tmm_free_ranges_next(chunk))
		if (chunk->start < region->first ||
		    tmm_chunk_end(chunk) > region->first + region->nr)
			BROKEN(test, "chunk [%#llx, +%llu) is not in its region [%#llx, +%llu)",
			       chunk->start, chunk->nr, region->first, region->nr);
}

void tmm_check_range_allocator(struct kunit *test, const struct tmm_range_allocator *ra)
{
	const struct tmm_range_region *region;
	u64 end = 0;

	list_for_each_entry(region, &ra->regions, link) {
		if (region->first < end)
			BROKEN(test, "region [%#llx, +%llu) is out of order", region->first,
			       region->nr);
		end = region->first + region->nr;
		check_region(test, region);
	}
}

static void check_state(struct kunit *test, const struct tmm_range_region *region)
{
	struct tmm_chunk *chunk;
	struct tmm_frames *frames;

	for (chunk = tmm_free_ranges_first(&region->free); chunk;
	     chunk = tmm_free_ranges_next(chunk)) {
		frames = container_of(chunk, struct tmm_frames, chunk);
		if (frames->state != TMM_STATE_FREE)
			BROKEN(test, "free frames [%#llx, +%llu) are in state %u", chunk->start,
			       chunk->nr, frames->state);
	}
}

/* Returns the number of frames that are marked as tables. */
static u64 check_marks(struct kunit *test, const struct tmm_frame_region *region)
{
	const struct tmm_range_region *range = &region->range;
	struct tmm_chunk *chunk = tmm_free_ranges_first(&range->free);
	u64 nr_tables = 0;
	u64 number;

	for (number = range->first; number < range->first + range->nr; number++) {
		enum tmm_frame_mark mark = tmm_frame_table_get(&region->table, number);
		bool is_free, says_free = mark == TMM_MARK_FREE;

		if (chunk && number == tmm_chunk_end(chunk))
			chunk = tmm_free_ranges_next(chunk);
		is_free = chunk && number >= chunk->start;
		if (is_free != says_free || mark >= TMM_NR_MARKS) {
			BROKEN(test, "frame %#llx is %sfree but marked %u", number,
			       is_free ? "" : "not ", mark);
			break;
		}
		nr_tables += mark == TMM_MARK_TABLE;
	}
	return nr_tables;
}

void tmm_check_frame_allocator(struct kunit *test, const struct tmm_frame_allocator *fa)
{
	const struct tmm_frame_region *region;
	const struct list_head *spare;
	u64 nr_tables = 0;
	u64 nr_spares = 0;

	tmm_check_range_allocator(test, &fa->ra);
	list_for_each_entry(region, &fa->ra.regions, range.link) {
		check_state(test, &region->range);
		nr_tables += check_marks(test, region);
	}
	list_for_each(spare, &fa->spares)
		nr_spares++;
	if (nr_tables != fa->nr_tables || nr_spares != fa->nr_tables)
		BROKEN(test,
		       "found %llu frames marked as tables and %llu spares, the counter says %llu",
		       nr_tables, nr_spares, fa->nr_tables);
}

static u64 mix_hash(u64 hash, u64 value)
{
	return (hash ^ value) * 0x100000001b3ULL;
}

u64 tmm_fingerprint_set(const struct tmm_free_ranges *set)
{
	struct tmm_chunk *chunk;
	u64 hash = mix_hash(set->nr_free, set->nr_ranges);

	for (chunk = tmm_free_ranges_first(set); chunk; chunk = tmm_free_ranges_next(chunk))
		hash = mix_hash(mix_hash(hash, chunk->start), chunk->nr);
	return hash;
}

u64 tmm_fingerprint_ranges(const struct tmm_range_allocator *ra)
{
	const struct tmm_range_region *region;
	u64 hash = 1;

	list_for_each_entry(region, &ra->regions, link)
		hash = mix_hash(mix_hash(mix_hash(hash, region->first), region->nr),
				tmm_fingerprint_set(&region->free));
	return hash;
}

u64 tmm_fingerprint_frames(const struct tmm_frame_allocator *fa)
{
	const struct tmm_frame_region *region;
	u64 hash = mix_hash(tmm_fingerprint_ranges(&fa->ra), fa->nr_tables);
	u64 number;

	list_for_each_entry(region, &fa->ra.regions, range.link)
		for (number = region->range.first;
		     number < region->range.first + region->range.nr; number++)
			hash = mix_hash(hash, tmm_frame_table_get(&region->table, number));
	return hash;
}
