// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the library that need no device, since the kernel is a function of libtmm_kernel.c. This
 * file tests the objects of the library; the other files test the rest.
 */
#include "libtmm_test.h"

#include <sys/resource.h>

int nr_checks, nr_failed;

static const struct tmm_allocate_options four = { .nr_pages = 4 };

static void open_refuses(void)
{
	struct tmm_client *client = NULL;
	int none = -1;

	EXPECT_REFUSED(ENOENT, !tmm_client_open("/nonexistent"));
	EXPECT_REFUSED(EBADF, !tmm_client_from_fd(&none));
	EXPECT_REFUSED(EBADF, tmm_client_info(NULL, &(struct tmm_info){ 0 }));
	EXPECT_REFUSED(EBADF, !tmm_pages_allocate(NULL, &four));
	EXPECT(tmm_client_fd(NULL) == -1);
	tmm_client_close(&client);
}

static void objects_outlive_their_client(void)
{
	struct tmm_client *client = new_client();
	struct tmm_mapping *mapping = new_mapping(client);
	char byte;

	tmm_client_close(&client);
	EXPECT(!client);
	EXPECT_REFUSED(EBADF, tmm_mapping_read(mapping, 0, &byte, 1));
	EXPECT_REFUSED(EBADF, tmm_mapping_split(&mapping, TMM_PAGE_SIZE, &mapping, &mapping));
	EXPECT(mapping);
	EXPECT(!tmm_mapping_drop(&mapping));
	EXPECT(!mapping);
}

static void consumed_objects_are_refused(void)
{
	struct tmm_client *client = new_client();
	struct tmm_pages *pages = tmm_pages_allocate(client, &four);
	struct tmm_mapping *mapping = NULL;
	struct tmm_frames *frames = NULL;
	const int nr_calls = fake.nr_calls;
	struct tmm_parts parts;
	uint64_t offset;

	EXPECT_REFUSED(ENOENT, !tmm_pages_map_to(&pages, &frames, TMM_DATA));
	EXPECT_REFUSED(ENOENT, tmm_mapping_read(mapping, 0, &offset, 1));
	EXPECT_REFUSED(ENOENT, tmm_mapping_remap(mapping, TMM_DATA));
	EXPECT_REFUSED(ENOENT, tmm_mapping_map_offset(mapping, &offset));
	EXPECT_REFUSED(ENOENT, !tmm_mapping_mmap(mapping, 0, 1, PROT_READ));
	EXPECT_REFUSED(ENOENT, tmm_mapping_revoke(mapping, NULL));
	EXPECT_REFUSED(ENOENT, tmm_mapping_share(mapping, true));
	EXPECT_REFUSED(ENOENT, tmm_mapping_export(&mapping) < 0);
	EXPECT_REFUSED(ENOENT, tmm_mapping_export_dmabuf(mapping) < 0);
	EXPECT_REFUSED(ENOENT, tmm_mapping_lend(mapping, NULL) < 0);
	EXPECT_REFUSED(ENOENT, tmm_mapping_unmap_into_parts(&mapping, &parts));
	EXPECT_REFUSED(ENOENT, tmm_mapping_merge(mapping, &mapping));
	EXPECT_REFUSED(ENOENT, tmm_frames_split(&frames, TMM_PAGE_SIZE, &frames, &frames));
	EXPECT(!tmm_mapping_drop(&mapping));
	EXPECT(!tmm_frames_size(frames) && !tmm_frames_address(frames));
	EXPECT(fake.nr_calls == nr_calls);
	EXPECT(!tmm_pages_drop(&pages));
	tmm_client_close(&client);
}

static void failure_consumes_nothing(void)
{
	struct tmm_client *client = new_client();
	struct tmm_pages *pages = tmm_pages_allocate(client, &four), *kept = pages, *other = NULL;
	struct tmm_frames *frames = tmm_frames_allocate(client, &four);
	const uint32_t handle = tmm_pages_handle(pages);

	fake.error = EDQUOT;
	EXPECT_REFUSED(EDQUOT, tmm_pages_split(&pages, TMM_PAGE_SIZE, &other, &other));
	EXPECT_REFUSED(EDQUOT, !tmm_pages_map(&pages, TMM_DATA));
	EXPECT_REFUSED(EDQUOT, !tmm_pages_map_to(&pages, &frames, TMM_DATA));
	EXPECT_REFUSED(EDQUOT, tmm_pages_drop(&pages));
	fake.error = 0;
	EXPECT(pages == kept && !other && frames);
	EXPECT(tmm_pages_handle(pages) == handle);
	EXPECT(tmm_pages_size(pages) == 4 * TMM_PAGE_SIZE);
	EXPECT(!tmm_pages_drop(&pages));
	EXPECT(!tmm_frames_drop(&frames));
	tmm_client_close(&client);
}

static void split_and_merge_keep_count(void)
{
	struct tmm_client *client = new_client();
	struct tmm_frames *frames = tmm_frames_allocate(client, &four), *rest;

	EXPECT(!tmm_frames_split(&frames, TMM_PAGE_SIZE, &frames, &rest));
	EXPECT(tmm_frames_size(frames) == TMM_PAGE_SIZE);
	EXPECT(tmm_frames_size(rest) == 3 * TMM_PAGE_SIZE);
	EXPECT(tmm_frames_address(rest) == tmm_frames_address(frames) + TMM_PAGE_SIZE);
	EXPECT(tmm_frames_handle(rest) == tmm_frames_handle(frames) + 1);
	EXPECT(!tmm_frames_merge(rest, &frames));
	EXPECT(!frames && tmm_frames_size(rest) == 4 * TMM_PAGE_SIZE);
	EXPECT(tmm_frames_address(rest) == 0x10000);
	EXPECT(!tmm_frames_drop(&rest));
	tmm_client_close(&client);
}

static void clients_do_not_mix(void)
{
	struct tmm_client *client = new_client(), *stranger = new_client();
	struct tmm_pages *pages = tmm_pages_allocate(client, &four);
	struct tmm_pages *other = tmm_pages_allocate(stranger, &four);
	struct tmm_frames *frames = tmm_frames_allocate(stranger, &four);

	EXPECT_REFUSED(EXDEV, tmm_pages_merge(pages, &other));
	EXPECT_REFUSED(EXDEV, !tmm_pages_map_to(&pages, &frames, TMM_DATA));
	EXPECT(pages && other && frames);
	EXPECT(!tmm_pages_drop(&pages) && !tmm_pages_drop(&other) && !tmm_frames_drop(&frames));
	tmm_client_close(&client);
	tmm_client_close(&stranger);
}

static void options_are_checked(void)
{
	struct tmm_client *client = new_client();
	struct tmm_allocate_options wanted = { .nr_bytes = 5, .place = TMM_IN_RANGE, .max = 7 };
	struct tmm_pages *pages = tmm_pages_allocate(client, &wanted);

	EXPECT(pages && fake.argument.allocate.size == 5 && fake.argument.allocate.max == 7);
	EXPECT(fake.argument.allocate.flags ==
	       (THESEUS_MM_ALLOCATE_BY_BYTES | THESEUS_MM_ALLOCATE_IN_RANGE));
	EXPECT(!tmm_pages_drop(&pages));
	wanted.nr_pages = 1;
	EXPECT_REFUSED(EINVAL, !tmm_pages_allocate(client, &wanted));
	wanted.nr_bytes = 0;
	wanted.reserved[3] = 1;
	EXPECT_REFUSED(EINVAL, !tmm_pages_allocate(client, &wanted));
	wanted.reserved[3] = 0;
	wanted.place = (enum tmm_place)3;
	EXPECT_REFUSED(EINVAL, !tmm_pages_allocate(client, &wanted));
	EXPECT_REFUSED(EINVAL, !tmm_pages_allocate(client, NULL));
	EXPECT_REFUSED(EINVAL, !tmm_mapping_create(client, 1, TMM_DATA,
						   &(struct tmm_create_options){
		.reserved = { 1 },
	}));
	tmm_client_close(&client);
}

static void large_numbers_arrive(void)
{
	struct tmm_client *client = new_client();
	struct tmm_mapping *mapping = new_mapping(client);
	const uint64_t offset = UINT64_C(0xfedcba9876543210);

	EXPECT(!tmm_mapping_write(mapping, offset, "x", 1));
	EXPECT(fake.argument.access.offset == offset && fake.argument.access.length == 1);
	EXPECT(fake.last == THESEUS_MM_IOC_WRITE);
	EXPECT(!tmm_mapping_drop(&mapping));
	tmm_client_close(&client);
}

/* An offset after the end would belong to another mapping. */
static void windows_stay_within(void)
{
	struct tmm_client *client = new_client();
	struct tmm_mapping *mapping = new_mapping(client);

	EXPECT_REFUSED(ERANGE, !tmm_mapping_mmap(mapping, UINT64_C(1) << 43, 4096, PROT_READ));
	EXPECT_REFUSED(ERANGE, !tmm_mapping_mmap(mapping, 0, 4 * 4096 + 1, PROT_READ));
	EXPECT_REFUSED(ERANGE, !tmm_mapping_mmap(mapping, 4096, SIZE_MAX, PROT_READ));
	EXPECT_REFUSED(EINVAL, !tmm_mapping_mmap(mapping, 0, 0, PROT_READ));
	EXPECT(!tmm_mapping_munmap(NULL, 4096));
	EXPECT(!tmm_mapping_prefault(NULL, 0));
	EXPECT_REFUSED(EINVAL, tmm_mapping_prefault((void *)4097, 4096));
	EXPECT(!tmm_mapping_drop(&mapping));
	tmm_client_close(&client);
}

static void flags_go_round(void)
{
	struct tmm_client *client = new_client();
	struct tmm_mapping *mapping = new_mapping(client);
	struct tmm_mapping_info info;

	EXPECT(!tmm_mapping_query(mapping, &info));
	EXPECT(info.flags == TMM_DATA && info.is_exclusive);
	EXPECT(info.is_pinned && !info.is_shareable && info.nr_borrows == 9);
	EXPECT(info.nr_bytes == TMM_PAGE_SIZE && info.address == 0x1000 * fake.handle);
	EXPECT(!tmm_mapping_drop(&mapping));
	tmm_client_close(&client);
}

static void unmap_counts_again(void)
{
	struct tmm_client *client = new_client();
	struct tmm_mapping *mapping = new_mapping(client);
	struct tmm_parts parts;

	fake.nr_runs = 3;
	fake.nr_races = 2;
	EXPECT(!tmm_mapping_unmap_into_parts(&mapping, &parts));
	EXPECT(!mapping && parts.pages && parts.nr_frames == 5);
	EXPECT(tmm_pages_size(parts.pages) == 4 * TMM_PAGE_SIZE);
	EXPECT(tmm_frames_size(parts.frames[4]) == TMM_PAGE_SIZE);
	EXPECT(tmm_frames_address(parts.frames[4]) == 0x1000 * tmm_frames_handle(parts.frames[4]));
	EXPECT(tmm_frames_handle(parts.frames[4]) == tmm_frames_handle(parts.frames[0]) + 4);
	fake.error = EBUSY;
	EXPECT_REFUSED(EBUSY, tmm_parts_drop(&parts));
	fake.error = 0;
	EXPECT(parts.pages && parts.nr_frames == 5 && parts.frames[0]);
	EXPECT(!tmm_parts_drop(&parts));
	EXPECT(!parts.pages && !parts.frames && !parts.nr_frames);
	EXPECT(!tmm_parts_drop(&parts));
	tmm_client_close(&client);
}

static void unmap_counts_again_while_there_is_room(void)
{
	struct tmm_client *client = new_client();
	struct tmm_mapping *mapping = new_mapping(client);
	struct tmm_frames *frames[4];
	struct tmm_pages *pages;
	uint32_t nr = 4;

	fake.nr_runs = 1;
	fake.nr_races = 2;
	EXPECT(!tmm_mapping_unmap_into(&mapping, &pages, frames, &nr));
	EXPECT(!mapping && nr == 3);
	while (nr)
		EXPECT(!tmm_frames_drop(&frames[--nr]));
	EXPECT(!tmm_pages_drop(&pages));
	tmm_client_close(&client);
}

/* Let each allocation fail once: the library does not call UNMAP_INTO_PARTS, and loses nothing. */
static void unmap_without_memory(void)
{
	struct tmm_client *client = new_client();
	struct tmm_mapping *mapping = new_mapping(client), *kept = mapping;
	struct tmm_frames *frames[3] = { NULL };
	struct tmm_pages *pages = NULL;
	uint32_t nr = 2;
	int i;

	fake.nr_runs = 3;
	EXPECT_REFUSED(ENOBUFS, tmm_mapping_unmap_into(&mapping, &pages, frames, &nr));
	EXPECT(nr == 3 && mapping == kept);
	for (i = 1; i <= 5; i++) {
		no_memory_at = i;
		EXPECT_REFUSED(ENOMEM, tmm_mapping_unmap_into(&mapping, &pages, frames, &nr));
		EXPECT(fake.last == THESEUS_MM_IOC_QUERY);
		EXPECT(mapping == kept && !pages && !frames[0] && nr == 3);
	}
	EXPECT(!tmm_mapping_unmap_into(&mapping, &pages, frames, &nr));
	EXPECT(!mapping && nr == 3);
	for (i = 0; i < 3; i++)
		EXPECT(!tmm_frames_drop(&frames[i]));
	EXPECT(!tmm_pages_drop(&pages));
	tmm_client_close(&client);
}

static void no_memory_asks_nothing(void)
{
	struct tmm_client *client = new_client();
	struct tmm_mapping *mapping = new_mapping(client), *rest = NULL;
	const int nr_calls = fake.nr_calls;

	no_memory_at = 1;
	EXPECT_REFUSED(ENOMEM, tmm_mapping_split(&mapping, TMM_PAGE_SIZE, &mapping, &rest));
	no_memory_at = 1;
	EXPECT_REFUSED(ENOMEM, !tmm_mapping_create(client, 1, TMM_DATA, NULL));
	no_memory_at = 1;
	EXPECT_REFUSED(ENOMEM, !tmm_pages_allocate(client, &four));
	EXPECT(mapping && !rest && fake.nr_calls == nr_calls);
	EXPECT(!tmm_mapping_drop(&mapping));
	tmm_client_close(&client);
}

/* If a descriptor is not of the device, the call fails and the caller keeps the descriptor. */
static void another_file_is_no_client(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC), kept = fd;

	fake.is_real = true;
	EXPECT_REFUSED(ENOTTY, !tmm_client_from_fd(&fd));
	EXPECT(fd == kept && fcntl(fd, F_GETFD) >= 0);
	close(fd);
	EXPECT_REFUSED(ENOTTY, !tmm_client_open("/dev/null"));
	/* the lowest number is free again, so the library has closed its descriptor */
	EXPECT(open("/dev/null", O_RDWR | O_CLOEXEC) == fd);
	close(fd);
	fake.is_real = false;
}

static void test_objects(void)
{
	open_refuses();
	objects_outlive_their_client();
	consumed_objects_are_refused();
	failure_consumes_nothing();
	split_and_merge_keep_count();
	clients_do_not_mix();
	options_are_checked();
	large_numbers_arrive();
	windows_stay_within();
	flags_go_round();
	unmap_counts_again();
	unmap_counts_again_while_there_is_room();
	unmap_without_memory();
	no_memory_asks_nothing();
	another_file_is_no_client();
}

int main(void)
{
	test_objects();
	test_transfers();
	test_batches();
	test_queries();
	printf("libtmm: %d checks, %d failed\n", nr_checks, nr_failed);
	return nr_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
