// SPDX-License-Identifier: GPL-2.0
/* Several roots, and contexts in which one of them is active. */
#include "mapping/mmi.h"

#include "support/fixture.h"
#include "support/instance_fixture.h"

#include "alloc/frames.h"
#include "alloc/pages.h"
#include "mapping/borrow.h"
#include "mapping/map.h"
#include "mapping/mapped_pages.h"
#include "mapping/mapped_pages_borrow.h"
#include "mapping/mapped_pages_split.h"
#include "paging/mapper.h"

#define UNTOUCHED 0x5a5a5a5a
#define base_page()	(tmm_private_first_page() + 510)

static struct tmm_page_table *new_root(struct kunit *test)
{
	struct tmm_page_table *pt = tmm_page_table_new_table(tmm_test_root(test), NULL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pt);
	return pt;
}

static struct tmm_mmi *new_mmi(struct kunit *test, struct tmm_page_table *pt)
{
	struct tmm_mmi *mmi = tmm_mmi_create(pt);

	KUNIT_ASSERT_NOT_NULL(test, mmi);
	return mmi;
}

/* Maps @nr pages from @page on in @pt. */
static struct tmm_mapped_pages *map_under(struct kunit *test, struct tmm_page_table *pt, u64 page,
					  u64 nr)
{
	struct tmm_allocated_pages *pages = tmm_test_take_pages(test, page, nr);
	struct tmm_mapped_pages *mp =
		tmm_map_allocated_pages(pt, &pages, TMM_TEST_WRITABLE, true);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mp);
	return mp;
}

/* Is there a reference besides the caller's? */
static bool is_shared(const struct tmm_page_table *pt)
{
	return kref_read(&pt->kref) > 1;
}

static bool is_active(struct tmm_mmi *mmi, const struct tmm_page_table *pt)
{
	struct tmm_page_table *active = tmm_mmi_page_table(mmi);

	tmm_page_table_put(active);
	return active == pt;
}

/* Writes through @mp, and reads through @mp and at the frame behind its first page. */
static void use_mapping(struct kunit *test, struct tmm_mapped_pages *mp, u64 value)
{
	u64 frame = tmm_test_translate(mp->pt, tmm_mapped_pages_range(mp).r.first);
	TMM_BORROW_MUT(u64) number;
	struct tmm_borrow borrow;
	struct tmm_window window;
	u64 seen = 0, *in_place;

	KUNIT_ASSERT_NE(test, frame, TMM_TEST_UNMAPPED);
	KUNIT_ASSERT_EQ(test, tmm_borrow_begin(mp, 0, 8, true, &borrow), 0);
	KUNIT_EXPECT_EQ(test, tmm_borrow_write(&borrow, 0, &value, 8), 0);
	KUNIT_EXPECT_EQ(test, tmm_borrow_read(&borrow, 0, &seen, 8), 0);
	tmm_borrow_end(&borrow);
	KUNIT_EXPECT_EQ(test, seen, value);
	KUNIT_EXPECT_EQ(test, *(u64 *)tmm_test_alias(frame), value);
	/* In a window, @mp can also be changed in place. */
	KUNIT_ASSERT_EQ(test, tmm_as_type_mut(mp, 0, &number), 0);
	in_place = tmm_borrow_enter(&number, &window);
	if (!IS_ERR(in_place)) {
		(*in_place)++;
		tmm_borrow_leave(&window);
	}
	tmm_borrow_into_inner(&number);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(in_place), 0);
	KUNIT_EXPECT_EQ(test, *(u64 *)tmm_test_alias(frame), value + 1);
}

/* A mapping can be accessed whichever root is active in a context. */
static void mappings_of_two_roots_at_once(struct kunit *test)
{
	struct tmm_page_table *root = tmm_test_root(test);
	struct tmm_page_table *other = new_root(test);
	struct tmm_mmi *mmi = new_mmi(test, root);
	struct tmm_mapped_pages *here = map_under(test, root, base_page(), 3);
	struct tmm_mapped_pages *there = map_under(test, other, base_page() + 3, 3);
	unsigned int i;

	KUNIT_EXPECT_PTR_EQ(test, tmm_mapped_pages_root(here), root);
	KUNIT_EXPECT_PTR_EQ(test, tmm_mapped_pages_root(there), other);
	/* Each mapping is in one root only. */
	KUNIT_EXPECT_EQ(test, tmm_test_translate(other, base_page()), TMM_TEST_UNMAPPED);
	KUNIT_EXPECT_EQ(test, tmm_test_translate(root, base_page() + 3), TMM_TEST_UNMAPPED);
	for (i = 0; i < 4; i++) {
		struct tmm_page_table *active = i & 1 ? other : root;

		KUNIT_EXPECT_EQ(test, tmm_page_table_switch(mmi, active), 0);
		KUNIT_EXPECT_TRUE(test, is_active(mmi, active));
		use_mapping(test, here, 100 + i);
		use_mapping(test, there, 200 + i);
	}
	tmm_mapped_pages_drop(&here);
	use_mapping(test, there, 300);
	tmm_mapped_pages_drop(&there);
	tmm_mmi_put(mmi);
	tmm_check_page_table(test, other);
	KUNIT_EXPECT_EQ(test, tmm_page_table_drop(&other), 0);
}

/* Theseus does not check the root, and changes another root's entries. */
static void change_under_another_root_is_refused(struct kunit *test)
{
	struct tmm_page_table *root = tmm_test_root(test);
	struct tmm_page_table *other = new_root(test);
	struct tmm_mapped_pages *mp = map_under(test, other, base_page(), 3);
	struct tmm_mapped_pages *same = mp;
	struct tmm_allocated_pages *pages = NULL;
	u64 entry = tmm_test_entry(other, base_page(), 1);
	LIST_HEAD(frames);
	u64 before;

	use_mapping(test, mp, 1);
	entry = tmm_test_entry(other, base_page(), 1);
	before = tmm_test_fingerprint(test);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_remap_under(mp, root, TMM_TEST_READ_ONLY), -EXDEV);
	KUNIT_ASSERT_EQ(test, tmm_mapped_pages_unmap_into_parts_under(&mp, root, &pages, &frames),
			-EXDEV);
	KUNIT_EXPECT_PTR_EQ(test, mp, same);
	KUNIT_EXPECT_NULL(test, pages);
	KUNIT_EXPECT_TRUE(test, list_empty(&frames));
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_flags(mp), TMM_TEST_WRITABLE | TMM_PTE_OURS);
	KUNIT_EXPECT_EQ(test, tmm_test_entry(other, base_page(), 1), entry);
	KUNIT_EXPECT_EQ(test, tmm_test_fingerprint(test), before);
	KUNIT_EXPECT_FALSE(test, tmm_mapped_pages_is_borrowed(mp));
	/* With the right root the calls succeed. */
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_remap_under(mp, other, TMM_TEST_READ_ONLY), 0);
	KUNIT_EXPECT_EQ(test, tmm_test_entry(other, base_page(), 1),
			entry & ~TMM_ENTRY_WRITABLE);
	KUNIT_ASSERT_EQ(test, tmm_mapped_pages_unmap_into_parts_under(&mp, other, &pages, &frames),
			0);
	KUNIT_EXPECT_NULL(test, mp);
	KUNIT_EXPECT_EQ(test, tmm_test_translate(other, base_page()), TMM_TEST_UNMAPPED);
	tmm_test_drop_frames_list(&frames);
	tmm_allocated_pages_drop(&pages);
	KUNIT_EXPECT_EQ(test, tmm_page_table_drop(&other), 0);
}

static void merge_of_two_roots_keeps_both(struct kunit *test)
{
	struct tmm_page_table *other = new_root(test);
	struct tmm_mapped_pages *here = map_under(test, tmm_test_root(test), base_page(), 3);
	struct tmm_mapped_pages *there = map_under(test, other, base_page() + 3, 3);
	struct tmm_mapped_pages *same = there;
	u64 before = tmm_test_fingerprint(test);

	KUNIT_ASSERT_EQ(test, tmm_mapped_pages_merge(here, &there), -EXDEV);
	KUNIT_EXPECT_PTR_EQ(test, there, same);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_range(here).r.nr, 3);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_range(there).r.nr, 3);
	KUNIT_EXPECT_EQ(test, tmm_test_fingerprint(test), before);
	use_mapping(test, here, 1);
	use_mapping(test, there, 2);
	tmm_mapped_pages_drop(&there);
	tmm_mapped_pages_drop(&here);
	KUNIT_EXPECT_EQ(test, tmm_page_table_drop(&other), 0);
}

/* Theseus drops a root that is in use. */
static void root_in_use_is_not_dropped(struct kunit *test)
{
	struct tmm_page_table *root = tmm_test_root(test);
	struct tmm_page_table *other = new_root(test);
	struct tmm_page_table *same = other;
	struct tmm_mapped_pages *mp = map_under(test, other, base_page(), 1);
	struct tmm_mmi *mmi = new_mmi(test, other);

	KUNIT_ASSERT_EQ(test, tmm_page_table_drop(&other), -EBUSY);
	tmm_mapped_pages_drop(&mp);
	/* The root is still active. */
	KUNIT_ASSERT_EQ(test, tmm_page_table_drop(&other), -EBUSY);
	KUNIT_EXPECT_PTR_EQ(test, other, same);
	mp = map_under(test, other, base_page(), 1);
	KUNIT_EXPECT_EQ(test, tmm_page_table_switch(mmi, root), 0);
	/* The root still has a mapping. */
	KUNIT_ASSERT_EQ(test, tmm_page_table_drop(&other), -EBUSY);
	use_mapping(test, mp, 1);
	tmm_mapped_pages_drop(&mp);
	KUNIT_EXPECT_EQ(test, tmm_page_table_drop(&other), 0);
	KUNIT_EXPECT_NULL(test, other);
	tmm_mmi_put(mmi);
}

/* When a context ends, it drops the reference to its root. */
static void context_that_ends_drops_its_root(struct kunit *test)
{
	struct tmm_page_table *other = new_root(test);
	struct tmm_mmi *mmi = new_mmi(test, other);

	KUNIT_ASSERT_EQ(test, tmm_page_table_drop(&other), -EBUSY);
	tmm_mmi_get(mmi);
	tmm_mmi_put(mmi);
	KUNIT_ASSERT_EQ(test, tmm_page_table_drop(&other), -EBUSY);
	tmm_mmi_put(mmi);
	KUNIT_EXPECT_EQ(test, tmm_page_table_drop(&other), 0);
}

/* In Theseus, the pages are freed, the entries stay and the frames are lost. */
static void mapping_is_dropped_while_another_root_is_active(struct kunit *test)
{
	struct tmm_page_table *root = tmm_test_root(test);
	struct tmm_page_table *other = new_root(test);
	struct tmm_mmi *mmi = new_mmi(test, other);
	u64 before = tmm_test_fingerprint(test);
	struct tmm_mapped_pages *mp = map_under(test, other, base_page(), 4);

	KUNIT_EXPECT_EQ(test, tmm_page_table_switch(mmi, root), 0);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_remap(mp, TMM_TEST_READ_ONLY), 0);
	KUNIT_EXPECT_EQ(test, tmm_test_entry(other, base_page(), 1) & TMM_ENTRY_WRITABLE, 0);
	tmm_mapped_pages_drop(&mp);
	KUNIT_EXPECT_EQ(test, tmm_test_translate(other, base_page()), TMM_TEST_UNMAPPED);
	KUNIT_EXPECT_EQ(test, tmm_check_page_table(test, other), 0);
	KUNIT_EXPECT_EQ(test, tmm_test_fingerprint(test), before);
	tmm_mmi_put(mmi);
	KUNIT_EXPECT_EQ(test, tmm_page_table_drop(&other), 0);
}

/*
 * Theseus identifies a root by the number of its frame. A new root can get the frame of a root that
 * was dropped.
 */
static void new_root_on_the_frames_of_a_dropped_one(struct kunit *test)
{
	struct tmm_page_table *root = tmm_test_root(test);
	struct tmm_page_table *old = new_root(test);
	const struct tmm_paddr paddr = tmm_page_table_physical_address(old);
	const struct tmm_allocation_request req =
		tmm_request_at(paddr.v >> TMM_PAGE_SHIFT, 2);
	struct tmm_mapped_pages *mp = map_under(test, old, base_page(), 2);
	struct tmm_allocated_frames *frames;
	struct tmm_page_table *young;

	/* As long as the old root has a mapping, nobody else gets its frames. */
	tmm_page_table_put(old);
	KUNIT_ASSERT_PTR_EQ(test, tmm_frame_allocator_allocate(root->fa, &req),
			    ERR_PTR(-EADDRINUSE));
	use_mapping(test, mp, 1);
	tmm_mapped_pages_drop(&mp);

	frames = tmm_frame_allocator_allocate(root->fa, &req);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, frames);
	young = tmm_page_table_new_table(root, &frames);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, young);
	KUNIT_EXPECT_EQ(test, tmm_page_table_physical_address(young).v, paddr.v);
	/* The new root contains no entry of the old one. */
	KUNIT_EXPECT_EQ(test, tmm_check_page_table(test, young), 0);
	KUNIT_EXPECT_EQ(test, tmm_test_translate(young, base_page()), TMM_TEST_UNMAPPED);
	mp = map_under(test, young, base_page(), 2);
	use_mapping(test, mp, 2);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_remap_under(mp, root, TMM_TEST_READ_ONLY), -EXDEV);
	tmm_mapped_pages_drop(&mp);
	KUNIT_EXPECT_EQ(test, tmm_page_table_drop(&young), 0);
}

/* A mapping of a dropped root does not belong to a new root. */
static void two_roots_never_have_the_same_frames(struct kunit *test)
{
	struct tmm_page_table *old = new_root(test);
	struct tmm_mapped_pages *mp = map_under(test, old, base_page(), 2);
	struct tmm_page_table *young;

	tmm_page_table_put(old);
	young = new_root(test);
	KUNIT_EXPECT_NE(test, tmm_page_table_physical_address(young).v,
			tmm_page_table_physical_address(tmm_mapped_pages_root(mp)).v);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_remap_under(mp, young, TMM_TEST_READ_ONLY),
			-EXDEV);
	KUNIT_EXPECT_EQ(test, tmm_page_table_drop(&young), 0);
	use_mapping(test, mp, 1);
	tmm_mapped_pages_drop(&mp);
}

/* Contexts */

static void context_has_a_root_and_keeps_it(struct kunit *test)
{
	struct tmm_page_table *root = tmm_test_root(test);
	struct tmm_page_table *other = new_root(test);
	struct tmm_page_table *active;
	struct tmm_mmi *mmi;

	KUNIT_EXPECT_FALSE(test, is_shared(other));
	mmi = new_mmi(test, other);
	KUNIT_EXPECT_TRUE(test, is_shared(other));
	active = tmm_mmi_page_table(mmi);
	KUNIT_EXPECT_PTR_EQ(test, active, other);
	/* The caller's reference stays valid after the context has ended. */
	KUNIT_EXPECT_EQ(test, tmm_page_table_switch(mmi, root), 0);
	tmm_mmi_put(mmi);
	KUNIT_EXPECT_TRUE(test, is_shared(other));
	tmm_page_table_put(active);
	KUNIT_EXPECT_EQ(test, tmm_page_table_drop(&other), 0);
	tmm_mmi_put(NULL);
}

static void context_without_heap(struct kunit *test)
{
	struct tmm_page_table *other = new_root(test);
	struct tmm_mmi *mmi;

	tmm_test_fail_alloc(test, 1);
	mmi = tmm_mmi_create(other);
	KUNIT_EXPECT_TRUE(test, tmm_test_fail_alloc_end());
	KUNIT_EXPECT_PTR_EQ(test, mmi, ERR_PTR(-ENOMEM));
	KUNIT_EXPECT_EQ(test, tmm_page_table_drop(&other), 0);
}

static void extra_mappings_live_as_long_as_the_context(struct kunit *test)
{
	struct tmm_page_table *other = new_root(test);
	u64 before = tmm_test_fingerprint(test);
	struct tmm_mmi *mmi = new_mmi(test, tmm_test_root(test));
	struct tmm_mapped_pages *here = map_under(test, tmm_test_root(test), base_page(), 2);
	struct tmm_mapped_pages *there = map_under(test, other, base_page() + 2, 2);
	struct tmm_borrow borrow;

	KUNIT_ASSERT_EQ(test, tmm_borrow_begin(there, 0, 8, false, &borrow), 0);
	tmm_mmi_add_mapping(mmi, &here);
	tmm_mmi_add_mapping(mmi, &there);
	KUNIT_EXPECT_NULL(test, here);
	KUNIT_EXPECT_NULL(test, there);
	tmm_mmi_get(mmi);
	tmm_mmi_put(mmi);
	KUNIT_EXPECT_NE(test, tmm_test_translate(tmm_test_root(test), base_page()),
			TMM_TEST_UNMAPPED);
	tmm_mmi_put(mmi);
	KUNIT_EXPECT_EQ(test, tmm_test_translate(tmm_test_root(test), base_page()),
			TMM_TEST_UNMAPPED);
	/* The borrowed mapping exists until its borrow ends. */
	KUNIT_EXPECT_NE(test, tmm_test_translate(other, base_page() + 2), TMM_TEST_UNMAPPED);
	tmm_borrow_end(&borrow);
	KUNIT_EXPECT_EQ(test, tmm_test_translate(other, base_page() + 2), TMM_TEST_UNMAPPED);
	KUNIT_EXPECT_EQ(test, tmm_test_fingerprint(test), before);
	KUNIT_EXPECT_EQ(test, tmm_page_table_drop(&other), 0);
}

/* The actions of a callback, and a record of its calls. */
struct visit {
	struct kunit *test;
	unsigned int nr_calls;
	struct tmm_page_table *other;		/* the root that the callback got */
	struct tmm_allocated_pages *pages;	/* pages that the callback maps, or NULL */
	struct tmm_mapped_pages *mp;		/* the mapping that the callback made */
	int result;				/* the result that the callback returns */
};

static int visit_root(struct tmm_page_table *other, void *context)
{
	struct visit *v = context;

	v->nr_calls++;
	v->other = other;
	KUNIT_EXPECT_TRUE(v->test, is_shared(other));
	if (v->pages)
		v->mp = tmm_map_allocated_pages(other, &v->pages, TMM_TEST_WRITABLE, true);
	return v->result;
}

static void with_another_root_maps_there(struct kunit *test)
{
	struct tmm_page_table *root = tmm_test_root(test);
	struct tmm_page_table *other = new_root(test);
	struct tmm_mmi *mmi = new_mmi(test, root);
	struct visit v = { .test = test, .pages = tmm_test_take_pages(test, base_page(), 2) };

	KUNIT_EXPECT_EQ(test, tmm_page_table_with(mmi, root, other, visit_root, &v), 0);
	KUNIT_EXPECT_EQ(test, v.nr_calls, 1);
	KUNIT_EXPECT_PTR_EQ(test, v.other, other);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, v.mp);
	KUNIT_EXPECT_NE(test, tmm_test_translate(other, base_page()), TMM_TEST_UNMAPPED);
	KUNIT_EXPECT_EQ(test, tmm_test_translate(root, base_page()), TMM_TEST_UNMAPPED);
	/* The active root did not change. */
	KUNIT_EXPECT_TRUE(test, is_active(mmi, root));
	use_mapping(test, v.mp, 1);
	tmm_mapped_pages_drop(&v.mp);
	KUNIT_EXPECT_EQ(test, tmm_page_table_drop(&other), 0);
	tmm_mmi_put(mmi);
}

static void with_returns_what_was_returned(struct kunit *test)
{
	const int results[] = { 0, 1, 12345, -ENOSPC, -EXDEV };
	struct tmm_page_table *other = new_root(test);
	struct tmm_mmi *mmi = new_mmi(test, other);
	struct visit v = { .test = test };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(results); i++) {
		v.result = results[i];
		/* The root that the callback gets may be the active one. */
		KUNIT_EXPECT_EQ(test, tmm_page_table_with(mmi, other, other, visit_root, &v),
				results[i]);
		KUNIT_EXPECT_EQ(test, v.nr_calls, i + 1);
	}
	tmm_mmi_put(mmi);
	KUNIT_EXPECT_EQ(test, tmm_page_table_drop(&other), 0);
}

static void with_a_root_that_is_not_active(struct kunit *test)
{
	struct tmm_page_table *root = tmm_test_root(test);
	struct tmm_page_table *other = new_root(test);
	struct tmm_mmi *mmi = new_mmi(test, root);
	struct visit v = { .test = test };

	KUNIT_EXPECT_EQ(test, tmm_page_table_with(mmi, other, root, visit_root, &v), -EXDEV);
	KUNIT_EXPECT_EQ(test, v.nr_calls, 0);
	KUNIT_EXPECT_EQ(test, tmm_page_table_switch(mmi, other), 0);
	KUNIT_EXPECT_EQ(test, tmm_page_table_with(mmi, root, other, visit_root, &v), -EXDEV);
	KUNIT_EXPECT_EQ(test, v.nr_calls, 0);
	/* The refused calls kept no reference. */
	KUNIT_EXPECT_EQ(test, tmm_page_table_with(mmi, other, root, visit_root, &v), 0);
	KUNIT_EXPECT_EQ(test, v.nr_calls, 1);
	tmm_mmi_put(mmi);
	KUNIT_EXPECT_EQ(test, tmm_page_table_drop(&other), 0);
}

static void switch_concerns_one_context_only(struct kunit *test)
{
	struct tmm_page_table *root = tmm_test_root(test);
	struct tmm_page_table *other = new_root(test);
	struct tmm_mmi *one = new_mmi(test, root);
	struct tmm_mmi *two = new_mmi(test, root);
	unsigned int before = kref_read(&root->kref);

	KUNIT_EXPECT_EQ(test, tmm_page_table_switch(one, other), 0);
	KUNIT_EXPECT_TRUE(test, is_active(one, other));
	KUNIT_EXPECT_TRUE(test, is_active(two, root));
	KUNIT_EXPECT_EQ(test, kref_read(&root->kref), before - 1);
	KUNIT_EXPECT_EQ(test, kref_read(&other->kref), 2);
	/* A switch to the active root changes nothing. */
	KUNIT_EXPECT_EQ(test, tmm_page_table_switch(one, other), 0);
	KUNIT_EXPECT_TRUE(test, is_active(one, other));
	KUNIT_EXPECT_EQ(test, kref_read(&other->kref), 2);
	KUNIT_EXPECT_EQ(test, tmm_page_table_switch(one, root), 0);
	KUNIT_EXPECT_EQ(test, kref_read(&root->kref), before);
	tmm_mmi_put(one);
	tmm_mmi_put(two);
	KUNIT_EXPECT_EQ(test, tmm_page_table_drop(&other), 0);
}

/* The context has the last reference to the active root, so a switch frees that root. */
static void switch_frees_a_root_without_other_users(struct kunit *test)
{
	struct tmm_page_table *root = tmm_test_root(test);
	u64 before = tmm_test_fingerprint(test);
	struct tmm_page_table *other = new_root(test);
	struct tmm_mmi *mmi = new_mmi(test, other);

	tmm_page_table_put(other);
	KUNIT_EXPECT_NE(test, tmm_test_fingerprint(test), before);
	KUNIT_EXPECT_EQ(test, tmm_page_table_switch(mmi, root), 0);
	KUNIT_EXPECT_EQ(test, tmm_test_fingerprint(test), before);
	tmm_mmi_put(mmi);
}

static void roots_of_another_instance_are_refused(struct kunit *test)
{
	struct tmm_memory memory = tmm_test_memory_take(test);
	struct tmm_page_table *root = tmm_test_root(test);
	struct tmm_instance *foreign = tmm_test_kvzalloc(test, sizeof(*foreign));
	struct tmm_mmi *mmi = new_mmi(test, root);
	struct visit v = { .test = test };

	KUNIT_ASSERT_EQ(test, tmm_instance_init(foreign, &memory, 1), 0);
	KUNIT_EXPECT_EQ(test, tmm_page_table_switch(mmi, foreign->root), -EXDEV);
	KUNIT_EXPECT_TRUE(test, is_active(mmi, root));
	KUNIT_EXPECT_EQ(test, tmm_page_table_with(mmi, root, foreign->root, visit_root, &v),
			-EXDEV);
	KUNIT_EXPECT_EQ(test, v.nr_calls, 0);
	KUNIT_EXPECT_FALSE(test, is_shared(foreign->root));
	tmm_mmi_put(mmi);
	tmm_instance_exit(foreign);
	tmm_test_memory_give(&memory);
}

static struct kunit_case roots_cases[] = {
	KUNIT_CASE(mappings_of_two_roots_at_once),
	KUNIT_CASE(change_under_another_root_is_refused),
	KUNIT_CASE(merge_of_two_roots_keeps_both),
	KUNIT_CASE(root_in_use_is_not_dropped),
	KUNIT_CASE(context_that_ends_drops_its_root),
	KUNIT_CASE(mapping_is_dropped_while_another_root_is_active),
	KUNIT_CASE(new_root_on_the_frames_of_a_dropped_one),
	KUNIT_CASE(two_roots_never_have_the_same_frames),
	KUNIT_CASE(context_has_a_root_and_keeps_it),
	KUNIT_CASE(context_without_heap),
	KUNIT_CASE(extra_mappings_live_as_long_as_the_context),
	KUNIT_CASE(with_another_root_maps_there),
	KUNIT_CASE(with_returns_what_was_returned),
	KUNIT_CASE(with_a_root_that_is_not_active),
	KUNIT_CASE(switch_concerns_one_context_only),
	KUNIT_CASE(switch_frees_a_root_without_other_users),
	KUNIT_CASE(roots_of_another_instance_are_refused),
	{}
};

static struct kunit_suite roots_suite = {
	.name = "theseus_mm_roots",
	.init = tmm_test_instance_init,
	.exit = tmm_test_instance_exit,
	.test_cases = roots_cases,
};

kunit_test_suite(roots_suite);
