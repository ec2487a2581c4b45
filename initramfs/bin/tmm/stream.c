// SPDX-License-Identifier: GPL-2.0
#include "stream.h"

#include "command.h"
#include "text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#define CHUNK	(4UL << 20)

/**
 * struct stream - a file that is being read
 * @name: name of the file
 * @fd: descriptor of the file
 * @pages: pages without frames yet, in one run; NULL if there are none left
 * @mapping: the bytes read so far; NULL before the first
 * @nr_bytes: number of these bytes
 * @is_over: the end of the file was read
 */
struct stream {
	const char *name;
	int fd;
	struct tmm_pages *pages;
	struct tmm_mapping *mapping;
	uint64_t nr_bytes;
	bool is_over;
};

static int too_long(const struct stream *stream)
{
	char text[TEXT_SIZE];

	fprintf(stderr, "tmm: put: %s has more than %s: no memory is free for the rest\n",
		stream->name, size_text(text, stream->nr_bytes));
	return TMM_FAILED;
}

static bool is_shortage(int error)
{
	return error == ENOSPC || error == EDQUOT;
}

/* Allocate one page more than there are free frames, if possible: pages need no memory. */
static int reserve(struct stream *stream, struct tmm_client *client)
{
	struct tmm_allocate_options options = { .align = TMM_LARGE_PAGE_SIZE };
	struct tmm_info info;

	if (tmm_client_info(client, &info))
		return failed(errno, "GET_INFO");
	options.nr_pages = info.frames_free + 1;
	do {
		stream->pages = tmm_pages_allocate(client, &options);
		options.nr_pages /= 2;
	} while (!stream->pages && is_shortage(errno) && options.nr_pages);
	return stream->pages ? TMM_OK : failed(errno, "allocate pages");
}

/* Map the next CHUNK bytes of pages to new frames. */
static int take_chunk(struct stream *stream, struct tmm_mapping **chunk)
{
	struct tmm_pages *pages = NULL;
	int error;

	if (!stream->pages)
		return too_long(stream);
	if (tmm_pages_size(stream->pages) <= CHUNK) {
		pages = stream->pages;
		stream->pages = NULL;
	} else if (tmm_pages_split(&stream->pages, CHUNK, &pages, &stream->pages)) {
		return failed(errno, "split pages");
	}
	*chunk = tmm_pages_map(&pages, TMM_DATA);
	if (*chunk)
		return TMM_OK;
	error = errno;
	tmm_pages_drop(&pages);
	return is_shortage(error) ? too_long(stream) : failed(error, "map pages");
}

static int fill_chunk(struct stream *stream, struct tmm_mapping *chunk)
{
	uint64_t size = tmm_mapping_size(chunk), done = 0;
	char *window = tmm_mapping_mmap(chunk, 0, size, PROT_READ | PROT_WRITE);
	ssize_t got = 1;

	if (!window)
		return failed(errno, "mmap");
	while (done < size && got) {
		got = read(stream->fd, window + done, size - done);
		if (got < 0 && errno != EINTR)
			break;
		done += got > 0 ? got : 0;
	}
	if (got < 0)
		failed(errno, "read %s", stream->name);
	tmm_mapping_munmap(window, size);
	stream->nr_bytes += done;
	stream->is_over = !got;
	return got < 0 ? TMM_FAILED : TMM_OK;
}

static int append_chunk(struct stream *stream)
{
	struct tmm_mapping *chunk;
	int status = take_chunk(stream, &chunk);

	if (status)
		return status;
	status = fill_chunk(stream, chunk);
	if (!status && !stream->mapping) {
		stream->mapping = chunk;
		return TMM_OK;
	}
	if (!status && tmm_mapping_merge(stream->mapping, &chunk))
		status = failed(errno, "MERGE");
	if (status)
		tmm_mapping_drop(&chunk);
	return status;
}

/* Drop the unused end of the last chunk; an empty file keeps one page. */
static int trim(struct stream *stream)
{
	uint64_t size = (stream->nr_bytes + TMM_PAGE_SIZE - 1) / TMM_PAGE_SIZE * TMM_PAGE_SIZE;
	struct tmm_mapping *rest;

	if (!size)
		size = TMM_PAGE_SIZE;
	if (size == tmm_mapping_size(stream->mapping))
		return TMM_OK;
	if (tmm_mapping_split(&stream->mapping, size, &stream->mapping, &rest))
		return failed(errno, "SPLIT");
	tmm_mapping_drop(&rest);
	return TMM_OK;
}

struct tmm_mapping *stream_take(struct tmm_client *client, const char *name, int fd,
				uint64_t *nr_bytes)
{
	struct stream stream = { .name = name, .fd = fd };
	int status = reserve(&stream, client);

	while (!status && !stream.is_over)
		status = append_chunk(&stream);
	if (!status)
		status = trim(&stream);
	tmm_pages_drop(&stream.pages);
	if (status)
		tmm_mapping_drop(&stream.mapping);
	*nr_bytes = stream.nr_bytes;
	return stream.mapping;
}
