/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The module's own instance, and the public functions that work on it.
 */
#ifndef TMM_MAPPING_KERNEL_API_H
#define TMM_MAPPING_KERNEL_API_H

struct tmm_instance;

void tmm_kernel_api_publish(struct tmm_instance *inst);

#endif /* TMM_MAPPING_KERNEL_API_H */
