/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fixture of tests of exported mappings: a client that has exported a mapping.
 */
#ifndef TESTS_EXPORT_H
#define TESTS_EXPORT_H

#include "exported.h"

#define NR	5
#define SIZE	(NR * PAGE)
#define LARGE	BEYOND

/**
 * export - a client that exported a mapping
 * @fd: the client
 * @handle: the old handle of the mapping, which EXPORT consumed
 * @vaddr: address of the mapping
 * @export: descriptor of the mapping; a test may close it and set @export to -1
 */
FIXTURE(export)
{
	int fd;
	struct theseus_mm_info start;
	__u32 handle;
	__u64 vaddr;
	int export;
};

FIXTURE_SETUP(export)
{
	struct theseus_mm_create_mapping mapping;

	recover_start();
	CLIENT_SETUP();
	mapping = FILLED(NR);
	self->handle = mapping.handle;
	self->vaddr = mapping.start;
	ASSERT_EQ(0, uapi_export(self->fd, self->handle, &self->export));
}

FIXTURE_TEARDOWN(export)
{
	close(self->export);
	CLIENT_TEARDOWN();
}

/* Check that the mapping exists exactly once. */
#define EXPECT_THERE()									\
	do {										\
		struct theseus_mm_info _info = INFO();					\
											\
		EXPECT_EQ(self->start.nr_mappings + 1, _info.nr_mappings);		\
		EXPECT_EQ(self->start.pages_free - NR, _info.pages_free);		\
	} while (0)

/* Every use of a stale descriptor of an export fails with ESTALE. */
#define EXPECT_STALE_EXPORT(export)							\
	do {										\
		__u32 _nr;								\
											\
		EXPECT_STALE(export);							\
		EXPECT_EQ(-ESTALE, uapi_import(self->fd, export, &_nr));		\
		EXPECT_EQ(-ESTALE, revoke_export(export, &_nr));			\
	} while (0)

#endif /* TESTS_EXPORT_H */
