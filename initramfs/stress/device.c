// SPDX-License-Identifier: GPL-2.0
#include "device.h"

#include "fault.h"
#include "process.h"
#include "record.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "pci.h"
#include "uapi.h"

/* QEMU's ivshmem-plain has 1 GiB of memory in BAR 2. */
#define VENDOR		0x1af4
#define PRODUCT		0x1110
#define BAR		2
#define NR_BYTES	(1ULL << 30)
#define RESCAN		"/sys/bus/pci/rescan"
#define PAGE		UAPI_PAGE_SIZE
#define FLAGS		(THESEUS_MM_PTE_DATA | THESEUS_MM_PTE_DEVICE_MEMORY)
/* A part of the device that no life names. */
#define OWN_OFFSET	(16ULL << 20)
#define OWN_BYTES	(16 * PAGE)
/* Lives keep a region that is in the way for as long as they last. */
#define RETURN_SECONDS	120

static uint64_t find(void)
{
	return pci_find_bar(VENDOR, PRODUCT, BAR) & ~0xfULL;
}

/* Return: 0, or -errno */
static int unplug(void)
{
	char name[PCI_NAME];

	return pci_find(VENDOR, PRODUCT, name) ? pci_put(name, "remove", "1") : -ENODEV;
}

/* Linux may choose another address than the firmware, but then keeps to it. */
uint64_t device_find(bool comes_back)
{
	if (!find())
		return 0;
	if (comes_back && (unplug() || put_text(RESCAN, "1")))
		return 0;
	return find();
}

bool device_remove_regions(int fd, uint64_t device)
{
	static const unsigned int pages[] = { 0, 16, 512 }, sizes[] = { 1, 16, 512 };
	bool is_busy = false;
	unsigned int i, k;

	for (i = 0; device && i < 3; i++)
		for (k = 0; k < 3; k++)
			is_busy |= uapi_remove_device_region(fd, device + pages[i] * PAGE,
							     sizes[k] * PAGE) == -EBUSY;
	return !is_busy;
}

bool device_is_unclaimed(int fd, uint64_t device)
{
	return !device || (!uapi_add_device_region(fd, device, NR_BYTES,
						   THESEUS_MM_MEMORY_UNCACHED) &&
			   !uapi_remove_device_region(fd, device, NR_BYTES));
}

/* Return: true if @err is @expected */
static bool is_right(const char *what, int err, int expected)
{
	if (err != expected)
		record_wrong("the device that goes: %s: %s", what, err ? strerrorname_np(-err) : "0");
	return err == expected;
}

/* The area and the mapping of a device that is gone show nothing, also when the device is back. */
static void check_gone(int fd, const struct theseus_mm_map_range *mapping, void *area)
{
	unsigned int word;
	int signal = fault_safe_copy(&word, area, sizeof(word));

	if (signal != SIGBUS)
		record_wrong("the device that goes: signal %d in its area", signal);
	is_right("READ", uapi_read(fd, mapping->handle, 0, &word, sizeof(word)), -ENODEV);
	is_right("WRITE", uapi_write(fd, mapping->handle, 0, &word, sizeof(word)), -ENODEV);
}

/*
 * Scan until the device has its address. A life may have added a region where the device was, just
 * when the device went; Linux then gives the device another address, or none.
 */
static void bring_back(int fd, uint64_t device)
{
	double begin = now();

	while (put_text(RESCAN, "1") || find() != device) {
		if (now() - begin > RETURN_SECONDS) {
			record_wrong("the device that goes does not come back to its address");
			return;
		}
		unplug();
		device_remove_regions(fd, device);
		usleep(50000);
	}
}

static void go_and_come(int fd, uint64_t device, const struct theseus_mm_map_range *mapping,
			void *area, unsigned int pause)
{
	struct record_damage *damage = &record->damage;
	struct theseus_mm_map_range again;

	__atomic_store_n(&damage->is_away, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&damage->nr_removals, 1, __ATOMIC_RELAXED);
	is_right("remove", unplug(), 0);
	check_gone(fd, mapping, area);
	is_right("MAP_FRAME_RANGE", uapi_map_frame_range(fd, device + OWN_OFFSET, PAGE, FLAGS,
							 &again), -ENODEV);
	usleep(pause);
	bring_back(fd, device);
	check_gone(fd, mapping, area);
	__atomic_store_n(&damage->is_away, 0, __ATOMIC_RELAXED);
	__atomic_fetch_add(&damage->nr_returns, 1, __ATOMIC_RELAXED);
}

void device_go_and_come(int fd, uint64_t device, unsigned int pause)
{
	uint64_t start = device + OWN_OFFSET;
	struct theseus_mm_map_range mapping;
	unsigned int word;
	__u64 offset;
	void *area;

	if (!is_right("ADD_DEVICE_REGION", uapi_add_device_region(fd, start, OWN_BYTES,
								  THESEUS_MM_MEMORY_UNCACHED), 0) ||
	    !is_right("MAP_FRAME_RANGE", uapi_map_frame_range(fd, start, OWN_BYTES, FLAGS,
							      &mapping), 0) ||
	    !is_right("MAP_OFFSET", uapi_map_offset(fd, mapping.handle, &offset, NULL), 0))
		return;
	area = mmap(NULL, OWN_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
	if (!is_right("mmap", area == MAP_FAILED ? -errno : 0, 0))
		return;
	if (fault_safe_copy(&word, area, sizeof(word)))
		record_wrong("the device that goes: no access to its area");
	go_and_come(fd, device, &mapping, area, pause);
	munmap(area, OWN_BYTES);
	is_right("DROP", uapi_drop(fd, mapping.handle), 0);
	is_right("REMOVE_DEVICE_REGION", uapi_remove_device_region(fd, start, OWN_BYTES), 0);
	/* lives can add the device again */
	device_remove_regions(fd, device);
}
