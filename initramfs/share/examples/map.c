// SPDX-License-Identifier: GPL-2.0
/* Make mappings from pages and frames, and take mappings apart. */
#include "example.h"

#define NR	4
#define SIZE	(NR * TMM_PAGE_SIZE)

static const struct tmm_allocate_options wanted = { .nr_pages = NR };

static void show(const char *what, const struct tmm_mapping *mapping)
{
	printf("%s: %" PRIu64 " bytes at %#" PRIx64 ", handle %" PRIu32 "\n", what,
	       tmm_mapping_size(mapping), tmm_mapping_address(mapping),
	       tmm_mapping_handle(mapping));
}

/* Map pages to new frames, and unmap into a struct tmm_parts. */
static void map_and_unmap(struct tmm_client *client)
{
	struct tmm_pages *pages = tmm_pages_allocate(client, &wanted);
	struct tmm_mapping *mapping;
	struct tmm_parts parts;

	CHECK(pages);
	mapping = tmm_pages_map(&pages, TMM_DATA);
	CHECK(mapping && !pages);
	show("pages with new frames", mapping);
	CHECK(!tmm_mapping_unmap_into_parts(&mapping, &parts));
	printf("taken apart: pages and %" PRIu32 " runs of frames\n", parts.nr_frames);

	/* keep the pages, drop the frames */
	pages = parts.pages;
	parts.pages = NULL;
	CHECK(!tmm_parts_drop(&parts));
	CHECK(!tmm_pages_drop(&pages));
}

/* Map pages to frames that the client owns, and unmap into an array of the program. */
static void map_to_and_unmap(struct tmm_client *client)
{
	struct tmm_pages *pages = tmm_pages_allocate(client, &wanted);
	struct tmm_frames *frames = tmm_frames_allocate(client, &wanted);
	struct tmm_mapping *mapping;
	uint32_t room = 0;

	CHECK(pages && frames);
	mapping = tmm_pages_map_to(&pages, &frames, TMM_READ_ONLY_DATA);
	CHECK(mapping && !pages && !frames);
	show("pages with these frames", mapping);

	/* without room, the call returns the number of entries that it needs */
	CHECK_REFUSED(ENOBUFS, tmm_mapping_unmap_into(&mapping, &pages, &frames, &room));
	CHECK(room == 1);
	CHECK(!tmm_mapping_unmap_into(&mapping, &pages, &frames, &room));
	printf("taken apart: %" PRIu64 " bytes of frames\n", tmm_frames_size(frames));
	CHECK(!tmm_frames_drop(&frames));
	CHECK(!tmm_pages_drop(&pages));
}

static void create(struct tmm_client *client)
{
	struct tmm_mapping *mapping, *rest;
	struct tmm_mapping_info info;

	mapping = tmm_mapping_create(client, SIZE, TMM_DATA, &(struct tmm_create_options){
		.is_contiguous = true,
	});
	CHECK(mapping);
	show("contiguous", mapping);

	/* a mapping with other flags cannot be merged */
	CHECK(!tmm_mapping_split(&mapping, TMM_PAGE_SIZE, &mapping, &rest));
	CHECK(!tmm_mapping_query(rest, &info));
	CHECK(!tmm_mapping_remap(rest, info.flags & ~TMM_WRITABLE));
	CHECK_REFUSED(EMEDIUMTYPE, tmm_mapping_merge(mapping, &rest));
	CHECK(!tmm_mapping_remap(rest, info.flags));
	CHECK(!tmm_mapping_merge(mapping, &rest));
	show("split and merged", mapping);
	CHECK(!tmm_mapping_drop(&mapping));
}

int main(void)
{
	struct tmm_client *client = tmm_client_open(NULL);

	CHECK(client);
	map_and_unmap(client);
	map_to_and_unmap(client);
	create(client);
	tmm_client_close(&client);
	return EXIT_SUCCESS;
}
