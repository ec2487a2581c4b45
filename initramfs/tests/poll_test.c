// SPDX-License-Identifier: GPL-2.0
/* Races: wake-ups. */
/*
 * Waiting for memory: try, poll, try again. The next free frames, from any client, wake a client
 * that got none, and nothing else wakes it.
 */
#include "await.h"
#include "fragment.h"

#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <time.h>

/* The client @hog owns all frames and can drop @one of them, for which the client @fd waits. */
FIXTURE(poll)
{
	int fd;
	int hog;
	__u32 one;
	struct theseus_mm_info start;
};

FIXTURE_SETUP(poll)
{
	CLIENT_SETUP();
	self->hog = uapi_open(NULL);
	ASSERT_EQ(0, take_one(self->hog, &self->one));
	ASSERT_EQ(0, take_all(self->hog));
}

FIXTURE_TEARDOWN(poll)
{
	close(self->hog);
	CLIENT_TEARDOWN();
}

TEST_F(poll, says_yes_before_any_failure)
{
	EXPECT_EQ(POLLIN, wait_for(self->fd, 0));
	/* failures of another kind do not count */
	EXPECT_EQ(-ENOENT, uapi_drop(self->fd, 1));
	EXPECT_EQ(POLLIN, wait_for(self->fd, 0));
	/* failures of another client do not count either */
	EXPECT_EQ(-ENOSPC, take_one(self->hog, NULL));
	EXPECT_EQ(POLLIN, wait_for(self->fd, 0));
	EXPECT_EQ(0, wait_for(self->hog, 0));
}

TEST_F(poll, is_not_woken_by_nothing)
{
	struct theseus_mm_allocate pages = { .size = 5 };
	struct timespec start, end;

	ASSERT_EQ(-ENOSPC, take_one(self->fd, NULL));
	EXPECT_EQ(0, wait_for(self->fd, 0));
	clock_gettime(CLOCK_MONOTONIC, &start);
	EXPECT_EQ(0, wait_for(self->fd, SHORT));
	clock_gettime(CLOCK_MONOTONIC, &end);
	EXPECT_LE(SHORT, (end.tv_sec - start.tv_sec) * 1000 +
			 (end.tv_nsec - start.tv_nsec) / 1000000 + 1);
	/* calls that succeed do not count */
	INFO();
	ASSERT_EQ(0, uapi_allocate_pages(self->hog, &pages));
	EXPECT_EQ(0, wait_for(self->fd, 0));
	/* free pages and a free handle do not count: the client waits for frames */
	ASSERT_EQ(0, uapi_drop(self->hog, pages.handle));
	EXPECT_EQ(0, wait_for(self->fd, 0));
}

/* A batch that is not all or nothing succeeds, whatever its items did. */
TEST_F(poll, waits_after_a_batch_that_fell_short)
{
	struct theseus_mm_create_item item = { .size = PAGE, .pte_flags = THESEUS_MM_PTE_DATA };
	struct theseus_mm_batch call = {
		.nr_items = 1,
		.items = (uintptr_t)&item,
		.item_size = sizeof(item),
	};

	ASSERT_EQ(0, uapi_call(self->fd, THESEUS_MM_IOC_CREATE_BATCH, &call));
	EXPECT_EQ(ENOSPC, item.error);
	EXPECT_EQ(0, wait_for(self->fd, 0));
	EXPECT_EQ(0, uapi_drop(self->hog, self->one));
	EXPECT_EQ(POLLIN, wait_for(self->fd, 0));
}

TEST_F(poll, says_yes_after_a_free_until_the_next_failure)
{
	ASSERT_EQ(-ENOSPC, take_one(self->fd, NULL));
	ASSERT_EQ(0, uapi_drop(self->hog, self->one));
	EXPECT_EQ(POLLIN, wait_for(self->fd, 0));
	EXPECT_EQ(POLLIN, wait_for(self->fd, 0));
	ASSERT_EQ(0, take_one(self->fd, NULL));
	EXPECT_EQ(POLLIN, wait_for(self->fd, 0));
	ASSERT_EQ(-ENOSPC, take_one(self->fd, NULL));
	EXPECT_EQ(0, wait_for(self->fd, 0));
}

TEST_F(poll, says_yes_after_a_free_of_its_own)
{
	__u32 mine;

	ASSERT_EQ(0, uapi_drop(self->hog, self->one));
	ASSERT_EQ(0, take_one(self->fd, &mine));
	ASSERT_EQ(-ENOSPC, take_one(self->fd, NULL));
	EXPECT_EQ(0, wait_for(self->fd, 0));
	ASSERT_EQ(0, uapi_drop(self->fd, mine));
	EXPECT_EQ(POLLIN, wait_for(self->fd, 0));
}

/**
 * struct waiter - a thread in poll()
 * @fd: the client
 * @result: of poll()
 * @thread: the thread
 */
struct waiter {
	int fd;
	int result;
	pthread_t thread;
};

static void *wait_long(void *data)
{
	struct waiter *waiter = data;

	waiter->result = wait_for(waiter->fd, LONG);
	return NULL;
}

/* Start the waiter, and wait until it sleeps. */
#define BEGIN_TO_WAIT(waiter)								\
	do {										\
		ASSERT_EQ(-ENOSPC, take_one((waiter)->fd, NULL));			\
		ASSERT_EQ(0, wait_for((waiter)->fd, 0));				\
		ASSERT_EQ(0, pthread_create(&(waiter)->thread, NULL, wait_long, waiter)); \
		usleep(SHORT * 1000);							\
		ASSERT_EQ(EBUSY, pthread_tryjoin_np((waiter)->thread, NULL));		\
	} while (0)

TEST_F(poll, wakes_at_a_free)
{
	struct waiter waiter = { .fd = self->fd };

	BEGIN_TO_WAIT(&waiter);
	ASSERT_EQ(0, uapi_drop(self->hog, self->one));
	pthread_join(waiter.thread, NULL);
	EXPECT_EQ(POLLIN, waiter.result);
	EXPECT_EQ(0, take_one(self->fd, NULL));
}

TEST_F(poll, wakes_all_who_wait)
{
	struct waiter waiters[3];
	int i;

	for (i = 0; i < 3; i++) {
		waiters[i].fd = uapi_open(NULL);
		BEGIN_TO_WAIT(&waiters[i]);
	}
	ASSERT_EQ(0, uapi_drop(self->hog, self->one));
	for (i = 0; i < 3; i++) {
		pthread_join(waiters[i].thread, NULL);
		EXPECT_EQ(POLLIN, waiters[i].result);
		close(waiters[i].fd);
	}
}

TEST_F(poll, wakes_at_the_close_of_a_client)
{
	struct waiter waiter = { .fd = self->fd };

	BEGIN_TO_WAIT(&waiter);
	close(self->hog);
	self->hog = -1;
	pthread_join(waiter.thread, NULL);
	EXPECT_EQ(POLLIN, waiter.result);
}

TEST_F(poll, wakes_when_an_owner_is_killed)
{
	struct waiter waiter = { .fd = self->fd };
	int ready[2], status;
	char byte;
	pid_t pid;

	ASSERT_EQ(0, pipe(ready));
	ASSERT_EQ(0, uapi_drop(self->hog, self->one));
	pid = fork();
	if (!pid) {
		byte = !!take_one(uapi_open(NULL), NULL);
		if (write(ready[1], &byte, 1) == 1)
			pause();
		_exit(1);
	}
	ASSERT_EQ(1, read(ready[0], &byte, 1));
	ASSERT_EQ(0, byte);
	BEGIN_TO_WAIT(&waiter);
	kill(pid, SIGKILL);
	pthread_join(waiter.thread, NULL);
	EXPECT_EQ(POLLIN, waiter.result);
	waitpid(pid, &status, 0);
	EXPECT_EQ(0, take_one(self->fd, NULL));
	close(ready[0]);
	close(ready[1]);
}

/* The owner has dropped the mapping, and only the area keeps it. */
TEST_F(client, wakes_at_the_last_munmap)
{
	struct theseus_mm_create_mapping mapping = MAPPING(1);
	unsigned char *area = mmap_all(self->fd, mapping.handle, R);
	int fd = uapi_open(NULL), hog = uapi_open(NULL);

	ASSERT_NE(MAP_FAILED, (void *)area);
	ASSERT_EQ(0, take_all(hog));
	close(self->fd);
	self->fd = -1;
	ASSERT_EQ(-ENOSPC, take_one(fd, NULL));
	EXPECT_EQ(0, wait_for(fd, 0));
	munmap(area, PAGE);
	EXPECT_EQ(POLLIN, wait_for(fd, 0));
	close(fd);
	close(hog);
}

/*
 * There are enough frames for a mapping, but none for its tables. Frames that a call takes and
 * gives back itself are not newly free memory.
 */
TEST_F(client, is_not_woken_by_its_own_failure)
{
	struct theseus_mm_create_mapping mapping;
	int hog = uapi_open(NULL), other = uapi_open(NULL);
	int i;

	ASSERT_EQ(0, leave_singles(hog, 4));
	ASSERT_EQ(4, INFO().frames_free);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(-ENOSPC, uapi_create_mapping(self->fd, 4 * PAGE, THESEUS_MM_PTE_DATA,
						       &mapping));
		EXPECT_EQ(0, wait_for(self->fd, SHORT));
	}
	EXPECT_EQ(4, INFO().frames_free);
	/* another client waits for these frames */
	ASSERT_EQ(-ENOSPC, uapi_create_contiguous_mapping(other, 4 * PAGE, THESEUS_MM_PTE_DATA,
							  &mapping));
	EXPECT_EQ(0, wait_for(other, 0));
	ASSERT_EQ(-ENOSPC, uapi_create_mapping(self->fd, 4 * PAGE, THESEUS_MM_PTE_DATA, &mapping));
	EXPECT_EQ(POLLIN, wait_for(other, 0));
	EXPECT_EQ(0, wait_for(self->fd, 0));
	close(hog);
	EXPECT_EQ(POLLIN, wait_for(self->fd, 0));
	close(other);
}

/* More waiters than a release wakes itself; every one of them is told. */
TEST_F(poll, wakes_a_crowd)
{
	struct epoll_event event = { .events = EPOLLIN };
	int clients[100], sets[100];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(clients); i++) {
		clients[i] = uapi_open(NULL);
		sets[i] = epoll_create1(EPOLL_CLOEXEC);
		ASSERT_LE(0, sets[i]);
		ASSERT_EQ(-ENOSPC, take_one(clients[i], NULL));
		ASSERT_EQ(0, epoll_ctl(sets[i], EPOLL_CTL_ADD, clients[i], &event));
		ASSERT_EQ(0, epoll_wait(sets[i], &event, 1, 0));
	}
	ASSERT_EQ(0, uapi_drop(self->hog, self->one));
	for (i = 0; i < ARRAY_SIZE(clients); i++)
		EXPECT_EQ(1, epoll_wait(sets[i], &event, 1, LONG));
	for (i = 0; i < ARRAY_SIZE(clients); i++) {
		close(sets[i]);
		close(clients[i]);
	}
}

TEST_F(poll, works_with_epoll)
{
	struct epoll_event event = { .events = EPOLLIN };
	int set = epoll_create1(EPOLL_CLOEXEC);

	ASSERT_EQ(-ENOSPC, take_one(self->fd, NULL));
	ASSERT_EQ(0, epoll_ctl(set, EPOLL_CTL_ADD, self->fd, &event));
	EXPECT_EQ(0, epoll_wait(set, &event, 1, SHORT));
	ASSERT_EQ(0, uapi_drop(self->hog, self->one));
	EXPECT_EQ(1, epoll_wait(set, &event, 1, LONG));
	EXPECT_EQ(EPOLLIN, event.events);
	ASSERT_EQ(0, take_one(self->fd, NULL));
	ASSERT_EQ(-ENOSPC, take_one(self->fd, NULL));
	EXPECT_EQ(0, epoll_wait(set, &event, 1, SHORT));
	close(set);
}

TEST_F(poll, works_with_edges)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	int set = epoll_create1(EPOLL_CLOEXEC);
	__u32 one;

	ASSERT_EQ(0, epoll_ctl(set, EPOLL_CTL_ADD, self->fd, &event));
	EXPECT_EQ(1, epoll_wait(set, &event, 1, 0));
	ASSERT_EQ(-ENOSPC, take_one(self->fd, NULL));
	EXPECT_EQ(0, epoll_wait(set, &event, 1, 0));
	ASSERT_EQ(0, uapi_drop(self->hog, self->one));
	EXPECT_EQ(1, epoll_wait(set, &event, 1, LONG));
	EXPECT_EQ(0, epoll_wait(set, &event, 1, 0));
	ASSERT_EQ(0, take_one(self->fd, &one));
	ASSERT_EQ(-ENOSPC, take_one(self->fd, NULL));
	ASSERT_EQ(0, uapi_drop(self->fd, one));
	EXPECT_EQ(1, epoll_wait(set, &event, 1, LONG));
	close(set);
}

#define ROUNDS	40

/* Allocate the frame, free it, and wait until the next allocation succeeds. */
static void *pass_on(void *data)
{
	struct waiter *waiter = data;
	__u32 one;
	int i, err;

	for (i = 0; i < ROUNDS; i++) {
		while ((err = take_one(waiter->fd, &one)) == -ENOSPC) {
			waiter->result = wait_for(waiter->fd, LONG);
			if (waiter->result != POLLIN)
				return NULL;
		}
		if (err || uapi_drop(waiter->fd, one)) {
			waiter->result = -EIO;
			return NULL;
		}
	}
	waiter->result = POLLIN;
	return NULL;
}

/* After a lost wake-up, poll() would time out although the frame is free. */
TEST_F(poll, loses_no_wake_up)
{
	struct waiter waiters[4];
	int i;

	ASSERT_EQ(0, uapi_drop(self->hog, self->one));
	for (i = 0; i < 4; i++) {
		waiters[i].fd = uapi_open(NULL);
		ASSERT_EQ(0, pthread_create(&waiters[i].thread, NULL, pass_on, &waiters[i]));
	}
	for (i = 0; i < 4; i++) {
		pthread_join(waiters[i].thread, NULL);
		EXPECT_EQ(POLLIN, waiters[i].result);
		close(waiters[i].fd);
	}
}

TEST_HARNESS_MAIN
