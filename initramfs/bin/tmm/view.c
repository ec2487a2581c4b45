// SPDX-License-Identifier: GPL-2.0
#include "view.h"

#include "text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *use_name(enum use use)
{
	static const char *const names[] = {
		[USE_FREE] = "free",
		[USE_MAPPED] = "mapped",
		[USE_ALLOCATED] = "allocated, not mapped",
		[USE_TABLES] = "page tables",
		[USE_METADATA] = "the module's bookkeeping",
		[USE_BAD] = "bad: memory that fails",
	};

	return names[use];
}

const char *use_key(enum use use)
{
	static const char *const keys[] = {
		[USE_FREE] = "free",
		[USE_MAPPED] = "mapped",
		[USE_ALLOCATED] = "allocated",
		[USE_TABLES] = "tables",
		[USE_METADATA] = "metadata",
		[USE_BAD] = "bad",
	};

	return keys[use];
}

uint64_t cell_offset(const struct view_region *region, uint32_t index)
{
	return region->cell_bytes * index;
}

double fragmentation(const struct tmm_info *info, unsigned int i)
{
	if (!info->frames_free || info->frames_largest[i] > info->frames_free)
		return 0;
	return 1 - (double)info->frames_largest[i] / info->frames_free;
}

/* --- taking a view ---------------------------------------------------------------- */

static int by_size(const void *a, const void *b)
{
	const struct tmm_client_entry *one = a, *other = b;

	if (one->nr_frames != other->nr_frames)
		return one->nr_frames < other->nr_frames ? 1 : -1;
	return one->id < other->id ? -1 : one->id > other->id;
}

/* Leave out the client of tmm itself, which owns nothing. */
static void leave_out(struct tmm_clients *clients, uint32_t id)
{
	uint32_t i;

	for (i = 0; i < clients->nr && clients->entries[i].id != id; i++)
		;
	if (i == clients->nr)
		return;
	clients->nr--;
	memmove(&clients->entries[i], &clients->entries[i + 1],
		(clients->nr - i) * sizeof(*clients->entries));
}

/* Take the slot that follows from the client's number, or the next free one. */
static unsigned int find_slot(bool *is_taken, uint32_t id)
{
	unsigned int slot = (id - 1) % NR_HUES;

	while (is_taken[slot])
		slot = (slot + 1) % NR_HUES;
	is_taken[slot] = true;
	return slot;
}

/* Assign slots by number, not by size, so that a client keeps its colour. */
static int assign_slots(struct view *view)
{
	uint32_t nr = view->clients.nr < NR_HUES ? view->clients.nr : NR_HUES, i, j, next;
	const struct tmm_client_entry *entries = view->clients.entries;
	bool is_taken[NR_HUES] = { false };

	view->slots = calloc(view->clients.nr + 1, sizeof(*view->slots));
	if (!view->slots) {
		failed(ENOMEM, "list the clients");
		return -1;
	}
	for (i = 0; i < view->clients.nr; i++)
		view->slots[i] = i < nr ? UINT32_MAX : i;
	for (i = 0; i < nr; i++) {
		for (next = nr, j = 0; j < nr; j++)
			if (view->slots[j] == UINT32_MAX &&
			    (next == nr || entries[j].id < entries[next].id))
				next = j;
		view->slots[next] = find_slot(is_taken, entries[next].id);
	}
	return 0;
}

static int take_clients(const struct tmm_client *client, struct view *view)
{
	if (tmm_client_list(client, &view->clients)) {
		/* an older module lacks the call: the picture then shows uses only */
		if (errno == ENOTTY)
			return 0;
		failed(errno, "GET_CLIENTS");
		return -1;
	}
	view->has_clients = true;
	if (!view->info.client_frames)
		leave_out(&view->clients, view->info.client_id);
	if (view->clients.nr)
		qsort(view->clients.entries, view->clients.nr, sizeof(*view->clients.entries),
		      by_size);
	return assign_slots(view);
}

static int owner_index(const struct view *view, uint32_t id)
{
	uint32_t i;

	for (i = 0; i < view->clients.nr; i++)
		if (view->clients.entries[i].id == id)
			return i;
	return OWNER_KERNEL;
}

/* @owner is the result of find_owner(). */
static int owner_of(const struct cell *cell, int owner)
{
	if (cell->use == USE_FREE)
		return OWNER_NOBODY;
	if (cell->use == USE_METADATA || cell->use == USE_BAD)
		return OWNER_METADATA;
	if (cell->use == USE_TABLES)
		return OWNER_TABLES;
	return owner;
}

static void fill_cell(struct cell *cell, const struct tmm_bucket *buckets, uint32_t nr)
{
	enum use use;
	uint32_t i;

	for (i = 0; i < nr; i++) {
		cell->uses[USE_FREE] += buckets[i].free;
		cell->uses[USE_MAPPED] += buckets[i].mapped;
		cell->uses[USE_ALLOCATED] += buckets[i].allocated;
		cell->uses[USE_TABLES] += buckets[i].tables;
		cell->uses[USE_METADATA] += buckets[i].metadata;
		cell->uses[USE_BAD] += buckets[i].bad;
	}
	for (use = 0; use < NR_USES; use++) {
		cell->nr += cell->uses[use];
		if (use != USE_FREE && cell->uses[use] > (cell->use ? cell->uses[cell->use] : 0))
			cell->use = use;
	}
}

static void add_cell(struct view *view, struct view_region *region, const struct cell *cell)
{
	enum use use;

	for (use = 0; use < NR_USES; use++) {
		region->uses[use] += cell->uses[use];
		view->uses[use] += cell->uses[use];
	}
	region->nr += cell->nr;
	view->nr += cell->nr;
}

/*
 * Find the client, or OWNER_HIDDEN, that owns most of some parts together. The module names
 * only the main owner of each part, so the result is an estimate. The result is OWNER_KERNEL if no
 * part has such an owner. @sums has room for all clients and one more.
 */
static int find_owner(const struct view *view, const struct tmm_occupancy *parts, uint32_t first,
		      uint32_t nr, uint64_t *sums)
{
	uint32_t i, hidden = view->clients.nr, most = hidden;
	int owner;

	memset(sums, 0, (hidden + 1) * sizeof(*sums));
	for (i = first; i < first + nr; i++) {
		owner = parts->owners[i] == TMM_OWNER_HIDDEN ? (int)hidden :
			owner_index(view, parts->owners[i]);
		if (owner >= 0)
			sums[owner] += parts->buckets[i].allocated + parts->buckets[i].mapped;
	}
	for (i = 0; i < hidden; i++)
		if (sums[i] > sums[most])
			most = i;
	if (!sums[most])
		return OWNER_KERNEL;
	return most == hidden ? OWNER_HIDDEN : (int)most;
}

/* Join parts to cells. The sizes of both are powers of two, so a cell has whole parts. */
static int fold(struct view *view, struct view_region *region, const struct tmm_occupancy *parts)
{
	const uint32_t nr_each = region->cell_bytes / parts->bucket_bytes;
	uint64_t *sums = calloc(view->clients.nr + 1, sizeof(*sums));
	uint32_t i, first, nr;

	region->cells = calloc(region->nr_cells, sizeof(*region->cells));
	if (!sums || !region->cells) {
		free(sums);
		return failed(ENOMEM, "count a region");
	}
	for (i = 0; i < region->nr_cells; i++) {
		struct cell *cell = &region->cells[i];

		first = i * nr_each;
		nr = parts->nr - first < nr_each ? parts->nr - first : nr_each;
		fill_cell(cell, parts->buckets + first, nr);
		cell->owner = owner_of(cell, find_owner(view, parts, first, nr, sums));
		add_cell(view, region, cell);
	}
	free(sums);
	return 0;
}

/*
 * Choose one size of cells for all regions: large enough that the largest region has at most
 * @max_cells, and not smaller than the parts of the module.
 */
static uint64_t choose_cell(const struct view *view, const struct tmm_occupancy *parts,
			    uint32_t max_cells)
{
	uint64_t cell = TMM_PAGE_SIZE;
	uint32_t i;

	for (i = 0; i < view->info.nr_regions; i++) {
		if (cell < parts[i].bucket_bytes)
			cell = parts[i].bucket_bytes;
		while ((view->regions[i].region.nr_bytes - 1) / cell + 1 > max_cells)
			cell *= 2;
	}
	return cell;
}

static int take_parts(const struct tmm_client *client, struct view *view,
		      struct tmm_occupancy *parts)
{
	uint32_t i;

	for (i = 0; i < view->info.nr_regions; i++) {
		if (tmm_client_region(client, i, &view->regions[i].region))
			return failed(errno, "GET_REGION %u", i);
		if (tmm_client_occupancy(client, i, 0, &parts[i]))
			return failed(errno, "GET_OCCUPANCY %u", i);
	}
	return 0;
}

static int fold_all(struct view *view, const struct tmm_occupancy *parts, uint32_t max_cells)
{
	const uint64_t cell = choose_cell(view, parts, max_cells);
	uint32_t i;

	for (i = 0; i < view->info.nr_regions; i++) {
		view->regions[i].cell_bytes = cell;
		view->regions[i].nr_cells = (view->regions[i].region.nr_bytes - 1) / cell + 1;
		if (fold(view, &view->regions[i], &parts[i]))
			return -1;
	}
	return 0;
}

static int take_regions(const struct tmm_client *client, uint32_t max_cells, struct view *view)
{
	const uint32_t nr = view->info.nr_regions;
	struct tmm_occupancy *parts = calloc(nr + 1, sizeof(*parts));
	int err = -1;
	uint32_t i;

	view->regions = calloc(nr + 1, sizeof(*view->regions));
	if (!parts || !view->regions)
		failed(ENOMEM, "count the regions");
	else if (!take_parts(client, view, parts))
		err = fold_all(view, parts, max_cells);
	for (i = 0; parts && i < nr; i++)
		tmm_occupancy_free(&parts[i]);
	free(parts);
	return err;
}

static void count_kernel(struct view *view)
{
	uint64_t used = view->nr - view->uses[USE_FREE] - view->uses[USE_METADATA] -
			view->uses[USE_BAD];
	uint64_t theirs = view->clients.hidden_frames + view->clients.orphan_frames;
	uint32_t i;

	for (i = 0; i < view->clients.nr; i++)
		theirs += view->clients.entries[i].nr_frames;
	/* clients may have allocated more after the regions were counted */
	view->kernel_frames = used > theirs ? used - theirs : 0;
}

int view_take(const struct tmm_client *client, uint32_t max_cells, struct view *view)
{
	*view = (struct view){ 0 };
	if (tmm_client_info(client, &view->info)) {
		failed(errno, "GET_INFO");
		return -1;
	}
	if (take_clients(client, view) || take_regions(client, max_cells, view)) {
		view_free(view);
		return -1;
	}
	count_kernel(view);
	return 0;
}

void view_free(struct view *view)
{
	uint32_t i;

	for (i = 0; view->regions && i < view->info.nr_regions; i++)
		free(view->regions[i].cells);
	free(view->regions);
	free(view->slots);
	tmm_clients_free(&view->clients);
	*view = (struct view){ 0 };
}

/* --- as JSON ---------------------------------------------------------------------- */

void json_clients(struct json *json, const struct tmm_clients *clients, uint64_t nr_frames)
{
	char user[TEXT_SIZE], comm[sizeof(clients->entries->comm) + 1];
	uint32_t i;

	json_open_array(json, "clients");
	for (i = 0; i < clients->nr; i++) {
		const struct tmm_client_entry *entry = &clients->entries[i];

		json_open_object(json, NULL);
		json_number(json, "id", entry->id);
		entry->pid ? json_number(json, "pid", entry->pid) : json_null(json, "pid");
		snprintf(comm, sizeof(comm), "%.*s", (int)sizeof(entry->comm), entry->comm);
		json_text(json, "comm", comm);
		json_number(json, "uid", entry->uid);
		json_text(json, "user", user_text(user, entry->uid));
		json_number(json, "handles", entry->nr_handles);
		json_number(json, "mappings", entry->nr_mappings);
		json_number(json, "exported", entry->nr_exported);
		json_number(json, "bytes", entry->nr_frames * TMM_PAGE_SIZE);
		json_fraction(json, "share", nr_frames ? (double)entry->nr_frames / nr_frames : 0,
			      6);
		json_close_object(json);
	}
	json_close_array(json);
	json_open_object(json, "hidden");
	json_number(json, "clients", clients->nr_hidden);
	json_number(json, "bytes", clients->hidden_frames * TMM_PAGE_SIZE);
	json_close_object(json);
	json_number(json, "orphan_bytes", clients->orphan_frames * TMM_PAGE_SIZE);
}

void json_free(struct json *json, const char *key, const struct tmm_info *info)
{
	unsigned int i;

	json_open_object(json, key);
	json_number(json, "bytes", info->frames_free * TMM_PAGE_SIZE);
	json_number(json, "runs", info->frames_ranges);
	json_open_array(json, "longest");
	for (i = 0; i < 3; i++) {
		json_open_object(json, NULL);
		json_number(json, "page_bytes", TMM_PAGE_SIZE << 9 * i);
		json_number(json, "bytes", info->frames_largest[i] * TMM_PAGE_SIZE);
		json_number(json, "pages", info->frames_largest[i] >> 9 * i);
		json_fraction(json, "fragmentation", fragmentation(info, i), 6);
		json_close_object(json);
	}
	json_close_array(json);
	json_close_object(json);
}

static void json_uses(struct json *json, const char *key, const uint64_t uses[NR_USES])
{
	enum use use;

	json_open_object(json, key);
	for (use = 0; use < NR_USES; use++)
		json_number(json, use_key(use), uses[use] * TMM_PAGE_SIZE);
	json_close_object(json);
}

static void json_owner(struct json *json, const struct view *view, int owner)
{
	if (owner >= 0)
		json_number(json, "owner", view->clients.entries[owner].id);
	else
		json_null(json, "owner");
}

static void json_cell(struct json *json, const struct view *view,
		      const struct view_region *region, uint32_t index)
{
	const struct cell *cell = &region->cells[index];
	const bool is_line = json->is_line;
	enum use use;

	/* each cell is one line, since there are hundreds */
	json_open_object(json, NULL);
	json->is_line = true;
	json_number(json, "offset", cell_offset(region, index));
	for (use = 0; use < NR_USES; use++)
		json_number(json, use_key(use), cell->uses[use] * TMM_PAGE_SIZE);
	if (view->has_clients)
		json_owner(json, view, cell->owner);
	json_close_object(json);
	json->is_line = is_line;
}

static void json_region(struct json *json, const struct view *view,
			const struct view_region *region, uint32_t index)
{
	uint32_t i;

	json_open_object(json, NULL);
	json_number(json, "index", index);
	json_physical(json, "start", region->region.start);
	json_number(json, "bytes", region->region.nr_bytes);
	json_number(json, "cell_bytes", region->cell_bytes);
	json_uses(json, "use", region->uses);
	json_open_array(json, "cells");
	for (i = 0; i < region->nr_cells; i++)
		json_cell(json, view, region, i);
	json_close_array(json);
	json_close_object(json);
}

void view_json(struct json *json, const struct view *view)
{
	uint32_t i;

	json_number(json, "bytes", view->info.region_bytes);
	json_uses(json, "use", view->uses);
	json_free(json, "free", &view->info);
	if (view->has_clients) {
		json_clients(json, &view->clients, view->nr);
		json_number(json, "kernel_bytes", view->kernel_frames * TMM_PAGE_SIZE);
	}
	json_open_array(json, "regions");
	for (i = 0; i < view->info.nr_regions; i++)
		json_region(json, view, &view->regions[i], i);
	json_close_array(json);
}
