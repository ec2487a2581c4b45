// SPDX-License-Identifier: GPL-2.0
/* Show features, counts and the use of each region. The client owns nothing. */
#include "example.h"

static char letter(const struct tmm_bucket *bucket)
{
	if (bucket->mapped)
		return 'M';
	if (bucket->allocated)
		return 'A';
	if (bucket->tables || bucket->metadata)
		return 'B';
	return '.';
}

static void show_region(const struct tmm_client *client, uint32_t index)
{
	struct tmm_occupancy occupancy;
	struct tmm_region region;
	uint32_t i;

	CHECK(!tmm_client_region(client, index, &region));
	CHECK(!tmm_client_occupancy(client, index, 0, &occupancy));
	printf("region %" PRIu32 ": %" PRIu64 " MiB at %#" PRIx64 ", in parts of %" PRIu64
	       " MiB\n", index, region.nr_bytes >> 20, region.start,
	       occupancy.bucket_bytes >> 20);
	for (i = 0; i < occupancy.nr; i++)
		putchar(letter(&occupancy.buckets[i]));
	putchar('\n');
	tmm_occupancy_free(&occupancy);
}

int main(void)
{
	struct tmm_client *client = tmm_client_open(NULL);
	struct tmm_info info;
	uint32_t i;

	CHECK(client);
	CHECK(!tmm_client_info(client, &info));
	printf("%" PRIu64 " of %" PRIu64 " frames free, the longest run is %" PRIu64 "\n",
	       info.frames_free, info.frames_total, info.frames_largest[0]);
	printf("%" PRIu64 " mappings of all clients, %" PRIu32 " objects of this one\n",
	       info.nr_mappings, info.client_handles);
	if (info.features & TMM_FEATURE_STRUCT_PAGES)
		printf("I/O can use windows directly\n");
	if (info.features & TMM_FEATURE_DMABUF)
		printf("mappings can be exported as dma-bufs\n");
	if (info.features & TMM_FEATURE_QUARANTINE)
		printf("memory that was mmapped goes into quarantine\n");
	for (i = 0; i < info.nr_regions; i++)
		show_region(client, i);
	tmm_client_close(&client);
	return EXIT_SUCCESS;
}
