// SPDX-License-Identifier: GPL-2.0
/* Hand a mapping over: it has one owner at any moment, a client or a descriptor. */
#include "example.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE	(4 * TMM_PAGE_SIZE)

static const char text[] = "from the first owner";

static struct tmm_mapping *make(struct tmm_client *client)
{
	struct tmm_mapping *mapping = tmm_mapping_create(client, SIZE, TMM_DATA, NULL);

	CHECK(mapping);
	CHECK(!tmm_mapping_write(mapping, 0, text, sizeof(text)));
	return mapping;
}

/* A process that has the descriptor can mmap the memory without a client. */
static void look_through_descriptor(int fd)
{
	struct tmm_revocation revocation;
	struct tmm_mapping_info info;
	struct stat status;
	char *bytes;

	CHECK(!fstat(fd, &status) && status.st_size == SIZE);
	CHECK(!tmm_fd_query(fd, &info));
	CHECK(info.nr_bytes == SIZE && info.flags & TMM_WRITABLE && !info.nr_borrows);
	bytes = mmap(NULL, info.nr_bytes, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(bytes != MAP_FAILED);
	printf("a descriptor of %" PRIu64 " bytes: \"%s\"\n", info.nr_bytes, bytes);

	/* windows of an exported mapping can be revoked too */
	CHECK(!tmm_fd_revoke(fd, &revocation));
	CHECK(revocation.nr_revoked == 1);
	CHECK(!munmap(bytes, SIZE));
}

/* The receiving process, with its own client. */
static int receive(int socket)
{
	struct tmm_client *client = tmm_client_open(NULL);
	struct tmm_mapping *mapping;
	int fd, other;

	CHECK(client);
	fd = tmm_fd_receive(socket);
	CHECK(fd >= 0);
	look_through_descriptor(fd);

	/* the import closes the descriptor and makes all others stale */
	other = dup(fd);
	CHECK(other >= 0);
	mapping = tmm_mapping_import(client, &fd);
	CHECK(mapping && fd == -1 && tmm_mapping_size(mapping) == SIZE);
	CHECK_REFUSED(ESTALE, !tmm_mapping_import(client, &other));
	CHECK(!close(other));
	CHECK(!tmm_mapping_drop(&mapping));

	/* the sender has closed its end */
	CHECK_REFUSED(ECONNRESET, tmm_fd_receive(socket) < 0);
	tmm_client_close(&client);
	return EXIT_SUCCESS;
}

static void pass_on(struct tmm_client *client)
{
	struct tmm_mapping *mapping = make(client);
	int ends[2], fd, status;
	pid_t child;

	CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
	child = fork();
	CHECK(child >= 0);
	if (!child) {
		close(ends[0]);
		_exit(receive(ends[1]) || fflush(stdout));
	}
	close(ends[1]);
	fd = tmm_mapping_export(&mapping);
	CHECK(fd >= 0 && !mapping);
	CHECK(!tmm_fd_send(ends[0], fd));

	/* a descriptor in a socket owns the mapping too, so we can close ours */
	CHECK(!close(fd));
	CHECK(!close(ends[0]));
	CHECK(waitpid(child, &status, 0) == child && status == 0);
}

/* Closing the last descriptor drops the mapping. */
static void close_is_drop(struct tmm_client *client)
{
	struct tmm_mapping *mapping = make(client);
	struct tmm_info before, after;
	char *window;
	int fd;

	CHECK(!tmm_client_info(client, &before));
	window = tmm_mapping_mmap(mapping, 0, SIZE, PROT_READ);
	CHECK(window);
	CHECK_REFUSED(EBUSY, tmm_mapping_export(&mapping) < 0);
	CHECK(mapping && !tmm_mapping_munmap(window, SIZE));
	fd = tmm_mapping_export(&mapping);
	CHECK(fd >= 0);
	CHECK(!close(fd));
	CHECK(!tmm_client_info(client, &after));
	printf("closing the descriptor: %" PRIu64 " mappings before, %" PRIu64 " after\n",
	       before.nr_mappings, after.nr_mappings);
}

/* Lend a mapping to readers, who cannot write, and whose windows we can revoke. */
static void lend_to_readers(struct tmm_client *client)
{
	const struct tmm_export_options options = { .is_read_only = true };
	struct tmm_mapping *mapping = make(client);
	char *window;
	int fd;

	fd = tmm_mapping_lend(mapping, &options);
	CHECK(fd >= 0);
	window = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(window != MAP_FAILED);
	CHECK_REFUSED(EACCES, mprotect(window, SIZE, PROT_READ | PROT_WRITE));
	CHECK_REFUSED(EACCES, !tmm_mapping_import(client, &fd));
	CHECK(!tmm_mapping_revoke(mapping, NULL));
	CHECK(!munmap(window, SIZE));
	CHECK_REFUSED(ESTALE, mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED);
	CHECK(!close(fd));
	CHECK(!tmm_mapping_drop(&mapping));
}

/* Take back an export that no client has imported. The mapping is writable again. */
static void change_our_mind(struct tmm_client *client)
{
	const struct tmm_export_options options = { .is_read_only = true };
	struct tmm_mapping *mapping = make(client);
	uint32_t export_id;
	int fd;

	fd = tmm_mapping_export_as(&mapping, &options, &export_id);
	CHECK(fd >= 0 && !mapping);
	mapping = tmm_mapping_take_back(client, export_id);
	CHECK(mapping && !tmm_mapping_write(mapping, 0, "ours", 4));
	CHECK_REFUSED(ESTALE, !tmm_mapping_import(client, &fd));
	CHECK_REFUSED(ESTALE, !tmm_mapping_take_back(client, export_id));
	CHECK(!close(fd));
	CHECK(!tmm_mapping_drop(&mapping));
}

/* Make a dma-buf for a device. The client keeps the mapping. */
static void make_dmabuf(struct tmm_client *client)
{
	struct tmm_mapping *mapping = make(client);
	struct tmm_info info;
	int fd;

	CHECK(!tmm_client_info(client, &info));
	fd = tmm_mapping_export_dmabuf(mapping);
	if (info.features & TMM_FEATURE_DMABUF) {
		CHECK(fd >= 0);
		CHECK_REFUSED(EBUSY, tmm_mapping_drop(&mapping));
		printf("a dma-buf of %ld bytes\n", (long)lseek(fd, 0, SEEK_END));
		CHECK(!close(fd));
	} else {
		CHECK(fd < 0 && errno == EOPNOTSUPP);
		printf("no dma-buf: %s\n", strerror(EOPNOTSUPP));
	}
	CHECK(!tmm_mapping_drop(&mapping));
}

int main(void)
{
	struct tmm_client *client = tmm_client_open(NULL);

	CHECK(client);
	pass_on(client);
	close_is_drop(client);
	lend_to_readers(client);
	change_our_mind(client);
	make_dmabuf(client);
	tmm_client_close(&client);
	return EXIT_SUCCESS;
}
