/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mapping request: all parameters of a new mapping. A plain value.
 *
 * The receiver of a call (device/call/, kernel/, an exported function) fills in the request and
 * checks it once, before any allocation. The functions below do not check a request again.
 */
#ifndef TMM_MAPPING_REQUEST_H
#define TMM_MAPPING_REQUEST_H

#include "core/page.h"
#include "core/pte_flags.h"

#include <linux/types.h>

struct tmm_account;

/* The choice of frames for a new mapping. */
enum tmm_frames_choice {
	TMM_FRAMES_ANY,		/* as many runs as needed */
	TMM_FRAMES_CONTIGUOUS,	/* one run */
	TMM_FRAMES_IDENTITY,	/* one run, mapped at its physical addresses */
	TMM_FRAMES_AT,		/* one run, from a given frame on; of any region */
};

/**
 * struct tmm_mapping_request - a request for a new mapping
 * @nr: pages of 4 KiB, 1 or more
 * @flags: flags of the mapping
 * @frames: the choice of frames
 * @first: number of the first frame, for TMM_FRAMES_AT; the frames of such a request are not
 *         charged
 * @zero: clear the frames first
 * @align: alignment in pages, a power of two, of the first page, and of the first frame if
 *         there is one run; 0 means any
 * @is_sized: every leaf has size @leaf
 * @leaf: size of all leaves, if @is_sized; else leaves are as large as possible
 * @account: account charged for pages, frames of RAM and tables; NULL for none
 * @general_only: use pages of general regions only, so none of the lower half and none that are
 *                for kernel code; ignored for identity mappings, which are always in the lower
 *                half
 */
struct tmm_mapping_request {
	u64 nr;
	tmm_pte_flags_t flags;
	enum tmm_frames_choice frames;
	u64 first;
	bool zero;
	u64 align;
	bool is_sized;
	enum tmm_page_size leaf;
	struct tmm_account *account;
	bool general_only;
};

int __must_check tmm_mapping_request_check(const struct tmm_mapping_request *req);
int __must_check tmm_mapping_request_check_ram_flags(tmm_pte_flags_t flags);

#endif /* TMM_MAPPING_REQUEST_H */
