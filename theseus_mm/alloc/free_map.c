// SPDX-License-Identifier: GPL-2.0
#include "alloc/free_map.h"

#include "alloc/free_map_tree.h"

#include <kunit/visibility.h>
#include <linux/align.h>
#include <linux/bitops.h>
#include <linux/export.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/string.h>

static struct tmm_free_summary uniform_summary(unsigned int level, bool is_free)
{
	u32 len = is_free ? tmm_free_map_size(level) : 0;

	return (struct tmm_free_summary){ len, len, len };
}

static u64 *words_of(const struct tmm_free_map *map, u64 leaf)
{
	return map->bits + leaf * LEAF_WORDS;
}

/* Summaries of a level, 8 for each node above, so that all children of a node exist. */
static u64 nr_summaries(u64 nr_nodes)
{
	return nr_nodes == 1 ? 1 : ALIGN(nr_nodes, FANOUT);
}

/*
 * Bytes of memory that a map of @nr units needs, 1 to TMM_FREE_MAP_MAX_NR; a multiple of 8. The
 * memory is aligned to 8 bytes.
 */
size_t tmm_free_map_nr_bytes(u64 nr)
{
	u64 nr_nodes = DIV_ROUND_UP(nr, LEAF_SIZE);
	size_t nr_bytes = nr_nodes * LEAF_WORDS * sizeof(u64);

	for (;;) {
		nr_bytes += nr_summaries(nr_nodes) * sizeof(struct tmm_free_summary);
		if (nr_nodes == 1)
			return ALIGN(nr_bytes, sizeof(u64));
		nr_nodes = DIV_ROUND_UP(nr_nodes, FANOUT);
	}
}
EXPORT_SYMBOL_IF_KUNIT(tmm_free_map_nr_bytes);

/*
 * Set up a map in which every unit is taken. @memory has tmm_free_map_nr_bytes() bytes, which need
 * not be cleared, and remains the caller's. O(levels).
 */
void tmm_free_map_init(struct tmm_free_map *map, u64 nr, void *memory)
{
	u64 nr_nodes = DIV_ROUND_UP(nr, LEAF_SIZE);
	struct tmm_free_summary *sums;

	map->nr = nr;
	map->nr_levels = 0;
	map->bits = memory;
	sums = memory + nr_nodes * LEAF_WORDS * sizeof(u64);
	for (;;) {
		map->levels[map->nr_levels++] = sums;
		if (nr_nodes == 1)
			break;
		sums += nr_summaries(nr_nodes);
		nr_nodes = DIV_ROUND_UP(nr_nodes, FANOUT);
	}
	*sums = uniform_summary(map->nr_levels - 1, false);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_free_map_init);

/*
 * Leave a bit in @word only where @nr set bits or more begin. The runs grow twofold with each
 * step, so the function takes O(log @nr) steps.
 */
static u64 fold_word(u64 word, unsigned int nr)
{
	unsigned int have, step;

	for (have = 1; have < nr && word; have += step) {
		step = min(have, nr - have);
		word &= word >> step;
	}
	return word;
}

static unsigned int nr_low_ones(u64 word)
{
	return ~word ? __ffs64(~word) : 64;
}

static unsigned int nr_high_ones(u64 word)
{
	return 64 - fls64(~word);
}

/* The longest run within one of the words, if it is longer than @max; else @max. */
static u32 longest_within(const u64 words[LEAF_WORDS], u32 max)
{
	unsigned int i;

	for (i = 0; i < LEAF_WORDS && max < 63; i++) {
		u64 word = fold_word(words[i], max + 1);

		for (; word; word &= word >> 1)
			max++;
	}
	return max;
}

static struct tmm_free_summary summarize_leaf(const u64 words[LEAF_WORDS])
{
	struct tmm_free_summary sum = {};
	bool is_first = true;
	unsigned int i;
	u32 run = 0;

	for (i = 0; i < LEAF_WORDS; i++) {
		if (!~words[i]) {
			run += 64;
			continue;
		}
		run += nr_low_ones(words[i]);
		if (is_first)
			sum.start = run;
		is_first = false;
		sum.max = max(sum.max, run);
		run = nr_high_ones(words[i]);
	}
	sum.end = run;
	if (is_first)
		sum.start = run;
	sum.max = longest_within(words, max(sum.max, run));
	return sum;
}

/* The summary of a node from those of its children, which are of @size units each. */
static struct tmm_free_summary join_children(const struct tmm_free_summary *child, u32 size)
{
	const struct tmm_free_summary *end = child + FANOUT;
	struct tmm_free_summary sum = {};
	bool is_first = true;
	u32 run = 0;

	for (; child < end; child++) {
		if (child->max == size) {
			run += size;
			continue;
		}
		run += child->start;
		if (is_first)
			sum.start = run;
		is_first = false;
		sum.max = max3(sum.max, run, child->max);
		run = child->end;
	}
	sum.end = run;
	if (is_first)
		sum.start = run;
	sum.max = max(sum.max, run);
	return sum;
}

/* The summary of a node of @size units, all alike, after a change of its units [@lo, @hi). */
static struct tmm_free_summary split_summary(u64 size, u64 lo, u64 hi, bool is_free)
{
	const u64 nr = hi - lo, behind = size - hi;

	if (is_free)
		return (struct tmm_free_summary){ lo ? 0 : nr, nr, behind ? 0 : nr };
	return (struct tmm_free_summary){ lo, max(lo, behind), behind };
}

/* Copy the state of a uniform node to what is directly below the node. */
static void push_down(struct tmm_free_map *map, unsigned int level, u64 index)
{
	const bool is_free = map->levels[level][index].max;
	struct tmm_free_summary *child, sum;
	unsigned int i;

	if (!level) {
		memset64(words_of(map, index), is_free ? ~0ULL : 0, LEAF_WORDS);
		return;
	}
	child = &map->levels[level - 1][index * FANOUT];
	sum = uniform_summary(level - 1, is_free);
	for (i = 0; i < FANOUT; i++)
		child[i] = sum;
}

/* A change: units [@lo, @hi) become free or taken. */
struct change {
	struct tmm_free_map *map;
	u64 lo;
	u64 hi;
	bool is_free;
};

/* Free units of a leaf directly below unit @lo. */
static unsigned int nr_free_below(const u64 words[LEAF_WORDS], unsigned int lo)
{
	unsigned int nr = 0;

	while (lo) {
		const unsigned int nr_bits = (lo - 1) % 64 + 1;
		unsigned int ones = nr_high_ones(words[(lo - 1) / 64] << (64 - nr_bits));

		nr += ones;
		if (ones < nr_bits)
			break;
		lo -= nr_bits;
	}
	return nr;
}

/* Free units of a leaf from unit @hi on. */
static unsigned int nr_free_from(const u64 words[LEAF_WORDS], unsigned int hi)
{
	unsigned int nr = 0;

	while (hi < LEAF_SIZE) {
		const unsigned int nr_bits = 64 - hi % 64;
		u64 taken = ~words[hi / 64] >> hi % 64;

		if (taken)
			return nr + __ffs64(taken);
		nr += nr_bits;
		hi += nr_bits;
	}
	return nr;
}

/*
 * Mark units [@lo, @hi) of a leaf, which are not all of its units, and renew its summary. Search
 * for the longest run only if the change shortens the longest run, and the other units have room
 * for a run longer than the pieces that are left.
 */
static void change_leaf(const struct change *c, u64 leaf, unsigned int lo, unsigned int hi)
{
	const unsigned int nr = min_t(u64, c->map->nr - leaf * LEAF_SIZE, LEAF_SIZE);
	struct tmm_free_summary *sum = &c->map->levels[0][leaf];
	u64 *words = words_of(c->map, leaf);
	const bool is_free = c->is_free;
	const u32 left = sum->start >= lo ? lo : nr_free_below(words, lo);
	const u32 behind = LEAF_SIZE - hi;
	const u32 right = sum->end >= behind ? behind : nr_free_from(words, hi);
	const u32 whole = left + (hi - lo) + right;

	tmm_free_map_mark_bits(words, lo, hi, is_free);
	if (left == lo)
		sum->start = is_free ? whole : left;
	if (right == behind)
		sum->end = is_free ? whole : right;
	if (is_free)
		sum->max = max(sum->max, whole);
	else if (sum->max <= whole && max(left, right) >= max(lo - left, nr - hi - right))
		sum->max = max(left, right);
	else if (sum->max <= whole)
		*sum = summarize_leaf(words);
}

/* The longest run in or at a child of @size units, if free runs of these lengths are next to it. */
static u32 longest_through(const struct tmm_free_summary *child, u32 before, u32 after, u32 size)
{
	if (child->max == size)
		return before + size + after;
	return max3(before + child->start, child->max, child->end + after);
}

/* Length of the free run that ends where child @at begins; @sum is older than any change in @at. */
static u32 nr_free_before(const struct tmm_free_summary *sum,
			  const struct tmm_free_summary *children, unsigned int at, u32 size)
{
	u32 nr = 0;

	if (sum->start >= at * size)
		return at * size;
	while (at-- > 0) {
		nr += children[at].end;
		if (children[at].max != size)
			break;
	}
	return nr;
}

/* Length of the free run that begins where child @at ends. */
static u32 nr_free_after(const struct tmm_free_summary *sum,
			 const struct tmm_free_summary *children, unsigned int at, u32 size)
{
	u32 nr = 0;

	if (sum->end >= (FANOUT - 1 - at) * size)
		return (FANOUT - 1 - at) * size;
	while (++at < FANOUT) {
		nr += children[at].start;
		if (children[at].max != size)
			break;
	}
	return nr;
}

/*
 * Renew the summary of a node after a change of child @at only, which had the summary @old. See
 * change_leaf().
 */
static void update_node(struct tmm_free_summary *sum, const struct tmm_free_summary *children,
			unsigned int at, const struct tmm_free_summary *old, u32 size)
{
	const struct tmm_free_summary *new = &children[at];
	const u32 before = nr_free_before(sum, children, at, size);
	const u32 after = nr_free_after(sum, children, at, size);
	const u32 others = max(at * size - before, (FANOUT - 1 - at) * size - after);
	u32 was, now;

	was = longest_through(old, before, after, size);
	now = longest_through(new, before, after, size);
	if (before == at * size)
		sum->start = new->max == size ? now : before + new->start;
	if (after == (FANOUT - 1 - at) * size)
		sum->end = new->max == size ? now : new->end + after;
	if (now >= sum->max || (was == sum->max && now >= others))
		sum->max = now;
	else if (was == sum->max)
		*sum = join_children(children, size);
}

static void change_node(const struct change *c, unsigned int level, u64 index);

/*
 * Change units [@lo, @hi) of nodes of a level that have the same parent. Only the first and the
 * last node may be changed in part.
 */
static void change_children(const struct change *c, unsigned int level, u64 lo, u64 hi)
{
	const struct tmm_free_summary whole = uniform_summary(level, c->is_free);
	const unsigned int order = tmm_free_map_order(level);
	const u64 last = (hi - 1) >> order;
	u64 index = lo >> order;

	change_node(c, level, index);
	while (++index < last)
		c->map->levels[level][index] = whole;
	if (index == last)
		change_node(c, level, last);
}

/* Make the part of a change that lies in one node, at least one unit. */
static void change_node(const struct change *c, unsigned int level, u64 index)
{
	struct tmm_free_summary *sum = &c->map->levels[level][index];
	const unsigned int order = tmm_free_map_order(level);
	const bool was_uniform = tmm_free_map_is_uniform(sum, level);
	const u64 first = index << order;
	const u64 lo = max(c->lo, first), hi = min(c->hi, first + (1ULL << order));

	if (hi - lo == 1ULL << order) {
		*sum = uniform_summary(level, c->is_free);
		return;
	}
	if (was_uniform && !sum->max == !c->is_free)
		return;
	if (was_uniform)
		push_down(c->map, level, index);
	if (level)
		change_children(c, level - 1, lo, hi);
	else
		change_leaf(c, index, lo - first, hi - first);
	if (was_uniform)
		*sum = split_summary(1ULL << order, lo - first, hi - first, c->is_free);
	else if (level)
		*sum = join_children(&c->map->levels[level - 1][index * FANOUT],
				     tmm_free_map_size(level - 1));
}

static bool are_same(const struct tmm_free_summary *a, const struct tmm_free_summary *b)
{
	return a->start == b->start && a->max == b->max && a->end == b->end;
}

/* Make a change of a part of one leaf: most changes are such. */
static void change_one_leaf(const struct change *c)
{
	struct tmm_free_summary old[TMM_FREE_MAP_MAX_LEVELS];
	const u64 leaf = c->lo >> TMM_FREE_MAP_LEAF_ORDER;
	unsigned int level = c->map->nr_levels;
	u64 index;

	while (level--) {
		index = leaf >> (level * TMM_FREE_MAP_FANOUT_ORDER);
		old[level] = c->map->levels[level][index];
		if (tmm_free_map_is_uniform(&old[level], level))
			push_down(c->map, level, index);
	}
	change_leaf(c, leaf, c->lo % LEAF_SIZE, (c->hi - 1) % LEAF_SIZE + 1);
	index = leaf;
	for (level = 1; level < c->map->nr_levels; level++) {
		struct tmm_free_summary *children = c->map->levels[level - 1];

		if (are_same(&children[index], &old[level - 1]))
			break;
		update_node(&c->map->levels[level][index / FANOUT],
			    &children[index & ~(u64)(FANOUT - 1)], index % FANOUT, &old[level - 1],
			    tmm_free_map_size(level - 1));
		index /= FANOUT;
	}
}

static void make_change(const struct change *c)
{
	const u64 first = c->lo >> TMM_FREE_MAP_LEAF_ORDER;
	const u64 last = (c->hi - 1) >> TMM_FREE_MAP_LEAF_ORDER;

	if (first == last && c->hi - c->lo < LEAF_SIZE)
		change_one_leaf(c);
	else
		change_node(c, c->map->nr_levels - 1, 0);
}

/* Make a run of units free, 1 unit or more; those that are free stay free. O(levels). */
void tmm_free_map_give(struct tmm_free_map *map, u64 start, u64 nr)
{
	const struct change c = { map, start, start + nr, true };

	make_change(&c);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_free_map_give);

/* Take a run of units, 1 unit or more; those that are taken stay taken. O(levels). */
void tmm_free_map_take(struct tmm_free_map *map, u64 start, u64 nr)
{
	const struct change c = { map, start, start + nr, false };

	make_change(&c);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_free_map_take);
