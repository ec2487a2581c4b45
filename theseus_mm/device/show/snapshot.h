/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Snapshots of what a client owns: its objects, and the mappings that it exported.
 *
 * Invariant: each snapshot is of one moment; two of them need not be of the same one.
 * Lock: that of the client's table, for a few objects at a time.
 * Owner: the caller owns the snapshots.
 */
#ifndef TMM_DEVICE_SHOW_SNAPSHOT_H
#define TMM_DEVICE_SHOW_SNAPSHOT_H

#include "core/pte_flags.h"

#include <linux/types.h>

struct tmm_client;

/**
 * struct tmm_snapshot - a snapshot of an object
 * @handle: its number
 * @kind: THESEUS_MM_KIND_*
 * @start: number of the first page; for frames, of the first frame
 * @nr: pages or frames
 * @nr_frame_ranges: runs of frames behind a mapping
 * @flags: a mapping's
 * @attributes: a mapping's, THESEUS_MM_ATTRIBUTE_*
 * @nr_borrows: a mapping's
 * @is_mmapped: the mapping is mmapped in a process
 */
struct tmm_snapshot {
	u32 handle;
	u32 kind;
	u64 start;
	u64 nr;
	unsigned int nr_frame_ranges;
	tmm_pte_flags_t flags;
	u32 attributes;
	unsigned int nr_borrows;
	bool is_mmapped;
};

/* A good number for tmm_snapshot_objects(): the handle table is locked for so many. */
#define TMM_LOOKS	16

unsigned int tmm_snapshot_objects(struct tmm_client *client, u64 from, struct tmm_snapshot *looks,
				  unsigned int nr);
unsigned int tmm_snapshot_exports(struct tmm_client *client, u64 from,
				  struct tmm_snapshot *looks, unsigned int nr);

#endif /* TMM_DEVICE_SHOW_SNAPSHOT_H */
