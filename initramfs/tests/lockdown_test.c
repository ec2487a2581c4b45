// SPDX-License-Identifier: GPL-2.0
/*
 * With Linux locked down (integrity), root cannot add or map device memory, here that of
 * QEMU's ivshmem.
 */
/* Machine: lockdown: a lockdown lasts until the next boot. */
#include "area.h"
#include "pci.h"

#include <sys/mount.h>
#include <sys/stat.h>

#define LOCKDOWN	"/sys/kernel/security/lockdown"
#define FLAGS		(THESEUS_MM_PTE_DATA | THESEUS_MM_PTE_DEVICE_MEMORY)
#define UNCACHED	THESEUS_MM_MEMORY_UNCACHED

TEST_F(client, device_memory_obeys_lockdown)
{
	struct theseus_mm_map_range mapping, other;
	char device[PCI_NAME];
	unsigned char byte;
	__u64 bar;

	ASSERT_TRUE(pci_find(0x1af4, 0x1110, device));
	ASSERT_EQ(0, pci_put(device, "enable", "1"));
	bar = pci_bar(device, 2);
	ASSERT_NE(0, bar);
	ASSERT_EQ(0, uapi_add_device_region(self->fd, bar, 2 * PAGE, UNCACHED));
	ASSERT_EQ(0, uapi_map_frame_range(self->fd, bar, PAGE, FLAGS, &mapping));

	mount("securityfs", "/sys/kernel/security", "securityfs", 0, NULL);
	ASSERT_EQ(0, put_text(LOCKDOWN, "integrity"));

	EXPECT_REFUSED(EPERM, uapi_add_device_region(self->fd, bar + 2 * PAGE, PAGE, UNCACHED));
	EXPECT_REFUSED(EPERM, uapi_map_frame_range(self->fd, bar + PAGE, PAGE, FLAGS, &other));
	/* existing mappings stay, like an open /dev/mem, and can be dropped */
	EXPECT_EQ(0, mmap_errno(self->fd, mapping.handle, R));
	EXPECT_EQ(0, uapi_read(self->fd, mapping.handle, 0, &byte, 1));
	EXPECT_EQ(0, uapi_drop(self->fd, mapping.handle));
	EXPECT_EQ(0, uapi_remove_device_region(self->fd, bar, 2 * PAGE));
	/* reserved RAM has no secrets of Linux, so it can still be mapped */
	EXPECT_EQ(0, uapi_drop(self->fd, MAPPING(1).handle));
}

TEST_HARNESS_MAIN
