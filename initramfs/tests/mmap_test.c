// SPDX-License-Identifier: GPL-2.0
/*
 * Borrowing by mmap: rights, content, exclusion and addresses.
 */
#include "borrow.h"

#include <fcntl.h>

/* Also 32-bit: offsets have to fit mmap2(). */

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
	ASSERT_EQ(0, uapi_read(self->fd, self->handle, 0, content, SIZE));
	EXPECT_EQ(SIZE, nr_alike(content, 5, SIZE));
	area = AREA(self->handle, R);
	EXPECT_EQ(SIZE, nr_alike(area, 5, SIZE));
	EXPECT_EQ(0, munmap(area, SIZE));
}

static bool is_dirty(int fd, __u64 vaddr)
{
	struct theseus_mm_translate translation = { 0 };

	return !uapi_translate(fd, vaddr, &translation) &&
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

	ASSERT_EQ(0, uapi_split(self->fd, mapping.handle, SIZE, &before, &handles[0]));
	ASSERT_EQ(0, uapi_split(self->fd, handles[0], SIZE, &self->handle, &after));
	area = AREA(self->handle, protection);
	EXPECT_REFUSED(EBUSY, uapi_remap(self->fd, self->handle, READ_ONLY), self->handle);
	EXPECT_REFUSED(EBUSY, uapi_split(self->fd, self->handle, PAGE, &handles[0], &handles[1]),
		       self->handle);
	EXPECT_REFUSED(EBUSY, uapi_merge(self->fd, self->handle, after), self->handle, after);
	EXPECT_REFUSED(EBUSY, uapi_merge(self->fd, before, self->handle), before, self->handle);
	EXPECT_REFUSED(EBUSY, uapi_unmap_into_parts(self->fd, self->handle, &pages, frames, &nr),
		       self->handle);
	EXPECT_REFUSED(EBUSY, uapi_drop(self->fd, self->handle), self->handle);
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_EQ(0, uapi_merge(self->fd, self->handle, after));
	EXPECT_EQ(0, uapi_merge(self->fd, before, self->handle));
	EXPECT_EQ(0, uapi_drop(self->fd, before));
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
	ASSERT_EQ(0, uapi_remap(self->fd, self->handle, READ_ONLY));
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

	ASSERT_EQ(0, uapi_write(self->fd, self->handle, PAGE, code, sizeof(code)));
	ASSERT_EQ(0, uapi_remap(self->fd, self->handle, 0));
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

	ASSERT_EQ(0, uapi_map_offset(self->fd, self->handle, &offset, NULL));
	EXPECT_ERRNO(EINVAL, mmap(NULL, SIZE, R, MAP_PRIVATE, self->fd, offset));
	EXPECT_ERRNO(EINVAL, mmap(NULL, SIZE, RW, MAP_PRIVATE, self->fd, offset));
	EXPECT_FREE(self->handle);
}

TEST_F(borrow, a_client_opened_for_reading_has_no_areas)
{
	int fd = open(UAPI_DEVICE, O_RDONLY | O_CLOEXEC);
	__u64 offset;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, uapi_map_offset(self->fd, self->handle, &offset, NULL));
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

	ASSERT_EQ(0, uapi_map_offset(self->fd, self->handle, &offset, &nr_bytes));
	EXPECT_EQ(SIZE, nr_bytes);
	ASSERT_EQ(0, uapi_map_offset(self->fd, other, &others, NULL));
	ASSERT_EQ(0, uapi_map_offset(self->fd, self->handle, &again, NULL));
	EXPECT_EQ(offset, again);
	EXPECT_TRUE(others >= offset + SIZE || offset >= others + SIZE);
	EXPECT_EQ(0, offset % PAGE);
}

TEST_F(borrow, only_mappings_have_offsets)
{
	__u32 pages = PAGES(1).handle, frames = FRAMES(1).handle, nr;
	__u64 offset;

	EXPECT_REFUSED(ENOENT, uapi_map_offset(self->fd, pages, &offset, NULL), pages);
	EXPECT_REFUSED(ENOENT, uapi_map_offset(self->fd, frames, &offset, NULL), frames);
	EXPECT_REFUSED(ENOENT, uapi_map_offset(self->fd, 0, &offset, NULL));
	EXPECT_REFUSED(ENOENT, uapi_revoke(self->fd, pages, &nr), pages);
	EXPECT_REFUSED(ENOENT, uapi_revoke(self->fd, frames, &nr), frames);
	EXPECT_REFUSED(ENOENT, uapi_revoke(self->fd, 0, &nr));
}

TEST_F(borrow, refuses_offsets_of_no_mapping)
{
	struct theseus_mm_create_mapping dropped = MAPPING(1);
	__u64 offset, gone;
	int other = uapi_open(NULL);

	ASSERT_EQ(0, uapi_map_offset(self->fd, dropped.handle, &gone, NULL));
	ASSERT_EQ(0, uapi_drop(self->fd, dropped.handle));
	EXPECT_ERRNO(ENOENT, mmap(NULL, PAGE, R, MAP_SHARED, self->fd, gone));
	EXPECT_ERRNO(ENOENT, mmap(NULL, PAGE, R, MAP_SHARED, self->fd, 0));
	EXPECT_ERRNO(ENOENT, mmap(NULL, PAGE, R, MAP_SHARED, self->fd, FAR_OFFSET));
	EXPECT_ERRNO(ENOENT, mmap(NULL, PAGE, R, MAP_SHARED, self->fd, LAST_OFFSET));
	ASSERT_EQ(0, uapi_map_offset(self->fd, self->handle, &offset, NULL));
	ASSERT_LE(0, other);
	EXPECT_ERRNO(ENOENT, mmap(NULL, SIZE, R, MAP_SHARED, other, offset));
	close(other);
}

TEST_F(borrow, refuses_what_is_outside)
{
	__u64 offset;

	ASSERT_EQ(0, uapi_map_offset(self->fd, self->handle, &offset, NULL));
	EXPECT_ERRNO(ERANGE, mmap(NULL, SIZE + 1, R, MAP_SHARED, self->fd, offset));
	EXPECT_ERRNO(ERANGE, mmap(NULL, PAGE, R, MAP_SHARED, self->fd, offset + SIZE));
	EXPECT_ERRNO(ERANGE, mmap(NULL, 2 * PAGE, R, MAP_SHARED, self->fd, offset + SIZE - PAGE));
	/* the error depends on whether another mapping has this offset */
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, R, MAP_SHARED, self->fd, offset - PAGE));
	/* far longer than the mapping, but possible in 32 bits */
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

	ASSERT_EQ(0, uapi_map_offset(self->fd, self->handle, &offset, NULL));
	ASSERT_EQ(0, uapi_split(self->fd, self->handle, PAGE, &first, &second));
	EXPECT_ERRNO(ENOENT, mmap(NULL, PAGE, R, MAP_SHARED, self->fd, offset));
	area = AREA(second, R);
	EXPECT_EQ(SIZE - PAGE, nr_alike(area, PAGE, SIZE - PAGE));
	/* the other mapping is no part of the area */
	EXPECT_EQ(0, write_byte(self->fd, first));
	EXPECT_EQ(0, munmap(area, SIZE - PAGE));
}

TEST_HARNESS_MAIN
