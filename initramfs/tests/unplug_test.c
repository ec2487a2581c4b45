// SPDX-License-Identifier: GPL-2.0
/*
 * A PCI device is removed while its BAR is a device region. The device is QEMU's edu behind
 * a bridge, so that it gets its old address again when it comes back.
 */
/* Machine: unplug: the test removes a device that no other test needs. */
#include "area.h"
#include "pci.h"

#include <sys/klog.h>
#include <sys/wait.h>

#define VENDOR		0x1234
#define PRODUCT		0x11e8
#define ANSWER		0x010000ed
#define NR_BYTES	(1ULL << 20)
#define FLAGS		(THESEUS_MM_PTE_DATA | THESEUS_MM_PTE_DEVICE_MEMORY)
#define KLOG_READ_ALL	3
#define RESCAN		"/sys/bus/pci/rescan"

FIXTURE(unplug)
{
	int fd;
	struct theseus_mm_info start;
	char device[PCI_NAME];
	__u64 bar;
	struct theseus_mm_map_range mapping;
	unsigned char *area;
};

static bool log_has(const char *text)
{
	static char log[1 << 20];
	int nr = klogctl(KLOG_READ_ALL, log, sizeof(log) - 1);

	if (nr < 0)
		return true;
	log[nr] = 0;
	return strstr(log, text);
}

/* Does /proc/iomem have a line of the module at this address? */
static bool iomem_has(__u64 start)
{
	FILE *file = fopen("/proc/iomem", "r");
	char line[200], wanted[40];
	bool has = false;

	snprintf(wanted, sizeof(wanted), "%llx-", start);
	while (file && fgets(line, sizeof(line), file))
		has |= strstr(line, wanted) && strstr(line, "theseus_mm");
	if (file)
		fclose(file);
	return has;
}

/* Access a whole word, as the device needs. Return: 0, or the signal */
static int load_word(const void *address, unsigned int *word)
{
	return TRY(*word = __atomic_load_n((const unsigned int *)address, __ATOMIC_SEQ_CST));
}

static bool find_device(char device[PCI_NAME], __u64 *bar)
{
	if (!pci_find(VENDOR, PRODUCT, device) || pci_put(device, "enable", "1"))
		return false;
	*bar = pci_bar(device, 0);
	return *bar;
}

/* May other programs map the BAR? Return: 0 or the errno */
static int others_map(const char *device)
{
	char path[PCI_PATH];
	int fd, err = 0;
	void *area;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/resource0", device);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return errno;
	area = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
	if (area == MAP_FAILED)
		err = errno;
	else
		munmap(area, PAGE);
	close(fd);
	return err;
}

FIXTURE_SETUP(unplug)
{
	unsigned int word = 0;

	recover_start();
	CLIENT_SETUP();
	ASSERT_TRUE(find_device(self->device, &self->bar));
	ASSERT_EQ(0, uapi_add_device_region(self->fd, self->bar, NR_BYTES,
					    THESEUS_MM_MEMORY_UNCACHED));
	ASSERT_EQ(0, uapi_map_frame_range(self->fd, self->bar, NR_BYTES, FLAGS, &self->mapping));
	self->area = mmap_all(self->fd, self->mapping.handle, RW);
	ASSERT_NE((unsigned char *)MAP_FAILED, self->area);
	ASSERT_EQ(0, load_word(self->area, &word));
	ASSERT_EQ(ANSWER, word);
	ASSERT_TRUE(iomem_has(self->bar));
	ASSERT_EQ(EINVAL, others_map(self->device));
}

/* Bring the device back, and check that nothing is left of the region, for the next test. */
FIXTURE_TEARDOWN(unplug)
{
	struct theseus_mm_info end;
	char text[SNAPSHOT_TEXT];

	put_text(RESCAN, "1");
	munmap(self->area, NR_BYTES);
	if (self->fd >= 0)
		close(self->fd);
	self->fd = uapi_open(NULL);
	uapi_remove_device_region(self->fd, self->bar, NR_BYTES);
	EXPECT_EQ(0, uapi_get_info(self->fd, &end));
	EXPECT_STREQ("", info_difference(&self->start, &end, text));
	EXPECT_FALSE(iomem_has(self->bar));
	EXPECT_FALSE(log_has("Trying to free nonexistent resource"));
	close(self->fd);
}

static int unplug(const char *device)
{
	return pci_put(device, "remove", "1");
}

TEST_F(unplug, the_areas_end)
{
	unsigned int word = 0;

	ASSERT_EQ(0, unplug(self->device));
	EXPECT_EQ(SIGBUS, load_word(self->area, &word));
	EXPECT_EQ(SIGBUS, load_word(self->area + NR_BYTES - 4, &word));
	EXPECT_EQ(0, QUERY(self->mapping.handle).nr_borrows);
	/* the areas do not come back with the new device */
	ASSERT_EQ(0, put_text(RESCAN, "1"));
	ASSERT_TRUE(find_device(self->device, &self->bar));
	EXPECT_EQ(self->mapping.paddr, self->bar);
	EXPECT_EQ(SIGBUS, load_word(self->area, &word));
}

TEST_F(unplug, the_claim_ends)
{
	ASSERT_EQ(0, unplug(self->device));
	EXPECT_FALSE(iomem_has(self->bar));
	ASSERT_EQ(0, put_text(RESCAN, "1"));
	ASSERT_TRUE(find_device(self->device, &self->bar));
	EXPECT_FALSE(iomem_has(self->bar));
	EXPECT_EQ(0, others_map(self->device));
}

/* The claim also lies in the window of the bridge. */
TEST_F(unplug, its_bridge_goes)
{
	unsigned int word = 0;

	ASSERT_EQ(0, pci_put(self->device, "../remove", "1"));
	EXPECT_EQ(SIGBUS, load_word(self->area, &word));
	EXPECT_FALSE(iomem_has(self->bar));
	ASSERT_EQ(0, put_text(RESCAN, "1"));
	ASSERT_TRUE(find_device(self->device, &self->bar));
	EXPECT_EQ(SIGBUS, load_word(self->area, &word));
	EXPECT_EQ(0, others_map(self->device));
}

TEST_F(unplug, nothing_new_shows_what_went)
{
	struct theseus_mm_allocate frames = { .flags = THESEUS_MM_ALLOCATE_AT, .size = 1,
					      .at = self->bar };
	struct theseus_mm_map_range again;
	struct theseus_mm_map whole;
	__u32 pages, parts[1], nr = 1;

	ASSERT_EQ(0, unplug(self->device));
	EXPECT_EQ(ENODEV, mmap_errno(self->fd, self->mapping.handle, R));
	EXPECT_EQ(ENODEV, mmap_errno(self->fd, self->mapping.handle, RW));
	EXPECT_EQ(-ENODEV, uapi_map_frame_range(self->fd, self->bar, PAGE, FLAGS, &again));
	/* pages and frames of a mapping that is taken apart cannot be mapped again */
	ASSERT_EQ(0, uapi_unmap_into_parts(self->fd, self->mapping.handle, &pages, parts, &nr));
	EXPECT_EQ(-ENODEV, uapi_map_allocated_pages_to(self->fd, pages, parts[0], FLAGS, &whole));
	EXPECT_EQ(0, uapi_drop(self->fd, parts[0]));
	EXPECT_EQ(-ENODEV, uapi_map_frame_range(self->fd, self->bar, PAGE, FLAGS, &again));
	EXPECT_EQ(-ENODEV, uapi_allocate_frames(self->fd, &frames));
}

/* READ and WRITE of a removed device fail, and do not access its addresses. */
TEST_F(unplug, reads_and_writes_fail)
{
	unsigned int word = 0;

	munmap(self->area, NR_BYTES);
	ASSERT_EQ(0, unplug(self->device));
	EXPECT_EQ(-ENODEV, uapi_read(self->fd, self->mapping.handle, 0, &word, 4));
	EXPECT_EQ(-ENODEV, uapi_write(self->fd, self->mapping.handle, 4, &word, 4));
	ASSERT_EQ(0, put_text(RESCAN, "1"));
	ASSERT_TRUE(find_device(self->device, &self->bar));
	EXPECT_EQ(-ENODEV, uapi_read(self->fd, self->mapping.handle, 0, &word, 4));
}

TEST_F(unplug, an_exported_mapping)
{
	unsigned int word = 0;
	__u32 imported = 0;
	void *area;
	int fd;

	munmap(self->area, NR_BYTES);
	ASSERT_EQ(0, uapi_export(self->fd, self->mapping.handle, &fd));
	area = mmap(NULL, PAGE, R, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, area);
	EXPECT_EQ(0, load_word(area, &word));
	ASSERT_EQ(0, unplug(self->device));
	EXPECT_EQ(SIGBUS, load_word(area, &word));
	EXPECT_ERRNO(ENODEV, (long)mmap(NULL, PAGE, R, MAP_SHARED, fd, 0));
	EXPECT_EQ(0, munmap(area, PAGE));
	EXPECT_EQ(0, uapi_import(self->fd, fd, &imported));
	close(fd);
	EXPECT_EQ(0, uapi_drop(self->fd, imported));
}

TEST_F(unplug, another_process_and_a_closed_client)
{
	unsigned int word = 0;
	int status, ready[2], go[2];
	pid_t pid;
	char byte;

	ASSERT_EQ(0, pipe(ready));
	ASSERT_EQ(0, pipe(go));
	munmap(self->area, NR_BYTES);
	pid = fork();
	if (!pid) {
		self->area = mmap_all(self->fd, self->mapping.handle, R);
		if (self->area == MAP_FAILED || load_word(self->area, &word))
			_exit(1);
		close(self->fd);
		if (write(ready[1], "r", 1) != 1 || read(go[0], &byte, 1) != 1)
			_exit(2);
		_exit(load_word(self->area, &word) == SIGBUS ? 0 : 3);
	}
	close(self->fd);
	self->fd = -1;
	EXPECT_EQ(1, read(ready[0], &byte, 1));
	EXPECT_EQ(0, unplug(self->device));
	EXPECT_EQ(1, write(go[1], "g", 1));
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_F(unplug, the_next_device_can_be_had)
{
	struct theseus_mm_map_range again;
	unsigned int word = 0;

	ASSERT_EQ(0, unplug(self->device));
	ASSERT_EQ(0, put_text(RESCAN, "1"));
	ASSERT_TRUE(find_device(self->device, &self->bar));
	/* the old region is in the way until its mappings are dropped and it is removed */
	EXPECT_EQ(-EADDRINUSE, uapi_add_device_region(self->fd, self->bar, NR_BYTES,
						      THESEUS_MM_MEMORY_UNCACHED));
	EXPECT_EQ(-EBUSY, uapi_remove_device_region(self->fd, self->bar, NR_BYTES));
	EXPECT_EQ(0, uapi_drop(self->fd, self->mapping.handle));
	EXPECT_EQ(0, uapi_remove_device_region(self->fd, self->bar, NR_BYTES));
	EXPECT_EQ(0, others_map(self->device));
	ASSERT_EQ(0, uapi_add_device_region(self->fd, self->bar, NR_BYTES,
					    THESEUS_MM_MEMORY_UNCACHED));
	ASSERT_EQ(0, uapi_map_frame_range(self->fd, self->bar, NR_BYTES, FLAGS, &again));
	munmap(self->area, NR_BYTES);
	self->area = mmap_all(self->fd, again.handle, R);
	EXPECT_EQ(0, load_word(self->area, &word));
	EXPECT_EQ(ANSWER, word);
}

TEST_F(unplug, many_times)
{
	unsigned int word = 0;
	int i;

	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, unplug(self->device));
		ASSERT_EQ(SIGBUS, load_word(self->area, &word));
		ASSERT_EQ(0, munmap(self->area, NR_BYTES));
		ASSERT_EQ(0, uapi_drop(self->fd, self->mapping.handle));
		ASSERT_EQ(0, uapi_remove_device_region(self->fd, self->bar, NR_BYTES));
		ASSERT_EQ(0, put_text(RESCAN, "1"));
		ASSERT_TRUE(find_device(self->device, &self->bar));
		ASSERT_EQ(0, uapi_add_device_region(self->fd, self->bar, NR_BYTES,
						    i & 1 ? THESEUS_MM_MEMORY_UNCACHED :
						    THESEUS_MM_MEMORY_WRITE_COMBINING));
		ASSERT_EQ(0, uapi_map_frame_range(self->fd, self->bar, NR_BYTES, FLAGS,
						  &self->mapping));
		self->area = mmap_all(self->fd, self->mapping.handle, RW);
		ASSERT_NE((unsigned char *)MAP_FAILED, self->area);
		ASSERT_EQ(0, load_word(self->area, &word));
		ASSERT_EQ(ANSWER, word);
	}
}

TEST_HARNESS_MAIN
