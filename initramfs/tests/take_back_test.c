// SPDX-License-Identifier: GPL-2.0
/* Races: calls beside the end of rights. */
/*
 * Exports that are taken back, and rights that end while others use them.
 */
#include "rights.h"

#include <pthread.h>

/* --- taking back ---------------------------------------------------------------------------- */

TEST_F(rights, what_nobody_imported_is_taken_back)
{
	struct theseus_mm_take_back call = { 0 };
	struct theseus_mm_revoke revoke = { 0 };
	unsigned char *area, byte;
	__u32 handle;
	int export;

	ASSERT_EQ(0, uapi_export_as(self->fd, self->handle, 0, &export, &call.export_id));
	EXPECT_NE(0, call.export_id);
	area = AREA_OF(export, RW);
	ASSERT_EQ(0, load(area, &byte));
	ASSERT_EQ(0, uapi_call(self->fd, THESEUS_MM_IOC_TAKE_BACK, &call));
	EXPECT_EQ(self->vaddr, call.start);
	EXPECT_EQ(NR, call.nr_pages);
	EXPECT_EQ(SIGBUS, load(area, &byte));
	EXPECT_STALE(export);
	EXPECT_EQ(-ESTALE, uapi_import(self->other, export, &handle));
	EXPECT_EQ(-ESTALE, uapi_call(export, THESEUS_MM_IOC_REVOKE, &revoke));
	/* the exporter has all rights: nothing is borrowed */
	EXPECT_EQ(0, nr_borrows(self->fd, call.handle));
	EXPECT_EQ(0, fill(self->fd, call.handle, SIZE));
	EXPECT_EQ(0, mmap_errno(self->fd, call.handle, RW));
	EXPECT_EQ(SIGBUS, load(area, &byte));
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_EQ(0, uapi_drop(self->fd, call.handle));
	EXPECT_STALE(export);
	close(export);
}

TEST_F(rights, a_read_only_export_is_taken_back_as_it_was)
{
	int export, exported;
	__u32 id, handle;

	ASSERT_EQ(0, uapi_export_as(self->fd, self->handle, SEALED, &export, &id));
	ASSERT_EQ(0, uapi_take_back(self->fd, id, &handle));
	EXPECT_EQ(0, QUERY(handle).attributes);
	EXPECT_EQ(0, fill(self->fd, handle, SIZE));
	close(export);
	/* a mapping that was read-only before its export stays read-only */
	ASSERT_EQ(0, uapi_export_as(self->fd, handle, SEALED, &export, NULL));
	ASSERT_EQ(0, uapi_import(self->other, export, &handle));
	ASSERT_EQ(0, uapi_export_as(self->other, handle, SEALED, &exported, &id));
	ASSERT_EQ(0, uapi_take_back(self->other, id, &handle));
	expect_sealed(_metadata, self->other, handle);
	close(export);
	close(exported);
}

TEST_F(rights, taking_back_is_refused)
{
	struct theseus_mm_take_back *call, reserved = { .reserved = 1 };
	__u32 id, handle, taken;
	int export;

	ASSERT_EQ(0, uapi_export_as(self->fd, self->handle, 0, &export, &id));
	reserved.export_id = id;
	EXPECT_REFUSED(EINVAL, uapi_call(self->fd, THESEUS_MM_IOC_TAKE_BACK, &reserved));
	/* number 0, an unknown number, and a number of another client */
	EXPECT_REFUSED(ESTALE, uapi_take_back(self->fd, 0, &handle));
	EXPECT_REFUSED(ESTALE, uapi_take_back(self->fd, id + 1, &handle));
	EXPECT_EQ(-ESTALE, uapi_take_back(self->other, id, &handle));
	call = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)call);
	call->export_id = id;
	ASSERT_EQ(0, mprotect(call, PAGE, R));
	EXPECT_REFUSED(EFAULT, uapi_call(self->fd, THESEUS_MM_IOC_TAKE_BACK, call));
	munmap(call, PAGE);
	ASSERT_EQ(0, uapi_set_limits(self->fd, THESEUS_MM_NO_LIMIT, 0));
	EXPECT_REFUSED(EDQUOT, uapi_take_back(self->fd, id, &handle));
	/* after IMPORT and after close(), the number names no export */
	ASSERT_EQ(0, uapi_import(self->other, export, &handle));
	close(export);
	EXPECT_REFUSED(ESTALE, uapi_take_back(self->fd, id, &taken));
	ASSERT_EQ(0, uapi_export_as(self->other, handle, 0, &export, &id));
	close(export);
	EXPECT_EQ(-ESTALE, uapi_take_back(self->other, id, &taken));
}

/* A number is not reused at once: a late TAKE_BACK does not get another export. */
TEST_F(rights, numbers_of_exports_are_not_used_again)
{
	__u32 first, second, handle;
	int export;

	ASSERT_EQ(0, uapi_export_as(self->fd, self->handle, 0, &export, &first));
	ASSERT_EQ(0, uapi_take_back(self->fd, first, &handle));
	close(export);
	ASSERT_EQ(0, uapi_export_as(self->fd, handle, 0, &export, &second));
	EXPECT_NE(first, second);
	EXPECT_EQ(-ESTALE, uapi_take_back(self->fd, first, &handle));
	ASSERT_EQ(0, uapi_take_back(self->fd, second, &handle));
	close(export);
}

/* --- two at a time -------------------------------------------------------------------------- */

static struct {
	pthread_barrier_t barrier;
	int exporter, importer, export;
	__u32 id, taken, imported;
	int take_err, change_err, import_err, mmap_err;
	unsigned char *area;
} race;

/* Change the mapping at once, which any borrow would prevent. */
static void change_at_once(void)
{
	race.change_err = uapi_remap(race.exporter, race.taken, THESEUS_MM_PTE_DATA);
}

static void *take(void *unused)
{
	pthread_barrier_wait(&race.barrier);
	race.take_err = uapi_take_back(race.exporter, race.id, &race.taken);
	if (!race.take_err)
		change_at_once();
	return unused;
}

static void *import(void *unused)
{
	pthread_barrier_wait(&race.barrier);
	race.import_err = uapi_import(race.importer, race.export, &race.imported);
	return unused;
}

static void *borrow(void *unused)
{
	pthread_barrier_wait(&race.barrier);
	race.area = mmap_export(race.export, SIZE, R);
	race.mmap_err = race.area == MAP_FAILED ? errno : 0;
	return unused;
}

static bool run_two(void *(*one)(void *), void *(*other)(void *))
{
	pthread_t threads[2];

	return !pthread_create(&threads[0], NULL, one, NULL) &&
	       !pthread_create(&threads[1], NULL, other, NULL) &&
	       !pthread_join(threads[0], NULL) && !pthread_join(threads[1], NULL);
}

TEST_F_TIMEOUT(rights, of_import_and_take_back_one_wins, 90)
{
	unsigned int nr_taken = 0, nr_imported = 0;
	struct timespec start;
	__u32 handle = self->handle;

	pthread_barrier_init(&race.barrier, NULL, 2);
	race.exporter = self->fd;
	race.importer = self->other;
	clock_gettime(CLOCK_MONOTONIC, &start);
	while (race_goes_on(&start, 3, nr_taken && nr_imported)) {
		ASSERT_EQ(0, uapi_export_as(self->fd, handle, 0, &race.export, &race.id));
		ASSERT_TRUE(run_two(take, import));
		if (!race.take_err) {
			ASSERT_EQ(-ESTALE, race.import_err);
			handle = race.taken;
			nr_taken++;
			close(race.export);
			continue;
		}
		ASSERT_EQ(-ESTALE, race.take_err);
		ASSERT_EQ(0, race.import_err);
		nr_imported++;
		close(race.export);
		ASSERT_EQ(0, uapi_export(self->other, race.imported, &race.export));
		ASSERT_EQ(0, uapi_import(self->fd, race.export, &handle));
		close(race.export);
	}
	TH_LOG("%u taken back, %u imported", nr_taken, nr_imported);
	EXPECT_LT(0, nr_taken);
	EXPECT_LT(0, nr_imported);
	EXPECT_EQ(NR, QUERY(handle).nr_pages);
}

/* Check that the mmap() of the other thread failed, or that its area is revoked. */
#define COUNT_BORROW(nr_late, nr_early)							\
	do {										\
		unsigned char _byte;							\
											\
		if (race.mmap_err) {							\
			ASSERT_EQ(ESTALE, race.mmap_err);				\
			(nr_late)++;							\
		} else {								\
			ASSERT_EQ(SIGBUS, load(race.area, &_byte));			\
			munmap(race.area, SIZE);					\
			(nr_early)++;							\
		}									\
	} while (0)

/* Once the descriptor is stale, mmap() fails; an area that was made before is revoked. */
TEST_F_TIMEOUT(rights, nothing_is_left_in_processes_of_what_is_taken_back, 90)
{
	unsigned int nr_late = 0, nr_early = 0;
	struct timespec start;
	__u32 handle = self->handle;

	pthread_barrier_init(&race.barrier, NULL, 2);
	race.exporter = self->fd;
	clock_gettime(CLOCK_MONOTONIC, &start);
	while (race_goes_on(&start, 3, nr_late && nr_early)) {
		ASSERT_EQ(0, uapi_export_as(self->fd, handle, 0, &race.export, &race.id));
		ASSERT_TRUE(run_two(take, borrow));
		ASSERT_EQ(0, race.take_err);
		ASSERT_EQ(0, race.change_err);
		handle = race.taken;
		EXPECT_EQ(0, nr_borrows(self->fd, handle));
		COUNT_BORROW(nr_late, nr_early);
		close(race.export);
	}
	TH_LOG("%u areas were revoked, %u came too late", nr_early, nr_late);
	EXPECT_EQ(0, uapi_remap(self->fd, handle, READ_ONLY));
}

static void *end_all(void *unused)
{
	pthread_barrier_wait(&race.barrier);
	race.take_err = uapi_revoke(race.exporter, race.taken, NULL);
	if (!race.take_err)
		change_at_once();
	return unused;
}

/* As above, with REVOKE and a lending descriptor. */
TEST_F_TIMEOUT(rights, nothing_is_left_of_what_was_lent_after_revoke, 90)
{
	unsigned int nr_late = 0, nr_early = 0;
	struct timespec start;

	pthread_barrier_init(&race.barrier, NULL, 2);
	race.exporter = self->fd;
	race.taken = self->handle;
	clock_gettime(CLOCK_MONOTONIC, &start);
	while (race_goes_on(&start, 3, nr_late && nr_early)) {
		race.export = EXPORT(BORROW);
		ASSERT_TRUE(run_two(end_all, borrow));
		ASSERT_EQ(0, race.take_err);
		ASSERT_EQ(0, race.change_err);
		EXPECT_EQ(0, nr_borrows(self->fd, self->handle));
		COUNT_BORROW(nr_late, nr_early);
		close(race.export);
	}
	TH_LOG("%u areas were revoked, %u came too late", nr_early, nr_late);
}

TEST_HARNESS_MAIN
