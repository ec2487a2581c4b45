// SPDX-License-Identifier: GPL-2.0
/*
 * Device memory with libtmm: regions of QEMU's ivshmem, a device whose BAR is memory.
 */
#include "library.h"
#include "pci.h"
#include "rawio.h"

#define VENDOR		0x1af4
#define PRODUCT		0x1110
#define BAR		2
#define NR		8
#define SIZE		(NR * PAGE)
#define DATA		(TMM_DATA | TMM_DEVICE_MEMORY)

/*
 * Find the device's memory. If a test fails, its region stays until the machine boots again.
 */
#define FIND_BAR()									\
	({										\
		__u64 _bar = pci_find_bar(VENDOR, PRODUCT, BAR);			\
											\
		if (!_bar)								\
			SKIP(return, "no ivshmem");					\
		_bar;									\
	})
#define ADD(bar, size, memory)								\
	ASSERT_EQ(0, tmm_client_add_device_region(self->client, bar, size, memory))
#define REMOVE(bar, size)								\
	ASSERT_EQ(0, tmm_client_remove_device_region(self->client, bar, size))

TEST_F(library, map_frame_range_shows_the_devices_memory)
{
	const __u64 bar = FIND_BAR();
	struct tmm_translation translation;
	struct tmm_mapping *mapping;
	unsigned char byte, *window;

	ADD(bar, SIZE, TMM_MEMORY_UNCACHED);
	/* the address is inside a frame, so the range includes that whole frame */
	mapping = OWN(mapping, tmm_mapping_map_frame_range(self->client, bar + PAGE + 5, PAGE, DATA));
	EXPECT_EQ(2 * PAGE, tmm_mapping_size(mapping));
	EXPECT_EQ(1, QUERY(tmm_mapping_handle(mapping)).nr_frame_ranges);
	ASSERT_EQ(0, tmm_client_translate(self->client, tmm_mapping_address(mapping),
					  &translation));
	EXPECT_EQ(bar + PAGE, translation.paddr);
	EXPECT_EQ(DATA, translation.flags);
	window = tmm_mapping_mmap(mapping, 0, 2 * PAGE, RW);
	ASSERT_NE(NULL, window);
	window[PAGE] = 0xa5;
	ASSERT_EQ(0, tmm_mapping_munmap(window, 2 * PAGE));
	ASSERT_EQ(0, tmm_mapping_read(mapping, PAGE, &byte, 1));
	EXPECT_EQ(0xa5, byte);
	EXPECT_FAILS(EBUSY, tmm_client_remove_device_region(self->client, bar, SIZE));
	EXPECT_NONE(EADDRINUSE, tmm_mapping_map_frame_range(self->client, bar + PAGE, PAGE, DATA));
	ASSERT_EQ(0, tmm_mapping_drop(&mapping));
	REMOVE(bar, SIZE);
	EXPECT_ALL_BACK();
}

TEST_F(library, regions_are_added_and_removed_as_a_whole)
{
	const __u64 bar = FIND_BAR();

	EXPECT_FAILS(ERANGE, tmm_client_remove_device_region(self->client, bar, SIZE));
	ADD(bar, SIZE, TMM_MEMORY_UNCACHED);
	EXPECT_FAILS(EADDRINUSE, tmm_client_add_device_region(self->client, bar + PAGE, PAGE,
							      TMM_MEMORY_UNCACHED));
	EXPECT_FAILS(ERANGE, tmm_client_remove_device_region(self->client, bar, PAGE));
	REMOVE(bar, SIZE);
	EXPECT_FAILS(ERANGE, tmm_client_remove_device_region(self->client, bar, SIZE));
	EXPECT_FAILS(EINVAL, tmm_client_add_device_region(self->client, bar + 1, PAGE,
							  TMM_MEMORY_UNCACHED));
	EXPECT_FAILS(EBADF, tmm_client_add_device_region(NULL, bar, SIZE, TMM_MEMORY_UNCACHED));
	EXPECT_FAILS(EBADF, tmm_client_remove_device_region(NULL, bar, SIZE));
}

TEST_F(library, a_region_has_the_memory_type_that_it_was_added_with)
{
	const __u64 bar = FIND_BAR();
	struct tmm_mapping *mapping;

	ADD(bar, SIZE, TMM_MEMORY_WRITE_BACK);
	EXPECT_NONE(EOPNOTSUPP, tmm_mapping_map_frame_range(self->client, bar, PAGE, DATA));
	mapping = OWN(mapping, tmm_mapping_map_frame_range(self->client, bar, PAGE, TMM_DATA));
	ASSERT_EQ(0, tmm_mapping_drop(&mapping));
	REMOVE(bar, SIZE);
	ADD(bar, SIZE, TMM_MEMORY_WRITE_COMBINING);
	EXPECT_NONE(EOPNOTSUPP, tmm_mapping_map_frame_range(self->client, bar, PAGE, TMM_DATA));
	EXPECT_NONE(ERANGE, tmm_mapping_map_frame_range(self->client, 0, PAGE, DATA));
	EXPECT_NONE(EADDRNOTAVAIL, tmm_mapping_map_frame_range(self->client, bar, SIZE + PAGE,
							       DATA));
	mapping = OWN(mapping, tmm_mapping_map_frame_range(self->client, bar, PAGE, DATA));
	ASSERT_EQ(0, tmm_mapping_drop(&mapping));
	REMOVE(bar, SIZE);
}

TEST_F(library, device_memory_takes_a_capability_and_is_no_ram)
{
	const __u64 bar = FIND_BAR();
	struct tmm_region ram;

	ASSERT_EQ(0, tmm_client_region(self->client, 0, &ram));
	EXPECT_FAILS(EOPNOTSUPP, tmm_client_add_device_region(self->client, ram.start, PAGE,
							      TMM_MEMORY_UNCACHED));
	EXPECT_NONE(EOPNOTSUPP, tmm_mapping_map_frame_range(self->client, ram.start, PAGE,
							    TMM_DATA));
	ADD(bar, SIZE, TMM_MEMORY_UNCACHED);
	ASSERT_EQ(0, set_rawio(false));
	EXPECT_FAILS(EPERM, tmm_client_add_device_region(self->client, bar + SIZE, SIZE,
							 TMM_MEMORY_UNCACHED));
	EXPECT_FAILS(EPERM, tmm_client_remove_device_region(self->client, bar, SIZE));
	EXPECT_NONE(EPERM, tmm_mapping_map_frame_range(self->client, bar, PAGE, DATA));
	ASSERT_EQ(0, set_rawio(true));
	REMOVE(bar, SIZE);
}

TEST_HARNESS_MAIN
