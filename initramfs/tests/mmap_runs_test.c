// SPDX-License-Identifier: GPL-2.0
/* Races: faults of several threads in one page table, beside revocations. */
/*
 * A fault inserts many small entries at a time: of the right frames, for the area only, and with
 * the protection of the area.
 */
#include "area.h"
#include "fragment.h"

#include <pthread.h>
#include <sys/wait.h>

#define SIZE_2M		(1ULL << 21)
#define NR_THREADS	3
#define SECONDS		6
#define OTHERS		0xff
/* the tables of a scattered mapping are single frames, too */
#define NR_TABLES	8

/* How the frames of a mapping lie. */
enum kind {
	/* in leaves of 2 MiB, if the mapping has whole ones */
	LARGE_LEAVES,
	/* in one run, but in leaves of 4 KiB */
	SMALL_LEAVES,
	/* no two beside each other */
	SCATTERED,
};

/**
 * runs - a client with a mapping in which every byte has a known value
 * @hog: a client that owns all other frames, or has none
 * @handle: the mapping
 * @nr: number of its pages
 * @area: the area that threads touch
 * @nr_seen: how often a thread saw a right byte
 * @nr_signals: how often a thread got a signal, or found no area
 * @nr_wrong: how often a thread saw a wrong byte
 * @stop: the threads are to end
 */
FIXTURE(runs)
{
	int fd;
	struct theseus_mm_info start;
	int hog;
	__u32 handle;
	__u64 nr;
	unsigned char *area;
	unsigned long nr_seen;
	unsigned long nr_signals;
	unsigned long nr_wrong;
	bool stop;
};

/**
 * runs variants - how the frames lie
 * @kind: how the frames lie
 * @nr: number of pages
 */
FIXTURE_VARIANT(runs)
{
	enum kind kind;
	__u64 nr;
};

FIXTURE_VARIANT_ADD(runs, large_leaves) { LARGE_LEAVES, 2 * 512 };
FIXTURE_VARIANT_ADD(runs, small_leaves) { SMALL_LEAVES, 2 * 512 + 5 };
FIXTURE_VARIANT_ADD(runs, scattered) { SCATTERED, 512 + 77 };

static int make_mapping(int fd, int hog, enum kind kind, __u64 nr, __u32 *handle)
{
	struct theseus_mm_create_mapping created = { 0 };
	struct theseus_mm_map mapping = { 0 };
	int err;

	if (kind == SCATTERED) {
		err = leave_singles(hog, nr + NR_TABLES);
		if (!err)
			err = uapi_create_mapping(fd, nr * PAGE, THESEUS_MM_PTE_DATA, &created);
	} else {
		err = map_aligned(fd, nr * PAGE, SIZE_2M, kind == SMALL_LEAVES, &mapping);
	}
	*handle = kind == SCATTERED ? created.handle : mapping.handle;
	return err ?: fill(fd, *handle, nr * PAGE);
}

FIXTURE_SETUP(runs)
{
	recover_start();
	CLIENT_SETUP();
	self->hog = uapi_open(NULL);
	ASSERT_LE(0, self->hog);
	self->nr = variant->nr;
	ASSERT_EQ(0, make_mapping(self->fd, self->hog, variant->kind, self->nr, &self->handle));
	if (variant->kind == SCATTERED)
		ASSERT_EQ(self->nr, QUERY(self->handle).nr_frame_ranges);
}

FIXTURE_TEARDOWN(runs)
{
	close(self->hog);
	CLIENT_TEARDOWN();
}

/*
 * Return: how many pages, from @first on, show their own content, up to @end. The area shows the
 * mapping from page @skip on.
 */
static __u64 nr_right_from(const unsigned char *area, __u64 first, __u64 end, __u64 skip)
{
	unsigned char byte;
	__u64 i;

	for (i = first; i < end; i++)
		if (load(area + i * PAGE + i, &byte) || byte != pattern((i + skip) * PAGE + i))
			break;
	return i - first;
}

static __u64 nr_right(const unsigned char *area, __u64 first, __u64 end)
{
	return nr_right_from(area, first, end, 0);
}

/* Return: how many pages, from @first on, raise SIGSEGV when written, up to @end */
static __u64 nr_refused(unsigned char *area, __u64 first, __u64 end)
{
	__u64 i;

	for (i = first; i < end && store(area + i * PAGE, pattern(i * PAGE)) == SIGSEGV; i++)
		;
	return i - first;
}

/* Return: how many pages, from @first on, can be written, up to @end; the content stays */
static __u64 nr_written(unsigned char *area, __u64 first, __u64 end)
{
	__u64 i;

	for (i = first; i < end && !store(area + i * PAGE, pattern(i * PAGE)); i++)
		;
	return i - first;
}

/* Return: how many pages, from the first on, raise SIGBUS when read, up to @nr */
static __u64 nr_revoked(const unsigned char *area, __u64 nr)
{
	unsigned char byte;
	__u64 i;

	for (i = 0; i < nr && load(area + i * PAGE, &byte) == SIGBUS; i++)
		;
	return i;
}

TEST_F(runs, each_page_shows_its_own_frame)
{
	const __u64 first[] = { 0, 1, 300, 511, 512, self->nr - 1 };
	unsigned char *area, byte;
	unsigned int i;
	long faults;

	for (i = 0; i < ARRAY_SIZE(first); i++) {
		area = AREA(self->handle, R);
		EXPECT_EQ(0, load(area + first[i] * PAGE, &byte));
		EXPECT_EQ(pattern(first[i] * PAGE), byte);
		faults = nr_faults();
		EXPECT_EQ(self->nr, nr_right(area, 0, self->nr));
		/* one fault for each table but the first; the program's own pages may fault */
		EXPECT_GE(faults + 2 + 4, nr_faults());
		EXPECT_EQ(0, munmap(area, self->nr * PAGE));
	}
}

/* The tables of the process cover other pages than those of the mapping. */
TEST_F(runs, a_part_at_any_address)
{
	const __u64 part = self->nr - 100;
	unsigned char *place = mmap(NULL, self->nr * PAGE + SIZE_2M, PROT_NONE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char *area, byte;
	__u64 offset;

	ASSERT_NE((unsigned char *)MAP_FAILED, place);
	ASSERT_EQ(0, uapi_map_offset(self->fd, self->handle, &offset, NULL));
	area = place + 33 * PAGE;
	ASSERT_EQ(area, mmap(area, part * PAGE, R, MAP_SHARED | MAP_FIXED, self->fd,
			     offset + 60 * PAGE));
	EXPECT_EQ(part, nr_right_from(area, 0, part, 60));
	EXPECT_EQ(SIGSEGV, load(area - 1, &byte));
	EXPECT_EQ(SIGSEGV, load(area + part * PAGE, &byte));
	EXPECT_EQ(0, munmap(place, self->nr * PAGE + SIZE_2M));
}

/* The parts of a split area are areas of their own, and share page tables with other memory. */
TEST_F(runs, holes_stay_as_they_are)
{
	unsigned char *area = AREA(self->handle, RW), *other = area + 200 * PAGE, byte;
	__u64 i;

	ASSERT_EQ(0, munmap(area + 100 * PAGE, PAGE));
	ASSERT_EQ(0, munmap(other, 2 * PAGE));
	ASSERT_EQ(other, mmap(other, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	EXPECT_EQ(100, nr_right(area, 0, 100));
	EXPECT_EQ(99, nr_right(area, 101, 200));
	EXPECT_EQ(self->nr - 202, nr_right(area, 202, self->nr));
	EXPECT_EQ(SIGSEGV, load(area + 100 * PAGE, &byte));
	EXPECT_EQ(SIGSEGV, load(area + 201 * PAGE, &byte));
	for (i = 0; i < PAGE; i++)
		ASSERT_EQ(0, other[i]);
	/* a page that is in use keeps its entry, when faults fill the table around it */
	other[0] = 1;
	ASSERT_EQ(0, munmap(area + 202 * PAGE, PAGE));
	EXPECT_EQ(100, nr_right(area, 0, 100));
	EXPECT_EQ(1, other[0]);
	EXPECT_EQ(0, munmap(area, self->nr * PAGE));
}

TEST_F(runs, a_read_only_area_stays_read_only)
{
	unsigned char *area = AREA(self->handle, R);

	EXPECT_EQ(self->nr, nr_refused(area, 0, self->nr));
	EXPECT_EQ(self->nr, nr_right(area, 0, self->nr));
	EXPECT_EQ(self->nr, nr_refused(area, 0, self->nr));
	EXPECT_ERRNO(EACCES, mprotect(area + 7 * PAGE, 100 * PAGE, RW));
	EXPECT_EQ(self->nr, nr_refused(area, 0, self->nr));
	EXPECT_EQ(0, munmap(area, self->nr * PAGE));
}

/* A part has its own protection, whether it changes before or after the first fault. */
TEST_F(runs, a_part_with_its_own_protection)
{
	unsigned char *area, byte;
	bool is_touched;
	int i;

	for (i = 0; i < 2; i++) {
		is_touched = i;
		area = AREA(self->handle, RW);
		if (is_touched)
			EXPECT_EQ(self->nr, nr_right(area, 0, self->nr));
		ASSERT_EQ(0, mprotect(area + 100 * PAGE, 100 * PAGE, R));
		ASSERT_EQ(0, mprotect(area + 300 * PAGE, 100 * PAGE, PROT_NONE));
		EXPECT_EQ(100, nr_written(area, 0, 100));
		EXPECT_EQ(100, nr_refused(area, 100, 200));
		EXPECT_EQ(100, nr_written(area, 200, 300));
		EXPECT_EQ(100, nr_refused(area, 300, 400));
		EXPECT_EQ(SIGSEGV, load(area + 300 * PAGE, &byte));
		EXPECT_EQ(self->nr - 400, nr_written(area, 400, self->nr));
		EXPECT_EQ(300, nr_right(area, 0, 300));
		EXPECT_EQ(100, nr_refused(area, 100, 200));
		ASSERT_EQ(0, mprotect(area, self->nr * PAGE, RW));
		EXPECT_EQ(self->nr, nr_written(area, 0, self->nr));
		EXPECT_EQ(self->nr, nr_right(area, 0, self->nr));
		EXPECT_EQ(0, munmap(area, self->nr * PAGE));
	}
}

/* Linux does not track the memory type of the area, so it does not warn at munmap(). */
TEST_F(runs, can_be_revoked_before_munmap)
{
	unsigned char *area;
	__u64 offset;
	__u32 nr;
	int i;

	ASSERT_EQ(0, uapi_map_offset(self->fd, self->handle, &offset, NULL));
	for (i = 0; i < 2; i++) {
		area = mmap(NULL, self->nr * PAGE, RW, MAP_SHARED | (i ? MAP_POPULATE : 0),
			    self->fd, offset);
		ASSERT_NE((unsigned char *)MAP_FAILED, area);
		EXPECT_EQ(self->nr, nr_right(area, 0, self->nr));
		EXPECT_EQ(0, uapi_revoke(self->fd, self->handle, &nr));
		EXPECT_EQ(1, nr);
		EXPECT_EQ(self->nr, nr_revoked(area, self->nr));
		EXPECT_EQ(0, munmap(area, self->nr * PAGE));
	}
}

/* --- several threads ---------------------------------------------------------------- */

static void touch_page(FIXTURE_DATA(runs) *self, unsigned char *area, __u64 page, bool is_store)
{
	unsigned char byte = pattern(page * PAGE);

	if (!area || (is_store ? store(area + page * PAGE, byte) : load(area + page * PAGE, &byte)))
		__atomic_add_fetch(&self->nr_signals, 1, __ATOMIC_RELAXED);
	else if (byte == pattern(page * PAGE))
		__atomic_add_fetch(&self->nr_seen, 1, __ATOMIC_RELAXED);
	else
		__atomic_add_fetch(&self->nr_wrong, 1, __ATOMIC_RELAXED);
}

static void *touch_until_stopped(void *arg)
{
	FIXTURE_DATA(runs) *self = arg;
	unsigned int seed = (uintptr_t)&seed >> 12;
	int i;

	while (!__atomic_load_n(&self->stop, __ATOMIC_RELAXED)) {
		unsigned char *area = __atomic_load_n(&self->area, __ATOMIC_RELAXED);

		for (i = 0; i < 20; i++) {
			seed = seed * 1103515245 + 12345;
			touch_page(self, area, (seed >> 8) % self->nr, seed >> 30 == 0);
		}
	}
	return NULL;
}

/*
 * Show the mapping to the threads, and revoke it while they touch the area. Then give the frames
 * another content, which no thread may see.
 */
static int show_once(FIXTURE_DATA(runs) *self, unsigned int turn)
{
	static unsigned char others[PAGE];
	unsigned char *area;
	__u64 offset, i;
	int err;

	err = uapi_map_offset(self->fd, self->handle, &offset, NULL);
	if (err)
		return err;
	area = mmap(NULL, self->nr * PAGE, RW, MAP_SHARED | (turn % 2 ? MAP_POPULATE : 0), self->fd,
		    offset);
	if (area == MAP_FAILED)
		return -errno;
	__atomic_store_n(&self->area, area, __ATOMIC_RELAXED);
	/* the first turns are over before the first fault */
	usleep(turn % 16 * 200);
	err = uapi_revoke(self->fd, self->handle, NULL);
	memset(others, OTHERS, sizeof(others));
	for (i = 0; i < self->nr && !err; i += 64)
		err = uapi_write(self->fd, self->handle, i * PAGE, others, 1);
	usleep(500);
	for (i = 0; i < self->nr && !err; i += 64) {
		others[0] = pattern(i * PAGE);
		err = uapi_write(self->fd, self->handle, i * PAGE, others, 1);
	}
	__atomic_store_n(&self->area, NULL, __ATOMIC_RELAXED);
	munmap(area, self->nr * PAGE);
	return err;
}

TEST_F_TIMEOUT(runs, threads_fault_in_one_table_while_it_is_revoked, 120)
{
	pthread_t threads[NR_THREADS];
	struct timespec start;
	unsigned int i, turn;
	int err = 0;

	for (i = 0; i < NR_THREADS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, touch_until_stopped, self));
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (turn = 0; !err && race_goes_on(&start, SECONDS, self->nr_seen && self->nr_signals);
	     turn++)
		err = show_once(self, turn);
	self->stop = true;
	for (i = 0; i < NR_THREADS; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(0, err);
	EXPECT_LT(0, self->nr_seen);
	EXPECT_LT(0, self->nr_signals);
	EXPECT_EQ(0, self->nr_wrong);
}

/* --- MAP_POPULATE and SIGKILL -------------------------------------------------------- */

#define NR_KILLS	6

/* Make areas with all entries, one after the other. @count is odd while mmap() is running. */
static void populate_until_killed(int fd, __u64 offset, __u64 nr_bytes, unsigned int *count)
{
	void *area;

	for (;;) {
		__atomic_add_fetch(count, 1, __ATOMIC_SEQ_CST);
		area = mmap(NULL, nr_bytes, RW, MAP_SHARED | MAP_POPULATE, fd, offset);
		__atomic_add_fetch(count, 1, __ATOMIC_SEQ_CST);
		if (area == MAP_FAILED || munmap(area, nr_bytes))
			_exit(1);
	}
}

TEST_F_TIMEOUT(client, map_populate_ends_with_sigkill, 120)
{
	const __u64 nr_bytes = 64 * SIZE_2M;
	unsigned int *count = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct theseus_mm_map mapping;
	unsigned int nr_inside = 0;
	int i, status;
	__u64 offset;
	pid_t pid;

	ASSERT_NE((unsigned int *)MAP_FAILED, count);
	ASSERT_EQ(0, map_aligned(self->fd, nr_bytes, SIZE_2M, 1, &mapping));
	ASSERT_EQ(0, uapi_map_offset(self->fd, mapping.handle, &offset, NULL));
	for (i = 0; i < NR_KILLS || (!nr_inside && i < 10 * NR_KILLS); i++) {
		*count = 0;
		pid = fork();
		if (!pid)
			populate_until_killed(self->fd, offset, nr_bytes, count);
		EXPECT_TRUE(BECOMES(__atomic_load_n(count, __ATOMIC_SEQ_CST)));
		usleep(i % NR_KILLS * 1000);
		EXPECT_EQ(0, kill(pid, SIGKILL));
		EXPECT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status));
		EXPECT_EQ(SIGKILL, WTERMSIG(status));
		nr_inside += *count % 2;
		EXPECT_EQ(0, QUERY(mapping.handle).nr_borrows);
	}
	EXPECT_LT(0, nr_inside);
	EXPECT_EQ(0, uapi_drop(self->fd, mapping.handle));
	EXPECT_EQ(0, munmap(count, PAGE));
}

TEST_HARNESS_MAIN
