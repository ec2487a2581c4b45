/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The arrays that GET_CLIENTS and GET_OCCUPANCY fill in, and clients of other users.
 */
#ifndef TESTS_OBSERVE_H
#define TESTS_OBSERVE_H

#include "client.h"

#include <grp.h>

#define NOBODY		65534
#define SOMEBODY	1000
#define MAX_CLIENTS	64
#define PARTS		THESEUS_MM_MAX_BUCKETS

static struct theseus_mm_bucket buckets[PARTS];
static __u32 owners[PARTS];

/*
 * Return: a request for the occupancy of region 0, with owners, in parts of @bucket_frames; the
 * module chooses the size of a part if @bucket_frames is 0
 */
static inline struct theseus_mm_occupancy owners_in(__u64 bucket_frames)
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
		ASSERT_EQ(0, uapi_get_occupancy(fd, &_call));				\
		_call;									\
	})

static struct theseus_mm_client_info clients[MAX_CLIENTS];
static struct theseus_mm_clients found;

/* Find the client @id in the list that @fd may see; NULL if @fd may not see the client. */
static inline struct theseus_mm_client_info *find(int fd, __u32 id)
{
	__u32 i;

	if (uapi_get_clients(fd, clients, MAX_CLIENTS, &found))
		return NULL;
	for (i = 0; i < found.nr_clients && i < MAX_CLIENTS; i++)
		if (clients[i].id == id)
			return &clients[i];
	return NULL;
}

static inline __u32 id_of(int fd)
{
	struct theseus_mm_info info;

	return uapi_get_info(fd, &info) ? 0 : info.client_id;
}

/* Run @what in a child process as @uid. Return: the result of the child */
static inline int as_user(uid_t uid, int (*what)(void *data), void *data)
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

#endif /* TESTS_OBSERVE_H */
