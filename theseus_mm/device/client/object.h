/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Objects: the pages, the frames or the mapping of a handle. One table says for each kind how
 * an object of that kind is described, split, merged and dropped.
 *
 * Invariant: an object with a kind owns exactly one thing, of that kind. An object without a
 * kind owns nothing.
 * Lock: that of the client's table of handles, for a visible object. The call that has reserved
 * or taken an object needs none.
 * Owner: the client's table of handles, or the call.
 */
#ifndef TMM_DEVICE_CLIENT_OBJECT_H
#define TMM_DEVICE_CLIENT_OBJECT_H

#include "core/range.h"
#include "uapi/linux/theseus_mm.h"

#include <linux/compiler_types.h>
#include <linux/types.h>

struct tmm_allocated_frames;
struct tmm_allocated_pages;
struct tmm_mapped_pages;
struct tmm_mapping_file;

/* The number of entries of a table by kind. Entry 0 is for an object that owns nothing. */
#define TMM_NR_KINDS	(THESEUS_MM_KIND_MAPPING + 1)

/* The pages, frames or mapping of a handle. */
struct tmm_object {
	u32 handle;
	u16 kind;	/* THESEUS_MM_KIND_*; 0 while the object owns nothing */
	bool is_visible;	/* calls can find the object; see device/client/handle_table.h */
	/*
	 * a mapping's file for processes; NULL if the mapping was never lent. Its @owner_data is
	 * the mapping's offset for mmap() (struct tmm_offset), or NULL.
	 */
	struct tmm_mapping_file *mf;
	union {
		struct tmm_allocated_pages *pages;
		struct tmm_allocated_frames *frames;
		struct tmm_mapped_pages *mapping;
	};
};

struct tmm_range tmm_object_chunks(const struct tmm_object *object);
u64 tmm_object_nr_frames(const struct tmm_object *object);
void tmm_object_describe(const struct tmm_object *object, struct theseus_mm_query *query);
void tmm_object_describe_mapping(const struct tmm_mapped_pages *mp,
				 struct theseus_mm_query *query);

int __must_check tmm_object_split_content(struct tmm_object *object, u64 at,
					  struct tmm_object *second);
int __must_check tmm_object_merge_content(struct tmm_object *object, struct tmm_object *other);
void tmm_object_drop_content(struct tmm_object *object);

#endif /* TMM_DEVICE_CLIENT_OBJECT_H */
