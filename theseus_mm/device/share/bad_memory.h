/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory that fails: Linux or a machine check reports a frame. The frame is retired (see
 * alloc/bad_frames.h), and its entries in processes are cleared. The next access raises SIGBUS
 * with the address.
 *
 * Invariant: no process has an entry of a reported frame; I/O may still pin the frame.
 * Lock: none of its own.
 * Owner: the module.
 */
#ifndef TMM_DEVICE_SHARE_BAD_MEMORY_H
#define TMM_DEVICE_SHARE_BAD_MEMORY_H

#include <linux/init.h>
#include <linux/types.h>

struct tmm_instance;

void __init tmm_bad_memory_init(struct tmm_instance *inst);
void tmm_bad_memory_exit(void);
int tmm_bad_memory_report(struct tmm_instance *inst, u64 number);

#endif /* TMM_DEVICE_SHARE_BAD_MEMORY_H */
