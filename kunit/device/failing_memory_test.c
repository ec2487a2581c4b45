// SPDX-License-Identifier: GPL-2.0
/*
 * Memory fails while a call clears the memory for its new owner. The call returns EIO and keeps
 * nothing. User space cannot cause this, because the module gives out no memory that has failed.
 */
#include "device/call/call.h"
#include "device/client/client.h"
#include "mapping/map.h"

#include "support/fixture.h"
#include "support/instance_fixture.h"

#include <linux/vmalloc.h>

/* The region with the only free frame, the region's own window, and an allocation of vmalloc(). */
struct failing_memory {
	struct tmm_frame_region *region;
	void *window;
	void *memory;
};

/*
 * Leave one frame free, and give the frame an address at which the kernel has no memory mapped:
 * that of the page behind an allocation of vmalloc(). Linux unmaps memory that fails, so clearing
 * such memory faults in the same way.
 */
static void break_memory(struct kunit *test, struct failing_memory *failing)
{
	struct tmm_test_instance *ti = test->priv;
	u64 number;

	failing->memory = vmalloc(PAGE_SIZE);
	KUNIT_ASSERT_NOT_NULL(test, failing->memory);
	tmm_test_hog(test);
	number = tmm_test_unhog(test, 1);
	failing->region = &ti->inst.memories[0].general;
	failing->window = failing->region->window;
	failing->region->window = failing->memory + PAGE_SIZE -
				  ((number - failing->region->range.first) << TMM_PAGE_SHIFT);
}

static void mend_memory(struct failing_memory *failing)
{
	failing->region->window = failing->window;
	vfree(failing->memory);
}

static void allocate_one_frame(struct tmm_call *call)
{
	call->arg.allocate = (struct theseus_mm_allocate){ .size = 1 };
}

static void create_one_page(struct tmm_call *call)
{
	call->arg.create = (struct theseus_mm_create_mapping){
		.size = PAGE_SIZE,
		.pte_flags = THESEUS_MM_PTE_DATA,
	};
}

struct call_param {
	const char *name;
	void (*prepare)(struct tmm_call *call);
	int (*serve)(struct tmm_call *call);
};

static const struct call_param call_params[] = {
	{ "ALLOCATE_FRAMES", allocate_one_frame, tmm_ioctl_allocate_frames },
	{ "CREATE_MAPPING", create_one_page, tmm_ioctl_create_mapping },
	{ "CREATE_CONTIGUOUS_MAPPING", create_one_page, tmm_ioctl_create_contiguous_mapping },
	{ "CREATE_IDENTITY_MAPPING", create_one_page, tmm_ioctl_create_identity_mapping },
};

TMM_ARRAY_PARAM(call, call_params);

static void a_call_that_clears_memory(struct kunit *test)
{
	const struct call_param *p = test->param_value;
	struct tmm_client *client = tmm_client_create(tmm_test_inst(test));
	struct tmm_call call = { .client = client };
	struct failing_memory failing;
	u64 before;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, client);
	break_memory(test, &failing);
	before = tmm_test_fingerprint(test);
	p->prepare(&call);
	KUNIT_EXPECT_EQ(test, p->serve(&call), -EIO);
	KUNIT_EXPECT_EQ(test, tmm_test_fingerprint(test), before);
	KUNIT_EXPECT_EQ(test, tmm_account_count(client->account, TMM_RESOURCE_HANDLES), 0);
	mend_memory(&failing);
	tmm_client_destroy(client);
}

/* MAP_ALLOCATED_PAGES replies before it maps, so the case calls the function below the call. */
static void map_allocated_pages(struct kunit *test)
{
	struct tmm_allocated_pages *pages = tmm_test_take_pages(test, tmm_private_first_page(), 1);
	struct failing_memory failing;
	struct tmm_mapped_pages *mp;
	u64 before;

	break_memory(test, &failing);
	before = tmm_test_fingerprint(test);
	mp = tmm_map_allocated_pages(tmm_test_root(test), &pages, TMM_TEST_WRITABLE, true);
	KUNIT_EXPECT_PTR_EQ(test, mp, ERR_PTR(-EIO));
	KUNIT_EXPECT_NOT_NULL(test, pages);
	KUNIT_EXPECT_EQ(test, tmm_test_fingerprint(test), before);
	mend_memory(&failing);
	tmm_mapped_pages_drop(&mp);
	tmm_allocated_pages_drop(&pages);
}

static struct kunit_case failing_memory_cases[] = {
	KUNIT_CASE_PARAM(a_call_that_clears_memory, call_gen_params),
	KUNIT_CASE(map_allocated_pages),
	{}
};

static struct kunit_suite failing_memory_suite = {
	.name = "theseus_mm_failing_memory",
	.init = tmm_test_instance_init,
	.exit = tmm_test_instance_exit,
	.test_cases = failing_memory_cases,
};

kunit_test_suite(failing_memory_suite);
