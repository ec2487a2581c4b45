// SPDX-License-Identifier: GPL-2.0
/* Wait for free memory after a failure, and try again. */
#include "example.h"

#include <pthread.h>
#include <time.h>

#define SIZE	(64 * TMM_PAGE_SIZE)

/* Play the part of another owner, who drops a mapping after a while. */
static void *hold_and_drop(void *argument)
{
	struct tmm_mapping *mapping = argument;

	nanosleep(&(struct timespec){ .tv_nsec = 50 * 1000 * 1000 }, NULL);
	CHECK(!tmm_mapping_drop(&mapping));
	return NULL;
}

static struct tmm_mapping *create_patiently(struct tmm_client *client)
{
	struct tmm_mapping *mapping;
	int rounds = 0;

	while (!(mapping = tmm_mapping_create(client, SIZE, TMM_DATA, NULL))) {
		CHECK(errno == ENOSPC || errno == EDQUOT);
		CHECK(!tmm_client_wait(client, 10 * 1000));
		rounds++;
	}
	printf("%s\n", rounds ? "created after a wait" : "created at once");
	return mapping;
}

int main(void)
{
	struct tmm_client *client = tmm_client_open(NULL);
	struct tmm_mapping *mapping;
	struct tmm_limits limits;
	pthread_t holder;

	CHECK(client);
	mapping = tmm_mapping_create(client, SIZE, TMM_DATA, NULL);
	CHECK(mapping);

	/* make memory short with a limit; page tables need some frames too */
	CHECK(!tmm_client_limits(client, &limits));
	limits.client_frames_max = limits.client_frames + 16;
	CHECK(!tmm_client_set_limits(client, TMM_LIMIT_FRAMES, &limits));
	CHECK_REFUSED(EDQUOT, !tmm_mapping_create(client, SIZE, TMM_DATA, NULL));
	CHECK_REFUSED(ETIMEDOUT, tmm_client_wait(client, 10));
	CHECK(!pthread_create(&holder, NULL, hold_and_drop, mapping));
	mapping = create_patiently(client);
	CHECK(!pthread_join(holder, NULL));
	CHECK(!tmm_mapping_drop(&mapping));
	tmm_client_close(&client);
	return EXIT_SUCCESS;
}
