// SPDX-License-Identifier: GPL-2.0
/*
 * theseus_mm: the module's parameters, and the order in which its parts start and stop.
 */
#include "alloc/cleaner_thread.h"
#include "alloc/firmware_map.h"
#include "alloc/frames.h"
#include "alloc/magazine.h"
#include "alloc/pages.h"
#include "alloc/pool.h"
#include "alloc/waiters.h"
#include "core/compat.h"
#include "core/number.h"
#include "device/client/user.h"
#include "device/startup.h"
#include "kernel/instance.h"
#include "kernel/startup.h"
#include "mapping/mapped_pages.h"
#include "paging/window.h"
#include "version.h"

#include <linux/errno.h>
#include <linux/init.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>

static char *regions;
module_param_cb(regions, &tmm_pools_param_ops, &regions, 0400);
MODULE_PARM_DESC(regions, "RAM to claim, reserved at boot with memmap=: <size>@<start>[,...], K/M/G suffixes");

static bool struct_pages;
module_param_cb(struct_pages, &tmm_param_ops_switch, &struct_pages, 0400);
MODULE_PARM_DESC(struct_pages, "let I/O pin the memory (O_DIRECT, RDMA, VFIO, dma-buf); costs 64 bytes of each 4096 (default off)");

static char *bad;
module_param(bad, charp, 0400);
MODULE_PARM_DESC(bad, "addresses of memory that is known to fail: <address>[,...]; their frames are never given out");

static bool quarantine;
module_param_cb(quarantine, &tmm_param_ops_switch, &quarantine, 0400);
MODULE_PARM_DESC(quarantine, "do not reuse memory that was mmapped until the module is unloaded (default off)");

module_param_cb(clean_ahead, &tmm_cleaner_switch_ops, &tmm_cleaner_is_on, 0644);
MODULE_PARM_DESC(clean_ahead,
		 "clear free memory in the background, so that it is clean when it is allocated (default on, but off with PREEMPT_RT)");

module_param_cb(clean_rate, &param_ops_uint, &tmm_cleaner_rate, 0644);
MODULE_PARM_DESC(clean_rate,
		 "memory that clean_ahead clears in a second, in MiB (default 0, no limit)");

#define MAX_PARAM(name, limit)	\
	module_param_cb(name, &tmm_user_limits_param_ops, &tmm_user_limits.limit, 0644)

MAX_PARAM(max_frames, client[TMM_RESOURCE_FRAMES]);
MODULE_PARM_DESC(max_frames,
		 "frames of 4 KiB that a client may have; read when the client is opened (default unlimited)");

MAX_PARAM(max_pages, client[TMM_RESOURCE_PAGES]);
MODULE_PARM_DESC(max_pages,
		 "pages of 4 KiB that a client may have; read when the client is opened (default a quarter of all pages)");

MAX_PARAM(max_handles, client[TMM_RESOURCE_HANDLES]);
MODULE_PARM_DESC(max_handles,
		 "handles, exported descriptors and mmapped mappings that a client may have; read when the client is opened (default 65536)");

MAX_PARAM(max_user_frames, user[TMM_RESOURCE_FRAMES]);
MODULE_PARM_DESC(max_user_frames,
		 "frames that all clients of one user may have together (default unlimited)");

MAX_PARAM(max_user_pages, user[TMM_RESOURCE_PAGES]);
MODULE_PARM_DESC(max_user_pages,
		 "pages that all clients of one user may have together (default half of all pages)");

MAX_PARAM(max_user_handles, user[TMM_RESOURCE_HANDLES]);
MODULE_PARM_DESC(max_user_handles,
		 "handles that all clients of one user may have together (default 131072)");

static struct tmm_pools pools;

static int __init start_parts(void)
{
	int err;

	err = tmm_frames_init();
	if (err)
		return err;
	err = tmm_pages_init();
	if (err)
		goto err_frames;
	err = tmm_mapped_pages_init();
	if (err)
		goto err_pages;
	err = tmm_windows_init();
	if (err)
		goto err_mapped_pages;
	err = tmm_firmware_map_start();
	if (err)
		goto err_windows;
	err = tmm_pools_claim(&pools, regions, struct_pages);
	if (err)
		goto err_map;
	err = tmm_kernel_start(&pools, bad);
	if (err)
		goto err_pools;
	err = tmm_device_start(tmm_kernel_instance(), quarantine);
	if (err)
		goto err_kernel;
	tmm_pools_announce(&pools);
	tmm_kernel_announce();
	return 0;

err_kernel:
	tmm_kernel_stop();
err_pools:
	tmm_pools_release(&pools);
err_map:
	tmm_firmware_map_stop();
err_windows:
	tmm_windows_exit();
err_mapped_pages:
	tmm_mapped_pages_exit();
err_pages:
	tmm_pages_exit();
err_frames:
	tmm_frames_exit();
	return err;
}

/* All parts use the waiters and the magazines: each may release something. */
static int __init start_all(void)
{
	int err;

	err = tmm_waiters_init();
	if (err)
		return err;
	err = tmm_magazines_init();
	if (err)
		goto err_waiters;
	err = start_parts();
	if (err)
		goto err_magazines;
	return 0;

err_magazines:
	tmm_magazines_exit();
err_waiters:
	tmm_waiters_exit();
	return err;
}

static int __init tmm_module_init(void)
{
	int err;

	tmm_compat_say_untested();
	err = start_all();
	/* The code that detects any other error logs that error. */
	if (err == -ENOMEM)
		pr_err("Linux's own memory is exhausted, so the module is not loaded: free some, or name smaller ranges in regions=\n");
	else if (err == -ENOSPC)
		pr_err("regions= has no room for the first page tables, so the module is not loaded: name larger regions\n");
	return err;
}

static void __exit tmm_module_exit(void)
{
	tmm_device_stop();
	tmm_kernel_stop();
	tmm_pools_release(&pools);
	tmm_firmware_map_stop();
	tmm_windows_exit();
	tmm_mapped_pages_exit();
	tmm_pages_exit();
	tmm_frames_exit();
	tmm_magazines_exit();
	tmm_waiters_exit();
}

module_init(tmm_module_init);
module_exit(tmm_module_exit);
MODULE_DESCRIPTION("Theseus memory-management API on RAM reserved at boot");
MODULE_VERSION(TMM_VERSION);
MODULE_LICENSE("GPL");
