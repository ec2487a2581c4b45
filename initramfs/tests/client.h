/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fixture of most tests: a client that owns nothing yet. After the test the client is closed,
 * and all counts must be as before, whatever the test left open.
 */
#ifndef TESTS_CLIENT_H
#define TESTS_CLIENT_H

#include "harness.h"
#include "snapshot.h"

#include <stdbool.h>
#include <time.h>

#define PAGE		UAPI_PAGE_SIZE
#define NO_ADDRESS	(~0ULL)
#define READ_ONLY	(THESEUS_MM_PTE_DATA & ~THESEUS_MM_PTE_WRITABLE)

FIXTURE(client)
{
	int fd;
	struct theseus_mm_info start;
};

/* The beginning of a fixture that has @fd and @start. */
#define CLIENT_SETUP()									\
	do {										\
		self->fd = uapi_open(NULL);						\
		ASSERT_LE(0, self->fd);							\
		ASSERT_EQ(0, uapi_get_info(self->fd, &self->start));			\
	} while (0)

FIXTURE_SETUP(client)
{
	CLIENT_SETUP();
	ASSERT_EQ(0, self->start.client_handles);
}

/*
 * The teardown of a fixture with @fd and @start: close the client, and check that all counts are
 * as before. A test may close the client itself and set @fd to -1. Teardowns use only EXPECT:
 * after a failed ASSERT in a teardown, this harness would run the teardown endlessly.
 */
#define CLIENT_TEARDOWN()								\
	do {										\
		struct theseus_mm_info _end;						\
		char _text[SNAPSHOT_TEXT];						\
											\
		if (self->fd >= 0)							\
			close(self->fd);						\
		self->fd = uapi_open(NULL);						\
		EXPECT_LE(0, self->fd);							\
		EXPECT_EQ(0, uapi_get_info(self->fd, &_end));				\
		EXPECT_STREQ("", info_difference(&self->start, &_end, _text));		\
		close(self->fd);							\
	} while (0)

FIXTURE_TEARDOWN(client)
{
	CLIENT_TEARDOWN();
}

/*
 * Should a race go on? It runs at least @seconds, and on a slow machine up to a minute, until
 * each required event has happened once.
 */
static inline bool race_goes_on(const struct timespec *start, int seconds, bool has_all_happened)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	now.tv_sec -= start->tv_sec;
	return now.tv_sec < seconds || (!has_all_happened && now.tv_sec < 60);
}

/* TAKE_SNAPSHOT(&snapshot, handle...) records the state; the check below compares it later. */
#define TAKE_SNAPSHOT(snapshot, ...)							\
	do {										\
		const __u32 _handles[] = { 0, ##__VA_ARGS__ };				\
											\
		snapshot_take(snapshot, self->fd, _handles, ARRAY_SIZE(_handles));	\
	} while (0)

#define EXPECT_UNCHANGED(before, ...)							\
	do {										\
		struct snapshot _after;							\
		char _text[SNAPSHOT_TEXT];						\
											\
		TAKE_SNAPSHOT(&_after, ##__VA_ARGS__);					\
		EXPECT_STREQ("", snapshot_difference(before, &_after, _text));		\
	} while (0)

/*
 * EXPECT_REFUSED(error, call, handle...): @call returns -@error and changes nothing: no count,
 * and nothing about the named objects.
 */
#define EXPECT_REFUSED(error, call, ...)						\
	do {										\
		struct snapshot _before;						\
											\
		TAKE_SNAPSHOT(&_before, ##__VA_ARGS__);					\
		EXPECT_EQ(-(error), call);						\
		EXPECT_UNCHANGED(&_before, ##__VA_ARGS__);				\
	} while (0)

/* Check that all counts are as at the start of the test. */
#define EXPECT_ALL_BACK()								\
	do {										\
		struct theseus_mm_info _now;						\
		char _text[SNAPSHOT_TEXT];						\
											\
		ASSERT_EQ(0, uapi_get_info(self->fd, &_now));				\
		EXPECT_STREQ("", info_difference(&self->start, &_now, _text));		\
	} while (0)

/* Make objects that the test needs. The value is the structure of the call. */
#define MAPPING(nr)									\
	({										\
		struct theseus_mm_create_mapping _mapping;				\
											\
		ASSERT_EQ(0, uapi_create_mapping(self->fd, (nr) * PAGE,			\
						 THESEUS_MM_PTE_DATA, &_mapping));	\
		_mapping;								\
	})

#define PAGES(nr)									\
	({										\
		struct theseus_mm_allocate _pages = { .size = (nr) };			\
											\
		ASSERT_EQ(0, uapi_allocate_pages(self->fd, &_pages));			\
		_pages;									\
	})

#define FRAMES(nr)									\
	({										\
		struct theseus_mm_allocate _frames = { .size = (nr) };			\
											\
		ASSERT_EQ(0, uapi_allocate_frames(self->fd, &_frames));			\
		_frames;								\
	})

#define INFO()										\
	({										\
		struct theseus_mm_info _info;						\
											\
		ASSERT_EQ(0, uapi_get_info(self->fd, &_info));				\
		_info;									\
	})

#define QUERY(handle)									\
	({										\
		struct theseus_mm_query _query;						\
											\
		ASSERT_EQ(0, uapi_query(self->fd, handle, &_query));			\
		_query;									\
	})

#define EXPECT_GONE(handle)								\
	do {										\
		struct theseus_mm_query _query;						\
											\
		EXPECT_EQ(-ENOENT, uapi_query(self->fd, handle, &_query));		\
	} while (0)

#endif /* TESTS_CLIENT_H */
