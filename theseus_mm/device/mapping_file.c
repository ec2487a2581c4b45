// SPDX-License-Identifier: GPL-2.0
#include "device/mapping_file.h"

#include "core/bug.h"
#include "core/compat.h"
#include "device/client.h"
#include "device/fdinfo.h"
#include "device/ioctl.h"
#include "mapping/mapped_pages.h"

#include <linux/delay.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mount.h>
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

/* Where the inodes come from. Files hold the module, which holds the mount: no owner. */
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
	return 0;
}

/* As of a dma-buf or a memfd: how large is it? */
static loff_t llseek(struct file *file, loff_t offset, int whence)
{
	return fixed_size_llseek(file, offset, whence, i_size_read(file_inode(file)));
}

/*
 * Of a mapping that a client owns: areas have it, nobody has a descriptor. Without
 * mmap(), remap_file_pages() leaves such an area alone. msync() has nothing to do, and
 * says so, as for a memfd.
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

/**
 * tmm_mapping_files_init() - make what all mapping files share
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
 * Context: Process context, may sleep. There are no files any more, but the last may be
 *          about to let go of the mount: __fput() gives the module back before it.
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
	tmm_loans_init_file(mf);
	mf->file = create_file(is_exported);
	err = PTR_ERR_OR_ZERO(mf->file);
	if (err)
		goto err_free;
	/* The device's file holds the module while this one is made. */
	__module_get(THIS_MODULE);
	mf->file->private_data = mf;
	spin_lock(&files_lock);
	list_add(&mf->link, &files);
	spin_unlock(&files_lock);
	return mf;

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
