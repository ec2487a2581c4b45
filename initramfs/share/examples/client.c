// SPDX-License-Identifier: GPL-2.0
/* The life of a client: an open descriptor, fork(), and close. */
#include "example.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

/* A child process is the same client: a mapping that the child drops is dropped. */
static void drop_in_child(struct tmm_mapping *mapping)
{
	pid_t child = fork();
	int status;

	CHECK(child >= 0);
	if (!child)
		_exit(tmm_mapping_drop(&mapping) ? EXIT_FAILURE : EXIT_SUCCESS);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(status == 0);
	CHECK_REFUSED(ENOENT, tmm_mapping_remap(mapping, TMM_DATA));
	printf("dropped by a child: %s\n", strerror(ENOENT));
}

int main(void)
{
	int fd = open(TMM_DEVICE, O_RDWR | O_CLOEXEC), number = fd;
	struct tmm_client *client;
	struct tmm_mapping *mapping, *other;

	/* another process may have opened the descriptor; the client now owns it */
	CHECK(fd >= 0);
	client = tmm_client_from_fd(&fd);
	CHECK(client && fd == -1);
	CHECK(tmm_client_fd(client) == number);
	mapping = tmm_mapping_create(client, TMM_PAGE_SIZE, TMM_DATA, NULL);
	other = tmm_mapping_create(client, TMM_PAGE_SIZE, TMM_DATA, NULL);
	CHECK(mapping && other);
	drop_in_child(mapping);

	/* close frees all mappings; dropping the pointers frees the library's memory */
	tmm_client_close(&client);
	CHECK_REFUSED(EBADF, tmm_mapping_remap(other, TMM_DATA));
	printf("after the client was closed: %s\n", strerror(EBADF));
	CHECK(!tmm_mapping_drop(&mapping));
	CHECK(!tmm_mapping_drop(&other));
	return EXIT_SUCCESS;
}
