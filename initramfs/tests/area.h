/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Areas: mappings in the memory of this process.
 */
#ifndef TESTS_AREA_H
#define TESTS_AREA_H

#include "client.h"
#include "recover.h"

#include <sys/mman.h>
#include <sys/resource.h>

#define R	PROT_READ
#define RW	(PROT_READ | PROT_WRITE)
#define RX	(PROT_READ | PROT_EXEC)

/*
 * Offsets that no mapping has, but that mmap() can pass. A 32-bit program uses mmap2(), which
 * takes a page number of 32 bits.
 */
#define FAR_OFFSET	(1ULL << (sizeof(long) == 8 ? 62 : 43))
#define LAST_OFFSET	(sizeof(long) == 8 ? ~0ULL << 13 : (1ULL << 44) - 2 * PAGE)

/* Return: 0, or the signal that reading a byte raised. */
static inline int load(const unsigned char *address, unsigned char *byte)
{
	return TRY(*byte = __atomic_load_n(address, __ATOMIC_SEQ_CST));
}

/* Return: 0, or the signal that writing a byte raised. */
static inline int store(unsigned char *address, unsigned char byte)
{
	return TRY(__atomic_store_n(address, byte, __ATOMIC_SEQ_CST));
}

/* Return: the value of byte @offset of a mapping that fill() has filled */
static inline unsigned char pattern(__u64 offset)
{
	return offset * 31 + offset / PAGE * 7 + 1;
}

static inline int fill(int fd, __u32 handle, __u64 nr_bytes)
{
	static unsigned char buffer[16 * PAGE];
	__u64 offset, i;
	int err = 0;

	for (offset = 0; offset < nr_bytes && !err; offset += i) {
		for (i = 0; i < sizeof(buffer) && offset + i < nr_bytes; i++)
			buffer[i] = pattern(offset + i);
		err = uapi_write(fd, handle, offset, buffer, i);
	}
	return err;
}

/* Make a mapping that the test needs, in which every byte has a known value. */
#define FILLED(nr)									\
	({										\
		struct theseus_mm_create_mapping _filled = MAPPING(nr);			\
											\
		ASSERT_EQ(0, fill(self->fd, _filled.handle, (nr) * PAGE));		\
		_filled;								\
	})

/*
 * Return: how many of @nr_bytes at @area, up to the first wrong byte, have the value that fill()
 * writes from @offset on
 */
static inline __u64 nr_alike(const unsigned char *area, __u64 offset, __u64 nr_bytes)
{
	__u64 i;

	for (i = 0; i < nr_bytes && area[i] == pattern(offset + i); i++)
		;
	return i;
}

/*
 * Map pages to frames that start @skew pages after a multiple of @align. With a skew, all leaves
 * are small.
 */
static inline int map_aligned(int fd, __u64 nr_bytes, __u64 align, __u64 skew,
			      struct theseus_mm_map *mapping)
{
	struct theseus_mm_allocate pages = { .size = nr_bytes / PAGE, .align = align };
	struct theseus_mm_allocate frames = { .size = nr_bytes / PAGE + skew, .align = align };
	int err = uapi_allocate_pages(fd, &pages);
	__u32 rest;

	if (!err)
		err = uapi_allocate_frames(fd, &frames);
	if (!err && skew) {
		err = uapi_split(fd, frames.handle, skew * PAGE, &rest, &frames.handle);
		if (!err)
			err = uapi_drop(fd, rest);
	}
	if (err)
		return err;
	return uapi_map_allocated_pages_to(fd, pages.handle, frames.handle, THESEUS_MM_PTE_DATA,
					   mapping);
}

/* Return: the area or MAP_FAILED, with errno */
static inline unsigned char *mmap_part(int fd, __u32 handle, __u64 offset, size_t nr_bytes,
				       int protection)
{
	__u64 start;
	int err = uapi_map_offset(fd, handle, &start, NULL);

	if (err) {
		errno = -err;
		return MAP_FAILED;
	}
	return mmap(NULL, nr_bytes, protection, MAP_SHARED, fd, start + offset);
}

/* Mmap a whole mapping. */
static inline unsigned char *mmap_all(int fd, __u32 handle, int protection)
{
	__u64 start, nr_bytes;
	int err = uapi_map_offset(fd, handle, &start, &nr_bytes);

	return err ? MAP_FAILED : mmap_part(fd, handle, 0, nr_bytes, protection);
}

#define AREA(handle, protection)							\
	({										\
		unsigned char *_area = mmap_all(self->fd, handle, protection);		\
											\
		ASSERT_NE((unsigned char *)MAP_FAILED, _area);				\
		_area;									\
	})

/* Mmap all of a mapping, and unmap the area again. Return: 0, or the errno of mmap() */
static inline int mmap_errno(int fd, __u32 handle, int protection)
{
	struct theseus_mm_query query;
	void *area;
	int err = uapi_query(fd, handle, &query);

	if (err)
		return -err;
	area = mmap_all(fd, handle, protection);
	if (area == MAP_FAILED)
		return errno;
	munmap(area, query.nr_pages * PAGE);
	return 0;
}

#define EXPECT_ERRNO(error, call)							\
	do {										\
		errno = 0;								\
		EXPECT_EQ(-1, (long)(call));						\
		EXPECT_EQ(error, errno);						\
	} while (0)

static inline long nr_faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt + usage.ru_majflt;
}

/* Return: the size of this process's page tables in KiB */
static inline long table_size(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[128];
	long size = -1;

	while (file && fgets(line, sizeof(line), file) && sscanf(line, "VmPTE: %ld", &size) != 1)
		;
	if (file)
		fclose(file);
	return size;
}

#endif /* TESTS_AREA_H */
