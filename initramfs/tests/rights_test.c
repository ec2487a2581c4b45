// SPDX-License-Identifier: GPL-2.0
/*
 * Descriptors and mappings that are permanently read-only.
 */
#include "descriptor.h"
#include "kernel.h"
#include "rights.h"

#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>

/* Try all ways to write through an area of this process. */
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

/* The right is the same, however the descriptor was received. */
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
	EXPECT_ERRNO(ERRNO_OF_REOPEN(), open(path, O_RDWR));
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
	/* the owner can still write */
	EXPECT_EQ(0, fill(self->fd, self->handle, SIZE));
	area = AREA(self->handle, RW);
	EXPECT_EQ(0, store(area, pattern(0)));
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_EQ(0, QUERY(self->handle).attributes);
	close(export);
}

/* A debugger can write to most memory that the process may only read, but not to this area. */
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

TEST_F(rights, an_import_of_a_read_only_export_stays_read_only)
{
	int export = EXPORT(SEALED);
	__u32 handle, first, second;

	ASSERT_EQ(0, uapi_import(self->other, export, &handle));
	expect_sealed(_metadata, self->other, handle);
	close(export);
	/* the exporter is now a receiver like others */
	ASSERT_EQ(0, uapi_export(self->other, handle, &export));
	ASSERT_EQ(0, uapi_import(self->fd, export, &handle));
	expect_sealed(_metadata, self->fd, handle);
	close(export);
	/* parts and shareable mappings stay read-only too */
	ASSERT_EQ(0, uapi_split(self->fd, handle, PAGE, &first, &second));
	expect_sealed(_metadata, self->fd, first);
	expect_sealed(_metadata, self->fd, second);
	ASSERT_EQ(0, uapi_merge(self->fd, first, second));
	ASSERT_EQ(0, uapi_share(self->fd, first, true));
	EXPECT_EQ(EACCES, mmap_errno(self->fd, first, RW));
	EXPECT_EQ(0, uapi_drop(self->fd, first));
}

/* The entries in the page tables are read-only too. */
TEST_F(rights, the_entries_of_a_read_only_mapping_are)
{
	struct theseus_mm_translate translation;
	int export = EXPORT(SEALED);
	__u32 handle;

	ASSERT_EQ(0, uapi_translate(self->fd, self->vaddr, &translation));
	EXPECT_NE(0, translation.pte_flags & THESEUS_MM_PTE_WRITABLE);
	ASSERT_EQ(0, uapi_import(self->other, export, &handle));
	ASSERT_EQ(0, uapi_translate(self->fd, self->vaddr, &translation));
	EXPECT_EQ(0, translation.pte_flags & THESEUS_MM_PTE_WRITABLE);
	close(export);
}

/* A permanently read-only mapping cannot be merged with a mapping that may become writable. */
TEST_F(rights, merge_wants_both_read_only)
{
	__u32 first, second, handle;
	int export;

	ASSERT_EQ(0, uapi_split(self->fd, self->handle, PAGE, &first, &second));
	ASSERT_EQ(0, uapi_remap(self->fd, second, READ_ONLY));
	ASSERT_EQ(0, uapi_export_as(self->fd, first, SEALED, &export, NULL));
	ASSERT_EQ(0, uapi_import(self->fd, export, &handle));
	EXPECT_EQ(-EMEDIUMTYPE, uapi_merge(self->fd, handle, second));
	close(export);
}

/* A refused IMPORT does not make the mapping read-only. */
TEST_F(rights, an_import_that_is_refused_seals_nothing)
{
	__u32 id, handle;
	int export;

	ASSERT_EQ(0, uapi_export_as(self->fd, self->handle, SEALED, &export, &id));
	ASSERT_EQ(0, uapi_set_limits(self->other, NR - 1, THESEUS_MM_NO_LIMIT));
	EXPECT_EQ(-EDQUOT, uapi_import(self->other, export, &handle));
	ASSERT_EQ(0, uapi_take_back(self->fd, id, &handle));
	EXPECT_EQ(0, QUERY(handle).attributes);
	EXPECT_EQ(0, fill(self->fd, handle, SIZE));
	EXPECT_EQ(0, mmap_errno(self->fd, handle, RW));
	close(export);
}

TEST_HARNESS_MAIN
