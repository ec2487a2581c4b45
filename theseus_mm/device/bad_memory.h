/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory that fails: who says so, and what is done. The frame is retired (see
 * alloc/bad_frames.h), and every process that has it loses it: the next access tells it
 * by SIGBUS, with the address.
 *
 * Invariant: a frame that was reported is in no process, but for what I/O has pinned.
 * Lock: none of its own.
 * Owner: the module.
 */
#ifndef TMM_DEVICE_BAD_MEMORY_H
#define TMM_DEVICE_BAD_MEMORY_H

#include <linux/init.h>
#include <linux/types.h>

struct tmm_instance;

void __init tmm_bad_memory_init(struct tmm_instance *inst);
void tmm_bad_memory_exit(void);
int tmm_bad_memory_report(struct tmm_instance *inst, u64 number);

#endif /* TMM_DEVICE_BAD_MEMORY_H */
