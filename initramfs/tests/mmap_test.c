// SPDX-License-Identifier: GPL-2.0
/*
 * Borrowing by mmap: who may, what is seen, what it excludes, and when it ends.
 */
#include "area.h"
#include "text.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <linux/mempolicy.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

/* Also 32-bit: offsets have to fit mmap2(). */

#define NR	4
#define SIZE	(NR * PAGE)
#define TRACEFS	"/sys/kernel/tracing/"

/**
 * borrow - a client with a mapping in which every byte can be told
 * @handle: the mapping
 */
FIXTURE(borrow)
{
	int fd;
	struct theseus_mm_info start;
	__u32 handle;
};

FIXTURE_SETUP(borrow)
{
	area_catch_signals();
	self->fd = tmm_open(NULL);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, tmm_get_info(self->fd, &self->start));
	self->handle = MAPPING(NR).handle;
	ASSERT_EQ(0, fill(self->fd, self->handle, SIZE));
}

FIXTURE_TEARDOWN(borrow)
{
	struct theseus_mm_info end;
	char text[SNAPSHOT_TEXT];

	if (self->fd >= 0)
		close(self->fd);
	self->fd = tmm_open(NULL);
	EXPECT_EQ(0, tmm_get_info(self->fd, &end));
	EXPECT_STREQ("", info_difference(&self->start, &end, text));
	close(self->fd);
}

static int write_byte(int fd, __u32 handle)
{
	unsigned char byte = pattern(0);

	return tmm_write(fd, handle, 0, &byte, 1);
}

static int read_byte(int fd, __u32 handle)
{
	unsigned char byte;

	return tmm_read(fd, handle, 0, &byte, 1);
}

/* What is free, shared, or excluded by the borrows of a mapping at this moment. */
#define EXPECT_FREE(handle)								\
	do {										\
		EXPECT_EQ(0, write_byte(self->fd, handle));				\
		EXPECT_EQ(0, mmap_errno(self->fd, handle, RW));				\
	} while (0)
#define EXPECT_SHARED(handle)								\
	do {										\
		EXPECT_EQ(0, read_byte(self->fd, handle));				\
		EXPECT_EQ(0, mmap_errno(self->fd, handle, R));				\
		EXPECT_EQ(-EBUSY, write_byte(self->fd, handle));			\
		EXPECT_EQ(EBUSY, mmap_errno(self->fd, handle, RW));			\
	} while (0)
#define EXPECT_EXCLUDED(handle)								\
	do {										\
		EXPECT_EQ(-EBUSY, read_byte(self->fd, handle));				\
		EXPECT_EQ(EBUSY, mmap_errno(self->fd, handle, R));			\
		EXPECT_EQ(-EBUSY, write_byte(self->fd, handle));			\
		EXPECT_EQ(EBUSY, mmap_errno(self->fd, handle, RW));			\
	} while (0)

/* --- without struct pages --------------------------------------------------------------- */

TEST_F(borrow, there_is_no_dmabuf_without_struct_pages)
{
	struct theseus_mm_export request = { .handle = self->handle };

	EXPECT_EQ(0, self->start.features);
	EXPECT_REFUSED(EOPNOTSUPP, tmm_call(self->fd, THESEUS_MM_IOC_EXPORT_DMABUF, &request),
		       self->handle);
	EXPECT_FREE(self->handle);
}

/* --- two kinds of borrows ----------------------------------------------------------- */

TEST_F(borrow, read_only_areas_share)
{
	unsigned char *first = AREA(self->handle, R);
	unsigned char *second = AREA(self->handle, R);

	EXPECT_NE(first, second);
	EXPECT_EQ(SIZE, nr_alike(first, 0, SIZE));
	EXPECT_EQ(SIZE, nr_alike(second, 0, SIZE));
	EXPECT_SHARED(self->handle);
	EXPECT_EQ(0, munmap(first, SIZE));
	EXPECT_SHARED(self->handle);
	EXPECT_EQ(0, munmap(second, SIZE));
	EXPECT_FREE(self->handle);
}

TEST_F(borrow, an_inaccessible_area_is_immutable)
{
	unsigned char *area = AREA(self->handle, PROT_NONE), byte;

	EXPECT_EQ(SIGSEGV, load(area, &byte));
	EXPECT_SHARED(self->handle);
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_FREE(self->handle);
}

TEST_F(borrow, a_writable_area_is_alone)
{
	unsigned char *area = AREA(self->handle, RW);

	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	EXPECT_EXCLUDED(self->handle);
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_FREE(self->handle);
}

TEST_F(borrow, what_was_written_stays)
{
	unsigned char *area = AREA(self->handle, RW), content[SIZE];
	__u64 i;

	for (i = 0; i < SIZE; i++)
		area[i] = pattern(i + 5);
	EXPECT_EQ(0, munmap(area, SIZE));
	ASSERT_EQ(0, tmm_read(self->fd, self->handle, 0, content, SIZE));
	EXPECT_EQ(SIZE, nr_alike(content, 5, SIZE));
	area = AREA(self->handle, R);
	EXPECT_EQ(SIZE, nr_alike(area, 5, SIZE));
	EXPECT_EQ(0, munmap(area, SIZE));
}

static bool is_dirty(int fd, __u64 vaddr)
{
	struct theseus_mm_translate translation = { 0 };

	return !tmm_translate(fd, vaddr, &translation) &&
	       (translation.pte_flags & THESEUS_MM_PTE_DIRTY);
}

TEST_F(borrow, a_writable_area_leaves_its_part_dirty)
{
	struct theseus_mm_create_mapping mapping = MAPPING(NR);
	unsigned char *area;
	unsigned int i;

	for (i = 0; i < NR; i++)
		ASSERT_FALSE(is_dirty(self->fd, mapping.start + i * PAGE));
	area = AREA(mapping.handle, R);
	EXPECT_EQ(0, area[0]);
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_FALSE(is_dirty(self->fd, mapping.start));
	area = mmap_part(self->fd, mapping.handle, PAGE, 2 * PAGE, RW);
	ASSERT_NE((unsigned char *)MAP_FAILED, area);
	area[0] = 1;
	EXPECT_EQ(0, munmap(area, 2 * PAGE));
	EXPECT_FALSE(is_dirty(self->fd, mapping.start));
	EXPECT_TRUE(is_dirty(self->fd, mapping.start + PAGE));
	EXPECT_TRUE(is_dirty(self->fd, mapping.start + 2 * PAGE));
	EXPECT_FALSE(is_dirty(self->fd, mapping.start + 3 * PAGE));
}

static void expect_unchangeable(struct __test_metadata *_metadata, FIXTURE_DATA(borrow) *self,
				int protection)
{
	__u32 before, after, pages, frames[NR], nr = NR, handles[2];
	struct theseus_mm_create_mapping mapping = MAPPING(3 * NR);
	unsigned char *area;

	ASSERT_EQ(0, tmm_split(self->fd, mapping.handle, SIZE, &before, &handles[0]));
	ASSERT_EQ(0, tmm_split(self->fd, handles[0], SIZE, &self->handle, &after));
	area = AREA(self->handle, protection);
	EXPECT_REFUSED(EBUSY, tmm_remap(self->fd, self->handle, READ_ONLY), self->handle);
	EXPECT_REFUSED(EBUSY, tmm_split(self->fd, self->handle, PAGE, &handles[0], &handles[1]),
		       self->handle);
	EXPECT_REFUSED(EBUSY, tmm_merge(self->fd, self->handle, after), self->handle, after);
	EXPECT_REFUSED(EBUSY, tmm_merge(self->fd, before, self->handle), before, self->handle);
	EXPECT_REFUSED(EBUSY, tmm_unmap_into_parts(self->fd, self->handle, &pages, frames, &nr),
		       self->handle);
	EXPECT_REFUSED(EBUSY, tmm_drop(self->fd, self->handle), self->handle);
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_EQ(0, tmm_merge(self->fd, self->handle, after));
	EXPECT_EQ(0, tmm_merge(self->fd, before, self->handle));
	EXPECT_EQ(0, tmm_drop(self->fd, before));
}

TEST_F(borrow, cannot_change_while_read)
{
	expect_unchangeable(_metadata, self, R);
}

TEST_F(borrow, cannot_change_while_written)
{
	expect_unchangeable(_metadata, self, RW);
}

/* --- what is allowed ---------------------------------------------------------------- */

TEST_F(borrow, a_read_only_mapping_refuses_writable_areas)
{
	ASSERT_EQ(0, tmm_remap(self->fd, self->handle, READ_ONLY));
	EXPECT_EQ(0, mmap_errno(self->fd, self->handle, R));
	EXPECT_REFUSED(0, -mmap_errno(self->fd, self->handle, R), self->handle);
	EXPECT_REFUSED(EACCES, -mmap_errno(self->fd, self->handle, RW), self->handle);
	EXPECT_REFUSED(EACCES, -mmap_errno(self->fd, self->handle, PROT_WRITE), self->handle);
}

TEST_F(borrow, a_mapping_of_data_is_not_executed)
{
	unsigned char *area;

	EXPECT_EQ(0, mmap_errno(self->fd, self->handle, R));
	EXPECT_REFUSED(EACCES, -mmap_errno(self->fd, self->handle, RX), self->handle);
	EXPECT_REFUSED(EACCES, -mmap_errno(self->fd, self->handle, RW | PROT_EXEC), self->handle);
	area = AREA(self->handle, R);
	EXPECT_ERRNO(EACCES, mprotect(area, SIZE, RX));
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_FREE(self->handle);
}

TEST_F(borrow, a_mapping_of_code_is_executed)
{
	/* mov $42, %eax; ret */
	static const unsigned char code[] = { 0xb8, 42, 0, 0, 0, 0xc3 };
	union {
		unsigned char *area;
		int (*function)(void);
	} at;

	ASSERT_EQ(0, tmm_write(self->fd, self->handle, PAGE, code, sizeof(code)));
	ASSERT_EQ(0, tmm_remap(self->fd, self->handle, 0));
	at.area = AREA(self->handle, RX) + PAGE;
	EXPECT_EQ(42, at.function());
	EXPECT_EQ(0, munmap(at.area - PAGE, SIZE));
}

TEST_F(borrow, mprotect_cannot_widen)
{
	unsigned char *area = AREA(self->handle, R);

	EXPECT_ERRNO(EACCES, mprotect(area, SIZE, RW));
	EXPECT_ERRNO(EACCES, mprotect(area + PAGE, PAGE, PROT_WRITE));
	EXPECT_EQ(SIGSEGV, store(area, 0));
	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	EXPECT_SHARED(self->handle);
	EXPECT_EQ(0, munmap(area, SIZE));
}

TEST_F(borrow, mprotect_narrows_and_gives_back)
{
	unsigned char *area = AREA(self->handle, RW), byte;

	EXPECT_EQ(0, store(area, pattern(0)));
	EXPECT_EQ(0, mprotect(area, SIZE, R));
	EXPECT_EQ(SIGSEGV, store(area, 0));
	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	EXPECT_EXCLUDED(self->handle);
	EXPECT_EQ(0, mprotect(area, SIZE, PROT_NONE));
	EXPECT_EQ(SIGSEGV, load(area, &byte));
	EXPECT_EQ(0, mprotect(area, SIZE, RW));
	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	EXPECT_EQ(0, store(area, pattern(0)));
	EXPECT_EXCLUDED(self->handle);
	EXPECT_EQ(0, munmap(area, SIZE));
}

TEST_F(borrow, no_private_areas)
{
	__u64 offset;

	ASSERT_EQ(0, tmm_map_offset(self->fd, self->handle, &offset, NULL));
	EXPECT_ERRNO(EINVAL, mmap(NULL, SIZE, R, MAP_PRIVATE, self->fd, offset));
	EXPECT_ERRNO(EINVAL, mmap(NULL, SIZE, RW, MAP_PRIVATE, self->fd, offset));
	EXPECT_FREE(self->handle);
}

TEST_F(borrow, a_client_opened_for_reading_has_no_areas)
{
	int fd = open(TMM_DEVICE, O_RDONLY | O_CLOEXEC);
	__u64 offset;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, tmm_map_offset(self->fd, self->handle, &offset, NULL));
	EXPECT_ERRNO(EBADF, mmap(NULL, PAGE, R, MAP_SHARED, fd, offset));
	EXPECT_ERRNO(EACCES, mmap(NULL, PAGE, RW, MAP_SHARED, fd, offset));
	EXPECT_ERRNO(EINVAL, mmap(NULL, PAGE, R, MAP_PRIVATE, fd, offset));
	close(fd);
	EXPECT_FREE(self->handle);
}

/* --- offsets ------------------------------------------------------------------------ */

TEST_F(borrow, an_offset_stays_and_is_the_mappings_own)
{
	__u32 other = MAPPING(NR).handle;
	__u64 offset, again, others, nr_bytes;

	ASSERT_EQ(0, tmm_map_offset(self->fd, self->handle, &offset, &nr_bytes));
	EXPECT_EQ(SIZE, nr_bytes);
	ASSERT_EQ(0, tmm_map_offset(self->fd, other, &others, NULL));
	ASSERT_EQ(0, tmm_map_offset(self->fd, self->handle, &again, NULL));
	EXPECT_EQ(offset, again);
	EXPECT_TRUE(others >= offset + SIZE || offset >= others + SIZE);
	EXPECT_EQ(0, offset % PAGE);
}

TEST_F(borrow, only_mappings_have_offsets)
{
	__u32 pages = PAGES(1).handle, frames = FRAMES(1).handle, nr;
	__u64 offset;

	EXPECT_REFUSED(ENOENT, tmm_map_offset(self->fd, pages, &offset, NULL), pages);
	EXPECT_REFUSED(ENOENT, tmm_map_offset(self->fd, frames, &offset, NULL), frames);
	EXPECT_REFUSED(ENOENT, tmm_map_offset(self->fd, 0, &offset, NULL));
	EXPECT_REFUSED(ENOENT, tmm_revoke(self->fd, pages, &nr), pages);
	EXPECT_REFUSED(ENOENT, tmm_revoke(self->fd, frames, &nr), frames);
	EXPECT_REFUSED(ENOENT, tmm_revoke(self->fd, 0, &nr));
}

TEST_F(borrow, refuses_offsets_of_no_mapping)
{
	struct theseus_mm_create_mapping dropped = MAPPING(1);
	__u64 offset, gone;
	int other = tmm_open(NULL);

	ASSERT_EQ(0, tmm_map_offset(self->fd, dropped.handle, &gone, NULL));
	ASSERT_EQ(0, tmm_drop(self->fd, dropped.handle));
	EXPECT_ERRNO(ENOENT, mmap(NULL, PAGE, R, MAP_SHARED, self->fd, gone));
	EXPECT_ERRNO(ENOENT, mmap(NULL, PAGE, R, MAP_SHARED, self->fd, 0));
	EXPECT_ERRNO(ENOENT, mmap(NULL, PAGE, R, MAP_SHARED, self->fd, FAR_OFFSET));
	EXPECT_ERRNO(ENOENT, mmap(NULL, PAGE, R, MAP_SHARED, self->fd, LAST_OFFSET));
	ASSERT_EQ(0, tmm_map_offset(self->fd, self->handle, &offset, NULL));
	ASSERT_LE(0, other);
	EXPECT_ERRNO(ENOENT, mmap(NULL, SIZE, R, MAP_SHARED, other, offset));
	close(other);
}

TEST_F(borrow, refuses_what_is_outside)
{
	__u64 offset;

	ASSERT_EQ(0, tmm_map_offset(self->fd, self->handle, &offset, NULL));
	EXPECT_ERRNO(ERANGE, mmap(NULL, SIZE + 1, R, MAP_SHARED, self->fd, offset));
	EXPECT_ERRNO(ERANGE, mmap(NULL, PAGE, R, MAP_SHARED, self->fd, offset + SIZE));
	EXPECT_ERRNO(ERANGE, mmap(NULL, 2 * PAGE, R, MAP_SHARED, self->fd, offset + SIZE - PAGE));
	/* or there are no such offsets */
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, R, MAP_SHARED, self->fd, offset - PAGE));
	/* as much as there is room for in 32 bits too */
	EXPECT_ERRNO(ERANGE, mmap(NULL, 1UL << (sizeof(long) == 8 ? 40 : 30), R, MAP_SHARED,
				  self->fd, offset));
	EXPECT_FREE(self->handle);
}

TEST_F(borrow, a_part_shows_its_bytes)
{
	unsigned char *area;
	unsigned int i;

	for (i = 0; i < NR; i++) {
		area = mmap_part(self->fd, self->handle, i * PAGE, SIZE - i * PAGE, R);
		ASSERT_NE((unsigned char *)MAP_FAILED, area);
		EXPECT_EQ(SIZE - i * PAGE, nr_alike(area, i * PAGE, SIZE - i * PAGE));
		EXPECT_EQ(0, munmap(area, SIZE - i * PAGE));
	}
}

TEST_F(borrow, a_handle_made_by_split_has_its_own_offset)
{
	unsigned char *area;
	__u32 first, second;
	__u64 offset;

	ASSERT_EQ(0, tmm_map_offset(self->fd, self->handle, &offset, NULL));
	ASSERT_EQ(0, tmm_split(self->fd, self->handle, PAGE, &first, &second));
	EXPECT_ERRNO(ENOENT, mmap(NULL, PAGE, R, MAP_SHARED, self->fd, offset));
	area = AREA(second, R);
	EXPECT_EQ(SIZE - PAGE, nr_alike(area, PAGE, SIZE - PAGE));
	/* the other is no part of it */
	EXPECT_EQ(0, write_byte(self->fd, first));
	EXPECT_EQ(0, munmap(area, SIZE - PAGE));
}

/* --- processes ---------------------------------------------------------------------- */

/* Return: what waitpid() says of a child that runs @child, which must not return 99. */
static int status_of(int (*child)(int fd, __u32 handle, unsigned char *area), int fd, __u32 handle,
		     unsigned char *area)
{
	pid_t pid = fork();
	int status = -1;

	if (!pid)
		_exit(child(fd, handle, area));
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

static int load_in_child(int fd, __u32 handle, unsigned char *area)
{
	unsigned char byte;

	(void)fd;
	(void)handle;
	return load(area, &byte);
}

TEST_F(borrow, is_not_inherited)
{
	unsigned char *area = AREA(self->handle, R);
	int status;

	EXPECT_EQ(pattern(0), area[0]);
	EXPECT_ERRNO(EINVAL, madvise(area, SIZE, MADV_DOFORK));
	status = status_of(load_in_child, self->fd, self->handle, area);
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(SIGSEGV, WEXITSTATUS(status));
	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	EXPECT_SHARED(self->handle);
	EXPECT_EQ(0, munmap(area, SIZE));
}

static int write_in_child(int fd, __u32 handle, unsigned char *area)
{
	area = mmap_all(fd, handle, RW);
	if (area == MAP_FAILED)
		return 1;
	return store(area + PAGE, 77);
}

/* Nothing is munmapped: exit does it. */
TEST_F(borrow, ends_with_exit)
{
	unsigned char byte;

	EXPECT_EQ(0, status_of(write_in_child, self->fd, self->handle, NULL));
	EXPECT_FREE(self->handle);
	EXPECT_EQ(0, tmm_read(self->fd, self->handle, PAGE, &byte, 1));
	EXPECT_EQ(77, byte);
}

static int die_in_child(int fd, __u32 handle, unsigned char *area)
{
	if (write_in_child(fd, handle, area))
		return 1;
	close(fd);
	kill(getpid(), SIGKILL);
	return 2;
}

TEST_F(borrow, ends_with_sigkill)
{
	int status = status_of(die_in_child, self->fd, self->handle, NULL);

	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGKILL, WTERMSIG(status));
	EXPECT_FREE(self->handle);
}

static int own_and_die_in_child(int fd, __u32 handle, unsigned char *area)
{
	struct theseus_mm_create_mapping mapping;

	(void)handle;
	fd = tmm_open(NULL);
	if (fd < 0 || tmm_create_mapping(fd, 64 * PAGE, THESEUS_MM_PTE_DATA, &mapping))
		return 1;
	area = mmap_all(fd, mapping.handle, RW);
	if (area == MAP_FAILED || store(area + 63 * PAGE, 1))
		return 2;
	kill(getpid(), SIGKILL);
	return 3;
}

TEST_F(borrow, owner_and_area_end_with_sigkill)
{
	struct theseus_mm_info before = INFO(), after;
	int status = status_of(own_and_die_in_child, self->fd, self->handle, NULL);
	char text[SNAPSHOT_TEXT];

	EXPECT_TRUE(WIFSIGNALED(status));
	after = INFO();
	EXPECT_STREQ("", info_difference(&before, &after, text));
}

TEST_F(borrow, outlives_the_client)
{
	unsigned char *area = AREA(self->handle, RW);
	struct theseus_mm_info info;
	int other = tmm_open(NULL);

	ASSERT_LE(0, other);
	close(self->fd);
	self->fd = other;
	/* some of it was never touched */
	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	EXPECT_EQ(0, store(area + PAGE, 7));
	info = INFO();
	EXPECT_EQ(self->start.nr_mappings + 1, info.nr_mappings);
	EXPECT_GT(self->start.frames_free, info.frames_free);
	EXPECT_EQ(0, munmap(area, PAGE));
	info = INFO();
	EXPECT_EQ(self->start.nr_mappings + 1, info.nr_mappings);
	EXPECT_EQ(7, area[PAGE]);
	EXPECT_EQ(0, munmap(area + PAGE, SIZE - PAGE));
	EXPECT_ALL_BACK();
}

/* --- parts of an area --------------------------------------------------------------- */

TEST_F(borrow, lasts_until_its_last_part_goes)
{
	unsigned char *area = AREA(self->handle, RW), byte;

	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	EXPECT_EQ(0, munmap(area + PAGE, PAGE));
	EXPECT_EQ(SIGSEGV, load(area + PAGE, &byte));
	EXPECT_EXCLUDED(self->handle);
	EXPECT_EQ(PAGE, nr_alike(area, 0, PAGE));
	EXPECT_EQ(2 * PAGE, nr_alike(area + 2 * PAGE, 2 * PAGE, 2 * PAGE));
	EXPECT_EQ(0, munmap(area, PAGE));
	EXPECT_EQ(0, munmap(area + 2 * PAGE, PAGE));
	EXPECT_EXCLUDED(self->handle);
	EXPECT_EQ(PAGE, nr_alike(area + 3 * PAGE, 3 * PAGE, PAGE));
	EXPECT_EQ(0, munmap(area + 3 * PAGE, PAGE));
	EXPECT_FREE(self->handle);
}

TEST_F(borrow, mprotect_of_a_part)
{
	unsigned char *area = AREA(self->handle, RW);
	unsigned int i;

	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	EXPECT_EQ(0, mprotect(area + PAGE, PAGE, R));
	for (i = 0; i < NR; i++)
		EXPECT_EQ(i == 1 ? SIGSEGV : 0, store(area + i * PAGE, pattern(i * PAGE)));
	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	EXPECT_EXCLUDED(self->handle);
	EXPECT_EQ(0, munmap(area, 2 * PAGE));
	EXPECT_EXCLUDED(self->handle);
	EXPECT_EQ(2 * PAGE, nr_alike(area + 2 * PAGE, 2 * PAGE, 2 * PAGE));
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_FREE(self->handle);
}

TEST_F(borrow, mremap_moves)
{
	unsigned char *area = AREA(self->handle, RW), *moved, byte;
	unsigned char *target = mmap(NULL, SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT_EQ(0, store(area + PAGE, pattern(PAGE)));
	moved = mremap(area, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, target);
	ASSERT_EQ(target, moved);
	EXPECT_EQ(SIGSEGV, load(area, &byte));
	EXPECT_EQ(SIZE, nr_alike(moved, 0, SIZE));
	EXPECT_EXCLUDED(self->handle);
	/* a part of it: back */
	moved = mremap(target + PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, area);
	ASSERT_EQ(area, moved);
	EXPECT_EQ(PAGE, nr_alike(area, PAGE, PAGE));
	EXPECT_EQ(SIGSEGV, load(target + PAGE, &byte));
	EXPECT_EQ(PAGE, nr_alike(target, 0, PAGE));
	EXPECT_EQ(2 * PAGE, nr_alike(target + 2 * PAGE, 2 * PAGE, 2 * PAGE));
	EXPECT_EQ(0, munmap(target, SIZE));
	EXPECT_EXCLUDED(self->handle);
	EXPECT_EQ(0, munmap(area, PAGE));
	EXPECT_FREE(self->handle);
}

TEST_F(borrow, mremap_neither_grows_nor_copies)
{
	unsigned char *area = mmap_part(self->fd, self->handle, 0, 2 * PAGE, RW);

	ASSERT_NE((unsigned char *)MAP_FAILED, area);
	EXPECT_ERRNO(EFAULT, mremap(area, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE));
	EXPECT_ERRNO(EFAULT, mremap(area, 0, 2 * PAGE, MREMAP_MAYMOVE));
	EXPECT_ERRNO(EINVAL, mremap(area, 2 * PAGE, 2 * PAGE,
				    MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL));
	EXPECT_EQ(2 * PAGE, nr_alike(area, 0, 2 * PAGE));
	EXPECT_EQ(area, mremap(area, 2 * PAGE, PAGE, 0));
	EXPECT_EQ(PAGE, nr_alike(area, 0, PAGE));
	EXPECT_EXCLUDED(self->handle);
	EXPECT_EQ(0, munmap(area, PAGE));
	EXPECT_FREE(self->handle);
}

/* --- REVOKE ------------------------------------------------------------------------- */

TEST_F(borrow, revoke_takes_a_writable_area_away)
{
	unsigned char *area = AREA(self->handle, RW), *anew, byte;
	__u32 nr;

	EXPECT_EQ(0, store(area, 5));
	EXPECT_EQ(0, tmm_revoke(self->fd, self->handle, &nr));
	EXPECT_EQ(1, nr);
	EXPECT_EQ(SIGBUS, load(area, &byte));
	EXPECT_EQ(SIGBUS, store(area, 6));
	EXPECT_EQ(SIGBUS, load(area + SIZE - 1, &byte));
	EXPECT_FREE(self->handle);
	ASSERT_EQ(0, tmm_read(self->fd, self->handle, 0, &byte, 1));
	anew = AREA(self->handle, RW);
	EXPECT_EQ(0, store(anew, 8));
	EXPECT_EQ(SIGBUS, load(area, &byte));
	EXPECT_EQ(0, munmap(area, SIZE));
	/* that of the new one is not the old one's to end */
	EXPECT_EXCLUDED(self->handle);
	EXPECT_EQ(0, munmap(anew, SIZE));
	EXPECT_FREE(self->handle);
}

TEST_F(borrow, revoke_counts_borrows)
{
	unsigned char *first = AREA(self->handle, R), *second = AREA(self->handle, R), byte;
	__u32 nr = 99;

	EXPECT_EQ(0, munmap(first + PAGE, PAGE));
	EXPECT_EQ(0, tmm_revoke(self->fd, self->handle, &nr));
	EXPECT_EQ(2, nr);
	EXPECT_EQ(SIGBUS, load(first, &byte));
	EXPECT_EQ(SIGBUS, load(second, &byte));
	EXPECT_EQ(0, tmm_revoke(self->fd, self->handle, &nr));
	EXPECT_EQ(0, nr);
	EXPECT_EQ(0, munmap(first, SIZE));
	EXPECT_EQ(0, munmap(second, SIZE));
}

TEST_F(borrow, revoke_of_nothing)
{
	__u32 nr = 99;

	EXPECT_REFUSED(0, tmm_revoke(self->fd, self->handle, &nr), self->handle);
	EXPECT_EQ(0, nr);
	EXPECT_EQ(0, mmap_errno(self->fd, self->handle, R));
	nr = 99;
	EXPECT_REFUSED(0, tmm_revoke(self->fd, self->handle, &nr), self->handle);
	EXPECT_EQ(0, nr);
}

/* Where the result cannot be stored, nothing was revoked. */
TEST_F(borrow, revoke_is_undone_if_its_result_cannot_be_stored)
{
	struct theseus_mm_revoke *call = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char *area = AREA(self->handle, R);

	call->handle = self->handle;
	ASSERT_EQ(0, mprotect(call, PAGE, R));
	EXPECT_REFUSED(EFAULT, tmm_call(self->fd, THESEUS_MM_IOC_REVOKE, call), self->handle);
	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	EXPECT_EQ(0, munmap(area, SIZE));
}

TEST_F(borrow, revoke_allows_changes)
{
	struct theseus_mm_info before = self->start, after;
	unsigned char *area = AREA(self->handle, RW), byte;
	char text[SNAPSHOT_TEXT];
	__u32 first, second;

	EXPECT_EQ(0, store(area, 1));
	EXPECT_EQ(-EBUSY, tmm_drop(self->fd, self->handle));
	EXPECT_EQ(0, tmm_revoke(self->fd, self->handle, NULL));
	EXPECT_EQ(0, tmm_remap(self->fd, self->handle, READ_ONLY));
	EXPECT_EQ(0, tmm_split(self->fd, self->handle, PAGE, &first, &second));
	EXPECT_EQ(0, tmm_merge(self->fd, first, second));
	EXPECT_EQ(0, tmm_drop(self->fd, first));
	/* the area's file counts until the area is gone */
	before.client_handles++;
	after = INFO();
	EXPECT_STREQ("", info_difference(&before, &after, text));
	EXPECT_EQ(SIGBUS, load(area, &byte));
	EXPECT_EQ(0, munmap(area, SIZE));
}

TEST_F(borrow, revoked_areas_can_be_changed)
{
	unsigned char *area = AREA(self->handle, RW), *moved, byte;

	EXPECT_EQ(0, tmm_revoke(self->fd, self->handle, NULL));
	EXPECT_EQ(0, mprotect(area + PAGE, PAGE, R));
	EXPECT_EQ(SIGBUS, load(area + PAGE, &byte));
	EXPECT_EQ(0, munmap(area, PAGE));
	moved = mremap(area + PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, area);
	EXPECT_EQ(area, moved);
	EXPECT_EQ(SIGBUS, load(moved, &byte));
	EXPECT_EQ(SIGBUS, store(area + 2 * PAGE, 1));
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_FREE(self->handle);
}

TEST_F(borrow, revoke_reaches_other_processes)
{
	int ready[2], go[2], status;
	unsigned char byte = 0;
	__u32 nr;
	pid_t pid;

	ASSERT_EQ(0, pipe(ready));
	ASSERT_EQ(0, pipe(go));
	pid = fork();
	if (!pid) {
		unsigned char *area = mmap_all(self->fd, self->handle, RW);

		if (area == MAP_FAILED || store(area, 1) || write(ready[1], "", 1) != 1 ||
		    read(go[0], &byte, 1) != 1)
			_exit(99);
		_exit(load(area, &byte));
	}
	EXPECT_EQ(1, read(ready[0], &byte, 1));
	EXPECT_EXCLUDED(self->handle);
	EXPECT_EQ(0, tmm_revoke(self->fd, self->handle, &nr));
	EXPECT_EQ(1, nr);
	EXPECT_FREE(self->handle);
	EXPECT_EQ(1, write(go[1], "", 1));
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(SIGBUS, WEXITSTATUS(status));
}

/* Nobody else's memory is touched by it. */
TEST_F(borrow, revoke_leaves_other_mappings_alone)
{
	__u32 other = MAPPING(NR).handle;
	unsigned char *area = AREA(self->handle, R), *others;

	ASSERT_EQ(0, fill(self->fd, other, SIZE));
	others = AREA(other, R);
	EXPECT_EQ(SIZE, nr_alike(others, 0, SIZE));
	EXPECT_EQ(0, tmm_revoke(self->fd, self->handle, NULL));
	EXPECT_EQ(SIZE, nr_alike(others, 0, SIZE));
	EXPECT_EQ(-EBUSY, write_byte(self->fd, other));
	EXPECT_EQ(0, munmap(others, SIZE));
	EXPECT_EQ(0, munmap(area, SIZE));
}

/* --- what the kernel does with memory of a process -------------------------------------- */

static unsigned long read_all(const char *path)
{
	static char buffer[1 << 16];
	int fd = open(path, O_RDONLY);
	unsigned long total = 0;
	ssize_t nr;

	while (fd >= 0 && (nr = read(fd, buffer, sizeof(buffer))) > 0)
		total += nr;
	if (fd >= 0)
		close(fd);
	return total;
}

TEST_F(borrow, there_is_no_struct_page_to_get)
{
	unsigned char *area = AREA(self->handle, RW), buffer[64];
	struct iovec remote = { area, sizeof(buffer) }, local = { buffer, sizeof(buffer) };
	unsigned long nodes = 1;
	int pipes[2], disk;

	ASSERT_EQ(0, pipe(pipes));
	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	EXPECT_ERRNO(EFAULT, vmsplice(pipes[1], &remote, 1, 0));
	EXPECT_ERRNO(EFAULT, process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
	EXPECT_ERRNO(EFAULT, process_vm_writev(getpid(), &local, 1, &remote, 1, 0));
	EXPECT_ERRNO(EFAULT, syscall(SYS_futex, area, FUTEX_WAKE, 1, NULL, NULL, 0));
	disk = open("/dev/ram0", O_RDONLY | O_DIRECT);
	if (disk >= 0) {
		EXPECT_ERRNO(EFAULT, read(disk, area, PAGE));
		close(disk);
	}
	/* these may fail as they like, but must leave all as it is */
	syscall(SYS_mbind, area, SIZE, MPOL_BIND, &nodes, 8 * sizeof(nodes), MPOL_MF_STRICT);
	mlock(area, SIZE);
	munlock(area, SIZE);
	msync(area, SIZE, MS_SYNC);
	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	/* copying is another matter */
	EXPECT_EQ(sizeof(buffer), write(pipes[1], area + PAGE - 32, sizeof(buffer)));
	EXPECT_EQ(sizeof(buffer), read(pipes[0], area, sizeof(buffer)));
	EXPECT_EQ(sizeof(buffer), nr_alike(area, PAGE - 32, sizeof(buffer)));
	EXPECT_EQ(0, munmap(area, SIZE));
}

TEST_F(borrow, advice_changes_nothing)
{
	static const int advice[] = {
		MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED, MADV_DONTNEED,
		MADV_FREE, MADV_REMOVE, MADV_DONTFORK, MADV_MERGEABLE, MADV_UNMERGEABLE,
		MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_DONTDUMP, MADV_DODUMP, MADV_WIPEONFORK,
		MADV_COLD, MADV_PAGEOUT, MADV_POPULATE_READ, MADV_POPULATE_WRITE, 24, 25,
	};
	unsigned char *area = AREA(self->handle, RW), present[NR];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(advice); i++) {
		madvise(area, SIZE, advice[i]);
		madvise(area + PAGE, PAGE, advice[i]);
		EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	}
	EXPECT_ERRNO(EINVAL, madvise(area, SIZE, MADV_DOFORK));
	EXPECT_ERRNO(EINVAL, madvise(area, SIZE, MADV_DODUMP));
	EXPECT_EQ(0, mincore(area, SIZE, present));
	EXPECT_EQ(-1, remap_file_pages(area, PAGE, 0, 1, 0));
	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	EXPECT_EXCLUDED(self->handle);
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_FREE(self->handle);
}

TEST_F(borrow, proc_describes_it)
{
	unsigned char *area = AREA(self->handle, RW);
	__u64 entry = 1;
	int fd;

	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	EXPECT_LT(0, read_all("/proc/self/maps"));
	EXPECT_LT(0, read_all("/proc/self/smaps"));
	EXPECT_LT(0, read_all("/proc/self/smaps_rollup"));
	read_all("/proc/self/numa_maps");
	fd = open("/proc/self/pagemap", O_RDONLY);
	EXPECT_EQ(sizeof(entry), pread(fd, &entry, sizeof(entry), (uintptr_t)area / PAGE * 8));
	EXPECT_EQ(0, entry << 9);
	close(fd);
	/* soft-dirty tracking writes the area's protection anew */
	fd = open("/proc/self/clear_refs", O_WRONLY);
	if (fd >= 0) {
		EXPECT_EQ(1, write(fd, "4", 1));
		close(fd);
	}
	EXPECT_EQ(0, store(area, pattern(0)));
	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	EXPECT_EQ(0, munmap(area, SIZE));
}

TEST_F(borrow, proc_mem_reads_and_writes_what_is_mutable)
{
	unsigned char *area = AREA(self->handle, RW), buffer[2 * PAGE];
	unsigned char *hole = mmap(NULL, 3 * SIZE, R, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open("/proc/self/mem", O_RDWR);
	off_t at;

	ASSERT_LE(0, fd);
	/* with nothing beside it */
	ASSERT_EQ(0, munmap(hole, 3 * SIZE));
	area = mremap(area, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, hole + SIZE);
	ASSERT_EQ(hole + SIZE, area);
	at = (uintptr_t)area + PAGE - 5;
	EXPECT_EQ(PAGE + 10, pread(fd, buffer, PAGE + 10, at));
	EXPECT_EQ(PAGE + 10, nr_alike(buffer, PAGE - 5, PAGE + 10));
	EXPECT_EQ(10, pwrite(fd, "0123456789", 10, at));
	EXPECT_EQ(0, memcmp(area + PAGE - 5, "0123456789", 10));
	EXPECT_EQ(3, pread(fd, buffer, 10, (uintptr_t)area + SIZE - 3));
	EXPECT_EQ(3, nr_alike(buffer, SIZE - 3, 3));
	/* a part of which the start is not the mapping's */
	EXPECT_EQ(0, munmap(area, PAGE));
	EXPECT_EQ(5, pread(fd, buffer, 5, (uintptr_t)area + 2 * PAGE));
	EXPECT_EQ(5, nr_alike(buffer, 2 * PAGE, 5));
	EXPECT_EQ(0, tmm_revoke(self->fd, self->handle, NULL));
	EXPECT_ERRNO(EIO, pread(fd, buffer, 5, (uintptr_t)area + 2 * PAGE));
	EXPECT_ERRNO(EIO, pwrite(fd, buffer, 5, (uintptr_t)area + 2 * PAGE));
	EXPECT_EQ(0, munmap(area, SIZE));
	close(fd);
}

TEST_F(borrow, proc_mem_of_a_part_of_a_mapping)
{
	unsigned char *area = mmap_part(self->fd, self->handle, PAGE, 2 * PAGE, R), buffer[PAGE];
	int fd = open("/proc/self/mem", O_RDWR);

	ASSERT_LE(0, fd);
	ASSERT_NE((unsigned char *)MAP_FAILED, area);
	EXPECT_EQ(PAGE, pread(fd, buffer, PAGE, (uintptr_t)area + 7));
	EXPECT_EQ(PAGE, nr_alike(buffer, PAGE + 7, PAGE));
	EXPECT_EQ(0, munmap(area, 2 * PAGE));
	close(fd);
}

TEST_F(borrow, proc_mem_does_not_write_what_is_immutable)
{
	unsigned char *area = AREA(self->handle, R), byte;
	int fd = open("/proc/self/mem", O_RDWR);

	ASSERT_LE(0, fd);
	EXPECT_EQ(1, pread(fd, &byte, 1, (uintptr_t)area));
	EXPECT_EQ(pattern(0), byte);
	EXPECT_ERRNO(EIO, pwrite(fd, "x", 1, (uintptr_t)area));
	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	EXPECT_EQ(0, munmap(area, SIZE));
	close(fd);
}

TEST_F(borrow, a_debugger_sees_it)
{
	unsigned long *address = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0), word;
	unsigned char byte;
	int status;
	pid_t pid;

	ASSERT_NE((unsigned long *)MAP_FAILED, address);
	pid = fork();
	if (!pid) {
		*address = (uintptr_t)mmap_all(self->fd, self->handle, RW);
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		_exit(*(unsigned char *)(*address + 16));
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFSTOPPED(status));
	errno = 0;
	word = ptrace(PTRACE_PEEKDATA, pid, (void *)(*address + 8), NULL);
	EXPECT_EQ(0, errno);
	EXPECT_EQ(sizeof(word), nr_alike((unsigned char *)&word, 8, sizeof(word)));
	EXPECT_EQ(0, ptrace(PTRACE_POKEDATA, pid, (void *)(*address + 16), (void *)0x55UL));
	EXPECT_EQ(0, ptrace(PTRACE_CONT, pid, NULL, NULL));
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(0x55, WEXITSTATUS(status));
	EXPECT_EQ(0, tmm_read(self->fd, self->handle, 16, &byte, 1));
	EXPECT_EQ(0x55, byte);
	EXPECT_EQ(0, munmap(address, PAGE));
}

/* The structure lies in the revoked area: success if it revoked, an error if it did not. */
TEST_F(borrow, revoke_from_within_the_area)
{
	unsigned char *area = AREA(self->handle, RW), byte;
	struct theseus_mm_revoke *call = (struct theseus_mm_revoke *)(area + PAGE);
	int err;

	*call = (struct theseus_mm_revoke){ .handle = self->handle };
	err = tmm_call(self->fd, THESEUS_MM_IOC_REVOKE, call);
	EXPECT_EQ(0, err);
	EXPECT_EQ(err ? 1 : 0, QUERY(self->handle).nr_borrows);
	EXPECT_EQ(err ? 0 : SIGBUS, load(area, &byte));
	EXPECT_EQ(0, munmap(area, SIZE));
}

/* The file system is not mounted and unmounted for the only mapping that is mmapped. */
TEST_F(borrow, the_only_mapping_file_needs_no_file_system_of_its_own)
{
	char *events, *hits;
	__u32 handle;
	__u64 offset;
	int i;

	if (!text_write(TRACEFS "kprobe_events", "p:tmm_rights kill_anon_super"))
		SKIP(return, "this kernel has no probes");
	ASSERT_TRUE(text_write(TRACEFS "events/kprobes/tmm_rights/enable", "1"));
	for (i = 0; i < 3; i++) {
		handle = MAPPING(1).handle;
		EXPECT_EQ(0, tmm_map_offset(self->fd, handle, &offset, NULL));
		EXPECT_EQ(0, tmm_drop(self->fd, handle));
		usleep(10000);
	}
	hits = text_of(TRACEFS "kprobe_profile");
	EXPECT_TRUE(text_write(TRACEFS "events/kprobes/tmm_rights/enable", "0"));
	EXPECT_TRUE(text_write(TRACEFS "kprobe_events", ""));
	ASSERT_NE(NULL, hits);
	events = strstr(hits, "tmm_rights");
	ASSERT_NE(NULL, events);
	EXPECT_EQ(0, atoi(events + strlen("tmm_rights"))) TH_LOG("%s", hits);
	free(hits);
}

TEST_HARNESS_MAIN
