// SPDX-License-Identifier: GPL-2.0
#include "values.h"

#include <string.h>
#include <unistd.h>

#include "uapi.h"

/*
 * In quarantine, a mapping that was mmapped stays charged to its user. With larger ones, a user soon
 * has nothing left.
 */
#define QUARANTINE_BYTES	(16 * UAPI_PAGE_SIZE)

bool pool_start(struct pool *pool, int socket, uint64_t device)
{
	struct theseus_mm_info info = { 0 };
	bool is_open = true;
	unsigned int i;

	memset(pool, 0, sizeof(*pool));
	pool->socket = socket;
	pool->device = device;
	for (i = 0; i < POOL_CLIENTS; i++) {
		pool->clients[i] = uapi_open(NULL);
		is_open &= pool->clients[i] >= 0;
	}
	for (i = 0; i < POOL_FDS; i++)
		pool->fds[i] = -1;
	is_open &= !uapi_get_info(pool->clients[0], &info);
	pool->max_bytes = info.features & THESEUS_MM_FEATURE_QUARANTINE ? QUARANTINE_BYTES : ~0ULL;
	return is_open;
}

int pool_client(struct worker *worker)
{
	return worker->pool->clients[random_below(&worker->random, POOL_CLIENTS)];
}

uint32_t pool_handle(struct worker *worker, int client, uint32_t kind)
{
	struct random *random = &worker->random;
	const struct handle *handle;
	unsigned int first, i;

	if (random_once_in(random, 24))
		return random_below(random, 2) ? random_below(random, 64) : random_next(random);
	first = random_below(random, POOL_HANDLES);
	for (i = 0; i < POOL_HANDLES; i++) {
		handle = &worker->pool->handles[(first + i) % POOL_HANDLES];
		if (handle->handle && handle->client == client && (!kind || handle->kind == kind))
			return handle->handle;
	}
	return worker->pool->handles[first].handle;
}

int pool_fd(struct worker *worker)
{
	unsigned int first = random_below(&worker->random, POOL_FDS), i;

	for (i = 0; i < POOL_FDS; i++)
		if (worker->pool->fds[(first + i) % POOL_FDS] >= 0)
			return worker->pool->fds[(first + i) % POOL_FDS];
	return -1;
}

void pool_add_handle(struct worker *worker, int client, uint32_t handle, uint32_t kind)
{
	struct handle *slot = &worker->pool->handles[random_below(&worker->random, POOL_HANDLES)];

	*slot = (struct handle){ .client = client, .handle = handle, .kind = kind };
}

static struct handle *find(const struct worker *worker, int client, uint32_t handle)
{
	struct handle *slot = worker->pool->handles;

	for (; slot < worker->pool->handles + POOL_HANDLES; slot++)
		if (slot->client == client && slot->handle == handle)
			return slot;
	return NULL;
}

uint32_t pool_kind(const struct worker *worker, int client, uint32_t handle)
{
	const struct handle *slot = find(worker, client, handle);

	return slot ? slot->kind : 0;
}

void pool_forget_handle(struct worker *worker, int client, uint32_t handle)
{
	struct handle *slot = find(worker, client, handle);

	if (slot && random_below(&worker->random, 8))
		*slot = (struct handle){ 0 };
}

/* The descriptor that the new one replaces is closed. */
void pool_add_fd(struct worker *worker, int fd)
{
	int old = __atomic_exchange_n(&worker->pool->fds[random_below(&worker->random, POOL_FDS)],
				      fd, __ATOMIC_RELAXED);

	if (old >= 0)
		close(old);
}
