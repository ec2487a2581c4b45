/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Ranges of chunks: pure values, no ownership, no locks.
 *
 * A range has a first chunk and a count of chunks of the same size. A range with count 0 is
 * empty, at any address. The empty range has no last chunk, and no range contains it. So the
 * empty range needs no sentinel value, and causes no underflow at frame 0. The start and the
 * last chunk are part of the range, as in Theseus.
 *
 * All logic is in the functions on struct tmm_range. Pages and frames have separate structs
 * with one member, so that the compiler tells them apart. The macro at the end gives both
 * structs the same functions:
 *
 *	tmm_page_range_*()	tmm_frame_range_*()
 */
#ifndef TMM_CORE_RANGE_H
#define TMM_CORE_RANGE_H

#include "core/address.h"
#include "core/page.h"

#include <linux/bits.h>
#include <linux/errno.h>

/**
 * struct tmm_range - a run of chunks
 * @first: number of the first chunk, in 4 KiB units
 * @nr: number of chunks of @size; 0 is the empty range
 * @size: size of each chunk
 */
struct tmm_range {
	u64 first;
	u64 nr;
	enum tmm_page_size size;
};

/* Number of 4 KiB chunks in a range. */
static inline u64 tmm_range_nr_4k(const struct tmm_range *r)
{
	return r->nr << tmm_page_size_order(r->size);
}

/* The first chunk number after the range. */
static inline u64 tmm_range_end(const struct tmm_range *r)
{
	return r->first + tmm_range_nr_4k(r);
}

static inline bool tmm_range_is_empty(const struct tmm_range *r)
{
	return !r->nr;
}

int __must_check tmm_range_new(u64 first, u64 nr, enum tmm_page_size size, u64 limit,
			       struct tmm_range *out);
int __must_check tmm_range_from_bytes(u64 address, u64 nr_bytes, u64 limit, struct tmm_range *out);
bool tmm_range_contains(const struct tmm_range *outer, const struct tmm_range *inner);
bool tmm_range_contains_number(const struct tmm_range *r, u64 number);
bool tmm_range_overlap(const struct tmm_range *a, const struct tmm_range *b, struct tmm_range *out);
int __must_check tmm_range_to_extended(const struct tmm_range *r, u64 number,
				       struct tmm_range *out);
int __must_check tmm_range_convert(const struct tmm_range *r, enum tmm_page_size size,
				   struct tmm_range *out);

/**
 * struct tmm_page_range - a run of virtual pages
 * @r: first page and count
 *
 * Theseus: PageRange
 */
struct tmm_page_range {
	struct tmm_range r;
};

/**
 * struct tmm_frame_range - a run of physical frames
 * @r: first frame and count
 *
 * Theseus: FrameRange
 */
struct tmm_frame_range {
	struct tmm_range r;
};

static inline u64 tmm_page_number_limit(void)
{
	return 1ULL << (tmm_vaddr_bits() - TMM_PAGE_SHIFT);
}

static inline u64 tmm_frame_number_limit(void)
{
	return 1ULL << (TMM_PADDR_BITS - TMM_PAGE_SHIFT);
}

/* The address bits that determine the chunk number: page numbers have no sign extension. */
static inline u64 tmm_vaddr_flat(struct tmm_vaddr addr)
{
	return addr.v & GENMASK_ULL(tmm_vaddr_bits() - 1, 0);
}

static inline u64 tmm_paddr_flat(struct tmm_paddr addr)
{
	return addr.v;
}

/*
 * The inverse of tmm_vaddr_flat() and tmm_paddr_flat(). A range of pages may span the hole
 * between the canonical halves, so tmm_vaddr_of_flat() makes the address canonical.
 */
static inline struct tmm_vaddr tmm_vaddr_of_flat(u64 flat)
{
	return tmm_vaddr_new_canonical(flat);
}

static inline struct tmm_paddr tmm_paddr_of_flat(u64 flat)
{
	return (struct tmm_paddr){ flat };
}

/*
 * _kind: page or frame, _addr: vaddr or paddr.
 *
 * _new(first, nr):              -EOVERFLOW if the range reaches past the last chunk
 * _of(first, nr):               for chunks that are known to exist: checks nothing
 * _from_addr(addr, bytes):      every 4 KiB chunk touched by [addr, addr + bytes)
 * _start_address(), _last():    first address, last chunk; _last() is false if empty
 * _size_in_<kind>s(), _size_in_bytes():  O(1); a chunk has the chunk size of the range
 * _contains(), _contains_address(), _contains_range()
 * _overlap(a, b, out):          false (and @out untouched) if there is no overlap;
 *                               @out is in 4 KiB chunks
 * _offset_of_address(), _address_at_offset():  false if the result is outside
 * _to_extended(to_include):     the smallest range with both; -EINVAL if the sizes of
 *                               the chunks differ
 * _convert(size):               always possible to 4 KiB; to a larger size only if both
 *                               ends are aligned
 */
#define TMM_DEFINE_RANGE(_kind, _addr)							\
static inline int __must_check tmm_##_kind##_range_new(struct tmm_##_kind first, u64 nr,	\
						       struct tmm_##_kind##_range *out)	\
{											\
	return tmm_range_new(first.number, nr, first.size,				\
			     tmm_##_kind##_number_limit(), &out->r);			\
}											\
static inline struct tmm_##_kind##_range						\
tmm_##_kind##_range_of(struct tmm_##_kind first, u64 nr)				\
{											\
	return (struct tmm_##_kind##_range){ { first.number, nr, first.size } };	\
}											\
static inline struct tmm_##_kind##_range tmm_##_kind##_range_empty(void)		\
{											\
	return (struct tmm_##_kind##_range){ { 0, 0, TMM_4K } };			\
}											\
static inline int __must_check								\
tmm_##_kind##_range_from_addr(struct tmm_##_addr addr, u64 nr_bytes,			\
			      struct tmm_##_kind##_range *out)				\
{											\
	return tmm_range_from_bytes(tmm_##_addr##_flat(addr), nr_bytes,			\
				    tmm_##_kind##_number_limit(), &out->r);		\
}											\
static inline bool tmm_##_kind##_range_is_empty(const struct tmm_##_kind##_range *range)	\
{											\
	return tmm_range_is_empty(&range->r);						\
}											\
static inline struct tmm_##_addr							\
tmm_##_kind##_range_start_address(const struct tmm_##_kind##_range *range)		\
{											\
	return tmm_##_kind##_start_address((struct tmm_##_kind){ range->r.first,	\
								 range->r.size });	\
}											\
static inline struct tmm_##_kind							\
tmm_##_kind##_range_start(const struct tmm_##_kind##_range *range)			\
{											\
	return (struct tmm_##_kind){ range->r.first, range->r.size };			\
}											\
static inline bool tmm_##_kind##_range_last(const struct tmm_##_kind##_range *range,	\
					    struct tmm_##_kind *out)			\
{											\
	if (tmm_range_is_empty(&range->r))						\
		return false;								\
	out->number = tmm_range_end(&range->r) - tmm_page_size_4k_pages(range->r.size);	\
	out->size = range->r.size;							\
	return true;									\
}											\
static inline u64									\
tmm_##_kind##_range_size_in_##_kind##s(const struct tmm_##_kind##_range *range)		\
{											\
	return range->r.nr;								\
}											\
static inline u64 tmm_##_kind##_range_size_in_bytes(const struct tmm_##_kind##_range *range)	\
{											\
	return tmm_range_nr_4k(&range->r) << TMM_PAGE_SHIFT;				\
}											\
static inline bool tmm_##_kind##_range_contains(const struct tmm_##_kind##_range *range,	\
						struct tmm_##_kind chunk)		\
{											\
	struct tmm_range r = { chunk.number, 1, chunk.size };				\
											\
	return tmm_range_contains(&range->r, &r);					\
}											\
static inline bool									\
tmm_##_kind##_range_contains_address(const struct tmm_##_kind##_range *range,		\
				     struct tmm_##_addr addr)				\
{											\
	return tmm_range_contains_number(&range->r,					\
					 tmm_##_addr##_flat(addr) >> TMM_PAGE_SHIFT);	\
}											\
static inline bool									\
tmm_##_kind##_range_contains_range(const struct tmm_##_kind##_range *outer,		\
				   const struct tmm_##_kind##_range *inner)		\
{											\
	return tmm_range_contains(&outer->r, &inner->r);				\
}											\
static inline bool tmm_##_kind##_range_overlap(const struct tmm_##_kind##_range *a,	\
					       const struct tmm_##_kind##_range *b,	\
					       struct tmm_##_kind##_range *out)		\
{											\
	return tmm_range_overlap(&a->r, &b->r, &out->r);				\
}											\
static inline bool									\
tmm_##_kind##_range_offset_of_address(const struct tmm_##_kind##_range *range,		\
				      struct tmm_##_addr addr, u64 *offset)		\
{											\
	if (!tmm_##_kind##_range_contains_address(range, addr))				\
		return false;								\
	*offset = tmm_##_addr##_flat(addr) - (range->r.first << TMM_PAGE_SHIFT);	\
	return true;									\
}											\
static inline bool									\
tmm_##_kind##_range_address_at_offset(const struct tmm_##_kind##_range *range,		\
				      u64 offset, struct tmm_##_addr *addr)		\
{											\
	if (offset >= tmm_##_kind##_range_size_in_bytes(range))				\
		return false;								\
	*addr = tmm_##_addr##_of_flat((range->r.first << TMM_PAGE_SHIFT) + offset);	\
	return true;									\
}											\
static inline int __must_check								\
tmm_##_kind##_range_to_extended(const struct tmm_##_kind##_range *range,		\
				struct tmm_##_kind to_include,				\
				struct tmm_##_kind##_range *out)			\
{											\
	if (to_include.size != range->r.size)						\
		return -EINVAL;								\
	return tmm_range_to_extended(&range->r, to_include.number, &out->r);		\
}											\
static inline int __must_check								\
tmm_##_kind##_range_convert(const struct tmm_##_kind##_range *range,			\
			    enum tmm_page_size size, struct tmm_##_kind##_range *out)	\
{											\
	return tmm_range_convert(&range->r, size, &out->r);				\
}

TMM_DEFINE_RANGE(page, vaddr)
TMM_DEFINE_RANGE(frame, paddr)

/* Visit each chunk of the range, in the chunk size of the range. */
#define tmm_page_range_for_each(_page, _range)						\
	for ((_page) = tmm_page_range_start(_range);					\
	     (_page).number < tmm_range_end(&(_range)->r);				\
	     (_page).number += tmm_page_size_4k_pages((_page).size))

#define tmm_frame_range_for_each(_frame, _range)					\
	for ((_frame) = tmm_frame_range_start(_range);					\
	     (_frame).number < tmm_range_end(&(_range)->r);				\
	     (_frame).number += tmm_page_size_4k_pages((_frame).size))

#endif /* TMM_CORE_RANGE_H */
