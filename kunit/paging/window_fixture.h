/* SPDX-License-Identifier: GPL-2.0 */
/* Helpers of the suites about windows: a few mapped pages, whose frames are in reverse order. */
#ifndef TMM_KUNIT_WINDOW_FIXTURE_H
#define TMM_KUNIT_WINDOW_FIXTURE_H

#include "alloc/frames.h"
#include "core/pte_flags.h"
#include "core/address.h"

#include <kunit/test.h>

#define WINDOW_NR_PAGES	4
#define WINDOW_NR_BYTES	(WINDOW_NR_PAGES * TMM_PAGE_SIZE)

u64 window_page(void);
struct tmm_vaddr window_at(u64 offset);
struct tmm_allocated_frames *window_map(struct kunit *test, tmm_pte_flags_t flags);
void window_unmap(struct kunit *test, struct tmm_allocated_frames **frames);

#endif /* TMM_KUNIT_WINDOW_FIXTURE_H */
