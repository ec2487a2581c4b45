/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Exported mappings: mappings that a file owns, and the list of them that each client keeps.
 *
 * The file of an exported mapping has descriptors, and owns the mapping until a client
 * imports it or the exporter takes it back. When the last descriptor and the last area are
 * gone, the mapping is freed. A client that imports a read-only export can never write to
 * the mapping.
 *
 * Invariant: a client's table of exports lists exactly the reserved numbers, and the files
 * that own a mapping that the client exported. A listed file is not freed.
 * Lock: the file's @revoke_lock for the mapping that the file owns; the table's own lock.
 * Owner: the file. Descriptors and areas hold the file.
 */
#ifndef TMM_DEVICE_CLIENT_EXPORTS_H
#define TMM_DEVICE_CLIENT_EXPORTS_H

#include <linux/compiler_types.h>
#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/types.h>

struct theseus_mm_query;
struct tmm_account;
struct tmm_client;
struct tmm_loan;
struct tmm_mapped_pages;
struct tmm_mapping_file;

/* The file's operations */
void tmm_export_set_fops(const struct file_operations *fops);
int tmm_export_release(struct inode *inode, struct file *file);
__poll_t tmm_export_poll(struct file *file, poll_table *wait);

struct tmm_mapping_file * __must_check tmm_export_create_file(bool is_read_only);
int __must_check tmm_export_reserve(struct tmm_mapping_file *mf, struct tmm_client *client);
void tmm_export_mapping(struct tmm_mapping_file *mf, struct tmm_mapped_pages **mapping);
struct tmm_mapping_file *tmm_export_file_of(struct file *file);
int __must_check tmm_export_query(struct tmm_mapping_file *mf,
				  struct theseus_mm_query *query);
int __must_check tmm_export_import(struct tmm_mapping_file *mf, struct tmm_account *account,
				   struct tmm_mapped_pages **mapping);
int __must_check tmm_export_take_back(struct tmm_mapping_file *mf,
				      struct tmm_mapped_pages **mapping);
struct tmm_mapping_file *tmm_export_find(struct tmm_client *client, u32 export_id);
int __must_check tmm_export_revoke(struct tmm_mapping_file *mf, unsigned int *nr,
				   unsigned int *nr_pinned);
int __must_check tmm_export_lend(struct tmm_mapping_file *mf, u64 offset, u64 nr_bytes,
				 bool is_mutable, struct tmm_loan *loan);

#endif /* TMM_DEVICE_CLIENT_EXPORTS_H */
