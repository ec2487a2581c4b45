// SPDX-License-Identifier: GPL-2.0
/*
 * Clients: open, call, wait and close.
 */
#include "internal.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

int tmm_fd_call(int fd, unsigned long request, void *argument)
{
	return ioctl(fd, request, argument) < 0 ? -1 : 0;
}

int tmm_client_call(const struct tmm_client *client, unsigned long request, void *argument)
{
	return tmm_fd_call(tmm_client_fd(client), request, argument);
}

void tmm_client_get(struct tmm_client *client)
{
	__atomic_add_fetch(&client->nr_references, 1, __ATOMIC_RELAXED);
}

void tmm_client_put(struct tmm_client *client)
{
	if (!__atomic_sub_fetch(&client->nr_references, 1, __ATOMIC_ACQ_REL))
		tmm_free(client);
}

struct tmm_client *tmm_client_from_fd(int *fd)
{
	struct theseus_mm_info info = { 0 };
	struct tmm_client *client;

	client = malloc(sizeof(*client));
	if (!client)
		return NULL;
	*client = (struct tmm_client){ .fd = *fd, .nr_references = 1 };
	if (tmm_client_call(client, THESEUS_MM_IOC_GET_INFO, &info)) {
		tmm_free(client);
		return NULL;
	}
	*fd = -1;
	return client;
}

struct tmm_client *tmm_client_open(const char *path)
{
	struct tmm_client *client;
	int fd, error;

	fd = open(path ? path : TMM_DEVICE, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	client = tmm_client_from_fd(&fd);
	if (client)
		return client;
	error = errno;
	close(fd);
	errno = error;
	return NULL;
}

void tmm_client_close(struct tmm_client **client)
{
	struct tmm_client *closing = *client;

	if (!closing)
		return;
	*client = NULL;
	close(closing->fd);
	closing->fd = -1;
	tmm_client_put(closing);
}

int tmm_client_fd(const struct tmm_client *client)
{
	return client ? client->fd : -1;
}

#define SAME(flag)	_Static_assert(TMM_##flag == THESEUS_MM_##flag, #flag)

SAME(FEATURE_STRUCT_PAGES);
SAME(FEATURE_DMABUF);
SAME(FEATURE_QUARANTINE);

int tmm_client_info(const struct tmm_client *client, struct tmm_info *info)
{
	struct theseus_mm_info call = { 0 };

	if (tmm_client_call(client, THESEUS_MM_IOC_GET_INFO, &call))
		return -1;
	*info = (struct tmm_info){
		.abi = call.abi,
		.nr_regions = call.nr_regions,
		.features = call.features,
		.region_bytes = call.region_bytes,
		.frames_total = call.frames_total,
		.frames_free = call.frames_free,
		.frames_ranges = call.frames_ranges,
		.frames_largest = {
			call.frames_largest[0], call.frames_largest[1], call.frames_largest[2],
		},
		.pages_start = call.pages_start,
		.pages_total = call.pages_total,
		.pages_free = call.pages_free,
		.nr_mappings = call.nr_mappings,
		.nr_tables = call.nr_tables,
		.paging_levels = call.paging_levels,
		.client_handles = call.client_handles,
		.client_handles_max = call.client_handles_max,
		.client_id = call.client_id,
		.client_frames = call.client_frames,
		.nr_clients = call.nr_clients,
		.frames_bad = call.frames_bad,
	};
	return 0;
}

/*
 * poll() would ignore a negative descriptor and wait in vain, so a closed client fails before
 * poll().
 */
int tmm_client_wait(const struct tmm_client *client, int timeout_ms)
{
	struct pollfd wanted = { .fd = tmm_client_fd(client), .events = POLLIN };
	int nr;

	if (wanted.fd < 0) {
		errno = EBADF;
		return -1;
	}
	nr = poll(&wanted, 1, timeout_ms);
	if (nr < 0)
		return -1;
	if (wanted.revents & POLLIN)
		return 0;
	errno = nr ? EBADF : ETIMEDOUT;
	return -1;
}
