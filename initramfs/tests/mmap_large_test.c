// SPDX-License-Identifier: GPL-2.0
/*
 * Large leaves in processes: the entries are as large as the leaves of the mapping, and a change
 * of a part loses nothing.
 */
#include "area.h"
#include "kernel.h"
#include "text.h"

#include <fcntl.h>
#include <linux/mempolicy.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define SIZE_2M		(1ULL << 21)
#define SIZE_1G		(1ULL << 30)

/**
 * large - a client with a mapping made of large leaves
 * @handle: the mapping
 * @vaddr: its address
 * @nr_bytes: its size
 * @shift: the size of its leaves, which is smaller than asked for if the CPU has none of 1 GiB
 */
FIXTURE(large)
{
	int fd;
	struct theseus_mm_info start;
	__u32 handle;
	__u64 vaddr;
	__u64 nr_bytes;
	unsigned int shift;
};

/**
 * large variants - sizes of leaves
 * @shift: the size of a leaf is 1 << @shift
 * @nr: number of leaves
 */
FIXTURE_VARIANT(large)
{
	unsigned int shift;
	unsigned int nr;
};

FIXTURE_VARIANT_ADD(large, leaves_of_2m) { .shift = 21, .nr = 16 };
FIXTURE_VARIANT_ADD(large, leaves_of_1g) { .shift = 30, .nr = 1 };

/* The tests look at the first byte of every 2 MiB of the mapping. */
static unsigned char mark(__u64 offset)
{
	return offset / SIZE_2M * 5 + 3;
}

static int set_marks(int fd, __u32 handle, __u64 nr_bytes)
{
	__u64 offset;
	int err = 0;

	for (offset = 0; offset < nr_bytes && !err; offset += SIZE_2M) {
		unsigned char byte = mark(offset);

		err = uapi_write(fd, handle, offset, &byte, 1);
	}
	return err;
}

/* Return: the offset of the first byte with a wrong mark; @nr_bytes or more if all are right */
static __u64 nr_marked(const unsigned char *area, __u64 nr_bytes)
{
	__u64 offset;

	for (offset = 0; offset < nr_bytes && area[offset] == mark(offset); offset += SIZE_2M)
		;
	return offset;
}

static bool cpu_has_leaves_of_1g(void)
{
	char *text = text_of("/proc/cpuinfo");
	bool has = text_has(text, " pdpe1gb ");

	free(text);
	return has;
}

FIXTURE_SETUP(large)
{
	struct theseus_mm_map mapping;

	recover_start();
	CLIENT_SETUP();
	self->nr_bytes = (__u64)variant->nr << variant->shift;
	self->shift = variant->shift == 30 && !cpu_has_leaves_of_1g() ? 21 : variant->shift;
	ASSERT_EQ(0, map_aligned(self->fd, self->nr_bytes, 1ULL << variant->shift, 0, &mapping));
	self->handle = mapping.handle;
	self->vaddr = mapping.start;
	ASSERT_EQ(0, set_marks(self->fd, self->handle, self->nr_bytes));
}

FIXTURE_TEARDOWN(large)
{
	CLIENT_TEARDOWN();
}

/*
 * KiB of page tables that large entries may need: one table of 4 KiB at each of three upper
 * levels, and twice as many because the area may cross a boundary between tables.
 */
#define TABLES_ABOVE	24

/* True if the process may have small entries for leaves of 2 MiB. */
static bool may_be_small(void)
{
	return !KERNEL_HAS_LARGE_ENTRIES() ||
	       (!access("/proc/self/numa_maps", F_OK) && !kernel_is_at_least(7, 3));
}

/*
 * True if the process has small entries for the whole mapping. The leaves of a small mapping may lie
 * in a section that Linux's memory shares, where entries of 2 MiB are never small.
 */
#define IS_SMALL()	(!KERNEL_HAS_LARGE_ENTRIES() || (self->shift < variant->shift && may_be_small()))

/*
 * Check that the mapping is shown by entries as large as its leaves. A kernel without such entries
 * needs a table of small ones for each 2 MiB, and takes one fault for each table.
 */
#define EXPECT_ENTRIES_OF_LEAVES(tables, faults)					\
	do {										\
		const long nr_tables = IS_SMALL() ? self->nr_bytes / SIZE_2M : 0;	\
		const long nr_leaves = self->nr_bytes >> self->shift;			\
											\
		EXPECT_GT((faults) + (nr_tables ?: nr_leaves) + 8, nr_faults());	\
		EXPECT_LE((tables) + 4 * nr_tables, table_size());			\
		EXPECT_GE((tables) + 4 * nr_tables + TABLES_ABOVE, table_size());	\
	} while (0)

TEST_F_TIMEOUT(large, is_large_in_the_process, 120)
{
	struct theseus_mm_translate translation;
	long tables = table_size(), faults = nr_faults();
	unsigned char *area;

	ASSERT_EQ(0, uapi_translate(self->fd, self->vaddr, &translation));
	ASSERT_EQ(self->shift, translation.page_size_shift);
	area = AREA(self->handle, R);
	EXPECT_EQ(0, (uintptr_t)area % (1ULL << self->shift));
	EXPECT_EQ(self->nr_bytes, nr_marked(area, self->nr_bytes));
	EXPECT_LE(0, tables);
	EXPECT_LT(TABLES_ABOVE, 4 * self->nr_bytes / SIZE_2M);
	EXPECT_ENTRIES_OF_LEAVES(tables, faults);
	EXPECT_EQ(0, munmap(area, self->nr_bytes));
}

TEST_F_TIMEOUT(large, is_large_when_written, 120)
{
	long tables = table_size(), faults = nr_faults();
	unsigned char *area = AREA(self->handle, RW), byte;
	__u64 offset;

	for (offset = 0; offset < self->nr_bytes; offset += SIZE_2M)
		ASSERT_EQ(0, store(area + offset + SIZE_2M - 1, mark(offset + 7 * SIZE_2M)));
	EXPECT_EQ(self->nr_bytes, nr_marked(area, self->nr_bytes));
	EXPECT_ENTRIES_OF_LEAVES(tables, faults);
	EXPECT_EQ(0, munmap(area, self->nr_bytes));
	ASSERT_EQ(0, uapi_read(self->fd, self->handle, self->nr_bytes - 1, &byte, 1));
	EXPECT_EQ(mark(self->nr_bytes - SIZE_2M + 7 * SIZE_2M), byte);
}

TEST_F_TIMEOUT(large, a_part_of_it_is_as_large_as_fits, 120)
{
	const __u64 part = self->nr_bytes - SIZE_2M;
	/* KiB of tables */
	const long most = may_be_small() ? 16 + 4 * part / SIZE_2M : 16;
	long tables = table_size();
	unsigned char *area = mmap_part(self->fd, self->handle, PAGE, part, R);
	__u64 offset;

	ASSERT_NE((unsigned char *)MAP_FAILED, area);
	for (offset = SIZE_2M; offset < part; offset += SIZE_2M)
		ASSERT_EQ(mark(offset), area[offset - PAGE]);
	/* unless all may be small, only both ends have entries of 4 KiB */
	EXPECT_GE(tables + most, table_size());
	EXPECT_EQ(0, munmap(area, part));
}

TEST_F_TIMEOUT(large, mprotect_of_a_page_inside, 120)
{
	const __u64 at = self->nr_bytes / 2 + 5 * PAGE;
	unsigned char *area = AREA(self->handle, RW);

	EXPECT_EQ(self->nr_bytes, nr_marked(area, self->nr_bytes));
	EXPECT_EQ(0, store(area + at, 77));
	EXPECT_EQ(0, mprotect(area + at, PAGE, R));
	EXPECT_EQ(SIGSEGV, store(area + at, 1));
	EXPECT_EQ(SIGSEGV, store(area + at + PAGE - 1, 1));
	EXPECT_EQ(0, store(area + at - 1, 78));
	EXPECT_EQ(0, store(area + at + PAGE, 79));
	EXPECT_EQ(77, area[at]);
	EXPECT_EQ(self->nr_bytes, nr_marked(area, self->nr_bytes));
	EXPECT_EQ(0, mprotect(area, self->nr_bytes, R));
	EXPECT_EQ(SIGSEGV, store(area, 1));
	EXPECT_EQ(SIGSEGV, store(area + at - 1, 1));
	EXPECT_EQ(0, mprotect(area, self->nr_bytes, RW));
	EXPECT_EQ(0, store(area + at, 80));
	EXPECT_EQ(self->nr_bytes, nr_marked(area, self->nr_bytes));
	EXPECT_EQ(0, munmap(area, self->nr_bytes));
}

TEST_F_TIMEOUT(large, munmap_of_a_page_inside, 120)
{
	const __u64 at = self->nr_bytes / 2 + 5 * PAGE;
	unsigned char *area = AREA(self->handle, RW), byte;

	EXPECT_EQ(self->nr_bytes, nr_marked(area, self->nr_bytes));
	EXPECT_EQ(0, munmap(area + at, PAGE));
	EXPECT_EQ(SIGSEGV, load(area + at, &byte));
	EXPECT_EQ(SIGSEGV, load(area + at + PAGE - 1, &byte));
	EXPECT_EQ(0, store(area + at - 1, 78));
	EXPECT_EQ(0, store(area + at + PAGE, 79));
	EXPECT_EQ(self->nr_bytes, nr_marked(area, self->nr_bytes));
	EXPECT_EQ(0, munmap(area, self->nr_bytes));
	ASSERT_EQ(0, uapi_read(self->fd, self->handle, at + PAGE, &byte, 1));
	EXPECT_EQ(79, byte);
}

TEST_F_TIMEOUT(large, mremap_of_a_part, 120)
{
	const __u64 half = self->nr_bytes / 2;
	unsigned char *area = AREA(self->handle, RW), *moved, byte;
	unsigned char *target = mmap(NULL, half + PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
				     -1, 0);

	EXPECT_EQ(self->nr_bytes, nr_marked(area, self->nr_bytes));
	/* move the half to an address where large leaves do not fit, and back */
	target += ((uintptr_t)target + half) % SIZE_2M ? 0 : PAGE;
	moved = mremap(area + half, half, half, MREMAP_MAYMOVE | MREMAP_FIXED, target);
	ASSERT_EQ(target, moved);
	EXPECT_EQ(SIGSEGV, load(area + half, &byte));
	EXPECT_EQ(mark(half), moved[0]);
	EXPECT_EQ(mark(self->nr_bytes - SIZE_2M), moved[half - SIZE_2M]);
	EXPECT_EQ(0, store(moved + half - 1, 33));
	moved = mremap(moved, half, half, MREMAP_MAYMOVE | MREMAP_FIXED, area + half);
	ASSERT_EQ(area + half, moved);
	EXPECT_EQ(self->nr_bytes, nr_marked(area, self->nr_bytes));
	EXPECT_EQ(33, area[self->nr_bytes - 1]);
	EXPECT_EQ(0, munmap(area, self->nr_bytes));
}

TEST_F_TIMEOUT(large, revoke, 120)
{
	unsigned char *area = AREA(self->handle, RW), byte;
	__u32 nr;

	EXPECT_EQ(self->nr_bytes, nr_marked(area, self->nr_bytes));
	EXPECT_EQ(0, uapi_revoke(self->fd, self->handle, &nr));
	EXPECT_EQ(1, nr);
	EXPECT_EQ(SIGBUS, load(area, &byte));
	EXPECT_EQ(SIGBUS, store(area + self->nr_bytes - 1, 1));
	EXPECT_EQ(0, munmap(area, self->nr_bytes / 2));
	EXPECT_EQ(SIGBUS, load(area + self->nr_bytes / 2, &byte));
	EXPECT_EQ(0, munmap(area, self->nr_bytes));
}

/* Calls on the area of one process break nothing in another process. */
TEST_F_TIMEOUT(large, in_two_processes, 120)
{
	unsigned char *area = AREA(self->handle, R);
	int status;
	pid_t pid;

	EXPECT_EQ(self->nr_bytes, nr_marked(area, self->nr_bytes));
	pid = fork();
	if (!pid) {
		area = mmap_all(self->fd, self->handle, R);
		if (area == MAP_FAILED || nr_marked(area, self->nr_bytes) != self->nr_bytes)
			_exit(1);
		if (mprotect(area + PAGE, PAGE, PROT_NONE) || munmap(area + 3 * PAGE, PAGE) ||
		    nr_marked(area, self->nr_bytes) != self->nr_bytes)
			_exit(2);
		_exit(0);
	}
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(self->nr_bytes, nr_marked(area, self->nr_bytes));
	EXPECT_EQ(0, munmap(area, self->nr_bytes));
}

TEST_F_TIMEOUT(large, there_is_no_struct_page_to_get, 120)
{
	unsigned char *area = AREA(self->handle, RW), buffer[64], byte;
	struct iovec remote = { area + PAGE - 32, sizeof(buffer) };
	struct iovec local = { buffer, sizeof(buffer) };
	unsigned long nodes = 1;
	int pipes[2], fd, disk;

	ASSERT_EQ(0, pipe(pipes));
	/* first without an entry at the address, then with one */
	EXPECT_ERRNO(EFAULT, vmsplice(pipes[1], &remote, 1, 0));
	EXPECT_EQ(0, store(area, mark(0)));
	EXPECT_ERRNO(EFAULT, vmsplice(pipes[1], &remote, 1, 0));
	EXPECT_ERRNO(EFAULT, vmsplice(pipes[1], &remote, 1, SPLICE_F_GIFT));
	EXPECT_ERRNO(EFAULT, process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
	EXPECT_ERRNO(EFAULT, process_vm_writev(getpid(), &local, 1, &remote, 1, 0));
	disk = open("/dev/ram0", O_RDONLY | O_DIRECT);
	if (disk >= 0) {
		EXPECT_ERRNO(EFAULT, read(disk, area, PAGE));
		close(disk);
	}
	/* the result of mbind() does not matter */
	syscall(SYS_mbind, area, SIZE_2M, MPOL_BIND, &nodes, 8 * sizeof(nodes), MPOL_MF_STRICT);
	fd = open("/proc/self/mem", O_RDWR);
	EXPECT_EQ(1, pread(fd, &byte, 1, (uintptr_t)area + self->nr_bytes - SIZE_2M));
	EXPECT_EQ(mark(self->nr_bytes - SIZE_2M), byte);
	EXPECT_EQ(1, pwrite(fd, "x", 1, (uintptr_t)area + self->nr_bytes - 1));
	EXPECT_EQ('x', area[self->nr_bytes - 1]);
	close(fd);
	EXPECT_EQ(self->nr_bytes, nr_marked(area, self->nr_bytes));
	EXPECT_EQ(0, munmap(area, self->nr_bytes));
}

/*
 * Since Linux 7.3, the module makes entries of 2 MiB also where Linux has NUMA, because Linux then
 * looks for no struct page behind them. Without that, each of these calls would crash Linux.
 */
TEST_F_TIMEOUT(large, calls_for_numa_find_no_struct_page, 120)
{
	static const char *const files[] = { "smaps", "numa_maps", "pagemap" };
	unsigned char *area = AREA(self->handle, RW);
	long tables = table_size(), faults;
	unsigned long nodes = 1;
	void *page = area + PAGE;
	int i, node, fd;

	EXPECT_EQ(self->nr_bytes, nr_marked(area, self->nr_bytes));
	if (!may_be_small())
		EXPECT_GE(tables + TABLES_ABOVE, table_size());
	/* the results do not matter */
	syscall(SYS_get_mempolicy, &node, NULL, 0, page, MPOL_F_NODE | MPOL_F_ADDR);
	syscall(SYS_move_pages, 0, 1, &page, NULL, &node, 0);
	node = 0;
	syscall(SYS_move_pages, 0, 1, &page, &node, &i, MPOL_MF_MOVE);
	for (i = 0; i < 3; i++) {
		static char buffer[1 << 16];
		char path[40];

		snprintf(path, sizeof(path), "/proc/self/%s", files[i]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (i < 2)
			while (read(fd, buffer, sizeof(buffer)) > 0)
				;
		else
			EXPECT_EQ(sizeof(buffer), pread(fd, buffer, sizeof(buffer),
							(uintptr_t)area / PAGE * 8));
		close(fd);
	}
	syscall(SYS_mbind, area, self->nr_bytes, MPOL_BIND, &nodes, 8 * sizeof(nodes),
		MPOL_MF_STRICT | MPOL_MF_MOVE);
	syscall(SYS_mbind, area, self->nr_bytes, MPOL_BIND, &nodes, 8 * sizeof(nodes),
		MPOL_MF_STRICT);
	/* mbind() may break up entries of 1 GiB, but not those of 2 MiB */
	faults = nr_faults();
	EXPECT_EQ(self->nr_bytes, nr_marked(area, self->nr_bytes));
	if (variant->shift == 21 && !may_be_small())
		EXPECT_GT(variant->nr / 2, nr_faults() - faults);
	EXPECT_EQ(0, munmap(area, self->nr_bytes));
}

TEST_F(client, small_pages_come_512_at_a_time)
{
	const __u64 nr_bytes = 2 * SIZE_2M;
	struct theseus_mm_map mapping;
	unsigned char *area;
	long faults;
	__u64 i;

	ASSERT_EQ(0, map_aligned(self->fd, nr_bytes, SIZE_2M, 1, &mapping));
	ASSERT_EQ(0, fill(self->fd, mapping.handle, nr_bytes));
	area = AREA(mapping.handle, R);
	faults = nr_faults();
	for (i = 0; i < nr_bytes; i += PAGE)
		ASSERT_EQ(pattern(i), area[i]);
	EXPECT_GE(faults + 8, nr_faults());
	EXPECT_EQ(0, munmap(area, nr_bytes));
}

TEST_HARNESS_MAIN
