/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fixture of tests of shareable mappings.
 */
#ifndef TESTS_SHARE_H
#define TESTS_SHARE_H

#include "area.h"

#define NR	4
#define SIZE	(NR * PAGE)

/**
 * share - a client with a shareable mapping
 * @handle: the mapping
 */
FIXTURE(share)
{
	int fd;
	struct theseus_mm_info start;
	__u32 handle;
};

FIXTURE_SETUP(share)
{
	recover_start();
	CLIENT_SETUP();
	self->handle = MAPPING(NR).handle;
	ASSERT_EQ(0, uapi_share(self->fd, self->handle, true));
}

FIXTURE_TEARDOWN(share)
{
	CLIENT_TEARDOWN();
}

#endif /* TESTS_SHARE_H */
