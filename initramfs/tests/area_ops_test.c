// SPDX-License-Identifier: GPL-2.0
/* Debug kernel: DEBUG_VM looks for entries of 1 GiB that reach across the end of an area. */
/*
 * Linux's calls that change an area: the area shows the same content afterwards, and no other
 * area of the mapping changes, in this process or in another.
 */
#include "area.h"

#include <linux/mempolicy.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define SIZE_2M		(1ULL << 21)
#define SIZE_1G		(1ULL << 30)

/* Returned instead of a number of faults if the content is wrong or the other process fails. */
#define SAW_WRONG	255

/**
 * ops - a mapping in an area that a test changes, and in two others
 * @handle: the mapping
 * @area: a readable area of the whole mapping, with all entries
 * @beside: another such area in this process
 * @other: a process that has a third such area
 * @go: pipe to that process; when a byte arrives, the process reads its area again, and ends
 * @nr_bytes: size of the mapping
 */
FIXTURE(ops)
{
	int fd;
	struct theseus_mm_info start;
	__u32 handle;
	unsigned char *area;
	unsigned char *beside;
	pid_t other;
	int go[2];
	__u64 nr_bytes;
};

/**
 * ops variants - sizes of leaves
 * @align: size of the leaves, and alignment of the frames
 * @skew: pages from an aligned frame to the first frame
 * @nr_bytes: size of the mapping
 */
FIXTURE_VARIANT(ops)
{
	__u64 align;
	__u64 skew;
	__u64 nr_bytes;
};

FIXTURE_VARIANT_ADD(ops, leaves_of_4k)
{
	.align = SIZE_2M, .skew = 1, .nr_bytes = 2 * SIZE_2M,
};
FIXTURE_VARIANT_ADD(ops, leaves_of_2m) { .align = SIZE_2M, .nr_bytes = 4 * SIZE_2M };
FIXTURE_VARIANT_ADD(ops, leaves_of_1g) { .align = SIZE_1G, .nr_bytes = SIZE_1G };

/* The tests look at a byte in the middle of every eighth of the mapping. */
#define NR_PARTS	8

static __u64 part_offset(__u64 nr_bytes, int part)
{
	return nr_bytes / NR_PARTS * part + nr_bytes / NR_PARTS / 2;
}

static int set_parts(int fd, __u32 handle, __u64 nr_bytes)
{
	int err = 0, i;

	for (i = 0; i < NR_PARTS && !err; i++) {
		unsigned char byte = i + 1;

		err = uapi_write(fd, handle, part_offset(nr_bytes, i), &byte, 1);
	}
	return err;
}

/* Return: how many parts, from the first on, have the right content */
static int nr_parts(const unsigned char *area, __u64 nr_bytes)
{
	unsigned char byte;
	int i;

	for (i = 0; i < NR_PARTS; i++)
		if (load(area + part_offset(nr_bytes, i), &byte) || byte != i + 1)
			break;
	return i;
}

/* Return: how many faults a read in every part of the area takes, or SAW_WRONG */
static int nr_faults_of(const unsigned char *area, __u64 nr_bytes)
{
	long faults = nr_faults();
	int nr = nr_parts(area, nr_bytes);

	faults = nr_faults() - faults;
	if (nr != NR_PARTS)
		return SAW_WRONG;
	return faults < SAW_WRONG ? faults : SAW_WRONG - 1;
}

/* The other process reads in every part, reports that, waits, and reads in every part again. */
static int be_other(FIXTURE_DATA(ops) *self, int ready)
{
	unsigned char *area = mmap_all(self->fd, self->handle, R);
	char byte;

	if (area == MAP_FAILED)
		return SAW_WRONG;
	nr_faults_of(area, self->nr_bytes);
	if (write(ready, "r", 1) != 1 || read(self->go[0], &byte, 1) != 1)
		return SAW_WRONG;
	return nr_faults_of(area, self->nr_bytes);
}

/* Return: 0 when the other process has read in every part of its area, or an error */
static int start_other(FIXTURE_DATA(ops) *self)
{
	int ready[2];
	char byte;

	if (pipe(self->go) || pipe(ready))
		return -errno;
	self->other = fork();
	if (!self->other) {
		close(self->go[1]);
		_exit(be_other(self, ready[1]));
	}
	close(self->go[0]);
	close(ready[1]);
	return read(ready[0], &byte, 1) == 1 ? 0 : -EIO;
}

/* Return: how many faults the other process takes to read in every part again */
static int nr_faults_of_other(FIXTURE_DATA(ops) *self)
{
	int status;

	if (write(self->go[1], "g", 1) != 1 || waitpid(self->other, &status, 0) != self->other)
		return -1;
	self->other = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

FIXTURE_SETUP(ops)
{
	struct theseus_mm_map mapping;

	recover_start();
	CLIENT_SETUP();
	self->nr_bytes = variant->nr_bytes;
	ASSERT_EQ(0, map_aligned(self->fd, self->nr_bytes, variant->align, variant->skew,
				 &mapping));
	self->handle = mapping.handle;
	ASSERT_EQ(0, set_parts(self->fd, self->handle, self->nr_bytes));
	ASSERT_EQ(0, start_other(self));
	self->area = AREA(self->handle, R);
	self->beside = AREA(self->handle, R);
	ASSERT_NE(SAW_WRONG, nr_faults_of(self->area, self->nr_bytes));
	ASSERT_NE(SAW_WRONG, nr_faults_of(self->beside, self->nr_bytes));
}

FIXTURE_TEARDOWN(ops)
{
	munmap(self->beside, self->nr_bytes);
	CLIENT_TEARDOWN();
}

/* Check that the other areas still have the entries of every part. */
#define EXPECT_OTHERS_UNDISTURBED()							\
	do {										\
		EXPECT_EQ(0, nr_faults_of(self->beside, self->nr_bytes));		\
		EXPECT_EQ(0, nr_faults_of_other(self));					\
	} while (0)

TEST_F_TIMEOUT(ops, mprotect_disturbs_nobody, 120)
{
	const __u64 at = self->nr_bytes / 2 + 5 * PAGE;
	unsigned char byte;

	EXPECT_EQ(0, mprotect(self->area + at, PAGE, PROT_NONE));
	EXPECT_EQ(SIGSEGV, load(self->area + at, &byte));
	EXPECT_EQ(SIGSEGV, load(self->area + at + PAGE - 1, &byte));
	EXPECT_EQ(NR_PARTS, nr_parts(self->area, self->nr_bytes));
	EXPECT_EQ(0, load(self->area + at - 1, &byte));
	EXPECT_EQ(0, load(self->area + at + PAGE, &byte));
	EXPECT_EQ(0, mprotect(self->area, self->nr_bytes, PROT_NONE));
	EXPECT_EQ(0, nr_parts(self->area, self->nr_bytes));
	EXPECT_EQ(0, mprotect(self->area, self->nr_bytes, R));
	EXPECT_EQ(NR_PARTS, nr_parts(self->area, self->nr_bytes));
	EXPECT_OTHERS_UNDISTURBED();
	EXPECT_EQ(0, munmap(self->area, self->nr_bytes));
}

TEST_F_TIMEOUT(ops, munmap_of_a_part_disturbs_nobody, 120)
{
	const __u64 at = self->nr_bytes / 2 + 5 * PAGE;
	unsigned char byte;

	EXPECT_EQ(0, munmap(self->area + at, PAGE));
	EXPECT_EQ(SIGSEGV, load(self->area + at, &byte));
	EXPECT_EQ(SIGSEGV, load(self->area + at + PAGE - 1, &byte));
	EXPECT_EQ(NR_PARTS, nr_parts(self->area, self->nr_bytes));
	/* unmap a page at the start of the first entry, and one at the end of the last entry */
	EXPECT_EQ(0, munmap(self->area, PAGE));
	EXPECT_EQ(0, munmap(self->area + self->nr_bytes - PAGE, PAGE));
	EXPECT_EQ(NR_PARTS, nr_parts(self->area, self->nr_bytes));
	EXPECT_EQ(SIGSEGV, load(self->area, &byte));
	EXPECT_OTHERS_UNDISTURBED();
	EXPECT_EQ(0, munmap(self->area, self->nr_bytes));
}

/* Find room for the area at an address @skew bytes after an address where large entries fit. */
static unsigned char *find_place(__u64 nr_bytes, __u64 skew)
{
	unsigned char *place = mmap(NULL, nr_bytes + 2 * SIZE_1G, PROT_NONE,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (place == MAP_FAILED)
		return place;
	return place + (SIZE_1G - (uintptr_t)place % SIZE_1G) + skew;
}

static unsigned char *move(unsigned char *area, __u64 nr_bytes, unsigned char *to)
{
	return mremap(area, nr_bytes, nr_bytes, MREMAP_MAYMOVE | MREMAP_FIXED, to);
}

TEST_F_TIMEOUT(ops, mremap_disturbs_nobody, 120)
{
	static const __u64 skews[] = { 0, PAGE, SIZE_2M };
	unsigned char *old = self->area, *place, byte;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(skews); i++) {
		place = find_place(self->nr_bytes, skews[i]);
		ASSERT_NE((unsigned char *)MAP_FAILED, place);
		ASSERT_EQ(place, move(self->area, self->nr_bytes, place));
		EXPECT_EQ(SIGSEGV, load(self->area + self->nr_bytes / 2, &byte));
		self->area = place;
		EXPECT_EQ(NR_PARTS, nr_parts(place, self->nr_bytes));
	}
	ASSERT_EQ(old, move(self->area, self->nr_bytes, old));
	self->area = old;
	EXPECT_EQ(NR_PARTS, nr_parts(old, self->nr_bytes));
	EXPECT_OTHERS_UNDISTURBED();
	EXPECT_EQ(0, munmap(self->area, self->nr_bytes));
}

TEST_F_TIMEOUT(ops, mremap_of_a_part_disturbs_nobody, 120)
{
	const __u64 quarter = self->nr_bytes / 4;
	unsigned char *place = find_place(self->nr_bytes, PAGE), byte;

	ASSERT_NE((unsigned char *)MAP_FAILED, place);
	ASSERT_EQ(place, move(self->area + quarter, 2 * quarter, place));
	EXPECT_EQ(SIGSEGV, load(self->area + quarter, &byte));
	EXPECT_EQ(SIGSEGV, load(self->area + 3 * quarter - 1, &byte));
	EXPECT_EQ(0, load(place + part_offset(self->nr_bytes, 2) - quarter, &byte));
	EXPECT_EQ(3, byte);
	EXPECT_EQ(2, nr_parts(self->area, self->nr_bytes));
	ASSERT_EQ(self->area + quarter, move(place, 2 * quarter, self->area + quarter));
	EXPECT_EQ(NR_PARTS, nr_parts(self->area, self->nr_bytes));
	EXPECT_OTHERS_UNDISTURBED();
	EXPECT_EQ(0, munmap(self->area, self->nr_bytes));
}

/* With an old length of 0, mremap() would make a second area: VM_DONTEXPAND forbids it. */
TEST_F_TIMEOUT(ops, mremap_to_a_second_area_adds_nothing, 120)
{
	unsigned char *place = find_place(self->nr_bytes, 0);

	ASSERT_NE((unsigned char *)MAP_FAILED, place);
	EXPECT_ERRNO(EFAULT, mremap(self->area, 0, self->nr_bytes, MREMAP_MAYMOVE | MREMAP_FIXED,
				    place));
	EXPECT_EQ(0, nr_faults_of(self->area, self->nr_bytes));
	EXPECT_OTHERS_UNDISTURBED();
	EXPECT_EQ(0, munmap(self->area, self->nr_bytes));
}

TEST_F_TIMEOUT(ops, madvise_of_a_part_disturbs_nobody, 120)
{
	const __u64 at = self->nr_bytes / 2 + 5 * PAGE;

	EXPECT_EQ(0, madvise(self->area + at, 3 * PAGE, MADV_RANDOM));
	EXPECT_EQ(NR_PARTS, nr_parts(self->area, self->nr_bytes));
	EXPECT_EQ(0, madvise(self->area, self->nr_bytes, MADV_NORMAL));
	EXPECT_EQ(NR_PARTS, nr_parts(self->area, self->nr_bytes));
	EXPECT_OTHERS_UNDISTURBED();
	EXPECT_EQ(0, munmap(self->area, self->nr_bytes));
}

TEST_F_TIMEOUT(ops, mbind_of_a_part_disturbs_nobody, 120)
{
	const __u64 at = self->nr_bytes / 2 + 5 * PAGE;
	unsigned long nodes = 1;
	bool is_done = !syscall(SYS_mbind, self->area + at, 3 * PAGE, MPOL_BIND, &nodes,
				8 * sizeof(nodes), 0);

	/* Debian's kernel has NUMA support, the debug kernel has not */
	EXPECT_TRUE(is_done || errno == ENOSYS);
	EXPECT_EQ(NR_PARTS, nr_parts(self->area, self->nr_bytes));
	/* mbind() may fail here: only the content and the other areas matter */
	syscall(SYS_mbind, self->area, self->nr_bytes, MPOL_BIND, &nodes, 8 * sizeof(nodes),
		MPOL_MF_STRICT);
	EXPECT_EQ(NR_PARTS, nr_parts(self->area, self->nr_bytes));
	EXPECT_OTHERS_UNDISTURBED();
	EXPECT_EQ(0, munmap(self->area, self->nr_bytes));
}

/* A reader that calls mprotect() in a loop causes no faults in other areas. */
TEST_F_TIMEOUT(ops, mprotect_in_a_loop_disturbs_nobody, 120)
{
	long faults = 0;
	int i;

	for (i = 0; i < 1000; i++) {
		EXPECT_EQ(0, mprotect(self->area, PAGE, PROT_NONE));
		faults += nr_faults_of(self->beside, self->nr_bytes);
		EXPECT_EQ(0, mprotect(self->area, PAGE, R));
	}
	EXPECT_EQ(0, faults);
	EXPECT_OTHERS_UNDISTURBED();
	EXPECT_EQ(0, munmap(self->area, self->nr_bytes));
}

/* The changed area loses an entry only if the change cuts that entry, or if Linux splits it. */
TEST_F_TIMEOUT(ops, the_rest_of_the_area_stays, 120)
{
	if (variant->align == SIZE_1G)
		EXPECT_EQ(0, madvise(self->area, PAGE, MADV_RANDOM));
	nr_faults_of(self->area, self->nr_bytes);
	EXPECT_EQ(0, mprotect(self->area + PAGE, PAGE, PROT_NONE));
	EXPECT_GE(1, nr_faults_of(self->area, self->nr_bytes));
	EXPECT_EQ(0, munmap(self->area + 3 * PAGE, PAGE));
	EXPECT_GE(1, nr_faults_of(self->area, self->nr_bytes));
	EXPECT_OTHERS_UNDISTURBED();
	EXPECT_EQ(0, munmap(self->area, self->nr_bytes));
}

TEST_HARNESS_MAIN
