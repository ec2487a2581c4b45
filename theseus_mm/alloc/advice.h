/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Advice: a regions= that would be accepted, logged with every refusal.
 *
 * A *candidate* is RAM that was taken from Linux (alloc/firmware_map.h), lies in one
 * Reserved range of /proc/iomem, and is claimed by nobody there. The advice is the largest
 * candidate in the range that was asked for; else RAM in that range that could be reserved
 * at boot; else the largest candidate anywhere; else a range of Linux's memory to reserve.
 *
 * Lock: none. Owner: none; it only reads.
 */
#ifndef TMM_ALLOC_ADVICE_H
#define TMM_ALLOC_ADVICE_H

#include <linux/compiler.h>
#include <linux/types.h>

/* Room for any advice. */
#define TMM_ADVICE_TEXT	320

/**
 * struct tmm_advice_request - the range that was asked for
 * @start: physical address; the same as @end if the request names no usable range
 * @end: first byte after the range
 * @with_struct_pages: the region is to have struct pages, and is aligned for them
 */
struct tmm_advice_request {
	u64 start;
	u64 end;
	bool with_struct_pages;
};

const char *tmm_advice(const struct tmm_advice_request *request, char text[TMM_ADVICE_TEXT]);
__printf(2, 3)
void tmm_advice_refuse(const struct tmm_advice_request *request, const char *format, ...);
void tmm_advice_list_candidates(void);

#endif /* TMM_ALLOC_ADVICE_H */
