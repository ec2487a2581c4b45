// SPDX-License-Identifier: GPL-2.0
/* Debug kernel: kmemleak finds memory that a killed process leaves. */
/* Races: kills at any moment. */
/*
 * When the last descriptor of a client is closed, in any way, all that the client owns is freed,
 * and not before.
 *
 * The fixture's own client owns nothing; it only watches.
 */
#include "client.h"
#include "descriptor.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

/* Make and use objects of each kind. */
static int own_things(int fd)
{
	struct theseus_mm_allocate call = { .size = 11 };
	struct theseus_mm_create_mapping mapping;
	int err;

	err = uapi_allocate_pages(fd, &call);
	call = (struct theseus_mm_allocate){ .size = 13 };
	if (!err)
		err = uapi_allocate_frames(fd, &call);
	if (!err)
		err = uapi_create_mapping(fd, 17 * PAGE, THESEUS_MM_PTE_DATA, &mapping);
	if (!err)
		err = uapi_write(fd, mapping.handle, 5 * PAGE, "something", 9);
	return err;
}

#define EXPECT_OWNED()									\
	do {										\
		struct theseus_mm_info _info = INFO();					\
											\
		EXPECT_EQ(self->start.pages_free - 28, _info.pages_free);		\
		EXPECT_GE(self->start.frames_free - 30, _info.frames_free);		\
		EXPECT_EQ(self->start.nr_mappings + 1, _info.nr_mappings);		\
	} while (0)

static int end_of(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

TEST_F(client, close_gives_back)
{
	int fd = uapi_open(NULL);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, own_things(fd));
	EXPECT_OWNED();
	close(fd);
	EXPECT_ALL_BACK();
}

TEST_F(client, clients_do_not_share)
{
	struct theseus_mm_info info;
	int fd = uapi_open(NULL);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, own_things(fd));
	ASSERT_EQ(0, uapi_get_info(fd, &info));
	EXPECT_EQ(3, info.client_handles);
	EXPECT_EQ(30, info.client_frames);
	EXPECT_EQ(0, INFO().client_handles);
	EXPECT_EQ(0, INFO().client_frames);
	close(fd);
}

TEST_F(client, dup_keeps)
{
	int fd = uapi_open(NULL), copy;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, own_things(fd));
	copy = dup(fd);
	close(fd);
	EXPECT_OWNED();
	close(copy);
	EXPECT_ALL_BACK();
}

TEST_F(client, dup_is_the_same_client)
{
	__u32 handle = PAGES(3).handle;
	int copy = dup(self->fd);

	EXPECT_EQ(0, uapi_drop(copy, handle));
	EXPECT_GONE(handle);
	close(copy);
}

TEST_F(client, a_forked_child_is_the_same_client)
{
	__u32 handle = PAGES(3).handle;
	pid_t child = fork();

	ASSERT_LE(0, child);
	if (!child)
		_exit(uapi_drop(self->fd, handle) ? 1 : 0);
	EXPECT_EQ(0, end_of(child));
	EXPECT_GONE(handle);
}

TEST_F(client, a_forked_child_keeps)
{
	int fd = uapi_open(NULL), ends[2];
	pid_t child;
	char byte;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, own_things(fd));
	ASSERT_EQ(0, pipe(ends));
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		close(ends[1]);
		_exit(read(ends[0], &byte, 1) != 0);
	}
	close(fd);
	EXPECT_OWNED();
	close(ends[0]);
	close(ends[1]);
	EXPECT_EQ(0, end_of(child));
	EXPECT_ALL_BACK();
}

TEST_F(client, exit_gives_back)
{
	pid_t child = fork();
	int fd;

	ASSERT_LE(0, child);
	if (!child) {
		fd = uapi_open(NULL);
		_exit(fd < 0 || own_things(fd) ? 1 : 0);
	}
	EXPECT_EQ(0, end_of(child));
	EXPECT_ALL_BACK();
}

TEST_F(client, exec_gives_back)
{
	int ends[2], fd;
	pid_t child;
	char byte;

	/* exec closes this end, so this process sees the exec */
	ASSERT_EQ(0, pipe2(ends, O_CLOEXEC));
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		fd = uapi_open(NULL);
		if (fd < 0 || own_things(fd))
			_exit(1);
		execlp("sleep", "sleep", "100", (char *)NULL);
		_exit(1);
	}
	close(ends[1]);
	EXPECT_EQ(0, read(ends[0], &byte, 1));
	EXPECT_EQ(0, waitpid(child, NULL, WNOHANG));
	/* Linux 7.3 closes the pipe before the device, whose release is still to come. */
	EXPECT_TRUE(BECOMES(INFO().frames_free == self->start.frames_free));
	EXPECT_ALL_BACK();
	kill(child, SIGKILL);
	end_of(child);
}

TEST_F(client, the_end_of_a_thread_takes_nothing)
{
	pthread_t thread;
	void *result;

	ASSERT_EQ(0, pthread_create(&thread, NULL, (void *(*)(void *))(uintptr_t)own_things,
				    (void *)(intptr_t)self->fd));
	ASSERT_EQ(0, pthread_join(thread, &result));
	EXPECT_OWNED();
}

/* Make a client that owns objects, and leave its only descriptor in a socket of @sockets. */
#define SEND_OWNER(sockets)								\
	do {										\
		int _fd = uapi_open(NULL);						\
											\
		ASSERT_LE(0, _fd);							\
		ASSERT_EQ(0, own_things(_fd));						\
		ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));		\
		ASSERT_TRUE(send_descriptor((sockets)[0], _fd));			\
		close(_fd);								\
		EXPECT_OWNED();								\
	} while (0)

/* A descriptor in a socket keeps the client open. */
TEST_F(client, a_descriptor_under_way_keeps)
{
	int sockets[2], fd;

	SEND_OWNER(sockets);
	fd = receive_descriptor(sockets[1]);
	ASSERT_LE(0, fd);
	EXPECT_OWNED();
	close(fd);
	EXPECT_ALL_BACK();
}

TEST_F(client, a_descriptor_that_never_arrives_gives_back)
{
	int sockets[2];

	SEND_OWNER(sockets);
	close(sockets[0]);
	close(sockets[1]);
	EXPECT_ALL_BACK();
}

/* --- SIGKILL in the middle of work --------------------------------------------------------- */

/**
 * killed variants - what the child does over and over until it is killed
 * @work: one round of the child's work
 */
FIXTURE(killed)
{
	int fd;
	struct theseus_mm_info start;
};

FIXTURE_VARIANT(killed)
{
	void (*work)(int fd);
};

static void work_create_and_drop(int fd)
{
	struct theseus_mm_create_mapping mapping;

	if (!uapi_create_mapping(fd, 600 * PAGE, THESEUS_MM_PTE_DATA, &mapping))
		uapi_drop(fd, mapping.handle);
}

static void work_create_huge(int fd)
{
	struct theseus_mm_create_mapping mapping;

	if (!uapi_create_mapping(fd, 16384 * PAGE, THESEUS_MM_PTE_DATA, &mapping))
		uapi_drop(fd, mapping.handle);
}

static void work_own_more(int fd)
{
	own_things(fd);
}

static void work_write(int fd)
{
	static char buffer[600 * PAGE];
	struct theseus_mm_create_mapping mapping;

	if (!uapi_create_mapping(fd, sizeof(buffer), THESEUS_MM_PTE_DATA, &mapping))
		while (!uapi_write(fd, mapping.handle, 0, buffer, sizeof(buffer)))
			;
}

static void work_split_and_merge(int fd)
{
	struct theseus_mm_create_mapping mapping;
	__u32 first, second;

	if (uapi_create_mapping(fd, 64 * PAGE, THESEUS_MM_PTE_DATA, &mapping))
		return;
	while (!uapi_split(fd, mapping.handle, 31 * PAGE, &first, &second) &&
	       !uapi_merge(fd, first, second))
		mapping.handle = first;
}

static void work_map_and_unmap(int fd)
{
	struct theseus_mm_allocate pages = { .size = 600 }, frames = { .size = 600 };
	struct theseus_mm_map mapping;
	__u32 nr;

	if (uapi_allocate_pages(fd, &pages) || uapi_allocate_frames(fd, &frames))
		return;
	do {
		if (uapi_map_allocated_pages_to(fd, pages.handle, frames.handle,
						THESEUS_MM_PTE_DATA, &mapping))
			return;
		nr = 1;
	} while (!uapi_unmap_into_parts(fd, mapping.handle, &pages.handle, &frames.handle, &nr));
}

static void work_remap(int fd)
{
	struct theseus_mm_create_mapping mapping;

	if (uapi_create_mapping(fd, 600 * PAGE, THESEUS_MM_PTE_DATA, &mapping))
		return;
	while (!uapi_remap(fd, mapping.handle, READ_ONLY) &&
	       !uapi_remap(fd, mapping.handle, THESEUS_MM_PTE_DATA))
		;
}

FIXTURE_VARIANT_ADD(killed, create_and_drop) { .work = work_create_and_drop };
FIXTURE_VARIANT_ADD(killed, create_huge) { .work = work_create_huge };
FIXTURE_VARIANT_ADD(killed, own_more) { .work = work_own_more };
FIXTURE_VARIANT_ADD(killed, write) { .work = work_write };
FIXTURE_VARIANT_ADD(killed, split_and_merge) { .work = work_split_and_merge };
FIXTURE_VARIANT_ADD(killed, map_and_unmap) { .work = work_map_and_unmap };
FIXTURE_VARIANT_ADD(killed, remap) { .work = work_remap };

FIXTURE_SETUP(killed)
{
	CLIENT_SETUP();
}

FIXTURE_TEARDOWN(killed)
{
	close(self->fd);
}

static void work_until_killed(void (*work)(int fd), int ready)
{
	int fd = uapi_open(NULL);

	if (fd < 0 || write(ready, "", 1) != 1)
		_exit(1);
	for (;;)
		work(fd);
}

#define NR_KILLS	6

/*
 * Kill the child at another moment each time: the delay is a growing multiple of a prime number of
 * microseconds.
 */
TEST_F(killed, gives_back)
{
	struct timespec delay = { 0 };
	int ends[2], status, i;
	pid_t child;
	char byte;

	for (i = 0; i < NR_KILLS; i++) {
		ASSERT_EQ(0, pipe(ends));
		child = fork();
		ASSERT_LE(0, child);
		if (!child)
			work_until_killed(variant->work, ends[1]);
		ASSERT_EQ(1, read(ends[0], &byte, 1));
		delay.tv_nsec = (1 + i * i) * 7919 * 1000L;
		nanosleep(&delay, NULL);
		kill(child, SIGKILL);
		status = end_of(child);
		EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		EXPECT_ALL_BACK();
		close(ends[0]);
		close(ends[1]);
	}
}

TEST_HARNESS_MAIN
