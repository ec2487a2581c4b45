// SPDX-License-Identifier: GPL-2.0
/*
 * Device memory, which takes CAP_SYS_RAWIO. The test uses QEMU's ivshmem, a device whose BAR is
 * memory.
 */
#include "area.h"
#include "fragment.h"
#include "limits.h"
#include "pci.h"
#include "rawio.h"

#define VENDOR		0x1af4
#define PRODUCT		0x1110
#define BAR		2
#define UNCACHED	THESEUS_MM_MEMORY_UNCACHED
#define WRITE_COMBINING	THESEUS_MM_MEMORY_WRITE_COMBINING
#define WRITE_BACK	THESEUS_MM_MEMORY_WRITE_BACK
#define NR_BYTES	(2 * LARGE)

/**
 * device - a client, and a device with memory
 * @bar: physical address of the memory
 */
FIXTURE(device)
{
	int fd;
	struct theseus_mm_info start;
	__u64 bar;
};

FIXTURE_SETUP(device)
{
	CLIENT_SETUP();
	self->bar = pci_find_bar(VENDOR, PRODUCT, BAR);
	if (!self->bar)
		SKIP(return, "no ivshmem");
}

FIXTURE_TEARDOWN(device)
{
	struct theseus_mm_info end;
	char text[SNAPSHOT_TEXT];

	close(self->fd);
	self->fd = uapi_open(NULL);
	EXPECT_LE(0, self->fd);
	/* a test may have left one or two regions */
	uapi_remove_device_region(self->fd, self->bar, NR_BYTES);
	uapi_remove_device_region(self->fd, self->bar + NR_BYTES, NR_BYTES);
	EXPECT_EQ(0, uapi_get_info(self->fd, &end));
	EXPECT_STREQ("", info_difference(&self->start, &end, text));
	close(self->fd);
}

#define ADD(type)									\
	ASSERT_EQ(0, uapi_add_device_region(self->fd, self->bar, NR_BYTES, type))
#define ADD_SECOND(type)								\
	ASSERT_EQ(0, uapi_add_device_region(self->fd, self->bar + NR_BYTES, NR_BYTES, type))

#define MAP_RANGE(offset, nr_bytes, flags)						\
	({										\
		struct theseus_mm_map_range _range;					\
											\
		ASSERT_EQ(0, uapi_map_frame_range(self->fd, self->bar + (offset), nr_bytes, \
						  flags, &_range));			\
		_range;									\
	})

TEST_F(device, regions_come_and_go)
{
	__u64 bar = self->bar;

	EXPECT_REFUSED(ERANGE, uapi_remove_device_region(self->fd, bar, NR_BYTES));
	ADD(UNCACHED);
	EXPECT_REFUSED(EADDRINUSE, uapi_add_device_region(self->fd, bar, NR_BYTES, UNCACHED));
	EXPECT_REFUSED(EADDRINUSE, uapi_add_device_region(self->fd, bar + PAGE, PAGE,
							  WRITE_COMBINING));
	EXPECT_REFUSED(ERANGE, uapi_remove_device_region(self->fd, bar, PAGE));
	EXPECT_REFUSED(ERANGE, uapi_remove_device_region(self->fd, bar + PAGE, NR_BYTES - PAGE));
	EXPECT_EQ(0, uapi_remove_device_region(self->fd, bar, NR_BYTES));
	EXPECT_REFUSED(ERANGE, uapi_remove_device_region(self->fd, bar, NR_BYTES));
	EXPECT_ALL_BACK();
}

/*
 * No client owns a region: the region stays when the client that added it is gone, and other
 * clients can remove the region.
 */
TEST_F(device, regions_belong_to_no_client)
{
	int other = uapi_open(NULL);

	ASSERT_LE(0, other);
	ASSERT_EQ(0, uapi_add_device_region(other, self->bar, NR_BYTES, UNCACHED));
	close(other);
	MAP_RANGE(0, PAGE, DEVICE_DATA);
	EXPECT_REFUSED(EBUSY, uapi_remove_device_region(self->fd, self->bar, NR_BYTES));
}

TEST_F(device, regions_are_refused)
{
	struct theseus_mm_device_region call = {
		.memory_type = 1,
		.start = self->bar,
		.nr_bytes = NR_BYTES,
	};
	struct theseus_mm_region ram;
	__u64 bar = self->bar;

	ASSERT_EQ(0, uapi_get_region(self->fd, 0, &ram));
	EXPECT_REFUSED(EINVAL, uapi_add_device_region(self->fd, bar, NR_BYTES, 3));
	EXPECT_REFUSED(EINVAL, uapi_add_device_region(self->fd, bar, 0, UNCACHED));
	EXPECT_REFUSED(EINVAL, uapi_add_device_region(self->fd, bar + 1, PAGE, UNCACHED));
	EXPECT_REFUSED(EINVAL, uapi_add_device_region(self->fd, bar, PAGE + 1, UNCACHED));
	EXPECT_REFUSED(EOVERFLOW, uapi_add_device_region(self->fd, -PAGE, 2 * PAGE, UNCACHED));
	EXPECT_REFUSED(EOVERFLOW, uapi_add_device_region(self->fd, bar, 1ULL << 60, UNCACHED));
	EXPECT_REFUSED(EOPNOTSUPP, uapi_add_device_region(self->fd, ram.start, PAGE, UNCACHED));
	EXPECT_REFUSED(EOPNOTSUPP, uapi_add_device_region(self->fd, 0x100000, PAGE, UNCACHED));
	/* refused: the local APIC, other CPUs' interrupts, the I/O APIC, the HPET */
	EXPECT_REFUSED(EBUSY, uapi_add_device_region(self->fd, 0xfee00000, PAGE, UNCACHED));
	EXPECT_REFUSED(EBUSY, uapi_add_device_region(self->fd, 0xfee01000, PAGE, UNCACHED));
	EXPECT_REFUSED(EBUSY, uapi_add_device_region(self->fd, 0xfeeff000, 2 * PAGE, UNCACHED));
	EXPECT_REFUSED(EBUSY, uapi_add_device_region(self->fd, 0xfec00000, PAGE, UNCACHED));
	EXPECT_REFUSED(EBUSY, uapi_add_device_region(self->fd, 0xfed00000, PAGE, UNCACHED));
	EXPECT_REFUSED(EINVAL, uapi_remove_device_region(self->fd, bar, 0));
	EXPECT_REFUSED(EINVAL, uapi_remove_device_region(self->fd, bar + 1, PAGE));
	EXPECT_REFUSED(EINVAL, uapi_call(self->fd, THESEUS_MM_IOC_REMOVE_DEVICE_REGION, &call));
}

TEST_F(device, all_of_it_takes_the_privilege)
{
	struct theseus_mm_map_range range;

	ADD(UNCACHED);
	ASSERT_EQ(0, set_rawio(false));
	EXPECT_REFUSED(EPERM, uapi_add_device_region(self->fd, self->bar + NR_BYTES, NR_BYTES,
						     UNCACHED));
	EXPECT_REFUSED(EPERM, uapi_remove_device_region(self->fd, self->bar, NR_BYTES));
	EXPECT_REFUSED(EPERM, uapi_map_frame_range(self->fd, self->bar, PAGE, DEVICE_DATA, &range));
	ASSERT_EQ(0, set_rawio(true));
}

/* Write through an area of this process. The area and READ must then show the written bytes. */
static int use(int fd, __u32 handle, __u64 nr_bytes, unsigned char seed)
{
	unsigned char *area, byte, *places[3];
	__u64 offset;
	int err, i;

	recover_start();
	err = uapi_map_offset(fd, handle, &offset, NULL);
	if (err)
		return err;
	area = mmap(NULL, nr_bytes, RW, MAP_SHARED, fd, offset);
	if (area == MAP_FAILED)
		return -errno;
	places[0] = area;
	places[1] = area + nr_bytes / 2 + 5;
	places[2] = area + nr_bytes - 1;
	for (i = 0; i < 3 && !err; i++) {
		if (store(places[i], seed + i) || load(places[i], &byte) || byte != seed + i)
			err = -EIO;
	}
	if (munmap(area, nr_bytes))
		return -errno;
	for (i = 0; i < 3 && !err; i++) {
		err = uapi_read(fd, handle, places[i] - area, &byte, 1);
		if (!err && byte != seed + i)
			err = -EIO;
	}
	return err;
}

TEST_F(device, memory_is_used)
{
	const __u32 types[] = { UNCACHED, WRITE_COMBINING };
	struct theseus_mm_map_range range;
	unsigned char byte;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		ADD(types[i]);
		range = MAP_RANGE(PAGE + 5, LARGE - 5, DEVICE_DATA);
		EXPECT_EQ(512, range.nr_pages);
		EXPECT_EQ(range.start, QUERY(range.handle).start);
		EXPECT_EQ(1, QUERY(range.handle).nr_frame_ranges);
		ASSERT_EQ(0, use(self->fd, range.handle, LARGE, 7 * i));
		ASSERT_EQ(0, uapi_drop(self->fd, range.handle));
		/* the module does not clear device memory */
		range = MAP_RANGE(0, NR_BYTES, DEVICE_DATA);
		ASSERT_EQ(0, uapi_read(self->fd, range.handle, PAGE, &byte, 1));
		EXPECT_EQ(7 * i, byte);
		ASSERT_EQ(0, use(self->fd, range.handle, NR_BYTES, 7 * i + 50));
		ASSERT_EQ(0, uapi_drop(self->fd, range.handle));
		ASSERT_EQ(0, uapi_remove_device_region(self->fd, self->bar, NR_BYTES));
	}
	EXPECT_ALL_BACK();
}

/*
 * QEMU's teaching device accepts accesses of 4 bytes everywhere, and of 8 bytes only from register
 * 0x80 on. A call for as many bytes as a register has makes one access.
 */
TEST_F(client, registers_are_read_and_written_in_their_own_width)
{
	__u64 bar = pci_find_bar(0x1234, 0x11e8, 0), source = 0x0123456789abcdef, value = 0;
	struct theseus_mm_map_range range;
	__u32 word = 0, words[3];

	if (!bar)
		SKIP(return, "no edu");
	ASSERT_EQ(0, uapi_add_device_region(self->fd, bar, PAGE, UNCACHED));
	ASSERT_EQ(0, uapi_map_frame_range(self->fd, bar, PAGE, DEVICE_DATA, &range));
	EXPECT_EQ(0, uapi_read(self->fd, range.handle, 0, &word, 4));
	EXPECT_EQ(0x010000ed, word);
	word = 0x12345678;
	EXPECT_EQ(0, uapi_write(self->fd, range.handle, 4, &word, 4));
	/*
	 * make several accesses of 32 bits: the second register returns the inverse of the written
	 * value
	 */
	EXPECT_EQ(0, uapi_read(self->fd, range.handle, 0, words, 12));
	EXPECT_EQ(0x010000ed, words[0]);
	EXPECT_EQ(~0x12345678U, words[1]);
	/*
	 * write a DMA address of 64 bits in one access: each of two narrower accesses would set
	 * the whole register
	 */
	EXPECT_EQ(0, uapi_write(self->fd, range.handle, 0x80, &source, 8));
	EXPECT_EQ(0, uapi_read(self->fd, range.handle, 0x80, &value, 8));
	EXPECT_EQ(source, value);
	EXPECT_EQ(0, uapi_drop(self->fd, range.handle));
	EXPECT_EQ(0, uapi_remove_device_region(self->fd, bar, PAGE));
}

/* Linux would map such memory uncached in processes, so mmap() is refused. */
TEST_F(device, write_back_memory_is_not_mmapped)
{
	struct theseus_mm_map_range range;
	__u64 offset;
	char text[6] = "";

	ADD(WRITE_BACK);
	range = MAP_RANGE(0, 2 * PAGE, THESEUS_MM_PTE_DATA);
	ASSERT_EQ(0, uapi_write(self->fd, range.handle, PAGE - 2, "hello", 6));
	ASSERT_EQ(0, uapi_read(self->fd, range.handle, PAGE - 2, text, 6));
	EXPECT_STREQ("hello", text);
	ASSERT_EQ(0, uapi_map_offset(self->fd, range.handle, &offset, NULL));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, R, MAP_SHARED, self->fd, offset));
	EXPECT_EQ(EOPNOTSUPP, errno);
	/* the refused mmap() leaves no borrow */
	EXPECT_EQ(0, uapi_drop(self->fd, range.handle));
}

TEST_F(device, ranges_are_refused)
{
	struct theseus_mm_map_range range;
	struct theseus_mm_region ram;
	__u64 bar = self->bar, end = self->bar + NR_BYTES;
	int fd = self->fd;

	ASSERT_EQ(0, uapi_get_region(fd, 0, &ram));
	EXPECT_REFUSED(ERANGE, uapi_map_frame_range(fd, bar, PAGE, DEVICE_DATA, &range));
	ADD(UNCACHED);
	EXPECT_REFUSED(ERANGE, uapi_map_frame_range(fd, end, PAGE, DEVICE_DATA, &range));
	EXPECT_NE(0, uapi_map_frame_range(fd, end - 1, 2, DEVICE_DATA, &range));
	EXPECT_REFUSED(EINVAL, uapi_map_frame_range(fd, bar, 0, DEVICE_DATA, &range));
	EXPECT_REFUSED(EINVAL, uapi_map_frame_range(fd, 1ULL << 60, PAGE, DEVICE_DATA, &range));
	EXPECT_REFUSED(EINVAL, uapi_map_frame_range(fd, bar, PAGE, ~0ULL, &range));
	EXPECT_REFUSED(EOVERFLOW, uapi_map_frame_range(fd, bar + 1, ~0ULL, DEVICE_DATA, &range));
	EXPECT_REFUSED(EOPNOTSUPP, uapi_map_frame_range(fd, bar, PAGE, THESEUS_MM_PTE_DATA,
							&range));
	EXPECT_REFUSED(EOPNOTSUPP, uapi_map_frame_range(fd, ram.start + ram.nr_bytes - 1, 1,
							THESEUS_MM_PTE_DATA, &range));
	EXPECT_REFUSED(EOPNOTSUPP, uapi_map_frame_range(fd, ram.start, PAGE, DEVICE_DATA, &range));
	MAP_RANGE(0, PAGE, DEVICE_DATA);
	EXPECT_REFUSED(EADDRINUSE, uapi_map_frame_range(fd, bar + 5, 1, DEVICE_DATA, &range));
}

/* Only the page tables of the mapping are charged, since they are RAM. */
TEST_F(device, memory_does_not_count)
{
	struct theseus_mm_limits limits;

	ADD(UNCACHED);
	ASSERT_EQ(0, uapi_set_limits(self->fd, 10, THESEUS_MM_NO_LIMIT));
	MAP_RANGE(PAGE, 100 * PAGE, DEVICE_DATA);
	ASSERT_EQ(0, uapi_get_limits(self->fd, &limits));
	EXPECT_EQ(INFO().nr_tables - self->start.nr_tables, limits.client_frames);
}

TEST_F(device, mappings_heed_each_limit)
{
	static const struct {
		__u32 which;
		__u64 max;
	} limits[] = {
		{ THESEUS_MM_SET_HANDLES, 0 }, { THESEUS_MM_SET_PAGES, 1 },
		/* the tables need frames */
		{ THESEUS_MM_SET_FRAMES, 0 },
	};
	struct theseus_mm_map_range range;
	unsigned int i;

	ADD(UNCACHED);
	for (i = 0; i < ARRAY_SIZE(limits); i++) {
		ASSERT_EQ(0, uapi_set_limit(self->fd, limits[i].which, limits[i].max));
		EXPECT_REFUSED(EDQUOT, uapi_map_frame_range(self->fd, self->bar, 2 * PAGE,
							    DEVICE_DATA, &range));
		ASSERT_EQ(0, uapi_set_limit(self->fd, limits[i].which, THESEUS_MM_NO_LIMIT));
	}
	MAP_RANGE(0, 2 * PAGE, DEVICE_DATA);
}

TEST_F(device, mappings_need_pages)
{
	struct theseus_mm_allocate all = {
		.flags = THESEUS_MM_ALLOCATE_AT,
		.at = self->start.pages_start,
		.size = self->start.pages_total,
	};
	struct theseus_mm_map_range range;

	ADD(UNCACHED);
	ASSERT_EQ(0, uapi_set_limit(self->fd, THESEUS_MM_SET_PAGES, THESEUS_MM_NO_LIMIT));
	ASSERT_EQ(0, write_parameter("max_user_pages", "unlimited"));
	EXPECT_EQ(0, uapi_allocate_pages(self->fd, &all));
	EXPECT_REFUSED(ENOSPC, uapi_map_frame_range(self->fd, self->bar, 2 * PAGE, DEVICE_DATA,
						    &range));
	EXPECT_EQ(0, uapi_drop(self->fd, all.handle));
	EXPECT_EQ(0, write_number("max_user_pages", self->start.pages_total / 2));
	MAP_RANGE(0, 2 * PAGE, DEVICE_DATA);
}

TEST_F(device, mappings_need_tables)
{
	struct theseus_mm_map_range range;

	ADD(UNCACHED);
	ASSERT_EQ(0, leave_singles(self->fd, self->start.paging_levels - 2));
	EXPECT_REFUSED(ENOSPC, uapi_map_frame_range(self->fd, self->bar, 2 * PAGE, DEVICE_DATA,
						    &range));
}

TEST_F(device, memory_is_not_allocated_as_frames)
{
	struct theseus_mm_allocate call = {
		.flags = THESEUS_MM_ALLOCATE_AT,
		.at = self->bar,
		.size = 1,
	};

	ADD(UNCACHED);
	EXPECT_REFUSED(EOPNOTSUPP, uapi_allocate_frames(self->fd, &call));
}

/* A mapping keeps its memory type through each call. */
TEST_F(device, mappings_can_be_taken_apart)
{
	__u32 handle, first, second, pages, frames, nr = 1;
	struct theseus_mm_map map;
	char text[6] = "";

	ADD(WRITE_COMBINING);
	handle = MAP_RANGE(0, NR_BYTES, DEVICE_DATA).handle;
	ASSERT_EQ(0, uapi_write(self->fd, handle, LARGE + PAGE, "hello", 6));
	EXPECT_REFUSED(EOPNOTSUPP, uapi_remap(self->fd, handle, THESEUS_MM_PTE_DATA), handle);
	ASSERT_EQ(0, uapi_remap(self->fd, handle, DEVICE_DATA & ~THESEUS_MM_PTE_WRITABLE));
	ASSERT_EQ(0, uapi_remap(self->fd, handle, DEVICE_DATA));
	/* split inside a leaf of 2 MiB, which becomes small leaves */
	ASSERT_EQ(0, uapi_split(self->fd, handle, LARGE + PAGE, &first, &second));
	ASSERT_EQ(0, uapi_read(self->fd, second, 0, text, 6));
	EXPECT_STREQ("hello", text);
	ASSERT_EQ(0, uapi_merge(self->fd, first, second));
	ASSERT_EQ(0, uapi_unmap_into_parts(self->fd, first, &pages, &frames, &nr));
	EXPECT_EQ(1, nr);
	EXPECT_EQ(self->bar, QUERY(frames).start);
	EXPECT_REFUSED(EOPNOTSUPP, uapi_map_allocated_pages_to(self->fd, pages, frames,
							       THESEUS_MM_PTE_DATA, &map),
		       pages, frames);
	EXPECT_REFUSED(EBUSY, uapi_remove_device_region(self->fd, self->bar, NR_BYTES), frames);
	ASSERT_EQ(0, uapi_map_allocated_pages_to(self->fd, pages, frames, DEVICE_DATA, &map));
	memset(text, 0, sizeof(text));
	ASSERT_EQ(0, uapi_read(self->fd, map.handle, LARGE + PAGE, text, 6));
	EXPECT_STREQ("hello", text);
	ASSERT_EQ(0, uapi_drop(self->fd, map.handle));
	EXPECT_EQ(0, uapi_remove_device_region(self->fd, self->bar, NR_BYTES));
}

TEST_F(device, frames_of_ram_refuse_to_be_device_memory)
{
	__u32 pages = PAGES(2).handle, frames = FRAMES(2).handle;
	struct theseus_mm_map map;

	EXPECT_REFUSED(EOPNOTSUPP, uapi_map_allocated_pages_to(self->fd, pages, frames, DEVICE_DATA,
							       &map), pages, frames);
	EXPECT_REFUSED(EOPNOTSUPP, uapi_map_allocated_pages(self->fd, pages, DEVICE_DATA, &map),
		       pages, frames);
}

/* Map frames of a device to pages. Return: the handle of the mapping */
#define MAP_FRAMES(range, the_pages, flags)						\
	({										\
		__u32 _pages, _frames, _nr = 1;						\
		struct theseus_mm_map _map;						\
											\
		ASSERT_EQ(0, uapi_unmap_into_parts(self->fd, (range).handle, &_pages,	\
						   &_frames, &_nr));			\
		ASSERT_EQ(0, uapi_map_allocated_pages_to(self->fd, the_pages, _frames, flags, \
							 &_map));			\
		_map.handle;								\
	})

TEST_F(device, memory_of_two_kinds_is_not_merged)
{
	__u32 first, second, uncached, combining;

	ADD(UNCACHED);
	ADD_SECOND(WRITE_COMBINING);
	ASSERT_EQ(0, uapi_split(self->fd, PAGES(2).handle, PAGE, &first, &second));
	uncached = MAP_FRAMES(MAP_RANGE(0, PAGE, DEVICE_DATA), first, DEVICE_DATA);
	combining = MAP_FRAMES(MAP_RANGE(NR_BYTES, PAGE, DEVICE_DATA), second, DEVICE_DATA);
	EXPECT_REFUSED(EMEDIUMTYPE, uapi_merge(self->fd, uncached, combining), uncached, combining);
}

TEST_F(device, memory_is_not_merged_with_ram)
{
	__u32 first, second, device;
	struct theseus_mm_map ram;

	ADD(WRITE_BACK);
	ASSERT_EQ(0, uapi_split(self->fd, PAGES(2).handle, PAGE, &first, &second));
	device = MAP_FRAMES(MAP_RANGE(0, PAGE, THESEUS_MM_PTE_DATA), first, THESEUS_MM_PTE_DATA);
	ASSERT_EQ(0, uapi_map_allocated_pages(self->fd, second, THESEUS_MM_PTE_DATA, &ram));
	EXPECT_REFUSED(EMEDIUMTYPE, uapi_merge(self->fd, device, ram.handle), device, ram.handle);
}

/* As long as an area remains, nobody can remove its region, even if the client is gone. */
TEST_F(device, regions_stay_while_a_process_has_them)
{
	struct theseus_mm_map_range range;
	int other = uapi_open(NULL);
	unsigned char *area, byte;
	__u64 offset;

	ASSERT_LE(0, other);
	ADD(UNCACHED);
	ASSERT_EQ(0, uapi_map_frame_range(other, self->bar, PAGE, DEVICE_DATA, &range));
	ASSERT_EQ(0, uapi_map_offset(other, range.handle, &offset, NULL));
	area = mmap(NULL, PAGE, RW, MAP_SHARED, other, offset);
	ASSERT_NE(MAP_FAILED, (void *)area);
	close(other);
	recover_start();
	EXPECT_EQ(0, load(area, &byte));
	EXPECT_REFUSED(EBUSY, uapi_remove_device_region(self->fd, self->bar, NR_BYTES));
	ASSERT_EQ(0, munmap(area, PAGE));
	EXPECT_EQ(0, uapi_remove_device_region(self->fd, self->bar, NR_BYTES));
}

TEST_F(device, areas_are_revoked)
{
	struct theseus_mm_map_range range;
	unsigned char *area, byte;
	__u32 nr_revoked;
	__u64 offset;

	ADD(UNCACHED);
	range = MAP_RANGE(0, PAGE, DEVICE_DATA);
	ASSERT_EQ(0, uapi_map_offset(self->fd, range.handle, &offset, NULL));
	area = mmap(NULL, PAGE, RW, MAP_SHARED, self->fd, offset);
	ASSERT_NE(MAP_FAILED, (void *)area);
	recover_start();
	EXPECT_EQ(0, load(area, &byte));
	ASSERT_EQ(0, uapi_revoke(self->fd, range.handle, &nr_revoked));
	EXPECT_EQ(1, nr_revoked);
	EXPECT_EQ(SIGBUS, load(area, &byte));
	EXPECT_EQ(0, uapi_drop(self->fd, range.handle));
	EXPECT_EQ(0, uapi_remove_device_region(self->fd, self->bar, NR_BYTES));
	EXPECT_EQ(SIGBUS, load(area, &byte));
}

TEST_HARNESS_MAIN
