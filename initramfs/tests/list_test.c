// SPDX-License-Identifier: GPL-2.0
/*
 * LIST_HANDLES: the handles and exports of a client, listed in parts, while other calls
 * change them.
 */
#include "area.h"
#include "client.h"

#include <grp.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define NOBODY	65534
#define NR_MANY	1000

static struct theseus_mm_handle_info infos[NR_MANY + 100];

/* List all entries in infos, @room at a time. Return: 0, or -ENOBUFS if infos may be too small. */
static int list(int fd, __u32 flags, __u32 room, __u32 *nr)
{
	__u32 from = 0, got;
	int err;

	*nr = 0;
	do {
		if (*nr + room > ARRAY_SIZE(infos))
			return -ENOBUFS;
		err = uapi_list_handles(fd, flags, &from, infos + *nr, room, &got);
		if (!err)
			*nr += got;
	} while (!err && from);
	return err;
}

#define LIST(flags)									\
	({										\
		__u32 _nr;								\
											\
		ASSERT_EQ(0, list(self->fd, flags, 50, &_nr));				\
		_nr;									\
	})

/* Does an entry have the same values as QUERY? */
static bool is_as_queried(int fd, const struct theseus_mm_handle_info *info)
{
	struct theseus_mm_query query;

	return !uapi_query(fd, info->handle, &query) && info->kind == query.kind &&
	       info->attributes == query.attributes && info->nr_borrows == query.nr_borrows &&
	       info->start == query.start && info->nr_pages == query.nr_pages &&
	       info->pte_flags == query.pte_flags &&
	       info->nr_frame_ranges == query.nr_frame_ranges && !info->export_id;
}

TEST_F(client, lists_nothing_if_it_owns_nothing)
{
	__u32 from = 77, nr = 77;

	EXPECT_EQ(0, LIST(0));
	EXPECT_EQ(0, LIST(THESEUS_MM_HANDLES_EXPORTS));
	/* without entries, no room is needed */
	EXPECT_EQ(0, uapi_list_handles(self->fd, 0, &from, NULL, 0, &nr));
	EXPECT_EQ(0, from);
	EXPECT_EQ(0, nr);
}

TEST_F(client, lists_objects_of_each_kind_as_query_tells_them)
{
	const __u32 handles[] = {
		PAGES(3).handle, FRAMES(5).handle, MAPPING(4).handle, MAPPING(1).handle,
	};
	unsigned char *area = mmap_all(self->fd, handles[2], R);
	__u32 i, nr;

	ASSERT_NE(MAP_FAILED, (void *)area);
	ASSERT_EQ(0, uapi_share(self->fd, handles[3], true));
	ASSERT_EQ(0, uapi_remap(self->fd, handles[3], READ_ONLY));
	nr = LIST(0);
	ASSERT_EQ(4, nr);
	for (i = 0; i < nr; i++) {
		EXPECT_EQ(handles[i], infos[i].handle);
		EXPECT_TRUE(is_as_queried(self->fd, &infos[i]));
	}
	EXPECT_EQ(1, infos[1].nr_frame_ranges);
	EXPECT_NE(0, infos[1].start);
	EXPECT_EQ(1, infos[2].nr_borrows);
	EXPECT_EQ(THESEUS_MM_ATTRIBUTE_SHAREABLE, infos[3].attributes);
	EXPECT_EQ(0, infos[3].pte_flags & THESEUS_MM_PTE_WRITABLE);
	munmap(area, 4 * PAGE);
}

TEST_F(client, lists_many_in_parts_of_any_size)
{
	static const __u32 rooms[] = { 1, 2, 15, 16, 17, 100, 999, 1000, 1001 };
	static __u32 handles[NR_MANY];
	__u32 i, j, nr;

	for (i = 0; i < NR_MANY; i++)
		handles[i] = PAGES(1).handle;
	/* leave gaps between the handles */
	for (i = 0; i < NR_MANY; i += 7) {
		ASSERT_EQ(0, uapi_drop(self->fd, handles[i]));
		handles[i] = 0;
	}
	for (j = 0; j < ARRAY_SIZE(rooms); j++) {
		ASSERT_EQ(0, list(self->fd, 0, rooms[j], &nr));
		ASSERT_EQ(NR_MANY - (NR_MANY + 6) / 7, nr);
		for (i = 0, nr = 0; i < NR_MANY; i++)
			if (handles[i])
				ASSERT_EQ(handles[i], infos[nr++].handle);
	}
}

TEST_F(client, lists_from_a_handle_on)
{
	const __u32 first = PAGES(1).handle, second = PAGES(1).handle, third = PAGES(1).handle;
	__u32 from = second, nr;

	ASSERT_EQ(0, uapi_list_handles(self->fd, 0, &from, infos, 1, &nr));
	EXPECT_EQ(1, nr);
	EXPECT_EQ(second, infos[0].handle);
	EXPECT_EQ(third, from);
	from = first + 1;
	ASSERT_EQ(0, uapi_list_handles(self->fd, 0, &from, infos, 5, &nr));
	EXPECT_EQ(2, nr);
	EXPECT_EQ(0, from);
	from = third;
	ASSERT_EQ(0, uapi_list_handles(self->fd, 0, &from, infos, 1, &nr));
	EXPECT_EQ(1, nr);
	EXPECT_EQ(0, from);
	from = ~0U;
	ASSERT_EQ(0, uapi_list_handles(self->fd, 0, &from, infos, 5, &nr));
	EXPECT_EQ(0, nr);
	EXPECT_EQ(0, from);
}

TEST_F(client, lists_nothing_without_room)
{
	const __u32 handle = PAGES(1).handle;
	__u32 from = 0, nr = 77;

	EXPECT_REFUSED(ENOBUFS, uapi_list_handles(self->fd, 0, &from, infos, 0, &nr), handle);
	EXPECT_EQ(0, from);
	EXPECT_EQ(77, nr);
	/* after the last handle there is no entry that needs room */
	from = handle + 1;
	EXPECT_EQ(0, uapi_list_handles(self->fd, 0, &from, infos, 0, &nr));
	EXPECT_EQ(0, from);
	EXPECT_EQ(0, nr);
}

TEST_F(client, lists_to_a_good_array_only)
{
	const __u32 handle = PAGES(1).handle;
	__u32 from = 0, nr = 77;

	EXPECT_REFUSED(EFAULT, uapi_list_handles(self->fd, 0, &from, NULL, 1, &nr), handle);
	EXPECT_REFUSED(EFAULT, uapi_list_handles(self->fd, 0, &from,
						 (void *)0xffff888000000000, 1, &nr), handle);
	EXPECT_REFUSED(EFAULT, uapi_list_handles(self->fd, 0, &from, (void *)(~0UL - 60), ~0U,
						 &nr), handle);
	EXPECT_EQ(0, from);
	EXPECT_EQ(77, nr);
}

TEST_F(client, lists_exports_that_nobody_imported)
{
	const __u32 handle = MAPPING(4).handle;
	__u32 nr, other, ids[3];
	int fds[3], i;

	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, uapi_export(self->fd, MAPPING(i + 1).handle, &fds[i]));
	EXPECT_EQ(1, LIST(0));
	EXPECT_EQ(handle, infos[0].handle);
	nr = LIST(THESEUS_MM_HANDLES_EXPORTS);
	ASSERT_EQ(3, nr);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, infos[i].handle);
		EXPECT_EQ(THESEUS_MM_KIND_MAPPING, infos[i].kind);
		EXPECT_EQ(i + 1, infos[i].nr_pages);
		EXPECT_NE(0, infos[i].start);
		EXPECT_NE(0, infos[i].export_id);
		ids[i] = infos[i].export_id;
	}
	EXPECT_LT(ids[0], ids[1]);
	EXPECT_LT(ids[1], ids[2]);
	ASSERT_EQ(0, list(self->fd, THESEUS_MM_HANDLES_EXPORTS, 1, &nr));
	EXPECT_EQ(3, nr);
	ASSERT_EQ(0, uapi_import(self->fd, fds[1], &other));
	close(fds[2]);
	nr = LIST(THESEUS_MM_HANDLES_EXPORTS);
	ASSERT_EQ(1, nr);
	EXPECT_EQ(ids[0], infos[0].export_id);
	EXPECT_EQ(2, LIST(0));
	close(fds[0]);
	close(fds[1]);
	EXPECT_EQ(0, LIST(THESEUS_MM_HANDLES_EXPORTS));
}

/* Does an entry have the same values as QUERY of the descriptor? */
static bool is_as_exported(int export, const struct theseus_mm_handle_info *info)
{
	struct theseus_mm_query query = {};

	return !uapi_call(export, THESEUS_MM_IOC_QUERY, &query) && info->kind == query.kind &&
	       info->attributes == query.attributes && info->start == query.start &&
	       info->nr_pages == query.nr_pages && info->pte_flags == query.pte_flags;
}

TEST_F(client, lists_exports_as_their_descriptors_tell_them)
{
	static const __u32 flags[] = { 0, THESEUS_MM_EXPORT_READ_ONLY };
	int exports[2], i;
	__u32 handle;

	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, uapi_export_as(self->fd, MAPPING(2).handle, flags[i], &exports[i],
					    NULL));
	ASSERT_EQ(2, LIST(THESEUS_MM_HANDLES_EXPORTS));
	for (i = 0; i < 2; i++)
		EXPECT_TRUE(is_as_exported(exports[i], &infos[i]));
	EXPECT_EQ(0, infos[0].attributes);
	EXPECT_NE(0, infos[0].pte_flags & THESEUS_MM_PTE_WRITABLE);
	EXPECT_EQ(THESEUS_MM_ATTRIBUTE_READ_ONLY, infos[1].attributes);
	EXPECT_EQ(0, infos[1].pte_flags & THESEUS_MM_PTE_WRITABLE);
	/* an import changes no property of the mapping in the list */
	ASSERT_EQ(0, uapi_import(self->fd, exports[1], &handle));
	ASSERT_EQ(1, LIST(0));
	EXPECT_TRUE(is_as_queried(self->fd, &infos[0]));
	EXPECT_EQ(THESEUS_MM_ATTRIBUTE_READ_ONLY, infos[0].attributes);
	close(exports[0]);
	close(exports[1]);
}

/* Without privilege, through a descriptor that root has passed on. */
static int sees_no_physical_address(int fd)
{
	__u32 i, nr;

	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY))
		return 100;
	if (list(fd, 0, 10, &nr) || nr != 3)
		return 1;
	for (i = 0; i < nr; i++)
		if (!infos[i].start != (infos[i].kind == THESEUS_MM_KIND_FRAMES))
			return 2;
	return 0;
}

TEST_F(client, lists_frames_without_their_address_to_others)
{
	int status = -1;
	pid_t pid;

	PAGES(1);
	FRAMES(2);
	MAPPING(3);
	pid = fork();
	if (!pid)
		_exit(sees_no_physical_address(self->fd));
	waitpid(pid, &status, 0);
	EXPECT_EQ(0, status);
}

/* A thread that changes some handles while the test lists them. */
struct changer {
	int fd;
	bool is_done;
	__u32 changed;		/* the mapping that the thread splits and merges */
};

static void *change(void *argument)
{
	struct changer *changer = argument;
	__u32 first, second;

	while (!__atomic_load_n(&changer->is_done, __ATOMIC_RELAXED)) {
		if (uapi_split(changer->fd, changer->changed, PAGE, &first, &second) ||
		    uapi_merge(changer->fd, first, second))
			return changer;
		changer->changed = first;
	}
	return NULL;
}

/* Whatever other calls do, a handle that stays is listed exactly once, in order of number. */
TEST_F_TIMEOUT(client, lists_beside_calls_that_change_things, 120)
{
	struct changer changer = { .fd = self->fd, .changed = MAPPING(2).handle };
	static __u32 stays[300];
	__u32 i, j, nr;
	pthread_t thread;
	void *result;

	for (i = 0; i < ARRAY_SIZE(stays); i++)
		stays[i] = PAGES(1).handle;
	ASSERT_EQ(0, pthread_create(&thread, NULL, change, &changer));
	for (j = 0; j < 100; j++) {
		__u32 found = 0;

		ASSERT_EQ(0, list(self->fd, 0, 7, &nr));
		for (i = 0; i < nr; i++) {
			ASSERT_NE(0, infos[i].handle);
			ASSERT_NE(0, infos[i].nr_pages);
			if (i)
				ASSERT_LT(infos[i - 1].handle, infos[i].handle);
			if (found < ARRAY_SIZE(stays) && infos[i].handle == stays[found])
				found++;
		}
		ASSERT_EQ(ARRAY_SIZE(stays), found);
	}
	__atomic_store_n(&changer.is_done, true, __ATOMIC_RELAXED);
	pthread_join(thread, &result);
	EXPECT_EQ(NULL, result);
}

TEST_HARNESS_MAIN
