// SPDX-License-Identifier: GPL-2.0
/*
 * The demo's first half: copy a file into a mapping, and compare the two.
 */
#include "demo.h"
#include "terminal.h"
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* At least two pages, so that a later step can split the mapping. */
static __u64 size_to_map(const struct demo *demo)
{
	__u64 size = (demo->file_size + TMM_PAGE_SIZE - 1) / TMM_PAGE_SIZE * TMM_PAGE_SIZE;

	return size < 2 * TMM_PAGE_SIZE ? 2 * TMM_PAGE_SIZE : size;
}

static bool does_not_fit(struct demo *demo)
{
	char needed[TEXT_SIZE], there[TEXT_SIZE];

	return demo_fail(demo, "%s needs %s and page tables, but only %s are free: take a "
			       "smaller FILE, or reserve more with memmap=",
			 demo->path, size_text(needed, demo->map_size),
			 size_text(there, demo->start.frames_free * TMM_PAGE_SIZE));
}

static bool say_mapping(struct demo *demo)
{
	struct tmm_mapping_info info;
	char size[TEXT_SIZE];

	if (tmm_mapping_query(demo->mapping, &info))
		return demo_call_failed(demo, "QUERY", errno);
	demo_say("handle %u: %llu pages (%s) at v%#llx, on %u run%s of frames",
		 tmm_mapping_handle(demo->mapping),
		 (unsigned long long)(demo->map_size / TMM_PAGE_SIZE),
		 size_text(size, demo->map_size), (unsigned long long)demo->vaddr,
		 info.nr_frame_ranges, info.nr_frame_ranges == 1 ? "" : "s");
	return true;
}

bool demo_create(struct demo *demo)
{
	demo->map_size = size_to_map(demo);
	if (demo->map_size / TMM_PAGE_SIZE > demo->start.frames_free)
		return does_not_fit(demo);
	demo->mapping = tmm_mapping_create(demo->client, demo->map_size, TMM_DATA, NULL);
	if (!demo->mapping && errno == ENOSPC)
		return does_not_fit(demo);
	if (!demo->mapping)
		return demo_call_failed(demo, "CREATE_MAPPING", errno);
	demo->vaddr = tmm_mapping_address(demo->mapping);
	if (tmm_mapping_size(demo->mapping) != demo->map_size)
		return demo_fail(demo, "requested %llu bytes, but the mapping has %llu",
				 (unsigned long long)demo->map_size,
				 (unsigned long long)tmm_mapping_size(demo->mapping));
	return say_mapping(demo);
}

static bool read_chunk(struct demo *demo, void *buffer, __u64 offset, size_t length)
{
	size_t done = 0;
	ssize_t got;

	while (done < length) {
		got = pread(demo->file, (char *)buffer + done, length - done, offset + done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return demo_fail(demo, "read %s: %s", demo->path, strerror(errno));
		if (!got)
			return demo_fail(demo, "%s: the file became shorter", demo->path);
		done += got;
	}
	return true;
}

/* Copy a part of the file into the mapping. */
static bool put_chunk(struct demo *demo, __u64 offset, size_t length)
{
	if (!read_chunk(demo, demo->buffer, offset, length))
		return false;
	if (tmm_mapping_write(demo->mapping, offset, demo->buffer, length))
		return demo_call_failed(demo, "WRITE", errno);
	return true;
}

/*
 * Compare a part of the mapping with the file. The buffer is overwritten first, so the result
 * cannot come from its old content.
 */
static bool compare_chunk(struct demo *demo, __u64 offset, size_t length)
{
	if (!read_chunk(demo, demo->expected, offset, length))
		return false;
	memset(demo->buffer, 0xa5, length);
	if (tmm_mapping_read(demo->mapping, offset, demo->buffer, length))
		return demo_call_failed(demo, "READ", errno);
	if (memcmp(demo->buffer, demo->expected, length))
		return demo_fail(demo, "the mapping differs from the file");
	return true;
}

typedef bool (*chunk_function)(struct demo *demo, __u64 offset, size_t length);

static bool all_chunks(struct demo *demo, chunk_function one)
{
	struct progress progress;
	__u64 offset, length;
	bool good = true;

	progress_start(&progress, demo_out(), NULL, demo->file_size);
	for (offset = 0; good && offset < demo->file_size; offset += length) {
		length = demo->file_size - offset;
		if (length > DEMO_CHUNK)
			length = DEMO_CHUNK;
		good = one(demo, offset, length);
		progress_update(&progress, offset + length);
	}
	progress_end(&progress);
	return good;
}

static void say_speed(const struct demo *demo, const char *what, __u64 milliseconds)
{
	char size[TEXT_SIZE];

	demo_say("%s %s in %llu.%llu s", what, size_text(size, demo->file_size),
		 milliseconds / 1000, milliseconds / 100 % 10);
}

bool demo_write(struct demo *demo)
{
	__u64 started = now_in_milliseconds();

	if (!all_chunks(demo, put_chunk))
		return false;
	say_speed(demo, "wrote", now_in_milliseconds() - started);
	return true;
}

bool demo_check_content(struct demo *demo)
{
	char size[TEXT_SIZE];

	if (!all_chunks(demo, compare_chunk))
		return false;
	demo_say("the mapping and the file are identical (%s)", size_text(size, demo->file_size));
	return true;
}

bool demo_read_back(struct demo *demo)
{
	__u64 started = now_in_milliseconds();

	if (!demo_check_content(demo))
		return false;
	say_speed(demo, "read and compared", now_in_milliseconds() - started);
	return true;
}
