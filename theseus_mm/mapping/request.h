/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mapping request: everything that a caller asks of a new mapping. A plain value.
 *
 * Whoever receives a call (device/call/, kernel/, an exported function) fills in the request
 * and checks it once, before anything is taken. The functions below trust a request.
 */
#ifndef TMM_MAPPING_REQUEST_H
#define TMM_MAPPING_REQUEST_H

#include "core/page.h"
#include "core/pte_flags.h"

#include <linux/types.h>

struct tmm_account;

/**
 * enum tmm_frames_choice - the frames of a mapping that is created
 * @TMM_FRAMES_ANY: as many runs as it takes
 * @TMM_FRAMES_CONTIGUOUS: one run
 * @TMM_FRAMES_IDENTITY: one run, at the addresses that are its own
 * @TMM_FRAMES_AT: one run, from a given frame on; of any region
 */
enum tmm_frames_choice {
	TMM_FRAMES_ANY,
	TMM_FRAMES_CONTIGUOUS,
	TMM_FRAMES_IDENTITY,
	TMM_FRAMES_AT,
};

/**
 * struct tmm_mapping_request - a request for a new mapping
 * @nr: pages of 4 KiB, 1 or more
 * @flags: flags of the mapping
 * @frames: how its frames are chosen
 * @first: number of the first frame, for TMM_FRAMES_AT; frames that are given are not charged
 * @zero: clear the frames first
 * @align: alignment in pages, a power of two, of the first page, and of the first frame if
 *         there is one run; 0 means any
 * @is_sized: every leaf has size @leaf
 * @leaf: size of all leaves, if @is_sized; else leaves are as large as there is room for
 * @account: account charged for pages, frames of RAM and tables; NULL for none
 * @general_only: use no pages of the lower half, not even as a last resort; does not hold
 *                for identity mappings, which lie there
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
