// SPDX-License-Identifier: GPL-2.0
/*
 * Exported mappings: one owner at any instant, whoever holds descriptors of it.
 */
#include "area.h"
#include "descriptor.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

/* Also 32-bit: descriptors and areas of them. */

#define NR	5
#define SIZE	(NR * PAGE)
#define LARGE	(4ULL << 20)

/**
 * export - a client that exported a mapping
 * @fd: the client
 * @handle: what the mapping's was; gone
 * @vaddr: where it is mapped
 * @export: its descriptor; a test may close it and set it to -1
 */
FIXTURE(export)
{
	int fd;
	struct theseus_mm_info start;
	__u32 handle;
	__u64 vaddr;
	int export;
};

FIXTURE_SETUP(export)
{
	struct theseus_mm_create_mapping mapping;

	area_catch_signals();
	self->fd = tmm_open(NULL);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, tmm_get_info(self->fd, &self->start));
	mapping = MAPPING(NR);
	self->handle = mapping.handle;
	self->vaddr = mapping.start;
	ASSERT_EQ(0, fill(self->fd, self->handle, SIZE));
	ASSERT_EQ(0, tmm_export(self->fd, self->handle, &self->export));
}

FIXTURE_TEARDOWN(export)
{
	struct theseus_mm_info end;
	char text[SNAPSHOT_TEXT];

	close(self->export);
	close(self->fd);
	self->fd = tmm_open(NULL);
	EXPECT_EQ(0, tmm_get_info(self->fd, &end));
	EXPECT_STREQ("", info_difference(&self->start, &end, text));
	close(self->fd);
}

static unsigned char *mmap_export(int export, __u64 offset, size_t nr_bytes, int protection)
{
	return mmap(NULL, nr_bytes, protection, MAP_SHARED, export, offset);
}

#define EXPORT_AREA(protection)								\
	({										\
		unsigned char *_area = mmap_export(self->export, 0, SIZE, protection);	\
											\
		ASSERT_NE((unsigned char *)MAP_FAILED, _area);				\
		_area;									\
	})

/* The mapping is somewhere, and nowhere twice. */
#define EXPECT_THERE()									\
	do {										\
		struct theseus_mm_info _info = INFO();					\
											\
		EXPECT_EQ(self->start.nr_mappings + 1, _info.nr_mappings);		\
		EXPECT_EQ(self->start.pages_free - NR, _info.pages_free);		\
	} while (0)

static int query_export(int export, struct theseus_mm_query *query)
{
	*query = (struct theseus_mm_query){ 0 };
	return tmm_call(export, THESEUS_MM_IOC_QUERY, query);
}

static int revoke_export(int export, __u32 *nr)
{
	struct theseus_mm_revoke call = { 0 };
	int err = tmm_call(export, THESEUS_MM_IOC_REVOKE, &call);

	*nr = call.nr_revoked;
	return err;
}

/* What every use of a stale descriptor gives. */
#define EXPECT_STALE(export)								\
	do {										\
		struct theseus_mm_query _query;						\
		__u32 _nr;								\
											\
		EXPECT_ERRNO(ESTALE, mmap_export(export, 0, PAGE, R));			\
		EXPECT_ERRNO(ESTALE, mmap_export(export, 0, LARGE, R));			\
		EXPECT_EQ(-ESTALE, tmm_import(self->fd, export, &_nr));			\
		EXPECT_EQ(-ESTALE, query_export(export, &_query));			\
		EXPECT_EQ(-ESTALE, revoke_export(export, &_nr));			\
	} while (0)

TEST_F(export, consumes_the_handle)
{
	struct theseus_mm_info info = INFO();

	EXPECT_GONE(self->handle);
	/* the descriptor's */
	EXPECT_EQ(1, info.client_handles);
	EXPECT_THERE();
	EXPECT_EQ(-ENOENT, tmm_export(self->fd, self->handle, &self->export));
}

TEST_F(export, close_drops)
{
	close(self->export);
	EXPECT_ALL_BACK();
	self->export = -1;
}

TEST_F(export, import_moves_it_back)
{
	unsigned char content[SIZE];
	__u32 handle;

	ASSERT_EQ(0, tmm_import(self->fd, self->export, &handle));
	EXPECT_EQ(self->vaddr, QUERY(handle).start);
	EXPECT_EQ(NR, QUERY(handle).nr_pages);
	/* that of the stale descriptor as well */
	EXPECT_EQ(2, INFO().client_handles);
	ASSERT_EQ(0, tmm_read(self->fd, handle, 0, content, SIZE));
	EXPECT_EQ(SIZE, nr_alike(content, 0, SIZE));
	EXPECT_STALE(self->export);
	EXPECT_EQ(0, tmm_drop(self->fd, handle));
	EXPECT_STALE(self->export);
	close(self->export);
	EXPECT_ALL_BACK();
	self->export = -1;
}

TEST_F(export, import_tells_where_it_is)
{
	struct theseus_mm_import call = { .fd = self->export };

	ASSERT_EQ(0, tmm_call(self->fd, THESEUS_MM_IOC_IMPORT, &call));
	EXPECT_NE(0, call.handle);
	EXPECT_EQ(self->vaddr, call.start);
	EXPECT_EQ(NR, call.nr_pages);
}

TEST_F(export, can_be_exported_again)
{
	int again;
	__u32 handle;

	ASSERT_EQ(0, tmm_import(self->fd, self->export, &handle));
	ASSERT_EQ(0, tmm_export(self->fd, handle, &again));
	EXPECT_STALE(self->export);
	EXPECT_THERE();
	ASSERT_EQ(0, tmm_import(self->fd, again, &handle));
	EXPECT_STALE(again);
	close(again);
	EXPECT_THERE();
}

TEST_F(export, is_owned_by_all_its_descriptors_together)
{
	int copy = dup(self->export);

	close(self->export);
	EXPECT_THERE();
	self->export = copy;
	copy = dup(self->export);
	close(self->export);
	EXPECT_THERE();
	close(copy);
	EXPECT_ALL_BACK();
	self->export = -1;
}

TEST_F(export, outlives_its_client)
{
	unsigned char *area;

	close(self->fd);
	self->fd = tmm_open(NULL);
	EXPECT_THERE();
	area = EXPORT_AREA(R);
	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_THERE();
}

TEST_F(export, copies_are_stale_after_an_import)
{
	int copy = dup(self->export);
	__u32 handle;

	ASSERT_EQ(0, tmm_import(self->fd, copy, &handle));
	EXPECT_STALE(copy);
	EXPECT_STALE(self->export);
	close(copy);
	close(self->export);
	self->export = -1;
	EXPECT_THERE();
}

/* --- borrowing ---------------------------------------------------------------------------- */

TEST_F(export, mmap_follows_the_rules_of_borrowing)
{
	unsigned char *area = EXPORT_AREA(R), *second = EXPORT_AREA(R);

	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	EXPECT_ERRNO(EBUSY, mmap_export(self->export, 0, SIZE, RW));
	EXPECT_EQ(0, munmap(second, SIZE));
	EXPECT_ERRNO(EBUSY, mmap_export(self->export, 0, SIZE, RW));
	EXPECT_EQ(0, munmap(area, SIZE));
	area = EXPORT_AREA(RW);
	EXPECT_ERRNO(EBUSY, mmap_export(self->export, 0, PAGE, R));
	area[0]++;
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_ERRNO(EACCES, mmap_export(self->export, 0, SIZE, RX));
	EXPECT_ERRNO(EINVAL, mmap(NULL, SIZE, R, MAP_PRIVATE, self->export, 0));
	EXPECT_ERRNO(ERANGE, mmap_export(self->export, 0, SIZE + PAGE, R));
	EXPECT_ERRNO(ERANGE, mmap_export(self->export, SIZE, PAGE, R));
	EXPECT_ERRNO(ERANGE, mmap_export(self->export, FAR_OFFSET, PAGE, R));
	area = mmap_export(self->export, 2 * PAGE, PAGE, R);
	ASSERT_NE((unsigned char *)MAP_FAILED, area);
	EXPECT_EQ(PAGE, nr_alike(area, 2 * PAGE, PAGE));
	EXPECT_EQ(0, munmap(area, PAGE));
}

TEST_F(export, mmap_of_what_is_read_only)
{
	struct theseus_mm_create_mapping mapping;
	int export;

	ASSERT_EQ(0, tmm_create_mapping(self->fd, SIZE, READ_ONLY, &mapping));
	ASSERT_EQ(0, tmm_export(self->fd, mapping.handle, &export));
	EXPECT_ERRNO(EACCES, mmap_export(export, 0, SIZE, RW));
	close(export);
}

TEST_F(export, import_is_refused_while_it_is_borrowed)
{
	unsigned char *area = EXPORT_AREA(R);
	struct theseus_mm_query query;
	__u32 handle = 77;

	EXPECT_REFUSED(EBUSY, tmm_import(self->fd, self->export, &handle));
	EXPECT_EQ(77, handle);
	EXPECT_EQ(0, query_export(self->export, &query));
	EXPECT_EQ(1, query.nr_borrows);
	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_EQ(0, tmm_import(self->fd, self->export, &handle));
}

TEST_F(export, of_what_is_borrowed_is_refused)
{
	__u32 handle = MAPPING(NR).handle;
	unsigned char *area = AREA(handle, R);
	int export = -2;

	EXPECT_REFUSED(EBUSY, tmm_export(self->fd, handle, &export), handle);
	EXPECT_EQ(0, munmap(area, SIZE));
	area = AREA(handle, RW);
	EXPECT_REFUSED(EBUSY, tmm_export(self->fd, handle, &export));
	EXPECT_EQ(-2, export);
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_EQ(0, tmm_export(self->fd, handle, &export));
	close(export);
}

/* The area stays, though nothing else does. */
TEST_F(export, lives_as_long_as_an_area)
{
	unsigned char *area = EXPORT_AREA(RW);

	close(self->export);
	self->export = -1;
	EXPECT_THERE();
	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	area[SIZE - 1] = 1;
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_ALL_BACK();
}

TEST_F(export, revoke_through_the_descriptor)
{
	unsigned char *area = EXPORT_AREA(R), *second = EXPORT_AREA(R), byte;
	__u32 nr, handle;

	ASSERT_EQ(0, load(area, &byte));
	EXPECT_EQ(0, revoke_export(self->export, &nr));
	EXPECT_EQ(2, nr);
	EXPECT_EQ(SIGBUS, load(area, &byte));
	EXPECT_EQ(SIGBUS, load(second, &byte));
	ASSERT_EQ(0, tmm_import(self->fd, self->export, &handle));
	EXPECT_EQ(SIGBUS, load(area, &byte));
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_EQ(0, munmap(second, SIZE));
	EXPECT_EQ(0, tmm_drop(self->fd, handle));
}

/* An area that was revoked by the old owner shows nothing of the new one's. */
TEST_F(export, revoked_areas_stay_revoked)
{
	struct theseus_mm_create_mapping mapping = MAPPING(NR);
	unsigned char *area = AREA(mapping.handle, RW), *exported, byte;
	int export;

	area[0] = 'x';
	ASSERT_EQ(0, tmm_revoke(self->fd, mapping.handle, NULL));
	ASSERT_EQ(0, tmm_export(self->fd, mapping.handle, &export));
	exported = mmap_export(export, 0, SIZE, RW);
	ASSERT_NE((unsigned char *)MAP_FAILED, exported);
	EXPECT_EQ('x', exported[0]);
	EXPECT_EQ(SIGBUS, load(area, &byte));
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_EQ('x', exported[0]);
	EXPECT_EQ(0, munmap(exported, SIZE));
	close(export);
}

TEST_F(export, offsets_of_before_are_gone)
{
	__u32 handle = MAPPING(NR).handle;
	__u64 offset;
	int export;

	ASSERT_EQ(0, tmm_map_offset(self->fd, handle, &offset, NULL));
	ASSERT_EQ(0, tmm_export(self->fd, handle, &export));
	EXPECT_ERRNO(ENOENT, mmap(NULL, PAGE, R, MAP_SHARED, self->fd, offset));
	ASSERT_EQ(0, tmm_import(self->fd, export, &handle));
	EXPECT_ERRNO(ENOENT, mmap(NULL, PAGE, R, MAP_SHARED, self->fd, offset));
	EXPECT_EQ(0, mmap_errno(self->fd, handle, RW));
	close(export);
}

/* The mapping's large leaves are large in the process too, wherever they begin. */
TEST_F(export, large_leaves_are_aligned)
{
	struct theseus_mm_create_mapping mapping;
	unsigned char *area;
	int export;

	ASSERT_EQ(0, tmm_create_contiguous_mapping(self->fd, LARGE + 3 * PAGE,
						   THESEUS_MM_PTE_DATA, &mapping));
	ASSERT_EQ(0, tmm_export(self->fd, mapping.handle, &export));
	area = mmap_export(export, 0, LARGE + 3 * PAGE, RW);
	ASSERT_NE((unsigned char *)MAP_FAILED, area);
	EXPECT_EQ(mapping.start % (2 << 20), (uintptr_t)area % (2 << 20));
	area[LARGE + 3 * PAGE - 1] = 1;
	EXPECT_EQ(0, munmap(area, LARGE + 3 * PAGE));
	area = mmap_export(export, PAGE, LARGE, R);
	ASSERT_NE((unsigned char *)MAP_FAILED, area);
	EXPECT_EQ((mapping.start + PAGE) % (2 << 20), (uintptr_t)area % (2 << 20));
	EXPECT_EQ(0, munmap(area, LARGE));
	close(export);
}

/* --- as a descriptor ---------------------------------------------------------------------- */

TEST_F(export, tells_its_size)
{
	struct stat status;
	char byte;

	ASSERT_EQ(0, fstat(self->export, &status));
	EXPECT_EQ(SIZE, status.st_size);
	EXPECT_EQ(SIZE, lseek(self->export, 0, SEEK_END));
	EXPECT_EQ(PAGE, lseek(self->export, PAGE, SEEK_SET));
	EXPECT_ERRNO(EINVAL, lseek(self->export, SIZE + 1, SEEK_SET));
	EXPECT_ERRNO(EINVAL, read(self->export, &byte, 1));
	EXPECT_ERRNO(EINVAL, write(self->export, &byte, 1));
	EXPECT_ERRNO(EINVAL, ftruncate(self->export, 0));
}

TEST_F(export, is_not_inherited_by_exec)
{
	EXPECT_EQ(FD_CLOEXEC, fcntl(self->export, F_GETFD));
}

TEST_F(export, cannot_be_opened_again)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->export);
	EXPECT_ERRNO(ENXIO, open(path, O_RDWR));
	EXPECT_ERRNO(ENXIO, open(path, O_RDONLY));
	EXPECT_THERE();
}

TEST_F(export, query_through_the_descriptor)
{
	struct theseus_mm_query query;

	ASSERT_EQ(0, query_export(self->export, &query));
	EXPECT_EQ(THESEUS_MM_KIND_MAPPING, query.kind);
	EXPECT_EQ(self->vaddr, query.start);
	EXPECT_EQ(NR, query.nr_pages);
	EXPECT_EQ(0, query.nr_borrows);
	query.handle = 1;
	EXPECT_EQ(-EINVAL, tmm_call(self->export, THESEUS_MM_IOC_QUERY, &query));
}

TEST_F(export, other_calls_are_for_clients)
{
	struct theseus_mm_revoke revoke = { .handle = 1 };
	struct theseus_mm_drop drop = { 0 };
	struct theseus_mm_info info;
	__u32 handle;

	EXPECT_EQ(-EINVAL, tmm_call(self->export, THESEUS_MM_IOC_REVOKE, &revoke));
	EXPECT_EQ(-ENOTTY, tmm_call(self->export, THESEUS_MM_IOC_DROP, &drop));
	EXPECT_EQ(-ENOTTY, tmm_get_info(self->export, &info));
	EXPECT_EQ(-ENOTTY, tmm_import(self->export, self->export, &handle));
	EXPECT_ERRNO(ENOTTY, ioctl(self->export, 0x5401, &handle));
	EXPECT_THERE();
}

TEST_F(export, import_of_something_else)
{
	struct theseus_mm_import call = { .fd = self->export, .reserved = 1 };
	int sockets[2];
	__u32 handle;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	EXPECT_REFUSED(EINVAL, tmm_import(self->fd, sockets[0], &handle));
	EXPECT_REFUSED(EINVAL, tmm_import(self->fd, self->fd, &handle));
	EXPECT_REFUSED(EBADF, tmm_import(self->fd, -1, &handle));
	EXPECT_REFUSED(EBADF, tmm_import(self->fd, 1 << 20, &handle));
	EXPECT_REFUSED(EINVAL, tmm_call(self->fd, THESEUS_MM_IOC_IMPORT, &call));
}

TEST_F(export, of_something_else)
{
	struct theseus_mm_export call = { .handle = MAPPING(1).handle, .flags = 1U << 2 };
	__u32 pages = PAGES(1).handle, frames = FRAMES(1).handle;
	int export;

	EXPECT_REFUSED(ENOENT, tmm_export(self->fd, pages, &export), pages);
	EXPECT_REFUSED(ENOENT, tmm_export(self->fd, frames, &export), frames);
	EXPECT_REFUSED(ENOENT, tmm_export(self->fd, 0, &export));
	EXPECT_REFUSED(EINVAL, tmm_call(self->fd, THESEUS_MM_IOC_EXPORT, &call), call.handle);
}

TEST_F(export, needs_a_descriptor)
{
	__u32 handle = MAPPING(1).handle;
	struct rlimit limit, none;
	int export;

	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &limit));
	none = limit;
	none.rlim_cur = 0;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
	EXPECT_REFUSED(EMFILE, tmm_export(self->fd, handle, &export), handle);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
}

TEST_F(export, import_is_undone_if_its_result_cannot_be_stored)
{
	struct theseus_mm_import *call = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	__u32 handle;

	ASSERT_NE(MAP_FAILED, (void *)call);
	call->fd = self->export;
	ASSERT_EQ(0, mprotect(call, PAGE, R));
	EXPECT_REFUSED(EFAULT, tmm_call(self->fd, THESEUS_MM_IOC_IMPORT, call));
	EXPECT_EQ(0, tmm_import(self->fd, self->export, &handle));
}

/* --- whose it is -------------------------------------------------------------------------- */

static __u64 frames_charged(int fd)
{
	struct theseus_mm_limits limits;

	return tmm_get_limits(fd, &limits) ? ~0ULL : limits.client_frames;
}

TEST_F(export, counts_for_its_exporter_until_it_is_imported)
{
	__u64 charged = frames_charged(self->fd);
	int importer = tmm_open(NULL);
	__u32 handle;

	ASSERT_LE(0, importer);
	EXPECT_LE(NR, charged);
	EXPECT_EQ(0, frames_charged(importer));
	ASSERT_EQ(0, tmm_import(importer, self->export, &handle));
	EXPECT_EQ(0, frames_charged(self->fd));
	EXPECT_EQ(charged, frames_charged(importer));
	EXPECT_EQ(0, tmm_drop(importer, handle));
	EXPECT_EQ(0, frames_charged(importer));
	close(importer);
}

TEST_F(export, close_uncharges_the_exporter)
{
	close(self->export);
	self->export = -1;
	EXPECT_EQ(0, frames_charged(self->fd));
}

TEST_F(export, import_above_the_limit)
{
	int importer = tmm_open(NULL);
	__u32 handle;

	ASSERT_LE(0, importer);
	ASSERT_EQ(0, tmm_set_limits(importer, NR - 1, THESEUS_MM_NO_LIMIT));
	EXPECT_REFUSED(EDQUOT, tmm_import(importer, self->export, &handle));
	EXPECT_EQ(0, frames_charged(importer));
	ASSERT_EQ(0, tmm_set_limits(importer, THESEUS_MM_NO_LIMIT, 0));
	EXPECT_REFUSED(EDQUOT, tmm_import(importer, self->export, &handle));
	close(importer);
	EXPECT_THERE();
	EXPECT_EQ(0, tmm_import(self->fd, self->export, &handle));
}

static int nr_exported(int fd)
{
	struct theseus_mm_client_info clients[8];
	struct theseus_mm_clients found;
	struct theseus_mm_info info;
	__u32 i;

	if (tmm_get_info(fd, &info) || tmm_get_clients(fd, clients, 8, &found))
		return -1;
	for (i = 0; i < found.nr_clients && i < 8; i++)
		if (clients[i].id == info.client_id)
			return clients[i].nr_exported;
	return -1;
}

/* Of each part of the first region: does @fd's client own most of it? */
static int nr_owned_parts(int fd)
{
	static struct theseus_mm_bucket buckets[4096];
	static __u32 owners[4096];
	struct theseus_mm_occupancy call = {
		.nr_buckets = 4096,
		.buckets = (uintptr_t)buckets,
		.owners = (uintptr_t)owners,
	};
	struct theseus_mm_info info;
	int nr = 0;
	__u32 i;

	if (tmm_get_info(fd, &info) || tmm_get_occupancy(fd, &call))
		return -1;
	for (i = 0; i < call.nr_buckets; i++)
		nr += owners[i] == info.client_id;
	return nr;
}

TEST_F(export, is_shown_as_its_exporters)
{
	__u32 handle;
	int other;

	EXPECT_EQ(1, nr_exported(self->fd));
	EXPECT_LE(1, nr_owned_parts(self->fd));
	ASSERT_EQ(0, tmm_import(self->fd, self->export, &handle));
	EXPECT_EQ(0, nr_exported(self->fd));
	EXPECT_LE(1, nr_owned_parts(self->fd));
	ASSERT_EQ(0, tmm_export(self->fd, handle, &other));
	EXPECT_EQ(1, nr_exported(self->fd));
	close(other);
	EXPECT_EQ(0, nr_exported(self->fd));
	EXPECT_EQ(0, nr_owned_parts(self->fd));
}

/* --- two processes ------------------------------------------------------------------------ */

#define NR_IMPORTS	200

struct importer {
	int fd;
	int export;
	int err;
	__u32 handle;
	pthread_barrier_t *barrier;
};

static void *import_once(void *argument)
{
	struct importer *importer = argument;

	pthread_barrier_wait(importer->barrier);
	importer->err = tmm_import(importer->fd, importer->export, &importer->handle);
	return NULL;
}

TEST_F_TIMEOUT(export, of_two_imports_one_wins, 60)
{
	struct importer importers[2] = { 0 };
	pthread_barrier_t barrier;
	pthread_t threads[2];
	int i, j, winner;

	pthread_barrier_init(&barrier, NULL, 2);
	for (i = 0; i < 2; i++) {
		importers[i].barrier = &barrier;
		importers[i].fd = tmm_open(NULL);
		ASSERT_LE(0, importers[i].fd);
	}
	for (i = 0; i < NR_IMPORTS; i++) {
		for (j = 0; j < 2; j++) {
			importers[j].export = self->export;
			ASSERT_EQ(0, pthread_create(&threads[j], NULL, import_once,
						    &importers[j]));
		}
		for (j = 0; j < 2; j++)
			ASSERT_EQ(0, pthread_join(threads[j], NULL));
		winner = importers[0].err ? 1 : 0;
		ASSERT_EQ(0, importers[winner].err);
		ASSERT_EQ(-ESTALE, importers[!winner].err);
		close(self->export);
		ASSERT_EQ(0, tmm_export(importers[winner].fd, importers[winner].handle,
					&self->export));
	}
	for (i = 0; i < 2; i++)
		close(importers[i].fd);
	EXPECT_THERE();
}

/* What the receiver does with what came; it ends with the number returned. */
static int receive_and(int socket, int (*use)(int fd, int export))
{
	int fd = tmm_open(NULL), export = receive_descriptor(socket);

	return fd < 0 || export < 0 ? 99 : use(fd, export);
}

static int import_it(int fd, int export)
{
	static unsigned char content[SIZE];
	__u32 handle;

	if (tmm_import(fd, export, &handle) || tmm_read(fd, handle, 0, content, SIZE))
		return 1;
	return nr_alike(content, 0, SIZE) == SIZE ? 0 : 2;
}

static int mmap_it(int fd, int export)
{
	unsigned char *area = mmap_export(export, 0, SIZE, RW);

	close(fd);
	close(export);
	return area == MAP_FAILED || nr_alike(area, 0, SIZE) != SIZE;
}

static int keep_it(int fd, int export)
{
	unsigned char *area = mmap_export(export, 0, SIZE, R);
	__u32 handle;

	if (area == MAP_FAILED || munmap(area, SIZE) || tmm_import(fd, export, &handle))
		return 1;
	for (;;)
		pause();
}

/* Hands it over to a child, and keeps no descriptor. */
static pid_t hand_over(struct __test_metadata *_metadata, FIXTURE_DATA(export) *self,
		       int (*use)(int fd, int export))
{
	int sockets[2];
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		/* its descriptors are the same owner: none but what comes */
		close(self->export);
		close(self->fd);
		close(sockets[0]);
		_exit(receive_and(sockets[1], use));
	}
	close(sockets[1]);
	ASSERT_TRUE(send_descriptor(sockets[0], self->export));
	close(self->export);
	self->export = -1;
	close(sockets[0]);
	return pid;
}

static int exit_status(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(export, goes_to_another_process)
{
	EXPECT_EQ(0, exit_status(hand_over(_metadata, self, import_it)));
	EXPECT_ALL_BACK();
}

TEST_F(export, is_mmapped_by_another_process)
{
	EXPECT_EQ(0, exit_status(hand_over(_metadata, self, mmap_it)));
	EXPECT_ALL_BACK();
}

TEST_F(export, goes_with_the_process_that_has_it)
{
	pid_t pid = hand_over(_metadata, self, keep_it);

	EXPECT_THERE();
	kill(pid, SIGKILL);
	EXPECT_EQ(-1, exit_status(pid));
	EXPECT_ALL_BACK();
}

TEST_F(export, under_way_and_never_received)
{
	int sockets[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	ASSERT_TRUE(send_descriptor(sockets[0], self->export));
	close(self->export);
	self->export = -1;
	EXPECT_THERE();
	close(sockets[0]);
	EXPECT_THERE();
	close(sockets[1]);
	EXPECT_ALL_BACK();
}

/* It may be imported while a copy of it is under way: that one is stale. */
TEST_F(export, under_way_while_it_is_imported)
{
	int sockets[2];
	__u32 handle;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	ASSERT_TRUE(send_descriptor(sockets[0], self->export));
	ASSERT_EQ(0, tmm_import(self->fd, self->export, &handle));
	close(self->export);
	self->export = receive_descriptor(sockets[1]);
	ASSERT_LE(0, self->export);
	EXPECT_STALE(self->export);
	EXPECT_EQ(NR, QUERY(handle).nr_pages);
}

TEST_F(export, is_inherited_by_fork)
{
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (!pid) {
		for (;;)
			pause();
	}
	close(self->export);
	self->export = -1;
	EXPECT_THERE();
	kill(pid, SIGKILL);
	exit_status(pid);
	EXPECT_ALL_BACK();
}

TEST_HARNESS_MAIN
