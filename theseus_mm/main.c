// SPDX-License-Identifier: GPL-2.0
#include <linux/init.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

static char *regions;
module_param(regions, charp, 0444);
MODULE_PARM_DESC(regions, "RAM to claim: <size>@<start>[,...], K/M/G suffixes, as reserved with memmap=");

static int __init tmm_module_init(void)
{
	pr_info("regions=%s\n", regions ?: "(none)");
	return 0;
}

static void __exit tmm_module_exit(void)
{
}

module_init(tmm_module_init);
module_exit(tmm_module_exit);
MODULE_DESCRIPTION("Theseus memory-management API on RAM reserved at boot");
MODULE_LICENSE("GPL");
