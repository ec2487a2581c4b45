// SPDX-License-Identifier: GPL-2.0
/* Debug kernel: KASAN and lockdep find races. */
/* Races: readers beside changes of their mapping. */
/*
 * A mapping is read while its owner takes it apart. A reader that is just leaving must not touch
 * memory that the change has freed: KASAN reports such an access, and the counts must be right at
 * the end.
 */
#include "client.h"

#include <pthread.h>

#define NR_READERS	3
#define SECONDS		4

FIXTURE(borrow_race)
{
	int fd;
	struct theseus_mm_info start;
	pthread_t readers[NR_READERS];
	__u32 handle;
	unsigned long nr_reads;
	unsigned long nr_changes;
	bool is_writing;
	bool failed;
	bool stop;
};

/*
 * A call fails with EBUSY while another call has the mapping, and with ENOENT after another call
 * has consumed the handle. No other error may occur.
 */
static bool may_be(int err)
{
	return !err || err == -ENOENT || err == -EBUSY;
}

static void *access_until_stopped(void *arg)
{
	FIXTURE_DATA(borrow_race) *self = arg;
	char byte = 1;
	int err;

	while (!__atomic_load_n(&self->stop, __ATOMIC_RELAXED)) {
		__u32 handle = __atomic_load_n(&self->handle, __ATOMIC_RELAXED);

		if (self->is_writing)
			err = uapi_write(self->fd, handle, 0, &byte, 1);
		else
			err = uapi_read(self->fd, handle, 0, &byte, 1);
		if (!may_be(err))
			self->failed = true;
		if (!err)
			__atomic_add_fetch(&self->nr_reads, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

FIXTURE_SETUP(borrow_race)
{
	struct theseus_mm_create_mapping mapping;

	CLIENT_SETUP();
	ASSERT_EQ(0, uapi_create_mapping(self->fd, 2 * PAGE, THESEUS_MM_PTE_DATA, &mapping));
	self->handle = mapping.handle;
}

FIXTURE_TEARDOWN(borrow_race)
{
	CLIENT_TEARDOWN();
}

/* Run readers, and call @change in a loop. @change stores each new handle in self->handle. */
static void race(FIXTURE_DATA(borrow_race) *self, int (*change)(FIXTURE_DATA(borrow_race) *self))
{
	struct timespec start;
	unsigned int i;
	int err;

	clock_gettime(CLOCK_MONOTONIC, &start);
	for (i = 0; i < NR_READERS; i++)
		if (pthread_create(&self->readers[i], NULL, access_until_stopped, self))
			abort();
	while (race_goes_on(&start, SECONDS, self->nr_reads && self->nr_changes)) {
		err = change(self);
		if (!may_be(err))
			self->failed = true;
		if (!err)
			self->nr_changes++;
	}
	__atomic_store_n(&self->stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < NR_READERS; i++)
		pthread_join(self->readers[i], NULL);
}

static int unmap_and_map(FIXTURE_DATA(borrow_race) *self)
{
	__u32 pages, frames[2], nr = 2;
	struct theseus_mm_map mapping;
	int err = uapi_unmap_into_parts(self->fd, self->handle, &pages, frames, &nr);

	if (!err)
		err = uapi_map_allocated_pages_to(self->fd, pages, frames[0], THESEUS_MM_PTE_DATA,
						  &mapping);
	if (!err)
		__atomic_store_n(&self->handle, mapping.handle, __ATOMIC_RELAXED);
	return err;
}

/* The readers read the second half, which the merge consumes. */
static int split_and_merge(FIXTURE_DATA(borrow_race) *self)
{
	__u32 first, second;
	int err = uapi_split(self->fd, self->handle, PAGE, &first, &second);

	if (err)
		return err;
	__atomic_store_n(&self->handle, second, __ATOMIC_RELAXED);
	do {
		err = uapi_merge(self->fd, first, second);
	} while (err == -EBUSY);
	if (!err)
		__atomic_store_n(&self->handle, first, __ATOMIC_RELAXED);
	return err;
}

#define EXPECT_BOTH_RAN()						\
	do {								\
		EXPECT_FALSE(self->failed);				\
		EXPECT_LT(0, self->nr_reads);				\
		EXPECT_LT(0, self->nr_changes);				\
	} while (0)

TEST_F_TIMEOUT(borrow_race, reads_beside_unmap_into_parts, 120)
{
	race(self, unmap_and_map);
	EXPECT_BOTH_RAN();
}

TEST_F_TIMEOUT(borrow_race, writes_beside_unmap_into_parts, 120)
{
	self->is_writing = true;
	race(self, unmap_and_map);
	EXPECT_BOTH_RAN();
}

TEST_F_TIMEOUT(borrow_race, reads_beside_split_and_merge, 120)
{
	race(self, split_and_merge);
	EXPECT_BOTH_RAN();
}

TEST_HARNESS_MAIN
