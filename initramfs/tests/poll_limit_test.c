// SPDX-License-Identifier: GPL-2.0
/*
 * Waiting for room under a limit: frames, pages, handles or a higher limit wake a client that
 * waits for them, and nothing else wakes it.
 */
#include "await.h"
#include "limits.h"

#include <pthread.h>

/*
 * Only the client's own frames make room under its limit. Frames of another client would wake the
 * client too, but not give it room.
 */
TEST_F(client, waits_for_room_under_its_limit)
{
	__u32 one;

	ASSERT_EQ(0, uapi_set_limits(self->fd, 1, THESEUS_MM_NO_LIMIT));
	ASSERT_EQ(0, take_one(self->fd, &one));
	ASSERT_EQ(-EDQUOT, take_one(self->fd, NULL));
	EXPECT_EQ(0, wait_for(self->fd, 0));
	ASSERT_EQ(0, uapi_drop(self->fd, one));
	EXPECT_EQ(POLLIN, wait_for(self->fd, 0));
	EXPECT_EQ(0, take_one(self->fd, &one));
}

static int take_pages(int fd, __u64 nr)
{
	struct theseus_mm_allocate call = { .size = nr };

	return uapi_allocate_pages(fd, &call);
}

/* The client has all the handles that it may, and waits for one. */
#define WAIT_FOR_A_HANDLE()								\
	do {										\
		ASSERT_EQ(-EDQUOT, take_pages(self->fd, 1));				\
		ASSERT_EQ(0, wait_for(self->fd, 0));					\
	} while (0)

TEST_F(client, is_woken_by_the_handle_that_a_merge_consumes)
{
	__u32 pages = PAGES(2).handle, first, second;

	ASSERT_EQ(0, uapi_split(self->fd, pages, PAGE, &first, &second));
	ASSERT_EQ(0, uapi_set_limits(self->fd, THESEUS_MM_NO_LIMIT, 2));
	WAIT_FOR_A_HANDLE();
	ASSERT_EQ(0, uapi_merge(self->fd, first, second));
	EXPECT_EQ(POLLIN, wait_for(self->fd, 0));
	EXPECT_EQ(0, take_pages(self->fd, 1));
}

TEST_F(client, is_woken_by_the_handle_that_map_to_consumes)
{
	__u32 pages = PAGES(2).handle, frames = FRAMES(2).handle;
	struct theseus_mm_map map;

	ASSERT_EQ(0, uapi_set_limits(self->fd, THESEUS_MM_NO_LIMIT, 2));
	WAIT_FOR_A_HANDLE();
	ASSERT_EQ(0, uapi_map_allocated_pages_to(self->fd, pages, frames, THESEUS_MM_PTE_DATA,
						 &map));
	EXPECT_EQ(POLLIN, wait_for(self->fd, 0));
	EXPECT_EQ(0, take_pages(self->fd, 1));
}

/*
 * EXPORT consumes the handle but makes a descriptor: there is room when the descriptor is closed.
 */
TEST_F(client, is_woken_by_the_close_of_a_descriptor)
{
	__u32 mapping = MAPPING(1).handle;
	int export;

	ASSERT_EQ(0, uapi_set_limits(self->fd, THESEUS_MM_NO_LIMIT, 1));
	WAIT_FOR_A_HANDLE();
	ASSERT_EQ(0, uapi_export(self->fd, mapping, &export));
	WAIT_FOR_A_HANDLE();
	close(export);
	EXPECT_EQ(POLLIN, wait_for(self->fd, 0));
	EXPECT_EQ(0, take_pages(self->fd, 1));
}

/* Free frames must not wake a client that waits for pages: its limit of pages has no room. */
TEST_F(client, is_woken_by_pages)
{
	__u32 mapping = MAPPING(4).handle;

	ASSERT_EQ(0, uapi_set_limit(self->fd, THESEUS_MM_SET_PAGES, 4));
	ASSERT_EQ(-EDQUOT, take_pages(self->fd, 4));
	EXPECT_EQ(0, wait_for(self->fd, 0));
	/* the client waits for pages, not for frames */
	ASSERT_EQ(0, uapi_drop(self->fd, FRAMES(1).handle));
	EXPECT_EQ(0, wait_for(self->fd, 0));
	ASSERT_EQ(0, uapi_drop(self->fd, mapping));
	EXPECT_EQ(POLLIN, wait_for(self->fd, 0));
	EXPECT_EQ(0, take_pages(self->fd, 4));
}

TEST_F(client, is_woken_by_a_raised_limit)
{
	ASSERT_EQ(0, uapi_set_limits(self->fd, 0, THESEUS_MM_NO_LIMIT));
	ASSERT_EQ(-EDQUOT, take_one(self->fd, NULL));
	ASSERT_EQ(0, wait_for(self->fd, 0));
	ASSERT_EQ(0, uapi_set_limits(self->fd, 1, THESEUS_MM_NO_LIMIT));
	EXPECT_EQ(POLLIN, wait_for(self->fd, 0));
	EXPECT_EQ(0, take_one(self->fd, NULL));
}

TEST_F(client, is_woken_by_a_parameter)
{
	ASSERT_EQ(0, write_parameter("max_user_frames", "0"));
	EXPECT_EQ(-EDQUOT, take_one(self->fd, NULL));
	EXPECT_EQ(0, wait_for(self->fd, 0));
	ASSERT_EQ(0, write_parameter("max_user_frames", "unlimited"));
	EXPECT_EQ(POLLIN, wait_for(self->fd, 0));
	EXPECT_EQ(0, take_one(self->fd, NULL));
}

/*
 * There is room for a descriptor, but none for the mapping's file: the failed call frees nothing.
 */
TEST_F(client, is_not_woken_by_a_descriptor_that_is_refused)
{
	struct theseus_mm_create_mapping mapping;
	struct theseus_mm_export dmabuf = {};
	int other = uapi_open(NULL), descriptor;

	ASSERT_LE(0, other);
	ASSERT_EQ(0, uapi_create_mapping(other, PAGE, THESEUS_MM_PTE_DATA, &mapping));
	ASSERT_EQ(0, uapi_set_limits(other, THESEUS_MM_NO_LIMIT, 2));
	ASSERT_EQ(0, uapi_set_limits(self->fd, THESEUS_MM_NO_LIMIT, 0));
	EXPECT_EQ(-EDQUOT, take_one(self->fd, NULL));
	EXPECT_EQ(-EDQUOT, uapi_export_as(other, mapping.handle, THESEUS_MM_EXPORT_BORROW,
					  &descriptor, NULL));
	EXPECT_EQ(0, wait_for(self->fd, 0));
	/* the error is EDQUOT, or the error for memory without struct pages */
	dmabuf.handle = mapping.handle;
	EXPECT_GT(0, uapi_call(other, THESEUS_MM_IOC_EXPORT_DMABUF, &dmabuf));
	EXPECT_EQ(0, wait_for(self->fd, 0));
	ASSERT_EQ(0, uapi_set_limits(other, THESEUS_MM_NO_LIMIT, 3));
	ASSERT_EQ(0, uapi_export_as(other, mapping.handle, THESEUS_MM_EXPORT_BORROW, &descriptor,
				    NULL));
	close(descriptor);
	EXPECT_EQ(POLLIN, wait_for(self->fd, 0));
	close(other);
}

/**
 * struct glutton - a thread that asks for more than there is, over and over
 * @fd: a client of the same user
 * @is_done: the test is over
 */
struct glutton {
	int fd;
	volatile bool is_done;
};

static void *ask_for_too_much(void *data)
{
	struct glutton *glutton = data;
	struct theseus_mm_allocate call = { .size = 1ULL << 40 };

	while (!glutton->is_done)
		uapi_allocate_frames(glutton->fd, &call);
	return NULL;
}

/*
 * There is room for the client's request or for the other client's, but not for both. The other
 * client's charge may be the reason why the client is refused. When that charge is taken back, the
 * client must be woken.
 */
TEST_F(client, is_not_left_waiting_for_what_nobody_has)
{
	struct glutton glutton = { .fd = uapi_open(NULL) };
	struct timespec start;
	pthread_t thread;
	int err = 0;
	__u32 one;

	ASSERT_EQ(0, write_parameter("max_user_frames", "1099511627776"));
	ASSERT_EQ(0, pthread_create(&thread, NULL, ask_for_too_much, &glutton));
	clock_gettime(CLOCK_MONOTONIC, &start);
	while (!err && race_goes_on(&start, 5, true)) {
		err = take_one(self->fd, &one);
		if (err == -EDQUOT)
			err = wait_for(self->fd, LONG / 4) == POLLIN ? 0 : -ETIME;
		else if (!err)
			err = uapi_drop(self->fd, one);
	}
	glutton.is_done = true;
	pthread_join(thread, NULL);
	EXPECT_EQ(0, err);
	EXPECT_EQ(0, write_parameter("max_user_frames", "unlimited"));
	close(glutton.fd);
}

TEST_HARNESS_MAIN
