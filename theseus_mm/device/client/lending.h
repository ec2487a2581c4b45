/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lending descriptors: EXPORT with BORROW.
 *
 * The client keeps the mapping and its handle. The descriptor itself is no borrow. Each
 * mmap() of the descriptor is a loan of the mapping's own file, so REVOKE ends the loan like
 * any other. A process can only mmap and QUERY the descriptor, which owns nothing that
 * could be imported, exported or changed.
 *
 * Invariant: a descriptor is stale, and lends nothing, once its handle is consumed, its
 * mapping is merged or revoked, or its client has ended.
 * Lock: none of its own. Finding the mapping takes the lock of the client's handle table;
 * the mapping file's lock protects whether the descriptor is stale.
 * Owner: the file. All copies of the descriptor share the file.
 */
#ifndef TMM_DEVICE_CLIENT_LENDING_H
#define TMM_DEVICE_CLIENT_LENDING_H

#include <linux/compiler_types.h>
#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/types.h>

struct theseus_mm_query;
struct tmm_client;
struct tmm_lender;
struct tmm_loan;
struct tmm_mapping_file;

/* A descriptor that lends a mapping. */
struct tmm_lending {
	struct tmm_client *client;	/* owns the mapping; a reference */
	u32 handle;
	struct tmm_mapping_file *mf;	/* the mapping's file; a reference */
	struct tmm_lender *lender;	/* the lender of the descriptor's loans */
	/* lends for reading only; Linux enforces this through the mode of the file */
	bool is_read_only;
};

/* The file's operations */
void tmm_lending_set_fops(const struct file_operations *fops);
int tmm_lending_release(struct inode *inode, struct file *file);
__poll_t tmm_lending_poll(struct file *file, poll_table *wait);

struct file * __must_check tmm_lending_create(struct tmm_client *client, u32 handle,
					      bool is_read_only);
bool tmm_lending_is(const struct file *file);
int __must_check tmm_lending_query(const struct tmm_lending *lending,
				   struct theseus_mm_query *query);
int __must_check tmm_lending_lend(const struct tmm_lending *lending, u64 offset, u64 nr_bytes,
				  bool is_mutable, struct tmm_loan *loan);

/* Find the mapping by the client, the handle and the file that a descriptor remembers. */
int __must_check tmm_lending_lend_object(struct tmm_client *client, u32 handle,
					 const struct tmm_mapping_file *mf, u64 offset,
					 u64 nr_bytes, bool is_mutable, struct tmm_loan *loan);
int __must_check tmm_lending_query_object(struct tmm_client *client, u32 handle,
					  const struct tmm_mapping_file *mf,
					  struct theseus_mm_query *query);

#endif /* TMM_DEVICE_CLIENT_LENDING_H */
