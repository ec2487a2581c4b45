// SPDX-License-Identifier: GPL-2.0
#include "alloc/free_map_find.h"

#include "alloc/free_map_tree.h"

#include <kunit/visibility.h>
#include <linux/bitops.h>
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/string.h>

/*
 * The node that says whether @unit is free: the highest uniform node around the unit, or its leaf.
 * Sets @level to the node's level. Return: the summary.
 */
static const struct tmm_free_summary *node_at(const struct tmm_free_map *map, u64 unit,
					      unsigned int *level)
{
	const struct tmm_free_summary *sum;
	unsigned int at = map->nr_levels - 1;

	for (;; at--) {
		sum = &map->levels[at][unit >> tmm_free_map_order(at)];
		if (!at || tmm_free_map_is_uniform(sum, at))
			break;
	}
	*level = at;
	return sum;
}

/* True if a unit of the map is free. O(levels). */
bool tmm_free_map_is_free(const struct tmm_free_map *map, u64 unit)
{
	unsigned int level;
	const struct tmm_free_summary *sum = node_at(map, unit, &level);

	if (tmm_free_map_is_uniform(sum, level))
		return sum->max;
	return map->bits[unit / 64] >> unit % 64 & 1;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_free_map_is_free);

/* The first taken unit of a leaf from @unit on, or the end of the leaf. */
static u64 taken_in_leaf_from(const struct tmm_free_map *map, u64 unit)
{
	const u64 end = (unit | (LEAF_SIZE - 1)) + 1;
	u64 word = ~map->bits[unit / 64] >> unit % 64;

	if (word)
		return unit + __ffs64(word);
	for (unit = (unit | 63) + 1; unit < end; unit += 64)
		if (~map->bits[unit / 64])
			return unit + __ffs64(~map->bits[unit / 64]);
	return end;
}

/* One above the last taken unit of a leaf up to @unit, or the start of the leaf. */
static u64 taken_in_leaf_up_to(const struct tmm_free_map *map, u64 unit)
{
	const u64 first = unit & ~(u64)(LEAF_SIZE - 1);
	u64 word = ~map->bits[unit / 64] << (63 - unit % 64);

	if (word)
		return unit + 1 - (64 - fls64(word));
	for (unit &= ~63ULL; unit > first; unit -= 64)
		if (~map->bits[unit / 64 - 1])
			return unit - 64 + fls64(~map->bits[unit / 64 - 1]);
	return first;
}

/*
 * The end of the free run that contains a unit of the map: the first taken unit above, or the end
 * of the map. If the unit is taken, the result is the unit itself. O(levels).
 */
u64 tmm_free_map_run_end(const struct tmm_free_map *map, u64 unit)
{
	unsigned int level;
	const struct tmm_free_summary *sum = node_at(map, unit, &level);
	u64 index = unit >> tmm_free_map_order(level);

	if (!tmm_free_map_is_uniform(sum, level)) {
		unit = taken_in_leaf_from(map, unit);
		if (unit & (LEAF_SIZE - 1) || unit >> TMM_FREE_MAP_LEAF_ORDER == index)
			return unit;
	} else if (!sum->max) {
		return unit;
	}
	/* The nodes to the right: the siblings of the node, then those of its parent, and so on. */
	for (;;) {
		for (; index % FANOUT == FANOUT - 1; level++)
			index /= FANOUT;
		if (level >= map->nr_levels - 1)
			return map->nr;
		index++;
		sum = &map->levels[level][index];
		if (sum->max != tmm_free_map_size(level))
			return (index << tmm_free_map_order(level)) + sum->start;
	}
}
EXPORT_SYMBOL_IF_KUNIT(tmm_free_map_run_end);

/* The start of the free run that contains a free unit of the map. O(levels). */
u64 tmm_free_map_run_start(const struct tmm_free_map *map, u64 unit)
{
	unsigned int level;
	const struct tmm_free_summary *sum = node_at(map, unit, &level);
	u64 index = unit >> tmm_free_map_order(level);

	if (!tmm_free_map_is_uniform(sum, level)) {
		unit = taken_in_leaf_up_to(map, unit);
		if (unit & (LEAF_SIZE - 1))
			return unit;
	}
	for (;;) {
		for (; index && index % FANOUT == 0; level++)
			index /= FANOUT;
		if (!index)
			return 0;
		index--;
		sum = &map->levels[level][index];
		if (sum->max != tmm_free_map_size(level))
			return ((index + 1) << tmm_free_map_order(level)) - sum->end;
	}
}
EXPORT_SYMBOL_IF_KUNIT(tmm_free_map_run_start);

/*
 * A search for a run of @nr free units within [@min, @end). @run is the length of the free run that
 * ends (search for the first run) or begins (search for the last run) where the search stands.
 */
struct search {
	const struct tmm_free_map *map;
	u64 nr;
	u64 min;
	u64 end;
	u64 run;
	u64 found;
};

/* The next step of a search that looks at a node */
enum verdict {
	FOUND,
	GO_ON,	/* behind the node */
	GO_IN,	/* the node may contain the run; a node within the bounds does contain it */
};

/* The node is [@first, @last), and the search sees [@lo, @hi) of the node. */
static inline enum verdict look_up(struct search *s, const struct tmm_free_summary *sum,
				   unsigned int level, u64 first, u64 lo, u64 hi)
{
	const u64 last = first + tmm_free_map_size(level);
	u64 head;

	if (sum->max == last - first)
		head = hi - lo;
	else
		head = lo == first ? min_t(u64, sum->start, hi - lo) : 0;
	if (s->run + head >= s->nr) {
		s->found = lo - s->run;
		return FOUND;
	}
	if (sum->max == last - first) {
		s->run += head;
		return GO_ON;
	}
	if (sum->max >= s->nr)
		return GO_IN;
	s->run = hi == last ? min_t(u64, sum->end, hi - lo) : 0;
	return GO_ON;
}

static inline enum verdict look_down(struct search *s, const struct tmm_free_summary *sum,
				     unsigned int level, u64 first, u64 lo, u64 hi)
{
	const u64 last = first + tmm_free_map_size(level);
	u64 tail;

	if (sum->max == last - first)
		tail = hi - lo;
	else
		tail = hi == last ? min_t(u64, sum->end, hi - lo) : 0;
	if (s->run + tail >= s->nr) {
		s->found = hi + s->run - s->nr;
		return FOUND;
	}
	if (sum->max == last - first) {
		s->run += tail;
		return GO_ON;
	}
	if (sum->max >= s->nr)
		return GO_IN;
	s->run = lo == first ? min_t(u64, sum->start, hi - lo) : 0;
	return GO_ON;
}

/*
 * Leave a bit in the words of a leaf only where @nr set bits or more begin, 1 <= @nr <= LEAF_SIZE.
 * The runs grow twofold with each step, so the function takes O(log @nr) steps.
 */
static void fold_leaf(u64 words[LEAF_WORDS], unsigned int nr)
{
	unsigned int have, step, i;

	for (have = 1; have < nr; have += step) {
		unsigned int skip, shift;

		step = min(have, nr - have);
		skip = step / 64;
		shift = step % 64;
		for (i = 0; i < LEAF_WORDS; i++) {
			u64 low = i + skip < LEAF_WORDS ? words[i + skip] : 0;
			u64 high = i + skip + 1 < LEAF_WORDS ? words[i + skip + 1] : 0;

			words[i] &= shift ? low >> shift | high << (64 - shift) : low;
		}
	}
}

/* Copy the words of a leaf that is not uniform, with units outside of [@lo, @hi) taken. */
static void copy_leaf(const struct search *s, u64 first, u64 lo, u64 hi, u64 words[LEAF_WORDS])
{
	memcpy(words, &s->map->bits[first / 64], LEAF_SIZE / 8);
	if (lo > first)
		tmm_free_map_mark_bits(words, 0, lo - first, false);
	if (hi < first + LEAF_SIZE)
		tmm_free_map_mark_bits(words, hi - first, LEAF_SIZE, false);
}

/* Search a leaf that is not uniform. */
static bool find_in_leaf(struct search *s, u64 leaf, bool is_last)
{
	const u64 first = leaf << TMM_FREE_MAP_LEAF_ORDER, last = first + LEAF_SIZE;
	const u64 lo = max(s->min, first), hi = min(s->end, last);
	const struct tmm_free_summary *sum = &s->map->levels[0][leaf];
	u64 words[LEAF_WORDS];
	unsigned int i;

	copy_leaf(s, first, lo, hi, words);
	fold_leaf(words, s->nr);
	for (i = 0; i < LEAF_WORDS; i++) {
		const unsigned int at = is_last ? LEAF_WORDS - 1 - i : i;

		if (!words[at])
			continue;
		s->found = first + at * 64 + (is_last ? fls64(words[at]) - 1 : __ffs64(words[at]));
		return true;
	}
	if (is_last)
		s->run = lo == first ? min_t(u64, sum->start, hi - lo) : 0;
	else
		s->run = hi == last ? min_t(u64, sum->end, hi - lo) : 0;
	return false;
}

/* Search a node into which look_up() goes. */
static bool find_up(struct search *s, unsigned int level, u64 index)
{
	const u64 first = index << tmm_free_map_order(level);
	const u64 lo = max(s->min, first), hi = min(s->end, first + tmm_free_map_size(level));
	const unsigned int below = tmm_free_map_order(level) - TMM_FREE_MAP_FANOUT_ORDER;
	u64 child;

	if (!level)
		return find_in_leaf(s, index, false);
	for (child = lo >> below; child <= (hi - 1) >> below; child++) {
		const u64 start = child << below;
		enum verdict verdict = look_up(s, &s->map->levels[level - 1][child], level - 1,
					       start, max(lo, start),
					       min(hi, start + (1ULL << below)));

		if (verdict == FOUND || (verdict == GO_IN && find_up(s, level - 1, child)))
			return true;
	}
	return false;
}

/* Search a node into which look_down() goes. */
static bool find_down(struct search *s, unsigned int level, u64 index)
{
	const u64 first = index << tmm_free_map_order(level);
	const u64 lo = max(s->min, first), hi = min(s->end, first + tmm_free_map_size(level));
	const unsigned int below = tmm_free_map_order(level) - TMM_FREE_MAP_FANOUT_ORDER;
	u64 child;

	if (!level)
		return find_in_leaf(s, index, true);
	for (child = (hi - 1) >> below; child + 1 > lo >> below; child--) {
		const u64 start = child << below;
		enum verdict verdict = look_down(s, &s->map->levels[level - 1][child], level - 1,
						 start, max(lo, start),
						 min(hi, start + (1ULL << below)));

		if (verdict == FOUND || (verdict == GO_IN && find_down(s, level - 1, child)))
			return true;
	}
	return false;
}

/*
 * Find the lowest run of @nr free units, 1 or more, within [@min, @end), and set @start on success
 * only. O(levels). Return: false if there is no such run.
 */
bool tmm_free_map_find_first(const struct tmm_free_map *map, u64 nr, u64 min, u64 end, u64 *start)
{
	struct search s = { .map = map, .nr = nr, .min = min, .end = min_t(u64, end, map->nr) };
	const unsigned int root = map->nr_levels - 1;
	enum verdict verdict;

	if (nr > tmm_free_map_largest(map) || min >= s.end)
		return false;
	verdict = look_up(&s, map->levels[root], root, 0, min, s.end);
	if (verdict == GO_ON || (verdict == GO_IN && !find_up(&s, root, 0)))
		return false;
	*start = s.found;
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_free_map_find_first);

/* The same for the highest run. */
bool tmm_free_map_find_last(const struct tmm_free_map *map, u64 nr, u64 min, u64 end, u64 *start)
{
	struct search s = { .map = map, .nr = nr, .min = min, .end = min_t(u64, end, map->nr) };
	const unsigned int root = map->nr_levels - 1;
	enum verdict verdict;

	if (nr > tmm_free_map_largest(map) || min >= s.end)
		return false;
	verdict = look_down(&s, map->levels[root], root, 0, min, s.end);
	if (verdict == GO_ON || (verdict == GO_IN && !find_down(&s, root, 0)))
		return false;
	*start = s.found;
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_free_map_find_last);
