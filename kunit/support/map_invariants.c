// SPDX-License-Identifier: GPL-2.0
#include "support/invariants.h"

#include "alloc/free_map_find.h"

#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/math.h>
#include <linux/minmax.h>

#define FANOUT BIT(TMM_FREE_MAP_FANOUT_ORDER)

static u64 size_of(unsigned int level)
{
	return 1ULL << (TMM_FREE_MAP_LEAF_ORDER + TMM_FREE_MAP_FANOUT_ORDER * level);
}

/*
 * Appends units with the summary @next to units with the summary @sum. free_map.c joins all
 * children of a node at once, and looks at the words of a leaf.
 */
static void append(struct tmm_free_summary *sum, u64 *len, const struct tmm_free_summary *next,
		   u64 size)
{
	sum->max = max3(sum->max, next->max, sum->end + next->start);
	if (sum->start == *len)
		sum->start += next->start;
	sum->end = next->end == size ? sum->end + size : next->end;
	*len += size;
}

static struct tmm_free_summary summarize(const struct tmm_free_map *map, unsigned int level,
					 u64 index)
{
	const struct tmm_free_summary one = { 1, 1, 1 }, none = {};
	struct tmm_free_summary sum = {};
	u64 i, len = 0;

	if (level) {
		for (i = index * FANOUT; i < (index + 1) * FANOUT; i++)
			append(&sum, &len, &map->levels[level - 1][i], size_of(level - 1));
		return sum;
	}
	for (i = index * size_of(0); i < (index + 1) * size_of(0); i++)
		append(&sum, &len, map->bits[i / 64] >> i % 64 & 1 ? &one : &none, 1);
	return sum;
}

/* Below a node that is wholly free or wholly taken, nothing is valid. */
static void check_node(const struct tmm_free_map *map, unsigned int level, u64 index,
		       struct tmm_finding *finding)
{
	const struct tmm_free_summary *sum = &map->levels[level][index];
	struct tmm_free_summary want;
	unsigned int i;

	if (sum->max == size_of(level) || !sum->max) {
		if (sum->start != sum->max || sum->end != sum->max ||
		    (sum->max && (index + 1) * size_of(level) > map->nr))
			tmm_finding_note(finding, "node %u.%llu: free %u, %u, %u of %llu", level,
					 index, sum->start, sum->max, sum->end, map->nr);
		return;
	}
	for (i = 0; level && i < FANOUT; i++)
		check_node(map, level - 1, index * FANOUT + i, finding);
	want = summarize(map, level, index);
	if (memcmp(sum, &want, sizeof(want)))
		tmm_finding_note(finding, "node %u.%llu: free %u, %u, %u, not %u, %u, %u", level,
				 index, sum->start, sum->max, sum->end, want.start, want.max,
				 want.end);
}

void tmm_find_broken_map(const struct tmm_free_map *map, struct tmm_finding *finding)
{
	check_node(map, map->nr_levels - 1, 0, finding);
	if (tmm_free_map_run_end(map, map->nr - 1) > map->nr)
		tmm_finding_note(finding, "units past the end, %llu, are free", map->nr);
}

static u64 nr_free_units(const struct tmm_free_map *map)
{
	u64 start, end = 0, nr = 0;

	for (; tmm_free_map_find_first(map, 1, end, map->nr, &start); nr += end - start)
		end = tmm_free_map_run_end(map, start);
	return nr;
}

/* The blocks that lie in the free run [@first, @end) of frames are one free run. */
static u64 check_blocks(const struct tmm_frame_maps *maps, enum tmm_page_size size, u64 first,
			u64 end, struct tmm_finding *finding)
{
	const u64 base = maps->bases[size];
	u64 lo = DIV_ROUND_UP_ULL(first, tmm_page_size_4k_pages(size));
	u64 hi = end >> tmm_page_size_order(size);

	if (lo >= hi)
		return 0;
	if (!tmm_free_map_is_free(&maps->maps[size], lo - base) ||
	    tmm_free_map_run_start(&maps->maps[size], lo - base) != lo - base ||
	    tmm_free_map_run_end(&maps->maps[size], lo - base) != hi - base)
		tmm_finding_note(finding, "frames [%#llx, %#llx) are free, but not the blocks %u",
				 first, end, size);
	return hi - lo;
}

void tmm_find_broken_maps(const struct tmm_frame_maps *maps, struct tmm_finding *finding)
{
	u64 nr_blocks[TMM_NR_PAGE_SIZES] = {};
	u64 first, end = maps->first, nr_ranges = 0;
	enum tmm_page_size size;

	for (size = TMM_4K; size < TMM_NR_PAGE_SIZES; size++)
		tmm_find_broken_map(&maps->maps[size], finding);
	if (*finding->text)
		return;
	for (; tmm_frame_maps_next_run(maps, end, &first, &end); nr_ranges++)
		for (size = TMM_4K; size < TMM_NR_PAGE_SIZES; size++)
			nr_blocks[size] += check_blocks(maps, size, first, end, finding);
	for (size = TMM_4K; size < TMM_NR_PAGE_SIZES; size++)
		if (nr_free_units(&maps->maps[size]) != nr_blocks[size])
			tmm_finding_note(finding, "size %u: %llu blocks are free, not %llu", size,
					 nr_free_units(&maps->maps[size]), nr_blocks[size]);
	if (nr_blocks[TMM_4K] != maps->nr_free || nr_ranges != maps->nr_ranges)
		tmm_finding_note(finding,
				 "found %llu frames in %llu runs, the counters say %llu in %llu",
				 nr_blocks[TMM_4K], nr_ranges, maps->nr_free, maps->nr_ranges);
}
