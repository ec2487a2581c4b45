/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The thread of a cleaner (alloc/cleaner.h), with the lowest priority, and the module's parameters
 * for it. The thread stops for the freezer, which a suspend uses.
 *
 * Lock: none of its own; the parameters are single words.
 * Owner: the thread belongs to the cleaner of a frame allocator.
 */
#ifndef TMM_ALLOC_CLEANER_THREAD_H
#define TMM_ALLOC_CLEANER_THREAD_H

#include <linux/compiler.h>
#include <linux/moduleparam.h>
#include <linux/types.h>

struct tmm_frame_allocator;

/* The module's parameters clean_ahead and clean_rate */
extern bool tmm_cleaner_is_on;
extern unsigned int tmm_cleaner_rate;
extern const struct kernel_param_ops tmm_cleaner_switch_ops;

int __must_check tmm_cleaner_start(struct tmm_frame_allocator *fa);
void tmm_cleaner_stop(struct tmm_frame_allocator *fa);

#endif /* TMM_ALLOC_CLEANER_THREAD_H */
