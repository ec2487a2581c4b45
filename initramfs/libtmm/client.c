// SPDX-License-Identifier: GPL-2.0
/*
 * Clients, and what one can ask without owning anything.
 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

int tmm_client_call(const struct tmm_client *client, unsigned long request, void *argument)
{
	if (!client) {
		errno = EBADF;
		return -1;
	}
	return ioctl(client->fd, request, argument) < 0 ? -1 : 0;
}

void tmm_client_get(struct tmm_client *client)
{
	__atomic_add_fetch(&client->nr_references, 1, __ATOMIC_RELAXED);
}

void tmm_client_put(struct tmm_client *client)
{
	if (!__atomic_sub_fetch(&client->nr_references, 1, __ATOMIC_ACQ_REL))
		free(client);
}

struct tmm_client *tmm_client_from_fd(int fd)
{
	struct tmm_client *client = malloc(sizeof(*client));
	struct theseus_mm_info info = { 0 };
	int error;

	if (!client)
		return NULL;
	*client = (struct tmm_client){ .fd = fd, .nr_references = 1 };
	if (!tmm_client_call(client, THESEUS_MM_IOC_GET_INFO, &info))
		return client;
	error = errno;
	free(client);
	errno = error;
	return NULL;
}

struct tmm_client *tmm_client_open(const char *path)
{
	int fd = open(path ? path : TMM_DEVICE, O_RDWR | O_CLOEXEC);
	struct tmm_client *client;
	int error;

	if (fd < 0)
		return NULL;
	client = tmm_client_from_fd(fd);
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
		.client_frames = call.client_frames,
	};
	return 0;
}

int tmm_client_region(const struct tmm_client *client, uint32_t index, struct tmm_region *region)
{
	struct theseus_mm_region call = { .index = index };

	if (tmm_client_call(client, THESEUS_MM_IOC_GET_REGION, &call))
		return -1;
	*region = (struct tmm_region){ .start = call.start, .nr_bytes = call.nr_bytes };
	return 0;
}

/* The kernel writes what the program reads. */
_Static_assert(sizeof(struct tmm_bucket) == sizeof(struct theseus_mm_bucket), "bucket");
_Static_assert(offsetof(struct tmm_bucket, free) == offsetof(struct theseus_mm_bucket, free) &&
	       offsetof(struct tmm_bucket, allocated) ==
	       offsetof(struct theseus_mm_bucket, allocated) &&
	       offsetof(struct tmm_bucket, mapped) == offsetof(struct theseus_mm_bucket, mapped) &&
	       offsetof(struct tmm_bucket, tables) == offsetof(struct theseus_mm_bucket, tables) &&
	       offsetof(struct tmm_bucket, metadata) ==
	       offsetof(struct theseus_mm_bucket, metadata), "bucket");
_Static_assert(TMM_MAX_BUCKETS == THESEUS_MM_MAX_BUCKETS, "buckets");

int tmm_client_occupancy(const struct tmm_client *client, uint32_t index,
			 struct tmm_bucket *buckets, uint32_t nr_buckets)
{
	struct theseus_mm_occupancy call = {
		.index = index,
		.nr_buckets = nr_buckets,
		.buckets = (uintptr_t)buckets,
	};

	return tmm_client_call(client, THESEUS_MM_IOC_GET_OCCUPANCY, &call);
}

int tmm_client_translate(const struct tmm_client *client, uint64_t vaddr,
			 struct tmm_translation *translation)
{
	struct theseus_mm_translate call = { .vaddr = vaddr };

	if (tmm_client_call(client, THESEUS_MM_IOC_TRANSLATE, &call))
		return -1;
	*translation = (struct tmm_translation){
		.paddr = call.paddr,
		.flags = call.pte_flags & TMM_FLAGS_SEEN,
		.page_size = UINT64_C(1) << call.page_size_shift,
		.is_exclusive = call.pte_flags & THESEUS_MM_PTE_EXCLUSIVE,
	};
	return 0;
}

_Static_assert(TMM_MAX_LEVELS == THESEUS_MM_MAX_LEVELS, "levels");

int tmm_client_dump_pte(const struct tmm_client *client, uint64_t vaddr, struct tmm_walk *walk)
{
	struct theseus_mm_dump_pte call = { .vaddr = vaddr };
	unsigned int i;

	if (tmm_client_call(client, THESEUS_MM_IOC_DUMP_PTE, &call))
		return -1;
	*walk = (struct tmm_walk){ .nr_levels = call.nr_levels };
	for (i = 0; i < TMM_MAX_LEVELS; i++)
		walk->entries[i] = call.entries[i];
	return 0;
}
