// SPDX-License-Identifier: GPL-2.0
#include "device/share/mapping_file.h"

#include "alloc/account.h"
#include "core/bug.h"
#include "core/compat.h"
#include "device/share/loan.h"
#include "mapping/mapped_pages.h"
#include "mapping/mapped_pages_borrow.h"
#include "mapping/mapped_pages_memory.h"

#include <linux/delay.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
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

/* The inodes' file system. A file holds the module, and that the mount: so no .owner. */
static struct file_system_type fs_type = {
	.name = KBUILD_MODNAME,
	.init_fs_context = init_fs_context,
	.kill_sb = kill_anon_super,
};

/* Free the structure with its file. */
int tmm_mapping_file_release(struct inode *inode, struct file *file)
{
	struct tmm_mapping_file *mf = file->private_data;

	TMM_BUG_IF(!list_empty(&mf->loans) || !list_empty(&mf->lingering));
	spin_lock(&files_lock);
	list_del(&mf->link);
	spin_unlock(&files_lock);
	tmm_mapped_pages_drop(&mf->exported);
	tmm_account_uncharge(mf->account, TMM_RESOURCE_HANDLES, 1);
	tmm_account_put(mf->account);
	kfree(mf);
	return 0;
}

/*
 * File operations for a mapping that a client owns: areas hold the file, but no descriptor
 * refers to it. Without ->mmap(), remap_file_pages() leaves such an area alone. msync() has
 * nothing to write back and succeeds, as for a memfd.
 */
static const struct file_operations fops = {
	.owner = THIS_MODULE,
	.release = tmm_mapping_file_release,
	.llseek = no_llseek,
	.fsync = noop_fsync,
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
struct tmm_mapping_file *tmm_mapping_file_create_uncharged(const struct file_operations *ops,
							   int flags)
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
	mf = tmm_mapping_file_create_uncharged(&fops, O_RDWR);
	if (IS_ERR(mf))
		tmm_account_uncharge(account, TMM_RESOURCE_HANDLES, 1);
	else
		mf->account = tmm_account_get(account);
	return mf;
}

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
