// SPDX-License-Identifier: GPL-2.0
/*
 * Opens sources of memory. Their memory exists before it is mmapped, and is clean, so that no
 * measurement contains the clearing; only anonymous memory is made and cleared at its first touch.
 */
#include "area.h"
#include "device.h"
#include "groups.h"
#include "machine.h"
#include "result.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* errno of area_open_hugetlb() if Linux has too few huge pages; no call there fails with it */
#define TOO_FEW		ENOENT
#define EMPTY_DRIVER	"/dev/tmm_bench_empty"
/* Linux 6.1 does not align anonymous memory for huge pages. This address has no neighbours. */
#define ALIGNED_HINT	((void *)0x100000000000)

static int close_with_error(int fd)
{
	int err = errno;

	close(fd);
	errno = err;
	return -1;
}

/**
 * area_open_ours() - make a mapping of the module
 * @source: set to the mapping; the caller closes the source
 * @nr_bytes: size of the mapping
 */
int area_open_ours(struct area_source *source, unsigned long nr_bytes)
{
	uint32_t handle;

	*source = (struct area_source){
		.system = "ours", .fd = device_open(), .flags = MAP_SHARED, .advice = -1,
	};
	if (source->fd < 0)
		return -1;
	if (device_create(source->fd, nr_bytes, &handle) ||
	    device_offset(source->fd, handle, &source->offset))
		return close_with_error(source->fd);
	return 0;
}

/**
 * area_open_empty() - open the bench module's driver, which does nothing but mmap()
 * @source: set to the driver; the caller closes the source
 */
int area_open_empty(struct area_source *source)
{
	*source = (struct area_source){
		.system = "empty-driver", .fd = open(EMPTY_DRIVER, O_RDWR | O_CLOEXEC),
		.flags = MAP_SHARED, .advice = -1,
	};
	return source->fd < 0 ? -1 : 0;
}

/**
 * area_open_hugetlb() - make a file of huge pages, which are allocated and clean
 * @source: set to the file; the caller closes the source
 * @nr_bytes: size of the file
 * @page_bytes: 2 MiB or 1 GiB
 */
int area_open_hugetlb(struct area_source *source, unsigned long nr_bytes,
		      unsigned long page_bytes)
{
	unsigned int size = page_bytes == GIB ? MFD_HUGE_1GB : MFD_HUGE_2MB;

	*source = (struct area_source){
		.system = "hugetlb", .flags = MAP_SHARED, .advice = -1,
	};
	if (!machine_reserve_huge(page_bytes, nr_bytes / page_bytes)) {
		errno = TOO_FEW;
		return -1;
	}
	source->fd = memfd_create("bench", MFD_CLOEXEC | MFD_HUGETLB | size);
	if (source->fd < 0)
		return -1;
	if (ftruncate(source->fd, nr_bytes) || fallocate(source->fd, 0, 0, nr_bytes))
		return close_with_error(source->fd);
	return 0;
}

/**
 * area_report_hugetlb() - report that area_open_hugetlb() has failed
 * @row: the row that is not measured
 * @system: its system
 *
 * A machine with too few huge pages is no failure. Any other error is one.
 *
 * Return: 0 if the row is skipped, -1 if it has failed
 */
int area_report_hugetlb(const char *row, const char *system)
{
	if (errno != TOO_FEW)
		return result_failed(row, "%s: huge pages: %s", system, strerrorname_np(errno));
	result_skipped(row, system, "Linux has too few huge pages");
	return 0;
}

/**
 * area_open_anonymous() - use anonymous memory
 * @source: set to anonymous memory
 * @advice: MADV_HUGEPAGE or MADV_NOHUGEPAGE
 */
void area_open_anonymous(struct area_source *source, int advice)
{
	*source = (struct area_source){
		.system = advice == MADV_HUGEPAGE ? "anonymous-thp" : "anonymous-4k",
		.fd = -1, .flags = MAP_PRIVATE | MAP_ANONYMOUS, .advice = advice,
		.hint = ALIGNED_HINT,
	};
}

void area_close(struct area_source *source)
{
	if (source->fd >= 0)
		close(source->fd);
	source->fd = -1;
}

/**
 * area_map() - mmap a source
 * @source: the source
 * @nr_bytes: size of the area
 * @flags: more flags for mmap(), such as MAP_POPULATE
 *
 * Return: the area, or NULL with errno set
 */
char *area_map(const struct area_source *source, unsigned long nr_bytes, int flags)
{
	char *area = mmap(source->hint, nr_bytes, PROT_READ | PROT_WRITE, source->flags | flags,
			  source->fd, source->offset);

	if (area == MAP_FAILED)
		return NULL;
	if (source->advice >= 0 && madvise(area, nr_bytes, source->advice)) {
		munmap(area, nr_bytes);
		return NULL;
	}
	return area;
}

/**
 * area_touch() - write a byte to each page of 4 KiB
 * @area: the area
 * @nr_bytes: its size
 */
void area_touch(char *area, unsigned long nr_bytes)
{
	char *end = area + nr_bytes;

	for (; area != end; area += PAGE_BYTES)
		*(volatile char *)area = 1;
}
