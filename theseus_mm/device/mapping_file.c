// SPDX-License-Identifier: GPL-2.0
#include "device/mapping_file.h"

#include "core/bug.h"
#include "core/compat.h"
#include "device/client.h"
#include "device/fdinfo.h"
#include "device/ioctl.h"
#include "mapping/mapped_pages.h"
#include "observe/trace.h"

#include <kunit/visibility.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/stat.h>
#include <linux/workqueue.h>

/* "TMM1" */
#define FS_MAGIC 0x544d4d31

/* How soon, and how seldom, to look whether a lingering loan is still pinned. */
#define WATCH_FIRST	msecs_to_jiffies(50)
#define WATCH_LAST	msecs_to_jiffies(1000)

/*
 * A device that VFIO programs keeps the numbers of frames it found in an area of
 * memory without struct pages, and holds nothing that could be asked.
 */
static bool quarantine;
module_param(quarantine, bool, 0400);
MODULE_PARM_DESC(quarantine, "give memory that was mmapped to nobody else until the module is unloaded (default off)");

static struct workqueue_struct *watchers;
static DEFINE_SPINLOCK(files_lock);	/* files */
static LIST_HEAD(files);
static struct vfsmount *mount;
static int nr_pins;

static int init_fs_context(struct fs_context *fc)
{
	return init_pseudo(fc, FS_MAGIC) ? 0 : -ENOMEM;
}

/*
 * Where the inodes come from; it is there while a mapping file is, since it holds
 * the module.
 */
static struct file_system_type fs_type = {
	.name = KBUILD_MODNAME,
	.owner = THIS_MODULE,
	.init_fs_context = init_fs_context,
	.kill_sb = kill_anon_super,
};

/* What is not listed any more can go, or go to somebody else. */
static void unlist(struct tmm_mapping_file *mf)
{
	struct tmm_client *client = mf->exporter;

	if (!client)
		return;
	mf->exporter = NULL;
	xa_erase(&client->exports, mf->export_id);
	atomic_dec(&client->nr_exported);
	tmm_client_put(client);
}

static int release(struct inode *inode, struct file *file)
{
	struct tmm_mapping_file *mf = file->private_data;

	TMM_BUG_IF(!list_empty(&mf->loans) || !list_empty(&mf->lingering));
	spin_lock(&files_lock);
	list_del(&mf->link);
	spin_unlock(&files_lock);
	unlist(mf);
	tmm_mapped_pages_drop(&mf->exported);
	kfree(mf);
	simple_release_fs(&mount, &nr_pins);
	return 0;
}

/* As of a dma-buf or a memfd: how large is it? */
static loff_t llseek(struct file *file, loff_t offset, int whence)
{
	return fixed_size_llseek(file, offset, whence, i_size_read(file_inode(file)));
}

/*
 * Of a mapping that a client owns: areas have it, nobody has a descriptor. Without
 * mmap(), remap_file_pages() leaves such an area alone.
 */
static const struct file_operations fops = {
	.owner = THIS_MODULE,
	.release = release,
	.llseek = no_llseek,
};

static const struct file_operations export_fops = {
	.owner = THIS_MODULE,
	.release = release,
	.llseek = llseek,
	.unlocked_ioctl = tmm_export_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = tmm_export_show_fdinfo,
	.mmap = tmm_export_mmap,
	.get_unmapped_area = tmm_export_get_unmapped_area,
};

static struct file *create_file(bool is_exported)
{
	struct inode *inode = alloc_anon_inode(mount->mnt_sb);
	struct file *file;

	if (IS_ERR(inode))
		return ERR_CAST(inode);
	/*
	 * Linux asks for entries of 2 MiB and 1 GiB only where it sees DAX, and lets
	 * RDMA and VFIO pin DAX memory only where it belongs to a character device.
	 */
	inode->i_flags |= S_DAX;
	inode->i_mode |= S_IFCHR;
	file = alloc_file_pseudo(inode, mount, KBUILD_MODNAME, O_RDWR,
				 is_exported ? &export_fops : &fops);
	if (IS_ERR(file))
		iput(inode);
	return file;
}

/*
 * No area shows it any more, nor is it pinned. The last loan of a dropped mapping
 * takes it with it.
 */
static void end(struct tmm_loan *loan)
{
	tmm_borrow_mark_dirty(&loan->borrow);
	tmm_borrow_end(&loan->borrow);
}

static bool is_pinned(const struct tmm_loan *loan)
{
	if (loan->nr_uses)
		return true;
	return loan->has_struct_pages && READ_ONCE(loan->was_shown) &&
	       tmm_borrow_is_pinned(&loan->borrow);
}

static void destroy(struct kref *kref);

/* Let those go that are pinned no more. They are moved to @ended, with their references. */
static void end_unpinned(struct tmm_mapping_file *mf, struct list_head *ended)
{
	struct tmm_loan *loan, *next;

	lockdep_assert_held_write(&mf->revoke_lock);
	list_for_each_entry_safe(loan, next, &mf->lingering, link) {
		if (is_pinned(loan))
			continue;
		list_move_tail(&loan->link, ended);
		WRITE_ONCE(mf->nr_lingering, mf->nr_lingering - 1);
		end(loan);
		cond_resched();
	}
}

static void watch(struct work_struct *work)
{
	struct tmm_mapping_file *mf = container_of(to_delayed_work(work), struct tmm_mapping_file,
						   watch);
	struct tmm_loan *loan, *next;
	LIST_HEAD(ended);
	bool is_done;

	down_write(&mf->revoke_lock);
	end_unpinned(mf, &ended);
	is_done = list_empty(&mf->lingering);
	if (!is_done) {
		mf->watch_delay = min(2 * mf->watch_delay, WATCH_LAST);
		queue_delayed_work(watchers, &mf->watch, mf->watch_delay);
	}
	up_write(&mf->revoke_lock);
	list_for_each_entry_safe(loan, next, &ended, link)
		kref_put(&loan->kref, destroy);
	if (is_done)
		fput(mf->file);
}

/* It takes over a reference of the loan. */
static void linger(struct tmm_loan *loan)
{
	struct tmm_mapping_file *mf = loan->mf;

	lockdep_assert_held_write(&mf->revoke_lock);
	if (list_empty(&mf->lingering)) {
		get_file(mf->file);
		mf->watch_delay = WATCH_FIRST;
		queue_delayed_work(watchers, &mf->watch, mf->watch_delay);
	}
	list_add_tail(&loan->link, &mf->lingering);
	WRITE_ONCE(mf->nr_lingering, mf->nr_lingering + 1);
}

/**
 * tmm_mapping_files_init() - make what all mapping files share
 *
 * Return: 0 or -ENOMEM
 */
int __init tmm_mapping_files_init(void)
{
	watchers = alloc_workqueue(KBUILD_MODNAME, WQ_UNBOUND, 0);
	return watchers ? 0 : -ENOMEM;
}

/**
 * tmm_mapping_files_quarantine() - does what was mmapped go to nobody else?
 *
 * Return: the module parameter
 */
bool tmm_mapping_files_quarantine(void)
{
	return quarantine;
}

/**
 * tmm_mapping_files_exit() - undo tmm_mapping_files_init()
 *
 * Context: Process context, may sleep. There are no files any more.
 */
void tmm_mapping_files_exit(void)
{
	destroy_workqueue(watchers);
}

/**
 * tmm_mapping_file_create() - a file for a mapping
 * @is_exported: it is to own the mapping, and to have descriptors
 *
 * Context: Process context, may sleep.
 * Return: the file, with one reference of @file, the caller's to fput(); or an
 * error pointer
 */
struct tmm_mapping_file *tmm_mapping_file_create(bool is_exported)
{
	struct tmm_mapping_file *mf = kzalloc(sizeof(*mf), GFP_KERNEL_ACCOUNT);
	int err;

	if (!mf)
		return ERR_PTR(-ENOMEM);
	init_rwsem(&mf->revoke_lock);
	INIT_LIST_HEAD(&mf->loans);
	INIT_LIST_HEAD(&mf->lingering);
	INIT_DELAYED_WORK(&mf->watch, watch);
	err = simple_pin_fs(&fs_type, &mount, &nr_pins);
	if (err)
		goto err_free;
	mf->file = create_file(is_exported);
	err = PTR_ERR_OR_ZERO(mf->file);
	if (err)
		goto err_release_fs;
	/* The device's file holds the module while this one is made. */
	__module_get(THIS_MODULE);
	mf->file->private_data = mf;
	spin_lock(&files_lock);
	list_add(&mf->link, &files);
	spin_unlock(&files_lock);
	return mf;

err_release_fs:
	simple_release_fs(&mount, &nr_pins);
err_free:
	kfree(mf);
	return ERR_PTR(err);
}

/**
 * tmm_mapping_files_each() - look at all mapping files
 * @look: called for each, without any lock; the file stays meanwhile
 * @context: the caller's
 *
 * A file that is made meanwhile is left out, or not.
 *
 * Context: Process context, may sleep. O(files).
 */
void tmm_mapping_files_each(void (*look)(struct tmm_mapping_file *mf, void *context),
			    void *context)
{
	struct tmm_mapping_file *mf;
	struct file *last = NULL;

	spin_lock(&files_lock);
	list_for_each_entry(mf, &files, link) {
		/* Without a reference left, it is at its end. */
		if (!tmm_compat_get_file(mf->file))
			continue;
		spin_unlock(&files_lock);
		if (last)
			fput(last);
		last = mf->file;
		look(mf, context);
		cond_resched();
		spin_lock(&files_lock);
	}
	spin_unlock(&files_lock);
	if (last)
		fput(last);
}

/**
 * tmm_loan_create() - a loan of nothing yet
 *
 * Context: Process context, may sleep.
 * Return: the loan: @borrow is to be begun, then tmm_loan_prepare() and
 * tmm_loan_begin(); or NULL if the kernel heap is exhausted
 */
struct tmm_loan *tmm_loan_create(void)
{
	struct tmm_loan *loan = kzalloc(sizeof(*loan), GFP_KERNEL_ACCOUNT);

	if (loan)
		kref_init(&loan->kref);
	return loan;
}

/**
 * tmm_loan_prepare() - learn what a loan needs to know of its borrow
 * @loan: has a borrow
 * @mm: whose areas will show it
 *
 * Context: Process context, may sleep. O(runs of frames).
 */
void tmm_loan_prepare(struct tmm_loan *loan, struct mm_struct *mm)
{
	loan->mm = mm;
	if (quarantine)
		tmm_mapped_pages_taint(loan->borrow.mp);
	loan->has_struct_pages = tmm_mapped_pages_have_struct_pages(loan->borrow.mp);
}

/**
 * tmm_loan_begin() - let a loan be revoked
 * @loan: prepared; nobody but the area's faults and munmap() looks at it any more
 * @mf: the file of the mapping that is borrowed
 *
 * Context: Process context, may sleep.
 */
void tmm_loan_begin(struct tmm_loan *loan, struct tmm_mapping_file *mf)
{
	unsigned int nr_pinned;
	bool is_closed;

	loan->mf = mf;
	down_write(&mf->revoke_lock);
	list_add_tail(&loan->link, &mf->loans);
	is_closed = tmm_mapped_pages_is_closed(loan->borrow.mp);
	up_write(&mf->revoke_lock);
	/* Whoever closed it may have looked at this file before. */
	if (is_closed)
		tmm_mapping_file_revoke(mf, &nr_pinned);
}

/* Return: whether it lingers, and is not to be freed */
static bool end_or_linger(struct tmm_loan *loan)
{
	struct tmm_mapping_file *mf = loan->mf;
	bool is_kept = false;

	down_write(&mf->revoke_lock);
	if (!loan->is_revoked) {
		list_del(&loan->link);
		WRITE_ONCE(loan->is_revoked, true);
		is_kept = is_pinned(loan);
		if (is_kept) {
			kref_init(&loan->kref);
			linger(loan);
		} else {
			end(loan);
		}
	}
	up_write(&mf->revoke_lock);
	return is_kept;
}

/* No area has it, nor does it linger. */
static void destroy(struct kref *kref)
{
	struct tmm_loan *loan = container_of(kref, struct tmm_loan, kref);

	if (!end_or_linger(loan))
		kfree(loan);
}

/**
 * tmm_loan_put() - an area is gone
 * @loan: the area's; its entries are cleared and flushed
 *
 * Context: Process context, may sleep; under mmap_lock.
 */
void tmm_loan_put(struct tmm_loan *loan)
{
	kref_put(&loan->kref, destroy);
}

/**
 * tmm_loan_is_revoked() - may nothing be seen through it any more?
 * @loan: the loan; the caller has a reference
 *
 * Return: true once it is so; it stays so
 */
bool tmm_loan_is_revoked(const struct tmm_loan *loan)
{
	return READ_ONCE(loan->is_revoked);
}

/**
 * tmm_loan_use() - let a device have the addresses of what is lent
 * @loan: the loan; the caller has a reference
 *
 * Context: Process context, may sleep.
 * Return: 0, the borrow does not end before tmm_loan_unuse(); or -ENODEV if it is
 * revoked
 */
int tmm_loan_use(struct tmm_loan *loan)
{
	int err = 0;

	down_write(&loan->mf->revoke_lock);
	if (loan->is_revoked)
		err = -ENODEV;
	else
		loan->nr_uses++;
	up_write(&loan->mf->revoke_lock);
	return err;
}

/**
 * tmm_loan_unuse() - the device has forgotten them
 * @loan: from tmm_loan_use()
 *
 * Context: Process context, may sleep.
 */
void tmm_loan_unuse(struct tmm_loan *loan)
{
	down_write(&loan->mf->revoke_lock);
	loan->nr_uses--;
	up_write(&loan->mf->revoke_lock);
}

/**
 * tmm_mapping_file_revoke() - take a mapping out of all processes
 * @mf: its file
 * @nr_pinned: set to how many borrows, of these or of earlier ones, have not ended,
 *             because I/O still holds some of their memory
 *
 * When this returns, no process can reach the mapping's memory, and all borrows
 * by mmap() but those have ended. Areas stay; touching them is SIGBUS.
 *
 * Context: Process context, may sleep. O(entries in processes).
 * Return: how many loans there were
 */
unsigned int tmm_mapping_file_revoke(struct tmm_mapping_file *mf, unsigned int *nr_pinned)
{
	struct tmm_loan *loan, *next;
	unsigned int nr = 0;

	down_write(&mf->revoke_lock);
	unmap_mapping_range(mf->file->f_mapping, 0, 0, 1);
	list_for_each_entry_safe(loan, next, &mf->loans, link) {
		list_del(&loan->link);
		WRITE_ONCE(loan->is_revoked, true);
		trace_tmm_revoke(tmm_mapped_pages_range(loan->borrow.mp).r.first,
				 loan->borrow.offset, loan->borrow.nr_bytes,
				 loan->borrow.is_mutable);
		if (is_pinned(loan)) {
			kref_get(&loan->kref);
			linger(loan);
		} else {
			end(loan);
		}
		nr++;
	}
	*nr_pinned = mf->nr_lingering;
	up_write(&mf->revoke_lock);
	return nr;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapping_file_revoke);

/**
 * tmm_mapping_file_only_lingers() - is I/O all that keeps a mapping borrowed?
 * @mf: its file
 * @mp: the mapping; nobody can begin a borrow of it
 *
 * Context: Process context, may sleep.
 * Return: true if all its borrows are lingering loans
 */
bool tmm_mapping_file_only_lingers(struct tmm_mapping_file *mf, const struct tmm_mapped_pages *mp)
{
	bool only;

	down_read(&mf->revoke_lock);
	only = tmm_mapped_pages_nr_borrows(mp) == mf->nr_lingering;
	up_read(&mf->revoke_lock);
	return only;
}

/**
 * tmm_mapping_file_of() - is this an exported mapping?
 * @file: any file
 *
 * Return: the mapping's file, or NULL
 */
struct tmm_mapping_file *tmm_mapping_file_of(struct file *file)
{
	return file->f_op == &export_fops ? file->private_data : NULL;
}

/**
 * tmm_mapping_file_export() - let a file own its mapping
 * @mf: new, with no descriptor yet
 * @client: lists it until it goes or somebody imports it
 * @mapping: consumed on success
 *
 * Context: Process context, may sleep.
 * Return: 0 or -ENOMEM
 */
int tmm_mapping_file_export(struct tmm_mapping_file *mf, struct tmm_client *client,
			    struct tmm_mapped_pages **mapping)
{
	int err;

	/* It may be looked at as soon as it is listed. */
	mf->exported = *mapping;
	err = xa_alloc(&client->exports, &mf->export_id, mf, xa_limit_32b, GFP_KERNEL_ACCOUNT);
	if (err) {
		mf->exported = NULL;
		return err;
	}
	kref_get(&client->identity.kref);
	mf->exporter = client;
	atomic_inc(&client->nr_exported);
	i_size_write(file_inode(mf->file), tmm_mapped_pages_nr_bytes(*mapping));
	*mapping = NULL;
	return 0;
}

/**
 * tmm_mapping_file_is_stale() - has the mapping been imported?
 * @mf: the file of an exported mapping
 *
 * Return: true from the import on
 */
bool tmm_mapping_file_is_stale(const struct tmm_mapping_file *mf)
{
	return !READ_ONCE(mf->exported);
}

/**
 * tmm_mapping_file_query() - describe an exported mapping
 * @mf: its file
 * @query: out fields are filled in on success only
 *
 * Context: Process context, may sleep.
 * Return: 0, or -ESTALE if it was imported
 */
int tmm_mapping_file_query(struct tmm_mapping_file *mf, struct theseus_mm_query *query)
{
	int err = -ESTALE;

	down_read(&mf->revoke_lock);
	if (mf->exported) {
		tmm_mapping_describe(mf->exported, query);
		if (mf->nr_lingering)
			query->attributes |= THESEUS_MM_ATTRIBUTE_PINNED;
		err = 0;
	}
	up_read(&mf->revoke_lock);
	return err;
}

/**
 * tmm_mapping_file_import() - take an exported mapping out of its file
 * @mf: its file; stale from then on
 * @account: charged for it from then on
 * @mapping: set on success only; the caller's
 *
 * Context: Process context, may sleep.
 * Return: 0, -ESTALE if somebody was faster, -EBUSY while it is borrowed, or -EDQUOT
 * if it is too much for @account
 */
int tmm_mapping_file_import(struct tmm_mapping_file *mf, struct tmm_account *account,
			    struct tmm_mapped_pages **mapping)
{
	int err;

	down_write(&mf->revoke_lock);
	if (!mf->exported)
		err = -ESTALE;
	else if (tmm_mapped_pages_is_borrowed(mf->exported))
		err = -EBUSY;
	else
		err = tmm_mapped_pages_move_account(mf->exported, account);
	if (!err) {
		unlist(mf);
		*mapping = mf->exported;
		WRITE_ONCE(mf->exported, NULL);
	}
	up_write(&mf->revoke_lock);
	return err;
}

/**
 * tmm_mapping_file_lend() - borrow a part of an exported mapping for a process
 * @mf: its file
 * @offset: bytes from the mapping's start
 * @nr_bytes: length of the part
 * @is_mutable: ask to write
 * @loan: gets the borrow, on success only
 *
 * Context: Process context, may sleep; under mmap_lock.
 * Return: 0, -ESTALE if it was imported, or an error of tmm_borrow_begin()
 */
int tmm_mapping_file_lend(struct tmm_mapping_file *mf, u64 offset, u64 nr_bytes, bool is_mutable,
			  struct tmm_loan *loan)
{
	int err = -ESTALE;

	down_read(&mf->revoke_lock);
	if (mf->exported)
		err = tmm_borrow_begin(mf->exported, offset, nr_bytes, is_mutable, &loan->borrow);
	up_read(&mf->revoke_lock);
	return err;
}
