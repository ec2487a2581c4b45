// SPDX-License-Identifier: GPL-2.0
/*
 * A mapping of more runs than an array of pointers can list. Machines with more than 1 TiB can
 * have such mappings.
 */
#include "alloc/account.h"
#include "device/call/call.h"
#include "device/client/client.h"
#include "device/client/handles.h"
#include "mapping/create.h"
#include "mapping/mapped_pages.h"

#include "support/fixture.h"
#include "support/instance_fixture.h"

/* An array with a pointer for each run takes 4 GiB. */
#define NR_RUNS	(1U << 29)

/* An administrator may remove all limits. */
static const u64 no_limits[TMM_NR_RESOURCES] = { TMM_NO_LIMIT, TMM_NO_LIMIT, TMM_NO_LIMIT };

/*
 * kvmalloc() warns about requests for more than 2 GiB, and a client must not be able to cause a
 * warning. The test rig would detect the warning. The refused call changes nothing.
 */
static void unmap_into_more_parts_than_there_is_room_for(struct kunit *test)
{
	struct tmm_client *client = tmm_client_create(tmm_test_inst(test));
	struct tmm_object *object;
	struct tmm_mapped_pages *mp;
	struct tmm_call call = { .client = client };
	const u64 *max, *user_max;
	u64 nr_handles;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, client);
	max = client->account->max;
	user_max = client->account->parent->max;
	object = tmm_handle_reserve(client);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, object);
	mp = tmm_instance_create_mapping(tmm_test_inst(test), tmm_test_root(test), 4096,
					 TMM_TEST_WRITABLE, true);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mp);
	object->kind = THESEUS_MM_KIND_MAPPING;
	object->mapping = mp;
	call.arg.unmap.handle = object->handle;
	call.arg.unmap.nr_frames = U32_MAX;
	tmm_handle_publish(client, object);
	nr_handles = tmm_account_count(client->account, TMM_RESOURCE_HANDLES);

	mp->nr_frame_ranges = NR_RUNS;
	KUNIT_EXPECT_EQ(test, tmm_ioctl_unmap_into_parts(&call), -EDQUOT);
	client->account->max = no_limits;
	client->account->parent->max = no_limits;
	KUNIT_EXPECT_EQ(test, tmm_ioctl_unmap_into_parts(&call), -ENOMEM);
	client->account->max = max;
	client->account->parent->max = user_max;
	mp->nr_frame_ranges = 1;
	KUNIT_EXPECT_EQ(test, tmm_account_count(client->account, TMM_RESOURCE_HANDLES),
			nr_handles);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_nr_bytes(mp), 4096);
	tmm_client_destroy(client);
}

static struct kunit_case parts_cases[] = {
	KUNIT_CASE(unmap_into_more_parts_than_there_is_room_for),
	{}
};

static struct kunit_suite parts_suite = {
	.name = "theseus_mm_parts",
	.init = tmm_test_instance_init,
	.exit = tmm_test_instance_exit,
	.test_cases = parts_cases,
};

kunit_test_suite(parts_suite);
