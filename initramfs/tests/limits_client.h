/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fixture of tests of limits: one client of root, and two clients of another user.
 */
#ifndef TESTS_LIMITS_CLIENT_H
#define TESTS_LIMITS_CLIENT_H

#include "client.h"
#include "limits.h"

#define NO_LIMIT	THESEUS_MM_NO_LIMIT
#define SOMEBODY	1234

/**
 * limits - one client of root, two of another user; the teardown restores all limits
 */
FIXTURE(limits)
{
	int fd;
	int theirs;
	int also_theirs;
	struct theseus_mm_info start;
};

static inline int reset_parameters(__u64 nr_pages)
{
	int err = write_parameter("max_frames", "unlimited");

	err = err ?: write_number("max_pages", nr_pages / 4);
	err = err ?: write_parameter("max_handles", "65536");
	err = err ?: write_parameter("max_user_frames", "unlimited");
	err = err ?: write_number("max_user_pages", nr_pages / 2);
	return err ?: write_parameter("max_user_handles", "131072");
}

FIXTURE_SETUP(limits)
{
	CLIENT_SETUP();
	self->theirs = open_as(SOMEBODY);
	ASSERT_LE(0, self->theirs);
	self->also_theirs = open_as(SOMEBODY);
	ASSERT_LE(0, self->also_theirs);
}

FIXTURE_TEARDOWN(limits)
{
	EXPECT_EQ(0, reset_parameters(self->start.pages_total));
	close(self->theirs);
	close(self->also_theirs);
	CLIENT_TEARDOWN();
}

#define LIMITS(fd)									\
	({										\
		struct theseus_mm_limits _limits;					\
											\
		ASSERT_EQ(0, uapi_get_limits(fd, &_limits));				\
		_limits;								\
	})

/* Check that the call fails with EDQUOT and changes nothing, not even a charge. */
#define EXPECT_EDQUOT(call, ...)							\
	do {										\
		struct theseus_mm_limits _was = LIMITS(self->fd), _is;			\
											\
		EXPECT_REFUSED(EDQUOT, call, ##__VA_ARGS__);				\
		_is = LIMITS(self->fd);							\
		EXPECT_EQ(0, memcmp(&_was, &_is, sizeof(_is)));				\
	} while (0)

static inline int take(int fd, __u64 nr, __u32 *handle)
{
	struct theseus_mm_allocate call = { .size = nr };
	int err = uapi_allocate_frames(fd, &call);

	if (handle)
		*handle = call.handle;
	return err;
}

#endif /* TESTS_LIMITS_CLIENT_H */
