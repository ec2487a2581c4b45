// SPDX-License-Identifier: GPL-2.0
#include "core/range.h"

#include "core/compat.h"

#include <linux/errno.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/overflow.h>

static bool is_aligned(u64 number, enum tmm_page_size size)
{
	return !(number & (tmm_page_size_4k_pages(size) - 1));
}

/**
 * tmm_range_new() - make a range from its first chunk and a count
 * @first: number of the first chunk, aligned for @size
 * @nr: chunks of @size; 0 makes the empty range
 * @size: size of each chunk
 * @limit: one above the last chunk number
 * @out: set on success only
 *
 * Return:
 * * 0          - @out is the range
 * * -EINVAL    - @first is not aligned for @size
 * * -EOVERFLOW - the range reaches past @limit
 */
int tmm_range_new(u64 first, u64 nr, enum tmm_page_size size, u64 limit, struct tmm_range *out)
{
	u64 nr_4k, end;

	if (!is_aligned(first, size))
		return -EINVAL;
	if (check_mul_overflow(nr, tmm_page_size_4k_pages(size), &nr_4k) ||
	    check_add_overflow(first, nr_4k, &end) || end > limit)
		return -EOVERFLOW;
	*out = (struct tmm_range){ first, nr, size };
	return 0;
}
EXPORT_SYMBOL_TMM(tmm_range_new);

/**
 * tmm_range_from_bytes() - the 4 KiB chunks touched by [address, address + nr_bytes)
 * @address: first byte
 * @nr_bytes: number of bytes; 0 makes the empty range at @address
 * @limit: one above the last chunk number
 * @out: set on success only
 *
 * Return:
 * * 0          - @out is the range
 * * -EOVERFLOW - the bytes reach past @limit
 */
int tmm_range_from_bytes(u64 address, u64 nr_bytes, u64 limit, struct tmm_range *out)
{
	u64 first = address >> TMM_PAGE_SHIFT;
	u64 last;

	if (!nr_bytes)
		return tmm_range_new(first, 0, TMM_4K, limit, out);
	if (check_add_overflow(address, nr_bytes - 1, &last))
		return -EOVERFLOW;
	return tmm_range_new(first, (last >> TMM_PAGE_SHIFT) - first + 1, TMM_4K, limit, out);
}
EXPORT_SYMBOL_TMM(tmm_range_from_bytes);

/**
 * tmm_range_contains() - check whether a range contains all of another range
 * @outer: the outer range
 * @inner: the inner range; the sizes of the chunks may differ
 *
 * Return: true if @outer contains @inner; false if @inner is empty
 */
bool tmm_range_contains(const struct tmm_range *outer, const struct tmm_range *inner)
{
	return inner->nr && inner->first >= outer->first &&
	       tmm_range_end(inner) <= tmm_range_end(outer);
}
EXPORT_SYMBOL_TMM(tmm_range_contains);

/**
 * tmm_range_contains_number() - check whether a range contains a 4 KiB chunk
 * @r: the range
 * @number: number of the chunk
 *
 * Return: true if @r contains the chunk; false if @r is empty
 */
bool tmm_range_contains_number(const struct tmm_range *r, u64 number)
{
	return number >= r->first && number < tmm_range_end(r);
}
EXPORT_SYMBOL_TMM(tmm_range_contains_number);

/**
 * tmm_range_overlap() - the overlap of two ranges
 * @a: a range
 * @b: another range
 * @out: the overlap in 4 KiB chunks; set only if there is an overlap
 *
 * Return: true if the ranges have a 4 KiB chunk in common
 */
bool tmm_range_overlap(const struct tmm_range *a, const struct tmm_range *b, struct tmm_range *out)
{
	u64 first = max(a->first, b->first);
	u64 end = min(tmm_range_end(a), tmm_range_end(b));

	if (first >= end)
		return false;
	*out = (struct tmm_range){ first, end - first, TMM_4K };
	return true;
}
EXPORT_SYMBOL_TMM(tmm_range_overlap);

/**
 * tmm_range_to_extended() - the smallest range that contains a range and a chunk
 * @r: the range; if empty, the result is the chunk alone
 * @number: number of the chunk, which has the chunk size of @r
 * @out: set on success only
 *
 * Return:
 * * 0       - @out contains both
 * * -EINVAL - @number is not aligned for the chunk size of @r
 */
int tmm_range_to_extended(const struct tmm_range *r, u64 number, struct tmm_range *out)
{
	u64 step = tmm_page_size_4k_pages(r->size);
	u64 first, end;

	if (!is_aligned(number, r->size))
		return -EINVAL;
	first = r->nr ? min(r->first, number) : number;
	end = r->nr ? max(tmm_range_end(r), number + step) : number + step;
	*out = (struct tmm_range){ first, (end - first) >> tmm_page_size_order(r->size), r->size };
	return 0;
}
EXPORT_SYMBOL_TMM(tmm_range_to_extended);

/**
 * tmm_range_convert() - the same range in chunks of another size
 * @r: the range
 * @size: the new size
 * @out: set on success only
 *
 * An empty range stays empty, but its address must be aligned for @size as well.
 *
 * Return:
 * * 0       - @out covers the same addresses as @r
 * * -EINVAL - an end of @r is not aligned for @size
 */
int tmm_range_convert(const struct tmm_range *r, enum tmm_page_size size, struct tmm_range *out)
{
	if (!is_aligned(r->first, size) || !is_aligned(tmm_range_end(r), size))
		return -EINVAL;
	*out = (struct tmm_range){ r->first, tmm_range_nr_4k(r) >> tmm_page_size_order(size),
				   size };
	return 0;
}
EXPORT_SYMBOL_TMM(tmm_range_convert);
