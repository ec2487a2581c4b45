/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Descriptors that only borrow: EXPORT with BORROW.
 *
 * The mapping stays its client's, under its handle. The descriptor itself is no borrow;
 * what is mmapped through it are loans of the mapping's own file, so REVOKE ends them as
 * all others. Whoever has it can mmap and QUERY it: it owns nothing that could be
 * imported, exported or changed.
 *
 * Invariant: it is stale from the moment when its handle is consumed, its mapping merged,
 * REVOKE was said, or its client ended; then it lends nothing more.
 * Lock: none of its own; finding the mapping takes the client's handle table's, being
 * stale the mapping file's.
 * Owner: the file; its descriptors, however they were copied, are one.
 */
#ifndef TMM_DEVICE_LENDING_H
#define TMM_DEVICE_LENDING_H

#include <linux/compiler_types.h>
#include <linux/types.h>

struct file;
struct seq_file;
struct theseus_mm_query;
struct tmm_client;
struct tmm_lender;
struct tmm_loan;
struct tmm_mapping_file;

/**
 * struct tmm_lending - a descriptor that lends
 * @client: whose mapping it is; a reference
 * @handle: the mapping's
 * @mf: the mapping's file; a reference
 * @lender: what its loans are made through
 * @is_read_only: it lends nothing that could be written; Linux sees to that by the mode of
 *                the file
 */
struct tmm_lending {
	struct tmm_client *client;
	u32 handle;
	struct tmm_mapping_file *mf;
	struct tmm_lender *lender;
	bool is_read_only;
};

struct file * __must_check tmm_lending_create(struct tmm_client *client, u32 handle,
					      bool is_read_only);
bool tmm_lending_is(const struct file *file);
int __must_check tmm_lending_query(const struct tmm_lending *lending,
				   struct theseus_mm_query *query);
int __must_check tmm_lending_lend(const struct tmm_lending *lending, u64 offset, u64 nr_bytes,
				  bool is_mutable, struct tmm_loan *loan);

#endif /* TMM_DEVICE_LENDING_H */
