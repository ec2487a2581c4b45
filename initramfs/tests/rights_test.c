// SPDX-License-Identifier: GPL-2.0
/*
 * Rights that are less than ownership: lending descriptors, descriptors and mappings that
 * are read-only for good, and exports that are taken back.
 */
#include "area.h"
#include "descriptor.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define NR	4
#define SIZE	(NR * PAGE)
#define BORROW	THESEUS_MM_EXPORT_BORROW
#define SEALED	THESEUS_MM_EXPORT_READ_ONLY

/**
 * rights - a client with a mapping in which every byte can be told
 * @handle: the mapping
 * @vaddr: where it is mapped
 * @other: another client, which receives
 */
FIXTURE(rights)
{
	int fd;
	struct theseus_mm_info start;
	__u32 handle;
	__u64 vaddr;
	int other;
};

FIXTURE_SETUP(rights)
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
	self->other = tmm_open(NULL);
	ASSERT_LE(0, self->other);
}

FIXTURE_TEARDOWN(rights)
{
	struct theseus_mm_info end;
	char text[SNAPSHOT_TEXT];

	close(self->other);
	if (self->fd >= 0)
		close(self->fd);
	self->fd = tmm_open(NULL);
	EXPECT_EQ(0, tmm_get_info(self->fd, &end));
	EXPECT_STREQ("", info_difference(&self->start, &end, text));
	close(self->fd);
}

/* A descriptor of the fixture's mapping, or of another one. */
#define EXPORT_OF(of, flags)								\
	({										\
		int _export;								\
											\
		ASSERT_EQ(0, tmm_export_as(self->fd, of, flags, &_export, NULL));	\
		_export;								\
	})

#define EXPORT(flags)	EXPORT_OF(self->handle, flags)

static unsigned char *mmap_export(int export, size_t nr_bytes, int protection)
{
	return mmap(NULL, nr_bytes, protection, MAP_SHARED, export, 0);
}

#define AREA_OF(export, protection)							\
	({										\
		unsigned char *_area = mmap_export(export, SIZE, protection);		\
											\
		ASSERT_NE((unsigned char *)MAP_FAILED, _area);				\
		_area;									\
	})

static int query_export(int export, struct theseus_mm_query *query)
{
	*query = (struct theseus_mm_query){ 0 };
	return tmm_call(export, THESEUS_MM_IOC_QUERY, query);
}

static unsigned int nr_borrows(int fd, __u32 handle)
{
	struct theseus_mm_query query;

	return tmm_query(fd, handle, &query) ? ~0U : query.nr_borrows;
}

#define EXPECT_STALE(export)								\
	do {										\
		struct theseus_mm_query _query;						\
											\
		EXPECT_ERRNO(ESTALE, mmap_export(export, PAGE, R));			\
		EXPECT_ERRNO(ESTALE, mmap_export(export, 4 << 20, R));			\
		EXPECT_EQ(-ESTALE, query_export(export, &_query));			\
	} while (0)

/* It lends all of the mapping, and nothing is left of that. */
#define EXPECT_LENDS(export)								\
	do {										\
		unsigned char *_area = AREA_OF(export, R);				\
											\
		EXPECT_EQ(SIZE, nr_alike(_area, 0, SIZE));				\
		EXPECT_EQ(0, munmap(_area, SIZE));					\
	} while (0)

/* --- descriptors that only borrow ----------------------------------------------------------- */

TEST_F(rights, a_lent_mapping_stays_its_owners)
{
	int export = EXPORT(BORROW);

	EXPECT_EQ(0, nr_borrows(self->fd, self->handle));
	EXPECT_EQ(NR, QUERY(self->handle).nr_pages);
	/* the descriptor is no borrow: the owner writes and changes it */
	EXPECT_EQ(0, fill(self->fd, self->handle, SIZE));
	EXPECT_EQ(0, tmm_remap(self->fd, self->handle, READ_ONLY));
	EXPECT_EQ(0, tmm_remap(self->fd, self->handle, THESEUS_MM_PTE_DATA));
	EXPECT_LENDS(export);
	close(export);
	EXPECT_EQ(0, nr_borrows(self->fd, self->handle));
	EXPECT_EQ(0, tmm_drop(self->fd, self->handle));
	EXPECT_EQ(self->start.nr_mappings, INFO().nr_mappings);
}

TEST_F(rights, what_is_lent_is_borrowed)
{
	int export = EXPORT(BORROW), second = EXPORT(BORROW);
	unsigned char *area = AREA_OF(export, R), byte;

	EXPECT_EQ(1, nr_borrows(self->fd, self->handle));
	EXPECT_EQ(-EBUSY, tmm_remap(self->fd, self->handle, READ_ONLY));
	EXPECT_EQ(-EBUSY, tmm_drop(self->fd, self->handle));
	EXPECT_EQ(-EBUSY, tmm_write(self->fd, self->handle, 0, "x", 1));
	EXPECT_EQ(0, mmap_errno(self->fd, self->handle, R));
	EXPECT_ERRNO(EBUSY, mmap_export(second, SIZE, RW));
	EXPECT_EQ(0, munmap(area, SIZE));
	area = AREA_OF(second, RW);
	EXPECT_EQ(0, store(area + PAGE, 0x5a));
	EXPECT_ERRNO(EBUSY, mmap_export(export, SIZE, R));
	EXPECT_EQ(EBUSY, mmap_errno(self->fd, self->handle, R));
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_EQ(0, tmm_read(self->fd, self->handle, PAGE, &byte, 1));
	EXPECT_EQ(0x5a, byte);
	EXPECT_ERRNO(EINVAL, mmap(NULL, SIZE, R, MAP_PRIVATE, export, 0));
	EXPECT_ERRNO(EACCES, mmap_export(export, SIZE, RX));
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
	EXPECT_EQ(-EINVAL, tmm_call(export, THESEUS_MM_IOC_QUERY, &query));
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
	EXPECT_REFUSED(EACCES, tmm_import(self->fd, export, &handle), self->handle);
	EXPECT_REFUSED(EACCES, tmm_import(self->fd, copy, &handle), self->handle);
	EXPECT_EQ(-EACCES, tmm_import(self->other, export, &handle));
	EXPECT_EQ(-EACCES, tmm_import(self->other, copy, &handle));
	EXPECT_EQ(-EACCES, tmm_import(self->other, received, &handle));
	EXPECT_EQ(-ENOTTY, tmm_call(export, THESEUS_MM_IOC_REVOKE, &revoke));
	EXPECT_EQ(-ENOTTY, tmm_call(export, THESEUS_MM_IOC_EXPORT, &again));
	EXPECT_EQ(-ENOTTY, tmm_call(export, THESEUS_MM_IOC_TAKE_BACK, &back));
	EXPECT_EQ(-ENOTTY, tmm_import(export, export, &handle));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", export);
	EXPECT_ERRNO(ENXIO, open(path, O_RDWR));
	/* a number is told for exports that own something only */
	back.export_id = 1;
	EXPECT_EQ(-ESTALE, tmm_call(self->fd, THESEUS_MM_IOC_TAKE_BACK, &back));
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
		int fd = tmm_open(NULL);
		__u32 handle;

		if (tmm_import(fd, export, &handle) != -EACCES)
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
	ASSERT_EQ(0, tmm_revoke(self->fd, self->handle, &nr));
	EXPECT_EQ(2, nr);
	EXPECT_EQ(SIGBUS, load(area, &byte));
	EXPECT_EQ(SIGBUS, load(own, &byte));
	EXPECT_STALE(export);
	EXPECT_STALE(sealed);
	EXPECT_EQ(0, nr_borrows(self->fd, self->handle));
	/* the descriptors are stale, and not busy, while the owner writes */
	EXPECT_EQ(0, munmap(own, SIZE));
	own = AREA(self->handle, RW);
	EXPECT_STALE(export);
	EXPECT_STALE(sealed);
	EXPECT_EQ(0, munmap(own, SIZE));
	/* the owner, and those that it makes from now on, lend as before */
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

	ASSERT_EQ(0, tmm_drop(self->fd, self->handle));
	EXPECT_STALE(export);
	/* nor does it lend what has the handle or the place next */
	other = EXPORT_OF(MAPPING(NR).handle, BORROW);
	EXPECT_STALE(export);
	close(export);
	close(other);
}

TEST_F(rights, a_batch_that_drops_makes_it_stale)
{
	struct theseus_mm_drop_item item = { .handle = self->handle };
	int export = EXPORT(BORROW);

	ASSERT_EQ(0, tmm_drop_batch(self->fd, 0, &item, 1, NULL));
	EXPECT_STALE(export);
	close(export);
}

TEST_F(rights, a_split_makes_it_stale)
{
	int export = EXPORT(BORROW);
	__u32 first, second;

	ASSERT_EQ(0, tmm_split(self->fd, self->handle, PAGE, &first, &second));
	EXPECT_STALE(export);
	close(export);
}

/* Of both, though one handle stays. */
TEST_F(rights, a_merge_makes_it_stale)
{
	int exports[2];
	__u32 first, second;

	ASSERT_EQ(0, tmm_split(self->fd, self->handle, PAGE, &first, &second));
	exports[0] = EXPORT_OF(first, BORROW);
	exports[1] = EXPORT_OF(second, BORROW);
	ASSERT_EQ(-EDOM, tmm_merge(self->fd, second, first));
	EXPECT_EQ(0, munmap(mmap_export(exports[0], PAGE, R), PAGE));
	EXPECT_EQ(0, munmap(mmap_export(exports[1], PAGE, R), PAGE));
	ASSERT_EQ(0, tmm_merge(self->fd, first, second));
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

	ASSERT_EQ(0, tmm_unmap_into_parts(self->fd, self->handle, &pages, frames, &nr));
	EXPECT_STALE(export);
	close(export);
}

TEST_F(rights, an_export_makes_it_stale)
{
	int export = EXPORT(BORROW), owner = EXPORT(0);
	__u32 handle;

	EXPECT_STALE(export);
	ASSERT_EQ(0, tmm_import(self->fd, owner, &handle));
	EXPECT_STALE(export);
	close(export);
	close(owner);
}

/* What was mmapped stays until it is unmapped, as always. */
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

	ASSERT_EQ(0, tmm_remap(self->fd, self->handle, READ_ONLY));
	EXPECT_ERRNO(EACCES, mmap_export(export, SIZE, RW));
	EXPECT_LENDS(export);
	ASSERT_EQ(0, tmm_share(self->fd, self->handle, true));
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
	EXPECT_REFUSED(ENOENT, tmm_export_as(self->fd, 0, BORROW, &export, NULL));
	EXPECT_REFUSED(ENOENT, tmm_export_as(self->fd, pages, BORROW, &export, NULL), pages);
	EXPECT_REFUSED(ENOENT, tmm_export_as(self->fd, frames, BORROW, &export, NULL), frames);
	EXPECT_REFUSED(EINVAL, tmm_export_as(self->fd, self->handle, 4, &export, NULL),
		       self->handle);
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &limit));
	none = limit;
	none.rlim_cur = 0;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
	EXPECT_REFUSED(EMFILE, tmm_export_as(self->fd, self->handle, BORROW, &export, NULL),
		       self->handle);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	call = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)call);
	*call = (struct theseus_mm_export){ .handle = self->handle, .flags = BORROW };
	ASSERT_EQ(0, mprotect(call, PAGE, R));
	EXPECT_REFUSED(EFAULT, tmm_call(self->fd, THESEUS_MM_IOC_EXPORT, call), self->handle);
	munmap(call, PAGE);
	EXPECT_EQ(next, dup(0));
	close(next);
	ASSERT_EQ(0, tmm_set_limits(self->fd, THESEUS_MM_NO_LIMIT, 0));
	EXPECT_REFUSED(EDQUOT, tmm_export_as(self->fd, self->handle, BORROW, &export, NULL),
		       self->handle);
}

static __u64 handles_charged(int fd)
{
	struct theseus_mm_limits limits;

	return tmm_get_limits(fd, &limits) ? ~0ULL : limits.client_handles;
}

TEST_F(rights, a_lending_descriptor_counts_as_a_handle)
{
	int export = EXPORT(BORROW), second;
	const __u64 any = THESEUS_MM_NO_LIMIT;
	__u64 before;

	/* the mapping has its file from now on */
	before = handles_charged(self->fd);
	second = EXPORT(BORROW);
	EXPECT_EQ(before + 1, handles_charged(self->fd));
	close(second);
	EXPECT_EQ(before, handles_charged(self->fd));
	/* the mapping has its file: the call charges nothing but the descriptor */
	ASSERT_EQ(0, tmm_set_limits(self->fd, any, before));
	EXPECT_REFUSED(EDQUOT, tmm_export_as(self->fd, self->handle, BORROW, &second, NULL),
		       self->handle);
	ASSERT_EQ(0, tmm_set_limits(self->fd, any, before + 1));
	second = EXPORT(BORROW);
	close(second);
	close(export);
}

/* --- read-only for good --------------------------------------------------------------------- */

/* All ways to write that an area of this process offers. */
#define EXPECT_AREA_READ_ONLY(export)							\
	do {										\
		unsigned char *_area = AREA_OF(export, R), *_moved;			\
		struct iovec _from = { &(char){ 'x' }, 1 }, _to = { _area, 1 };		\
											\
		EXPECT_ERRNO(EACCES, mmap_export(export, SIZE, RW));			\
		EXPECT_ERRNO(EACCES, mmap_export(export, SIZE, PROT_WRITE));		\
		EXPECT_EQ(SIGSEGV, store(_area, 'x'));					\
		EXPECT_ERRNO(EACCES, mprotect(_area, SIZE, RW));			\
		EXPECT_ERRNO(EFAULT, process_vm_writev(getpid(), &_from, 1, &_to, 1, 0)); \
		EXPECT_ERRNO(EIO, pwrite(self_mem(), "x", 1, (uintptr_t)_area));	\
		_moved = mremap(_area, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,	\
				mmap(NULL, SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)); \
		ASSERT_NE((unsigned char *)MAP_FAILED, _moved);				\
		EXPECT_EQ(SIGSEGV, store(_moved, 'x'));					\
		EXPECT_ERRNO(EACCES, mprotect(_moved, SIZE, RW));			\
		EXPECT_EQ(SIZE, nr_alike(_moved, 0, SIZE));				\
		EXPECT_EQ(0, munmap(_moved, SIZE));					\
	} while (0)

static int self_mem(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = open("/proc/self/mem", O_RDWR);
	return fd;
}

/* By whatever way a descriptor has come. */
static void expect_descriptor_read_only(struct __test_metadata *_metadata, int export)
{
	int copy = dup(export), sockets[2], received;
	struct theseus_mm_query query;
	char path[32];

	EXPECT_AREA_READ_ONLY(export);
	EXPECT_AREA_READ_ONLY(copy);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	ASSERT_TRUE(send_descriptor(sockets[0], export));
	received = receive_descriptor(sockets[1]);
	ASSERT_LE(0, received);
	EXPECT_AREA_READ_ONLY(received);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", export);
	EXPECT_ERRNO(ENXIO, open(path, O_RDWR));
	EXPECT_EQ(O_RDONLY, fcntl(export, F_GETFL) & O_ACCMODE);
	fcntl(export, F_SETFL, O_RDWR);
	EXPECT_EQ(O_RDONLY, fcntl(export, F_GETFL) & O_ACCMODE);
	ASSERT_EQ(0, query_export(export, &query));
	EXPECT_NE(0, query.attributes & THESEUS_MM_ATTRIBUTE_READ_ONLY);
	EXPECT_EQ(0, query.pte_flags & THESEUS_MM_PTE_WRITABLE);
	close(sockets[0]);
	close(sockets[1]);
	close(received);
	close(copy);
}

TEST_F(rights, a_read_only_export_lends_for_reading)
{
	int export = EXPORT(SEALED);

	expect_descriptor_read_only(_metadata, export);
	close(export);
}

TEST_F(rights, a_read_only_lending_descriptor_lends_for_reading)
{
	int export = EXPORT(BORROW | SEALED);
	unsigned char *area;

	expect_descriptor_read_only(_metadata, export);
	/* the owner writes all the same */
	EXPECT_EQ(0, fill(self->fd, self->handle, SIZE));
	area = AREA(self->handle, RW);
	EXPECT_EQ(0, store(area, pattern(0)));
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_EQ(0, QUERY(self->handle).attributes);
	close(export);
}

/* A debugger can write where the process itself may not, but not here. */
TEST_F(rights, a_debugger_does_not_write_into_what_is_read_only)
{
	int export = EXPORT(SEALED), status, mem;
	unsigned char *area = AREA_OF(export, R);
	char path[32];
	pid_t pid;

	/* areas are not inherited */
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (mmap(area, SIZE, R, MAP_SHARED | MAP_FIXED, export, 0) != area)
			_exit(1);
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		_exit(nr_alike(area, 0, SIZE) != SIZE);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFSTOPPED(status));
	EXPECT_EQ(pattern(0), ptrace(PTRACE_PEEKDATA, pid, area, NULL) & 0xff);
	EXPECT_EQ(-1, ptrace(PTRACE_POKEDATA, pid, area, 0x2a));
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	mem = open(path, O_RDWR);
	ASSERT_LE(0, mem);
	EXPECT_EQ(-1, pwrite(mem, "x", 1, (uintptr_t)area));
	close(mem);
	ptrace(PTRACE_CONT, pid, NULL, NULL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, munmap(area, SIZE));
	close(export);
}

/* What can be done with a mapping that is read-only for good, and what not. */
static void expect_sealed(struct __test_metadata *_metadata, int fd, __u32 handle)
{
	__u32 pages, frames[NR], nr = NR;
	struct theseus_mm_query query;
	unsigned char byte;

	ASSERT_EQ(0, tmm_query(fd, handle, &query));
	EXPECT_EQ(THESEUS_MM_ATTRIBUTE_READ_ONLY, query.attributes);
	EXPECT_EQ(0, query.pte_flags & THESEUS_MM_PTE_WRITABLE);
	EXPECT_EQ(-EACCES, tmm_remap(fd, handle, THESEUS_MM_PTE_DATA));
	EXPECT_EQ(-EACCES, tmm_write(fd, handle, 0, "x", 1));
	EXPECT_EQ(EACCES, mmap_errno(fd, handle, RW));
	EXPECT_EQ(-EACCES, tmm_unmap_into_parts(fd, handle, &pages, frames, &nr));
	EXPECT_EQ(0, tmm_remap(fd, handle, READ_ONLY));
	EXPECT_EQ(0, tmm_read(fd, handle, 0, &byte, 1));
	EXPECT_EQ(0, mmap_errno(fd, handle, R));
}

TEST_F(rights, an_import_of_a_read_only_export_stays_read_only)
{
	int export = EXPORT(SEALED);
	__u32 handle, first, second;

	ASSERT_EQ(0, tmm_import(self->other, export, &handle));
	expect_sealed(_metadata, self->other, handle);
	close(export);
	/* its exporter is a receiver now, as others */
	ASSERT_EQ(0, tmm_export(self->other, handle, &export));
	ASSERT_EQ(0, tmm_import(self->fd, export, &handle));
	expect_sealed(_metadata, self->fd, handle);
	close(export);
	/* nor do parts forget it, nor shared ones */
	ASSERT_EQ(0, tmm_split(self->fd, handle, PAGE, &first, &second));
	expect_sealed(_metadata, self->fd, first);
	expect_sealed(_metadata, self->fd, second);
	ASSERT_EQ(0, tmm_merge(self->fd, first, second));
	ASSERT_EQ(0, tmm_share(self->fd, first, true));
	EXPECT_EQ(EACCES, mmap_errno(self->fd, first, RW));
	EXPECT_EQ(0, tmm_drop(self->fd, first));
}

/* The page tables say so too. */
TEST_F(rights, the_entries_of_a_read_only_mapping_are)
{
	struct theseus_mm_translate translation;
	int export = EXPORT(SEALED);
	__u32 handle;

	ASSERT_EQ(0, tmm_translate(self->fd, self->vaddr, &translation));
	EXPECT_NE(0, translation.pte_flags & THESEUS_MM_PTE_WRITABLE);
	ASSERT_EQ(0, tmm_import(self->other, export, &handle));
	ASSERT_EQ(0, tmm_translate(self->fd, self->vaddr, &translation));
	EXPECT_EQ(0, translation.pte_flags & THESEUS_MM_PTE_WRITABLE);
	close(export);
}

/* A sealed and an unsealed mapping cannot be merged. */
TEST_F(rights, merge_wants_both_read_only)
{
	__u32 first, second, handle;
	int export;

	ASSERT_EQ(0, tmm_split(self->fd, self->handle, PAGE, &first, &second));
	ASSERT_EQ(0, tmm_remap(self->fd, second, READ_ONLY));
	ASSERT_EQ(0, tmm_export_as(self->fd, first, SEALED, &export, NULL));
	ASSERT_EQ(0, tmm_import(self->fd, export, &handle));
	EXPECT_EQ(-EMEDIUMTYPE, tmm_merge(self->fd, handle, second));
	close(export);
}

/* A refused IMPORT has not made the mapping read-only. */
TEST_F(rights, an_import_that_is_refused_seals_nothing)
{
	__u32 id, handle;
	int export;

	ASSERT_EQ(0, tmm_export_as(self->fd, self->handle, SEALED, &export, &id));
	ASSERT_EQ(0, tmm_set_limits(self->other, NR - 1, THESEUS_MM_NO_LIMIT));
	EXPECT_EQ(-EDQUOT, tmm_import(self->other, export, &handle));
	ASSERT_EQ(0, tmm_take_back(self->fd, id, &handle));
	EXPECT_EQ(0, QUERY(handle).attributes);
	EXPECT_EQ(0, fill(self->fd, handle, SIZE));
	EXPECT_EQ(0, mmap_errno(self->fd, handle, RW));
	close(export);
}

/* --- taking back ---------------------------------------------------------------------------- */

TEST_F(rights, what_nobody_imported_is_taken_back)
{
	struct theseus_mm_take_back call = { 0 };
	struct theseus_mm_revoke revoke = { 0 };
	unsigned char *area, byte;
	__u32 handle;
	int export;

	ASSERT_EQ(0, tmm_export_as(self->fd, self->handle, 0, &export, &call.export_id));
	EXPECT_NE(0, call.export_id);
	area = AREA_OF(export, RW);
	ASSERT_EQ(0, load(area, &byte));
	ASSERT_EQ(0, tmm_call(self->fd, THESEUS_MM_IOC_TAKE_BACK, &call));
	EXPECT_EQ(self->vaddr, call.start);
	EXPECT_EQ(NR, call.nr_pages);
	EXPECT_EQ(SIGBUS, load(area, &byte));
	EXPECT_STALE(export);
	EXPECT_EQ(-ESTALE, tmm_import(self->other, export, &handle));
	EXPECT_EQ(-ESTALE, tmm_call(export, THESEUS_MM_IOC_REVOKE, &revoke));
	/* the full right: nothing is borrowed, and all can be done */
	EXPECT_EQ(0, nr_borrows(self->fd, call.handle));
	EXPECT_EQ(0, fill(self->fd, call.handle, SIZE));
	EXPECT_EQ(0, mmap_errno(self->fd, call.handle, RW));
	EXPECT_EQ(SIGBUS, load(area, &byte));
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_EQ(0, tmm_drop(self->fd, call.handle));
	EXPECT_STALE(export);
	close(export);
}

TEST_F(rights, a_read_only_export_is_taken_back_as_it_was)
{
	int export, exported;
	__u32 id, handle;

	ASSERT_EQ(0, tmm_export_as(self->fd, self->handle, SEALED, &export, &id));
	ASSERT_EQ(0, tmm_take_back(self->fd, id, &handle));
	EXPECT_EQ(0, QUERY(handle).attributes);
	EXPECT_EQ(0, fill(self->fd, handle, SIZE));
	close(export);
	/* but what was so before stays so */
	ASSERT_EQ(0, tmm_export_as(self->fd, handle, SEALED, &export, NULL));
	ASSERT_EQ(0, tmm_import(self->other, export, &handle));
	ASSERT_EQ(0, tmm_export_as(self->other, handle, SEALED, &exported, &id));
	ASSERT_EQ(0, tmm_take_back(self->other, id, &handle));
	expect_sealed(_metadata, self->other, handle);
	close(export);
	close(exported);
}

TEST_F(rights, taking_back_is_refused)
{
	struct theseus_mm_take_back *call, reserved = { .reserved = 1 };
	__u32 id, handle, taken;
	int export;

	ASSERT_EQ(0, tmm_export_as(self->fd, self->handle, 0, &export, &id));
	reserved.export_id = id;
	EXPECT_REFUSED(EINVAL, tmm_call(self->fd, THESEUS_MM_IOC_TAKE_BACK, &reserved));
	/* no number, another one, and another client's */
	EXPECT_REFUSED(ESTALE, tmm_take_back(self->fd, 0, &handle));
	EXPECT_REFUSED(ESTALE, tmm_take_back(self->fd, id + 1, &handle));
	EXPECT_EQ(-ESTALE, tmm_take_back(self->other, id, &handle));
	call = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)call);
	call->export_id = id;
	ASSERT_EQ(0, mprotect(call, PAGE, R));
	EXPECT_REFUSED(EFAULT, tmm_call(self->fd, THESEUS_MM_IOC_TAKE_BACK, call));
	munmap(call, PAGE);
	ASSERT_EQ(0, tmm_set_limits(self->fd, THESEUS_MM_NO_LIMIT, 0));
	EXPECT_REFUSED(EDQUOT, tmm_take_back(self->fd, id, &handle));
	/* imported, closed, taken: and never the next one by that number */
	ASSERT_EQ(0, tmm_import(self->other, export, &handle));
	close(export);
	EXPECT_REFUSED(ESTALE, tmm_take_back(self->fd, id, &taken));
	ASSERT_EQ(0, tmm_export_as(self->other, handle, 0, &export, &id));
	close(export);
	EXPECT_EQ(-ESTALE, tmm_take_back(self->other, id, &taken));
}

/* A number is not reused at once: a late TAKE_BACK does not get another export. */
TEST_F(rights, numbers_of_exports_are_not_used_again)
{
	__u32 first, second, handle;
	int export;

	ASSERT_EQ(0, tmm_export_as(self->fd, self->handle, 0, &export, &first));
	ASSERT_EQ(0, tmm_take_back(self->fd, first, &handle));
	close(export);
	ASSERT_EQ(0, tmm_export_as(self->fd, handle, 0, &export, &second));
	EXPECT_NE(first, second);
	EXPECT_EQ(-ESTALE, tmm_take_back(self->fd, first, &handle));
	ASSERT_EQ(0, tmm_take_back(self->fd, second, &handle));
	close(export);
}

/* --- two at a time -------------------------------------------------------------------------- */

static struct {
	pthread_barrier_t barrier;
	int exporter, importer, export;
	__u32 id, taken, imported;
	int take_err, import_err, mmap_err;
	unsigned char *area;
} race;

static void *take(void *unused)
{
	pthread_barrier_wait(&race.barrier);
	race.take_err = tmm_take_back(race.exporter, race.id, &race.taken);
	return unused;
}

static void *import(void *unused)
{
	pthread_barrier_wait(&race.barrier);
	race.import_err = tmm_import(race.importer, race.export, &race.imported);
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
		ASSERT_EQ(0, tmm_export_as(self->fd, handle, 0, &race.export, &race.id));
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
		ASSERT_EQ(0, tmm_export(self->other, race.imported, &race.export));
		ASSERT_EQ(0, tmm_import(self->fd, race.export, &handle));
		close(race.export);
	}
	TH_LOG("%u taken back, %u imported", nr_taken, nr_imported);
	EXPECT_LT(0, nr_taken);
	EXPECT_LT(0, nr_imported);
	EXPECT_EQ(NR, QUERY(handle).nr_pages);
}

/* An mmap() after the descriptor is stale fails; an area made before is revoked. */
TEST_F_TIMEOUT(rights, nothing_is_left_in_processes_of_what_is_taken_back, 90)
{
	unsigned int nr_late = 0, nr_early = 0;
	struct timespec start;
	__u32 handle = self->handle;
	unsigned char byte;

	pthread_barrier_init(&race.barrier, NULL, 2);
	race.exporter = self->fd;
	clock_gettime(CLOCK_MONOTONIC, &start);
	while (race_goes_on(&start, 3, nr_late && nr_early)) {
		ASSERT_EQ(0, tmm_export_as(self->fd, handle, 0, &race.export, &race.id));
		ASSERT_TRUE(run_two(take, borrow));
		ASSERT_EQ(0, race.take_err);
		handle = race.taken;
		EXPECT_EQ(0, nr_borrows(self->fd, handle));
		if (race.mmap_err) {
			ASSERT_EQ(ESTALE, race.mmap_err);
			nr_late++;
		} else {
			ASSERT_EQ(SIGBUS, load(race.area, &byte));
			munmap(race.area, SIZE);
			nr_early++;
		}
		close(race.export);
	}
	TH_LOG("%u areas were revoked, %u came too late", nr_early, nr_late);
	EXPECT_EQ(0, tmm_remap(self->fd, handle, READ_ONLY));
}

static void *end_all(void *unused)
{
	pthread_barrier_wait(&race.barrier);
	race.take_err = tmm_revoke(race.exporter, race.taken, NULL);
	return unused;
}

/* The same of REVOKE and a descriptor that only borrows. */
TEST_F_TIMEOUT(rights, nothing_is_left_of_what_was_lent_after_revoke, 90)
{
	unsigned int nr_late = 0, nr_early = 0;
	struct timespec start;
	unsigned char byte;

	pthread_barrier_init(&race.barrier, NULL, 2);
	race.exporter = self->fd;
	race.taken = self->handle;
	clock_gettime(CLOCK_MONOTONIC, &start);
	while (race_goes_on(&start, 3, nr_late && nr_early)) {
		race.export = EXPORT(BORROW);
		ASSERT_TRUE(run_two(end_all, borrow));
		ASSERT_EQ(0, race.take_err);
		EXPECT_EQ(0, nr_borrows(self->fd, self->handle));
		if (race.mmap_err) {
			ASSERT_EQ(ESTALE, race.mmap_err);
			nr_late++;
		} else {
			ASSERT_EQ(SIGBUS, load(race.area, &byte));
			munmap(race.area, SIZE);
			nr_early++;
		}
		close(race.export);
	}
	TH_LOG("%u areas were revoked, %u came too late", nr_early, nr_late);
}

TEST_HARNESS_MAIN
