// SPDX-License-Identifier: GPL-2.0
/*
 * Refusals of rights that are less than ownership: calls on descriptors refuse unknown flags, and
 * a refused call changes nothing.
 */
#include "rights.h"

#include <fcntl.h>

/* Calls on descriptors have no flags, so each of the 32 bits is refused. */
#define EXPECT_FLAGS_REFUSED(fd, request, call)						\
	do {										\
		unsigned int _bit;							\
											\
		for (_bit = 0; _bit < 32; _bit++) {					\
			(call)->flags = 1U << _bit;					\
			EXPECT_EQ(-EINVAL, uapi_call(fd, request, call));		\
		}									\
		(call)->flags = 0;							\
		EXPECT_EQ(0, uapi_call(fd, request, call));				\
	} while (0)

TEST_F(rights, flags_of_calls_on_descriptors)
{
	struct theseus_mm_revoke revoke = { 0 };
	struct theseus_mm_import import = { 0 };
	struct theseus_mm_query query = { 0 };

	import.fd = EXPORT(BORROW);
	EXPECT_FLAGS_REFUSED(import.fd, THESEUS_MM_IOC_QUERY, &query);
	close(import.fd);
	import.fd = EXPORT(0);
	EXPECT_FLAGS_REFUSED(import.fd, THESEUS_MM_IOC_QUERY, &query);
	EXPECT_FLAGS_REFUSED(import.fd, THESEUS_MM_IOC_REVOKE, &revoke);
	EXPECT_FLAGS_REFUSED(self->other, THESEUS_MM_IOC_IMPORT, &import);
	close(import.fd);
}

/* The descriptor is O_RDONLY, but its holder may still revoke the areas. */
TEST_F(rights, revoke_of_a_read_only_export_is_not)
{
	struct theseus_mm_revoke revoke = { 0 };
	int export = EXPORT(SEALED);
	unsigned char *area = mmap(NULL, SIZE, R, MAP_SHARED, export, 0), byte;

	ASSERT_NE((unsigned char *)MAP_FAILED, area);
	ASSERT_EQ(0, load(area, &byte));
	EXPECT_EQ(O_RDONLY, fcntl(export, F_GETFL) & O_ACCMODE);
	ASSERT_EQ(0, uapi_call(export, THESEUS_MM_IOC_REVOKE, &revoke));
	EXPECT_EQ(1, revoke.nr_revoked);
	EXPECT_EQ(SIGBUS, load(area, &byte));
	EXPECT_EQ(0, munmap(area, SIZE));
	close(export);
}

/* The mapping was read-only before the import that is refused, and stays so. */
TEST_F(rights, an_import_that_unseals_nothing)
{
	struct theseus_mm_query query;
	int export = EXPORT(SEALED);
	__u32 id, handle;

	ASSERT_EQ(0, uapi_import(self->other, export, &handle));
	close(export);
	ASSERT_EQ(0, uapi_export_as(self->other, handle, SEALED, &export, &id));
	ASSERT_EQ(0, uapi_set_limits(self->fd, NR - 1, THESEUS_MM_NO_LIMIT));
	EXPECT_EQ(-EDQUOT, uapi_import(self->fd, export, &handle));
	ASSERT_EQ(0, uapi_take_back(self->other, id, &handle));
	ASSERT_EQ(0, uapi_query(self->other, handle, &query));
	EXPECT_EQ(THESEUS_MM_ATTRIBUTE_READ_ONLY, query.attributes);
	EXPECT_EQ(-EACCES, uapi_remap(self->other, handle, THESEUS_MM_PTE_DATA));
	EXPECT_EQ(EACCES, mmap_errno(self->other, handle, RW));
	close(export);
}

TEST_HARNESS_MAIN
