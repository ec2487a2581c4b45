/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Faults: the entries that show a loan in a process. They are inserted at the size of the
 * leaves behind them, and small ones as many at a time as one table holds.
 *
 * Invariant: a fault inserts nothing for a loan that is revoked, nor for a bad frame.
 * Lock: mmap_lock or the area's lock, from Linux; then the mapping file's @revoke_lock for
 * reading.
 * Owner: the area; Linux clears the entries when the area goes.
 */
#ifndef TMM_DEVICE_SHARE_FAULT_H
#define TMM_DEVICE_SHARE_FAULT_H

#include "core/compat.h"

#include <linux/mm_types.h>

vm_fault_t tmm_fault_small(struct vm_fault *vmf);
vm_fault_t tmm_fault_huge(struct vm_fault *vmf, tmm_compat_fault_size_t fault_size);

#endif /* TMM_DEVICE_SHARE_FAULT_H */
