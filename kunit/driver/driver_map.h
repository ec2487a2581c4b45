/* SPDX-License-Identifier: GPL-2.0 */
/* Helpers of the suites that map pages of their choice as a driver. */
#ifndef TMM_KUNIT_DRIVER_MAP_H
#define TMM_KUNIT_DRIVER_MAP_H

#include "driver/driver_fixture.h"

#include <linux/math.h>

/* The first page that these suites map, aligned for leaves of every size. */
static inline u64 map_area(void)
{
	return round_up(tmm_private_first_page(), NR_1G) + 8 * NR_1G;
}

struct tmm_allocated_pages *tmm_driver_pages_at(struct kunit *test, u64 first, u64 nr);
/* Expects mapping @pages to fail with @err, and to change neither @pages nor a count. */
void tmm_driver_expect_not_mapped(struct kunit *test, struct tmm_allocated_pages **pages,
				  tmm_pte_flags_t flags, enum tmm_page_size size, long err);

#endif /* TMM_KUNIT_DRIVER_MAP_H */
