/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Descriptors of exported and of lent mappings, as this process uses them. The file that
 * includes this header defines SIZE, the size of its mappings.
 */
#ifndef TESTS_EXPORTED_H
#define TESTS_EXPORTED_H

#include "area.h"
#include "woken.h"

#define BORROW	THESEUS_MM_EXPORT_BORROW
#define SEALED	THESEUS_MM_EXPORT_READ_ONLY

/* The events that poll() reports for a descriptor that is stale and has no areas. */
#define GONE	(POLLHUP | POLLERR)

/* A size larger than any mapping of the tests that use this header. */
#define BEYOND	(4ULL << 20)

/* Make a descriptor of a mapping. */
#define EXPORT_OF(handle, flags)							\
	({										\
		int _export;								\
											\
		ASSERT_EQ(0, uapi_export_as(self->fd, handle, flags, &_export, NULL));	\
		_export;								\
	})

static inline unsigned char *mmap_export_at(int export, __u64 offset, size_t nr_bytes,
					    int protection)
{
	return mmap(NULL, nr_bytes, protection, MAP_SHARED, export, offset);
}

static inline unsigned char *mmap_export(int export, size_t nr_bytes, int protection)
{
	return mmap_export_at(export, 0, nr_bytes, protection);
}

#define AREA_OF(export, protection)							\
	({										\
		unsigned char *_area = mmap_export(export, SIZE, protection);		\
											\
		ASSERT_NE((unsigned char *)MAP_FAILED, _area);				\
		_area;									\
	})

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

/* Wait up to @timeout_ms. Return: POLLIN and the events that poll() always reports */
static inline short polled(int fd, int timeout_ms)
{
	struct pollfd wanted = { .fd = fd, .events = POLLIN | POLLOUT | POLLPRI };

	return woken_poll(&wanted, timeout_ms) < 0 ? -1 : wanted.revents;
}

/* Check that a stale descriptor, an export or a lending, cannot be mmapped or queried. */
#define EXPECT_STALE(export)								\
	do {										\
		struct theseus_mm_query _query;						\
											\
		EXPECT_ERRNO(ESTALE, mmap_export(export, PAGE, R));			\
		EXPECT_ERRNO(ESTALE, mmap_export(export, BEYOND, R));			\
		EXPECT_EQ(-ESTALE, query_export(export, &_query));			\
	} while (0)

#endif /* TESTS_EXPORTED_H */
