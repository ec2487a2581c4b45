// SPDX-License-Identifier: GPL-2.0
/*
 * Lending descriptors give areas of a mapping, and the owner keeps the mapping.
 */
#include "descriptor.h"
#include "kernel.h"
#include "rights.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* The descriptor lends all of the mapping; munmap() ends the loan. */
#define EXPECT_LENDS(export)								\
	do {										\
		unsigned char *_area = AREA_OF(export, R);				\
											\
		EXPECT_EQ(SIZE, nr_alike(_area, 0, SIZE));				\
		EXPECT_EQ(0, munmap(_area, SIZE));					\
	} while (0)

TEST_F(rights, a_lent_mapping_stays_its_owners)
{
	int export = EXPORT(BORROW);

	EXPECT_EQ(0, nr_borrows(self->fd, self->handle));
	EXPECT_EQ(NR, QUERY(self->handle).nr_pages);
	/* the descriptor is not a borrow: the owner writes to the mapping and changes it */
	EXPECT_EQ(0, fill(self->fd, self->handle, SIZE));
	EXPECT_EQ(0, uapi_remap(self->fd, self->handle, READ_ONLY));
	EXPECT_EQ(0, uapi_remap(self->fd, self->handle, THESEUS_MM_PTE_DATA));
	EXPECT_LENDS(export);
	close(export);
	EXPECT_EQ(0, nr_borrows(self->fd, self->handle));
	EXPECT_EQ(0, uapi_drop(self->fd, self->handle));
	EXPECT_EQ(self->start.nr_mappings, INFO().nr_mappings);
}

TEST_F(rights, what_is_lent_is_borrowed)
{
	int export = EXPORT(BORROW), second = EXPORT(BORROW);
	unsigned char *area = AREA_OF(export, R), byte;

	EXPECT_EQ(1, nr_borrows(self->fd, self->handle));
	EXPECT_EQ(-EBUSY, uapi_remap(self->fd, self->handle, READ_ONLY));
	EXPECT_EQ(-EBUSY, uapi_drop(self->fd, self->handle));
	EXPECT_EQ(-EBUSY, uapi_write(self->fd, self->handle, 0, "x", 1));
	EXPECT_EQ(0, mmap_errno(self->fd, self->handle, R));
	EXPECT_ERRNO(EBUSY, mmap_export(second, SIZE, RW));
	EXPECT_EQ(0, munmap(area, SIZE));
	area = AREA_OF(second, RW);
	EXPECT_EQ(0, store(area + PAGE, 0x5a));
	EXPECT_ERRNO(EBUSY, mmap_export(export, SIZE, R));
	EXPECT_EQ(EBUSY, mmap_errno(self->fd, self->handle, R));
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_EQ(0, uapi_read(self->fd, self->handle, PAGE, &byte, 1));
	EXPECT_EQ(0x5a, byte);
	EXPECT_ERRNO(EINVAL, mmap(NULL, SIZE, R, MAP_PRIVATE, export, 0));
	EXPECT_ERRNO(ERRNO_OF_EXEC(), mmap_export(export, SIZE, RX));
	EXPECT_ERRNO(ERANGE, mmap_export(export, SIZE + PAGE, R));
	close(export);
	close(second);
}

TEST_F(rights, a_lending_descriptor_tells_what_it_lends)
{
	int export = EXPORT(BORROW);
	struct theseus_mm_query query;
	struct stat status;

	ASSERT_EQ(0, query_export(export, &query));
	EXPECT_EQ(THESEUS_MM_KIND_MAPPING, query.kind);
	EXPECT_EQ(self->vaddr, query.start);
	EXPECT_EQ(NR, query.nr_pages);
	EXPECT_EQ(THESEUS_MM_ATTRIBUTE_BORROWED, query.attributes);
	EXPECT_NE(0, query.pte_flags & THESEUS_MM_PTE_WRITABLE);
	query.handle = self->handle;
	EXPECT_EQ(-EINVAL, uapi_call(export, THESEUS_MM_IOC_QUERY, &query));
	ASSERT_EQ(0, fstat(export, &status));
	EXPECT_EQ(SIZE, status.st_size);
	EXPECT_EQ(SIZE, lseek(export, 0, SEEK_END));
	EXPECT_EQ(FD_CLOEXEC, fcntl(export, F_GETFD));
	close(export);
}

/* Neither the owner nor a receiver can widen the rights of a lending descriptor. */
TEST_F(rights, a_lending_descriptor_gives_nothing_away)
{
	int export = EXPORT(BORROW), copy = dup(export), sockets[2], received;
	struct theseus_mm_revoke revoke = { 0 };
	struct theseus_mm_take_back back = { 0 };
	struct theseus_mm_export again = { 0 };
	char path[32];
	__u32 handle;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	ASSERT_TRUE(send_descriptor(sockets[0], export));
	received = receive_descriptor(sockets[1]);
	ASSERT_LE(0, received);
	EXPECT_REFUSED(EACCES, uapi_import(self->fd, export, &handle), self->handle);
	EXPECT_REFUSED(EACCES, uapi_import(self->fd, copy, &handle), self->handle);
	EXPECT_EQ(-EACCES, uapi_import(self->other, export, &handle));
	EXPECT_EQ(-EACCES, uapi_import(self->other, copy, &handle));
	EXPECT_EQ(-EACCES, uapi_import(self->other, received, &handle));
	EXPECT_EQ(-ENOTTY, uapi_call(export, THESEUS_MM_IOC_REVOKE, &revoke));
	EXPECT_EQ(-ENOTTY, uapi_call(export, THESEUS_MM_IOC_EXPORT, &again));
	EXPECT_EQ(-ENOTTY, uapi_call(export, THESEUS_MM_IOC_TAKE_BACK, &back));
	EXPECT_EQ(-ENOTTY, uapi_import(export, export, &handle));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", export);
	EXPECT_ERRNO(ERRNO_OF_REOPEN(), open(path, O_RDWR));
	/* only an export that owns its mapping has a number for TAKE_BACK */
	back.export_id = 1;
	EXPECT_EQ(-ESTALE, uapi_call(self->fd, THESEUS_MM_IOC_TAKE_BACK, &back));
	EXPECT_LENDS(received);
	close(sockets[0]);
	close(sockets[1]);
	close(received);
	close(copy);
	close(export);
}

TEST_F(rights, fork_inherits_a_lending_descriptor_as_it_is)
{
	int export = EXPORT(BORROW), status;
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (!pid) {
		int fd = uapi_open(NULL);
		__u32 handle;

		if (uapi_import(fd, export, &handle) != -EACCES)
			_exit(1);
		_exit(mmap_export(export, SIZE, RW) == MAP_FAILED ? 2 : 0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, nr_borrows(self->fd, self->handle));
	close(export);
}

TEST_F(rights, revoke_ends_what_was_lent_and_the_descriptors)
{
	int export = EXPORT(BORROW), sealed = EXPORT(BORROW | SEALED), later;
	unsigned char *area = AREA_OF(export, R), *own = AREA(self->handle, R), byte;
	__u32 nr;

	ASSERT_EQ(0, load(area, &byte));
	ASSERT_EQ(0, uapi_revoke(self->fd, self->handle, &nr));
	EXPECT_EQ(2, nr);
	EXPECT_EQ(SIGBUS, load(area, &byte));
	EXPECT_EQ(SIGBUS, load(own, &byte));
	EXPECT_STALE(export);
	EXPECT_STALE(sealed);
	EXPECT_EQ(0, nr_borrows(self->fd, self->handle));
	/* while the owner writes, calls on stale descriptors fail with ESTALE, not EBUSY */
	EXPECT_EQ(0, munmap(own, SIZE));
	own = AREA(self->handle, RW);
	EXPECT_STALE(export);
	EXPECT_STALE(sealed);
	EXPECT_EQ(0, munmap(own, SIZE));
	/* the owner and new descriptors lend as before */
	EXPECT_EQ(0, mmap_errno(self->fd, self->handle, RW));
	later = EXPORT(BORROW);
	EXPECT_LENDS(later);
	EXPECT_STALE(export);
	EXPECT_EQ(0, munmap(area, SIZE));
	close(export);
	close(sealed);
	close(later);
}

TEST_F(rights, a_drop_makes_it_stale)
{
	int export = EXPORT(BORROW), other;

	ASSERT_EQ(0, uapi_drop(self->fd, self->handle));
	EXPECT_STALE(export);
	/* a new mapping may get the same handle or address: the stale descriptor does not lend it */
	other = EXPORT_OF(MAPPING(NR).handle, BORROW);
	EXPECT_STALE(export);
	close(export);
	close(other);
}

TEST_F(rights, a_batch_that_drops_makes_it_stale)
{
	struct theseus_mm_drop_item item = { .handle = self->handle };
	int export = EXPORT(BORROW);

	ASSERT_EQ(0, uapi_drop_batch(self->fd, 0, &item, 1, NULL));
	EXPECT_STALE(export);
	close(export);
}

TEST_F(rights, a_split_makes_it_stale)
{
	int export = EXPORT(BORROW);
	__u32 first, second;

	ASSERT_EQ(0, uapi_split(self->fd, self->handle, PAGE, &first, &second));
	EXPECT_STALE(export);
	close(export);
}

/* A merge makes the descriptors of both mappings stale, although one handle stays. */
TEST_F(rights, a_merge_makes_it_stale)
{
	int exports[2];
	__u32 first, second;

	ASSERT_EQ(0, uapi_split(self->fd, self->handle, PAGE, &first, &second));
	exports[0] = EXPORT_OF(first, BORROW);
	exports[1] = EXPORT_OF(second, BORROW);
	ASSERT_EQ(-EDOM, uapi_merge(self->fd, second, first));
	EXPECT_EQ(0, munmap(mmap_export(exports[0], PAGE, R), PAGE));
	EXPECT_EQ(0, munmap(mmap_export(exports[1], PAGE, R), PAGE));
	ASSERT_EQ(0, uapi_merge(self->fd, first, second));
	EXPECT_STALE(exports[0]);
	EXPECT_STALE(exports[1]);
	close(exports[0]);
	close(exports[1]);
	exports[0] = EXPORT_OF(first, BORROW);
	EXPECT_LENDS(exports[0]);
	close(exports[0]);
}

TEST_F(rights, unmapping_makes_it_stale)
{
	__u32 pages, frames[NR], nr = NR;
	int export = EXPORT(BORROW);

	ASSERT_EQ(0, uapi_unmap_into_parts(self->fd, self->handle, &pages, frames, &nr));
	EXPECT_STALE(export);
	close(export);
}

TEST_F(rights, an_export_makes_it_stale)
{
	int export = EXPORT(BORROW), owner = EXPORT(0);
	__u32 handle;

	EXPECT_STALE(export);
	ASSERT_EQ(0, uapi_import(self->fd, owner, &handle));
	EXPECT_STALE(export);
	close(export);
	close(owner);
}

/* An area stays until its munmap(), although the client is gone. */
TEST_F(rights, the_end_of_its_client_makes_it_stale)
{
	int export = EXPORT(BORROW);
	unsigned char *area = AREA_OF(export, R);

	close(self->fd);
	self->fd = -1;
	EXPECT_STALE(export);
	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	EXPECT_EQ(0, munmap(area, SIZE));
	close(export);
}

TEST_F(rights, changing_the_flags_does_not_make_it_stale)
{
	int export = EXPORT(BORROW);

	ASSERT_EQ(0, uapi_remap(self->fd, self->handle, READ_ONLY));
	EXPECT_ERRNO(EACCES, mmap_export(export, SIZE, RW));
	EXPECT_LENDS(export);
	ASSERT_EQ(0, uapi_share(self->fd, self->handle, true));
	EXPECT_LENDS(export);
	close(export);
}

TEST_F(rights, lending_is_refused)
{
	__u32 pages = PAGES(1).handle, frames = FRAMES(1).handle;
	struct theseus_mm_export *call;
	struct rlimit limit, none;
	int export, next = dup(0);

	close(next);
	EXPECT_REFUSED(ENOENT, uapi_export_as(self->fd, 0, BORROW, &export, NULL));
	EXPECT_REFUSED(ENOENT, uapi_export_as(self->fd, pages, BORROW, &export, NULL), pages);
	EXPECT_REFUSED(ENOENT, uapi_export_as(self->fd, frames, BORROW, &export, NULL), frames);
	EXPECT_REFUSED(EINVAL, uapi_export_as(self->fd, self->handle, 4, &export, NULL),
		       self->handle);
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &limit));
	none = limit;
	none.rlim_cur = 0;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
	EXPECT_REFUSED(EMFILE, uapi_export_as(self->fd, self->handle, BORROW, &export, NULL),
		       self->handle);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	call = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)call);
	*call = (struct theseus_mm_export){ .handle = self->handle, .flags = BORROW };
	ASSERT_EQ(0, mprotect(call, PAGE, R));
	EXPECT_REFUSED(EFAULT, uapi_call(self->fd, THESEUS_MM_IOC_EXPORT, call), self->handle);
	munmap(call, PAGE);
	EXPECT_EQ(next, dup(0));
	close(next);
	ASSERT_EQ(0, uapi_set_limits(self->fd, THESEUS_MM_NO_LIMIT, 0));
	EXPECT_REFUSED(EDQUOT, uapi_export_as(self->fd, self->handle, BORROW, &export, NULL),
		       self->handle);
}

static __u64 handles_charged(int fd)
{
	struct theseus_mm_limits limits;

	return uapi_get_limits(fd, &limits) ? ~0ULL : limits.client_handles;
}

TEST_F(rights, a_lending_descriptor_counts_as_a_handle)
{
	int export = EXPORT(BORROW), second;
	const __u64 any = THESEUS_MM_NO_LIMIT;
	__u64 before;

	/* the mapping has a file now, so each call charges only the descriptor */
	before = handles_charged(self->fd);
	second = EXPORT(BORROW);
	EXPECT_EQ(before + 1, handles_charged(self->fd));
	close(second);
	EXPECT_EQ(before, handles_charged(self->fd));
	/* set a limit that has no room for the descriptor */
	ASSERT_EQ(0, uapi_set_limits(self->fd, any, before));
	EXPECT_REFUSED(EDQUOT, uapi_export_as(self->fd, self->handle, BORROW, &second, NULL),
		       self->handle);
	ASSERT_EQ(0, uapi_set_limits(self->fd, any, before + 1));
	second = EXPORT(BORROW);
	close(second);
	close(export);
}

TEST_HARNESS_MAIN
