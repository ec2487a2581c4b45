// SPDX-License-Identifier: GPL-2.0
/* Before Linux 6.15: the module refuses struct_pages=1 since then. */
/* Debug kernel: page_table_check checks the entries of memory with struct pages. */
/*
 * Memory with struct pages (the module is loaded with struct_pages=1): I/O uses the memory
 * directly, and nobody else gets pinned memory until I/O unpins it.
 */
#include "pin.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define NR	4
#define SIZE	(NR * PAGE)
#define MIB	(1ULL << 20)
#define GIB	(1ULL << 30)

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

FIXTURE(pin)
{
	int fd;
	int pipe[2];
	struct theseus_mm_info start;
	struct theseus_mm_create_mapping mapping;
	__u32 handle;
};

/* Map one run of frames whose address is known, with a known value in every byte. */
FIXTURE_SETUP(pin)
{
	recover_start();
	CLIENT_SETUP();
	if (!(self->start.features & THESEUS_MM_FEATURE_STRUCT_PAGES))
		SKIP(return, "the module is not loaded with struct_pages=1");
	ASSERT_EQ(0, pipe(self->pipe));
	ASSERT_EQ(0, uapi_create_contiguous_mapping(self->fd, SIZE, THESEUS_MM_PTE_DATA,
						    &self->mapping));
	self->handle = self->mapping.handle;
	ASSERT_EQ(0, fill(self->fd, self->handle, SIZE));
}

FIXTURE_TEARDOWN(pin)
{
	close(self->pipe[0]);
	close(self->pipe[1]);
	PINNED_TEARDOWN();
}

static int delete_module(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK);
}

/* --- I/O ----------------------------------------------------------------------------- */

TEST_F(pin, a_pipe_takes_the_page_itself)
{
	unsigned char *area = AREA(self->handle, RW);

	ASSERT_EQ(PAGE, pin(self->pipe[1], area + PAGE, PAGE));
	area[PAGE] ^= 0xff;
	/* the pipe has the page itself, not a copy: its first byte has changed */
	EXPECT_EQ(0, let_go(self->pipe[0], PAGE));
	area[PAGE] ^= 0xff;
	ASSERT_EQ(PAGE, pin(self->pipe[1], area + PAGE, PAGE));
	EXPECT_EQ(PAGE, let_go(self->pipe[0], PAGE));
	EXPECT_EQ(0, munmap(area, SIZE));
}

TEST_F(pin, direct_io_in_both_directions)
{
	int disk = open("/dev/ram0", O_RDWR | O_DIRECT);
	unsigned char *area = AREA(self->handle, RW);

	ASSERT_LE(0, disk);
	ASSERT_EQ(SIZE, pwrite(disk, area, SIZE, 0));
	memset(area, 0, SIZE);
	ASSERT_EQ(SIZE, pread(disk, area, SIZE, 0));
	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	EXPECT_EQ(0, munmap(area, SIZE));
	close(disk);
}

TEST_F(pin, direct_io_into_a_read_only_borrow_is_refused)
{
	int disk = open("/dev/ram0", O_RDWR | O_DIRECT);
	unsigned char *area = AREA(self->handle, R);

	ASSERT_LE(0, disk);
	EXPECT_EQ(SIZE, pwrite(disk, area, SIZE, 0));
	EXPECT_ERRNO(EFAULT, pread(disk, area, SIZE, 0));
	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	EXPECT_EQ(0, munmap(area, SIZE));
	close(disk);
}

TEST_F(pin, another_process_reads_it)
{
	unsigned char *area = AREA(self->handle, R), copy[PAGE];
	struct iovec to = { copy, PAGE }, from = { area + PAGE, PAGE };
	int status;
	pid_t child = fork();

	if (!child)
		_exit(process_vm_readv(getppid(), &to, 1, &from, 1, 0) != PAGE ||
		      nr_alike(copy, PAGE, PAGE) != PAGE);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, munmap(area, SIZE));
}

/*
 * A debugger may read memory that the program itself may not touch. Linux inverts the address of a
 * frame in such entries, so the module must not continue the entry to the pages beside.
 */
TEST_F(pin, a_debugger_reads_what_the_program_may_not)
{
	unsigned char *area = AREA(self->handle, RW), byte;
	int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);

	ASSERT_LE(0, memory);
	ASSERT_EQ(0, mprotect(area, SIZE, PROT_NONE));
	EXPECT_EQ(1, pread(memory, &byte, 1, (off_t)(unsigned long)(area + PAGE)));
	EXPECT_EQ(pattern(PAGE), byte);
	ASSERT_EQ(0, mprotect(area, SIZE, PROT_READ | PROT_WRITE));
	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	EXPECT_EQ(0, munmap(area, SIZE));
	close(memory);
}

TEST_F(pin, large_leaves)
{
	const __u64 sizes[] = { 2 * MIB, GIB };
	struct theseus_mm_create_mapping mapping;
	unsigned char *area;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		__u64 middle = sizes[i] / 2;

		ASSERT_EQ(0, uapi_create_contiguous_mapping(self->fd, sizes[i],
							    THESEUS_MM_PTE_DATA, &mapping));
		area = AREA(mapping.handle, RW);
		memset(area + middle, pattern(0), PAGE);
		ASSERT_EQ(PAGE, pin(self->pipe[1], area + middle, PAGE));
		EXPECT_EQ(0, munmap(area, sizes[i]));
		EXPECT_TRUE(is_pinned(self->fd, mapping.handle));
		EXPECT_EQ(1, let_go(self->pipe[0], 0));
		EXPECT_TRUE(BECOMES(!is_pinned(self->fd, mapping.handle)));
		EXPECT_EQ(0, uapi_drop(self->fd, mapping.handle));
	}
}

/* --- pinned memory stays borrowed ------------------------------------------------------- */

TEST_F(pin, what_is_not_held_is_free_at_once)
{
	unsigned char *area = AREA(self->handle, RW);

	ASSERT_EQ(PAGE, pin(self->pipe[1], area, PAGE));
	EXPECT_EQ(PAGE, let_go(self->pipe[0], 0));
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_FALSE(is_pinned(self->fd, self->handle));
	EXPECT_EQ(0, mmap_errno(self->fd, self->handle, RW));
	EXPECT_EQ(0, uapi_drop(self->fd, self->handle));
}

TEST_F(pin, what_is_held_after_munmap_stays_borrowed)
{
	unsigned char *area = AREA(self->handle, RW), byte = 0;
	__u32 first, second, frames[NR], nr_frames = NR;

	ASSERT_EQ(PAGE, pin(self->pipe[1], area + PAGE, PAGE));
	EXPECT_FALSE(is_pinned(self->fd, self->handle));
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_TRUE(is_pinned(self->fd, self->handle));
	EXPECT_EQ(-EBUSY, uapi_remap(self->fd, self->handle, READ_ONLY));
	EXPECT_EQ(-EBUSY, uapi_split(self->fd, self->handle, PAGE, &first, &second));
	EXPECT_EQ(-EBUSY, uapi_unmap_into_parts(self->fd, self->handle, &first, frames,
						&nr_frames));
	EXPECT_EQ(-EBUSY, uapi_write(self->fd, self->handle, 0, &byte, 1));
	EXPECT_EQ(-EBUSY, uapi_read(self->fd, self->handle, 0, &byte, 1));
	EXPECT_EQ(EBUSY, mmap_errno(self->fd, self->handle, R));
	EXPECT_EQ(PAGE, let_go(self->pipe[0], PAGE));
	EXPECT_TRUE(BECOMES(!is_pinned(self->fd, self->handle)));
	EXPECT_EQ(0, uapi_remap(self->fd, self->handle, READ_ONLY));
}

/* The search for pins goes on from one run of frames to the next. */
TEST_F(pin, what_is_held_of_a_second_run_of_frames)
{
	struct theseus_mm_allocate pages = PAGES(NR), frames = FRAMES(NR + 1);
	__u32 low, rest, middle, high, left, right;
	struct theseus_mm_map first, second;
	unsigned char *area;

	/* the frame in the middle is not mapped */
	ASSERT_EQ(0, uapi_split(self->fd, frames.handle, SIZE / 2, &low, &rest));
	ASSERT_EQ(0, uapi_split(self->fd, rest, PAGE, &middle, &high));
	ASSERT_EQ(0, uapi_split(self->fd, pages.handle, SIZE / 2, &left, &right));
	ASSERT_EQ(0, uapi_map_allocated_pages_to(self->fd, left, low, THESEUS_MM_PTE_DATA, &first));
	ASSERT_EQ(0, uapi_map_allocated_pages_to(self->fd, right, high, THESEUS_MM_PTE_DATA,
						 &second));
	ASSERT_EQ(0, uapi_merge(self->fd, first.handle, second.handle));
	ASSERT_EQ(0, fill(self->fd, first.handle, SIZE));
	area = AREA(first.handle, RW);
	ASSERT_EQ(PAGE, pin(self->pipe[1], area + SIZE - PAGE, PAGE));
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_TRUE(is_pinned(self->fd, first.handle));
	EXPECT_EQ(PAGE, let_go(self->pipe[0], SIZE - PAGE));
	EXPECT_TRUE(BECOMES(!is_pinned(self->fd, first.handle)));
}

TEST_F(pin, a_read_only_borrow_that_lingers_is_immutable)
{
	unsigned char *area = AREA(self->handle, R), byte = 0;

	ASSERT_EQ(PAGE, pin(self->pipe[1], area, PAGE));
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_EQ(0, uapi_read(self->fd, self->handle, 0, &byte, 1));
	EXPECT_EQ(0, mmap_errno(self->fd, self->handle, R));
	EXPECT_EQ(EBUSY, mmap_errno(self->fd, self->handle, RW));
	EXPECT_EQ(PAGE, let_go(self->pipe[0], 0));
	EXPECT_TRUE(BECOMES(!is_pinned(self->fd, self->handle)));
	EXPECT_EQ(0, mmap_errno(self->fd, self->handle, RW));
}

TEST_F(pin, revoke_tells_what_is_held)
{
	struct theseus_mm_revoke revoke = { .handle = self->handle };
	unsigned char *area = AREA(self->handle, R), *other = AREA(self->handle, R), byte;

	EXPECT_EQ(0, load(other, &byte));
	ASSERT_EQ(PAGE, pin(self->pipe[1], area, PAGE));
	EXPECT_EQ(0, munmap(area, SIZE));
	area = AREA(self->handle, R);
	ASSERT_EQ(0, uapi_call(self->fd, THESEUS_MM_IOC_REVOKE, &revoke));
	/*
	 * The new area counts as revoked although nobody touched it. The loan of @other
	 * overlaps the pinned loan of the first area, so these two loans become one.
	 */
	EXPECT_EQ(2, revoke.nr_revoked);
	EXPECT_EQ(1, revoke.nr_pinned);
	EXPECT_EQ(SIGBUS, load(area, &byte));
	EXPECT_EQ(SIGBUS, load(other, &byte));
	EXPECT_EQ(-1, pin(self->pipe[1], area, PAGE));
	ASSERT_EQ(0, uapi_call(self->fd, THESEUS_MM_IOC_REVOKE, &revoke));
	EXPECT_EQ(0, revoke.nr_revoked);
	EXPECT_EQ(1, revoke.nr_pinned);
	EXPECT_EQ(PAGE, let_go(self->pipe[0], 0));
	EXPECT_TRUE(BECOMES(!is_pinned(self->fd, self->handle)));
	EXPECT_EQ(0, mmap_errno(self->fd, self->handle, RW));
	ASSERT_EQ(0, uapi_call(self->fd, THESEUS_MM_IOC_REVOKE, &revoke));
	EXPECT_EQ(0, revoke.nr_pinned);
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_EQ(0, munmap(other, SIZE));
}

TEST_F(pin, a_part_of_the_area_is_gone)
{
	unsigned char *area = AREA(self->handle, RW);

	ASSERT_EQ(PAGE, pin(self->pipe[1], area, PAGE));
	EXPECT_EQ(0, munmap(area, PAGE));
	EXPECT_EQ(SIZE - PAGE, nr_alike(area + PAGE, PAGE, SIZE - PAGE));
	EXPECT_EQ(0, munmap(area + PAGE, SIZE - PAGE));
	EXPECT_TRUE(is_pinned(self->fd, self->handle));
	EXPECT_EQ(PAGE, let_go(self->pipe[0], 0));
	EXPECT_TRUE(BECOMES(!is_pinned(self->fd, self->handle)));
}

/* --- nobody else gets pinned memory ---------------------------------------------------- */

/*
 * Allocate all free frames. Return: their number, or 0 if one of them is in the @nr_bytes at
 * @paddr
 */
static __u64 take_all_but(int fd, __u64 paddr, __u64 nr_bytes)
{
	struct theseus_mm_info info;
	__u64 nr = 0;

	for (;;) {
		struct theseus_mm_allocate run = {};

		if (uapi_get_info(fd, &info) || !info.frames_largest[0])
			return nr;
		run.size = info.frames_largest[0];
		if (uapi_allocate_frames(fd, &run))
			return 0;
		if (run.start < paddr + nr_bytes && paddr < run.start + run.nr_pages * PAGE)
			return 0;
		nr += run.nr_pages;
	}
}

/* Take all free frames, check that the pinned memory has not changed, unpin it, and get it too. */
static void expect_nobody_gets(struct __test_metadata *_metadata, FIXTURE_DATA(pin) *self)
{
	struct theseus_mm_allocate one = { .flags = THESEUS_MM_ALLOCATE_AT, .size = 1,
					   .at = self->mapping.paddr };
	int other = uapi_open(NULL);

	ASSERT_LE(0, other);
	EXPECT_LT(0, take_all_but(other, self->mapping.paddr, SIZE));
	EXPECT_EQ(-EADDRINUSE, uapi_allocate_frames(other, &one));
	EXPECT_EQ(PAGE, let_go(self->pipe[0], PAGE));
	EXPECT_TRUE(BECOMES(!uapi_allocate_frames(other, &one)));
	close(other);
}

TEST_F(pin, the_owner_is_gone)
{
	unsigned char *area = AREA(self->handle, RW);

	ASSERT_EQ(PAGE, pin(self->pipe[1], area + PAGE, PAGE));
	EXPECT_EQ(0, munmap(area, SIZE));
	close(self->fd);
	self->fd = -1;
	expect_nobody_gets(_metadata, self);
}

TEST_F(pin, the_handle_is_dropped)
{
	unsigned char *area = AREA(self->handle, RW);

	EXPECT_EQ(1, area[0] == pattern(0));
	EXPECT_EQ(-EBUSY, uapi_drop(self->fd, self->handle));
	ASSERT_EQ(PAGE, pin(self->pipe[1], area + PAGE, PAGE));
	EXPECT_EQ(-EBUSY, uapi_drop(self->fd, self->handle));
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_EQ(0, uapi_drop(self->fd, self->handle));
	EXPECT_GONE(self->handle);
	expect_nobody_gets(_metadata, self);
}

TEST_F(pin, a_drop_waits_for_areas_even_if_another_lingers)
{
	unsigned char *area = AREA(self->handle, R), *other;

	ASSERT_EQ(PAGE, pin(self->pipe[1], area + PAGE, PAGE));
	EXPECT_EQ(0, munmap(area, SIZE));
	other = AREA(self->handle, R);
	EXPECT_EQ(-EBUSY, uapi_drop(self->fd, self->handle));
	EXPECT_EQ(0, munmap(other, SIZE));
	EXPECT_EQ(0, uapi_drop(self->fd, self->handle));
	expect_nobody_gets(_metadata, self);
}

TEST_F(pin, the_owner_is_killed)
{
	int ready[2], status;
	char byte;
	pid_t child;

	ASSERT_EQ(0, uapi_drop(self->fd, self->handle));
	ASSERT_EQ(0, pipe(ready));
	child = fork();
	if (!child) {
		int fd = uapi_open(NULL);
		struct theseus_mm_create_mapping mapping;
		unsigned char *area;

		if (uapi_create_contiguous_mapping(fd, SIZE, THESEUS_MM_PTE_DATA, &mapping) ||
		    fill(fd, mapping.handle, SIZE))
			_exit(1);
		area = mmap_all(fd, mapping.handle, RW);
		if (area == MAP_FAILED || pin(self->pipe[1], area + PAGE, PAGE) != PAGE)
			_exit(1);
		if (write(ready[1], &mapping, sizeof(mapping)) != sizeof(mapping))
			_exit(1);
		pause();
	}
	close(ready[1]);
	ASSERT_EQ(sizeof(self->mapping), read(ready[0], &self->mapping, sizeof(self->mapping)));
	EXPECT_EQ(0, kill(child, SIGKILL));
	EXPECT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, read(ready[0], &byte, 1));
	close(ready[0]);
	expect_nobody_gets(_metadata, self);
}

TEST_F(pin, the_module_stays)
{
	unsigned char *area = AREA(self->handle, RW);

	ASSERT_EQ(PAGE, pin(self->pipe[1], area, PAGE));
	EXPECT_EQ(0, munmap(area, SIZE));
	close(self->fd);
	self->fd = -1;
	/* wait until the closed client has dropped its reference to the module */
	usleep(100000);
	EXPECT_ERRNO(EAGAIN, delete_module("theseus_mm"));
	EXPECT_EQ(PAGE, let_go(self->pipe[0], 0));
}

/* --- areas without VM_IO ----------------------------------------------------------------- */

TEST_F(pin, a_child_sees_nothing)
{
	unsigned char *area = AREA(self->handle, R), byte;
	int status;
	pid_t child;

	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	EXPECT_EQ(0, madvise(area, SIZE, MADV_DOFORK));
	child = fork();
	if (!child) {
		struct iovec to = { &byte, 1 }, from = { area, 1 };

		if (load(area, &byte) != SIGBUS)
			_exit(1);
		if (process_vm_readv(getpid(), &to, 1, &from, 1, 0) != -1 || errno != EFAULT)
			_exit(2);
		if (pin(self->pipe[1], area, PAGE) != -1 || errno != EFAULT)
			_exit(3);
		/* change parts of the area, move it, and fork again */
		if (mprotect(area, PAGE, PROT_NONE) || munmap(area + PAGE, PAGE))
			_exit(4);
		area = mremap(area + 2 * PAGE, PAGE, PAGE, MREMAP_MAYMOVE);
		if (area == MAP_FAILED || load(area, &byte) != SIGBUS)
			_exit(5);
		child = fork();
		if (!child)
			_exit(load(area, &byte) != SIGBUS);
		if (waitpid(child, &status, 0) != child || status)
			_exit(6);
		_exit(0);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	EXPECT_EQ(EBUSY, mmap_errno(self->fd, self->handle, RW));
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_EQ(0, mmap_errno(self->fd, self->handle, RW));
}

/* Give many kinds of advice, and check after each kind that the area has kept its content. */
TEST_F(pin, advice_leaves_nothing_behind)
{
	const int advice[] = { MADV_COLD, MADV_PAGEOUT, MADV_DONTNEED, MADV_FREE, MADV_WILLNEED,
			       MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_MERGEABLE, MADV_POPULATE_READ,
			       MADV_COLLAPSE, MADV_REMOVE, MADV_DODUMP };
	const __u64 sizes[] = { SIZE, 4 * MIB, GIB };
	struct theseus_mm_create_mapping mapping;
	unsigned char *area, byte;
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		ASSERT_EQ(0, uapi_create_contiguous_mapping(self->fd, sizes[i], THESEUS_MM_PTE_DATA,
							    &mapping));
		area = AREA(mapping.handle, RW);
		for (j = 0; j < ARRAY_SIZE(advice); j++) {
			EXPECT_EQ(0, store(area + 17, j));
			madvise(area, sizes[i] < 4 * MIB ? sizes[i] : 4 * MIB, advice[j]);
			EXPECT_EQ(0, load(area + 17, &byte));
			EXPECT_EQ(j, byte);
			madvise(area, sizes[i] < 4 * MIB ? sizes[i] : 4 * MIB, advice[j]);
		}
		EXPECT_EQ(0, store(area + 17, 99));
		madvise(area, SIZE, MADV_COLD);
		madvise(area, SIZE, MADV_PAGEOUT);
		EXPECT_EQ(0, uapi_revoke(self->fd, mapping.handle, NULL));
		EXPECT_EQ(SIGBUS, load(area + 17, &byte));
		EXPECT_EQ(0, munmap(area, sizes[i]));
		EXPECT_EQ(0, uapi_drop(self->fd, mapping.handle));
	}
}

/* --- the work that pins make ----------------------------------------------------------- */

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

#define NR_LOANS	600
#define SLOW		0.2
/* A busy machine may delay this many calls; the module would delay calls all the time. */
#define MAX_SLOW	2

/*
 * I/O pins one page, the last of 1 GiB, which very many areas have shown. Other calls on
 * the mapping must not wait while the module checks the pages of all these areas.
 */
TEST_F_TIMEOUT(pin, many_loans_of_a_page_that_is_held, 120)
{
	static unsigned char *areas[NR_LOANS];
	struct theseus_mm_revoke revoke = { 0 };
	struct theseus_mm_create_mapping mapping;
	double start, begin, took, longest = 0;
	int i, nr_slow = 0;

	ASSERT_EQ(0, uapi_create_contiguous_mapping(self->fd, GIB, THESEUS_MM_PTE_DATA, &mapping));
	revoke.handle = mapping.handle;
	for (i = 0; i < NR_LOANS; i++) {
		areas[i] = AREA(mapping.handle, R);
		/* one entry of 1 GiB shows all pages of the area */
		EXPECT_EQ(0, areas[i][GIB - PAGE]);
	}
	ASSERT_EQ(PAGE, pin(self->pipe[1], areas[0] + GIB - PAGE, PAGE));
	for (i = 0; i < NR_LOANS; i++)
		EXPECT_EQ(0, munmap(areas[i], GIB));
	start = seconds();
	while (seconds() - start < 5) {
		begin = seconds();
		ASSERT_EQ(0, uapi_call(self->fd, THESEUS_MM_IOC_REVOKE, &revoke));
		took = seconds() - begin;
		longest = took > longest ? took : longest;
		nr_slow += took > SLOW;
		usleep(20000);
	}
	TH_LOG("%u loans linger; the longest REVOKE took %.3f s", revoke.nr_pinned, longest);
	EXPECT_GE(MAX_SLOW, nr_slow);
	EXPECT_EQ(1, revoke.nr_pinned);
	let_go(self->pipe[0], 0);
	EXPECT_TRUE(BECOMES(!is_pinned(self->fd, mapping.handle)));
	EXPECT_EQ(0, uapi_drop(self->fd, mapping.handle));
}

TEST_HARNESS_MAIN
