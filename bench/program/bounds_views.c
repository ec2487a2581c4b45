// SPDX-License-Identifier: GPL-2.0
/* Calls and files that only look. */
#include "bounds.h"
#include "device.h"
#include "groups.h"
#include "marks.h"
#include "result.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_ENTRIES	4096
#define CHUNK		65536
#define NAME_SIZE	64

union view {
	struct theseus_mm_info info;
	struct theseus_mm_region region;
	struct theseus_mm_occupancy occupancy;
	struct theseus_mm_clients clients;
	struct theseus_mm_limits limits;
	struct theseus_mm_handles handles;
	struct theseus_mm_query query;
	struct theseus_mm_translate translate;
	struct theseus_mm_dump_pte dump;
};

/* The calls that list something, with as much room as a program can give them. */
static int list_all(const struct bounds *bounds, void *entries)
{
	union view view = { .occupancy = {
		.nr_buckets = THESEUS_MM_MAX_BUCKETS,
		.bucket_size = sizeof(struct theseus_mm_bucket),
		.buckets = (uintptr_t)entries,
	} };

	if (bounds_call(bounds, "GET_OCCUPANCY", "all", THESEUS_MM_IOC_GET_OCCUPANCY, &view))
		return -1;
	view = (union view){ .clients = {
		.nr_clients = MAX_ENTRIES, .clients = (uintptr_t)entries,
		.entry_size = sizeof(struct theseus_mm_client_info),
	} };
	if (bounds_call(bounds, "GET_CLIENTS", "all", THESEUS_MM_IOC_GET_CLIENTS, &view))
		return -1;
	view = (union view){ .handles = {
		.nr_handles = MAX_ENTRIES, .handles = (uintptr_t)entries,
		.entry_size = sizeof(struct theseus_mm_handle_info),
	} };
	return bounds_call(bounds, "LIST_HANDLES", "all", THESEUS_MM_IOC_LIST_HANDLES, &view);
}

static int look_at_client(const struct bounds *bounds)
{
	union view view = { 0 };

	if (bounds_call(bounds, "GET_INFO", "-", THESEUS_MM_IOC_GET_INFO, &view))
		return -1;
	view = (union view){ 0 };
	if (bounds_call(bounds, "GET_REGION", "-", THESEUS_MM_IOC_GET_REGION, &view))
		return -1;
	view = (union view){ 0 };
	if (bounds_call(bounds, "GET_LIMITS", "-", THESEUS_MM_IOC_GET_LIMITS, &view))
		return -1;
	view = (union view){ .limits = {
		.flags = THESEUS_MM_SET_FRAMES, .client_frames_max = THESEUS_MM_NO_LIMIT,
	} };
	return bounds_call(bounds, "SET_LIMITS", "-", THESEUS_MM_IOC_SET_LIMITS, &view);
}

static int look_at_mapping(const struct bounds *bounds)
{
	union view view;
	uint64_t start;
	uint32_t handle;

	if (device_create(bounds->fd, PAGE_BYTES, &handle))
		return bounds_failed(bounds, "CREATE_MAPPING", "4k");
	view = (union view){ .query.handle = handle };
	if (bounds_call(bounds, "QUERY", "4k", THESEUS_MM_IOC_QUERY, &view))
		return -1;
	start = view.query.start;
	view = (union view){ .translate.vaddr = start };
	if (bounds_call(bounds, "TRANSLATE", "4k", THESEUS_MM_IOC_TRANSLATE, &view))
		return -1;
	view = (union view){ .dump.vaddr = start };
	if (bounds_call(bounds, "DUMP_PTE", "4k", THESEUS_MM_IOC_DUMP_PTE, &view))
		return -1;
	return bounds_drop(bounds, "DROP", "4k", handle);
}

static int poll_client(const struct bounds *bounds)
{
	struct pollfd poll_fd = { .fd = bounds->fd, .events = POLLIN };

	if (marks_begin() || poll(&poll_fd, 1, 0) < 0)
		return bounds_failed(bounds, "poll", "-");
	return marks_end("poll", "-", bounds->situation);
}

static int read_file(const struct bounds *bounds, const char *path, const char *name, void *room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t nr = 1;

	if (fd < 0 || marks_begin())
		return bounds_failed(bounds, path, "-");
	while (nr > 0)
		nr = read(fd, room, CHUNK);
	close(fd);
	return nr ? bounds_failed(bounds, path, "-") : marks_end("read", name, bounds->situation);
}

/* Read each file, under its own name or, if there is one, under a name for all. */
static int read_files(const struct bounds *bounds, const char *pattern, const char *name,
		      void *room)
{
	const char *path;
	glob_t found;
	int err = 0;
	size_t i;

	if (glob(pattern, 0, NULL, &found)) {
		errno = ENOENT;
		return bounds_failed(bounds, pattern, "-");
	}
	for (i = 0; !err && i < found.gl_pathc; i++) {
		path = found.gl_pathv[i];
		err = read_file(bounds, path, name ? name : strrchr(path, '/') + 1, room);
	}
	globfree(&found);
	return err;
}

static int read_all(const struct bounds *bounds, void *room)
{
	char path[NAME_SIZE];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", bounds->fd);
	return read_file(bounds, path, "fdinfo", room) ||
	       read_files(bounds, "/sys/class/misc/theseus_mm/frames_*", "sysfs", room) ||
	       read_files(bounds, "/sys/kernel/debug/theseus_mm/*", NULL, room) ? -1 : 0;
}

int bounds_views(const struct bounds *bounds)
{
	void *room = calloc(MAX_ENTRIES, sizeof(struct theseus_mm_handle_info));
	int err;

	if (!room)
		return bounds_failed(bounds, "memory", "-");
	memset(room, 1, MAX_ENTRIES * sizeof(struct theseus_mm_handle_info));
	err = look_at_client(bounds) || list_all(bounds, room) || look_at_mapping(bounds) ||
	      poll_client(bounds) || read_all(bounds, room);
	free(room);
	return err ? -1 : 0;
}
