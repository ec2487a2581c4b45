// SPDX-License-Identifier: GPL-2.0
/* Races: several writers. */
/*
 * Shareable mappings: several writers at the same time.
 */
#include "share.h"

#include <pthread.h>
#include <sched.h>
#include <time.h>

TEST_F(share, query_says_so)
{
	EXPECT_EQ(THESEUS_MM_ATTRIBUTE_SHAREABLE, QUERY(self->handle).attributes);
	EXPECT_EQ(0, uapi_share(self->fd, self->handle, false));
	EXPECT_EQ(0, QUERY(self->handle).attributes);
	EXPECT_EQ(0, QUERY(MAPPING(1).handle).attributes);
}

TEST_F(share, has_many_writers)
{
	unsigned char *first = AREA(self->handle, RW), *second = AREA(self->handle, RW);
	unsigned char *third = AREA(self->handle, R), byte;

	first[0] = 1;
	second[1] = 2;
	EXPECT_EQ(2, third[1]);
	EXPECT_EQ(1, second[0]);
	EXPECT_EQ(3, QUERY(self->handle).nr_borrows);
	EXPECT_EQ(0, uapi_write(self->fd, self->handle, 2, "\3", 1));
	EXPECT_EQ(3, first[2]);
	EXPECT_EQ(0, uapi_read(self->fd, self->handle, 1, &byte, 1));
	EXPECT_EQ(2, byte);
	EXPECT_EQ(0, munmap(first, SIZE));
	EXPECT_EQ(0, munmap(second, SIZE));
	EXPECT_EQ(0, munmap(third, SIZE));
	EXPECT_EQ(0, QUERY(self->handle).nr_borrows);
}

/* The mapping is still borrowed, and each borrow counts. */
TEST_F(share, cannot_change_while_it_is_borrowed)
{
	unsigned char *first = AREA(self->handle, RW), *second = AREA(self->handle, RW);
	__u32 handles[2];
	int export;

	EXPECT_EQ(0, munmap(first, SIZE));
	EXPECT_REFUSED(EBUSY, uapi_remap(self->fd, self->handle, READ_ONLY), self->handle);
	EXPECT_REFUSED(EBUSY, uapi_split(self->fd, self->handle, PAGE, &handles[0], &handles[1]),
		       self->handle);
	EXPECT_REFUSED(EBUSY, uapi_drop(self->fd, self->handle), self->handle);
	EXPECT_REFUSED(EBUSY, uapi_export(self->fd, self->handle, &export), self->handle);
	EXPECT_REFUSED(EBUSY, uapi_share(self->fd, self->handle, false), self->handle);
	EXPECT_EQ(0, munmap(second, SIZE));
	EXPECT_EQ(0, uapi_share(self->fd, self->handle, false));
	EXPECT_EQ(0, uapi_remap(self->fd, self->handle, READ_ONLY));
}

TEST_F(share, begins_and_ends_between_borrows)
{
	__u32 handle = MAPPING(NR).handle;
	unsigned char *area = AREA(handle, RW);

	EXPECT_REFUSED(EBUSY, uapi_share(self->fd, handle, true));
	EXPECT_EQ(0, munmap(area, SIZE));
	area = AREA(handle, R);
	EXPECT_REFUSED(EBUSY, uapi_share(self->fd, handle, true), handle);
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_EQ(0, uapi_share(self->fd, self->handle, false));
	area = AREA(self->handle, RW);
	EXPECT_EQ(EBUSY, mmap_errno(self->fd, self->handle, R));
	EXPECT_EQ(0, munmap(area, SIZE));
}

TEST_F(share, keeps_to_the_flags)
{
	ASSERT_EQ(0, uapi_remap(self->fd, self->handle, READ_ONLY));
	EXPECT_EQ(EACCES, mmap_errno(self->fd, self->handle, RW));
	EXPECT_EQ(THESEUS_MM_ATTRIBUTE_SHAREABLE, QUERY(self->handle).attributes);
	EXPECT_REFUSED(EACCES, uapi_write(self->fd, self->handle, 0, "x", 1), self->handle);
	EXPECT_EQ(0, QUERY(self->handle).nr_borrows);
}

TEST_F(share, parts_are_alike)
{
	__u32 first, second;

	ASSERT_EQ(0, uapi_split(self->fd, self->handle, PAGE, &first, &second));
	EXPECT_EQ(THESEUS_MM_ATTRIBUTE_SHAREABLE, QUERY(first).attributes);
	EXPECT_EQ(THESEUS_MM_ATTRIBUTE_SHAREABLE, QUERY(second).attributes);
	ASSERT_EQ(0, uapi_share(self->fd, second, false));
	EXPECT_REFUSED(EMEDIUMTYPE, uapi_merge(self->fd, first, second), first, second);
	ASSERT_EQ(0, uapi_share(self->fd, first, false));
	EXPECT_EQ(0, uapi_merge(self->fd, first, second));
}

TEST_F(share, of_something_else)
{
	__u32 pages = PAGES(1).handle, frames = FRAMES(1).handle;

	EXPECT_REFUSED(ENOENT, uapi_share(self->fd, pages, true), pages);
	EXPECT_REFUSED(ENOENT, uapi_share(self->fd, frames, true), frames);
	EXPECT_REFUSED(ENOENT, uapi_share(self->fd, 0, true));
}

TEST_F(share, goes_on_after_an_export)
{
	unsigned char *first, *second;
	__u32 handle;
	int export;

	ASSERT_EQ(0, uapi_export(self->fd, self->handle, &export));
	first = mmap(NULL, SIZE, RW, MAP_SHARED, export, 0);
	second = mmap(NULL, SIZE, RW, MAP_SHARED, export, 0);
	ASSERT_NE((unsigned char *)MAP_FAILED, first);
	ASSERT_NE((unsigned char *)MAP_FAILED, second);
	first[0] = 7;
	EXPECT_EQ(7, second[0]);
	EXPECT_REFUSED(EBUSY, uapi_import(self->fd, export, &handle));
	EXPECT_EQ(0, munmap(first, SIZE));
	EXPECT_EQ(0, munmap(second, SIZE));
	ASSERT_EQ(0, uapi_import(self->fd, export, &handle));
	EXPECT_EQ(THESEUS_MM_ATTRIBUTE_SHAREABLE, QUERY(handle).attributes);
	close(export);
}

/* Two processes write and read at the same time, and each sees the other's writes. */
TEST_F_TIMEOUT(share, writer_and_reader_race, 60)
{
	volatile unsigned int *counter;
	unsigned int last = 0, now, i;
	unsigned char *area;
	pid_t pid;

	area = AREA(self->handle, RW);
	counter = (volatile unsigned int *)area;
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		unsigned char *mine = mmap_all(self->fd, self->handle, RW);

		if (mine == MAP_FAILED)
			_exit(1);
		for (;;)
			(*(volatile unsigned int *)mine)++;
	}
	for (i = 0; i < 100; i++) {
		while (*counter == last)
			sched_yield();
		now = *counter;
		ASSERT_LT(last, now);
		last = now;
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	now = *counter;
	EXPECT_LE(last, now);
	EXPECT_EQ(1, QUERY(self->handle).nr_borrows);
	EXPECT_EQ(0, munmap(area, SIZE));
}

/**
 * struct user - a thread that uses the mapping in one of four ways
 * @fd: the client
 * @handle: the mapping
 * @offset: offset of the mapping for mmap()
 * @is_writing: the thread writes; otherwise it reads
 * @is_mmapping: the thread uses mmap(); otherwise READ or WRITE
 * @is_toggled: the thread may be refused, since SHARE takes the handle for a moment
 * @stop: the thread should end
 * @nr: number of successful uses
 * @failed: the thread was refused without a reason
 */
struct user {
	int fd;
	__u32 handle;
	__u64 offset;
	bool is_writing;
	bool is_mmapping;
	bool is_toggled;
	bool *stop;
	unsigned long nr;
	bool failed;
};

static int use_by_call(const struct user *user)
{
	unsigned char byte = 7;

	if (user->is_writing)
		return uapi_write(user->fd, user->handle, PAGE, &byte, 1);
	return uapi_read(user->fd, user->handle, PAGE, &byte, 1);
}

static int use_by_mmap(const struct user *user)
{
	unsigned char *area = mmap(NULL, SIZE, user->is_writing ? RW : R, MAP_SHARED, user->fd,
				   user->offset), byte;
	int number;

	if (area == MAP_FAILED)
		return -errno;
	number = user->is_writing ? store(area + PAGE, 7) : load(area + PAGE, &byte);
	munmap(area, SIZE);
	return number;
}

static void *use_until_stopped(void *arg)
{
	struct user *user = arg;

	while (!__atomic_load_n(user->stop, __ATOMIC_RELAXED)) {
		int err = user->is_mmapping ? use_by_mmap(user) : use_by_call(user);

		if (!err)
			user->nr++;
		else if (!user->is_toggled || (err != -EBUSY && err != -ENOENT))
			user->failed = true;
		/* leave time for a change, which needs a moment without borrows */
		if (user->is_toggled)
			usleep(user->nr % 8 * 500);
	}
	return NULL;
}

/* Has each thread used the mapping? */
static bool all_have_used(const struct user *users)
{
	int i;

	for (i = 0; i < 4; i++)
		if (!__atomic_load_n(&users[i].nr, __ATOMIC_RELAXED))
			return false;
	return true;
}

/* Return: how often SHARE succeeded, with four @users */
static unsigned long use_for_a_while(FIXTURE_DATA(share) *self, struct user *users,
				     bool is_toggled)
{
	bool stop = false, is_shareable = true;
	struct timespec start;
	unsigned long nr = 0;
	pthread_t threads[4];
	int i;

	for (i = 0; i < 4; i++) {
		users[i] = (struct user){
			.fd = self->fd,
			.handle = self->handle,
			.is_writing = i & 1,
			.is_mmapping = i & 2,
			.is_toggled = is_toggled,
			.stop = &stop,
		};
		uapi_map_offset(self->fd, self->handle, &users[i].offset, NULL);
	}
	for (i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, use_until_stopped, &users[i]);
	clock_gettime(CLOCK_MONOTONIC, &start);
	while (race_goes_on(&start, 3, is_toggled ? nr : all_have_used(users))) {
		usleep(1000);
		if (is_toggled && !uapi_share(self->fd, self->handle, !is_shareable)) {
			is_shareable = !is_shareable;
			nr++;
		}
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	return nr;
}

TEST_F_TIMEOUT(share, nobody_is_ever_refused, 120)
{
	struct user users[4];
	int i;

	use_for_a_while(self, users, false);
	for (i = 0; i < 4; i++) {
		EXPECT_FALSE(users[i].failed);
		EXPECT_LT(0, users[i].nr);
	}
	EXPECT_EQ(0, QUERY(self->handle).nr_borrows);
}

/* SHARE is toggled while four threads use the mapping; at the end, no borrow is left. */
TEST_F_TIMEOUT(share, toggled_beside_its_users, 120)
{
	struct user users[4];
	unsigned long nr = use_for_a_while(self, users, true);
	int i;

	TH_LOG("toggled %lu times", nr);
	EXPECT_LT(0, nr);
	for (i = 0; i < 4; i++)
		EXPECT_FALSE(users[i].failed);
	EXPECT_EQ(0, QUERY(self->handle).nr_borrows);
	EXPECT_EQ(0, uapi_share(self->fd, self->handle, false));
	EXPECT_EQ(0, mmap_errno(self->fd, self->handle, RW));
}

TEST_HARNESS_MAIN
