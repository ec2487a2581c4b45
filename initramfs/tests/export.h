/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fixture of tests of exported mappings: a client that has exported a mapping.
 */
#ifndef TESTS_EXPORT_H
#define TESTS_EXPORT_H

#include "area.h"

#define NR	5
#define SIZE	(NR * PAGE)
#define LARGE	(4ULL << 20)

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

	area_catch_signals();
	self->fd = uapi_open(NULL);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, uapi_get_info(self->fd, &self->start));
	mapping = MAPPING(NR);
	self->handle = mapping.handle;
	self->vaddr = mapping.start;
	ASSERT_EQ(0, fill(self->fd, self->handle, SIZE));
	ASSERT_EQ(0, uapi_export(self->fd, self->handle, &self->export));
}

FIXTURE_TEARDOWN(export)
{
	close(self->export);
	CLIENT_TEARDOWN();
}

static inline unsigned char *mmap_export(int export, __u64 offset, size_t nr_bytes, int protection)
{
	return mmap(NULL, nr_bytes, protection, MAP_SHARED, export, offset);
}

/* Check that the mapping exists exactly once. */
#define EXPECT_THERE()									\
	do {										\
		struct theseus_mm_info _info = INFO();					\
											\
		EXPECT_EQ(self->start.nr_mappings + 1, _info.nr_mappings);		\
		EXPECT_EQ(self->start.pages_free - NR, _info.pages_free);		\
	} while (0)

static inline int query_export(int export, struct theseus_mm_query *query)
{
	*query = (struct theseus_mm_query){ 0 };
	return uapi_call(export, THESEUS_MM_IOC_QUERY, query);
}

static inline int revoke_export(int export, __u32 *nr)
{
	struct theseus_mm_revoke call = { 0 };
	int err = uapi_call(export, THESEUS_MM_IOC_REVOKE, &call);

	*nr = call.nr_revoked;
	return err;
}

/* Every use of a stale descriptor fails with ESTALE. */
#define EXPECT_STALE(export)								\
	do {										\
		struct theseus_mm_query _query;						\
		__u32 _nr;								\
											\
		EXPECT_ERRNO(ESTALE, mmap_export(export, 0, PAGE, R));			\
		EXPECT_ERRNO(ESTALE, mmap_export(export, 0, LARGE, R));			\
		EXPECT_EQ(-ESTALE, uapi_import(self->fd, export, &_nr));		\
		EXPECT_EQ(-ESTALE, query_export(export, &_query));			\
		EXPECT_EQ(-ESTALE, revoke_export(export, &_nr));			\
	} while (0)

#endif /* TESTS_EXPORT_H */
