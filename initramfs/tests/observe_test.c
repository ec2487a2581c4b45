// SPDX-License-Identifier: GPL-2.0
/*
 * Who is there, and what each owns: GET_CLIENTS, the owners of GET_OCCUPANCY,
 * fdinfo. As root, and as others, who see what is theirs.
 */
#include "area.h"
#include "client.h"
#include "text.h"

#include <grp.h>
#include <signal.h>
#include <sys/stat.h>

#define NOBODY		65534
#define SOMEBODY	1000
#define MAX_CLIENTS	64
#define PARTS		THESEUS_MM_MAX_BUCKETS

static struct theseus_mm_bucket buckets[PARTS];
static __u32 owners[PARTS];

/* Region 0 in parts of @bucket_frames, 0 for the module's choice, with their owners. */
static struct theseus_mm_occupancy owners_in(__u64 bucket_frames)
{
	return (struct theseus_mm_occupancy){
		.nr_buckets = PARTS,
		.buckets = (uintptr_t)buckets,
		.owners = (uintptr_t)owners,
		.bucket_frames = bucket_frames,
	};
}

#define GET_OWNERS(fd, bucket_frames)							\
	({										\
		struct theseus_mm_occupancy _call = owners_in(bucket_frames);		\
											\
		ASSERT_EQ(0, tmm_get_occupancy(fd, &_call));				\
		_call;									\
	})

static struct theseus_mm_client_info clients[MAX_CLIENTS];
static struct theseus_mm_clients found;

/* What a client may see of another one; NULL if it may not. */
static struct theseus_mm_client_info *find(int fd, __u32 id)
{
	__u32 i;

	if (tmm_get_clients(fd, clients, MAX_CLIENTS, &found))
		return NULL;
	for (i = 0; i < found.nr_clients && i < MAX_CLIENTS; i++)
		if (clients[i].id == id)
			return &clients[i];
	return NULL;
}

static __u32 id_of(int fd)
{
	struct theseus_mm_info info;

	return tmm_get_info(fd, &info) ? 0 : info.client_id;
}

/* Runs @what in a child as @uid; its result is the child's. */
static int as_user(uid_t uid, int (*what)(void *data), void *data)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		if (setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
			_exit(100);
		_exit(what(data));
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(client, has_a_number_of_its_own)
{
	int other = tmm_open(NULL);
	__u32 first = id_of(other);

	EXPECT_NE(0, INFO().client_id);
	EXPECT_NE(0, first);
	EXPECT_NE(first, INFO().client_id);
	close(other);
	other = tmm_open(NULL);
	EXPECT_NE(first, id_of(other));
	close(other);
}

TEST_F(client, are_counted)
{
	int other = tmm_open(NULL), same = dup(other);

	EXPECT_EQ(self->start.nr_clients + 1, INFO().nr_clients);
	close(other);
	EXPECT_EQ(self->start.nr_clients + 1, INFO().nr_clients);
	close(same);
	EXPECT_EQ(self->start.nr_clients, INFO().nr_clients);
}

TEST_F(client, are_listed_with_what_they_own)
{
	int other = tmm_open(NULL);
	struct theseus_mm_allocate call = { .size = 2 };
	struct theseus_mm_create_mapping mapping;
	struct theseus_mm_client_info *info;

	ASSERT_EQ(0, tmm_allocate_pages(other, &call));
	call = (struct theseus_mm_allocate){ .size = 3 };
	ASSERT_EQ(0, tmm_allocate_frames(other, &call));
	ASSERT_EQ(0, tmm_create_mapping(other, 4 * PAGE, THESEUS_MM_PTE_DATA, &mapping));
	info = find(self->fd, id_of(other));
	ASSERT_NE(NULL, info);
	EXPECT_EQ(0, info->uid);
	EXPECT_EQ(getpid(), info->pid);
	/* the first fifteen characters of this program's name */
	EXPECT_STREQ("observe_test", info->comm);
	EXPECT_EQ(3, info->nr_handles);
	EXPECT_EQ(1, info->nr_mappings);
	EXPECT_LE(7, info->nr_frames);
	EXPECT_GE(7 + 8, info->nr_frames);

	ASSERT_EQ(0, tmm_drop(other, mapping.handle));
	info = find(self->fd, id_of(other));
	ASSERT_NE(NULL, info);
	EXPECT_EQ(0, info->nr_mappings);
	EXPECT_EQ(2, info->nr_handles);
	close(other);
}

TEST_F(client, are_listed_once_each_by_number)
{
	int others[5];
	__u32 i;

	for (i = 0; i < 5; i++)
		others[i] = tmm_open(NULL);
	ASSERT_EQ(0, tmm_get_clients(self->fd, clients, MAX_CLIENTS, &found));
	EXPECT_EQ(self->start.nr_clients + 5, found.nr_clients);
	EXPECT_EQ(0, found.nr_hidden);
	EXPECT_EQ(0, found.hidden_frames);
	for (i = 1; i < found.nr_clients; i++)
		EXPECT_LT(clients[i - 1].id, clients[i].id);
	for (i = 0; i < 5; i++) {
		EXPECT_NE(NULL, find(self->fd, id_of(others[i])));
		close(others[i]);
	}
}

TEST_F(client, are_told_as_far_as_there_is_room)
{
	int other = tmm_open(NULL);

	memset(clients, 0x5a, sizeof(clients));
	ASSERT_EQ(0, tmm_get_clients(self->fd, clients, 1, &found));
	EXPECT_EQ(self->start.nr_clients + 1, found.nr_clients);
	EXPECT_NE(0x5a5a5a5a, clients[0].id);
	EXPECT_EQ(0x5a5a5a5a, clients[1].id);
	ASSERT_EQ(0, tmm_get_clients(self->fd, NULL, 0, &found));
	EXPECT_EQ(self->start.nr_clients + 1, found.nr_clients);
	close(other);
}

TEST_F(client, are_refused_a_bad_array)
{
	EXPECT_REFUSED(EFAULT, tmm_get_clients(self->fd, NULL, 1, &found));
	EXPECT_REFUSED(EFAULT, tmm_get_clients(self->fd, (void *)0xffff888000000000, 1, &found));
	EXPECT_REFUSED(EFAULT, tmm_get_clients(self->fd, (void *)(~0UL - 60), ~0U, &found));
}

TEST_F(client, killed_is_no_longer_listed)
{
	int ready[2], status;
	char byte;
	__u32 id = 0;
	pid_t pid;

	ASSERT_EQ(0, pipe(ready));
	pid = fork();
	if (!pid) {
		int fd = tmm_open(NULL);
		struct theseus_mm_create_mapping mapping;

		byte = fd < 0 || tmm_create_mapping(fd, PAGE, THESEUS_MM_PTE_DATA, &mapping);
		if (write(ready[1], &byte, 1) == 1)
			pause();
		_exit(1);
	}
	ASSERT_EQ(1, read(ready[0], &byte, 1));
	ASSERT_EQ(0, byte);
	ASSERT_EQ(0, tmm_get_clients(self->fd, clients, MAX_CLIENTS, &found));
	while (clients[id].pid != pid && id < found.nr_clients)
		id++;
	ASSERT_LT(id, found.nr_clients);
	id = clients[id].id;
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	EXPECT_EQ(NULL, find(self->fd, id));
	EXPECT_ALL_BACK();
	close(ready[0]);
	close(ready[1]);
}

struct visibility {
	int root;		/* opened by root */
	__u32 root_id;
	__u32 other_id;		/* of another user's */
};

/* Without privilege, through root's descriptor: that client, and no other of root's. */
static int sees_only_what_it_was_given(void *data)
{
	struct visibility *v = data;

	if (!find(v->root, id_of(v->root)) || find(v->root, v->other_id))
		return 1;
	if (found.nr_clients != 1 || !found.nr_hidden || found.hidden_frames < 5)
		return 2;
	return 0;
}

TEST_F(client, of_another_user_are_hidden)
{
	int other = tmm_open(NULL);
	struct theseus_mm_allocate call = { .size = 5 };
	struct visibility v = { .root = self->fd, .other_id = id_of(other) };

	ASSERT_EQ(0, tmm_allocate_frames(other, &call));
	EXPECT_EQ(0, as_user(NOBODY, sees_only_what_it_was_given, &v));
	EXPECT_NE(NULL, find(self->fd, v.other_id));
	close(other);
}

/* Two clients of one user, and root's. */
static int sees_its_users(void *data)
{
	struct visibility *v = data;
	int one = tmm_open(NULL), two = tmm_open(NULL);
	struct theseus_mm_client_info *info;

	if (one < 0 || two < 0)
		return 10;
	info = find(one, id_of(two));
	if (!info || info->uid != NOBODY || info->pid != getpid())
		return 1;
	if (found.nr_clients != 2 || find(one, v->root_id))
		return 2;
	return 0;
}

TEST_F(client, of_the_same_user_are_seen)
{
	struct visibility v = { .root = self->fd, .root_id = id_of(self->fd) };

	ASSERT_EQ(0, chmod(TMM_DEVICE, 0666));
	EXPECT_EQ(0, as_user(NOBODY, sees_its_users, &v));
	ASSERT_EQ(0, chmod(TMM_DEVICE, 0600));
}

static int keep_open(void *data)
{
	int *pipes = data;
	int fd = tmm_open(NULL);
	__u32 id = id_of(fd);
	char byte;

	if (write(pipes[1], &id, sizeof(id)) != sizeof(id))
		return 1;
	return read(pipes[2], &byte, 1) != 1;
}

static int cannot_see(void *data)
{
	struct visibility *v = data;
	int fd = tmm_open(NULL);

	return fd < 0 || find(fd, v->other_id) || !find(fd, id_of(fd));
}

TEST_F(client, of_two_users_do_not_see_each_other)
{
	struct visibility v = { 0 };
	int pipes[4], status = -1;
	pid_t pid;

	ASSERT_EQ(0, chmod(TMM_DEVICE, 0666));
	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ(0, pipe(pipes + 2));
	pid = fork();
	if (!pid)
		_exit(as_user(SOMEBODY, keep_open, pipes));
	ASSERT_EQ(sizeof(v.other_id), read(pipes[0], &v.other_id, sizeof(v.other_id)));
	ASSERT_NE(0, v.other_id);
	EXPECT_EQ(0, as_user(NOBODY, cannot_see, &v));
	ASSERT_NE(NULL, find(self->fd, v.other_id));
	EXPECT_EQ(SOMEBODY, find(self->fd, v.other_id)->uid);
	EXPECT_EQ(1, write(pipes[3], "", 1));
	waitpid(pid, &status, 0);
	EXPECT_EQ(0, status);
	ASSERT_EQ(0, chmod(TMM_DEVICE, 0600));
	close(pipes[0]);
	close(pipes[1]);
	close(pipes[2]);
	close(pipes[3]);
}

TEST_F(client, may_go_while_looked_at)
{
	int status, round;
	__u32 i;
	pid_t pid = fork();

	if (!pid) {
		for (;;) {
			struct theseus_mm_create_mapping mapping;
			int fds[8];

			for (i = 0; i < 8; i++) {
				fds[i] = tmm_open(NULL);
				tmm_create_mapping(fds[i], 3 * PAGE, THESEUS_MM_PTE_DATA, &mapping);
			}
			for (i = 0; i < 8; i++)
				close(fds[i]);
		}
	}
	for (round = 0; round < 60; round++) {
		ASSERT_EQ(0, tmm_get_clients(self->fd, clients, MAX_CLIENTS, &found));
		for (i = 0; i < found.nr_clients && i < MAX_CLIENTS; i++) {
			ASSERT_NE(0, clients[i].id);
			ASSERT_TRUE(!i || clients[i].id > clients[i - 1].id);
			ASSERT_GE(1, clients[i].nr_handles);
		}
		GET_OWNERS(self->fd, 0);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	EXPECT_ALL_BACK();
}

/* --- owners -------------------------------------------------------------------------- */

/* The part of region 0 that an address is in. */
static __u32 part_of(const struct theseus_mm_region *region,
		     const struct theseus_mm_occupancy *call, __u64 paddr)
{
	return (paddr - region->start) / PAGE / call->bucket_frames;
}

TEST_F(client, own_parts_of_a_region)
{
	struct theseus_mm_create_mapping mapping;
	struct theseus_mm_occupancy call;
	struct theseus_mm_region region;
	__u32 i, first, last, id = id_of(self->fd);

	ASSERT_EQ(0, tmm_get_region(self->fd, 0, &region));
	call = GET_OWNERS(self->fd, 0);
	for (i = 0; i < call.nr_buckets; i++)
		ASSERT_EQ(THESEUS_MM_OWNER_NONE, owners[i]);
	/* large leaves, and small ones at both ends */
	ASSERT_EQ(0, tmm_create_contiguous_mapping(self->fd, 5 * 512 * PAGE + 7 * PAGE,
						   THESEUS_MM_PTE_DATA, &mapping));
	first = part_of(&region, &call, mapping.paddr);
	last = part_of(&region, &call, mapping.paddr + mapping.nr_pages * PAGE - 1);
	ASSERT_LT(first + 2, last);
	GET_OWNERS(self->fd, 0);
	for (i = 0; i < call.nr_buckets; i++)
		ASSERT_EQ(i >= first && i <= last ? id : THESEUS_MM_OWNER_NONE, owners[i])
			TH_LOG("part %u of %u..%u", i, first, last);
	for (i = first + 1; i < last; i++)
		EXPECT_EQ(0, buckets[i].free);
}

TEST_F(client, own_parts_by_frames_too)
{
	struct theseus_mm_region region;
	struct theseus_mm_allocate frames = FRAMES(1000);
	struct theseus_mm_occupancy call;
	__u32 i, first, last;

	ASSERT_EQ(0, tmm_get_region(self->fd, 0, &region));
	call = GET_OWNERS(self->fd, 0);
	first = part_of(&region, &call, frames.start);
	last = part_of(&region, &call, frames.start + 1000 * PAGE - 1);
	for (i = 0; i < call.nr_buckets; i++)
		ASSERT_EQ(i >= first && i <= last ? id_of(self->fd) : 0, owners[i]);
	ASSERT_EQ(0, tmm_drop(self->fd, frames.handle));
	GET_OWNERS(self->fd, 0);
	EXPECT_EQ(THESEUS_MM_OWNER_NONE, owners[first]);
}

/* One part is the whole region then. */
#define WHOLE	THESEUS_MM_MAX_BUCKET_FRAMES

TEST_F(client, own_a_part_if_they_have_most_of_it)
{
	int other = tmm_open(NULL);
	struct theseus_mm_allocate call = { .size = 30 };
	struct theseus_mm_create_mapping mapping;

	FRAMES(20);
	ASSERT_EQ(0, tmm_allocate_frames(other, &call));
	GET_OWNERS(self->fd, WHOLE);
	EXPECT_EQ(id_of(other), owners[0]);
	/* mapped and allocated count together, and in many runs */
	ASSERT_EQ(0, tmm_create_mapping(self->fd, 11 * PAGE, THESEUS_MM_PTE_DATA, &mapping));
	GET_OWNERS(self->fd, WHOLE);
	EXPECT_EQ(id_of(self->fd), owners[0]);
	close(other);
}

TEST_F(client, with_many_objects_owns_them_all)
{
	int other = tmm_open(NULL);
	struct theseus_mm_allocate call = { .size = 99 };
	int i;

	for (i = 0; i < 100; i++)
		FRAMES(1);
	ASSERT_EQ(0, tmm_allocate_frames(other, &call));
	GET_OWNERS(self->fd, WHOLE);
	EXPECT_EQ(id_of(self->fd), owners[0]);
	close(other);
}

TEST_F(client, own_what_they_exported_until_they_are_gone)
{
	struct theseus_mm_create_mapping mapping;
	__u32 handle, id;
	int other = tmm_open(NULL), export;

	id = id_of(other);
	ASSERT_EQ(0, tmm_create_mapping(other, 40 * PAGE, THESEUS_MM_PTE_DATA, &mapping));
	ASSERT_EQ(0, tmm_export(other, mapping.handle, &export));
	FRAMES(5);
	GET_OWNERS(self->fd, WHOLE);
	EXPECT_EQ(id, owners[0]);
	/* a closed client is still charged for its export, but is no owner to be named */
	close(other);
	GET_OWNERS(self->fd, WHOLE);
	EXPECT_EQ(id_of(self->fd), owners[0]);
	ASSERT_EQ(0, tmm_import(self->fd, export, &handle));
	close(export);
}

static int sees_hidden_owners(void *data)
{
	struct theseus_mm_occupancy call = owners_in(0);
	int fd = *(int *)data;
	__u32 i, nr_hidden = 0;

	if (tmm_get_occupancy(fd, &call))
		return 1;
	for (i = 0; i < call.nr_buckets; i++) {
		nr_hidden += owners[i] == THESEUS_MM_OWNER_HIDDEN;
		if (owners[i] != THESEUS_MM_OWNER_HIDDEN && owners[i] != THESEUS_MM_OWNER_NONE)
			return 2;
	}
	return nr_hidden ? 0 : 3;
}

TEST_F(client, owners_are_hidden_from_other_users)
{
	int other = tmm_open(NULL);
	struct theseus_mm_allocate call = { .size = 30 };

	ASSERT_EQ(0, tmm_allocate_frames(other, &call));
	EXPECT_EQ(0, as_user(NOBODY, sees_hidden_owners, &self->fd));
	close(other);
}

/**
 * finder - the place of its frame, as far as a client has learned it
 * @fd: the client
 * @id: the client's number
 * @low: no frame before this one, counted from the region's start
 * @high: nor this one, or one after it
 */
struct finder {
	int fd;
	__u32 id;
	__u64 low;
	__u64 high;
};

static void learn(struct finder *finder, struct theseus_mm_occupancy call)
{
	__u64 start, end;
	__u32 i;

	if (tmm_get_occupancy(finder->fd, &call))
		return;
	for (i = 0; i < call.nr_buckets; i++) {
		if (owners[i] != finder->id)
			continue;
		start = i * call.bucket_frames;
		end = start + call.bucket_frames;
		finder->low = start > finder->low ? start : finder->low;
		finder->high = end < finder->high ? end : finder->high;
	}
}

/* Without privilege: all that can be asked, and what the answers say together. */
static int cannot_narrow_its_frame(void *data)
{
	struct theseus_mm_allocate frame = { .size = 1 };
	struct finder finder = { .fd = tmm_open(NULL), .high = ~0ULL };
	struct theseus_mm_occupancy call;
	__u32 room;
	__u64 size;

	(void)data;
	if (finder.fd < 0 || tmm_allocate_frames(finder.fd, &frame) || frame.start)
		return 10;
	finder.id = id_of(finder.fd);
	for (room = PARTS; room; room -= room > 64 ? 31 : 1) {
		call = owners_in(0);
		call.nr_buckets = room;
		learn(&finder, call);
	}
	for (size = 1; size; size *= 2) {
		learn(&finder, owners_in(size));
		learn(&finder, owners_in(3 * size));
	}
	/* the client has learned a part of the region, but not the frame */
	if (finder.high == ~0ULL)
		return 11;
	return finder.high - finder.low < 512;
}

TEST_F_TIMEOUT(client, cannot_narrow_its_frame_below_a_part, 120)
{
	ASSERT_EQ(0, chmod(TMM_DEVICE, 0666));
	EXPECT_EQ(0, as_user(NOBODY, cannot_narrow_its_frame, NULL));
	ASSERT_EQ(0, chmod(TMM_DEVICE, 0600));
}

/* --- what clients left that are gone ---------------------------------------------------- */

static __u64 nr_orphans(int fd)
{
	return tmm_get_clients(fd, NULL, 0, &found) ? ~0ULL : found.orphan_frames;
}

/* A client that exported a mapping of 6 pages, let a process have one of 5, and is gone. */
static __u32 leave(int *export, unsigned char **area)
{
	struct theseus_mm_create_mapping mapping;
	int fd = tmm_open(NULL);
	__u32 id = id_of(fd);

	if (tmm_create_mapping(fd, 6 * PAGE, THESEUS_MM_PTE_DATA, &mapping) ||
	    tmm_export(fd, mapping.handle, export) ||
	    tmm_create_mapping(fd, 5 * PAGE, THESEUS_MM_PTE_DATA, &mapping))
		return 0;
	*area = mmap_all(fd, mapping.handle, RW);
	close(fd);
	return *area == MAP_FAILED ? 0 : id;
}

static int sees_no_orphans(void *data)
{
	__u64 nr = nr_orphans(*(int *)data);

	return nr || found.hidden_frames < 11;
}

TEST_F(client, sees_what_others_left)
{
	unsigned char *area;
	__u32 id, handle;
	int export;

	EXPECT_EQ(0, nr_orphans(self->fd));
	id = leave(&export, &area);
	ASSERT_NE(0, id);
	/* tables too, but not many */
	EXPECT_LE(11, nr_orphans(self->fd));
	EXPECT_GE(11 + 16, nr_orphans(self->fd));
	EXPECT_EQ(self->start.nr_clients, INFO().nr_clients);
	EXPECT_EQ(NULL, find(self->fd, id));
	EXPECT_EQ(0, as_user(NOBODY, sees_no_orphans, &self->fd));
	munmap(area, 5 * PAGE);
	EXPECT_LE(6, nr_orphans(self->fd));
	EXPECT_GE(6 + 8, nr_orphans(self->fd));
	/* what somebody imports is theirs */
	ASSERT_EQ(0, tmm_import(self->fd, export, &handle));
	EXPECT_EQ(0, nr_orphans(self->fd));
	close(export);
}

TEST_F(client, sees_what_others_left_until_it_is_free)
{
	unsigned char *area;
	int export;

	ASSERT_NE(0, leave(&export, &area));
	close(export);
	EXPECT_LE(5, nr_orphans(self->fd));
	munmap(area, 5 * PAGE);
	EXPECT_EQ(0, nr_orphans(self->fd));
	EXPECT_ALL_BACK();
}

/* Without privilege: what a client of the same user left. */
static int sees_what_its_user_left(void *data)
{
	int fd = tmm_open(NULL), export;
	unsigned char *area;

	(void)data;
	if (fd < 0 || nr_orphans(fd) || !leave(&export, &area))
		return 1;
	return nr_orphans(fd) < 11 ? 2 : 0;
}

TEST_F(client, sees_what_clients_of_its_user_left)
{
	ASSERT_EQ(0, chmod(TMM_DEVICE, 0666));
	EXPECT_EQ(0, as_user(NOBODY, sees_what_its_user_left, NULL));
	ASSERT_EQ(0, chmod(TMM_DEVICE, 0600));
}

/* --- fdinfo -------------------------------------------------------------------------- */

static char *fdinfo(int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	return text_of(path);
}

TEST_F(client, fdinfo_says_what_it_holds)
{
	struct theseus_mm_create_mapping mapping = MAPPING(4);
	unsigned char *area;
	char *text;

	PAGES(2);
	FRAMES(3);
	MAPPING(1);
	area = mmap_all(self->fd, mapping.handle, R);
	ASSERT_NE(MAP_FAILED, (void *)area);
	text = fdinfo(self->fd);
	ASSERT_NE(NULL, text);
	EXPECT_TRUE(text_has(text, "theseus_mm-client-id:\t%u\n", id_of(self->fd)));
	EXPECT_TRUE(text_has(text, "theseus_mm-handles:\t5\n"));
	EXPECT_TRUE(text_has(text, "theseus_mm-handles-max:\t%u\n", INFO().client_handles_max));
	EXPECT_TRUE(text_has(text, "theseus_mm-pages:\t1\n"));
	EXPECT_TRUE(text_has(text, "theseus_mm-size-pages:\t8 KiB\n"));
	EXPECT_TRUE(text_has(text, "theseus_mm-frames:\t1\n"));
	EXPECT_TRUE(text_has(text, "theseus_mm-size-frames:\t12 KiB\n"));
	EXPECT_TRUE(text_has(text, "theseus_mm-mappings:\t2\n"));
	EXPECT_TRUE(text_has(text, "theseus_mm-size-mappings:\t20 KiB\n"));
	EXPECT_TRUE(text_has(text, "theseus_mm-borrowed:\t1\n"));
	EXPECT_TRUE(text_has(text, "theseus_mm-mmapped:\t1\n"));
	EXPECT_TRUE(text_has(text, "theseus_mm-size-mmapped:\t16 KiB\n"));
	/* addresses are nobody's business */
	EXPECT_FALSE(text_has(text, "0x"));
	free(text);
	munmap(area, 4 * PAGE);
	text = fdinfo(self->fd);
	EXPECT_TRUE(text_has(text, "theseus_mm-borrowed:\t0\n"));
	EXPECT_TRUE(text_has(text, "theseus_mm-mmapped:\t0\n"));
	free(text);
}

TEST_F(client, fdinfo_of_an_exported_mapping)
{
	char *text;
	__u32 mine;
	int fd;

	ASSERT_EQ(0, tmm_export(self->fd, MAPPING(5).handle, &fd));
	text = fdinfo(fd);
	EXPECT_TRUE(text_has(text, "theseus_mm-stale:\t0\n"));
	EXPECT_TRUE(text_has(text, "theseus_mm-size-exported:\t20 KiB\n"));
	EXPECT_TRUE(text_has(text, "theseus_mm-borrows:\t0\n"));
	EXPECT_FALSE(text_has(text, "0x"));
	free(text);
	ASSERT_EQ(0, tmm_import(self->fd, fd, &mine));
	text = fdinfo(fd);
	EXPECT_TRUE(text_has(text, "theseus_mm-stale:\t1\n"));
	EXPECT_FALSE(text_has(text, "KiB"));
	free(text);
	close(fd);
}

TEST_F(client, fdinfo_of_many_objects_adds_them_up)
{
	char *text;
	int i;

	for (i = 0; i < 50; i++)
		PAGES(2);
	text = fdinfo(self->fd);
	EXPECT_TRUE(text_has(text, "theseus_mm-pages:\t50\n"));
	EXPECT_TRUE(text_has(text, "theseus_mm-size-pages:\t400 KiB\n"));
	free(text);
}

TEST_HARNESS_MAIN
