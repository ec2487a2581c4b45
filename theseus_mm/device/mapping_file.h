/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mapping files: how a mapping gets into processes.
 *
 * Each mapping that is to be mmapped has a file of its own, with an inode of its
 * own, so that taking it out of all processes touches no other. Each mmap() is a
 * *loan*: a borrow that lasts until munmap() or exit, or until it is revoked.
 *
 *	mmap	borrow the mapping		-> the area's faults insert entries
 *	munmap	entries are gone, TLBs flushed	-> the borrow ends
 *	revoke	mark the loans, zap, flush	-> the borrows end; faults are SIGBUS
 *
 * Memory with struct pages can be pinned by I/O. A loan that ends while some of what
 * it showed is pinned *lingers*: it is revoked, but its borrow goes on until the last
 * pin is gone, which is looked for every now and then.
 *
 * Invariant: a loan that is not revoked, or lingers, holds a borrow, so what its
 * area shows, or I/O holds, cannot be changed or freed; a revoked one has no entry
 * in any process.
 *
 * An *exported* mapping's file has descriptors, and owns the mapping until somebody
 * imports it: the last descriptor and the last area gone, the mapping goes.
 *
 * Lock: @revoke_lock; a fault looks and inserts holding it for reading, so that
 * none inserts after a revocation has zapped. Order: mmap_lock, @revoke_lock,
 * i_mmap_rwsem, page-table locks.
 * Owner: the file, which areas and the handle's object hold.
 */
#ifndef TMM_DEVICE_MAPPING_FILE_H
#define TMM_DEVICE_MAPPING_FILE_H

#include "mapping/borrow.h"

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/rwsem.h>
#include <linux/workqueue.h>

/* An offset for mmap() is a cookie and, below it, a page of the mapping. */
#define TMM_COOKIE_SHIFT	31
#define TMM_MAX_COOKIE		((1U << 20) - 1)

struct file;
struct mm_struct;
struct tmm_account;
struct tmm_client;
struct theseus_mm_query;
struct tmm_mapped_pages;
struct vm_area_struct;

/**
 * struct tmm_mapping_file - a mapping as processes see it
 * @file: its file; the structure goes with it
 * @link: in the list of all, which has a lock of its own
 * @revoke_lock: see above; also protects all that follows
 * @loans: struct tmm_loan that are not revoked
 * @lingering: struct tmm_loan that linger; while there is one, @watch holds @file
 * @nr_lingering: how many; can be read without the lock
 * @watch: looks whether they are still pinned
 * @watch_delay: jiffies until it looks again
 * @exported: the mapping, if the file owns it; NULL if a client does
 * @exporter: the client in whose @exports it is, with a reference; NULL if it is in none
 * @export_id: its number there
 */
struct tmm_mapping_file {
	struct file *file;
	struct list_head link;
	struct rw_semaphore revoke_lock;
	struct list_head loans;
	struct list_head lingering;
	unsigned int nr_lingering;
	struct delayed_work watch;
	unsigned long watch_delay;
	struct tmm_mapped_pages *exported;
	struct tmm_client *exporter;
	u32 export_id;
};

/**
 * struct tmm_loan - a part of a mapping in a process
 * @kref: areas: one mmap() becomes several by munmap() or mprotect() of a part; and
 *        one while it lingers
 * @mf: the mapping's file
 * @mm: the areas'; to be compared only; NULL if they may be in any process
 * @borrow: the right to it; ended if @is_revoked, unless it lingers
 * @link: in one of @mf's lists; protected by its lock, as @is_revoked
 * @is_revoked: nothing may be seen through it any more
 * @has_struct_pages: what it shows can be pinned
 * @was_shown: there have been entries, so there may be pins
 * @nr_uses: devices that have its addresses: pins as well; protected by @mf's lock
 */
struct tmm_loan {
	struct kref kref;
	struct tmm_mapping_file *mf;
	struct mm_struct *mm;
	struct tmm_borrow borrow;
	struct list_head link;
	bool is_revoked;
	bool has_struct_pages;
	bool was_shown;
	unsigned int nr_uses;
};

int __init tmm_mapping_files_init(void);
void tmm_mapping_files_exit(void);
bool tmm_mapping_files_quarantine(void);
void tmm_mapping_files_each(void (*look)(struct tmm_mapping_file *mf, void *context),
			    void *context);

struct tmm_mapping_file * __must_check tmm_mapping_file_create(bool is_exported);
unsigned int tmm_mapping_file_revoke(struct tmm_mapping_file *mf, unsigned int *nr_pinned);
bool tmm_mapping_file_only_lingers(struct tmm_mapping_file *mf, const struct tmm_mapped_pages *mp);
struct tmm_loan * __must_check tmm_loan_create(void);
void tmm_loan_prepare(struct tmm_loan *loan, struct mm_struct *mm);
void tmm_loan_begin(struct tmm_loan *loan, struct tmm_mapping_file *mf);
void tmm_loan_put(struct tmm_loan *loan);
bool tmm_loan_is_revoked(const struct tmm_loan *loan);
int __must_check tmm_loan_use(struct tmm_loan *loan);
void tmm_loan_unuse(struct tmm_loan *loan);

/* Exported mappings */
int __must_check tmm_mapping_file_export(struct tmm_mapping_file *mf, struct tmm_client *client,
					 struct tmm_mapped_pages **mapping);
struct tmm_mapping_file *tmm_mapping_file_of(struct file *file);
bool tmm_mapping_file_is_stale(const struct tmm_mapping_file *mf);
int __must_check tmm_mapping_file_query(struct tmm_mapping_file *mf,
					struct theseus_mm_query *query);
int __must_check tmm_mapping_file_import(struct tmm_mapping_file *mf, struct tmm_account *account,
					 struct tmm_mapped_pages **mapping);
int __must_check tmm_mapping_file_lend(struct tmm_mapping_file *mf, u64 offset, u64 nr_bytes,
				       bool is_mutable, struct tmm_loan *loan);

/* vma.c */
int __must_check tmm_vma_check(const struct vm_area_struct *vma, const struct tmm_mapped_pages *mp);
void tmm_vma_set_up(struct vm_area_struct *vma, struct tmm_loan *loan);

#endif /* TMM_DEVICE_MAPPING_FILE_H */
