// SPDX-License-Identifier: GPL-2.0
#include "device/share/mapping_file.h"

#include "alloc/account.h"
#include "core/bug.h"
#include "core/compat.h"
#include "device/share/loan.h"

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

/*
 * The file system of the inodes. A file holds the module, and the module holds the mount, so
 * .owner is not set.
 */
static struct file_system_type fs_type = {
	.name = KBUILD_MODNAME,
	.init_fs_context = init_fs_context,
	.kill_sb = kill_anon_super,
};

static int release_file(struct inode *inode, struct file *file)
{
	struct tmm_mapping_file *mf = file->private_data;

	tmm_mapping_file_destroy(mf);
	kfree(mf);
	return 0;
}

/*
 * File operations of a file that has no descriptors; areas hold the file. Without ->mmap(),
 * remap_file_pages() leaves such an area alone. msync() has nothing to write back and succeeds,
 * as for a memfd.
 */
static const struct file_operations fops = {
	.owner = THIS_MODULE,
	.release = release_file,
	.fsync = noop_fsync,
};

static struct file *create_file(const struct file_operations *ops, int flags)
{
	struct inode *inode = alloc_anon_inode(mount->mnt_sb);
	struct file *file;

	if (IS_ERR(inode))
		return ERR_CAST(inode);
	/* Linux lets RDMA and VFIO pin DAX memory only if the file is a character device. */
	inode->i_flags |= tmm_compat_inode_flags();
	inode->i_mode |= S_IFCHR;
	file = alloc_file_pseudo(inode, mount, KBUILD_MODNAME, flags, ops);
	if (IS_ERR(file))
		iput(inode);
	return file;
}

/* Mount the file system of all mapping files. */
int __init tmm_mapping_files_init(void)
{
	mount = kern_mount(&fs_type);
	return PTR_ERR_OR_ZERO(mount);
}

/*
 * Undo tmm_mapping_files_init() once all files are gone; may sleep. The last file may still be
 * about to drop the mount, because __fput() drops the module's reference before the mount's.
 */
void tmm_mapping_files_exit(void)
{
	mntget(mount);
	while (!may_umount(mount))
		usleep_range(1000, 2000);
	mntput(mount);
	kern_unmount(mount);
}

/*
 * Make a file with an inode of its own; may sleep. The file holds the module, so ->release()
 * has to be the last use of the file. With O_RDONLY, Linux makes no area of the file writable.
 * The caller calls fput().
 */
struct file *tmm_mapping_files_open(const struct file_operations *fops, int flags,
				    void *private_data)
{
	struct file *file = create_file(fops, flags);

	if (IS_ERR(file))
		return file;
	/* The device's file holds the module while the new file is made. */
	__module_get(THIS_MODULE);
	file->private_data = private_data;
	return file;
}

/*
 * Make the file of @mf, which is zeroed and charges no account; may sleep. @ops->release() calls
 * tmm_mapping_file_destroy() and then frees @mf. On an error, the caller frees @mf.
 */
int tmm_mapping_file_init(struct tmm_mapping_file *mf, const struct file_operations *ops, int flags,
			  void *private_data)
{
	tmm_loans_init_file(mf);
	mf->file = tmm_mapping_files_open(ops, flags, private_data);
	if (IS_ERR(mf->file))
		return PTR_ERR(mf->file);
	spin_lock(&files_lock);
	list_add(&mf->link, &files);
	spin_unlock(&files_lock);
	return 0;
}

/* End the use of @mf, because its file is being freed. The caller then frees @mf. May sleep. */
void tmm_mapping_file_destroy(struct tmm_mapping_file *mf)
{
	TMM_BUG_IF(!list_empty(&mf->loans) || !list_empty(&mf->lingering));
	spin_lock(&files_lock);
	list_del(&mf->link);
	spin_unlock(&files_lock);
	tmm_account_uncharge(mf->account, TMM_RESOURCE_HANDLES, 1);
	tmm_account_put(mf->account);
}

/*
 * Make a mapping file without descriptors; may sleep. @account is charged with a handle until
 * the file is gone, which may be after all handles of the account are gone. The charge is needed
 * because Linux limits only all files together, and no limit of a process counts these files.
 *
 * The caller gets one reference of @file and calls fput(). The result is ERR_PTR(-EDQUOT) at
 * the limit of handles.
 */
struct tmm_mapping_file *tmm_mapping_file_create(struct tmm_account *account)
{
	struct tmm_mapping_file *mf;
	int err;

	err = tmm_account_charge(account, TMM_RESOURCE_HANDLES, 1);
	if (err)
		return ERR_PTR(err);
	err = -ENOMEM;
	mf = kzalloc(sizeof(*mf), GFP_KERNEL_ACCOUNT);
	if (!mf)
		goto err_uncharge;
	err = tmm_mapping_file_init(mf, &fops, O_RDWR, mf);
	if (err)
		goto err_free;
	mf->account = tmm_account_get(account);
	return mf;

err_free:
	kfree(mf);
err_uncharge:
	tmm_account_uncharge(account, TMM_RESOURCE_HANDLES, 1);
	return ERR_PTR(err);
}

/*
 * Call @look for each mapping file, without a lock held and with a reference on the file. The
 * walk may leave out a file that is made during the walk. May sleep; O(files).
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
