// SPDX-License-Identifier: GPL-2.0
/*
 * In each operation that allocates from Linux's heap, each allocation fails once. The operation
 * returns -ENOMEM and changes nothing.
 */
#include "mapping/mapped_pages.h"

#include "support/fixture.h"
#include "support/instance_fixture.h"

#include "mapping/borrow.h"
#include "mapping/create.h"
#include "mapping/map.h"
#include "mapping/mapped_pages_borrow.h"
#include "mapping/mapped_pages_split.h"

#define MAX_ALLOCATIONS 60
#define base_page()	(tmm_private_first_page() + 510)

/* Each operation returns 0 or an error, and in both cases frees all that the operation made. */

static int try_create(struct tmm_test_instance *ti)
{
	struct tmm_mapped_pages *mp;
	int err;

	mp = tmm_instance_create_mapping(&ti->inst, ti->inst.root, 7 * 4096, TMM_TEST_WRITABLE,
					 true);
	err = PTR_ERR_OR_ZERO(mp);
	tmm_mapped_pages_drop(&mp);
	return err;
}

static int create_contiguous(struct tmm_test_instance *ti)
{
	struct tmm_mapped_pages *mp;
	struct tmm_paddr paddr;
	int err;

	mp = tmm_instance_create_contiguous_mapping(&ti->inst, ti->inst.root, 3 * 4096,
						    TMM_TEST_WRITABLE, true,
						    &paddr);
	err = PTR_ERR_OR_ZERO(mp);
	tmm_mapped_pages_drop(&mp);
	return err;
}

static int map_to(struct tmm_test_instance *ti)
{
	struct tmm_allocation_request req = tmm_request_at(base_page(), 4);
	struct tmm_allocated_frames *frames = NULL;
	struct tmm_allocated_pages *pages;
	struct tmm_mapped_pages *mp;
	int err;

	pages = tmm_page_allocator_allocate(&ti->inst.pa, &req);
	err = PTR_ERR_OR_ZERO(pages);
	if (err)
		return err;
	req = tmm_request_any(4);
	frames = tmm_frame_allocator_allocate(&ti->inst.fa, &req);
	err = PTR_ERR_OR_ZERO(frames);
	if (!err) {
		mp = tmm_map_allocated_pages_to(ti->inst.root, &pages, &frames, TMM_TEST_WRITABLE);
		err = PTR_ERR_OR_ZERO(mp);
		tmm_mapped_pages_drop(&mp);
	}
	tmm_allocated_frames_drop(&frames);
	tmm_allocated_pages_drop(&pages);
	return err;
}

/* After a failed split the mapping can still be split. */
static int try_split(struct tmm_test_instance *ti)
{
	struct tmm_mapped_pages *second = NULL;
	struct tmm_mapped_pages *mp;
	u64 at, nr = 7;
	int err;

	mp = tmm_instance_create_mapping(&ti->inst, ti->inst.root, nr * 4096, TMM_TEST_WRITABLE,
					 true);
	if (IS_ERR(mp))
		return PTR_ERR(mp);
	at = tmm_mapped_pages_range(mp).r.first + 1;
	err = tmm_mapped_pages_split(mp, at, &second);
	if (err && (second || tmm_mapped_pages_range(mp).r.nr != nr ||
		    tmm_mapped_pages_is_borrowed(mp) ||
		    tmm_mapped_pages_split(mp, at, &second)))
		err = -EIO;
	tmm_mapped_pages_drop(&mp);
	tmm_mapped_pages_drop(&second);
	return err;
}

/* Borrow, copy, remap and unmap allocate no memory, so they must not fail. */
static int take_apart(struct tmm_test_instance *ti)
{
	struct tmm_allocated_pages *pages;
	struct tmm_mapped_pages *mp;
	struct tmm_borrow borrow;
	LIST_HEAD(frames);
	u8 byte = 0;
	int err;

	mp = tmm_instance_create_mapping(&ti->inst, ti->inst.root, 7 * 4096, TMM_TEST_WRITABLE,
					 true);
	if (IS_ERR(mp))
		return PTR_ERR(mp);
	err = tmm_borrow_begin(mp, 0, 1, true, &borrow);
	if (!err) {
		err = tmm_borrow_write(&borrow, 0, &byte, 1);
		tmm_borrow_end(&borrow);
	}
	if (err || tmm_mapped_pages_remap(mp, TMM_TEST_READ_ONLY) ||
	    tmm_mapped_pages_unmap_into_parts(&mp, &pages, &frames)) {
		tmm_mapped_pages_drop(&mp);
		return -EIO;
	}
	tmm_test_drop_frames_list(&frames);
	tmm_allocated_pages_drop(&pages);
	return 0;
}

static int create_root(struct tmm_test_instance *ti)
{
	struct tmm_page_table *pt = tmm_page_table_create(&ti->inst.fa);

	if (IS_ERR(pt))
		return PTR_ERR(pt);
	tmm_page_table_put(pt);
	return 0;
}

struct operation_param {
	const char *name;
	int (*run)(struct tmm_test_instance *ti);
	unsigned int min_allocations;
};

static const struct operation_param operation_params[] = {
	{ "create a mapping", try_create, 5 },
	{ "create a contiguous mapping", create_contiguous, 3 },
	{ "map pages to frames", map_to, 4 },
	{ "split a mapping", try_split, 7 },
	{ "use a mapping and take it apart", take_apart, 5 },
	{ "create a root", create_root, 2 },
};

static void operation_param_desc(const struct operation_param *param, char *desc)
{
	strscpy(desc, param->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(operation, operation_params, operation_param_desc);

static void fail_each_allocation(struct kunit *test)
{
	const struct operation_param *p = test->param_value;
	u64 before;
	unsigned int nth;
	int err = -1;

	/* Free several short runs, so that a mapping has several, and then frames for a root. */
	tmm_test_hog(test);
	tmm_test_unhog(test, 3);
	tmm_test_unhog(test, 2);
	tmm_test_unhog(test, 4);
	tmm_test_unhog_for_tables(test);
	before = tmm_test_fingerprint(test);
	for (nth = 1; nth <= MAX_ALLOCATIONS; nth++) {
		tmm_test_fail_alloc(test, nth);
		err = p->run(test->priv);
		if (!tmm_test_fail_alloc_end())
			break;
		KUNIT_EXPECT_EQ_MSG(test, err, -ENOMEM, "allocation %u", nth);
		KUNIT_EXPECT_EQ_MSG(test, tmm_test_fingerprint(test), before, "allocation %u", nth);
		KUNIT_EXPECT_EQ(test, tmm_page_table_nr_mappings(tmm_test_root(test)), 0);
	}
	/* Without a failing allocation the operation succeeds. */
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, tmm_test_fingerprint(test), before);
	KUNIT_EXPECT_GT(test, nth, p->min_allocations);
}

static void fail_each_allocation_of_an_instance(struct kunit *test)
{
	struct tmm_memory memories[] = { tmm_test_memory_take(test), tmm_test_memory_take(test) };
	struct tmm_instance *inst = tmm_test_kvzalloc(test, sizeof(*inst));
	unsigned int nth;
	int err = -1;

	for (nth = 1; nth <= MAX_ALLOCATIONS; nth++) {
		tmm_test_fail_alloc(test, nth);
		err = tmm_instance_init(inst, memories, 2);
		if (!tmm_test_fail_alloc_end())
			break;
		KUNIT_EXPECT_EQ_MSG(test, err, -ENOMEM, "allocation %u", nth);
	}
	KUNIT_ASSERT_EQ(test, err, 0);
	/* The allocations are for the list of runs and the root. The allocators need none. */
	KUNIT_EXPECT_EQ(test, nth, 3);
	tmm_instance_exit(inst);
	tmm_test_memory_give(&memories[0]);
	tmm_test_memory_give(&memories[1]);
}

static struct kunit_case mapping_failures_cases[] = {
	KUNIT_CASE_PARAM(fail_each_allocation, operation_gen_params),
	KUNIT_CASE(fail_each_allocation_of_an_instance),
	{}
};

static struct kunit_suite mapping_failures_suite = {
	.name = "theseus_mm_mapping_failures",
	.init = tmm_test_instance_init,
	.exit = tmm_test_instance_exit,
	.test_cases = mapping_failures_cases,
};

kunit_test_suite(mapping_failures_suite);
