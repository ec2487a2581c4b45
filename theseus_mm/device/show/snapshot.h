/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Snapshots of the objects that a client owns, and of the mappings that the client exported.
 *
 * Invariant: a snapshot shows its object at one moment. Two snapshots may show different moments.
 * Lock: the lock of the client's table, held for a few objects at a time.
 * Owner: the caller owns the snapshots.
 */
#ifndef TMM_DEVICE_SHOW_SNAPSHOT_H
#define TMM_DEVICE_SHOW_SNAPSHOT_H

#include "core/pte_flags.h"

#include <linux/types.h>

struct tmm_client;

/* A snapshot of an object, or of an exported mapping. */
struct tmm_snapshot {
	u32 handle;		/* the object's handle, or the export number */
	u32 kind;		/* THESEUS_MM_KIND_* */
	u64 start;		/* number of the first page; for frames, of the first frame */
	u64 nr;			/* pages or frames */
	unsigned int nr_frame_ranges;	/* of a mapping: runs of frames behind the pages */
	tmm_pte_flags_t flags;	/* of a mapping */
	u32 attributes;		/* of a mapping: THESEUS_MM_ATTRIBUTE_* */
	unsigned int nr_borrows;	/* of a mapping */
	bool is_mmapped;	/* the mapping is mmapped in a process */
};

/* The number of snapshots that a walk takes at a time. */
#define TMM_LOOKS	16

/* A walk over all objects or exports of a client. Fields from @is_last on are 0 at the start. */
struct tmm_snapshots {
	struct tmm_client *client;
	bool is_exports;	/* walk the exported mappings instead of the objects */
	u64 from;		/* the lowest number that the walk may show next */
	bool is_last;		/* no objects follow those in @looks */
	unsigned int nr;	/* snapshots in @looks */
	unsigned int next;	/* index in @looks of the next snapshot */
	struct tmm_snapshot looks[TMM_LOOKS];
};

const struct tmm_snapshot *tmm_snapshots_next(struct tmm_snapshots *all);
unsigned int tmm_snapshot_objects(struct tmm_client *client, u64 from, struct tmm_snapshot *looks,
				  unsigned int nr);

#endif /* TMM_DEVICE_SHOW_SNAPSHOT_H */
