// SPDX-License-Identifier: GPL-2.0
/* Races: processes that hand over to each other. */
/*
 * Exported mappings that are passed from process to process.
 */
#include "descriptor.h"
#include "export.h"

#include <pthread.h>

/* Also 32-bit: the tests pass descriptors on, and mmap them. */

#define NR_IMPORTS	200

struct importer {
	int fd;
	int export;
	int err;
	__u32 handle;
	pthread_barrier_t *barrier;
};

static void *import_once(void *argument)
{
	struct importer *importer = argument;

	pthread_barrier_wait(importer->barrier);
	importer->err = uapi_import(importer->fd, importer->export, &importer->handle);
	return NULL;
}

TEST_F_TIMEOUT(export, of_two_imports_one_wins, 60)
{
	struct importer importers[2] = { 0 };
	pthread_barrier_t barrier;
	pthread_t threads[2];
	int i, j, winner;

	pthread_barrier_init(&barrier, NULL, 2);
	for (i = 0; i < 2; i++) {
		importers[i].barrier = &barrier;
		importers[i].fd = uapi_open(NULL);
		ASSERT_LE(0, importers[i].fd);
	}
	for (i = 0; i < NR_IMPORTS; i++) {
		for (j = 0; j < 2; j++) {
			importers[j].export = self->export;
			ASSERT_EQ(0, pthread_create(&threads[j], NULL, import_once,
						    &importers[j]));
		}
		for (j = 0; j < 2; j++)
			ASSERT_EQ(0, pthread_join(threads[j], NULL));
		winner = importers[0].err ? 1 : 0;
		ASSERT_EQ(0, importers[winner].err);
		ASSERT_EQ(-ESTALE, importers[!winner].err);
		close(self->export);
		ASSERT_EQ(0, uapi_export(importers[winner].fd, importers[winner].handle,
					 &self->export));
	}
	for (i = 0; i < 2; i++)
		close(importers[i].fd);
	EXPECT_THERE();
}

/* The receiver calls @use with the received descriptor, and returns the result. */
static int receive_and(int socket, int (*use)(int fd, int export))
{
	int fd = uapi_open(NULL), export = receive_descriptor(socket);

	return fd < 0 || export < 0 ? 99 : use(fd, export);
}

static int import_it(int fd, int export)
{
	static unsigned char content[SIZE];
	__u32 handle;

	if (uapi_import(fd, export, &handle) || uapi_read(fd, handle, 0, content, SIZE))
		return 1;
	return nr_alike(content, 0, SIZE) == SIZE ? 0 : 2;
}

static int mmap_it(int fd, int export)
{
	unsigned char *area = mmap_export(export, SIZE, RW);

	close(fd);
	close(export);
	return area == MAP_FAILED || nr_alike(area, 0, SIZE) != SIZE;
}

static int keep_it(int fd, int export)
{
	unsigned char *area = mmap_export(export, SIZE, R);
	__u32 handle;

	if (area == MAP_FAILED || munmap(area, SIZE) || uapi_import(fd, export, &handle))
		return 1;
	for (;;)
		pause();
}

/* Pass the descriptor to a child, and keep none. */
static pid_t hand_over(struct __test_metadata *_metadata, FIXTURE_DATA(export) *self,
		       int (*use)(int fd, int export))
{
	int sockets[2];
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		/*
		 * close all inherited descriptors, since they would keep the mapping; only the
		 * received one stays
		 */
		close(self->export);
		close(self->fd);
		close(sockets[0]);
		_exit(receive_and(sockets[1], use));
	}
	close(sockets[1]);
	ASSERT_TRUE(send_descriptor(sockets[0], self->export));
	close(self->export);
	self->export = -1;
	close(sockets[0]);
	return pid;
}

static int exit_status(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(export, goes_to_another_process)
{
	EXPECT_EQ(0, exit_status(hand_over(_metadata, self, import_it)));
	EXPECT_ALL_BACK();
}

TEST_F(export, is_mmapped_by_another_process)
{
	EXPECT_EQ(0, exit_status(hand_over(_metadata, self, mmap_it)));
	EXPECT_ALL_BACK();
}

TEST_F(export, goes_with_the_process_that_has_it)
{
	pid_t pid = hand_over(_metadata, self, keep_it);

	EXPECT_THERE();
	kill(pid, SIGKILL);
	EXPECT_EQ(-1, exit_status(pid));
	EXPECT_ALL_BACK();
}

TEST_F(export, under_way_and_never_received)
{
	int sockets[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	ASSERT_TRUE(send_descriptor(sockets[0], self->export));
	close(self->export);
	self->export = -1;
	EXPECT_THERE();
	close(sockets[0]);
	EXPECT_THERE();
	close(sockets[1]);
	EXPECT_ALL_BACK();
}

/* The export is imported while a copy of the descriptor is in a socket: the copy is stale. */
TEST_F(export, under_way_while_it_is_imported)
{
	int sockets[2];
	__u32 handle;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	ASSERT_TRUE(send_descriptor(sockets[0], self->export));
	ASSERT_EQ(0, uapi_import(self->fd, self->export, &handle));
	close(self->export);
	self->export = receive_descriptor(sockets[1]);
	ASSERT_LE(0, self->export);
	EXPECT_STALE_EXPORT(self->export);
	EXPECT_EQ(NR, QUERY(handle).nr_pages);
}

TEST_F(export, is_inherited_by_fork)
{
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (!pid) {
		for (;;)
			pause();
	}
	close(self->export);
	self->export = -1;
	EXPECT_THERE();
	kill(pid, SIGKILL);
	exit_status(pid);
	EXPECT_ALL_BACK();
}

TEST_HARNESS_MAIN
