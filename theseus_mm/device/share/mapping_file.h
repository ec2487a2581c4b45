/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mapping files: the files through which processes mmap a mapping.
 *
 * Each mapping that processes can mmap has its own file and its own inode. So a revocation of
 * the mapping touches no other mapping. Each mmap() is a loan (device/share/loan.h).
 *
 * The layers above decide who owns the mapping, and whether descriptors refer to the file.
 *
 * Invariant: a mapping has at most one file that lends the mapping. A mapping file exists until
 * Linux calls ->release() of its file.
 * Lock: @revoke_lock, see device/share/loan.h.
 * Owner: the file, which the areas and the owner of the mapping hold.
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

/* A mapping as processes see it. */
struct tmm_mapping_file {
	struct file *file;	/* its ->release() frees this structure */
	struct tmm_account *account;	/* charged with a handle while @file exists */
	void *owner_data;	/* for the layer above, under a lock of that layer; first NULL */
	struct list_head link;	/* in the list of all mapping files, under the lock of that list */
	/*
	 * held for reading while mmap() of a descriptor borrows the mapping and begins the loan;
	 * see tmm_loans_wait_for_mmap()
	 */
	struct rw_semaphore lend_lock;
	/* see device/share/loan.h; also protects all fields below */
	struct rw_semaphore revoke_lock;
	struct list_head loans;	/* struct tmm_loan that are not revoked */
	/* struct tmm_loan that linger; while one lingers, @watch holds @file */
	struct list_head lingering;
	struct rb_root_cached lingering_tree;	/* the lingering loans, by their pages */
	unsigned int nr_lingering;	/* can be read without the lock */
	struct delayed_work watch;	/* checks whether lingering loans are still pinned */
	bool is_watched;	/* @watch will run again */
	unsigned long watch_delay;	/* jiffies until @watch runs again */
	u64 lent_first;	/* first page that was lent since the file last had no loan */
	u64 lent_end;	/* page after the last such page */
	/*
	 * some struct pages of the lent pages refer to the file, until the last loan ends; set
	 * with the lock held for reading
	 */
	bool is_in_pages;
	/* poll() on descriptors; woken when a loan ends or a descriptor becomes stale */
	wait_queue_head_t wait;
	u64 generation;	/* lenders of another generation are stale; can be read without the lock */
	struct tmm_lender owner;	/* lender of loans that use no descriptor */
};

/* True if the file has no loans, except a loan that is just beginning or ending. */
static inline bool tmm_mapping_file_has_no_loan(const struct tmm_mapping_file *mf)
{
	lockdep_assert_held(&mf->revoke_lock);
	return list_empty(&mf->loans) && list_empty(&mf->lingering);
}

int __init tmm_mapping_files_init(void);
void tmm_mapping_files_exit(void);
void tmm_mapping_files_each(void (*look)(struct tmm_mapping_file *mf, void *context),
			    void *context);

struct file * __must_check tmm_mapping_files_open(const struct file_operations *fops, int flags,
						  void *private_data);
struct tmm_mapping_file * __must_check tmm_mapping_file_create(struct tmm_account *account);
int __must_check tmm_mapping_file_init(struct tmm_mapping_file *mf,
				       const struct file_operations *ops, int flags,
				       void *private_data);
void tmm_mapping_file_destroy(struct tmm_mapping_file *mf);

#endif /* TMM_DEVICE_SHARE_MAPPING_FILE_H */
