/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pages and frames: pure values, no ownership, no locks.
 *
 * A *chunk* is a page (virtual) or a frame (physical). A chunk of any size is numbered in 4 KiB
 * units: the 2 MiB page at 0x200000 has number 512, and the next 2 MiB page has number 1024.
 * Each kind is a struct of its own, so that the compiler rejects a virtual value in place of a
 * physical value.
 */
#ifndef TMM_CORE_PAGE_H
#define TMM_CORE_PAGE_H

#include "core/address.h"

#include <linux/compiler.h>
#include <linux/types.h>

/**
 * enum tmm_page_size - sizes of a page or frame
 * @TMM_4K: 4 KiB, a leaf at level 1
 * @TMM_2M: 2 MiB, 512 chunks of 4 KiB, a leaf at level 2
 * @TMM_1G: 1 GiB, 262144 chunks of 4 KiB, a leaf at level 3
 * @TMM_NR_PAGE_SIZES: number of the sizes above
 *
 * Theseus: Page4K, Page2M, Page1G, PageSize, MemChunkSize
 */
enum tmm_page_size {
	TMM_4K,
	TMM_2M,
	TMM_1G,
	TMM_NR_PAGE_SIZES
};

static inline unsigned int tmm_page_size_order(enum tmm_page_size size)
{
	return size * TMM_INDEX_BITS;
}

/* The 4 KiB chunks in one page of @size: 1, 512 or 262144. */
static inline u64 tmm_page_size_4k_pages(enum tmm_page_size size)
{
	return 1ULL << tmm_page_size_order(size);
}

static inline u64 tmm_page_size_bytes(enum tmm_page_size size)
{
	return tmm_page_size_4k_pages(size) << TMM_PAGE_SHIFT;
}

/**
 * enum tmm_memory_state - states of a range of frames
 * @TMM_STATE_FREE: in the free set of its allocator
 * @TMM_STATE_ALLOCATED: owned, not mapped
 * @TMM_STATE_MAPPED: owned by a mapping
 * @TMM_STATE_UNMAPPED: taken out of a mapping, not yet allocated again
 *
 * Free <-> Allocated -> Mapped -> Unmapped -> Allocated; no other transition exists.
 * Theseus: MemoryState
 */
enum tmm_memory_state {
	TMM_STATE_FREE,
	TMM_STATE_ALLOCATED,
	TMM_STATE_MAPPED,
	TMM_STATE_UNMAPPED,
};

/**
 * struct tmm_page - one virtual page
 * @number: address / 4 KiB, without the sign extension of the upper half; a
 *          multiple of tmm_page_size_4k_pages(@size)
 * @size: the page's size
 *
 * Theseus: Page
 */
struct tmm_page {
	u64 number;
	enum tmm_page_size size;
};

/**
 * struct tmm_frame - one physical frame
 * @number: address / 4 KiB; a multiple of tmm_page_size_4k_pages(@size)
 * @size: the frame's size
 *
 * Theseus: Frame
 */
struct tmm_frame {
	u64 number;
	enum tmm_page_size size;
};

/* The 4 KiB page that has this number. */
static inline struct tmm_page tmm_page_4k(u64 number)
{
	return (struct tmm_page){ number, TMM_4K };
}

/* The 4 KiB frame that has this number. */
static inline struct tmm_frame tmm_frame_4k(u64 number)
{
	return (struct tmm_frame){ number, TMM_4K };
}

struct tmm_page tmm_page_containing_address(struct tmm_vaddr addr, enum tmm_page_size size);
struct tmm_vaddr tmm_page_start_address(struct tmm_page page);
int __must_check tmm_page_align_up(struct tmm_page page, u64 nr_4k, struct tmm_page *out);
int __must_check tmm_page_convert(struct tmm_page page, enum tmm_page_size size,
				  struct tmm_page *out);
int __must_check tmm_page_add(struct tmm_page page, u64 nr_pages, struct tmm_page *out);
unsigned int tmm_page_index(struct tmm_page page, unsigned int level);

struct tmm_frame tmm_frame_containing_address(struct tmm_paddr addr, enum tmm_page_size size);
struct tmm_paddr tmm_frame_start_address(struct tmm_frame frame);
int __must_check tmm_frame_align_up(struct tmm_frame frame, u64 nr_4k, struct tmm_frame *out);
int __must_check tmm_frame_convert(struct tmm_frame frame, enum tmm_page_size size,
				   struct tmm_frame *out);
int __must_check tmm_frame_add(struct tmm_frame frame, u64 nr_frames, struct tmm_frame *out);

/* The 9-bit indices of a page in the tables of levels 4 to 1, with the names of Theseus. */
static inline unsigned int tmm_page_p4_index(struct tmm_page page)
{
	return tmm_page_index(page, 4);
}

static inline unsigned int tmm_page_p3_index(struct tmm_page page)
{
	return tmm_page_index(page, 3);
}

static inline unsigned int tmm_page_p2_index(struct tmm_page page)
{
	return tmm_page_index(page, 2);
}

static inline unsigned int tmm_page_p1_index(struct tmm_page page)
{
	return tmm_page_index(page, 1);
}

#endif /* TMM_CORE_PAGE_H */
