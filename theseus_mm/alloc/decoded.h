/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Physical addresses that the processor or chipset decodes before a device sees them: local and
 * I/O APICs, the window of message-signalled interrupts, the HPET. Some kernels claim some of
 * these addresses in /proc/iomem.
 *
 * Owner: none; there is no state.
 */
#ifndef TMM_ALLOC_DECODED_H
#define TMM_ALLOC_DECODED_H

#include <linux/types.h>

/* Addresses that belong to no device; @last is inclusive. */
struct tmm_decoded_range {
	u64 first;
	u64 last;
};

/* A list of ranges that belong to no device. */
struct tmm_decoded {
	struct tmm_decoded_range ranges[64];
	unsigned int nr;
};

void tmm_decoded_add(struct tmm_decoded *decoded, u64 first, u64 nr_bytes);
void tmm_decoded_add_madt(struct tmm_decoded *decoded, const void *madt, u32 length);
bool tmm_decoded_overlaps(const struct tmm_decoded *decoded, u64 start, u64 nr_bytes);

bool tmm_decoded_by_machine(u64 start, u64 nr_bytes);

#endif /* TMM_ALLOC_DECODED_H */
