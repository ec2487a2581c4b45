/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mapping files: the files through which processes mmap a mapping.
 *
 * Each mapping that is to be mmapped has a file of its own, with an inode of its
 * own, so that taking the mapping out of all processes touches no other mapping. Each
 * mmap() is a loan (device/share/loan.h).
 *
 * The file of an *exported* mapping has descriptors and owns the mapping, see
 * device/client/exports.h. Lending descriptors are in device/client/lending.h.
 *
 * Invariant: a mapping has at most one file that lends it.
 * Lock: @revoke_lock, see device/share/loan.h.
 * Owner: the file, which areas and the handle's object hold.
 */
#ifndef TMM_DEVICE_SHARE_MAPPING_FILE_H
#define TMM_DEVICE_SHARE_MAPPING_FILE_H

#include "device/share/lender.h"
#include "device/share/loan.h"

#include <linux/fs.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/poll.h>
#include <linux/rbtree.h>
#include <linux/rwsem.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

struct tmm_account;
struct tmm_client;
struct tmm_mapped_pages;

/**
 * struct tmm_mapping_file - a mapping as processes see it
 * @file: the mapping's file; this structure is freed with it
 * @account: charged with a handle for as long as @file exists
 * @link: in the list of all mapping files, which has a lock of its own
 * @revoke_lock: see device/share/loan.h; also protects all that follows
 * @loans: struct tmm_loan that are not revoked
 * @lingering: struct tmm_loan that linger; while there is one, @watch holds @file
 * @lingering_tree: the lingering loans, by their pages
 * @nr_lingering: number of lingering loans; can be read without the lock
 * @watch: work that checks whether lingering loans are still pinned
 * @is_watched: @watch is to run again
 * @watch_delay: jiffies until @watch runs again
 * @lent_first: first of the pages that loans have shown since there was no loan
 * @lent_end: page after the last of these
 * @is_in_pages: some of their struct pages name the file, until the last loan ends; set
 *               with the lock held for reading
 * @wait: poll() on descriptors; woken when a loan ends or a descriptor is stale
 * @generation: generation of lenders that are not stale; can be read without the lock
 * @owner: lends to the areas of the client that owns the mapping
 * @descriptors: lends through @file's descriptors, if it is exported
 * @is_read_only: a client that imports the mapping can never write to it; does not change
 * @exported: the mapping, if the file owns it; NULL if a client does
 * @exporter: the client whose @exports lists this file, with a reference; NULL if none
 * @export_id: number of the file in @exports
 */
struct tmm_mapping_file {
	struct file *file;
	struct tmm_account *account;
	struct list_head link;
	struct rw_semaphore revoke_lock;
	struct list_head loans;
	struct list_head lingering;
	struct rb_root_cached lingering_tree;
	unsigned int nr_lingering;
	struct delayed_work watch;
	bool is_watched;
	unsigned long watch_delay;
	u64 lent_first;
	u64 lent_end;
	bool is_in_pages;
	wait_queue_head_t wait;
	u64 generation;
	struct tmm_lender owner;
	struct tmm_lender descriptors;
	bool is_read_only;
	struct tmm_mapped_pages *exported;
	struct tmm_client *exporter;
	u32 export_id;
};

/* The file has no loans, except one that is just beginning or ending. */
static inline bool tmm_mapping_file_has_no_loan(const struct tmm_mapping_file *mf)
{
	lockdep_assert_held_write(&mf->revoke_lock);
	return list_empty(&mf->loans) && list_empty(&mf->lingering);
}

int __init tmm_mapping_files_init(void);
void tmm_mapping_files_exit(void);
void tmm_mapping_files_each(void (*look)(struct tmm_mapping_file *mf, void *context),
			    void *context);

struct file * __must_check tmm_mapping_files_open(const struct file_operations *fops, int flags,
						  void *private_data);
struct tmm_mapping_file * __must_check tmm_mapping_file_create(struct tmm_account *account);
struct tmm_mapping_file * __must_check
tmm_mapping_file_create_uncharged(const struct file_operations *ops, int flags);
int tmm_mapping_file_release(struct inode *inode, struct file *file);

#endif /* TMM_DEVICE_SHARE_MAPPING_FILE_H */
