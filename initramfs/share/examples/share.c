// SPDX-License-Identifier: GPL-2.0
/* Share a mapping: two processes write to the same counter, with atomic operations. */
#include "example.h"

#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE	TMM_PAGE_SIZE
#define ROUNDS	100000

/* Each process makes its own window, since fork() does not inherit windows. */
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

	/* without share, this window would exclude all other windows */
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
	printf("two processes counted to %d\n", *result);
	CHECK(*result == 2 * ROUNDS);

	/* allow only one writer again; the call fails while there are windows */
	CHECK_REFUSED(EBUSY, tmm_mapping_share(mapping, false));
	CHECK(!tmm_mapping_munmap(result, SIZE));
	CHECK(!tmm_mapping_share(mapping, false));
	CHECK(!tmm_mapping_drop(&mapping));
	tmm_client_close(&client);
	return EXIT_SUCCESS;
}
