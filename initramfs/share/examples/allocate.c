// SPDX-License-Identifier: GPL-2.0
/* Allocate pages and frames: anywhere, at an address, in a range; split and merge them. */
#include "example.h"

static void show_pages(const char *what, const struct tmm_pages *pages)
{
	printf("%s: %" PRIu64 " bytes of addresses from %#" PRIx64 ", handle %" PRIu32 "\n", what,
	       tmm_pages_size(pages), tmm_pages_address(pages), tmm_pages_handle(pages));
}

static void show_frames(const char *what, const struct tmm_frames *frames)
{
	printf("%s: %" PRIu64 " bytes of memory from %#" PRIx64 ", handle %" PRIu32 "\n", what,
	       tmm_frames_size(frames), tmm_frames_address(frames), tmm_frames_handle(frames));
}

static void choose_pages(struct tmm_client *client)
{
	struct tmm_pages *any, *at, *in_range;
	uint64_t start;

	any = tmm_pages_allocate(client, &(struct tmm_allocate_options){
		.nr_bytes = 2 * TMM_LARGE_PAGE_SIZE,
		.align = TMM_LARGE_PAGE_SIZE,
	});
	CHECK(any);
	show_pages("aligned", any);
	start = tmm_pages_address(any);
	CHECK_REFUSED(EADDRINUSE, !tmm_pages_allocate(client, &(struct tmm_allocate_options){
		.nr_pages = 1,
		.place = TMM_AT,
		.at = start,
	}));

	/* after the drop, the address is free again */
	CHECK(!tmm_pages_drop(&any));
	at = tmm_pages_allocate(client, &(struct tmm_allocate_options){
		.nr_pages = 4,
		.place = TMM_AT,
		.at = start,
	});
	CHECK(at);
	show_pages("at", at);
	in_range = tmm_pages_allocate(client, &(struct tmm_allocate_options){
		.nr_pages = 4,
		.place = TMM_IN_RANGE,
		.min = start,
		.max = start + 8 * TMM_PAGE_SIZE - 1,
	});
	CHECK(in_range);
	show_pages("in range", in_range);

	/* the two runs are next to each other, so they can be merged */
	CHECK(!tmm_pages_merge(at, &in_range));
	show_pages("merged", at);
	CHECK(!tmm_pages_split(&at, TMM_PAGE_SIZE, &at, &in_range));
	show_pages("the rest of it", in_range);
	CHECK(!tmm_pages_drop(&at));
	CHECK(!tmm_pages_drop(&in_range));
}

static void cut_frames(struct tmm_client *client)
{
	struct tmm_frames *frames, *first, *second;

	frames = tmm_frames_allocate(client, &(struct tmm_allocate_options){ .nr_pages = 4 });
	CHECK(frames);
	show_frames("frames", frames);
	CHECK(!tmm_frames_split(&frames, TMM_PAGE_SIZE, &first, &second));
	show_frames("first", first);
	show_frames("second", second);

	/* frames can be merged in either order */
	CHECK(!tmm_frames_merge(second, &first));
	show_frames("whole again", second);
	CHECK(!tmm_frames_drop(&second));
}

int main(void)
{
	struct tmm_client *client = tmm_client_open(NULL);

	CHECK(client);
	choose_pages(client);
	cut_frames(client);
	tmm_client_close(&client);
	return EXIT_SUCCESS;
}
