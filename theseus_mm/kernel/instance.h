/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The module's own instance, and the context for kernel code. The public functions
 * (include/linux/theseus_mm.h) apply the lower layers to this instance and context.
 */
#ifndef TMM_KERNEL_INSTANCE_H
#define TMM_KERNEL_INSTANCE_H

struct tmm_instance;
struct tmm_page_table;

struct tmm_instance *tmm_kernel_instance(void);
struct tmm_page_table *tmm_kernel_page_table(void);
void tmm_kernel_page_table_put(struct tmm_page_table *pt);
void tmm_kernel_exit(void);

#endif /* TMM_KERNEL_INSTANCE_H */
