// SPDX-License-Identifier: GPL-2.0
/* A shareable mapping: two processes count together, with atomics instead of borrows. */
#include "example.h"

#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE	TMM_PAGE_SIZE
#define ROUNDS	100000

/* In a window of its own: those of the parent are not inherited. */
static void count(struct tmm_mapping *mapping)
{
	atomic_int *counter = tmm_mapping_mmap(mapping, 0, SIZE, PROT_READ | PROT_WRITE);
	int i;

	CHECK(counter);
	for (i = 0; i < ROUNDS; i++)
		atomic_fetch_add(counter, 1);
	CHECK(!tmm_mapping_munmap(counter, SIZE));
}

int main(void)
{
	struct tmm_client *client = tmm_client_open(NULL);
	struct tmm_mapping *mapping;
	struct tmm_mapping_info info;
	int *result, status;
	pid_t child;

	CHECK(client);
	mapping = tmm_mapping_create(client, SIZE, TMM_DATA, NULL);
	CHECK(mapping);
	CHECK(!tmm_mapping_share(mapping, true));
	CHECK(!tmm_mapping_query(mapping, &info) && info.is_shareable);

	/* while this window is there, nobody else could write to another mapping */
	result = tmm_mapping_mmap(mapping, 0, SIZE, PROT_READ | PROT_WRITE);
	CHECK(result);
	child = fork();
	CHECK(child >= 0);
	if (!child) {
		count(mapping);
		_exit(EXIT_SUCCESS);
	}
	count(mapping);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	printf("counted by two: %d\n", *result);
	CHECK(*result == 2 * ROUNDS);

	/* one writer again, once they are gone */
	CHECK_REFUSED(EBUSY, tmm_mapping_share(mapping, false));
	CHECK(!tmm_mapping_munmap(result, SIZE));
	CHECK(!tmm_mapping_share(mapping, false));
	CHECK(!tmm_mapping_drop(&mapping));
	tmm_client_close(&client);
	return EXIT_SUCCESS;
}
