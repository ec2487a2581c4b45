// SPDX-License-Identifier: GPL-2.0
/* A descriptor that lends a mapping is made while another thread drops the mapping's handle. */
#include "device/client/lending.h"

#include "alloc/account.h"
#include "device/call/call.h"
#include "device/client/client.h"
#include "device/client/handles.h"
#include "mapping/create.h"
#include "mapping/mapped_pages.h"

#include "support/fixture.h"
#include "support/instance_fixture.h"

#include <linux/err.h>
#include <linux/errno.h>
#include <linux/file.h>
#include <linux/fs.h>

static u32 create_mapping(struct kunit *test, struct tmm_client *client)
{
	struct tmm_object *object = tmm_handle_reserve(client);
	struct tmm_mapped_pages *mp;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, object);
	mp = tmm_instance_create_mapping(tmm_test_inst(test), tmm_test_root(test), TMM_PAGE_SIZE,
					 TMM_TEST_WRITABLE, true);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mp);
	object->kind = THESEUS_MM_KIND_MAPPING;
	object->mapping = mp;
	tmm_handle_publish(client, object);
	return object->handle;
}

/* A call that drops the handle, and its result. */
struct dropping {
	struct tmm_call call;
	int err;
};

static void drop_handle(void *context)
{
	struct dropping *dropping = context;

	dropping->err = tmm_ioctl_drop(&dropping->call);
}

/* Whenever the handle is dropped, there is either no descriptor, or a stale one. */
static void handle_is_dropped_while_a_descriptor_is_made(struct kunit *test)
{
	struct tmm_client *client = tmm_client_create(tmm_test_inst(test));
	struct dropping dropping = { .call.client = client, .err = -EINVAL };
	struct theseus_mm_query query;
	unsigned int nth, nr_stale = 0;
	struct file *file;
	u32 handle;
	bool hit;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, client);
	for (nth = 1;; nth++) {
		handle = create_mapping(test, client);
		dropping.call.arg.drop.handle = handle;
		tmm_test_in_alloc(test, nth, drop_handle, &dropping);
		file = tmm_lending_create(client, handle, false);
		hit = tmm_test_fail_alloc_end();
		if (!hit)
			break;
		KUNIT_EXPECT_EQ(test, dropping.err, 0);
		if (IS_ERR(file)) {
			KUNIT_EXPECT_EQ_MSG(test, PTR_ERR(file), -ENOENT, "allocation %u", nth);
			continue;
		}
		KUNIT_EXPECT_EQ_MSG(test, tmm_lending_query(file->private_data, &query), -ESTALE,
				    "allocation %u", nth);
		nr_stale++;
		fput(file);
	}
	/*
	 * In some rounds the handle was dropped before tmm_lending_create() had found the mapping,
	 * and in other rounds afterwards.
	 */
	KUNIT_EXPECT_GT(test, nth, nr_stale + 1);
	KUNIT_EXPECT_GT(test, nr_stale, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	KUNIT_EXPECT_EQ(test, tmm_lending_query(file->private_data, &query), 0);
	drop_handle(&dropping);
	KUNIT_EXPECT_EQ(test, tmm_lending_query(file->private_data, &query), -ESTALE);
	fput(file);
	flush_delayed_fput();
	tmm_client_destroy(client);
}

static struct kunit_case lending_race_cases[] = {
	KUNIT_CASE(handle_is_dropped_while_a_descriptor_is_made),
	{}
};

static struct kunit_suite lending_race_suite = {
	.name = "theseus_mm_lending_race",
	.init = tmm_test_instance_init,
	.exit = tmm_test_instance_exit,
	.test_cases = lending_race_cases,
};

kunit_test_suite(lending_race_suite);
