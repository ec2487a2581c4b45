// SPDX-License-Identifier: GPL-2.0
/* Debug kernel: KASAN and lockdep find races. */
/* Races: faults beside revocations. */
/*
 * Areas in several threads at the same time: nobody sees another client's memory through a
 * revoked area, and at the end all memory is free.
 */
#include "area.h"

#include <pthread.h>

#define NR_THREADS	3
#define SECONDS		8
#define SIZE_2M		(1ULL << 21)
#define MINE		0xa5
#define OTHERS		0x5a

/**
 * race - threads beside a client
 * @other: another client, whose memory must not be seen
 * @area: the area that the threads touch
 * @nr_bytes: size of a leaf
 * @handles: the mappings that the threads mmap
 * @nr_seen: how often a thread saw the right content
 * @nr_signals: how often a thread got a signal, or found no area
 * @nr_others: how often a thread saw the content of another client
 * @all_there: all threads of everything_at_once have been made
 * @stop: the threads are to end
 */
FIXTURE(race)
{
	int fd;
	struct theseus_mm_info start;
	int other;
	unsigned char *area;
	__u64 nr_bytes;
	__u32 handles[2];
	unsigned long nr_seen;
	unsigned long nr_signals;
	unsigned long nr_others;
	bool stop;
	bool all_there;
};

/**
 * race variants - sizes of leaves
 * @nr_bytes: size of a leaf
 */
FIXTURE_VARIANT(race)
{
	__u64 nr_bytes;
};

FIXTURE_VARIANT_ADD(race, leaves_of_4k) { .nr_bytes = PAGE };
FIXTURE_VARIANT_ADD(race, leaves_of_2m) { .nr_bytes = SIZE_2M };

FIXTURE_SETUP(race)
{
	recover_start();
	CLIENT_SETUP();
	self->other = uapi_open(NULL);
	ASSERT_LE(0, self->other);
	self->nr_bytes = variant->nr_bytes;
}

FIXTURE_TEARDOWN(race)
{
	close(self->other);
	CLIENT_TEARDOWN();
}

/* Has a thread seen the area, and seen it gone? */
static bool has_been_seen_and_gone(const FIXTURE_DATA(race) *self)
{
	return __atomic_load_n(&self->nr_seen, __ATOMIC_RELAXED) &&
	       __atomic_load_n(&self->nr_signals, __ATOMIC_RELAXED);
}

/* Make a mapping of one leaf, with @byte at the place where the threads look. */
static int map_leaf(int fd, __u64 nr_bytes, unsigned char byte, __u32 *handle, __u64 *vaddr)
{
	struct theseus_mm_allocate pages = { .size = nr_bytes / PAGE, .align = nr_bytes };
	struct theseus_mm_allocate frames = pages;
	struct theseus_mm_map mapping;
	int err = uapi_allocate_pages(fd, &pages);

	if (!err)
		err = uapi_allocate_frames(fd, &frames);
	if (!err)
		err = uapi_map_allocated_pages_to(fd, pages.handle, frames.handle,
						  THESEUS_MM_PTE_DATA, &mapping);
	if (!err)
		err = uapi_write(fd, mapping.handle, nr_bytes - 1, &byte, 1);
	if (err)
		return err;
	*handle = mapping.handle;
	*vaddr = mapping.start;
	return 0;
}

static void *look_until_stopped(void *arg)
{
	FIXTURE_DATA(race) *self = arg;
	unsigned char byte;

	while (!__atomic_load_n(&self->stop, __ATOMIC_RELAXED)) {
		unsigned char *area = __atomic_load_n(&self->area, __ATOMIC_RELAXED);

		if (!area || load(area + self->nr_bytes - 1, &byte))
			__atomic_add_fetch(&self->nr_signals, 1, __ATOMIC_RELAXED);
		else if (byte == MINE)
			__atomic_add_fetch(&self->nr_seen, 1, __ATOMIC_RELAXED);
		else
			__atomic_add_fetch(&self->nr_others, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static __u64 frame_of(int fd, __u64 vaddr)
{
	struct theseus_mm_translate translation = { 0 };

	return uapi_translate(fd, vaddr, &translation) ? ~0ULL : translation.paddr;
}

/* A mapping is revoked and dropped, and another client gets the same frames. */
static int reuse_once(FIXTURE_DATA(race) *self, unsigned long *nr_reused)
{
	unsigned char *area;
	__u64 vaddr, frame;
	__u32 handle;
	int err = map_leaf(self->fd, self->nr_bytes, MINE, &handle, &vaddr);

	if (err)
		return err;
	frame = frame_of(self->fd, vaddr);
	area = mmap_all(self->fd, handle, R);
	if (area == MAP_FAILED)
		return -errno;
	__atomic_store_n(&self->area, area, __ATOMIC_RELAXED);
	usleep(1000);
	err = uapi_revoke(self->fd, handle, NULL);
	if (!err)
		err = uapi_drop(self->fd, handle);
	if (!err)
		err = map_leaf(self->other, self->nr_bytes, OTHERS, &handle, &vaddr);
	if (err)
		return err;
	*nr_reused += frame == frame_of(self->other, vaddr);
	usleep(1000);
	__atomic_store_n(&self->area, NULL, __ATOMIC_RELAXED);
	munmap(area, self->nr_bytes);
	return uapi_drop(self->other, handle);
}

TEST_F_TIMEOUT(race, a_revoked_area_never_shows_anothers_memory, 120)
{
	pthread_t threads[NR_THREADS];
	unsigned long nr_reused = 0;
	struct timespec start;
	unsigned int i;
	int err = 0;

	for (i = 0; i < NR_THREADS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, look_until_stopped, self));
	clock_gettime(CLOCK_MONOTONIC, &start);
	while (!err && race_goes_on(&start, SECONDS, nr_reused && has_been_seen_and_gone(self)))
		err = reuse_once(self, &nr_reused);
	self->stop = true;
	for (i = 0; i < NR_THREADS; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(0, err);
	EXPECT_LT(0, nr_reused);
	EXPECT_LT(0, self->nr_seen);
	EXPECT_LT(0, self->nr_signals);
	EXPECT_EQ(0, self->nr_others);
}

/*
 * As in reuse_once(), another client gets the frames, but here one thread munmaps the area while
 * another drops the mapping as soon as possible. The last munmap() must have flushed the TLB of the
 * entries that it removed.
 */
static void *drop_when_possible(void *arg)
{
	FIXTURE_DATA(race) *self = arg;
	__u64 vaddr;
	int err;

	do {
		err = uapi_drop(self->fd, self->handles[0]);
	} while (err == -EBUSY);
	if (!err)
		err = map_leaf(self->other, self->nr_bytes, OTHERS, &self->handles[1], &vaddr);
	return (void *)(long)err;
}

static int munmap_once(FIXTURE_DATA(race) *self)
{
	pthread_t thread;
	unsigned char *area;
	__u64 vaddr;
	void *result;
	int err = map_leaf(self->fd, self->nr_bytes, MINE, &self->handles[0], &vaddr);

	if (err)
		return err;
	area = mmap_all(self->fd, self->handles[0], R);
	if (area == MAP_FAILED)
		return -errno;
	if (pthread_create(&thread, NULL, drop_when_possible, self))
		return -EAGAIN;
	__atomic_store_n(&self->area, area, __ATOMIC_RELAXED);
	usleep(500);
	munmap(area, self->nr_bytes);
	pthread_join(thread, &result);
	if (result)
		return (long)result;
	__atomic_store_n(&self->area, NULL, __ATOMIC_RELAXED);
	return uapi_drop(self->other, self->handles[1]);
}

TEST_F_TIMEOUT(race, a_munmapped_area_never_shows_anothers_memory, 120)
{
	pthread_t threads[NR_THREADS];
	struct timespec start;
	unsigned int i;
	int err = 0;

	for (i = 0; i < NR_THREADS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, look_until_stopped, self));
	clock_gettime(CLOCK_MONOTONIC, &start);
	while (!err && race_goes_on(&start, SECONDS, has_been_seen_and_gone(self)))
		err = munmap_once(self);
	self->stop = true;
	for (i = 0; i < NR_THREADS; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(0, err);
	EXPECT_LT(0, self->nr_seen);
	EXPECT_EQ(0, self->nr_others);
}

/* --- everything at once ------------------------------------------------------------- */

#define NR_PAGES	8

static unsigned int next_random(unsigned int *seed)
{
	*seed = *seed * 1103515245 + 12345;
	return *seed >> 16;
}

static void touch(FIXTURE_DATA(race) *self, unsigned char *area, bool is_store)
{
	unsigned char byte = MINE;

	if (is_store ? store(area, MINE) : load(area, &byte))
		__atomic_add_fetch(&self->nr_signals, 1, __ATOMIC_RELAXED);
	else if (byte == MINE)
		__atomic_add_fetch(&self->nr_seen, 1, __ATOMIC_RELAXED);
	else
		__atomic_add_fetch(&self->nr_others, 1, __ATOMIC_RELAXED);
}

/* Make a random call on a part of an area; the result does not matter. */
static void act(FIXTURE_DATA(race) *self, unsigned char *area, __u64 nr_bytes, unsigned int *seed)
{
	const __u64 page = nr_bytes / NR_PAGES;
	unsigned char *part = area + next_random(seed) % NR_PAGES * page;
	unsigned char *to = area + next_random(seed) % NR_PAGES * page;

	switch (next_random(seed) % 8) {
	case 0:
		munmap(part, PAGE);
		break;
	case 1:
		mprotect(part, page, PROT_NONE);
		break;
	case 2:
		mprotect(part, PAGE, R);
		break;
	case 3:
		mprotect(area, nr_bytes, RW);
		break;
	case 4:
		mremap(part, page, page, MREMAP_MAYMOVE | MREMAP_FIXED, to);
		break;
	case 5:
		__atomic_store_n(&self->area, part, __ATOMIC_RELAXED);
		break;
	default:
		touch(self, part, next_random(seed) % 2);
	}
}

static void *act_until_stopped(void *arg)
{
	FIXTURE_DATA(race) *self = arg;
	const __u64 nr_bytes = self->nr_bytes * NR_PAGES;
	unsigned int seed = (uintptr_t)&seed >> 12, i;

	/*
	 * Wait until all threads are there: Linux may put the stack of a new thread into a hole of
	 * an area, and munmap() of the area would then remove the stack.
	 */
	while (!__atomic_load_n(&self->all_there, __ATOMIC_ACQUIRE))
		usleep(1000);
	while (!__atomic_load_n(&self->stop, __ATOMIC_RELAXED)) {
		unsigned char *area = mmap_all(self->fd, self->handles[next_random(&seed) % 2],
					       next_random(&seed) % 2 ? R : RW);

		if (area == MAP_FAILED)
			continue;
		for (i = 0; i < 12; i++)
			act(self, area, nr_bytes, &seed);
		/* touch the area of another thread, which may have removed it */
		touch(self, __atomic_load_n(&self->area, __ATOMIC_RELAXED), false);
		munmap(area, nr_bytes);
	}
	return NULL;
}

static int map_leaves(FIXTURE_DATA(race) *self, __u32 *handle)
{
	const __u64 nr_bytes = self->nr_bytes * NR_PAGES;
	struct theseus_mm_allocate pages = { .size = nr_bytes / PAGE, .align = self->nr_bytes };
	struct theseus_mm_allocate frames = pages;
	struct theseus_mm_map mapping;
	unsigned char byte = MINE;
	unsigned int i;
	int err = uapi_allocate_pages(self->fd, &pages);

	if (!err)
		err = uapi_allocate_frames(self->fd, &frames);
	if (!err)
		err = uapi_map_allocated_pages_to(self->fd, pages.handle, frames.handle,
						  THESEUS_MM_PTE_DATA, &mapping);
	for (i = 0; i < NR_PAGES && !err; i++)
		err = uapi_write(self->fd, mapping.handle, i * self->nr_bytes, &byte, 1);
	if (!err)
		*handle = mapping.handle;
	return err;
}

TEST_F_TIMEOUT(race, everything_at_once, 120)
{
	pthread_t threads[NR_THREADS];
	struct timespec start;
	unsigned long nr_revoked = 0;
	unsigned int i;

	ASSERT_EQ(0, map_leaves(self, &self->handles[0]));
	ASSERT_EQ(0, map_leaves(self, &self->handles[1]));
	self->area = mmap(NULL, PAGE, R, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	EXPECT_EQ(0, munmap(self->area, PAGE));
	for (i = 0; i < NR_THREADS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, act_until_stopped, self));
	__atomic_store_n(&self->all_there, true, __ATOMIC_RELEASE);
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (i = 0; race_goes_on(&start, SECONDS, nr_revoked && has_been_seen_and_gone(self)); i++) {
		__u32 nr = 0;

		EXPECT_EQ(0, uapi_revoke(self->fd, self->handles[i % 2], &nr));
		nr_revoked += nr;
		/* give the threads between 0.3 and 31 ms to fill the area */
		usleep(300 + i % 32 * 1000);
	}
	self->stop = true;
	for (i = 0; i < NR_THREADS; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(0, uapi_revoke(self->fd, self->handles[0], NULL));
	EXPECT_EQ(0, uapi_revoke(self->fd, self->handles[1], NULL));
	EXPECT_LT(0, nr_revoked);
	EXPECT_LT(0, self->nr_seen);
	EXPECT_LT(0, self->nr_signals);
	EXPECT_EQ(0, uapi_drop(self->fd, self->handles[0]));
	EXPECT_EQ(0, uapi_drop(self->fd, self->handles[1]));
}

TEST_HARNESS_MAIN
