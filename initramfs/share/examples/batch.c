// SPDX-License-Identifier: GPL-2.0
/* Create and drop several mappings in one call: each on its own, or all or nothing. */
#include "example.h"

#define NR	64

static void each_for_itself(struct tmm_client *client)
{
	struct tmm_create_item items[3] = {
		{ .nr_bytes = TMM_PAGE_SIZE, .flags = TMM_DATA },
		{ .nr_bytes = 0, .flags = TMM_DATA },
		{ .nr_bytes = TMM_LARGE_PAGE_SIZE, .flags = TMM_DATA, .is_contiguous = true },
	};
	struct tmm_mapping *mappings[3];

	/* the item of size 0 fails; the other two mappings are created */
	CHECK(tmm_mapping_create_many(client, items, mappings, 3, 0) == 2);
	CHECK(mappings[0] && !mappings[1] && mappings[2]);
	printf("the second of three: %s\n", strerror(items[1].error));
	CHECK(tmm_mapping_size(mappings[2]) == TMM_LARGE_PAGE_SIZE);
	CHECK(tmm_mapping_drop_many(mappings, NULL, 3, 0) == 3);
}

static void all_or_nothing(struct tmm_client *client)
{
	struct tmm_mapping *mappings[NR] = { NULL };
	struct tmm_create_item items[NR];
	int errors[NR], i;
	char *window;

	for (i = 0; i < NR; i++)
		items[i] = (struct tmm_create_item){ .nr_bytes = (i + 1) * TMM_PAGE_SIZE };
	CHECK(tmm_mapping_create_many(client, items, mappings, NR, TMM_ALL_OR_NOTHING) == NR);
	printf("%d mappings, the last of %" PRIu64 " bytes\n", NR,
	       tmm_mapping_size(mappings[NR - 1]));

	/* one mapping is in use, so none is dropped */
	window = tmm_mapping_mmap(mappings[5], 0, TMM_PAGE_SIZE, PROT_READ);
	CHECK(window);
	CHECK_REFUSED(EBUSY, tmm_mapping_drop_many(mappings, errors, NR, TMM_ALL_OR_NOTHING) < 0);
	CHECK(mappings[0] && errors[0] == ECANCELED && errors[5] == EBUSY);

	/* without TMM_ALL_OR_NOTHING, all others are dropped */
	CHECK(tmm_mapping_drop_many(mappings, errors, NR, 0) == NR - 1);
	CHECK(!mappings[0] && mappings[5] && errors[5] == EBUSY);
	printf("the mapping that is in use: %s\n", strerror(errors[5]));
	CHECK(!tmm_mapping_munmap(window, TMM_PAGE_SIZE));
	CHECK(tmm_mapping_drop_many(mappings, errors, NR, TMM_ALL_OR_NOTHING) == NR);
}

int main(void)
{
	struct tmm_client *client = tmm_client_open(NULL);

	CHECK(client);
	each_for_itself(client);
	all_or_nothing(client);
	tmm_client_close(&client);
	return EXIT_SUCCESS;
}
