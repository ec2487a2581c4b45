// SPDX-License-Identifier: GPL-2.0
/*
 * GET_CLIENTS: list the clients, as root, and as other users, who see only their own clients.
 */
#include "observe.h"

#include <signal.h>
#include <sys/stat.h>

TEST_F(client, has_a_number_of_its_own)
{
	int other = uapi_open(NULL);
	__u32 first = id_of(other);

	EXPECT_NE(0, INFO().client_id);
	EXPECT_NE(0, first);
	EXPECT_NE(first, INFO().client_id);
	close(other);
	other = uapi_open(NULL);
	EXPECT_NE(first, id_of(other));
	close(other);
}

TEST_F(client, are_counted)
{
	int other = uapi_open(NULL), same = dup(other);

	EXPECT_EQ(self->start.nr_clients + 1, INFO().nr_clients);
	close(other);
	EXPECT_EQ(self->start.nr_clients + 1, INFO().nr_clients);
	close(same);
	EXPECT_EQ(self->start.nr_clients, INFO().nr_clients);
}

TEST_F(client, are_listed_with_what_they_own)
{
	int other = uapi_open(NULL);
	struct theseus_mm_allocate call = { .size = 2 };
	struct theseus_mm_create_mapping mapping;
	struct theseus_mm_client_info *info;

	ASSERT_EQ(0, uapi_allocate_pages(other, &call));
	call = (struct theseus_mm_allocate){ .size = 3 };
	ASSERT_EQ(0, uapi_allocate_frames(other, &call));
	ASSERT_EQ(0, uapi_create_mapping(other, 4 * PAGE, THESEUS_MM_PTE_DATA, &mapping));
	info = find(self->fd, id_of(other));
	ASSERT_NE(NULL, info);
	EXPECT_EQ(0, info->uid);
	EXPECT_EQ(getpid(), info->pid);
	/* the name of this program, which is short enough to be shown in full */
	EXPECT_STREQ("observe_test", info->comm);
	EXPECT_EQ(3, info->nr_handles);
	EXPECT_EQ(1, info->nr_mappings);
	EXPECT_LE(7, info->nr_frames);
	EXPECT_GE(7 + 8, info->nr_frames);

	ASSERT_EQ(0, uapi_drop(other, mapping.handle));
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
		others[i] = uapi_open(NULL);
	ASSERT_EQ(0, uapi_get_clients(self->fd, clients, MAX_CLIENTS, &found));
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
	int other = uapi_open(NULL);

	memset(clients, 0x5a, sizeof(clients));
	ASSERT_EQ(0, uapi_get_clients(self->fd, clients, 1, &found));
	EXPECT_EQ(self->start.nr_clients + 1, found.nr_clients);
	EXPECT_NE(0x5a5a5a5a, clients[0].id);
	EXPECT_EQ(0x5a5a5a5a, clients[1].id);
	ASSERT_EQ(0, uapi_get_clients(self->fd, NULL, 0, &found));
	EXPECT_EQ(self->start.nr_clients + 1, found.nr_clients);
	close(other);
}

TEST_F(client, are_refused_a_bad_array)
{
	EXPECT_REFUSED(EFAULT, uapi_get_clients(self->fd, NULL, 1, &found));
	EXPECT_REFUSED(EFAULT, uapi_get_clients(self->fd, (void *)0xffff888000000000, 1, &found));
	EXPECT_REFUSED(EFAULT, uapi_get_clients(self->fd, (void *)(~0UL - 60), ~0U, &found));
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
		int fd = uapi_open(NULL);
		struct theseus_mm_create_mapping mapping;

		byte = fd < 0 || uapi_create_mapping(fd, PAGE, THESEUS_MM_PTE_DATA, &mapping);
		if (write(ready[1], &byte, 1) == 1)
			pause();
		_exit(1);
	}
	ASSERT_EQ(1, read(ready[0], &byte, 1));
	ASSERT_EQ(0, byte);
	ASSERT_EQ(0, uapi_get_clients(self->fd, clients, MAX_CLIENTS, &found));
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
	__u32 other_id;		/* opened by another user */
};

/*
 * Without privilege, through a descriptor that root opened: the client of this descriptor is
 * visible, and no other client of root.
 */
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
	int other = uapi_open(NULL);
	struct theseus_mm_allocate call = { .size = 5 };
	struct visibility v = { .root = self->fd, .other_id = id_of(other) };

	ASSERT_EQ(0, uapi_allocate_frames(other, &call));
	EXPECT_EQ(0, as_user(NOBODY, sees_only_what_it_was_given, &v));
	EXPECT_NE(NULL, find(self->fd, v.other_id));
	close(other);
}

/* Two clients of one user, and one of root. */
static int sees_its_users(void *data)
{
	struct visibility *v = data;
	int one = uapi_open(NULL), two = uapi_open(NULL);
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

	ASSERT_EQ(0, chmod(UAPI_DEVICE, 0666));
	EXPECT_EQ(0, as_user(NOBODY, sees_its_users, &v));
	ASSERT_EQ(0, chmod(UAPI_DEVICE, 0600));
}

static int keep_open(void *data)
{
	int *pipes = data;
	int fd = uapi_open(NULL);
	__u32 id = id_of(fd);
	char byte;

	if (write(pipes[1], &id, sizeof(id)) != sizeof(id))
		return 1;
	return read(pipes[2], &byte, 1) != 1;
}

static int cannot_see(void *data)
{
	struct visibility *v = data;
	int fd = uapi_open(NULL);

	return fd < 0 || find(fd, v->other_id) || !find(fd, id_of(fd));
}

TEST_F(client, of_two_users_do_not_see_each_other)
{
	struct visibility v = { 0 };
	int pipes[4], status = -1;
	pid_t pid;

	ASSERT_EQ(0, chmod(UAPI_DEVICE, 0666));
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
	ASSERT_EQ(0, chmod(UAPI_DEVICE, 0600));
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
				fds[i] = uapi_open(NULL);
				uapi_create_mapping(fds[i], 3 * PAGE, THESEUS_MM_PTE_DATA,
						    &mapping);
			}
			for (i = 0; i < 8; i++)
				close(fds[i]);
		}
	}
	for (round = 0; round < 60; round++) {
		ASSERT_EQ(0, uapi_get_clients(self->fd, clients, MAX_CLIENTS, &found));
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

TEST_HARNESS_MAIN
