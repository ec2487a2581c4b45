// SPDX-License-Identifier: GPL-2.0
/*
 * A driver that does nothing but what mmap() and ioctl() need: /dev/tmm_bench_empty. The driver
 * shows what Linux itself takes to map memory without struct pages into a process, one entry of
 * 4 KiB a fault, and to unmap the memory. Every page of an area shows the same page. The driver
 * also shows what Linux itself takes for a call of a driver.
 */
#include "kernel/empty_driver.h"
#include "core/compat.h"

#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/uaccess.h>

static struct page *shown;

static vm_fault_t empty_fault(struct vm_fault *vmf)
{
	return vmf_insert_pfn(vmf->vma, vmf->address & PAGE_MASK, page_to_pfn(shown));
}

static const struct vm_operations_struct empty_ops = { .fault = empty_fault };

static int empty_mmap(struct file *file, struct vm_area_struct *vma)
{
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	tmm_compat_vm_flags(vma, VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP | VM_DONTCOPY, 0);
	vma->vm_ops = &empty_ops;
	return 0;
}

/* A call that only copies its structure, of at most 64 bytes, from the program. */
static long empty_ioctl(struct file *file, unsigned int cmd, unsigned long user)
{
	char copy[64];

	if (_IOC_SIZE(cmd) > sizeof(copy))
		return -EINVAL;
	return copy_from_user(copy, (void __user *)user, _IOC_SIZE(cmd)) ? -EFAULT : 0;
}

static const struct file_operations empty_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = empty_ioctl,
	.mmap = empty_mmap,
};

static struct miscdevice empty_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "tmm_bench_empty",
	.fops = &empty_fops,
};

/* Make the device. Return: 0, or a negative errno. */
int bench_empty_driver_start(void)
{
	int err;

	shown = alloc_page(GFP_KERNEL | __GFP_ZERO);
	if (!shown)
		return -ENOMEM;
	err = misc_register(&empty_device);
	if (err)
		__free_page(shown);
	return err;
}

/* Remove the device. The module's use count says that no area is left. */
void bench_empty_driver_stop(void)
{
	misc_deregister(&empty_device);
	__free_page(shown);
}
