/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The offset and the file of a mapping, through which processes mmap the mapping.
 *
 * Invariant: a mapping that has an offset also has a file. A mapping that is resized or consumed
 * loses its offset.
 * Lock: that of the client's table of handles.
 * Owner: the object of the mapping.
 */
#ifndef TMM_DEVICE_CLIENT_MMAP_OFFSET_H
#define TMM_DEVICE_CLIENT_MMAP_OFFSET_H

#include <linux/compiler_types.h>
#include <linux/types.h>

struct theseus_mm_map_offset;
struct tmm_client;
struct tmm_loan;
struct tmm_mapping_file;

int __must_check tmm_mmap_offset_assign(struct tmm_client *client,
					struct theseus_mm_map_offset *reply, bool is_low);
int __must_check tmm_mmap_offset_find_file(struct tmm_client *client, u32 handle,
					   struct tmm_mapping_file **mf);
int __must_check tmm_mmap_offset_check_room(struct tmm_client *client, u32 handle);
int __must_check tmm_mmap_offset_lend(struct tmm_client *client, u64 page, u64 nr_bytes,
				      bool is_mutable, struct tmm_loan *loan,
				      struct tmm_mapping_file **mf);
int __must_check tmm_mmap_offset_address(struct tmm_client *client, u64 page, u64 *address);
int __must_check tmm_mmap_offset_open_file(struct tmm_client *client, u32 handle,
					   struct tmm_mapping_file **mf, u64 *nr_bytes,
					   u64 *generation);

#endif /* TMM_DEVICE_CLIENT_MMAP_OFFSET_H */
