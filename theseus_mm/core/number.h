/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Numbers in parameters. What does not fit is an error: memparse() lets it wrap.
 */
#ifndef TMM_CORE_NUMBER_H
#define TMM_CORE_NUMBER_H

#include <linux/compiler.h>
#include <linux/moduleparam.h>
#include <linux/types.h>

int __must_check tmm_parse_bytes(const char **text, u64 *bytes);

/* A bool that says what it takes when it is given something else. */
extern const struct kernel_param_ops tmm_param_ops_switch;

#endif /* TMM_CORE_NUMBER_H */
