// SPDX-License-Identifier: GPL-2.0
/*
 * Queries that need no object: regions, clients, page tables.
 */
#include "internal.h"

#define SAME(name)	_Static_assert(TMM_##name == THESEUS_MM_##name, #name)

int tmm_client_region(const struct tmm_client *client, uint32_t index, struct tmm_region *region)
{
	struct theseus_mm_region call = { .index = index };

	if (tmm_client_call(client, THESEUS_MM_IOC_GET_REGION, &call))
		return -1;
	*region = (struct tmm_region){ .start = call.start, .nr_bytes = call.nr_bytes };
	return 0;
}

/* The kernel writes directly into the array of the program, so the layouts must be equal. */
_Static_assert(sizeof(struct tmm_bucket) == sizeof(struct theseus_mm_bucket), "bucket");
_Static_assert(offsetof(struct tmm_bucket, free) == offsetof(struct theseus_mm_bucket, free) &&
	       offsetof(struct tmm_bucket, allocated) ==
	       offsetof(struct theseus_mm_bucket, allocated) &&
	       offsetof(struct tmm_bucket, mapped) == offsetof(struct theseus_mm_bucket, mapped) &&
	       offsetof(struct tmm_bucket, tables) == offsetof(struct theseus_mm_bucket, tables) &&
	       offsetof(struct tmm_bucket, metadata) ==
	       offsetof(struct theseus_mm_bucket, metadata) &&
	       offsetof(struct tmm_bucket, bad) == offsetof(struct theseus_mm_bucket, bad), "bucket");
SAME(OWNER_NONE);
SAME(OWNER_HIDDEN);

/* Make the call with two new arrays of @call->nr_buckets, which @occupancy owns on success. */
static int look(const struct tmm_client *client, struct theseus_mm_occupancy *call,
		struct tmm_occupancy *occupancy)
{
	occupancy->buckets = calloc(call->nr_buckets, sizeof(*occupancy->buckets));
	if (!occupancy->buckets)
		return -1;
	occupancy->owners = calloc(call->nr_buckets, sizeof(*occupancy->owners));
	if (!occupancy->owners)
		goto free_buckets;
	call->buckets = (uintptr_t)occupancy->buckets;
	call->owners = (uintptr_t)occupancy->owners;
	if (tmm_client_call(client, THESEUS_MM_IOC_GET_OCCUPANCY, call))
		goto free_owners;
	return 0;

free_owners:
	tmm_free(occupancy->owners);
free_buckets:
	tmm_free(occupancy->buckets);
	return -1;
}

int tmm_client_occupancy(const struct tmm_client *client, uint32_t index, uint64_t bucket_bytes,
			 struct tmm_occupancy *occupancy)
{
	struct theseus_mm_occupancy call = {
		.index = index,
		.bucket_size = sizeof(struct theseus_mm_bucket),
		.bucket_frames = bucket_bytes / TMM_PAGE_SIZE,
	};
	struct tmm_occupancy found = { 0 };

	if (bucket_bytes % TMM_PAGE_SIZE) {
		errno = EINVAL;
		return -1;
	}
	/* the first call has no room, and returns the number of parts with ENOBUFS */
	if (tmm_client_call(client, THESEUS_MM_IOC_GET_OCCUPANCY, &call) && errno != ENOBUFS)
		return -1;
	if (look(client, &call, &found))
		return -1;
	found.nr = call.nr_buckets;
	found.bucket_bytes = call.bucket_frames * TMM_PAGE_SIZE;
	*occupancy = found;
	return 0;
}

void tmm_occupancy_free(struct tmm_occupancy *occupancy)
{
	tmm_free(occupancy->buckets);
	tmm_free(occupancy->owners);
	*occupancy = (struct tmm_occupancy){ 0 };
}

_Static_assert(sizeof(((struct tmm_client_entry *)0)->comm) ==
	       sizeof(((struct theseus_mm_client_info *)0)->comm), "comm");

static struct tmm_client_entry describe(const struct theseus_mm_client_info *info)
{
	struct tmm_client_entry entry = {
		.id = info->id,
		.uid = info->uid,
		.pid = info->pid,
		.nr_handles = info->nr_handles,
		.nr_mappings = info->nr_mappings,
		.nr_exported = info->nr_exported,
		.nr_frames = info->nr_frames,
	};

	memcpy(entry.comm, info->comm, sizeof(entry.comm));
	return entry;
}

/* The number of clients can grow between calls: retry with more room until all fit. */
static struct theseus_mm_client_info *list(const struct tmm_client *client,
					   struct theseus_mm_clients *call)
{
	struct theseus_mm_client_info *infos = NULL, *larger;
	uint32_t room = 16;

	for (;; room = call->nr_clients + 16) {
		larger = reallocarray(infos, room, sizeof(*infos));
		if (!larger)
			break;
		infos = larger;
		*call = (struct theseus_mm_clients){
			.nr_clients = room,
			.clients = (uintptr_t)infos,
			.entry_size = sizeof(*infos),
		};
		if (tmm_client_call(client, THESEUS_MM_IOC_GET_CLIENTS, call))
			break;
		if (call->nr_clients <= room)
			return infos;
	}
	tmm_free(infos);
	return NULL;
}

int tmm_client_list(const struct tmm_client *client, struct tmm_clients *clients)
{
	struct theseus_mm_clients call;
	struct theseus_mm_client_info *infos;
	struct tmm_client_entry *entries;
	uint32_t i;

	infos = list(client, &call);
	if (!infos)
		return -1;
	entries = calloc(call.nr_clients + 1, sizeof(*entries));
	if (!entries) {
		tmm_free(infos);
		return -1;
	}
	for (i = 0; i < call.nr_clients; i++)
		entries[i] = describe(&infos[i]);
	tmm_free(infos);
	*clients = (struct tmm_clients){
		.entries = entries,
		.nr = call.nr_clients,
		.nr_hidden = call.nr_hidden,
		.hidden_frames = call.hidden_frames,
		.orphan_frames = call.orphan_frames,
	};
	return 0;
}

void tmm_clients_free(struct tmm_clients *clients)
{
	tmm_free(clients->entries);
	*clients = (struct tmm_clients){ 0 };
}

#define SAME_KIND(name)	_Static_assert((int)TMM_KIND_##name == THESEUS_MM_KIND_##name, #name)

SAME_KIND(PAGES);
SAME_KIND(FRAMES);
SAME_KIND(MAPPING);
SAME(ATTRIBUTE_SHAREABLE);
SAME(ATTRIBUTE_PINNED);

static struct tmm_handle_entry describe_handle(const struct theseus_mm_handle_info *info)
{
	return (struct tmm_handle_entry){
		.handle = info->handle,
		.export_id = info->export_id,
		.kind = (enum tmm_kind)info->kind,
		.nr_frame_ranges = info->nr_frame_ranges,
		.nr_borrows = info->nr_borrows,
		.attributes = info->attributes,
		.address = info->start,
		.nr_bytes = info->nr_pages * TMM_PAGE_SIZE,
		.flags = info->pte_flags & TMM_FLAGS_SEEN,
		.is_exclusive = info->pte_flags & THESEUS_MM_PTE_EXCLUSIVE,
	};
}

/* Number of entries in one call. */
#define NR_INFOS	64

/* Append the objects or exports that @flags select. After a failure, the caller frees the list. */
static int add_handles(const struct tmm_client *client, uint32_t flags, struct tmm_handles *handles)
{
	struct theseus_mm_handle_info infos[NR_INFOS];
	struct theseus_mm_handles call = { .flags = flags };
	struct tmm_handle_entry *larger;
	uint32_t i;

	do {
		call.nr_handles = NR_INFOS;
		call.entry_size = sizeof(infos[0]);
		call.handles = (uintptr_t)infos;
		larger = reallocarray(handles->entries, (size_t)handles->nr + NR_INFOS,
				      sizeof(*larger));
		if (!larger)
			return -1;
		handles->entries = larger;
		if (tmm_client_call(client, THESEUS_MM_IOC_LIST_HANDLES, &call))
			return -1;
		for (i = 0; i < call.nr_handles; i++)
			larger[handles->nr++] = describe_handle(&infos[i]);
	} while (call.from);
	return 0;
}

int tmm_client_list_handles(const struct tmm_client *client, struct tmm_handles *handles)
{
	struct tmm_handles found = { 0 };

	if (add_handles(client, 0, &found) ||
	    add_handles(client, THESEUS_MM_HANDLES_EXPORTS, &found)) {
		tmm_free(found.entries);
		return -1;
	}
	*handles = found;
	return 0;
}

void tmm_handles_free(struct tmm_handles *handles)
{
	tmm_free(handles->entries);
	*handles = (struct tmm_handles){ 0 };
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

SAME(MAX_LEVELS);

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
