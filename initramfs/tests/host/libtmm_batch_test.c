// SPDX-License-Identifier: GPL-2.0
/*
 * The library creates and drops many mappings in one call.
 */
#include "libtmm_test.h"

#define NR	4

static void fill(struct tmm_create_item *items)
{
	int i;

	for (i = 0; i < NR; i++)
		items[i] = (struct tmm_create_item){
			.nr_bytes = (i + 1) * TMM_PAGE_SIZE,
			.flags = TMM_DATA,
			.is_contiguous = i == 1,
			.error = -1,
		};
}

static void many_each_for_itself(void)
{
	struct tmm_client *client = new_client();
	struct tmm_mapping *mappings[NR], *kept;
	struct tmm_create_item items[NR];
	int errors[NR];

	fill(items);
	fake.bad_item = 2;
	EXPECT(tmm_mapping_create_many(client, items, mappings, NR, 0) == NR - 1);
	EXPECT(!items[0].error && items[1].error == EBUSY && !items[2].error);
	EXPECT(mappings[0] && !mappings[1] && mappings[3]);
	EXPECT(tmm_mapping_size(mappings[3]) == 4 * TMM_PAGE_SIZE);
	EXPECT(tmm_mapping_address(mappings[3]) == 0x1000 * tmm_mapping_handle(mappings[3]));
	EXPECT(tmm_mapping_handle(mappings[3]) == tmm_mapping_handle(mappings[0]) + 2);

	/* bad_item 2 is now mappings[2], since the library skips the NULL in mappings[1] */
	kept = mappings[2];
	EXPECT(tmm_mapping_drop_many(mappings, errors, NR, 0) == NR - 1);
	EXPECT(fake.argument.batch.nr_items == NR - 1);
	EXPECT(!mappings[0] && !mappings[1] && mappings[2] == kept && !mappings[3]);
	EXPECT(!errors[0] && !errors[1] && errors[2] == EBUSY && !errors[3]);
	fake.bad_item = 0;
	EXPECT(tmm_mapping_drop_many(mappings, NULL, NR, 0) == NR);
	EXPECT(!mappings[2] && fake.argument.batch.nr_items == 1);

	/* no mapping is left, so the library makes no call */
	fake.last = 0;
	EXPECT(tmm_mapping_drop_many(mappings, errors, NR, 0) == NR && !fake.last);
	tmm_client_close(&client);
}

static void many_all_or_nothing(void)
{
	struct tmm_client *client = new_client();
	struct tmm_mapping *mappings[NR] = { NULL }, *kept;
	struct tmm_create_item items[NR];
	int errors[NR];

	fill(items);
	fake.bad_item = 3;
	EXPECT_REFUSED(EBUSY, tmm_mapping_create_many(client, items, mappings, NR,
						      TMM_ALL_OR_NOTHING) == -1);
	EXPECT(items[0].error == ECANCELED && items[2].error == EBUSY && !mappings[0]);
	fake.bad_item = 0;
	EXPECT(tmm_mapping_create_many(client, items, mappings, NR, TMM_ALL_OR_NOTHING) == NR);
	EXPECT(!items[2].error && mappings[2]);
	kept = mappings[0];
	fake.bad_item = 3;
	EXPECT_REFUSED(EBUSY, tmm_mapping_drop_many(mappings, errors, NR,
						    TMM_ALL_OR_NOTHING) == -1);
	EXPECT(errors[0] == ECANCELED && errors[2] == EBUSY && mappings[0] == kept);
	fake.bad_item = 0;
	EXPECT(tmm_mapping_drop_many(mappings, errors, NR, TMM_ALL_OR_NOTHING) == NR);
	EXPECT(!mappings[0] && !errors[2]);
	tmm_client_close(&client);
}

static void many_are_checked(void)
{
	struct tmm_client *client = new_client(), *stranger = new_client();
	struct tmm_mapping *mappings[NR] = { new_mapping(client), NULL, new_mapping(stranger) };
	struct tmm_create_item items[NR];
	const int nr_calls = fake.nr_calls;

	fill(items);
	EXPECT_REFUSED(EXDEV, tmm_mapping_drop_many(mappings, NULL, NR, 0) == -1);
	EXPECT_REFUSED(EINVAL, tmm_mapping_drop_many(mappings, NULL, NR, 2) == -1);
	EXPECT_REFUSED(EINVAL, tmm_mapping_drop_many(mappings, NULL, TMM_MAX_MANY + 1, 0) == -1);
	EXPECT_REFUSED(EINVAL, tmm_mapping_create_many(client, items, mappings, NR, 2) == -1);
	EXPECT_REFUSED(EINVAL, tmm_mapping_create_many(client, items, mappings, UINT32_MAX,
						       0) == -1);
	items[3].reserved[2] = 1;
	EXPECT_REFUSED(EINVAL, tmm_mapping_create_many(client, items, mappings, NR, 0) == -1);
	items[3].reserved[2] = 0;
	EXPECT_REFUSED(EBADF, tmm_mapping_create_many(NULL, items, mappings, NR, 0) == -1);
	/* an empty array succeeds */
	EXPECT_REFUSED(EINVAL, tmm_mapping_create_many(client, items, mappings, 0, 2) == -1);
	EXPECT_REFUSED(EINVAL, tmm_mapping_drop_many(mappings, NULL, 0, 2) == -1);
	EXPECT(tmm_mapping_create_many(client, items, mappings, 0, 0) == 0);
	EXPECT(tmm_mapping_drop_many(mappings, NULL, 0, 0) == 0);
	EXPECT(tmm_mapping_create_many(client, items, mappings, 0, TMM_ALL_OR_NOTHING) == 0);
	EXPECT(tmm_mapping_drop_many(mappings, NULL, 0, TMM_ALL_OR_NOTHING) == 0);
	EXPECT(fake.nr_calls == nr_calls);
	EXPECT(mappings[0] && !mappings[1] && mappings[2] && items[0].error == -1);

	/* after the client is closed, only the library's memory is freed */
	tmm_client_close(&stranger);
	EXPECT(tmm_mapping_drop_many(mappings + 1, NULL, NR - 1, 0) == NR - 1);
	EXPECT(!mappings[2]);
	EXPECT(!tmm_mapping_drop(&mappings[0]));
	tmm_client_close(&client);
}

static void many_without_memory(void)
{
	struct tmm_client *client = new_client();
	struct tmm_mapping *mappings[NR] = { NULL };
	struct tmm_create_item items[NR];
	const int nr_calls = fake.nr_calls;
	int i;

	fill(items);
	for (i = 1; i <= 2 + NR; i++) {
		no_memory_at = i;
		EXPECT_REFUSED(ENOMEM, tmm_mapping_create_many(client, items, mappings, NR,
							       0) == -1);
		no_memory_at = 0;
		EXPECT(!mappings[0] && fake.nr_calls == nr_calls);
	}
	EXPECT(tmm_mapping_create_many(client, items, mappings, NR, 0) == NR);
	fake.error = ENOMEM;
	EXPECT_REFUSED(ENOMEM, tmm_mapping_drop_many(mappings, NULL, NR, 0) == -1);
	fake.error = 0;
	EXPECT(mappings[0] && mappings[3]);
	no_memory_at = 1;
	EXPECT_REFUSED(ENOMEM, tmm_mapping_drop_many(mappings, NULL, NR, 0) == -1);
	EXPECT(mappings[0] && mappings[3]);
	EXPECT(tmm_mapping_drop_many(mappings, NULL, NR, 0) == NR);
	tmm_client_close(&client);
}

void test_batches(void)
{
	many_each_for_itself();
	many_all_or_nothing();
	many_are_checked();
	many_without_memory();
}
