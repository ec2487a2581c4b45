// SPDX-License-Identifier: GPL-2.0
/* Show the limits of a client, and lower one. */
#include "example.h"

static void show(const char *what, uint64_t limit, uint64_t used)
{
	if (limit == TMM_NO_LIMIT)
		printf("%s: %" PRIu64 ", no limit\n", what, used);
	else
		printf("%s: %" PRIu64 " of at most %" PRIu64 "\n", what, used, limit);
}

int main(void)
{
	struct tmm_client *client = tmm_client_open(NULL);
	struct tmm_mapping *mapping;
	struct tmm_limits limits;

	CHECK(client);
	CHECK(!tmm_client_limits(client, &limits));
	show("this client's frames", limits.client_frames_max, limits.client_frames);
	show("this client's pages", limits.client_pages_max, limits.client_pages);
	show("this client's objects", limits.client_handles_max, limits.client_handles);
	show("this user's frames", limits.user_frames_max, limits.user_frames);
	show("this user's pages", limits.user_pages_max, limits.user_pages);
	show("this user's objects", limits.user_handles_max, limits.user_handles);

	/* the client keeps what it owns, but cannot allocate more */
	mapping = tmm_mapping_create(client, 16 * TMM_PAGE_SIZE, TMM_DATA, NULL);
	CHECK(mapping);
	limits.client_frames_max = 16;
	CHECK(!tmm_client_set_limits(client, TMM_LIMIT_FRAMES, &limits));
	CHECK_REFUSED(EDQUOT, !tmm_mapping_create(client, TMM_PAGE_SIZE, TMM_DATA, NULL));
	CHECK(!tmm_client_limits(client, &limits));
	show("after lowering the limit", limits.client_frames_max, limits.client_frames);
	CHECK(limits.client_frames_max == 16 && limits.client_handles == 1);
	CHECK(!tmm_mapping_drop(&mapping));
	tmm_client_close(&client);
	return EXIT_SUCCESS;
}
