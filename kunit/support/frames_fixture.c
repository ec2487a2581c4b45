// SPDX-License-Identifier: GPL-2.0
#include "support/frames_fixture.h"

#include "support/invariants.h"

struct tmm_test_frames *tmm_test_frames_create(struct kunit *test)
{
	struct tmm_test_frames *tf = tmm_test_kvzalloc(test, sizeof(*tf));

	tmm_frame_allocator_init(&tf->fa);
	return tf;
}

/* If frames are lost, the case fails here, and the allocator is not destroyed. */
void tmm_test_frames_destroy(struct kunit *test, struct tmm_test_frames *tf)
{
	if (!tf)
		return;
	tmm_check_frame_allocator(test, &tf->fa);
	tmm_magazines_destroy(&tf->fa.ra);
	KUNIT_EXPECT_EQ(test, tf->fa.nr_tables, 0);
	if (tmm_test_all_free(test, &tf->fa.ra))
		tmm_frame_allocator_destroy(&tf->fa);
}

/* Gives the case one general region, frames [1000, 1100), with memory behind them. */
int tmm_test_frames_init(struct kunit *test)
{
	test->priv = tmm_test_frames_create(test);
	tmm_test_frames_add_backed(test, test->priv, TMM_REGION_GENERAL, 1000, 100);
	return 0;
}

void tmm_test_frames_exit(struct kunit *test)
{
	tmm_test_frames_destroy(test, test->priv);
}

static struct tmm_frame_region *add_region(struct kunit *test, struct tmm_test_frames *tf,
					   enum tmm_region_type type, u64 first, u64 nr,
					   void *window)
{
	void *table = tmm_test_kvzalloc(test, tmm_frame_regions_nr_bytes(first, nr));
	struct tmm_frame_region *region;

	KUNIT_ASSERT_LT(test, tf->nr_regions, TMM_TEST_MAX_REGIONS);
	region = &tf->regions[tf->nr_regions];
	region->range.type = type;
	region->range.first = first;
	region->range.nr = nr;
	region->window = window;
	KUNIT_ASSERT_EQ(test, tmm_frame_regions_add(&tf->fa, region, table), 0);
	tf->nr_regions++;
	return region;
}

struct tmm_frame_region *tmm_test_frames_add(struct kunit *test, struct tmm_test_frames *tf,
					     enum tmm_region_type type, u64 first, u64 nr)
{
	return add_region(test, tf, type, first, nr, NULL);
}

struct tmm_frame_region *tmm_test_frames_add_backed(struct kunit *test, struct tmm_test_frames *tf,
						    enum tmm_region_type type, u64 first, u64 nr)
{
	return add_region(test, tf, type, first, nr, tmm_test_kvzalloc(test, nr << TMM_PAGE_SHIFT));
}

struct tmm_allocated_frames *tmm_test_frames_take(struct kunit *test, struct tmm_test_frames *tf,
						  struct tmm_allocation_request req)
{
	struct tmm_allocated_frames *frames = tmm_frame_allocator_allocate(&tf->fa, &req);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, frames);
	KUNIT_EXPECT_EQ(test, tmm_frames_nr(&frames->f), req.nr);
	return frames;
}

struct tmm_allocated_frames *tmm_test_frames_take_at(struct kunit *test, u64 number, u64 nr)
{
	struct tmm_allocated_frames *frames = tmm_test_frames_take(test, test->priv,
								   tmm_request_at(number, nr));

	KUNIT_EXPECT_EQ(test, frames->f.chunk.start, number);
	return frames;
}

struct tmm_allocated_frames *tmm_test_frames_take_any(struct kunit *test, u64 nr)
{
	return tmm_test_frames_take(test, test->priv, tmm_request_any(nr));
}

struct tmm_frame_allocator *tmm_test_fa(struct kunit *test)
{
	struct tmm_test_frames *tf = test->priv;

	return &tf->fa;
}

u64 tmm_test_fa_fingerprint(struct kunit *test, const struct tmm_frame_allocator *fa)
{
	tmm_check_frame_allocator(test, fa);
	return tmm_fingerprint_frames(fa);
}

u64 tmm_test_frames_fingerprint(struct kunit *test)
{
	return tmm_test_fa_fingerprint(test, tmm_test_fa(test));
}
