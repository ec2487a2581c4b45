/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Device memory of an instance, added and removed at run time.
 *
 * Lock: the instance's @device_lock protects its list of regions.
 * Owner: the instance (mapping/instance.h).
 */
#ifndef TMM_MAPPING_INSTANCE_DEVICES_H
#define TMM_MAPPING_INSTANCE_DEVICES_H

#include "core/address.h"
#include "core/pte_flags.h"

#include <linux/compiler.h>
#include <linux/types.h>

struct tmm_instance;

int __must_check tmm_instance_add_reserved_region(struct tmm_instance *inst,
						  struct tmm_paddr start, u64 nr_bytes,
						  enum tmm_memory_type type);
int __must_check tmm_instance_remove_reserved_region(struct tmm_instance *inst,
						     struct tmm_paddr start, u64 nr_bytes);
bool tmm_instance_close_device(struct tmm_instance *inst, u64 start, u64 end);
void tmm_instance_give_up_device(struct tmm_instance *inst, u64 start, u64 end);
void tmm_instance_forget_devices(struct tmm_instance *inst);

#endif /* TMM_MAPPING_INSTANCE_DEVICES_H */
