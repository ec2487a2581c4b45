// SPDX-License-Identifier: GPL-2.0
/* List the clients, their objects, and the owners of the first region. */
#include "example.h"

static void show_clients(const struct tmm_client *client)
{
	struct tmm_clients clients;
	uint32_t i;

	CHECK(!tmm_client_list(client, &clients));
	for (i = 0; i < clients.nr; i++)
		printf("client %" PRIu32 ": user %" PRIu32 ", process %" PRId32 " (%s), %" PRIu32
		       " mappings, %" PRIu64 " frames\n", clients.entries[i].id,
		       clients.entries[i].uid, clients.entries[i].pid, clients.entries[i].comm,
		       clients.entries[i].nr_mappings, clients.entries[i].nr_frames);
	printf("%" PRIu32 " clients of other users own %" PRIu64 " frames\n", clients.nr_hidden,
	       clients.hidden_frames);
	printf("closed clients still hold %" PRIu64 " frames\n", clients.orphan_frames);
	tmm_clients_free(&clients);
}

static void show_owners(const struct tmm_client *client)
{
	struct tmm_occupancy occupancy;
	uint32_t i;

	CHECK(!tmm_client_occupancy(client, 0, 0, &occupancy));
	for (i = 0; i < occupancy.nr; i++) {
		if (occupancy.owners[i] == TMM_OWNER_NONE)
			continue;
		printf("part %2" PRIu32 " of %" PRIu32 ": %" PRIu32 " frames free, ", i,
		       occupancy.nr, occupancy.buckets[i].free);
		if (occupancy.owners[i] == TMM_OWNER_HIDDEN)
			printf("most others belong to a hidden client\n");
		else
			printf("most others belong to client %" PRIu32 "\n", occupancy.owners[i]);
	}
	tmm_occupancy_free(&occupancy);
}

static void show_handles(const struct tmm_client *client)
{
	static const char *const kinds[] = {
		[TMM_KIND_PAGES] = "pages",
		[TMM_KIND_FRAMES] = "frames",
		[TMM_KIND_MAPPING] = "mapping",
	};
	struct tmm_handles handles;
	uint32_t i;

	CHECK(!tmm_client_list_handles(client, &handles));
	for (i = 0; i < handles.nr; i++)
		printf("%s %" PRIu32 ": %s, %" PRIu64 " KiB\n",
		       handles.entries[i].handle ? "handle" : "export",
		       handles.entries[i].handle ? handles.entries[i].handle :
		       handles.entries[i].export_id, kinds[handles.entries[i].kind],
		       handles.entries[i].nr_bytes >> 10);
	tmm_handles_free(&handles);
}

int main(void)
{
	struct tmm_client *client = tmm_client_open(NULL);
	struct tmm_client *other = tmm_client_open(NULL);
	struct tmm_mapping *mapping, *others;
	struct tmm_info info;

	CHECK(client && other);
	mapping = tmm_mapping_create(client, 2 * TMM_LARGE_PAGE_SIZE, TMM_DATA, NULL);
	others = tmm_mapping_create(other, TMM_LARGE_PAGE_SIZE, TMM_DATA, NULL);
	CHECK(mapping && others);
	CHECK(!tmm_client_info(client, &info));
	printf("this is client %" PRIu32 " of %" PRIu32 "\n", info.client_id, info.nr_clients);
	show_clients(client);
	show_owners(client);
	show_handles(client);
	CHECK(!tmm_mapping_drop(&mapping));
	CHECK(!tmm_mapping_drop(&others));
	tmm_client_close(&client);
	tmm_client_close(&other);
	return EXIT_SUCCESS;
}
