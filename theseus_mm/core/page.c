// SPDX-License-Identifier: GPL-2.0
#include "core/page.h"

#include "core/compat.h"

#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/math.h>
#include <linux/overflow.h>

/* Page numbers of the upper half have no sign extension, so they have no bits outside this mask. */
static u64 page_number_mask(void)
{
	return GENMASK_ULL(tmm_vaddr_bits() - TMM_PAGE_SHIFT - 1, 0);
}

/* Chunk arithmetic for pages and frames; @limit is one above the last number. */
static int number_align_up(u64 number, u64 nr_4k, u64 limit, u64 *out)
{
	u64 rest;

	if (!nr_4k)
		return -EINVAL;
	rest = number % nr_4k;
	if (rest && check_add_overflow(number, nr_4k - rest, &number))
		return -EOVERFLOW;
	if (number >= limit)
		return -EOVERFLOW;
	*out = number;
	return 0;
}

static int number_add(u64 number, u64 nr, enum tmm_page_size size, u64 limit, u64 *out)
{
	u64 nr_4k;

	if (check_mul_overflow(nr, tmm_page_size_4k_pages(size), &nr_4k) ||
	    check_add_overflow(number, nr_4k, &number) || number >= limit)
		return -EOVERFLOW;
	*out = number;
	return 0;
}

static bool number_fits_size(u64 number, enum tmm_page_size size)
{
	return !(number & (tmm_page_size_4k_pages(size) - 1));
}

static u64 page_limit(void)
{
	return page_number_mask() + 1;
}

static u64 frame_limit(void)
{
	return 1ULL << (TMM_PADDR_BITS - TMM_PAGE_SHIFT);
}

/**
 * tmm_page_containing_address() - the page of a given size that contains an address
 * @addr: the address
 * @size: size of the page
 *
 * Theseus: Page::containing_address(), containing_address_2mb(), containing_address_1gb()
 *
 * Return: the page
 */
struct tmm_page tmm_page_containing_address(struct tmm_vaddr addr, enum tmm_page_size size)
{
	u64 number = (addr.v >> TMM_PAGE_SHIFT) & page_number_mask();

	return (struct tmm_page){ number & ~(tmm_page_size_4k_pages(size) - 1), size };
}
EXPORT_SYMBOL_TMM(tmm_page_containing_address);

/**
 * tmm_page_start_address() - first address of a page
 * @page: the page
 *
 * Return: the canonical address
 */
struct tmm_vaddr tmm_page_start_address(struct tmm_page page)
{
	return tmm_vaddr_new_canonical(page.number << TMM_PAGE_SHIFT);
}
EXPORT_SYMBOL_TMM(tmm_page_start_address);

/**
 * tmm_page_align_up() - the first page at or after a page, at a multiple of @nr_4k
 * @page: the page to start at
 * @nr_4k: alignment in 4 KiB pages: any number from 1 up
 * @out: a page of the same size; set on success only
 *
 * Theseus: Page::align_up()
 *
 * Return:
 * * 0          - @out is the page
 * * -EINVAL    - @nr_4k is 0, or the result would not be aligned for the size of the page
 * * -EOVERFLOW - there is no such page
 */
int tmm_page_align_up(struct tmm_page page, u64 nr_4k, struct tmm_page *out)
{
	int err;

	err = number_align_up(page.number, nr_4k, page_limit(), &page.number);
	if (err)
		return err;
	if (!number_fits_size(page.number, page.size))
		return -EINVAL;
	*out = page;
	return 0;
}
EXPORT_SYMBOL_TMM(tmm_page_align_up);

/**
 * tmm_page_convert() - the page of another size that starts at the same address
 * @page: the page
 * @size: the new size
 * @out: set on success only
 *
 * Return:
 * * 0       - @out starts at the start of @page
 * * -EINVAL - @page does not start at a multiple of @size
 */
int tmm_page_convert(struct tmm_page page, enum tmm_page_size size, struct tmm_page *out)
{
	if (!number_fits_size(page.number, size))
		return -EINVAL;
	*out = (struct tmm_page){ page.number, size };
	return 0;
}
EXPORT_SYMBOL_TMM(tmm_page_convert);

/**
 * tmm_page_add() - the page @nr_pages after a page
 * @page: the page
 * @nr_pages: distance in pages of the size of @page
 * @out: set on success only
 *
 * Theseus: Page + usize, which saturates. With saturation, a request that is too long would
 * shrink at the top of the address space, so this function fails instead.
 *
 * Return:
 * * 0          - @out is the page
 * * -EOVERFLOW - the result lies past the last page
 */
int tmm_page_add(struct tmm_page page, u64 nr_pages, struct tmm_page *out)
{
	int err;

	err = number_add(page.number, nr_pages, page.size, page_limit(), &page.number);
	if (err)
		return err;
	*out = page;
	return 0;
}
EXPORT_SYMBOL_TMM(tmm_page_add);

/**
 * tmm_page_index() - index of a page in the table of a level
 * @page: the page
 * @level: 1 (P1, leaf of 4 KiB) to 5 (P5)
 *
 * Return: 0..511
 */
unsigned int tmm_page_index(struct tmm_page page, unsigned int level)
{
	return (page.number >> (TMM_INDEX_BITS * (level - 1))) & (TMM_TABLE_ENTRIES - 1);
}
EXPORT_SYMBOL_TMM(tmm_page_index);

/**
 * tmm_frame_containing_address() - the frame of a given size that contains an address
 * @addr: the address
 * @size: size of the frame
 *
 * Return: the frame
 */
struct tmm_frame tmm_frame_containing_address(struct tmm_paddr addr, enum tmm_page_size size)
{
	u64 number = addr.v >> TMM_PAGE_SHIFT;

	return (struct tmm_frame){ number & ~(tmm_page_size_4k_pages(size) - 1), size };
}
EXPORT_SYMBOL_TMM(tmm_frame_containing_address);

/**
 * tmm_frame_start_address() - first address of a frame
 * @frame: the frame
 *
 * Return: the address
 */
struct tmm_paddr tmm_frame_start_address(struct tmm_frame frame)
{
	return tmm_paddr_new_canonical(frame.number << TMM_PAGE_SHIFT);
}
EXPORT_SYMBOL_TMM(tmm_frame_start_address);

/**
 * tmm_frame_align_up() - the first frame at or after a frame, at a multiple of @nr_4k
 * @frame: the frame to start at
 * @nr_4k: alignment in 4 KiB frames: any number from 1 up
 * @out: a frame of the same size; set on success only
 *
 * Return: as tmm_page_align_up()
 */
int tmm_frame_align_up(struct tmm_frame frame, u64 nr_4k, struct tmm_frame *out)
{
	int err;

	err = number_align_up(frame.number, nr_4k, frame_limit(), &frame.number);
	if (err)
		return err;
	if (!number_fits_size(frame.number, frame.size))
		return -EINVAL;
	*out = frame;
	return 0;
}
EXPORT_SYMBOL_TMM(tmm_frame_align_up);

/**
 * tmm_frame_convert() - the frame of another size that starts at the same address
 * @frame: the frame
 * @size: the new size
 * @out: set on success only
 *
 * Return: as tmm_page_convert()
 */
int tmm_frame_convert(struct tmm_frame frame, enum tmm_page_size size, struct tmm_frame *out)
{
	if (!number_fits_size(frame.number, size))
		return -EINVAL;
	*out = (struct tmm_frame){ frame.number, size };
	return 0;
}
EXPORT_SYMBOL_TMM(tmm_frame_convert);

/**
 * tmm_frame_add() - the frame @nr_frames after a frame
 * @frame: the frame
 * @nr_frames: distance in frames of the size of @frame
 * @out: set on success only
 *
 * Return: as tmm_page_add()
 */
int tmm_frame_add(struct tmm_frame frame, u64 nr_frames, struct tmm_frame *out)
{
	int err;

	err = number_add(frame.number, nr_frames, frame.size, frame_limit(), &frame.number);
	if (err)
		return err;
	*out = frame;
	return 0;
}
EXPORT_SYMBOL_TMM(tmm_frame_add);
