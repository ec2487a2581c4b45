// SPDX-License-Identifier: GPL-2.0
/* Races: wake-ups of descriptors. */
/*
 * poll() on descriptors of mappings: POLLIN while the mapping has no areas, POLLHUP and POLLERR
 * once the descriptor is stale and its last area is gone.
 */
#include "export.h"

#include <pthread.h>
#include <sys/epoll.h>

#define LEND(handle)	EXPORT_OF(handle, BORROW)

TEST_F(export, an_owner_that_nobody_uses)
{
	unsigned char *area;

	EXPECT_EQ(POLLIN, polled(self->export, 0));
	area = AREA_OF(self->export, R);
	EXPECT_EQ(0, polled(self->export, 0));
	EXPECT_EQ(0, munmap(area, PAGE));
	EXPECT_EQ(0, polled(self->export, 0));
	EXPECT_EQ(0, munmap(area + PAGE, SIZE - PAGE));
	EXPECT_EQ(POLLIN, polled(self->export, 0));
}

TEST_F(export, one_that_was_imported_is_gone)
{
	unsigned char *area;
	__u32 handle;

	ASSERT_EQ(0, uapi_import(self->fd, self->export, &handle));
	EXPECT_EQ(GONE, polled(self->export, 0));
	/* the new owner's calls change nothing */
	area = AREA(handle, R);
	EXPECT_EQ(GONE, polled(self->export, 0));
	EXPECT_EQ(0, munmap(area, SIZE));
}

/*
 * A service manager closes a descriptor that reports POLLHUP or POLLERR, so a descriptor that owns
 * a mapping reports neither.
 */
TEST_F(export, one_that_owns_something_is_not_gone)
{
	struct theseus_mm_revoke call = { 0 };
	unsigned char *area = AREA_OF(self->export, RW);

	close(self->fd);
	self->fd = uapi_open(NULL);
	EXPECT_EQ(0, polled(self->export, 0));
	ASSERT_EQ(0, uapi_call(self->export, THESEUS_MM_IOC_REVOKE, &call));
	EXPECT_EQ(POLLIN, polled(self->export, 0));
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_EQ(POLLIN, polled(self->export, 0));
}

TEST_F(export, one_that_was_taken_back_is_gone)
{
	unsigned char *area, *own;
	__u32 id, handle;
	int export;

	ASSERT_EQ(0, uapi_export_as(self->fd, MAPPING(NR).handle, 0, &export, &id));
	area = AREA_OF(export, R);
	EXPECT_EQ(0, polled(export, 0));
	ASSERT_EQ(0, uapi_take_back(self->fd, id, &handle));
	EXPECT_EQ(GONE, polled(export, 0));
	own = AREA(handle, R);
	EXPECT_EQ(GONE, polled(export, 0));
	EXPECT_EQ(0, munmap(own, SIZE));
	EXPECT_EQ(0, munmap(area, SIZE));
	close(export);
}

/* A lending descriptor does not borrow the mapping, but reports whether the mapping is borrowed. */
TEST_F(export, one_that_lends)
{
	__u32 handle = MAPPING(NR).handle;
	int export = LEND(handle), second = LEND(handle);
	unsigned char *area;

	EXPECT_EQ(POLLIN, polled(export, 0));
	area = AREA(handle, R);
	EXPECT_EQ(0, polled(export, 0));
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_EQ(POLLIN, polled(export, 0));
	area = AREA_OF(second, R);
	EXPECT_EQ(0, polled(export, 0));
	EXPECT_EQ(0, polled(second, 0));
	ASSERT_EQ(0, uapi_revoke(self->fd, handle, NULL));
	EXPECT_EQ(GONE, polled(export, 0));
	EXPECT_EQ(GONE, polled(second, 0));
	EXPECT_EQ(0, munmap(area, SIZE));
	close(export);
	close(second);
}

/* Only the areas of this descriptor count. */
TEST_F(export, one_that_is_stale_and_still_mmapped_is_not_gone)
{
	__u32 handle = MAPPING(NR).handle;
	int export = LEND(handle), second = LEND(handle);
	unsigned char *area = AREA_OF(export, R);

	close(self->fd);
	self->fd = uapi_open(NULL);
	EXPECT_ERRNO(ESTALE, mmap_export(export, SIZE, R));
	EXPECT_EQ(0, polled(export, 0));
	EXPECT_EQ(GONE, polled(second, 0));
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_EQ(GONE, polled(export, 0));
	close(export);
	close(second);
}

/* --- wake-ups ------------------------------------------------------------------------------- */

static struct {
	int fd;
	__u32 handle;
	int export;
	unsigned char *area;
	int err;
} later;

#define LATER(name, call)								\
	static void *name(void *unused)							\
	{										\
		usleep(100000);								\
		later.err = (call);							\
		return unused;								\
	}

LATER(unmap_later, munmap(later.area, SIZE))
LATER(revoke_later, uapi_revoke(later.fd, later.handle, NULL))
LATER(drop_later, uapi_drop(later.fd, later.handle))
LATER(close_later, close(later.fd))
LATER(import_later, uapi_import(later.fd, later.export, &later.handle))
LATER(take_back_later, uapi_take_back(later.fd, later.handle, &later.handle))

/* Return: the result of a poll() during which @call is made; POLLNVAL if poll() did not wait */
static short polled_during(int fd, void *(*call)(void *))
{
	pthread_t thread;
	short events;

	if (polled(fd, 0) & ~POLLIN || pthread_create(&thread, NULL, call, NULL))
		return POLLNVAL;
	/* if POLLIN is set already, wait for POLLHUP or POLLERR only */
	if (polled(fd, 0)) {
		struct pollfd end = { .fd = fd };

		events = woken_poll(&end, 20000) == 1 ? end.revents : 0;
	} else {
		events = polled(fd, 20000);
	}
	pthread_join(thread, NULL);
	return later.err ? POLLNVAL : events;
}

TEST_F(export, munmap_wakes)
{
	later.area = AREA_OF(self->export, R);
	EXPECT_EQ(POLLIN, polled_during(self->export, unmap_later));
}

TEST_F(export, import_wakes)
{
	later.fd = self->fd;
	later.export = self->export;
	EXPECT_EQ(GONE, polled_during(self->export, import_later));
}

TEST_F(export, take_back_wakes)
{
	int export;

	later.fd = self->fd;
	ASSERT_EQ(0, uapi_export_as(self->fd, MAPPING(NR).handle, 0, &export, &later.handle));
	EXPECT_EQ(GONE, polled_during(export, take_back_later));
	close(export);
}

TEST_F(export, revoke_wakes)
{
	unsigned char *area;
	int export;

	later.fd = self->fd;
	later.handle = MAPPING(NR).handle;
	export = LEND(later.handle);
	EXPECT_EQ(GONE, polled_during(export, revoke_later));
	close(export);
	export = LEND(later.handle);
	area = AREA_OF(export, R);
	EXPECT_EQ(GONE, polled_during(export, revoke_later));
	EXPECT_EQ(0, munmap(area, SIZE));
	close(export);
}

TEST_F(export, drop_and_close_wake)
{
	int export;

	later.fd = self->fd;
	later.handle = MAPPING(NR).handle;
	export = LEND(later.handle);
	EXPECT_EQ(GONE, polled_during(export, drop_later));
	close(export);
	export = LEND(MAPPING(NR).handle);
	self->fd = -1;
	EXPECT_EQ(GONE, polled_during(export, close_later));
	close(export);
	self->fd = uapi_open(NULL);
}

/* Each time the last area goes, epoll reports a new edge; a new area causes none. */
TEST_F(export, epoll_is_told_each_time)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	int epoll = epoll_create1(EPOLL_CLOEXEC), i;
	unsigned char *area;

	ASSERT_LE(0, epoll);
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, self->export, &event));
	EXPECT_EQ(1, epoll_wait(epoll, &event, 1, 0));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, epoll_wait(epoll, &event, 1, 0));
		area = AREA_OF(self->export, R);
		EXPECT_EQ(0, epoll_wait(epoll, &event, 1, 0));
		EXPECT_EQ(0, munmap(area, SIZE));
		EXPECT_EQ(1, epoll_wait(epoll, &event, 1, 0));
		EXPECT_EQ(EPOLLIN, event.events);
	}
	close(epoll);
}

TEST_HARNESS_MAIN
