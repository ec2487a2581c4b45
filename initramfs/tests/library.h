/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fixture of tests of libtmm, the library that programs link: a client of the library. The
 * tests check the library's results with the calls of uapi.h on the same descriptor.
 */
#ifndef TESTS_LIBRARY_H
#define TESTS_LIBRARY_H

#include "area.h"

#include <errno.h>
#include <tmm.h>

/**
 * library - a client of the library, which owns nothing yet
 * @fd: the client's descriptor, for uapi.h; -1 once the test has closed the client
 * @start: the counts before the test
 * @client: the client; a test may close it
 */
FIXTURE(library)
{
	int fd;
	struct theseus_mm_info start;
	struct tmm_client *client;
};

FIXTURE_SETUP(library)
{
	recover_start();
	self->client = tmm_client_open(NULL);
	ASSERT_NE(NULL, self->client);
	self->fd = tmm_client_fd(self->client);
	ASSERT_EQ(0, uapi_get_info(self->fd, &self->start));
	ASSERT_EQ(0, self->start.client_handles);
}

FIXTURE_TEARDOWN(library)
{
	tmm_client_close(&self->client);
	self->fd = -1;
	CLIENT_TEARDOWN();
}

/*
 * Check that the call fails with @result and @error and changes nothing: no count, and nothing
 * about the objects whose handles follow.
 */
#define EXPECT_FAILURE(result, error, call, ...)					\
	do {										\
		struct snapshot _before;						\
											\
		TAKE_SNAPSHOT(&_before, ##__VA_ARGS__);					\
		errno = 0;								\
		EXPECT_EQ(result, (long)(call));					\
		EXPECT_EQ(error, errno);						\
		EXPECT_UNCHANGED(&_before, ##__VA_ARGS__);				\
	} while (0)

/* EXPECT_FAILURE() for a call that returns an int, and for a call that returns a pointer. */
#define EXPECT_FAILS(error, call, ...)	EXPECT_FAILURE(-1L, error, call, ##__VA_ARGS__)
#define EXPECT_NONE(error, call, ...)	EXPECT_FAILURE(0L, error, call, ##__VA_ARGS__)

/* Make an object that the test needs. */
#define OWN(type, call)									\
	({										\
		struct tmm_##type *_object = (call);					\
											\
		ASSERT_NE(NULL, _object);						\
		_object;								\
	})

#define OWN_PAGES(nr)									\
	OWN(pages, tmm_pages_allocate(self->client,					\
				      &(struct tmm_allocate_options){ .nr_pages = (nr) }))
#define OWN_FRAMES(nr)									\
	OWN(frames, tmm_frames_allocate(self->client,					\
					&(struct tmm_allocate_options){ .nr_pages = (nr) }))
#define OWN_MAPPING(nr)									\
	OWN(mapping, tmm_mapping_create(self->client, (nr) * PAGE, TMM_DATA, NULL))

/* Make a mapping in which fill() gave every byte a known value. */
#define OWN_FILLED(nr)									\
	({										\
		struct tmm_mapping *_filled = OWN_MAPPING(nr);				\
											\
		ASSERT_EQ(0, fill(self->fd, tmm_mapping_handle(_filled), (nr) * PAGE));	\
		_filled;								\
	})

/*
 * Compare the first @nr_bytes of a mapping with the bytes that fill() writes from @offset on.
 *
 * Return: how many bytes are equal before the first difference; 0 if the mapping cannot be read
 */
static inline __u64 nr_alike_in(const struct tmm_mapping *mapping, __u64 offset, __u64 nr_bytes)
{
	unsigned char bytes[16 * PAGE];

	if (nr_bytes > sizeof(bytes) || tmm_mapping_read(mapping, 0, bytes, nr_bytes))
		return 0;
	return nr_alike(bytes, offset, nr_bytes);
}

#endif /* TESTS_LIBRARY_H */
