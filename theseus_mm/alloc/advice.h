/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Advice: a value of regions= that would be accepted, now or after memory is reserved at boot.
 * The module logs the advice with every refusal.
 *
 * A *candidate* is RAM that was taken from Linux (alloc/firmware_map.h), lies in one Reserved
 * range of /proc/iomem, and is not claimed there. The advice names the first of the following
 * ranges that exists:
 *
 *   - the largest candidate in the requested range;
 *   - RAM in the requested range that could be reserved at boot;
 *   - the largest candidate anywhere;
 *   - a range of Linux's memory to reserve.
 *
 * Lock: none. Owner: none; the code only reads.
 */
#ifndef TMM_ALLOC_ADVICE_H
#define TMM_ALLOC_ADVICE_H

#include <linux/compiler.h>
#include <linux/types.h>

/* Room for any advice. */
#define TMM_ADVICE_TEXT	320

/*
 * The range that was asked for, as physical addresses; @end is exclusive. @start equals @end if
 * the request names no usable range.
 */
struct tmm_advice_request {
	u64 start;
	u64 end;
	/* the region is to have struct pages, and must not share a section with Linux's memory */
	bool with_struct_pages;
};

const char *tmm_advice(const struct tmm_advice_request *request, char text[TMM_ADVICE_TEXT]);
__printf(2, 3)
void tmm_advice_refuse(const struct tmm_advice_request *request, const char *format, ...);
void tmm_advice_list_candidates(bool with_struct_pages);

#endif /* TMM_ALLOC_ADVICE_H */
