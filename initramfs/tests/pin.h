/* SPDX-License-Identifier: GPL-2.0 */
/*
 * I/O that pins memory (the module is loaded with struct_pages=1). A page in a pipe stands
 * for I/O: vmsplice() pins the page, and reading the pipe unpins it.
 */
#ifndef TESTS_PIN_H
#define TESTS_PIN_H

#include "area.h"

#include <sys/uio.h>

static inline bool is_pinned(int fd, __u32 handle)
{
	struct theseus_mm_query query;

	return !uapi_query(fd, handle, &query) && (query.attributes & THESEUS_MM_ATTRIBUTE_PINNED);
}

static inline bool has_all_back(int fd, const struct theseus_mm_info *start)
{
	struct theseus_mm_info now;

	return !uapi_get_info(fd, &now) && now.frames_free == start->frames_free &&
	       now.nr_mappings == start->nr_mappings;
}

/* Tear a fixture down: wait first, because I/O may hold memory for a moment longer. */
#define PINNED_TEARDOWN()								\
	do {										\
		if (self->fd >= 0)							\
			close(self->fd);						\
		self->fd = uapi_open(NULL);						\
		EXPECT_TRUE(BECOMES(has_all_back(self->fd, &self->start)));		\
		CLIENT_TEARDOWN();							\
	} while (0)

/* Return: how many of @nr_bytes at @area are pinned now, or -1 with errno */
static inline long pin(int pipe_fd, void *area, size_t nr_bytes)
{
	struct iovec part = { area, nr_bytes };

	return vmsplice(pipe_fd, &part, 1, SPLICE_F_NONBLOCK);
}

/* Unpin a page. Return: nr_alike() of its content and @offset, or 0 if the pipe has no page */
static inline __u64 let_go(int pipe_fd, __u64 offset)
{
	unsigned char page[PAGE] = {};

	return read(pipe_fd, page, PAGE) == PAGE ? nr_alike(page, offset, PAGE) : 0;
}

#endif /* TESTS_PIN_H */
