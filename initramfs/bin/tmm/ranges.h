/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sets of physical addresses.
 *
 * Invariant: the ranges of a set are sorted and not empty, and neither overlap nor touch.
 */
#ifndef TMM_RANGES_H
#define TMM_RANGES_H

#include <linux/types.h>
#include <stdbool.h>

/* More than any firmware's map has: Linux's own limit on x86 is 3200. */
#define MAX_RANGES	4096

/**
 * struct range - a range of bytes
 * @start: first address
 * @end: address after the last byte
 */
struct range {
	__u64 start;
	__u64 end;
};

/**
 * struct ranges - a set of addresses; all zeros is the empty set
 * @nr: number of ranges
 * @items: the ranges
 */
struct ranges {
	unsigned int nr;
	struct range items[MAX_RANGES];
};

/* Change a set. False if the set has no room for another range; then it is as before. */
bool ranges_add(struct ranges *set, __u64 start, __u64 end);
bool ranges_remove(struct ranges *set, __u64 start, __u64 end);
/* Remove what is not in @other. */
bool ranges_intersect(struct ranges *set, const struct ranges *other);

/* Number of bytes that lie in [start, end). */
__u64 ranges_bytes(const struct ranges *set, __u64 start, __u64 end);

#endif /* TMM_RANGES_H */
