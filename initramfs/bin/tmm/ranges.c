// SPDX-License-Identifier: GPL-2.0
#include "ranges.h"

#include <string.h>

/* Replace the items from @first to @last (exclusive) by @nr others. */
static bool replace_items(struct ranges *set, unsigned int first, unsigned int last,
			  const struct range *others, unsigned int nr)
{
	if (set->nr - (last - first) + nr > MAX_RANGES)
		return false;
	memmove(set->items + first + nr, set->items + last,
		(set->nr - last) * sizeof(set->items[0]));
	memcpy(set->items + first, others, nr * sizeof(*others));
	set->nr = set->nr - (last - first) + nr;
	return true;
}

bool ranges_add(struct ranges *set, __u64 start, __u64 end)
{
	unsigned int first = 0, last;
	struct range joined = { start, end };

	if (start >= end)
		return true;
	while (first < set->nr && set->items[first].end < start)
		first++;
	for (last = first; last < set->nr && set->items[last].start <= end; last++) {
		if (set->items[last].start < joined.start)
			joined.start = set->items[last].start;
		if (set->items[last].end > joined.end)
			joined.end = set->items[last].end;
	}
	return replace_items(set, first, last, &joined, 1);
}

bool ranges_remove(struct ranges *set, __u64 start, __u64 end)
{
	unsigned int first = 0, last, nr = 0;
	struct range rest[2];

	if (start >= end)
		return true;
	while (first < set->nr && set->items[first].end <= start)
		first++;
	for (last = first; last < set->nr && set->items[last].start < end; last++)
		;
	if (first == last)
		return true;
	if (set->items[first].start < start)
		rest[nr++] = (struct range){ set->items[first].start, start };
	if (set->items[last - 1].end > end)
		rest[nr++] = (struct range){ end, set->items[last - 1].end };
	return replace_items(set, first, last, rest, nr);
}

bool ranges_intersect(struct ranges *set, const struct ranges *other)
{
	unsigned int i;
	__u64 end = 0;

	for (i = 0; i < other->nr; i++) {
		if (!ranges_remove(set, end, other->items[i].start))
			return false;
		end = other->items[i].end;
	}
	return ranges_remove(set, end, ~0ULL);
}

__u64 ranges_bytes(const struct ranges *set, __u64 start, __u64 end)
{
	__u64 bytes = 0, first, last;
	unsigned int i;

	for (i = 0; i < set->nr; i++) {
		first = set->items[i].start > start ? set->items[i].start : start;
		last = set->items[i].end < end ? set->items[i].end : end;
		if (first < last)
			bytes += last - first;
	}
	return bytes;
}
