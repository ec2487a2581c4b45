/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mapping request: all that a caller wants of a new mapping, decoded and checked once,
 * before anything is taken. A value; what may not be used is a part of it.
 */
#ifndef TMM_MAPPING_REQUEST_H
#define TMM_MAPPING_REQUEST_H

#include "core/pte_flags.h"
#include "core/types.h"

#include <linux/types.h>

struct tmm_account;

/**
 * enum tmm_frames_choice - the frames of a mapping that is created
 * @TMM_FRAMES_ANY: as many runs as it takes
 * @TMM_FRAMES_CONTIGUOUS: one run
 * @TMM_FRAMES_IDENTITY: one run, at the addresses that are its own
 */
enum tmm_frames_choice {
	TMM_FRAMES_ANY,
	TMM_FRAMES_CONTIGUOUS,
	TMM_FRAMES_IDENTITY,
};

/**
 * struct tmm_mapping_request - what a caller wants
 * @nr: pages of 4 KiB, 1 or more
 * @flags: what the mapping may be used for
 * @frames: which frames it gets
 * @zero: clear them first
 * @align: its first page is a multiple of it, and so is the frame of one run; a power of
 *         two of pages, 0 means any
 * @is_sized: every leaf is of @leaf
 * @leaf: size of leaves, if @is_sized; else as large as there is room for
 * @account: who is charged for pages, frames of RAM and tables; NULL: nobody
 * @general_only: no pages of the low half, not even as a last resort; but those of an
 *                identity mapping lie there
 */
struct tmm_mapping_request {
	u64 nr;
	tmm_pte_flags_t flags;
	enum tmm_frames_choice frames;
	bool zero;
	u64 align;
	bool is_sized;
	enum tmm_page_size leaf;
	struct tmm_account *account;
	bool general_only;
};

#endif /* TMM_MAPPING_REQUEST_H */
