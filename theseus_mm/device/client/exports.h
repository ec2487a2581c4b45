/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Exports: mapping files that have descriptors, and each client's table of its exports.
 *
 * An export owns its mapping until a client imports the mapping or the exporter takes it back.
 * An export that no longer owns its mapping is stale. When the last descriptor and the last area
 * are gone, the export is freed together with the mapping that it owns.
 *
 * Invariant: a client's table of exports has exactly the reserved numbers, and those exports of
 * the client that still own their mapping. A listed export is not freed, and a stale export stays
 * stale. After TAKE_BACK, a stale export's mapping file serves the exporter's mapping. So the
 * export is freed by its file's ->release() only.
 * Lock: the mapping file's @revoke_lock, and inside it the table's own lock.
 * Owner: the file. Descriptors, areas and, after TAKE_BACK, the exporter's object hold the file.
 */
#ifndef TMM_DEVICE_CLIENT_EXPORTS_H
#define TMM_DEVICE_CLIENT_EXPORTS_H

#include "device/share/lender.h"
#include "device/share/mapping_file.h"

#include <linux/compiler_types.h>
#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/types.h>

struct theseus_mm_query;
struct tmm_account;
struct tmm_client;
struct tmm_loan;
struct tmm_mapped_pages;

/* An exported mapping. */
struct tmm_export {
	struct tmm_mapping_file mf;	/* this structure is freed with @mf.file */
	struct tmm_lender descriptors;	/* lends through the file's descriptors */
	/* the mapping, or NULL if the export does not own it; under @mf.revoke_lock */
	struct tmm_mapped_pages *mapping;
	/* the client whose @exports lists this export, with a reference; or NULL */
	struct tmm_client *exporter;
	u32 id;	/* number of the export in @exports */
	/* a client that imports the mapping can never write to it; does not change */
	bool is_read_only;
};

/* The file's operations */
void tmm_export_set_fops(const struct file_operations *fops);
int tmm_export_release(struct inode *inode, struct file *file);
__poll_t tmm_export_poll(struct file *file, poll_table *wait);

struct tmm_export * __must_check tmm_export_create(bool is_read_only);
int __must_check tmm_export_reserve(struct tmm_export *export, struct tmm_client *client);
void tmm_export_mapping(struct tmm_export *export, struct tmm_mapped_pages **mapping);
struct tmm_export *tmm_export_of(struct file *file);
int __must_check tmm_export_query(struct tmm_export *export, struct theseus_mm_query *query);
int __must_check tmm_export_import(struct tmm_export *export, struct tmm_account *account,
				   struct tmm_mapped_pages **mapping);
int __must_check tmm_export_take_back(struct tmm_export *export,
				      struct tmm_mapped_pages **mapping);
struct tmm_export *tmm_export_find(struct tmm_client *client, u32 id);
int __must_check tmm_export_revoke(struct tmm_export *export, unsigned int *nr,
				   unsigned int *nr_pinned);
int __must_check tmm_export_lend(struct tmm_export *export, u64 offset, u64 nr_bytes,
				 bool is_mutable, struct tmm_loan *loan);

#endif /* TMM_DEVICE_CLIENT_EXPORTS_H */
