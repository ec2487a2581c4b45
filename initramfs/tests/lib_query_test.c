// SPDX-License-Identifier: GPL-2.0
/*
 * Queries of libtmm about regions, clients, objects and page tables.
 */
#include "library.h"
#include "limits.h"

#define NR		8
#define SOMEBODY	1234
/* An address that is canonical neither with 4 levels nor with 5. */
#define NOT_CANONICAL	(1ULL << 60)

TEST_F(library, region_tells_each_range)
{
	struct tmm_region region = { .nr_bytes = 77 };
	__u64 nr_bytes = 0;
	__u32 i;

	for (i = 0; i < self->start.nr_regions; i++) {
		ASSERT_EQ(0, tmm_client_region(self->client, i, &region));
		EXPECT_NE(0, region.start);
		EXPECT_EQ(0, region.start % PAGE);
		nr_bytes += region.nr_bytes;
	}
	EXPECT_EQ(self->start.region_bytes, nr_bytes);
	region.nr_bytes = 77;
	EXPECT_FAILS(ERANGE, tmm_client_region(self->client, i, &region));
	EXPECT_EQ(77, region.nr_bytes);
	ASSERT_EQ(0, set_capability(CAP_SYS_ADMIN, false));
	EXPECT_EQ(0, tmm_client_region(self->client, 0, &region));
	EXPECT_EQ(0, region.start);
	EXPECT_LT(0, region.nr_bytes);
}

static struct tmm_bucket sum_buckets(const struct tmm_occupancy *occupancy)
{
	struct tmm_bucket sum = { 0 };
	__u32 i;

	for (i = 0; i < occupancy->nr; i++) {
		sum.free += occupancy->buckets[i].free;
		sum.allocated += occupancy->buckets[i].allocated;
		sum.mapped += occupancy->buckets[i].mapped;
		sum.tables += occupancy->buckets[i].tables;
		sum.metadata += occupancy->buckets[i].metadata;
		sum.bad += occupancy->buckets[i].bad;
	}
	return sum;
}

static bool is_owner(const struct tmm_occupancy *occupancy, __u32 id)
{
	__u32 i;

	for (i = 0; i < occupancy->nr; i++)
		if (occupancy->owners[i] == id)
			return true;
	return false;
}

/* Add up all regions, and check that the parts of each region hold all of its frames. */
static struct tmm_bucket sum_regions(struct __test_metadata *_metadata, FIXTURE_DATA(library) *self,
				     __u64 bucket_bytes)
{
	struct tmm_bucket all = { 0 }, sum;
	struct tmm_occupancy occupancy;
	struct tmm_region region;
	__u32 i;

	for (i = 0; i < self->start.nr_regions; i++) {
		ASSERT_EQ(0, tmm_client_region(self->client, i, &region));
		ASSERT_EQ(0, tmm_client_occupancy(self->client, i, bucket_bytes, &occupancy));
		if (bucket_bytes)
			EXPECT_EQ(bucket_bytes, occupancy.bucket_bytes);
		EXPECT_EQ((region.nr_bytes + occupancy.bucket_bytes - 1) / occupancy.bucket_bytes,
			  occupancy.nr);
		sum = sum_buckets(&occupancy);
		EXPECT_EQ(region.nr_bytes / PAGE, sum.free + sum.allocated + sum.mapped +
						  sum.tables + sum.metadata + sum.bad);
		all.free += sum.free;
		all.allocated += sum.allocated;
		all.mapped += sum.mapped;
		tmm_occupancy_free(&occupancy);
		EXPECT_EQ(NULL, occupancy.buckets);
		EXPECT_EQ(NULL, occupancy.owners);
		EXPECT_EQ(0, occupancy.nr);
	}
	return all;
}

TEST_F(library, occupancy_counts_each_frame_once)
{
	struct tmm_bucket before = sum_regions(_metadata, self, 0), after;

	EXPECT_EQ(self->start.frames_free, before.free);
	OWN_MAPPING(4 * NR);
	OWN_FRAMES(NR);
	after = sum_regions(_metadata, self, 2 * TMM_LARGE_PAGE_SIZE);
	EXPECT_EQ(INFO().frames_free, after.free);
	EXPECT_EQ(before.mapped + 4 * NR, after.mapped);
	EXPECT_EQ(before.allocated + NR, after.allocated);
}

TEST_F(library, occupancy_names_the_owner_of_a_part)
{
	struct tmm_occupancy occupancy = { 0 };
	bool is_found = false;
	__u32 k;

	tmm_occupancy_free(&occupancy);
	OWN_FRAMES(1024);
	for (k = 0; k < self->start.nr_regions; k++) {
		ASSERT_EQ(0, tmm_client_occupancy(self->client, k, 0, &occupancy));
		is_found |= is_owner(&occupancy, self->start.client_id);
		tmm_occupancy_free(&occupancy);
	}
	EXPECT_TRUE(is_found);
}

TEST_F(library, occupancy_refuses_parts_that_are_none)
{
	struct tmm_occupancy occupancy = { .nr = 77 };
	const __u32 nr = self->start.nr_regions;

	EXPECT_FAILS(ERANGE, tmm_client_occupancy(self->client, nr, 0, &occupancy));
	EXPECT_FAILS(EINVAL, tmm_client_occupancy(self->client, 0, 1, &occupancy));
	EXPECT_FAILS(EINVAL, tmm_client_occupancy(self->client, 0, PAGE, &occupancy));
	EXPECT_FAILS(EINVAL, tmm_client_occupancy(self->client, 0, 3 * TMM_LARGE_PAGE_SIZE,
						  &occupancy));
	EXPECT_EQ(77, occupancy.nr);
	EXPECT_EQ(NULL, occupancy.buckets);
	ASSERT_EQ(0, set_capability(CAP_SYS_ADMIN, false));
	EXPECT_FAILS(EPERM, tmm_client_occupancy(self->client, 0, 2 * TMM_LARGE_PAGE_SIZE,
						 &occupancy));
}

static const struct tmm_client_entry *find_client(const struct tmm_clients *clients, __u32 id)
{
	__u32 i;

	for (i = 0; i < clients->nr; i++)
		if (clients->entries[i].id == id)
			return &clients->entries[i];
	return NULL;
}

TEST_F(library, list_shows_what_clients_own)
{
	struct tmm_mapping *mapping = OWN_MAPPING(NR);
	const struct tmm_client_entry *entry;
	struct tmm_clients clients;
	int export;

	OWN_MAPPING(1);
	OWN_FRAMES(3);
	export = tmm_mapping_export(&mapping);
	ASSERT_LE(0, export);
	ASSERT_EQ(0, tmm_client_list(self->client, &clients));
	EXPECT_EQ(INFO().nr_clients, clients.nr + clients.nr_hidden);
	EXPECT_EQ(0, clients.nr_hidden);
	entry = find_client(&clients, self->start.client_id);
	ASSERT_NE(NULL, entry);
	EXPECT_EQ(getuid(), entry->uid);
	EXPECT_EQ(getpid(), entry->pid);
	EXPECT_EQ(INFO().client_handles, entry->nr_handles);
	EXPECT_EQ(1, entry->nr_mappings);
	EXPECT_EQ(1, entry->nr_exported);
	EXPECT_LE(NR + 1 + 3, entry->nr_frames);
	EXPECT_STREQ("lib_query_test", entry->comm);
	tmm_clients_free(&clients);
	EXPECT_EQ(NULL, clients.entries);
	EXPECT_EQ(0, clients.nr);
	tmm_clients_free(&clients);
	close(export);
}

/* More clients than the library's first call has room for. */
TEST_F(library, list_has_room_for_many_and_hides_others)
{
	int fds[40], theirs = open_as(SOMEBODY);
	struct theseus_mm_info info;
	struct tmm_clients clients;
	unsigned int i;

	ASSERT_LE(0, theirs);
	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = uapi_open(NULL);
		ASSERT_LE(0, fds[i]);
	}
	ASSERT_EQ(0, tmm_client_list(self->client, &clients));
	EXPECT_EQ(self->start.nr_clients + 41, clients.nr);
	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		ASSERT_EQ(0, uapi_get_info(fds[i], &info));
		EXPECT_NE(NULL, find_client(&clients, info.client_id));
		close(fds[i]);
	}
	ASSERT_EQ(0, uapi_get_info(theirs, &info));
	EXPECT_EQ(SOMEBODY, find_client(&clients, info.client_id)->uid);
	tmm_clients_free(&clients);

	ASSERT_EQ(0, set_capability(CAP_SYS_ADMIN, false));
	ASSERT_EQ(0, tmm_client_list(self->client, &clients));
	EXPECT_EQ(1, clients.nr_hidden);
	EXPECT_EQ(NULL, find_client(&clients, info.client_id));
	tmm_clients_free(&clients);
	close(theirs);
	EXPECT_FAILS(EBADF, tmm_client_list(NULL, &clients));
}

TEST_F(library, list_handles_tells_each_kind)
{
	struct tmm_mapping *mapping = OWN_MAPPING(NR), *exported = OWN_MAPPING(2);
	struct tmm_frames *frames = OWN_FRAMES(3);
	struct tmm_pages *pages = OWN_PAGES(5);
	struct tmm_handles handles;
	__u32 export_id;
	int export;

	ASSERT_EQ(0, tmm_mapping_share(mapping, true));
	export = tmm_mapping_export_as(&exported, NULL, &export_id);
	ASSERT_LE(0, export);
	ASSERT_EQ(0, tmm_client_list_handles(self->client, &handles));
	ASSERT_EQ(4, handles.nr);
	EXPECT_EQ(tmm_mapping_handle(mapping), handles.entries[0].handle);
	EXPECT_EQ(TMM_KIND_MAPPING, handles.entries[0].kind);
	EXPECT_EQ(TMM_ATTRIBUTE_SHAREABLE, handles.entries[0].attributes);
	EXPECT_EQ(tmm_mapping_address(mapping), handles.entries[0].address);
	EXPECT_EQ(NR * PAGE, handles.entries[0].nr_bytes);
	EXPECT_EQ(TMM_DATA, handles.entries[0].flags);
	EXPECT_TRUE(handles.entries[0].is_exclusive);
	EXPECT_EQ(tmm_frames_handle(frames), handles.entries[1].handle);
	EXPECT_EQ(TMM_KIND_FRAMES, handles.entries[1].kind);
	EXPECT_EQ(tmm_frames_address(frames), handles.entries[1].address);
	EXPECT_EQ(tmm_pages_handle(pages), handles.entries[2].handle);
	EXPECT_EQ(TMM_KIND_PAGES, handles.entries[2].kind);
	EXPECT_EQ(5 * PAGE, handles.entries[2].nr_bytes);
	EXPECT_EQ(0, handles.entries[3].handle);
	EXPECT_EQ(export_id, handles.entries[3].export_id);
	EXPECT_EQ(2 * PAGE, handles.entries[3].nr_bytes);
	tmm_handles_free(&handles);
	EXPECT_EQ(NULL, handles.entries);
	EXPECT_EQ(0, handles.nr);
	tmm_handles_free(&handles);
	close(export);
}

/* More objects than the library asks for in one call. */
TEST_F(library, list_handles_goes_on_to_the_end)
{
	struct tmm_handles handles;
	unsigned int i;

	ASSERT_EQ(0, tmm_client_list_handles(self->client, &handles));
	EXPECT_EQ(0, handles.nr);
	tmm_handles_free(&handles);
	for (i = 0; i < 150; i++)
		OWN_PAGES(1 + i);
	ASSERT_EQ(0, tmm_client_list_handles(self->client, &handles));
	ASSERT_EQ(150, handles.nr);
	for (i = 0; i < 150; i++)
		EXPECT_EQ((1 + i) * PAGE, handles.entries[i].nr_bytes);
	tmm_handles_free(&handles);
	EXPECT_FAILS(EBADF, tmm_client_list_handles(NULL, &handles));
}

TEST_F(library, translate_tells_the_leaf)
{
	struct tmm_mapping *small = OWN_MAPPING(NR), *large;
	struct tmm_translation translation;
	struct theseus_mm_translate raw;

	large = OWN(mapping, tmm_mapping_create(self->client, TMM_LARGE_PAGE_SIZE,
						TMM_READ_ONLY_DATA, &(struct tmm_create_options){
		.leaf_size = TMM_LARGE_PAGE_SIZE,
	}));
	ASSERT_EQ(0, tmm_client_translate(self->client, tmm_mapping_address(small) + PAGE + 5,
					  &translation));
	ASSERT_EQ(0, uapi_translate(self->fd, tmm_mapping_address(small) + PAGE + 5, &raw));
	EXPECT_EQ(raw.paddr, translation.paddr);
	EXPECT_EQ(5, translation.paddr % PAGE);
	EXPECT_EQ(TMM_DATA, translation.flags);
	EXPECT_EQ(TMM_PAGE_SIZE, translation.page_size);
	EXPECT_TRUE(translation.is_exclusive);
	ASSERT_EQ(0, tmm_client_translate(self->client, tmm_mapping_address(large), &translation));
	EXPECT_EQ(TMM_READ_ONLY_DATA, translation.flags);
	EXPECT_EQ(TMM_LARGE_PAGE_SIZE, translation.page_size);
}

TEST_F(library, translate_refuses_what_is_not_mapped)
{
	struct tmm_translation translation = { .paddr = 77 };
	struct tmm_mapping *mapping = OWN_MAPPING(1);
	struct tmm_pages *pages = OWN_PAGES(1);

	EXPECT_FAILS(ENOENT, tmm_client_translate(self->client, tmm_pages_address(pages),
						  &translation));
	EXPECT_FAILS(EINVAL, tmm_client_translate(self->client, NOT_CANONICAL, &translation));
	ASSERT_EQ(0, set_capability(CAP_SYS_ADMIN, false));
	EXPECT_FAILS(EPERM, tmm_client_translate(self->client, tmm_mapping_address(mapping),
						 &translation));
	EXPECT_EQ(77, translation.paddr);
}

TEST_F(library, dump_pte_follows_the_tables)
{
	struct tmm_mapping *mapping = OWN_MAPPING(1);
	const __u64 vaddr = tmm_mapping_address(mapping);
	struct tmm_translation translation;
	struct tmm_walk walk;
	__u32 i;

	ASSERT_EQ(0, tmm_client_dump_pte(self->client, vaddr, &walk));
	ASSERT_EQ(0, tmm_client_translate(self->client, vaddr, &translation));
	ASSERT_EQ(self->start.paging_levels, walk.nr_levels);
	for (i = 0; i < walk.nr_levels; i++)
		EXPECT_EQ(1, walk.entries[i] & 1);
	EXPECT_EQ(translation.paddr, walk.entries[walk.nr_levels - 1] & 0x000ffffffffff000ULL);
	ASSERT_EQ(0, tmm_mapping_drop(&mapping));
	ASSERT_EQ(0, tmm_client_dump_pte(self->client, vaddr, &walk));
	ASSERT_LT(0, walk.nr_levels);
	EXPECT_EQ(0, walk.entries[walk.nr_levels - 1] & 1);
	EXPECT_FAILS(EINVAL, tmm_client_dump_pte(self->client, NOT_CANONICAL, &walk));
	ASSERT_EQ(0, set_capability(CAP_SYS_ADMIN, false));
	EXPECT_FAILS(EPERM, tmm_client_dump_pte(self->client, vaddr, &walk));
}

TEST_HARNESS_MAIN
