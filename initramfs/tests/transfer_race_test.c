// SPDX-License-Identifier: GPL-2.0
/* Debug kernel: KASAN and lockdep find races. */
/* Races: imports beside faults and kills. */
/*
 * Handing over under load: mmap and faults during import and revoke, a process that is killed at
 * any moment, sockets that nobody reads; and attempts to get around the owner.
 */
#include "area.h"
#include "descriptor.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>

#define NR	4
#define SIZE	(NR * PAGE)
#define SECONDS	4
#define NR_KILLS	60

/* Make, fill and export a mapping. Return: the descriptor, or an error */
static int export_new(int fd)
{
	struct theseus_mm_create_mapping mapping;
	int export;
	int err = uapi_create_mapping(fd, SIZE, THESEUS_MM_PTE_DATA, &mapping);

	if (!err)
		err = fill(fd, mapping.handle, SIZE);
	if (!err)
		err = uapi_export(fd, mapping.handle, &export);
	return err ? err : export;
}

#define EXPORTED()									\
	({										\
		int _export = export_new(self->fd);					\
											\
		ASSERT_LE(0, _export);							\
		_export;								\
	})

static unsigned char *mmap_exported(int export, int protection)
{
	return mmap(NULL, SIZE, protection, MAP_SHARED, export, 0);
}

static bool has_content(int export)
{
	unsigned char *area = mmap_exported(export, R);
	bool is_right;

	if (area == MAP_FAILED)
		return false;
	is_right = nr_alike(area, 0, SIZE) == SIZE;
	munmap(area, SIZE);
	return is_right;
}

/* --- ways around the owner ---------------------------------------------------------------- */

/* The file is reachable only by its descriptors, not by a name. */
TEST_F(client, there_is_no_way_in_by_name)
{
	const int modes[] = { O_RDONLY, O_WRONLY, O_RDWR, O_RDWR | O_TRUNC };
	int export = EXPORTED(), path;
	unsigned int i;
	char name[64];
	__u32 handle;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", export);
	for (i = 0; i < ARRAY_SIZE(modes); i++)
		EXPECT_EQ(-1, open(name, modes[i]));
	EXPECT_EQ(-1, truncate(name, 0));
	EXPECT_EQ(-1, execl(name, name, NULL));
	/* An O_PATH descriptor gives no access to the file. */
	path = open(name, O_PATH | O_CLOEXEC);
	ASSERT_LE(0, path);
	EXPECT_REFUSED(EBADF, uapi_import(self->fd, path, &handle));
	close(path);
	EXPECT_TRUE(has_content(export));
	close(export);
	EXPECT_ALL_BACK();
}

/* After a failed EXPORT, even the number of the descriptor is free again. */
TEST_F(client, an_export_that_faults_takes_no_descriptor)
{
	struct theseus_mm_export *call = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int next = dup(0);

	ASSERT_NE(MAP_FAILED, (void *)call);
	close(next);
	call->handle = MAPPING(NR).handle;
	ASSERT_EQ(0, mprotect(call, PAGE, R));
	EXPECT_REFUSED(EFAULT, uapi_call(self->fd, THESEUS_MM_IOC_EXPORT, call), call->handle);
	EXPECT_EQ(next, dup(0));
}

/* --- sockets ------------------------------------------------------------------------------ */

/* Wait for work that Linux does later, such as collecting descriptors in sockets. */
#define EXPECT_ALL_BACK_SOON()								\
	do {										\
		struct theseus_mm_info _soon = INFO();					\
		char _difference[SNAPSHOT_TEXT];					\
		int _i;									\
											\
		for (_i = 0; _i < 500 && *info_difference(&self->start, &_soon,		\
							  _difference); _i++) {		\
			usleep(10000);							\
			_soon = INFO();							\
		}									\
		EXPECT_ALL_BACK();							\
	} while (0)

/*
 * Two sockets hold each other and the descriptor. Only Linux's garbage collector for sockets can
 * free them; the collector runs when another socket is closed.
 */
TEST_F(client, left_in_sockets_that_hold_each_other)
{
	int export = EXPORTED(), ends[2], i;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	for (i = 0; i < 2; i++) {
		ASSERT_TRUE(send_descriptor(ends[i], ends[i]));
		ASSERT_TRUE(send_descriptor(ends[i], export));
	}
	close(export);
	close(ends[0]);
	close(ends[1]);
	EXPECT_EQ(self->start.nr_mappings + 1, INFO().nr_mappings);
	close(socket(AF_UNIX, SOCK_STREAM, 0));
	EXPECT_ALL_BACK_SOON();
}

/* Export, send and close in a loop, with a client of the child's own. */
static void export_until_killed(FIXTURE_DATA(client) *self, int socket)
{
	int fd;

	close(self->fd);
	fd = uapi_open(NULL);
	for (;;) {
		int export = export_new(fd);

		if (export < 0 || !send_descriptor(socket, export))
			_exit(1);
		close(export);
	}
}

/* A received mapping is whole and belongs to the receiver, even if the sender is dead. */
TEST_F_TIMEOUT(client, the_exporter_is_killed_at_any_moment, 120)
{
	struct pollfd arrives = { .events = POLLIN };
	unsigned int round, nr_received = 0;
	int ends[2], export, status;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
	ASSERT_EQ(0, fcntl(ends[0], F_SETFL, O_NONBLOCK));
	arrives.fd = ends[0];
	for (round = 0; round < NR_KILLS; round++) {
		pid_t child = fork();

		ASSERT_LE(0, child);
		if (!child)
			export_until_killed(self, ends[1]);
		usleep(round * 2000);
		/* on a busy machine, no child may have come so far: wait for the last one */
		if (round == NR_KILLS - 1 && !nr_received)
			poll(&arrives, 1, 20000);
		kill(child, SIGKILL);
		ASSERT_EQ(child, waitpid(child, &status, 0));
		EXPECT_EQ(SIGKILL, status);
		while ((export = receive_descriptor(ends[0])) >= 0) {
			nr_received++;
			EXPECT_TRUE(has_content(export));
			close(export);
		}
		EXPECT_ALL_BACK();
	}
	EXPECT_LT(0, nr_received);
	TH_LOG("%u arrived", nr_received);
}

/* --- threads ------------------------------------------------------------------------------ */

/**
 * struct borrower - a thread that uses an export until it is stale
 * @export: the export
 * @nr: number of areas so far
 * @nr_revoked: number of areas that were revoked while the thread read them
 * @failed: the thread saw wrong content
 */
struct borrower {
	int export;
	unsigned long nr;
	unsigned long nr_revoked;
	bool failed;
};

/* An area shows only the mapping's content before it is revoked, and nothing after. */
static void look_at(struct borrower *borrower, unsigned char *area)
{
	bool is_revoked = false;
	unsigned char byte;
	unsigned int i;

	for (i = 0; i < 4 * NR; i++) {
		__u64 offset = i % NR * PAGE;
		int signal_number = load(area + offset, &byte);

		if (signal_number == SIGBUS)
			is_revoked = true;
		else if (signal_number || is_revoked || byte != pattern(offset))
			borrower->failed = true;
	}
	borrower->nr_revoked += is_revoked;
}

static void *borrow_until_stale(void *arg)
{
	struct borrower *borrower = arg;

	for (;;) {
		unsigned char *area = mmap_exported(borrower->export, R);

		if (area == MAP_FAILED) {
			borrower->failed |= errno != ESTALE;
			return NULL;
		}
		__atomic_add_fetch(&borrower->nr, 1, __ATOMIC_SEQ_CST);
		look_at(borrower, area);
		munmap(area, SIZE);
	}
}

/*
 * One thread mmaps a mapping while another imports the mapping, after REVOKE if necessary. After
 * the import, only the importer has the mapping, and can write, change and drop it at once.
 */
static int take_over(int fd, int export, bool by_force, unsigned long *nr_busy)
{
	static const unsigned char other[SIZE];
	__u32 handle, nr;
	int err;

	while ((err = uapi_import(fd, export, &handle)) == -EBUSY) {
		struct theseus_mm_revoke revoke = { 0 };

		++*nr_busy;
		if (by_force && uapi_call(export, THESEUS_MM_IOC_REVOKE, &revoke))
			return -EINVAL;
	}
	if (!err)
		err = uapi_write(fd, handle, 0, other, SIZE);
	if (!err)
		err = uapi_remap(fd, handle, READ_ONLY);
	if (!err && !uapi_revoke(fd, handle, &nr) && nr)
		err = -EBUSY;
	return err ? err : uapi_drop(fd, handle);
}

static void take_over_again_and_again(struct __test_metadata *_metadata,
				      FIXTURE_DATA(client) *self, bool by_force)
{
	struct borrower borrower = { 0 };
	struct timespec start;
	unsigned long nr = 0, nr_busy = 0, nr_areas;
	pthread_t thread;

	recover_start();
	clock_gettime(CLOCK_MONOTONIC, &start);
	while (race_goes_on(&start, SECONDS, borrower.nr && by_force <= !!borrower.nr_revoked)) {
		borrower.export = EXPORTED();
		nr_areas = borrower.nr;
		ASSERT_EQ(0, pthread_create(&thread, NULL, borrow_until_stale, &borrower));
		/* in three of four rounds, wait until the thread has an area */
		while (nr % 4 && __atomic_load_n(&borrower.nr, __ATOMIC_SEQ_CST) == nr_areas)
			sched_yield();
		EXPECT_EQ(0, take_over(self->fd, borrower.export, by_force, &nr_busy));
		ASSERT_EQ(0, pthread_join(thread, NULL));
		close(borrower.export);
		nr++;
	}
	EXPECT_FALSE(borrower.failed);
	EXPECT_LT(0, borrower.nr);
	EXPECT_EQ(by_force, borrower.nr_revoked > 0);
	TH_LOG("%lu rounds, %lu times busy, %lu areas, %lu of them revoked", nr, nr_busy,
	       borrower.nr, borrower.nr_revoked);
	EXPECT_ALL_BACK();
}

TEST_F_TIMEOUT(client, import_beside_mmap, 120)
{
	take_over_again_and_again(_metadata, self, false);
}

TEST_F_TIMEOUT(client, import_by_force_beside_faults, 120)
{
	take_over_again_and_again(_metadata, self, true);
}

TEST_HARNESS_MAIN
