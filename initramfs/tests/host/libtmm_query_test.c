// SPDX-License-Identifier: GPL-2.0
/*
 * The library asks the kernel for lists, parts of regions and limits, waits for free memory, and
 * makes the calls that need a capability.
 */
#include "libtmm_test.h"

#include <signal.h>
#include <sys/time.h>

static void handles_are_listed_to_the_end(void)
{
	struct tmm_client *client = new_client();
	struct tmm_handles handles = { 0 };
	uint32_t i, number;

	EXPECT(!tmm_client_list_handles(client, &handles));
	EXPECT(handles.nr == NR_FAKE_HANDLES + NR_FAKE_EXPORTS);
	for (i = 0; i < handles.nr; i++) {
		const struct tmm_handle_entry *entry = &handles.entries[i];

		number = i < NR_FAKE_HANDLES ? 2 * i + 1 : 2 * (i - NR_FAKE_HANDLES) + 1;
		EXPECT(entry->handle == (i < NR_FAKE_HANDLES ? number : 0));
		EXPECT(entry->export_id == (i < NR_FAKE_HANDLES ? 0 : number));
		EXPECT(entry->address == 0x1000 * (uint64_t)number && entry->is_exclusive);
		EXPECT(entry->nr_bytes == number * TMM_PAGE_SIZE && entry->flags == TMM_DATA);
		EXPECT(entry->kind == TMM_KIND_MAPPING && entry->nr_frame_ranges == 5);
		EXPECT(entry->attributes == TMM_ATTRIBUTE_SHAREABLE && entry->nr_borrows == 2);
	}
	tmm_handles_free(&handles);
	EXPECT(!handles.entries && !handles.nr);
	tmm_handles_free(&handles);
	fake.error = ENOTTY;
	EXPECT_REFUSED(ENOTTY, tmm_client_list_handles(client, &handles));
	fake.error = 0;
	EXPECT(!handles.entries);
	tmm_client_close(&client);
}

static void a_picture_has_the_parts_there_are(void)
{
	struct tmm_client *client = new_client();
	struct tmm_occupancy occupancy = { 0 };
	int i;

	EXPECT(!tmm_client_occupancy(client, 0, 0, &occupancy));
	EXPECT(occupancy.nr == 5 && occupancy.bucket_bytes == 1024 * TMM_PAGE_SIZE);
	for (i = 0; i < 5; i++)
		EXPECT(occupancy.buckets[i].free == (uint32_t)i &&
		       occupancy.buckets[i].bad == 7 && occupancy.owners[i] == 10 + (uint32_t)i);
	tmm_occupancy_free(&occupancy);
	EXPECT(!occupancy.buckets && !occupancy.owners && !occupancy.nr);
	tmm_occupancy_free(&occupancy);
	EXPECT(!tmm_client_occupancy(client, 0, 4 << 20, &occupancy));
	EXPECT(occupancy.bucket_bytes == 4 << 20);
	tmm_occupancy_free(&occupancy);
	EXPECT_REFUSED(EINVAL, tmm_client_occupancy(client, 0, 4097, &occupancy));
	for (i = 1; i <= 2; i++) {
		no_memory_at = i;
		EXPECT_REFUSED(ENOMEM, tmm_client_occupancy(client, 0, 0, &occupancy));
	}
	fake.error = ERANGE;
	EXPECT_REFUSED(ERANGE, tmm_client_occupancy(client, 9, 0, &occupancy));
	fake.error = 0;
	EXPECT(!occupancy.buckets);
	tmm_client_close(&client);
}

static void clients_are_listed(void)
{
	struct tmm_client *client = new_client();
	struct tmm_clients clients = { .nr = 77 };

	fake.nr_clients = 16;
	EXPECT(!tmm_client_list(client, &clients));
	EXPECT(clients.nr == 16 && clients.nr_hidden == 2 && clients.hidden_frames == 3);
	EXPECT(clients.entries[15].id == 16 && clients.entries[15].pid == -1);
	EXPECT(!strcmp(clients.entries[15].comm, "exactly-15-long"));
	tmm_clients_free(&clients);
	EXPECT(!clients.entries && !clients.nr);
	tmm_clients_free(&clients);

	/* more clients come at each call */
	fake.nr_races = 3;
	EXPECT(!tmm_client_list(client, &clients));
	EXPECT(clients.nr == 316 && clients.entries[315].id == 316);
	tmm_clients_free(&clients);
	fake.nr_clients = 0;
	EXPECT(!tmm_client_list(client, &clients) && !clients.nr);
	tmm_clients_free(&clients);

	clients.nr = 77;
	fake.error = EFAULT;
	EXPECT_REFUSED(EFAULT, tmm_client_list(client, &clients));
	fake.error = 0;
	no_memory_at = 1;
	EXPECT_REFUSED(ENOMEM, tmm_client_list(client, &clients));
	EXPECT_REFUSED(EBADF, tmm_client_list(NULL, &clients));
	EXPECT(clients.nr == 77);
	tmm_client_close(&client);
}

static void limits_arrive(void)
{
	struct tmm_client *client = new_client();
	struct tmm_limits limits;

	EXPECT(!tmm_client_limits(client, &limits));
	EXPECT(limits.client_frames_max == 1 && limits.client_handles_max == 2);
	EXPECT(limits.client_frames == 3 && limits.client_handles == 4);
	EXPECT(limits.user_frames_max == TMM_NO_LIMIT && limits.user_handles_max == 6);
	EXPECT(limits.user_frames == 7 && limits.user_handles == 8);
	EXPECT(limits.client_pages_max == 9 && limits.client_pages == 10);
	EXPECT(limits.user_pages_max == 11 && limits.user_pages == 12);
	limits.client_frames_max = 5;
	limits.client_handles_max = TMM_NO_LIMIT;
	EXPECT(!tmm_client_set_limits(client, TMM_LIMIT_FRAMES | TMM_LIMIT_HANDLES, &limits));
	EXPECT(fake.last == THESEUS_MM_IOC_SET_LIMITS);
	EXPECT(fake.argument.limits.flags == (THESEUS_MM_SET_FRAMES | THESEUS_MM_SET_HANDLES));
	EXPECT(fake.argument.limits.client_frames_max == 5);
	EXPECT(fake.argument.limits.client_pages_max == 9);
	EXPECT(fake.argument.limits.client_handles_max == THESEUS_MM_NO_LIMIT);
	EXPECT(!fake.argument.limits.user_frames_max);
	fake.error = EPERM;
	EXPECT_REFUSED(EPERM, tmm_client_set_limits(client, TMM_LIMIT_PAGES, &limits));
	fake.error = 0;
	tmm_client_close(&client);
}

static void on_alarm(int signal)
{
	(void)signal;
}

/* A pipe stands for the device: it is ready once something is written to it. */
static void wait_ends(void)
{
	const struct itimerval soon = { .it_value.tv_usec = 20 * 1000 };
	const struct sigaction action = { .sa_handler = on_alarm };
	struct tmm_client *client;
	int ends[2];

	EXPECT(!pipe2(ends, O_CLOEXEC));
	client = tmm_client_from_fd(&ends[0]);
	EXPECT_REFUSED(ETIMEDOUT, tmm_client_wait(client, 0));
	EXPECT_REFUSED(ETIMEDOUT, tmm_client_wait(client, 10));
	EXPECT(!sigaction(SIGALRM, &action, NULL));
	EXPECT(!setitimer(ITIMER_REAL, &soon, NULL));
	EXPECT_REFUSED(EINTR, tmm_client_wait(client, -1));
	EXPECT(write(ends[1], "", 1) == 1);
	EXPECT(!tmm_client_wait(client, -1));
	tmm_client_close(&client);
	close(ends[1]);
	EXPECT_REFUSED(EBADF, tmm_client_wait(client, -1));
}

static void privileged_requests_arrive(void)
{
	struct tmm_client *client = new_client();
	struct tmm_mapping *mapping;

	mapping = tmm_mapping_create(client, 1, TMM_DATA, &(struct tmm_create_options){
		.is_identity = true,
		.is_contiguous = true,
		.leaf_size = TMM_LARGE_PAGE_SIZE,
		.align = 3,
	});
	EXPECT(mapping && fake.last == THESEUS_MM_IOC_CREATE_IDENTITY_MAPPING);
	EXPECT(fake.argument.create.leaf_size == TMM_LARGE_PAGE_SIZE);
	EXPECT(fake.argument.create.align == 3);
	EXPECT(!tmm_mapping_drop(&mapping));
	mapping = tmm_mapping_map_frame_range(client, 0x123456, 99, TMM_DEVICE_MEMORY);
	EXPECT(mapping && tmm_mapping_size(mapping) == 5 * TMM_PAGE_SIZE);
	EXPECT(fake.argument.map_range.paddr == 0x123456 && fake.argument.map_range.nr_bytes == 99);
	EXPECT(fake.argument.map_range.pte_flags == THESEUS_MM_PTE_DEVICE_MEMORY);
	EXPECT(!tmm_mapping_drop(&mapping));
	fake.error = ERANGE;
	EXPECT_REFUSED(ERANGE, !tmm_mapping_map_frame_range(client, 0, 1, 0));
	fake.error = 0;
	EXPECT(!tmm_client_add_device_region(client, 0x1000, 0x2000, TMM_MEMORY_WRITE_COMBINING));
	EXPECT(fake.argument.device_region.memory_type == THESEUS_MM_MEMORY_WRITE_COMBINING);
	EXPECT(fake.argument.device_region.start == 0x1000);
	EXPECT(!tmm_client_remove_device_region(client, 0x1000, 0x2000));
	EXPECT(fake.last == THESEUS_MM_IOC_REMOVE_DEVICE_REGION);
	EXPECT(fake.argument.device_region.nr_bytes == 0x2000);
	EXPECT(!fake.argument.device_region.memory_type);
	tmm_client_close(&client);
}

void test_queries(void)
{
	handles_are_listed_to_the_end();
	a_picture_has_the_parts_there_are();
	clients_are_listed();
	limits_arrive();
	wait_ends();
	privileged_requests_arrive();
}
