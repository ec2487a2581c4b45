/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Copies of short structures from and to user space, word by word. Linux's own functions set up an
 * instruction that copies bytes, and check the kernel's object again; for some tens of bytes, that
 * is most of their cost.
 *
 * Lock: none. The functions sleep, so the caller must not hold a spinlock.
 */
#ifndef TMM_DEVICE_CALL_USER_WORDS_H
#define TMM_DEVICE_CALL_USER_WORDS_H

#include <linux/compiler_types.h>
#include <linux/types.h>

int __must_check tmm_user_words_read(void *to, const void __user *from, size_t nr_bytes);
int __must_check tmm_user_words_write(void __user *to, const void *from, size_t nr_bytes);

#endif /* TMM_DEVICE_CALL_USER_WORDS_H */
