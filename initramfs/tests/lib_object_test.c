// SPDX-License-Identifier: GPL-2.0
/*
 * Pages and frames with libtmm: allocate, split, merge, map, unmap and drop.
 */
#include "library.h"
#include "limits.h"

#define NR	8
#define SIZE	(NR * PAGE)

#define OPTIONS(...)	(&(struct tmm_allocate_options){ __VA_ARGS__ })

/* Check that kernel and library agree on an object. Only root sees the addresses of frames. */
#define EXPECT_KNOWN(object_kind, object_handle, object_address, object_size)		\
	do {										\
		struct theseus_mm_query _query = QUERY(object_handle);			\
											\
		EXPECT_EQ(object_kind, _query.kind);					\
		EXPECT_EQ(object_address, _query.start);				\
		EXPECT_EQ(object_size, _query.nr_pages * PAGE);				\
	} while (0)
#define EXPECT_PAGES(pages, address, size)						\
	do {										\
		EXPECT_EQ(address, tmm_pages_address(pages));				\
		EXPECT_EQ(size, tmm_pages_size(pages));					\
		EXPECT_KNOWN(THESEUS_MM_KIND_PAGES, tmm_pages_handle(pages), address, size); \
	} while (0)
#define EXPECT_FRAMES(frames, address, size)						\
	do {										\
		EXPECT_EQ(address, tmm_frames_address(frames));				\
		EXPECT_EQ(size, tmm_frames_size(frames));				\
		EXPECT_KNOWN(THESEUS_MM_KIND_FRAMES, tmm_frames_handle(frames), address, size); \
	} while (0)

TEST_F(library, pages_are_where_they_are_wanted)
{
	struct tmm_pages *pages = OWN_PAGES(NR), *other;
	const __u64 vaddr = tmm_pages_address(pages);

	EXPECT_LE(self->start.pages_start, vaddr);
	EXPECT_PAGES(pages, vaddr, SIZE);
	EXPECT_EQ(self->start.pages_free - NR, INFO().pages_free);
	ASSERT_EQ(0, tmm_pages_drop(&pages));
	EXPECT_EQ(NULL, pages);
	EXPECT_ALL_BACK();

	/* the address is inside a page, so the run includes that whole page */
	pages = OWN(pages, tmm_pages_allocate(self->client, OPTIONS(
		.nr_bytes = PAGE, .place = TMM_AT, .at = vaddr + 1)));
	EXPECT_PAGES(pages, vaddr, 2 * PAGE);
	other = OWN(pages, tmm_pages_allocate(self->client, OPTIONS(
		.nr_pages = 3, .place = TMM_IN_RANGE, .min = vaddr + 2 * PAGE,
		.max = vaddr + 5 * PAGE - 1)));
	EXPECT_PAGES(other, vaddr + 2 * PAGE, 3 * PAGE);
	other = OWN(pages, tmm_pages_allocate(self->client, OPTIONS(
		.nr_pages = 1, .align = TMM_HUGE_PAGE_SIZE)));
	EXPECT_EQ(0, tmm_pages_address(other) % TMM_HUGE_PAGE_SIZE);
	EXPECT_EQ(3, INFO().client_handles);
}

TEST_F(library, pages_that_cannot_be_had_are_refused)
{
	struct tmm_pages *pages = OWN_PAGES(NR);
	const __u64 vaddr = tmm_pages_address(pages);

	EXPECT_NONE(EBADF, tmm_pages_allocate(NULL, OPTIONS(.nr_pages = 1)));
	EXPECT_NONE(EINVAL, tmm_pages_allocate(self->client, NULL));
	EXPECT_NONE(EINVAL, tmm_pages_allocate(self->client, OPTIONS(.nr_pages = 0)));
	EXPECT_NONE(EINVAL, tmm_pages_allocate(self->client,
					       OPTIONS(.nr_pages = 1, .nr_bytes = 1)));
	EXPECT_NONE(EINVAL, tmm_pages_allocate(self->client,
					       OPTIONS(.nr_pages = 1, .reserved = { 1 })));
	EXPECT_NONE(EINVAL, tmm_pages_allocate(self->client, OPTIONS(.nr_pages = 1, .align = 3)));
	EXPECT_NONE(EADDRINUSE, tmm_pages_allocate(self->client, OPTIONS(
		.nr_pages = 1, .place = TMM_AT, .at = vaddr)));
	EXPECT_NONE(ENOSPC, tmm_pages_allocate(self->client, OPTIONS(
		.nr_pages = 2, .place = TMM_IN_RANGE, .min = vaddr, .max = vaddr + PAGE)));
	EXPECT_NONE(ERANGE, tmm_pages_allocate(self->client, OPTIONS(
		.nr_pages = 1, .place = TMM_AT, .at = PAGE)));
}

TEST_F(library, frames_are_where_they_are_wanted)
{
	struct tmm_frames *frames = OWN(frames, tmm_frames_allocate(self->client, OPTIONS(
		.nr_bytes = SIZE - 1, .align = TMM_LARGE_PAGE_SIZE)));
	const __u64 paddr = tmm_frames_address(frames);

	EXPECT_NE(0, paddr);
	EXPECT_EQ(0, paddr % TMM_LARGE_PAGE_SIZE);
	EXPECT_FRAMES(frames, paddr, SIZE);
	EXPECT_EQ(self->start.frames_free - NR, INFO().frames_free);
	ASSERT_EQ(0, tmm_frames_drop(&frames));
	EXPECT_EQ(NULL, frames);
	EXPECT_ALL_BACK();

	frames = OWN(frames, tmm_frames_allocate(self->client, OPTIONS(
		.nr_pages = 2, .place = TMM_AT, .at = paddr + PAGE)));
	EXPECT_FRAMES(frames, paddr + PAGE, 2 * PAGE);
	EXPECT_NONE(EADDRINUSE, tmm_frames_allocate(self->client, OPTIONS(
		.nr_pages = 2, .place = TMM_AT, .at = paddr + PAGE)));
	EXPECT_NONE(EADDRNOTAVAIL, tmm_frames_allocate(self->client, OPTIONS(
		.nr_pages = 2, .place = TMM_AT, .at = paddr)));
	EXPECT_NONE(ERANGE, tmm_frames_allocate(self->client, OPTIONS(
		.nr_pages = 1, .place = TMM_AT, .at = 0)));
	EXPECT_NONE(EINVAL, tmm_frames_allocate(self->client, NULL));
}

TEST_F(library, addresses_of_frames_are_for_root)
{
	struct tmm_frames *frames;

	ASSERT_EQ(0, set_capability(CAP_SYS_ADMIN, false));
	frames = OWN_FRAMES(NR);
	EXPECT_EQ(0, tmm_frames_address(frames));
	EXPECT_EQ(SIZE, tmm_frames_size(frames));
	EXPECT_NONE(EPERM, tmm_frames_allocate(self->client, OPTIONS(
		.nr_pages = 1, .place = TMM_AT, .at = 0)));
	/* the address of a part is not known either */
	ASSERT_EQ(0, tmm_frames_split(&frames, PAGE, &frames, &(struct tmm_frames *){ NULL }));
	EXPECT_EQ(0, tmm_frames_address(frames));
	EXPECT_EQ(PAGE, tmm_frames_size(frames));
}

TEST_F(library, what_is_nothing_has_no_address)
{
	struct tmm_pages *pages = NULL;
	struct tmm_frames *frames = NULL;

	EXPECT_EQ(0, tmm_pages_address(pages));
	EXPECT_EQ(0, tmm_pages_size(pages));
	EXPECT_EQ(0, tmm_pages_handle(pages));
	EXPECT_EQ(0, tmm_pages_drop(&pages));
	EXPECT_EQ(0, tmm_frames_address(frames));
	EXPECT_EQ(0, tmm_frames_size(frames));
	EXPECT_EQ(0, tmm_frames_handle(frames));
	EXPECT_EQ(0, tmm_frames_drop(&frames));
	EXPECT_FAILS(ENOENT, tmm_pages_split(&pages, PAGE, &pages, &pages));
	EXPECT_FAILS(ENOENT, tmm_frames_split(&frames, PAGE, &frames, &frames));
}

TEST_F(library, pages_split_and_merge)
{
	struct tmm_pages *pages = OWN_PAGES(NR), *first = NULL, *second = NULL, *far;
	const __u64 vaddr = tmm_pages_address(pages);
	const __u32 handle = tmm_pages_handle(pages);

	EXPECT_FAILS(EINVAL, tmm_pages_split(&pages, 0, &first, &second), handle);
	EXPECT_FAILS(EINVAL, tmm_pages_split(&pages, 1, &first, &second), handle);
	EXPECT_FAILS(EINVAL, tmm_pages_split(&pages, SIZE + PAGE, &first, &second), handle);
	EXPECT_EQ(NULL, first);
	EXPECT_PAGES(pages, vaddr, SIZE);
	ASSERT_EQ(0, tmm_pages_split(&pages, 3 * PAGE, &first, &second));
	EXPECT_EQ(NULL, pages);
	EXPECT_PAGES(first, vaddr, 3 * PAGE);
	EXPECT_PAGES(second, vaddr + 3 * PAGE, SIZE - 3 * PAGE);
	/* the results may be stored where the consumed pointer was */
	ASSERT_EQ(0, tmm_pages_split(&second, PAGE, &far, &second));
	EXPECT_PAGES(far, vaddr + 3 * PAGE, PAGE);
	EXPECT_FAILS(EDOM, tmm_pages_merge(first, &second), tmm_pages_handle(first));
	EXPECT_NE(NULL, second);
	/* pages can be merged in either order */
	ASSERT_EQ(0, tmm_pages_merge(second, &far));
	EXPECT_EQ(NULL, far);
	EXPECT_PAGES(second, vaddr + 3 * PAGE, SIZE - 3 * PAGE);
	ASSERT_EQ(0, tmm_pages_merge(first, &second));
	EXPECT_PAGES(first, vaddr, SIZE);
	EXPECT_EQ(1, INFO().client_handles);
	EXPECT_FAILS(ENOENT, tmm_pages_merge(first, &second), tmm_pages_handle(first));
}

TEST_F(library, frames_split_and_merge)
{
	struct tmm_frames *frames = OWN_FRAMES(NR), *first = NULL, *second = NULL, *far;
	const __u64 paddr = tmm_frames_address(frames);
	const __u32 handle = tmm_frames_handle(frames);

	EXPECT_FAILS(EINVAL, tmm_frames_split(&frames, 1, &first, &second), handle);
	EXPECT_FAILS(EINVAL, tmm_frames_split(&frames, SIZE + PAGE, &first, &second), handle);
	EXPECT_EQ(NULL, first);
	ASSERT_EQ(0, tmm_frames_split(&frames, 3 * PAGE, &first, &second));
	EXPECT_EQ(NULL, frames);
	EXPECT_FRAMES(first, paddr, 3 * PAGE);
	EXPECT_FRAMES(second, paddr + 3 * PAGE, SIZE - 3 * PAGE);
	ASSERT_EQ(0, tmm_frames_split(&second, PAGE, &far, &second));
	EXPECT_FAILS(EDOM, tmm_frames_merge(first, &second), tmm_frames_handle(first));
	ASSERT_EQ(0, tmm_frames_merge(second, &far));
	EXPECT_EQ(NULL, far);
	EXPECT_FRAMES(second, paddr + 3 * PAGE, SIZE - 3 * PAGE);
	ASSERT_EQ(0, tmm_frames_merge(first, &second));
	EXPECT_FRAMES(first, paddr, SIZE);
	EXPECT_EQ(1, INFO().client_handles);
	EXPECT_EQ(NR, INFO().client_frames);
}

TEST_F(library, objects_of_two_clients_do_not_mix)
{
	struct tmm_client *client = self->client, *other = tmm_client_open(NULL);
	struct tmm_frames *frames = OWN_FRAMES(NR), *their_frames;
	struct tmm_pages *pages = OWN_PAGES(NR), *their_pages;

	ASSERT_NE(NULL, other);
	self->client = other;
	their_pages = OWN_PAGES(NR);
	their_frames = OWN_FRAMES(NR);
	self->client = client;
	EXPECT_FAILS(EXDEV, tmm_pages_merge(pages, &their_pages));
	EXPECT_FAILS(EXDEV, tmm_frames_merge(frames, &their_frames));
	EXPECT_NONE(EXDEV, tmm_pages_map_to(&pages, &their_frames, TMM_DATA));
	EXPECT_NE(NULL, their_pages);
	EXPECT_NE(NULL, their_frames);
	EXPECT_NE(NULL, pages);
	tmm_client_close(&other);
}

/* Is a mapping all zeros? */
static bool is_zero(const struct tmm_mapping *mapping)
{
	char bytes[SIZE] = { 1 };
	size_t i;

	if (tmm_mapping_read(mapping, 0, bytes, sizeof(bytes)))
		return false;
	for (i = 0; i < sizeof(bytes); i++)
		if (bytes[i])
			return false;
	return true;
}

TEST_F(library, pages_map_puts_new_frames_behind_pages)
{
	struct tmm_pages *pages = OWN_PAGES(NR);
	const __u64 vaddr = tmm_pages_address(pages);
	struct tmm_mapping *mapping;

	EXPECT_NONE(EINVAL, tmm_pages_map(&pages, TMM_DATA | 1ULL << 40), tmm_pages_handle(pages));
	EXPECT_NONE(EOPNOTSUPP, tmm_pages_map(&pages, TMM_DATA | TMM_DEVICE_MEMORY),
		    tmm_pages_handle(pages));
	EXPECT_PAGES(pages, vaddr, SIZE);
	mapping = OWN(mapping, tmm_pages_map(&pages, TMM_DATA));
	EXPECT_EQ(NULL, pages);
	EXPECT_EQ(vaddr, tmm_mapping_address(mapping));
	EXPECT_EQ(SIZE, tmm_mapping_size(mapping));
	EXPECT_KNOWN(THESEUS_MM_KIND_MAPPING, tmm_mapping_handle(mapping), vaddr, SIZE);
	EXPECT_TRUE(is_zero(mapping));
	EXPECT_EQ(1, INFO().client_handles);
	EXPECT_EQ(NR, INFO().client_frames);
	EXPECT_NONE(ENOENT, tmm_pages_map(&pages, TMM_DATA));
}

TEST_F(library, pages_map_to_puts_those_frames_behind_pages)
{
	struct tmm_pages *pages = OWN_PAGES(NR);
	struct tmm_frames *frames = OWN_FRAMES(NR), *fewer = OWN_FRAMES(1), *none = NULL;
	const __u64 vaddr = tmm_pages_address(pages), paddr = tmm_frames_address(frames);
	const __u32 handle = tmm_pages_handle(pages);
	struct theseus_mm_translate translation;
	struct tmm_mapping *mapping;

	EXPECT_NONE(EINVAL, tmm_pages_map_to(&pages, &fewer, TMM_DATA), handle);
	EXPECT_NONE(ENOENT, tmm_pages_map_to(&pages, &none, TMM_DATA), handle);
	EXPECT_NE(NULL, fewer);
	EXPECT_PAGES(pages, vaddr, SIZE);
	mapping = OWN(mapping, tmm_pages_map_to(&pages, &frames, TMM_DATA));
	EXPECT_EQ(NULL, pages);
	EXPECT_EQ(NULL, frames);
	EXPECT_EQ(vaddr, tmm_mapping_address(mapping));
	ASSERT_EQ(0, uapi_translate(self->fd, vaddr + SIZE - 1, &translation));
	EXPECT_EQ(paddr + SIZE - 1, translation.paddr);
	EXPECT_TRUE(is_zero(mapping));
	EXPECT_EQ(2, INFO().client_handles);
	EXPECT_EQ(NR + 1, INFO().client_frames);
}

/*
 * Make a mapping of two runs of frames, of 3 and of NR - 3, in which every byte has a known value.
 */
static struct tmm_mapping *map_two_runs(struct tmm_client *client, __u64 starts[2])
{
	struct tmm_pages *first = tmm_pages_allocate(client, OPTIONS(.nr_pages = NR)), *second;
	struct tmm_frames *low = tmm_frames_allocate(client, OPTIONS(.nr_pages = NR + 1)), *high;
	/* the frame between the two runs stays owned until the test ends */
	struct tmm_frames *between;
	struct tmm_mapping *mapping, *next;

	if (!first || !low || tmm_pages_split(&first, 3 * PAGE, &first, &second) ||
	    tmm_frames_split(&low, 3 * PAGE, &low, &between) ||
	    tmm_frames_split(&between, PAGE, &between, &high))
		return NULL;
	starts[0] = tmm_frames_address(low);
	starts[1] = tmm_frames_address(high);
	mapping = tmm_pages_map_to(&first, &low, TMM_DATA);
	next = tmm_pages_map_to(&second, &high, TMM_DATA);
	if (!mapping || !next || tmm_mapping_merge(mapping, &next) ||
	    fill(tmm_client_fd(client), tmm_mapping_handle(mapping), SIZE))
		return NULL;
	return mapping;
}

#define TWO_RUNS(starts)	OWN(mapping, map_two_runs(self->client, starts))

TEST_F(library, unmap_into_parts_takes_a_mapping_apart)
{
	__u64 starts[2], vaddr;
	struct tmm_mapping *mapping = TWO_RUNS(starts);
	struct tmm_parts parts = { .nr_frames = 77 };
	struct tmm_frames *kept;
	char *area;

	vaddr = tmm_mapping_address(mapping);
	area = tmm_mapping_mmap(mapping, 0, PAGE, PROT_READ);
	ASSERT_NE(NULL, area);
	EXPECT_FAILS(EBUSY, tmm_mapping_unmap_into_parts(&mapping, &parts),
		     tmm_mapping_handle(mapping));
	EXPECT_EQ(77, parts.nr_frames);
	ASSERT_EQ(0, tmm_mapping_munmap(area, PAGE));

	ASSERT_EQ(0, tmm_mapping_unmap_into_parts(&mapping, &parts));
	EXPECT_EQ(NULL, mapping);
	EXPECT_PAGES(parts.pages, vaddr, SIZE);
	ASSERT_EQ(2, parts.nr_frames);
	EXPECT_FRAMES(parts.frames[0], starts[0], 3 * PAGE);
	EXPECT_FRAMES(parts.frames[1], starts[1], (NR - 3) * PAGE);
	EXPECT_EQ(4, INFO().client_handles);
	EXPECT_EQ(self->start.nr_mappings, INFO().nr_mappings);

	/* tmm_parts_drop() does not drop a part that the caller has moved out */
	kept = parts.frames[1];
	parts.frames[1] = NULL;
	ASSERT_EQ(0, tmm_parts_drop(&parts));
	EXPECT_EQ(NULL, parts.pages);
	EXPECT_EQ(NULL, parts.frames);
	EXPECT_EQ(0, parts.nr_frames);
	EXPECT_FRAMES(kept, starts[1], (NR - 3) * PAGE);
	EXPECT_EQ(2, INFO().client_handles);
	EXPECT_EQ(0, tmm_parts_drop(&parts));
	EXPECT_FAILS(ENOENT, tmm_mapping_unmap_into_parts(&mapping, &parts));
}

TEST_F(library, unmap_into_tells_how_much_room_it_takes)
{
	struct tmm_frames *frames[3] = { NULL };
	struct tmm_pages *pages = NULL;
	struct tmm_mapping *mapping;
	__u64 starts[2], vaddr;
	__u32 nr = 1;

	mapping = TWO_RUNS(starts);
	vaddr = tmm_mapping_address(mapping);
	EXPECT_FAILS(ENOBUFS, tmm_mapping_unmap_into(&mapping, &pages, frames, &nr),
		     tmm_mapping_handle(mapping));
	EXPECT_EQ(2, nr);
	EXPECT_EQ(NULL, pages);
	EXPECT_EQ(NULL, frames[0]);
	EXPECT_EQ(SIZE, nr_alike_in(mapping, 0, SIZE));

	nr = 3;
	ASSERT_EQ(0, tmm_mapping_unmap_into(&mapping, &pages, frames, &nr));
	EXPECT_EQ(NULL, mapping);
	ASSERT_EQ(2, nr);
	EXPECT_PAGES(pages, vaddr, SIZE);
	EXPECT_FRAMES(frames[0], starts[0], 3 * PAGE);
	EXPECT_FRAMES(frames[1], starts[1], (NR - 3) * PAGE);
	EXPECT_EQ(NULL, frames[2]);
}

TEST_F(library, parts_drop_keeps_what_cannot_be_dropped)
{
	__u64 starts[2];
	struct tmm_mapping *mapping = TWO_RUNS(starts);
	struct tmm_parts parts;

	ASSERT_EQ(0, tmm_mapping_unmap_into_parts(&mapping, &parts));
	/* drop a part without the library, as another process of this client could */
	ASSERT_EQ(0, uapi_drop(self->fd, tmm_frames_handle(parts.frames[0])));
	EXPECT_EQ(-1, tmm_parts_drop(&parts));
	EXPECT_EQ(ENOENT, errno);
	EXPECT_EQ(NULL, parts.pages);
	ASSERT_NE(NULL, parts.frames);
	EXPECT_NE(NULL, parts.frames[0]);
	EXPECT_EQ(NULL, parts.frames[1]);
	EXPECT_EQ(1, INFO().client_handles);
}

TEST_HARNESS_MAIN
