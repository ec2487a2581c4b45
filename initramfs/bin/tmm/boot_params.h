/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The boot loader's message to Linux, as Linux shows it in /sys/kernel/boot_params.
 */
#ifndef TMM_BOOT_PARAMS_H
#define TMM_BOOT_PARAMS_H

#include "ranges.h"

/**
 * struct boot_params - the part about memory
 * @ram: RAM at boot; empty if Linux does not show the message, or if the message has no map
 * @initrd: the boot loader's copy of the initrd; empty if there is none
 * @setup_data: the page that holds the start of further data; empty if there is none
 */
struct boot_params {
	struct ranges ram;
	struct range initrd;
	struct range setup_data;
};

/*
 * Read the message, below folder @root. Linux without it is no error. Return TMM_OK, or TMM_FAILED
 * after printing the error.
 */
int boot_params_read(const char *root, struct boot_params *boot);

#endif /* TMM_BOOT_PARAMS_H */
