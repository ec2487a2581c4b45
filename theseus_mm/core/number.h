/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers in parameters. A number that does not fit is an error here, but wraps in memparse(). */
#ifndef TMM_CORE_NUMBER_H
#define TMM_CORE_NUMBER_H

#include <linux/compiler.h>
#include <linux/moduleparam.h>
#include <linux/types.h>

int __must_check tmm_number_parse_bytes(const char **text, u64 *bytes);

/* Operations of a bool parameter that log the allowed values if the value is invalid. */
extern const struct kernel_param_ops tmm_param_ops_switch;

#endif /* TMM_CORE_NUMBER_H */
