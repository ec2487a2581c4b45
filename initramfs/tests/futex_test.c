// SPDX-License-Identifier: GPL-2.0
/* Before Linux 6.15: the module refuses struct_pages=1 since then. */
/*
 * Locks that processes share work in memory with struct pages as in any other shared memory.
 */
#include "share.h"
#include "text.h"

#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#define SIZE_1G		(1ULL << 30)

/* Return: the kernel's result, or an error */
static int wait_at(void *word, unsigned int value, long milliseconds)
{
	struct timespec timeout = { milliseconds / 1000, milliseconds % 1000 * 1000000 };
	int ret = syscall(SYS_futex, word, FUTEX_WAIT, value, &timeout, NULL, 0);

	return ret < 0 ? -errno : ret;
}

static int wake_at(void *word, int nr)
{
	int ret = syscall(SYS_futex, word, FUTEX_WAKE, nr, NULL, NULL, 0);

	return ret < 0 ? -errno : ret;
}

/* Wake for up to 20 seconds, since the waiter may not be waiting yet. */
static int wake_one(void *word)
{
	int i, nr = 0;

	for (i = 0; i < 2000 && !nr; i++) {
		nr = wake_at(word, 1);
		if (!nr)
			usleep(10000);
	}
	return nr;
}

/*
 * Start a process that waits at @word of its own area. Return: the process, which exits with 0 if
 * it is woken
 */
static pid_t start_waiter(int fd, __u32 handle, __u64 word, int protection)
{
	pid_t pid = fork();

	if (!pid) {
		unsigned char *area = mmap_all(fd, handle, protection);

		_exit(area == MAP_FAILED || wait_at(area + word, 0, 20000));
	}
	return pid;
}

static int status_of(pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, 0);
	return status;
}

TEST_F(share, the_module_is_loaded_with_struct_pages)
{
	EXPECT_TRUE(self->start.features & THESEUS_MM_FEATURE_STRUCT_PAGES);
}

TEST_F(share, a_waiter_in_another_process_is_woken)
{
	unsigned char *area = AREA(self->handle, RW);
	pid_t pid = start_waiter(self->fd, self->handle, 2 * PAGE + 64, RW);

	EXPECT_EQ(1, wake_one(area + 2 * PAGE + 64));
	EXPECT_EQ(0, status_of(pid));
	/* wait in an area that can only be read */
	pid = start_waiter(self->fd, self->handle, PAGE, R);
	EXPECT_EQ(1, wake_one(area + PAGE));
	EXPECT_EQ(0, status_of(pid));
	EXPECT_EQ(-EAGAIN, wait_at(area, 1, 0));
	EXPECT_EQ(-ETIMEDOUT, wait_at(area, 0, 1));
	EXPECT_EQ(0, munmap(area, SIZE));
}

/* The offset in the mapping identifies a futex, wherever the areas begin. */
TEST_F(share, each_place_is_one_of_its_own)
{
	unsigned char *area = AREA(self->handle, RW), *part;
	pid_t pid = start_waiter(self->fd, self->handle, 2 * PAGE, RW);

	part = mmap_part(self->fd, self->handle, 2 * PAGE, PAGE, RW);
	ASSERT_NE((unsigned char *)MAP_FAILED, part);
	usleep(300000);
	EXPECT_EQ(0, wake_at(area, 9));
	EXPECT_EQ(0, wake_at(area + PAGE, 9));
	EXPECT_EQ(0, wake_at(area + 2 * PAGE + 4, 9));
	EXPECT_EQ(0, wake_at(area + 3 * PAGE, 9));
	EXPECT_EQ(1, wake_one(part));
	EXPECT_EQ(0, status_of(pid));
	EXPECT_EQ(0, munmap(part, PAGE));
	EXPECT_EQ(0, munmap(area, SIZE));
}

/**
 * struct shared - the locks that the processes share
 * @nr_in: processes that have arrived
 * @nr_done: processes that were woken
 */
struct shared {
	pthread_mutex_t mutex;
	pthread_cond_t condition;
	sem_t semaphore;
	int nr_in;
	int nr_done;
};

static void set_up_shared(struct shared *shared)
{
	pthread_condattr_t condition;
	pthread_mutexattr_t mutex;

	pthread_mutexattr_init(&mutex);
	pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&shared->mutex, &mutex);
	pthread_condattr_init(&condition);
	pthread_condattr_setpshared(&condition, PTHREAD_PROCESS_SHARED);
	pthread_cond_init(&shared->condition, &condition);
	sem_init(&shared->semaphore, 1, 0);
}

/* Waits for the semaphore, then for the mutex, then for the condition. */
static int be_user(struct shared *shared)
{
	alarm(20);
	if (sem_wait(&shared->semaphore) || pthread_mutex_lock(&shared->mutex))
		return 1;
	shared->nr_in++;
	pthread_cond_broadcast(&shared->condition);
	while (shared->nr_in < 3)
		if (pthread_cond_wait(&shared->condition, &shared->mutex))
			return 2;
	shared->nr_done++;
	return pthread_mutex_unlock(&shared->mutex) ? 3 : 0;
}

TEST_F(share, process_shared_locks)
{
	struct shared *shared = (struct shared *)AREA(self->handle, RW);
	pid_t pids[3];
	int i;

	set_up_shared(shared);
	ASSERT_EQ(0, pthread_mutex_lock(&shared->mutex));
	for (i = 0; i < 3; i++) {
		pids[i] = fork();
		if (!pids[i]) {
			shared = (struct shared *)mmap_all(self->fd, self->handle, RW);
			_exit(shared == MAP_FAILED ? 4 : be_user(shared));
		}
	}
	usleep(300000);
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, sem_post(&shared->semaphore));
	/* all three processes wait for the mutex now */
	usleep(300000);
	EXPECT_EQ(0, shared->nr_in);
	ASSERT_EQ(0, pthread_mutex_unlock(&shared->mutex));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, status_of(pids[i]));
	EXPECT_EQ(3, shared->nr_done);
	EXPECT_EQ(0, munmap(shared, SIZE));
}

/**
 * struct waiter - a thread that waits on a futex
 * @word: address of the futex
 * @ret: result of the wait
 * @tid: the thread, once the thread runs
 */
struct waiter {
	void *word;
	int ret;
	pid_t tid;
};

static void *wait_in_thread(void *arg)
{
	struct waiter *waiter = arg;

	__atomic_store_n(&waiter->tid, syscall(SYS_gettid), __ATOMIC_RELEASE);
	waiter->ret = wait_at(waiter->word, 0, 2000);
	return NULL;
}

/* Does the thread sleep? It sleeps only in the call that waits on the futex. */
static bool is_asleep(const struct waiter *waiter)
{
	const pid_t tid = __atomic_load_n(&waiter->tid, __ATOMIC_ACQUIRE);
	char path[64], *text;
	bool sleeps;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	text = tid ? text_of(path) : NULL;
	sleeps = text && strstr(text, ") S ");
	free(text);
	return sleeps;
}

/* A waiter on revoked memory gets no wake-up of the next owner. */
TEST_F(share, the_next_owner_wakes_nobody_else)
{
	struct theseus_mm_create_mapping mine = MAPPING(1), theirs;
	struct theseus_mm_translate before, after;
	unsigned char *area = AREA(mine.handle, RW);
	struct waiter waiter = { .word = area };
	pthread_t thread;
	bool sleeps = false;
	pid_t pid;
	int i;

	ASSERT_EQ(0, uapi_translate(self->fd, mine.start, &before));
	ASSERT_EQ(0, pthread_create(&thread, NULL, wait_in_thread, &waiter));
	for (i = 0; i < 10000 && !sleeps; i++) {
		usleep(1000);
		sleeps = is_asleep(&waiter);
	}
	ASSERT_TRUE(sleeps);
	ASSERT_EQ(0, uapi_revoke(self->fd, mine.handle, NULL));
	ASSERT_EQ(0, uapi_drop(self->fd, mine.handle));
	theirs = MAPPING(1);
	ASSERT_EQ(0, uapi_share(self->fd, theirs.handle, true));
	ASSERT_EQ(0, uapi_translate(self->fd, theirs.start, &after));
	ASSERT_EQ(before.paddr, after.paddr);
	area = AREA(theirs.handle, RW);
	EXPECT_EQ(0, wake_at(area, 1));
	/* the next owner wakes its own waiters */
	pid = start_waiter(self->fd, theirs.handle, 0, RW);
	EXPECT_EQ(1, wake_one(area));
	EXPECT_EQ(0, status_of(pid));
	EXPECT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(-ETIMEDOUT, waiter.ret);
	EXPECT_EQ(0, munmap(area, PAGE));
	EXPECT_EQ(0, munmap(waiter.word, PAGE));
}

/* Locks work after an export: in areas of the descriptor, and later in areas of the importer. */
TEST_F(share, works_in_what_was_handed_over)
{
	unsigned char *area = AREA(self->handle, RW);
	__u32 handle;
	int export;
	pid_t pid;

	EXPECT_EQ(0, wake_at(area, 1));
	EXPECT_EQ(0, munmap(area, SIZE));
	ASSERT_EQ(0, uapi_export(self->fd, self->handle, &export));
	area = mmap(NULL, SIZE, RW, MAP_SHARED, export, 0);
	ASSERT_NE((unsigned char *)MAP_FAILED, area);
	pid = fork();
	if (!pid) {
		area = mmap(NULL, PAGE, RW, MAP_SHARED, export, PAGE);
		_exit(area == MAP_FAILED || wait_at(area, 0, 10000));
	}
	EXPECT_EQ(1, wake_one(area + PAGE));
	EXPECT_EQ(0, status_of(pid));
	EXPECT_EQ(0, munmap(area, SIZE));
	ASSERT_EQ(0, uapi_import(self->fd, export, &handle));
	EXPECT_EQ(0, close(export));
	area = AREA(handle, RW);
	pid = start_waiter(self->fd, handle, PAGE, RW);
	EXPECT_EQ(1, wake_one(area + PAGE));
	EXPECT_EQ(0, status_of(pid));
	EXPECT_EQ(0, munmap(area, SIZE));
}

/* Locks keep working after one of several areas is gone. */
TEST_F(share, works_while_there_is_an_area)
{
	unsigned char *first = AREA(self->handle, RW), *second = AREA(self->handle, RW);
	pid_t pid;

	EXPECT_EQ(0, wake_at(first, 1));
	EXPECT_EQ(0, wake_at(second, 1));
	EXPECT_EQ(0, munmap(first, SIZE));
	pid = start_waiter(self->fd, self->handle, 0, RW);
	EXPECT_EQ(1, wake_one(second));
	EXPECT_EQ(0, status_of(pid));
	EXPECT_EQ(0, munmap(second, SIZE));
}

TEST_F(share, works_in_an_entry_of_1g)
{
	const __u64 word = SIZE_1G / 2 + 5 * PAGE + 128;
	struct theseus_mm_map mapping;
	unsigned char *area;
	pid_t pid;

	if (map_aligned(self->fd, SIZE_1G, SIZE_1G, 0, &mapping))
		SKIP(return, "no free GiB");
	ASSERT_EQ(0, uapi_share(self->fd, mapping.handle, true));
	area = AREA(mapping.handle, RW);
	pid = start_waiter(self->fd, mapping.handle, word, RW);
	EXPECT_EQ(1, wake_one(area + word));
	EXPECT_EQ(0, status_of(pid));
	/* after mprotect() has broken the entry of 1 GiB, the futex is at the same place */
	EXPECT_EQ(0, mprotect(area + SIZE_1G / 2, PAGE, R));
	pid = start_waiter(self->fd, mapping.handle, word, RW);
	EXPECT_EQ(1, wake_one(area + word));
	EXPECT_EQ(0, status_of(pid));
	EXPECT_EQ(0, munmap(area, SIZE_1G));
}

/* Linux itself populates areas of memory with struct pages. */
TEST_F(share, map_populate_leaves_no_fault)
{
	unsigned char *area, byte = 0;
	__u64 offset, i;
	long faults;

	ASSERT_EQ(0, uapi_map_offset(self->fd, self->handle, &offset, NULL));
	area = mmap(NULL, SIZE, RW, MAP_SHARED | MAP_POPULATE, self->fd, offset);
	ASSERT_NE((unsigned char *)MAP_FAILED, area);
	faults = nr_faults();
	for (i = 0; i < SIZE; i += PAGE)
		byte |= __atomic_load_n(area + i, __ATOMIC_RELAXED);
	EXPECT_EQ(0, byte);
	EXPECT_EQ(faults, nr_faults());
	EXPECT_EQ(0, madvise(area, SIZE, MADV_POPULATE_WRITE));
	EXPECT_EQ(0, munmap(area, SIZE));
}

TEST_HARNESS_MAIN
