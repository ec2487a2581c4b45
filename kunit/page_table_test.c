// SPDX-License-Identifier: GPL-2.0
#include "paging/page_table.h"

#include "fixture.h"
#include "instance_fixture.h"

#include "paging/window.h"

#include <asm/processor-flags.h>
#include <asm/special_insns.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/string.h>

static struct tmm_page_table *create(struct kunit *test)
{
	struct tmm_page_table *pt = tmm_page_table_create(&tmm_test_inst(test)->fa);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pt);
	return pt;
}

static const u64 *live_root(void)
{
	return phys_to_virt(__read_cr3() & CR3_ADDR_MASK);
}

static void create_mirrors_linux(struct kunit *test)
{
	struct tmm_page_table *pt = create(test);
	const u64 *live = live_root();
	unsigned int slot, differ = 0;

	KUNIT_EXPECT_EQ(test, pt->levels, tmm_paging_levels());
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(pt->top, 0, TMM_FIRST_MIRROR_SLOT * 8), NULL);
	for (slot = TMM_FIRST_MIRROR_SLOT; slot < TMM_TABLE_ENTRIES; slot++)
		differ += pt->top[slot] != live[slot];
	KUNIT_EXPECT_EQ(test, differ, 0);
	/* Linux's slot for what a process put into its LDT is not for a shared root. */
	KUNIT_EXPECT_EQ(test, pgd_index(LDT_BASE_ADDR), TMM_FIRST_MIRROR_SLOT - 1);
	tmm_page_table_put(pt);
}

/* With PTI, entry code makes of CR3 another one by setting bit 12. */
static void create_takes_two_aligned_frames(struct kunit *test)
{
	struct tmm_test_instance *ti = test->priv;
	unsigned int i;

	/* Whether the lowest free frame is an even or an odd one. */
	for (i = 0; i < 4; i++) {
		struct tmm_page_table *pt = create(test);

		KUNIT_EXPECT_EQ(test, tmm_page_table_physical_address(pt).v, pt->paddr);
		KUNIT_EXPECT_EQ(test, pt->paddr & (2 * TMM_PAGE_SIZE - 1), 0);
		KUNIT_EXPECT_EQ(test, tmm_frames_nr(&pt->frames->f), 2);
		KUNIT_EXPECT_PTR_EQ(test, (void *)pt->top, tmm_test_alias(pt->paddr >> 12));
		KUNIT_EXPECT_PTR_EQ(test, memchr_inv((void *)pt->top + 4096, 0, 4096), NULL);
		tmm_page_table_put(pt);
		list_add(&tmm_test_take_frames(test, 1)->f.link, &ti->hogs);
	}
}

static void create_without_two_frames_together(struct kunit *test)
{
	struct tmm_page_table *pt;
	unsigned int i;
	u64 before;

	tmm_test_hog(test);
	for (i = 0; i < 5; i++)
		tmm_test_unhog(test, 1);
	before = tmm_test_fingerprint(test);
	pt = tmm_page_table_create(&tmm_test_inst(test)->fa);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(pt), -ENOSPC);
	KUNIT_EXPECT_EQ(test, tmm_test_fingerprint(test), before);
}

static void put_gives_back_at_the_last_reference(struct kunit *test)
{
	u64 before = tmm_test_fingerprint(test);
	struct tmm_page_table *pt = create(test);
	const u64 *top = pt->top;

	tmm_page_table_get(pt);
	tmm_page_table_put(pt);
	KUNIT_EXPECT_NE(test, tmm_test_fingerprint(test), before);
	KUNIT_EXPECT_NE(test, top[TMM_TABLE_ENTRIES - 1], 0);
	tmm_page_table_put(pt);
	KUNIT_EXPECT_EQ(test, tmm_test_fingerprint(test), before);
	/* Whoever gets the frame next learns nothing of Linux's tables. */
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(top, 0, TMM_PAGE_SIZE), NULL);
}

/* As if memory had been added since the root was made. */
static void window_takes_over_what_linux_has_added(struct kunit *test)
{
	/* Holds struct pages only: nothing that a window itself needs. */
	const unsigned int slot = pgd_index((unsigned long)virt_to_page(tmm_test_root(test)->top));
	struct tmm_page_table *pt = create(test);
	struct tmm_window window;
	u64 entry = pt->top[slot];
	u64 inside = 0;
	int err;

	KUNIT_ASSERT_NE(test, entry, 0);
	pt->top[slot] = 0;
	pt->mirror_gaps[0] = (struct tmm_mirror_gap){ slot, slot + 1 };
	pt->nr_mirror_gaps = 1;
	err = tmm_window_enter(pt, &window);
	if (!err) {
		inside = pt->top[slot];
		tmm_window_leave(&window);
	}
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, inside, entry);
	tmm_page_table_put(pt);
}

/* What was empty in Linux's root then is watched, all of it and nothing else. */
static void create_notes_the_gaps(struct kunit *test)
{
	struct tmm_page_table *pt = create(test);
	unsigned int i, slot, nr_empty = 0, nr_noted = 0, nr_filled = 0;

	for (slot = TMM_FIRST_MIRROR_SLOT; slot < TMM_TABLE_ENTRIES; slot++)
		nr_empty += !pt->top[slot];
	for (i = 0; i < pt->nr_mirror_gaps; i++) {
		for (slot = pt->mirror_gaps[i].first; slot < pt->mirror_gaps[i].end; slot++)
			nr_filled += !!pt->top[slot];
		nr_noted += pt->mirror_gaps[i].end - pt->mirror_gaps[i].first;
	}
	KUNIT_EXPECT_EQ(test, nr_noted, nr_empty);
	KUNIT_EXPECT_EQ(test, nr_filled, 0);
	tmm_page_table_put(pt);
}

static struct kunit_case page_table_cases[] = {
	KUNIT_CASE(create_mirrors_linux),
	KUNIT_CASE(create_takes_two_aligned_frames),
	KUNIT_CASE(create_notes_the_gaps),
	KUNIT_CASE(create_without_two_frames_together),
	KUNIT_CASE(put_gives_back_at_the_last_reference),
	KUNIT_CASE(window_takes_over_what_linux_has_added),
	{}
};

static struct kunit_suite page_table_suite = {
	.name = "theseus_mm_page_table",
	.init = tmm_test_instance_init,
	.exit = tmm_test_instance_exit,
	.test_cases = page_table_cases,
};

kunit_test_suite(page_table_suite);
