/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TMM_MAPPING_MEMORY_H
#define TMM_MAPPING_MEMORY_H

#include <linux/types.h>

/**
 * struct tmm_memory - a run of RAM for an instance
 * @first: number of the first frame
 * @nr: frames in it
 * @window: kernel alias of the first frame, for the whole run
 * @has_struct_pages: Linux knows a struct page of each frame
 * @bad: numbers of frames that are known to be bad, of this run and of others
 * @nr_bad: number of entries of @bad
 */
struct tmm_memory {
	u64 first;
	u64 nr;
	void *window;
	bool has_struct_pages;
	const u64 *bad;
	unsigned int nr_bad;
};

#endif /* TMM_MAPPING_MEMORY_H */
