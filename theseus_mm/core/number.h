/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Numbers in parameters. A number that does not fit is an error; memparse() lets it wrap.
 */
#ifndef TMM_CORE_NUMBER_H
#define TMM_CORE_NUMBER_H

#include <linux/compiler.h>
#include <linux/moduleparam.h>
#include <linux/types.h>

int __must_check tmm_number_parse_bytes(const char **text, u64 *bytes);

/* A bool parameter that logs the allowed values if it is given another. */
extern const struct kernel_param_ops tmm_param_ops_switch;

#endif /* TMM_CORE_NUMBER_H */
