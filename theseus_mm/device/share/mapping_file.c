// SPDX-License-Identifier: GPL-2.0
#include "device/share/mapping_file.h"

#include "alloc/account.h"
#include "core/bug.h"
#include "core/compat.h"
#include "device/call/call.h"
#include "device/client/client.h"
#include "device/share/linger.h"
#include "device/show/fdinfo.h"
#include "mapping/mapped_pages.h"
#include "mapping/mapped_pages_borrow.h"
#include "mapping/mapped_pages_memory.h"

#include <kunit/visibility.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/poll.h>
#include <linux/pseudo_fs.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/stat.h>

/* "TMM1" */
#define FS_MAGIC 0x544d4d31

static DEFINE_SPINLOCK(files_lock);	/* files */
static LIST_HEAD(files);
static struct vfsmount *mount;

static int init_fs_context(struct fs_context *fc)
{
	return init_pseudo(fc, FS_MAGIC) ? 0 : -ENOMEM;
}

/* The inodes' file system. A file holds the module, and that the mount: so no .owner. */
static struct file_system_type fs_type = {
	.name = KBUILD_MODNAME,
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
	if (mf->exported)
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
	tmm_account_uncharge(mf->account, TMM_RESOURCE_HANDLES, 1);
	tmm_account_put(mf->account);
	kfree(mf);
	return 0;
}

/* As of a dma-buf or a memfd: how large is it? */
static loff_t llseek(struct file *file, loff_t offset, int whence)
{
	return fixed_size_llseek(file, offset, whence, i_size_read(file_inode(file)));
}

/* Does the file still own the mapping, and is what it lends unused? */
static __poll_t poll(struct file *file, poll_table *wait)
{
	struct tmm_mapping_file *mf = file->private_data;
	__poll_t events = 0;

	poll_wait(file, &mf->wait, wait);
	down_read(&mf->revoke_lock);
	if (!mf->exported)
		events = mf->descriptors.nr_loans ? 0 : EPOLLHUP | EPOLLERR;
	else if (list_empty(&mf->loans) && list_empty(&mf->lingering))
		events = EPOLLIN | EPOLLRDNORM;
	up_read(&mf->revoke_lock);
	return events;
}

/*
 * File operations for a mapping that a client owns: areas hold the file, but no descriptor
 * refers to it. Without ->mmap(), remap_file_pages() leaves such an area alone. msync() has
 * nothing to write back and succeeds, as for a memfd.
 */
static const struct file_operations fops = {
	.owner = THIS_MODULE,
	.release = release,
	.llseek = no_llseek,
	.fsync = noop_fsync,
};

static const struct file_operations export_fops = {
	.owner = THIS_MODULE,
	.release = release,
	.llseek = llseek,
	.fsync = noop_fsync,
	.poll = poll,
	.unlocked_ioctl = tmm_export_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = tmm_export_show_fdinfo,
	.mmap = tmm_export_mmap,
	.get_unmapped_area = tmm_export_get_unmapped_area,
};

static struct file *create_file(const struct file_operations *ops, int flags)
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
	file = alloc_file_pseudo(inode, mount, KBUILD_MODNAME, flags, ops);
	if (IS_ERR(file))
		iput(inode);
	return file;
}

/**
 * tmm_mapping_files_init() - mount the file system of all mapping files
 *
 * Return: 0 or the error of kern_mount()
 */
int __init tmm_mapping_files_init(void)
{
	mount = kern_mount(&fs_type);
	return PTR_ERR_OR_ZERO(mount);
}

/**
 * tmm_mapping_files_exit() - undo tmm_mapping_files_init()
 *
 * Context: Process context, may sleep. All files are gone, but the last may still be about
 *          to drop the mount: __fput() drops the module's reference before the mount's.
 */
void tmm_mapping_files_exit(void)
{
	mntget(mount);
	while (!may_umount(mount))
		usleep_range(1000, 2000);
	mntput(mount);
	kern_unmount(mount);
}

/**
 * tmm_mapping_files_open() - make a file with an inode of its own
 * @fops: the file's operations; ->release() has to be the last use of the file
 * @flags: O_RDWR or O_RDONLY: with the latter, Linux makes no area writable
 * @private_data: for @fops
 *
 * Context: Process context, may sleep.
 * Return: the file, the caller's to fput(), which holds the module; or an error pointer
 */
struct file *tmm_mapping_files_open(const struct file_operations *fops, int flags,
				    void *private_data)
{
	struct file *file = create_file(fops, flags);

	if (IS_ERR(file))
		return file;
	/* The device's file holds the module while this one is made. */
	__module_get(THIS_MODULE);
	file->private_data = private_data;
	return file;
}

/* Make a file for which nobody is charged yet. */
static struct tmm_mapping_file *create(const struct file_operations *ops, int flags)
{
	struct tmm_mapping_file *mf = kzalloc(sizeof(*mf), GFP_KERNEL_ACCOUNT);
	int err;

	if (!mf)
		return ERR_PTR(-ENOMEM);
	tmm_loans_init_file(mf);
	mf->file = tmm_mapping_files_open(ops, flags, mf);
	err = PTR_ERR_OR_ZERO(mf->file);
	if (err) {
		kfree(mf);
		return ERR_PTR(err);
	}
	spin_lock(&files_lock);
	list_add(&mf->link, &files);
	spin_unlock(&files_lock);
	return mf;
}

/**
 * tmm_mapping_file_create() - make a file for a mapping
 * @account: charged with a handle for the file until the file is gone, which may be later
 *           than all other handles of the client. Linux limits all files together, and no
 *           process's limit counts these.
 *
 * Context: Process context, may sleep.
 * Return: the file, with one reference of @file, the caller's to fput();
 * ERR_PTR(-EDQUOT) at the limit of handles; or another error pointer
 */
struct tmm_mapping_file *tmm_mapping_file_create(struct tmm_account *account)
{
	struct tmm_mapping_file *mf;
	int err = tmm_account_charge(account, TMM_RESOURCE_HANDLES, 1);

	if (err)
		return ERR_PTR(err);
	mf = create(&fops, O_RDWR);
	if (IS_ERR(mf))
		tmm_account_uncharge(account, TMM_RESOURCE_HANDLES, 1);
	else
		mf->account = tmm_account_get(account);
	return mf;
}

/**
 * tmm_mapping_file_create_exported() - make a file that will own its mapping
 * @is_read_only: a client that imports the mapping can never write to it
 *
 * tmm_mapping_file_export() names the account that is charged for the file.
 *
 * Context: Process context, may sleep.
 * Return: as tmm_mapping_file_create(), but for the limit
 */
struct tmm_mapping_file *tmm_mapping_file_create_exported(bool is_read_only)
{
	struct tmm_mapping_file *mf = create(&export_fops, is_read_only ? O_RDONLY : O_RDWR);

	if (!IS_ERR(mf))
		mf->is_read_only = is_read_only;
	return mf;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapping_file_create_exported);

/**
 * tmm_mapping_files_each() - call a function for all mapping files
 * @look: called for each without any lock held; the file stays for the call
 * @context: passed to @look
 *
 * A file that is made during the walk may be left out.
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
		/* A file without references is about to be freed. */
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
 * tmm_mapping_file_reserve() - reserve the number of an export
 * @mf: new, with no descriptor yet; frees the number when it is freed
 * @client: the client that exports
 *
 * Context: Process context, may sleep.
 * Return: 0, -ENOMEM, or -EDQUOT if all numbers are in use
 */
int tmm_mapping_file_reserve(struct tmm_mapping_file *mf, struct tmm_client *client)
{
	/* NULL reserves: storing the file later needs no memory. */
	int err = xa_alloc_cyclic(&client->exports, &mf->export_id, NULL, xa_limit_32b,
				  &client->next_export, GFP_KERNEL_ACCOUNT);

	if (err < 0)
		return err == -EBUSY ? -EDQUOT : err;
	kref_get(&client->identity.kref);
	mf->exporter = client;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapping_file_reserve);

/**
 * tmm_mapping_file_export() - let a file own its mapping
 * @mf: has a number, and no descriptor yet
 * @mapping: consumed; what its handle was charged with, the file is charged with from now on
 *
 * Context: Process context, may sleep. Cannot fail.
 */
void tmm_mapping_file_export(struct tmm_mapping_file *mf, struct tmm_mapped_pages **mapping)
{
	i_size_write(file_inode(mf->file), tmm_mapped_pages_nr_bytes(*mapping));
	mf->account = tmm_account_get(mf->exporter->account);
	/* Set the mapping first: once listed, others may look at the file. */
	mf->exported = *mapping;
	*mapping = NULL;
	atomic_inc(&mf->exporter->nr_exported);
	xa_store(&mf->exporter->exports, mf->export_id, mf, 0);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapping_file_export);

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
		if (mf->is_read_only) {
			query->attributes |= THESEUS_MM_ATTRIBUTE_READ_ONLY;
			query->pte_flags &= ~THESEUS_MM_PTE_WRITABLE;
		}
		if (tmm_mapped_pages_any_bad(mf->exported, 0, query->nr_pages))
			query->attributes |= THESEUS_MM_ATTRIBUTE_BAD;
		err = 0;
	}
	up_read(&mf->revoke_lock);
	return err;
}

/* Take the mapping out of its file, which becomes stale. The lock is held. */
static struct tmm_mapped_pages *disown(struct tmm_mapping_file *mf)
{
	struct tmm_mapped_pages *mapping = mf->exported;

	unlist(mf);
	WRITE_ONCE(mf->exported, NULL);
	/* A loan that is just being made sees the new generation and is refused. */
	WRITE_ONCE(mf->generation, mf->generation + 1);
	return mapping;
}

/* Charge the new owner. The mapping is not borrowed. */
static int hand_over(struct tmm_mapping_file *mf, struct tmm_account *account)
{
	const tmm_pte_flags_t flags = tmm_mapped_pages_flags(mf->exported);
	const bool seals = mf->is_read_only && !tmm_mapped_pages_is_sealed(mf->exported);
	int err = seals ? tmm_mapped_pages_seal(mf->exported) : 0;

	if (err)
		return err;
	err = tmm_mapped_pages_move_account(mf->exported, account);
	if (err && seals)
		tmm_mapped_pages_unseal(mf->exported, flags);
	return err;
}

/**
 * tmm_mapping_file_import() - take an exported mapping out of its file
 * @mf: its file; stale from then on
 * @account: charged for the mapping from then on
 * @mapping: set on success only; the caller's. The mapping of a read-only export is sealed.
 *
 * Context: Process context, may sleep. O(runs of frames); read-only, O(leaves).
 * Return: 0, -ESTALE if the file owns no mapping any more, -EBUSY while the mapping is
 * borrowed, or -EDQUOT if it exceeds a limit of @account
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
		err = hand_over(mf, account);
	if (!err)
		*mapping = disown(mf);
	up_write(&mf->revoke_lock);
	if (!err)
		wake_up_all(&mf->wait);
	return err;
}

/**
 * tmm_mapping_file_find_export() - find a mapping that a client exported
 * @client: the client
 * @export_id: number of the export
 *
 * Context: Process context.
 * Return: the mapping's file, with a reference; or NULL if there is none any more
 */
struct tmm_mapping_file *tmm_mapping_file_find_export(struct tmm_client *client, u32 export_id)
{
	struct tmm_mapping_file *mf;

	xa_lock(&client->exports);
	mf = xa_load(&client->exports, export_id);
	/* A listed file is not freed yet, but its last reference may be gone. */
	if (mf && !tmm_compat_get_file(mf->file))
		mf = NULL;
	xa_unlock(&client->exports);
	return mf;
}

/**
 * tmm_mapping_file_take_back() - give an exported mapping back to its exporter
 * @mf: the mapping's file, found in the exporter's own table, whose client is charged for
 *      the mapping already; stale from then on
 * @mapping: set on success only; the caller's. The mapping is as it was when it was
 *           exported, and in no process.
 *
 * Context: Process context, may sleep. As tmm_loans_revoke() and tmm_loans_settle().
 * Return: 0, or -ESTALE if somebody imported it
 */
int tmm_mapping_file_take_back(struct tmm_mapping_file *mf, struct tmm_mapped_pages **mapping)
{
	int err = -ESTALE;

	down_write(&mf->revoke_lock);
	if (mf->exported) {
		*mapping = disown(mf);
		tmm_loans_revoke(mf);
		err = 0;
	}
	up_write(&mf->revoke_lock);
	if (err)
		return err;
	tmm_loans_settle(mf);
	wake_up_all(&mf->wait);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapping_file_take_back);

/**
 * tmm_mapping_file_revoke_export() - take an exported mapping out of all processes
 * @mf: its file
 * @nr: set to the number of revoked loans, on success only
 * @nr_pinned: set as by tmm_mapping_file_revoke(), on success only
 *
 * Context: Process context, may sleep. As tmm_mapping_file_revoke().
 * Return: 0, or -ESTALE if the file no longer owns the mapping
 */
int tmm_mapping_file_revoke_export(struct tmm_mapping_file *mf, unsigned int *nr,
				   unsigned int *nr_pinned)
{
	int err = -ESTALE;

	down_write(&mf->revoke_lock);
	if (mf->exported) {
		*nr = tmm_loans_revoke(mf);
		err = 0;
	}
	up_write(&mf->revoke_lock);
	if (!err)
		*nr_pinned = tmm_loans_settle(mf);
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
 * Return: 0, -ESTALE if the file no longer owns the mapping, or an error of
 * tmm_borrow_begin()
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
EXPORT_SYMBOL_IF_KUNIT(tmm_mapping_file_lend);
