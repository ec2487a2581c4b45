// SPDX-License-Identifier: GPL-2.0
/*
 * Limits: what a client and a user may have. Memory is charged before it is allocated, and stays
 * charged until it is free again.
 */
#include "area.h"
#include "limits_client.h"

#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define FRAMES_OF(fd)		LIMITS(fd).client_frames
#define USER_FRAMES_OF(fd)	LIMITS(fd).user_frames

TEST_F(limits, leave_room_for_others)
{
	struct theseus_mm_limits limits = LIMITS(self->theirs);

	EXPECT_EQ(NO_LIMIT, limits.client_frames_max);
	EXPECT_EQ(self->start.pages_total / 4, limits.client_pages_max);
	EXPECT_EQ(1 << 16, limits.client_handles_max);
	EXPECT_EQ(NO_LIMIT, limits.user_frames_max);
	EXPECT_EQ(self->start.pages_total / 2, limits.user_pages_max);
	EXPECT_EQ(1 << 17, limits.user_handles_max);
	EXPECT_EQ(0, limits.client_frames);
	EXPECT_EQ(0, limits.client_pages);
	EXPECT_EQ(0, limits.client_handles);
	EXPECT_EQ(0, limits.user_frames);
	EXPECT_EQ(0, limits.user_pages);
	EXPECT_EQ(0, limits.user_handles);
}

TEST_F(limits, count_what_is_owned_and_its_tables)
{
	__u32 frames = FRAMES(5).handle, mapping, first, second, pages, runs[4], nr = 4;
	__u64 nr_tables;

	PAGES(100);
	EXPECT_EQ(5, FRAMES_OF(self->fd));
	mapping = MAPPING(3).handle;
	nr_tables = INFO().nr_tables - self->start.nr_tables;
	EXPECT_EQ(8 + nr_tables, FRAMES_OF(self->fd));
	EXPECT_EQ(3, LIMITS(self->fd).client_handles);
	/* after a split, each part is charged separately */
	ASSERT_EQ(0, uapi_split(self->fd, frames, 2 * PAGE, &first, &second));
	ASSERT_EQ(0, uapi_drop(self->fd, first));
	EXPECT_EQ(6 + nr_tables, FRAMES_OF(self->fd));
	ASSERT_EQ(0, uapi_split(self->fd, mapping, PAGE, &first, &second));
	ASSERT_EQ(0, uapi_merge(self->fd, first, second));
	EXPECT_EQ(6 + nr_tables, FRAMES_OF(self->fd));
	ASSERT_EQ(0, uapi_split(self->fd, first, PAGE, &first, &second));
	ASSERT_EQ(0, uapi_drop(self->fd, second));
	EXPECT_EQ(4 + nr_tables, FRAMES_OF(self->fd));
	ASSERT_EQ(0, uapi_unmap_into_parts(self->fd, first, &pages, runs, &nr));
	EXPECT_EQ(4, FRAMES_OF(self->fd));
	ASSERT_EQ(0, uapi_drop(self->fd, runs[0]));
	EXPECT_EQ(3, FRAMES_OF(self->fd));
}

TEST_F(limits, are_for_every_call_that_takes_frames)
{
	struct theseus_mm_create_mapping mapping;
	struct theseus_mm_create_item items[2];
	__u32 frames = FRAMES(8).handle, pages = PAGES(3).handle;
	struct theseus_mm_map map;

	ASSERT_EQ(0, uapi_set_limits(self->fd, 10, NO_LIMIT));
	EXPECT_EDQUOT(take(self->fd, 3, NULL), frames);
	EXPECT_EDQUOT(take(self->fd, 1ULL << 40, NULL), frames);
	EXPECT_EDQUOT(uapi_create_mapping(self->fd, 3 * PAGE, THESEUS_MM_PTE_DATA, &mapping),
		      frames);
	EXPECT_EDQUOT(uapi_create_contiguous_mapping(self->fd, 3 * PAGE, THESEUS_MM_PTE_DATA,
						     &mapping), frames);
	EXPECT_EDQUOT(uapi_map_allocated_pages(self->fd, pages, THESEUS_MM_PTE_DATA, &map), frames,
		      pages);
	memset(items, 0, sizeof(items));
	items[0].size = 3 * PAGE;
	items[0].pte_flags = THESEUS_MM_PTE_DATA;
	items[1] = items[0];
	EXPECT_EDQUOT(uapi_create_batch(self->fd, THESEUS_MM_BATCH_ALL_OR_NOTHING, items, 2, NULL),
		      frames);
	ASSERT_EQ(0, uapi_create_batch(self->fd, 0, items, 2, NULL));
	EXPECT_EQ(EDQUOT, items[0].error);
	/* a client can have all that the limit allows */
	EXPECT_EQ(0, take(self->fd, 2, NULL));
	EXPECT_EQ(10, FRAMES_OF(self->fd));
	EXPECT_EDQUOT(take(self->fd, 1, NULL), frames);
}

/* Choose an address without neighbours, so that all tables below the root are missing. */
TEST_F(limits, are_for_page_tables_too)
{
	struct theseus_mm_allocate pages = {
		.flags = THESEUS_MM_ALLOCATE_AT,
		.at = self->start.pages_start + (3ULL << 39),
		.size = 2,
	};
	__u32 frames = FRAMES(2).handle;
	struct theseus_mm_map mapping;
	__u64 nr_tables;

	ASSERT_EQ(0, uapi_allocate_pages(self->fd, &pages));
	ASSERT_EQ(0, uapi_set_limits(self->fd, 4, NO_LIMIT));
	EXPECT_EDQUOT(uapi_map_allocated_pages_to(self->fd, pages.handle, frames,
						  THESEUS_MM_PTE_DATA, &mapping),
		      pages.handle, frames);
	EXPECT_EDQUOT(uapi_map_allocated_pages(self->fd, pages.handle, THESEUS_MM_PTE_DATA,
					       &mapping), pages.handle, frames);
	ASSERT_EQ(0, uapi_set_limits(self->fd, 6, NO_LIMIT));
	ASSERT_EQ(0, uapi_map_allocated_pages_to(self->fd, pages.handle, frames,
						 THESEUS_MM_PTE_DATA, &mapping));
	nr_tables = INFO().nr_tables - self->start.nr_tables;
	EXPECT_LE(3, nr_tables);
	EXPECT_EQ(2 + nr_tables, FRAMES_OF(self->fd));
	ASSERT_EQ(0, uapi_drop(self->fd, mapping.handle));
	EXPECT_EQ(0, FRAMES_OF(self->fd));
}

TEST_F(limits, count_nothing_for_a_call_that_fails)
{
	struct theseus_mm_create_mapping mapping;

	EXPECT_REFUSED(ENOSPC, take(self->fd, 1ULL << 40, NULL));
	EXPECT_REFUSED(ENOSPC, uapi_create_mapping(self->fd, 1ULL << 36, THESEUS_MM_PTE_DATA,
						   &mapping));
	EXPECT_REFUSED(ENOSPC, uapi_create_contiguous_mapping(self->fd, 1ULL << 40,
							      THESEUS_MM_PTE_DATA, &mapping));
	EXPECT_REFUSED(EINVAL, uapi_create_mapping(self->fd, 0, THESEUS_MM_PTE_DATA, &mapping));
	EXPECT_REFUSED(EFAULT, uapi_call(self->fd, THESEUS_MM_IOC_CREATE_MAPPING, NULL));
	EXPECT_EQ(0, FRAMES_OF(self->fd));
	EXPECT_EQ(0, LIMITS(self->fd).client_handles);
}

TEST_F(limits, can_be_lowered_and_take_nothing_away)
{
	__u32 frames = FRAMES(8).handle;

	ASSERT_EQ(0, uapi_set_limits(self->fd, 20, 30));
	EXPECT_EQ(20, LIMITS(self->fd).client_frames_max);
	EXPECT_EQ(30, LIMITS(self->fd).client_handles_max);
	/* set one limit at a time; the others stay */
	ASSERT_EQ(0, uapi_set_limit(self->fd, THESEUS_MM_SET_PAGES, 40));
	EXPECT_EQ(20, LIMITS(self->fd).client_frames_max);
	EXPECT_EQ(40, LIMITS(self->fd).client_pages_max);
	EXPECT_EQ(30, LIMITS(self->fd).client_handles_max);
	ASSERT_EQ(0, uapi_set_limits(self->fd, 3, NO_LIMIT));
	EXPECT_EQ(8, QUERY(frames).nr_pages);
	EXPECT_EDQUOT(take(self->fd, 1, NULL), frames);
	ASSERT_EQ(0, uapi_drop(self->fd, frames));
	EXPECT_EQ(0, take(self->fd, 3, NULL));
	EXPECT_EQ(NO_LIMIT, LIMITS(self->theirs).client_frames_max);
}

TEST_F(limits, are_raised_by_the_privileged_only)
{
	struct theseus_mm_limits lower = {
		.flags = THESEUS_MM_SET_FRAMES,
		.client_frames_max = 18,
		.client_pages_max = NO_LIMIT,
		.client_handles_max = NO_LIMIT,
	};
	struct theseus_mm_limits was, is;

	ASSERT_EQ(0, uapi_set_limits(self->fd, 20, 30));
	ASSERT_EQ(0, set_capability(CAP_SYS_RESOURCE, false));
	was = LIMITS(self->fd);
	EXPECT_EQ(-EPERM, uapi_set_limits(self->fd, 21, NO_LIMIT));
	EXPECT_EQ(-EPERM, uapi_set_limits(self->fd, NO_LIMIT, 31));
	/* SET_LIMITS sets all limits that the flags name, or none */
	EXPECT_EQ(-EPERM, uapi_set_limits(self->fd, 10, 31));
	EXPECT_EQ(-EPERM, uapi_set_limits(self->fd, 21, 10));
	EXPECT_EQ(-EPERM, uapi_set_limits(self->fd, NO_LIMIT - 1, NO_LIMIT));
	is = LIMITS(self->fd);
	EXPECT_EQ(0, memcmp(&was, &is, sizeof(is)));
	EXPECT_EQ(0, uapi_set_limits(self->fd, 20, 30));
	EXPECT_EQ(0, uapi_set_limits(self->fd, 19, 30));
	/* a field without its flag changes nothing */
	EXPECT_EQ(0, uapi_call(self->fd, THESEUS_MM_IOC_SET_LIMITS, &lower));
	EXPECT_EQ(18, LIMITS(self->fd).client_frames_max);
	EXPECT_EQ(30, LIMITS(self->fd).client_handles_max);
	ASSERT_EQ(0, set_capability(CAP_SYS_RESOURCE, true));
	EXPECT_EQ(0, uapi_set_limits(self->fd, 21, 31));
	EXPECT_EQ(21, LIMITS(self->fd).client_frames_max);
	EXPECT_EQ(31, LIMITS(self->fd).client_handles_max);
}

TEST_F(limits, refuse_reserved_fields)
{
	struct theseus_mm_limits call = { .reserved = 1, .client_frames_max = 1 };

	EXPECT_REFUSED(EINVAL, uapi_call(self->fd, THESEUS_MM_IOC_GET_LIMITS, &call));
	call.flags = THESEUS_MM_SET_FRAMES;
	EXPECT_REFUSED(EINVAL, uapi_call(self->fd, THESEUS_MM_IOC_SET_LIMITS, &call));
	EXPECT_EQ(NO_LIMIT, LIMITS(self->fd).client_frames_max);
}

TEST_F(limits, are_set_as_the_flags_say)
{
	struct theseus_mm_limits call = { .client_frames_max = 1 };

	/* refused: no flag, and an unknown flag */
	EXPECT_REFUSED(EINVAL, uapi_call(self->fd, THESEUS_MM_IOC_SET_LIMITS, &call));
	call.flags = THESEUS_MM_SET_LIMITS_FLAGS_ALL + 1;
	EXPECT_REFUSED(EINVAL, uapi_call(self->fd, THESEUS_MM_IOC_SET_LIMITS, &call));
	call.flags = THESEUS_MM_SET_FRAMES;
	EXPECT_REFUSED(EINVAL, uapi_call(self->fd, THESEUS_MM_IOC_GET_LIMITS, &call));
	EXPECT_EQ(NO_LIMIT, LIMITS(self->fd).client_frames_max);
}

TEST_F(limits, can_be_taken_away_by_the_privileged)
{
	ASSERT_EQ(0, uapi_set_limit(self->fd, THESEUS_MM_SET_LIMITS_FLAGS_ALL, 20));
	ASSERT_EQ(0, set_capability(CAP_SYS_RESOURCE, false));
	EXPECT_EQ(-EPERM, uapi_set_limit(self->fd, THESEUS_MM_SET_FRAMES, NO_LIMIT));
	EXPECT_EQ(-EPERM, uapi_set_limit(self->fd, THESEUS_MM_SET_PAGES, NO_LIMIT));
	EXPECT_EQ(-EPERM, uapi_set_limit(self->fd, THESEUS_MM_SET_HANDLES, NO_LIMIT));
	EXPECT_EQ(20, LIMITS(self->fd).client_frames_max);
	ASSERT_EQ(0, set_capability(CAP_SYS_RESOURCE, true));
	ASSERT_EQ(0, uapi_set_limit(self->fd, THESEUS_MM_SET_LIMITS_FLAGS_ALL, NO_LIMIT));
	EXPECT_EQ(NO_LIMIT, LIMITS(self->fd).client_frames_max);
	EXPECT_EQ(NO_LIMIT, LIMITS(self->fd).client_pages_max);
	EXPECT_EQ(NO_LIMIT, LIMITS(self->fd).client_handles_max);
	EXPECT_EQ(0, take(self->fd, 21, NULL));
}

TEST_F(limits, of_a_client_are_the_parameters_when_it_is_opened)
{
	int later;

	ASSERT_EQ(0, write_parameter("max_frames", "7"));
	ASSERT_EQ(0, write_parameter("max_handles", "5"));
	EXPECT_EQ(NO_LIMIT, LIMITS(self->fd).client_frames_max);
	later = uapi_open(NULL);
	ASSERT_LE(0, later);
	EXPECT_EQ(7, LIMITS(later).client_frames_max);
	EXPECT_EQ(5, LIMITS(later).client_handles_max);
	EXPECT_EQ(-EDQUOT, take(later, 8, NULL));
	EXPECT_EQ(0, take(later, 7, NULL));
	ASSERT_EQ(0, write_parameter("max_frames", "9"));
	EXPECT_EQ(7, LIMITS(later).client_frames_max);
	close(later);
}

TEST_F(limits, of_a_user_are_for_all_their_clients)
{
	__u32 frames;

	ASSERT_EQ(0, write_number("max_user_frames", 10));
	EXPECT_EQ(10, LIMITS(self->theirs).user_frames_max);
	ASSERT_EQ(0, take(self->theirs, 6, &frames));
	EXPECT_EQ(-EDQUOT, take(self->also_theirs, 5, NULL));
	EXPECT_EQ(0, FRAMES_OF(self->also_theirs));
	EXPECT_EQ(6, USER_FRAMES_OF(self->also_theirs));
	ASSERT_EQ(0, take(self->also_theirs, 4, NULL));
	EXPECT_EQ(-EDQUOT, take(self->theirs, 1, NULL));
	EXPECT_EQ(10, USER_FRAMES_OF(self->theirs));
	EXPECT_EQ(6, FRAMES_OF(self->theirs));
	/* another user has its own limit */
	EXPECT_EQ(0, USER_FRAMES_OF(self->fd));
	EXPECT_EQ(0, take(self->fd, 10, NULL));
	EXPECT_EQ(-EDQUOT, take(self->fd, 1, NULL));
	/* frames that one client gives back are there for another client of the user */
	ASSERT_EQ(0, uapi_drop(self->theirs, frames));
	EXPECT_EQ(0, take(self->also_theirs, 6, NULL));
	/* a change of the parameter applies to present users at once */
	ASSERT_EQ(0, write_number("max_user_frames", 11));
	EXPECT_EQ(0, take(self->theirs, 1, NULL));
	ASSERT_EQ(0, write_number("max_user_frames", 3));
	EXPECT_EQ(-EDQUOT, take(self->theirs, 1, NULL));
	EXPECT_EQ(11, USER_FRAMES_OF(self->theirs));
}

TEST_F(limits, count_no_more_what_a_client_had_that_is_closed)
{
	struct theseus_mm_create_mapping mapping;

	ASSERT_EQ(0, take(self->also_theirs, 6, NULL));
	ASSERT_EQ(0, uapi_create_mapping(self->also_theirs, 7 * PAGE, THESEUS_MM_PTE_DATA,
					 &mapping));
	EXPECT_LE(13, USER_FRAMES_OF(self->theirs));
	EXPECT_EQ(2, LIMITS(self->theirs).user_handles);
	close(self->also_theirs);
	EXPECT_EQ(0, USER_FRAMES_OF(self->theirs));
	EXPECT_EQ(0, LIMITS(self->theirs).user_handles);
	self->also_theirs = -1;
}

TEST_F(limits, count_no_more_what_a_process_had_that_is_killed)
{
	struct theseus_mm_create_mapping mapping;
	int ready[2], status;
	char byte = 0;
	pid_t child;

	ASSERT_EQ(0, pipe(ready));
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		int fd = open_as(SOMEBODY);

		byte = fd < 0 || take(fd, 6, NULL) ||
		       uapi_create_mapping(fd, 7 * PAGE, THESEUS_MM_PTE_DATA, &mapping);
		if (write(ready[1], &byte, 1) == 1)
			pause();
		_exit(1);
	}
	ASSERT_EQ(1, read(ready[0], &byte, 1));
	EXPECT_EQ(0, byte);
	EXPECT_LE(13, USER_FRAMES_OF(self->theirs));
	ASSERT_EQ(0, kill(child, SIGKILL));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, USER_FRAMES_OF(self->theirs));
	EXPECT_EQ(0, LIMITS(self->theirs).user_handles);
}

/*
 * All clients of the user are gone, but the user is still charged: a new client shares that
 * charge.
 */
TEST_F(limits, count_what_a_process_still_has_mapped)
{
	struct theseus_mm_create_mapping mapping;
	unsigned char *area;
	__u64 offset;

	ASSERT_EQ(0, uapi_create_mapping(self->theirs, 5 * PAGE, THESEUS_MM_PTE_DATA, &mapping));
	ASSERT_EQ(0, uapi_map_offset(self->theirs, mapping.handle, &offset, NULL));
	area = mmap(NULL, 5 * PAGE, RW, MAP_SHARED, self->theirs, offset);
	ASSERT_NE(MAP_FAILED, (void *)area);
	area[0] = 1;
	close(self->theirs);
	EXPECT_LE(5, USER_FRAMES_OF(self->also_theirs));
	EXPECT_EQ(0, FRAMES_OF(self->also_theirs));
	EXPECT_EQ(1, LIMITS(self->also_theirs).user_handles);
	close(self->also_theirs);
	self->also_theirs = open_as(SOMEBODY);
	ASSERT_LE(0, self->also_theirs);
	EXPECT_LE(5, USER_FRAMES_OF(self->also_theirs));
	ASSERT_EQ(0, write_number("max_user_frames", 6));
	EXPECT_EQ(-EDQUOT, take(self->also_theirs, 2, NULL));
	ASSERT_EQ(0, munmap(area, 5 * PAGE));
	EXPECT_EQ(0, USER_FRAMES_OF(self->also_theirs));
	EXPECT_EQ(0, take(self->also_theirs, 6, NULL));
	self->theirs = -1;
}

/*
 * In a child: take @nr frames as user @uid of a user namespace that SOMEBODY made. User 0 is
 * SOMEBODY, and user 1 is another user.
 *
 * Return: the error, or 0
 */
static int take_in_namespace(int ready, int go, __u64 nr, uid_t uid)
{
	char byte = 0;
	int fd;

	if (setresuid(SOMEBODY, SOMEBODY, SOMEBODY) || unshare(CLONE_NEWUSER))
		return errno;
	if (write(ready, &byte, 1) != 1 || read(go, &byte, 1) != 1 ||
	    setresuid(uid, uid, uid))
		return errno;
	fd = uapi_open(NULL);
	return fd < 0 ? -fd : -take(fd, nr, NULL);
}

static int write_map(pid_t pid, const char *map)
{
	char path[40];
	ssize_t nr;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	nr = write(fd, map, strlen(map));
	close(fd);
	return nr == (ssize_t)strlen(map) ? 0 : -errno;
}

/* Return: the error of allocating @nr frames as user @uid in a namespace of SOMEBODY, or 0 */
static int error_in_namespace(__u64 nr, uid_t uid)
{
	int ready[2], go[2], status = -1;
	char byte = 0;
	pid_t child;

	if (pipe(ready) || pipe(go))
		return errno;
	child = fork();
	if (!child)
		_exit(take_in_namespace(ready[1], go[0], nr, uid));
	if (read(ready[0], &byte, 1) != 1 || write_map(child, "0 1234 1\n1 5000 1\n") ||
	    write(go[1], &byte, 1) != 1)
		kill(child, SIGKILL);
	waitpid(child, &status, 0);
	close(ready[0]);
	close(ready[1]);
	close(go[0]);
	close(go[1]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(limits, of_a_user_are_for_their_user_namespaces_too)
{
	uid_t uid;

	ASSERT_EQ(0, chmod("/dev/theseus_mm", 0666));
	ASSERT_EQ(0, write_number("max_user_frames", 10));
	ASSERT_EQ(0, take(self->theirs, 6, NULL));
	for (uid = 0; uid < 2; uid++) {
		EXPECT_EQ(EDQUOT, error_in_namespace(5, uid));
		EXPECT_EQ(0, error_in_namespace(4, uid));
		/* freed frames no longer count */
		EXPECT_EQ(6, USER_FRAMES_OF(self->theirs));
		EXPECT_EQ(0, error_in_namespace(4, uid));
	}
	EXPECT_EQ(0, chmod("/dev/theseus_mm", 0600));
}

TEST_F(limits, parameters_are_numbers_or_unlimited)
{
	static const char *const names[] = {
		"max_frames", "max_pages", "max_handles",
		"max_user_frames", "max_user_pages", "max_user_handles",
	};
	static const char *const bad[] = { "-1", "ten", "1 2", "18446744073709551616" };
	char text[32];
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		ASSERT_EQ(0, write_parameter(names[i], "0x1000"));
		for (j = 0; j < ARRAY_SIZE(bad); j++)
			EXPECT_GT(0, write_parameter(names[i], bad[j]));
		ASSERT_EQ(0, read_parameter(names[i], text));
		EXPECT_STREQ("4096\n", text);
		ASSERT_EQ(0, write_parameter(names[i], "unlimited\n"));
		ASSERT_EQ(0, read_parameter(names[i], text));
		EXPECT_STREQ("unlimited\n", text);
	}
}

TEST_HARNESS_MAIN
