// SPDX-License-Identifier: GPL-2.0
#include "paging/window_fixture.h"

#include "support/instance_fixture.h"

#include "paging/mapper.h"

#include <linux/string.h>

/* The first of the pages, which lie on both sides of a 2 MiB boundary. */
u64 window_page(void)
{
	return tmm_private_first_page() + 510;
}

struct tmm_vaddr window_at(u64 offset)
{
	return (struct tmm_vaddr){ tmm_test_vaddr(window_page()).v + offset };
}

/* Maps the pages to the frames in reverse order, so that adjacent pages have no adjacent frames. */
struct tmm_allocated_frames *window_map(struct kunit *test, tmm_pte_flags_t flags)
{
	struct tmm_allocated_frames *frames = tmm_test_take_frames(test, WINDOW_NR_PAGES);
	u64 i;

	for (i = 0; i < WINDOW_NR_PAGES; i++) {
		u64 frame = frames->f.chunk.start + WINDOW_NR_PAGES - 1 - i;

		memset(tmm_test_alias(frame), 0x10 + i, TMM_PAGE_SIZE);
		KUNIT_ASSERT_EQ(test, tmm_mapper_map(tmm_test_root(test),
						     tmm_test_pages(window_page() + i, 1),
						     tmm_frame_4k(frame),
						     tmm_pte_leaf_bits(flags, true), TMM_4K), 0);
	}
	return frames;
}

void window_unmap(struct kunit *test, struct tmm_allocated_frames **frames)
{
	tmm_mapper_unmap(tmm_test_root(test), tmm_test_pages(window_page(), WINDOW_NR_PAGES));
	tmm_allocated_frames_drop(frames);
}
