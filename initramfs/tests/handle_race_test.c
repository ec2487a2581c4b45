// SPDX-License-Identifier: GPL-2.0
/* Debug kernel: KASAN and lockdep find races. */
/* Races: calls that consume one handle. */
/*
 * Several threads consume one handle. One of them succeeds, and at the end all memory is free.
 */
#include "client.h"

#include <pthread.h>

#define NR_THREADS	4
#define NR_ROUNDS	40

/**
 * race - threads that all make the same call on one object, at the same moment, in rounds
 * @barrier: start and end of a round
 * @threads: the threads
 * @nr_started: number of started threads; gives each thread its index in @results
 * @stop: there are no more rounds
 * @handle: the object of this round
 * @other: a second object, for the variants that need two
 * @results: results of the threads
 * @act: the call that all threads make
 */
FIXTURE(race)
{
	int fd;
	struct theseus_mm_info start;
	pthread_barrier_t barrier;
	pthread_t threads[NR_THREADS];
	unsigned int nr_started;
	bool stop;
	__u32 handle;
	__u32 other;
	int results[NR_THREADS];
	int (*act)(FIXTURE_DATA(race) *self);
};

/**
 * race variants - ways to consume a handle
 * @prepare: makes the object of a round
 * @act: the call that all threads make
 */
FIXTURE_VARIANT(race)
{
	int (*prepare)(FIXTURE_DATA(race) *self);
	int (*act)(FIXTURE_DATA(race) *self);
};

static int prepare_pages(FIXTURE_DATA(race) *self)
{
	struct theseus_mm_allocate pages = { .size = 4 };
	int err = uapi_allocate_pages(self->fd, &pages);

	self->handle = pages.handle;
	return err;
}

static int prepare_frames(FIXTURE_DATA(race) *self)
{
	struct theseus_mm_allocate frames = { .size = 4 };
	int err = uapi_allocate_frames(self->fd, &frames);

	self->handle = frames.handle;
	return err;
}

static int prepare_both(FIXTURE_DATA(race) *self)
{
	int err = prepare_frames(self);

	self->other = self->handle;
	return err ? err : prepare_pages(self);
}

static int prepare_mapping(FIXTURE_DATA(race) *self)
{
	struct theseus_mm_create_mapping mapping = { 0 };
	int err = uapi_create_mapping(self->fd, 4 * PAGE, THESEUS_MM_PTE_DATA, &mapping);

	self->handle = mapping.handle;
	return err;
}

static int prepare_halves(FIXTURE_DATA(race) *self)
{
	int err = prepare_mapping(self);

	return err ? err : uapi_split(self->fd, self->handle, PAGE, &self->handle, &self->other);
}

static int act_drop(FIXTURE_DATA(race) *self)
{
	return uapi_drop(self->fd, self->handle);
}

static int act_split(FIXTURE_DATA(race) *self)
{
	__u32 first, second;

	return uapi_split(self->fd, self->handle, PAGE, &first, &second);
}

static int act_merge(FIXTURE_DATA(race) *self)
{
	return uapi_merge(self->fd, self->handle, self->other);
}

static int act_map(FIXTURE_DATA(race) *self)
{
	struct theseus_mm_map mapping;

	return uapi_map_allocated_pages(self->fd, self->handle, THESEUS_MM_PTE_DATA, &mapping);
}

static int act_map_to(FIXTURE_DATA(race) *self)
{
	struct theseus_mm_map mapping;

	return uapi_map_allocated_pages_to(self->fd, self->handle, self->other,
					   THESEUS_MM_PTE_DATA, &mapping);
}

static int act_unmap(FIXTURE_DATA(race) *self)
{
	__u32 pages, frames[4], nr = 4;

	return uapi_unmap_into_parts(self->fd, self->handle, &pages, frames, &nr);
}

FIXTURE_VARIANT_ADD(race, drop_pages) { .prepare = prepare_pages, .act = act_drop };
FIXTURE_VARIANT_ADD(race, drop_frames) { .prepare = prepare_frames, .act = act_drop };
FIXTURE_VARIANT_ADD(race, drop_mapping) { .prepare = prepare_mapping, .act = act_drop };
FIXTURE_VARIANT_ADD(race, split_pages) { .prepare = prepare_pages, .act = act_split };
FIXTURE_VARIANT_ADD(race, split_frames) { .prepare = prepare_frames, .act = act_split };
FIXTURE_VARIANT_ADD(race, split_mapping) { .prepare = prepare_mapping, .act = act_split };
FIXTURE_VARIANT_ADD(race, merge) { .prepare = prepare_halves, .act = act_merge };
FIXTURE_VARIANT_ADD(race, map) { .prepare = prepare_pages, .act = act_map };
FIXTURE_VARIANT_ADD(race, map_to) { .prepare = prepare_both, .act = act_map_to };
FIXTURE_VARIANT_ADD(race, unmap) { .prepare = prepare_mapping, .act = act_unmap };

static void *race_thread(void *argument)
{
	FIXTURE_DATA(race) *self = argument;
	unsigned int me = __atomic_fetch_add(&self->nr_started, 1, __ATOMIC_RELAXED);

	for (;;) {
		pthread_barrier_wait(&self->barrier);
		if (self->stop)
			return NULL;
		self->results[me] = self->act(self);
		pthread_barrier_wait(&self->barrier);
	}
}

FIXTURE_SETUP(race)
{
	int i;

	CLIENT_SETUP();
	self->act = variant->act;
	ASSERT_EQ(0, pthread_barrier_init(&self->barrier, NULL, NR_THREADS + 1));
	for (i = 0; i < NR_THREADS; i++)
		ASSERT_EQ(0, pthread_create(&self->threads[i], NULL, race_thread, self));
}

FIXTURE_TEARDOWN(race)
{
	int i;

	self->stop = true;
	pthread_barrier_wait(&self->barrier);
	for (i = 0; i < NR_THREADS; i++)
		pthread_join(self->threads[i], NULL);
	CLIENT_TEARDOWN();
}

TEST_F(race, exactly_one_wins)
{
	int round, i, winners;

	for (round = 0; round < NR_ROUNDS; round++) {
		EXPECT_EQ(0, variant->prepare(self));
		pthread_barrier_wait(&self->barrier);
		pthread_barrier_wait(&self->barrier);
		for (winners = 0, i = 0; i < NR_THREADS; i++) {
			if (!self->results[i])
				winners++;
			else
				EXPECT_EQ(-ENOENT, self->results[i]);
		}
		EXPECT_EQ(1, winners);
	}
}

TEST_HARNESS_MAIN
