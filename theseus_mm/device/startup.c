// SPDX-License-Identifier: GPL-2.0
#include "device/startup.h"

#include "device/client/offsets.h"
#include "device/files.h"
#include "device/share/bad_memory.h"
#include "device/share/linger.h"
#include "device/share/loan.h"
#include "device/share/mapping_file.h"
#include "device/share/unplug.h"
#include "device/show/debugfs.h"

#include <linux/init.h>
#include <linux/printk.h>

static struct tmm_chardev chardev;

/*
 * Start the device layer. The device is registered last, when everything that a client needs
 * is ready. With @quarantine, memory that was mmapped is not reused until the module is
 * unloaded.
 */
int __init tmm_device_start(struct tmm_instance *inst, bool quarantine)
{
	int err;

	tmm_loans_set_quarantine(quarantine);
	err = tmm_linger_init();
	if (err)
		return err;
	err = tmm_offsets_cache_init();
	if (err)
		goto err_loans;
	err = tmm_mapping_files_init();
	if (err)
		goto err_offsets;
	err = tmm_unplug_init(inst);
	if (err)
		goto err_files;
	tmm_bad_memory_init(inst);
	tmm_debugfs_init(inst);
	err = tmm_files_register(&chardev, inst);
	if (err)
		goto err_unregistered;
	return 0;

err_unregistered:
	pr_err("/dev/theseus_mm cannot be registered (error %d), so the module is not loaded: see the kernel messages above\n",
	       err);
	tmm_debugfs_exit();
	tmm_bad_memory_exit();
	tmm_unplug_exit();
err_files:
	tmm_mapping_files_exit();
err_offsets:
	tmm_offsets_cache_exit();
err_loans:
	tmm_linger_exit();
	return err;
}

void tmm_device_stop(void)
{
	tmm_files_unregister(&chardev);
	tmm_debugfs_exit();
	tmm_bad_memory_exit();
	tmm_unplug_exit();
	tmm_mapping_files_exit();
	tmm_offsets_cache_exit();
	tmm_linger_exit();
}
