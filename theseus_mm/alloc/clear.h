/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Clear memory that may fail, or that Linux has unmapped from its own page tables after a failure.
 * The functions know addresses only; the caller makes sure that nobody else uses the memory.
 *
 * Lock: none.
 */
#ifndef TMM_ALLOC_CLEAR_H
#define TMM_ALLOC_CLEAR_H

#include <linux/compiler.h>
#include <linux/types.h>

size_t __must_check tmm_clear_memory(void *at, size_t nr_bytes);
bool __must_check tmm_clear_page(void *at);

#endif /* TMM_ALLOC_CLEAR_H */
