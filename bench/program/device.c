// SPDX-License-Identifier: GPL-2.0
/*
 * The calls of the module.
 */
#include "device.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

/**
 * device_open() - make a client without limits
 *
 * Return: the client's descriptor, or -1 with errno set
 */
int device_open(void)
{
	struct theseus_mm_limits limits = {
		.flags = THESEUS_MM_SET_LIMITS_FLAGS_ALL,
		.client_frames_max = THESEUS_MM_NO_LIMIT,
		.client_pages_max = THESEUS_MM_NO_LIMIT,
		.client_handles_max = THESEUS_MM_NO_LIMIT,
	};
	int fd = open("/dev/theseus_mm", O_RDWR | O_CLOEXEC), saved;

	if (fd < 0)
		return -1;
	if (ioctl(fd, THESEUS_MM_IOC_SET_LIMITS, &limits)) {
		saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

int device_free_frames(int fd, unsigned long *nr)
{
	struct theseus_mm_info info = { 0 };

	if (ioctl(fd, THESEUS_MM_IOC_GET_INFO, &info))
		return -1;
	*nr = info.frames_free;
	return 0;
}

int device_create(int fd, uint64_t nr_bytes, uint32_t *handle)
{
	struct theseus_mm_create_mapping arg = {
		.size = nr_bytes,
		.pte_flags = THESEUS_MM_PTE_DATA,
	};

	if (ioctl(fd, THESEUS_MM_IOC_CREATE_MAPPING, &arg))
		return -1;
	*handle = arg.handle;
	return 0;
}

int device_drop(int fd, uint32_t handle)
{
	struct theseus_mm_drop arg = { .handle = handle };

	return ioctl(fd, THESEUS_MM_IOC_DROP, &arg);
}

int device_remap(int fd, uint32_t handle, uint64_t pte_flags)
{
	struct theseus_mm_remap arg = { .handle = handle, .pte_flags = pte_flags };

	return ioctl(fd, THESEUS_MM_IOC_REMAP, &arg);
}

/* @nr_frames is the room in @frames, and then the number of handles there. */
int device_unmap(int fd, uint32_t handle, uint32_t *frames, uint32_t *nr_frames, uint32_t *pages)
{
	struct theseus_mm_unmap arg = {
		.handle = handle,
		.frames = (uintptr_t)frames,
		.nr_frames = *nr_frames,
	};

	if (ioctl(fd, THESEUS_MM_IOC_UNMAP_INTO_PARTS, &arg))
		return -1;
	*nr_frames = arg.nr_frames;
	*pages = arg.pages;
	return 0;
}

/* @call is THESEUS_MM_IOC_READ or _WRITE. */
int device_access(int fd, unsigned long call, uint32_t handle, void *buffer, uint64_t nr_bytes)
{
	struct theseus_mm_access arg = {
		.handle = handle,
		.length = nr_bytes,
		.buffer = (uintptr_t)buffer,
	};

	return ioctl(fd, call, &arg);
}

/* @call is THESEUS_MM_IOC_CREATE_BATCH or _DROP_BATCH. */
int device_batch(int fd, unsigned long call, void *items, uint32_t item_size, uint32_t nr)
{
	struct theseus_mm_batch arg = {
		.flags = THESEUS_MM_BATCH_ALL_OR_NOTHING,
		.nr_items = nr,
		.items = (uintptr_t)items,
		.item_size = item_size,
	};

	return ioctl(fd, call, &arg);
}

int device_offset(int fd, uint32_t handle, int64_t *offset)
{
	struct theseus_mm_map_offset arg = { .handle = handle };

	if (ioctl(fd, THESEUS_MM_IOC_MAP_OFFSET, &arg))
		return -1;
	*offset = arg.offset;
	return 0;
}
