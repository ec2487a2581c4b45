// SPDX-License-Identifier: GPL-2.0
#include "device/files.h"

#include "device/call/call.h"
#include "device/call/dispatch.h"
#include "device/call/mmap.h"
#include "device/call/unmapped_area.h"
#include "device/client/client.h"
#include "device/client/exports.h"
#include "device/client/lending.h"
#include "device/client/poll.h"
#include "device/client/user.h"
#include "device/show/fdinfo.h"
#include "device/show/sysfs.h"
#include "mapping/instance.h"

#include <linux/err.h>
#include <linux/fs.h>
#include <linux/module.h>

static int open(struct inode *inode, struct file *file)
{
	/* misc_open() stores the registration in private_data. */
	struct miscdevice *misc = file->private_data;
	struct tmm_chardev *dev = container_of(misc, struct tmm_chardev, misc);
	struct tmm_client *client = tmm_client_create(dev->inst);

	if (IS_ERR(client))
		return PTR_ERR(client);
	file->private_data = client;
	return nonseekable_open(inode, file);
}

static int release(struct inode *inode, struct file *file)
{
	tmm_client_destroy(file->private_data);
	return 0;
}

static const struct file_operations fops = {
	.owner = THIS_MODULE,
	.open = open,
	.release = release,
	.unlocked_ioctl = tmm_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.poll = tmm_poll,
	.show_fdinfo = tmm_show_fdinfo,
	.mmap = tmm_mmap,
	.get_unmapped_area = tmm_unmapped_area,
};

/* SEEK_END returns the size of the mapping, as a dma-buf and a memfd do. */
static loff_t llseek(struct file *file, loff_t offset, int whence)
{
	return fixed_size_llseek(file, offset, whence, i_size_read(file_inode(file)));
}

static const struct file_operations export_fops = {
	.owner = THIS_MODULE,
	.release = tmm_export_release,
	.llseek = llseek,
	.fsync = noop_fsync,
	.poll = tmm_export_poll,
	.unlocked_ioctl = tmm_export_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = tmm_export_show_fdinfo,
	.mmap = tmm_export_mmap,
	.get_unmapped_area = tmm_export_unmapped_area,
};

static const struct file_operations lending_fops = {
	.owner = THIS_MODULE,
	.release = tmm_lending_release,
	.llseek = llseek,
	.poll = tmm_lending_poll,
	.unlocked_ioctl = tmm_lending_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = tmm_lending_show_fdinfo,
	.mmap = tmm_lending_mmap,
	.get_unmapped_area = tmm_lending_unmapped_area,
};

/*
 * Register the device, so that programs can become clients. The caller keeps @inst until
 * tmm_files_unregister(). May sleep.
 */
int tmm_files_register(struct tmm_chardev *dev, struct tmm_instance *inst)
{
	struct tmm_range_totals totals;

	tmm_range_allocator_totals(&inst->pa.ra, &totals);
	tmm_user_limits_init(totals.nr_free);
	tmm_export_set_fops(&export_fops);
	tmm_lending_set_fops(&lending_fops);
	dev->inst = inst;
	dev->misc = (struct miscdevice){
		.minor = MISC_DYNAMIC_MINOR,
		.name = KBUILD_MODNAME,
		.fops = &fops,
		.groups = tmm_sysfs_init(inst),
		.mode = 0600,
	};
	return misc_register(&dev->misc);
}

/*
 * Unregister the device. No program has the device open, since the module is being
 * unloaded. May sleep.
 */
void tmm_files_unregister(struct tmm_chardev *dev)
{
	misc_deregister(&dev->misc);
}
