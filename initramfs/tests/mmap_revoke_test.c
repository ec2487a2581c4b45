// SPDX-License-Identifier: GPL-2.0
/*
 * REVOKE removes a mapping from all processes, whatever they did with their areas.
 */
#include "borrow.h"

#include <sys/wait.h>

/* Also 32-bit: offsets have to fit mmap2(). */

TEST_F(borrow, revoke_takes_a_writable_area_away)
{
	unsigned char *area = AREA(self->handle, RW), *anew, byte;
	__u32 nr;

	EXPECT_EQ(0, store(area, 5));
	EXPECT_EQ(0, uapi_revoke(self->fd, self->handle, &nr));
	EXPECT_EQ(1, nr);
	EXPECT_EQ(SIGBUS, load(area, &byte));
	EXPECT_EQ(SIGBUS, store(area, 6));
	EXPECT_EQ(SIGBUS, load(area + SIZE - 1, &byte));
	EXPECT_FREE(self->handle);
	ASSERT_EQ(0, uapi_read(self->fd, self->handle, 0, &byte, 1));
	anew = AREA(self->handle, RW);
	EXPECT_EQ(0, store(anew, 8));
	EXPECT_EQ(SIGBUS, load(area, &byte));
	EXPECT_EQ(0, munmap(area, SIZE));
	/* munmap() of the old area does not end the new borrow */
	EXPECT_EXCLUDED(self->handle);
	EXPECT_EQ(0, munmap(anew, SIZE));
	EXPECT_FREE(self->handle);
}

TEST_F(borrow, revoke_counts_borrows)
{
	unsigned char *first = AREA(self->handle, R), *second = AREA(self->handle, R), byte;
	__u32 nr = 99;

	EXPECT_EQ(0, munmap(first + PAGE, PAGE));
	EXPECT_EQ(0, uapi_revoke(self->fd, self->handle, &nr));
	EXPECT_EQ(2, nr);
	EXPECT_EQ(SIGBUS, load(first, &byte));
	EXPECT_EQ(SIGBUS, load(second, &byte));
	EXPECT_EQ(0, uapi_revoke(self->fd, self->handle, &nr));
	EXPECT_EQ(0, nr);
	EXPECT_EQ(0, munmap(first, SIZE));
	EXPECT_EQ(0, munmap(second, SIZE));
}

TEST_F(borrow, revoke_of_nothing)
{
	__u32 nr = 99;

	EXPECT_REFUSED(0, uapi_revoke(self->fd, self->handle, &nr), self->handle);
	EXPECT_EQ(0, nr);
	EXPECT_EQ(0, mmap_errno(self->fd, self->handle, R));
	nr = 99;
	EXPECT_REFUSED(0, uapi_revoke(self->fd, self->handle, &nr), self->handle);
	EXPECT_EQ(0, nr);
}

/* If the result cannot be stored, nothing is revoked. */
TEST_F(borrow, revoke_is_undone_if_its_result_cannot_be_stored)
{
	struct theseus_mm_revoke *call = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char *area = AREA(self->handle, R);

	call->handle = self->handle;
	ASSERT_EQ(0, mprotect(call, PAGE, R));
	EXPECT_REFUSED(EFAULT, uapi_call(self->fd, THESEUS_MM_IOC_REVOKE, call), self->handle);
	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	EXPECT_EQ(0, munmap(area, SIZE));
}

TEST_F(borrow, revoke_allows_changes)
{
	struct theseus_mm_info before = self->start, after;
	unsigned char *area = AREA(self->handle, RW), byte;
	char text[SNAPSHOT_TEXT];
	__u32 first = 0, second = 0;

	EXPECT_EQ(0, store(area, 1));
	EXPECT_EQ(-EBUSY, uapi_drop(self->fd, self->handle));
	EXPECT_EQ(0, uapi_revoke(self->fd, self->handle, NULL));
	EXPECT_EQ(0, uapi_remap(self->fd, self->handle, READ_ONLY));
	EXPECT_EQ(0, uapi_split(self->fd, self->handle, PAGE, &first, &second));
	EXPECT_EQ(0, uapi_merge(self->fd, first, second));
	EXPECT_EQ(0, uapi_drop(self->fd, first));
	/* the area's file counts until the area is gone */
	before.client_handles++;
	after = INFO();
	EXPECT_STREQ("", info_difference(&before, &after, text));
	EXPECT_EQ(SIGBUS, load(area, &byte));
	EXPECT_EQ(0, munmap(area, SIZE));
}

TEST_F(borrow, revoked_areas_can_be_changed)
{
	unsigned char *area = AREA(self->handle, RW), *moved, byte;

	EXPECT_EQ(0, uapi_revoke(self->fd, self->handle, NULL));
	EXPECT_EQ(0, mprotect(area + PAGE, PAGE, R));
	EXPECT_EQ(SIGBUS, load(area + PAGE, &byte));
	EXPECT_EQ(0, munmap(area, PAGE));
	moved = mremap(area + PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, area);
	EXPECT_EQ(area, moved);
	EXPECT_EQ(SIGBUS, load(moved, &byte));
	EXPECT_EQ(SIGBUS, store(area + 2 * PAGE, 1));
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_FREE(self->handle);
}

TEST_F(borrow, revoke_reaches_other_processes)
{
	int ready[2], go[2], status;
	unsigned char byte = 0;
	__u32 nr;
	pid_t pid;

	ASSERT_EQ(0, pipe(ready));
	ASSERT_EQ(0, pipe(go));
	pid = fork();
	if (!pid) {
		unsigned char *area = mmap_all(self->fd, self->handle, RW);

		if (area == MAP_FAILED || store(area, 1) || write(ready[1], "", 1) != 1 ||
		    read(go[0], &byte, 1) != 1)
			_exit(99);
		_exit(load(area, &byte));
	}
	EXPECT_EQ(1, read(ready[0], &byte, 1));
	EXPECT_EXCLUDED(self->handle);
	EXPECT_EQ(0, uapi_revoke(self->fd, self->handle, &nr));
	EXPECT_EQ(1, nr);
	EXPECT_FREE(self->handle);
	EXPECT_EQ(1, write(go[1], "", 1));
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(SIGBUS, WEXITSTATUS(status));
}

/* REVOKE touches no other mapping. */
TEST_F(borrow, revoke_leaves_other_mappings_alone)
{
	__u32 other = MAPPING(NR).handle;
	unsigned char *area = AREA(self->handle, R), *others;

	ASSERT_EQ(0, fill(self->fd, other, SIZE));
	others = AREA(other, R);
	EXPECT_EQ(SIZE, nr_alike(others, 0, SIZE));
	EXPECT_EQ(0, uapi_revoke(self->fd, self->handle, NULL));
	EXPECT_EQ(SIZE, nr_alike(others, 0, SIZE));
	EXPECT_EQ(-EBUSY, write_byte(self->fd, other));
	EXPECT_EQ(0, munmap(others, SIZE));
	EXPECT_EQ(0, munmap(area, SIZE));
}

/* The call's structure lies in the area: the call succeeds exactly if it revokes the area. */
TEST_F(borrow, revoke_from_within_the_area)
{
	unsigned char *area = AREA(self->handle, RW), byte;
	struct theseus_mm_revoke *call = (struct theseus_mm_revoke *)(area + PAGE);
	int err;

	*call = (struct theseus_mm_revoke){ .handle = self->handle };
	err = uapi_call(self->fd, THESEUS_MM_IOC_REVOKE, call);
	EXPECT_EQ(0, err);
	EXPECT_EQ(err ? 1 : 0, QUERY(self->handle).nr_borrows);
	EXPECT_EQ(err ? 0 : SIGBUS, load(area, &byte));
	EXPECT_EQ(0, munmap(area, SIZE));
}

TEST_HARNESS_MAIN
