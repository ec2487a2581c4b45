// SPDX-License-Identifier: GPL-2.0
/*
 * The module has the regions that the host has asked for, and gives out their memory up to both ends:
 * each frame keeps what is written to it, and shows the memory of no other frame.
 */
/* Machine: modes: the test takes all memory, of regions of every form. */
#include "client.h"
#include "command_line.h"

#include <stdlib.h>

#define SIZE_4G		(1ULL << 32)
#define MAX_MARKS	256
#define MAX_HANDLES	4096
/* The test writes all frames of regions that are smaller together. */
#define SMALL		(128ULL << 20)

/* Read "<size>[KMG]@<start>". Return: what is behind it, or NULL */
static const char *read_region(const char *text, struct theseus_mm_region *region)
{
	char *end;

	region->nr_bytes = strtoull(text, &end, 0);
	region->nr_bytes <<= *end == 'G' ? 30 : *end == 'M' ? 20 : *end == 'K' ? 10 : 0;
	end += *end != '@';
	if (*end != '@')
		return NULL;
	region->start = strtoull(end + 1, &end, 0);
	return *end == ',' ? end + 1 : end;
}

TEST_F(client, the_regions_are_those_of_the_command_line)
{
	struct theseus_mm_region wanted, region;
	char text[COMMAND_LINE];
	const char *rest = text;
	__u32 nr = 0;

	ASSERT_TRUE(command_line_value("tmm.regions", text));
	while (*rest) {
		rest = read_region(rest, &wanted);
		ASSERT_NE(NULL, rest) TH_LOG("%s", text);
		ASSERT_EQ(0, uapi_get_region(self->fd, nr, &region));
		EXPECT_EQ(wanted.start, region.start);
		EXPECT_EQ(wanted.nr_bytes, region.nr_bytes);
		nr++;
	}
	EXPECT_LT(0, nr);
	EXPECT_GT(0, uapi_get_region(self->fd, nr, &region));
}

/**
 * struct mark - a frame that shows its own address
 * @mapping: the mapping of the frame
 * @paddr: the frame's address, which is also its content
 */
struct mark {
	__u32 mapping;
	__u64 paddr;
};

/* Map the frame at an address, and write the address into it. Return: 0 or a negative errno */
static int set_mark(int fd, __u64 paddr, struct mark *mark)
{
	struct theseus_mm_allocate frames = {
		.flags = THESEUS_MM_ALLOCATE_AT, .size = 1, .at = paddr,
	};
	struct theseus_mm_allocate pages = { .size = 1 };
	struct theseus_mm_map map = { 0 };
	__u64 old = 1;
	int err = uapi_allocate_frames(fd, &frames);

	if (err)
		return err;
	if (frames.start != paddr)
		return -ERANGE;
	err = uapi_allocate_pages(fd, &pages);
	if (!err)
		err = uapi_map_allocated_pages_to(fd, pages.handle, frames.handle,
						  THESEUS_MM_PTE_DATA, &map);
	if (!err)
		err = uapi_read(fd, map.handle, 0, &old, sizeof(old));
	if (!err && old)
		err = -EILSEQ;
	if (!err)
		err = uapi_write(fd, map.handle, 0, &paddr, sizeof(paddr));
	*mark = (struct mark){ .mapping = map.handle, .paddr = paddr };
	return err;
}

/* The state of the module is in some frames, but never in the middle of 4 GiB of its region. */
TEST_F_TIMEOUT(client, each_4_gib_keeps_a_mark, 120)
{
	struct mark marks[MAX_MARKS];
	struct theseus_mm_region region;
	unsigned int nr = 0, i;
	__u64 start, end, seen;
	__u32 index;
	int err;

	for (index = 0; !uapi_get_region(self->fd, index, &region); index++) {
		end = region.start + region.nr_bytes;
		for (start = region.start; start < end; start += SIZE_4G) {
			const __u64 size = end - start < SIZE_4G ? end - start : SIZE_4G;

			ASSERT_GT(MAX_MARKS, nr);
			err = set_mark(self->fd, start + size / PAGE * 3 / 4 * PAGE, &marks[nr]);
			ASSERT_EQ(0, err) TH_LOG("at %#llx", (unsigned long long)start);
			nr++;
		}
	}
	ASSERT_LT(0, nr);
	for (i = 0; i < nr; i++) {
		ASSERT_EQ(0, uapi_read(self->fd, marks[i].mapping, 0, &seen, sizeof(seen)));
		EXPECT_EQ(marks[i].paddr, seen);
		EXPECT_EQ(0, uapi_drop(self->fd, marks[i].mapping));
	}
	TH_LOG("%u frames in %u regions", nr, index);
}

/* The content of page @page of the mapping @handle */
static __u64 content(__u32 handle, __u64 page)
{
	return (__u64)handle << 32 | page;
}

/* Take all memory in halves, thirds, ... of what is left, and write each page. */
TEST_F_TIMEOUT(client, every_frame_keeps_its_content, 300)
{
	static struct theseus_mm_create_mapping mappings[MAX_HANDLES];
	const __u64 nr_free = self->start.frames_free;
	__u64 size = nr_free < SMALL / PAGE ? nr_free : SMALL / PAGE;
	__u64 page, value, nr_taken = 0;
	unsigned int nr = 0, i;

	while (size && nr < MAX_HANDLES && nr_taken < SMALL / PAGE) {
		int err = uapi_create_mapping(self->fd, size * PAGE, THESEUS_MM_PTE_DATA,
					      &mappings[nr]);

		if (err) {
			ASSERT_EQ(-ENOSPC, err);
			size /= 2;
			continue;
		}
		nr_taken += size;
		for (page = 0; page < size; page++) {
			ASSERT_EQ(0, uapi_read(self->fd, mappings[nr].handle, page * PAGE, &value,
					       sizeof(value)));
			ASSERT_EQ(0, value);
			value = content(mappings[nr].handle, page);
			ASSERT_EQ(0, uapi_write(self->fd, mappings[nr].handle, page * PAGE, &value,
						sizeof(value)));
		}
		nr++;
	}
	for (i = 0; i < nr; i++) {
		for (page = 0; page < mappings[i].nr_pages; page++) {
			ASSERT_EQ(0, uapi_read(self->fd, mappings[i].handle, page * PAGE, &value,
					       sizeof(value)));
			ASSERT_EQ(content(mappings[i].handle, page), value);
		}
		EXPECT_EQ(0, uapi_drop(self->fd, mappings[i].handle));
	}
	/* tables take the rest: 16 frames at most for a mapping, and one for each 512 pages */
	if (nr_free < SMALL / PAGE)
		EXPECT_GE(nr_taken + 16 * nr + nr_free / 256, nr_free);
	EXPECT_LT(nr_free < SMALL / PAGE ? nr_free / 2 : SMALL / PAGE - 1, nr_taken);
	TH_LOG("%llu of %llu free frames in %u mappings", (unsigned long long)nr_taken,
	       (unsigned long long)nr_free, nr);
}

TEST_HARNESS_MAIN
