// SPDX-License-Identifier: GPL-2.0
#include "world.h"

#include "alloc/magazine_home.h"
#include "alloc/table_frames.h"
#include "runtime.h"

#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/string.h>

struct tmm_range_allocator *world_allocator(struct world *world)
{
	return world->config->is_frames ? &world->frames.ra : &world->pages.ra;
}

struct tmm_range_region *world_range(struct world *world, unsigned int region)
{
	return world->config->is_frames ? &world->frame_regions[region].range :
					  &world->page_regions[region];
}

static void release_nothing(struct tmm_account *account)
{
}

static void add_frames(struct world *world, unsigned int i)
{
	const struct world_region *config = &world->config->regions[i];
	struct tmm_frame_region *region = &world->frame_regions[i];
	const size_t nr_bytes = tmm_frame_regions_nr_bytes(config->first, config->nr);

	world->memory[i] = host_memory(nr_bytes);
	memset(world->memory[i], 0xa5, nr_bytes);
	if (world->config->has_tables || world->config->has_bad_frames ||
	    world->config->has_cleaner) {
		world->windows[i] = host_memory(config->nr * TMM_PAGE_SIZE);
		memset(world->windows[i], 0xa5, config->nr * TMM_PAGE_SIZE);
	}
	region->window = world->windows[i];
	expect_equal(tmm_frame_regions_add(&world->frames, region, world->memory[i]), 0);
}

void world_begin(struct world *world, const struct world_config *config)
{
	unsigned int i;

	memset(world, 0, sizeof(*world));
	world->config = config;
	host_cpu = 0;
	host_refuse(0);
	tmm_account_init(&world->account, NULL, NULL, release_nothing);
	tmm_account_set_max(&world->account, TMM_RESOURCE_FRAMES, config->limit);
	tmm_account_set_max(&world->account, TMM_RESOURCE_PAGES, config->limit);
	if (config->is_frames)
		tmm_frame_allocator_init(&world->frames);
	else
		tmm_page_allocator_init(&world->pages);
	for (i = 0; i < config->nr_regions; i++) {
		struct tmm_range_region *range = world_range(world, i);

		range->type = config->regions[i].type;
		range->first = config->regions[i].first;
		range->nr = config->regions[i].nr;
		range->is_reversed = config->regions[i].is_reversed;
		if (config->is_frames)
			add_frames(world, i);
		else
			expect_equal(tmm_page_allocator_add(&world->pages, range), 0);
	}
	if (config->has_magazines)
		expect_equal(tmm_magazines_create(world_allocator(world)), 0);
}

static void drop_all(struct world *world)
{
	while (world->nr_objects) {
		struct world_object *object = &world->objects[--world->nr_objects];
		struct tmm_allocated_frames *frames = object->object;
		struct tmm_allocated_pages *pages = object->object;

		if (!world->config->is_frames) {
			tmm_allocated_pages_drop(&pages);
			continue;
		}
		if (object->is_borrowed)
			tmm_allocated_frames_unborrow(frames);
		if (object->is_dropped)
			continue;
		if (object->state == TMM_STATE_MAPPED) {
			struct tmm_mapped_frames *mapped = object->object;

			object->object = tmm_frames_into_unmapped(&mapped);
		}
		if (object->state != TMM_STATE_ALLOCATED) {
			struct tmm_unmapped_frames *unmapped = object->object;

			frames = tmm_frames_into_allocated(&unmapped);
		}
		tmm_allocated_frames_drop(&frames);
	}
}

/* Give everything back. The whole heap is free afterwards. */
void world_end(struct world *world)
{
	unsigned int i, j;

	host_refuse(0);
	tmm_deferred_action_finish(&world->action);
	drop_all(world);
	for (i = 0, j = 0; i < world->config->nr_regions; i++) {
		const struct world_region *region = &world->config->regions[i];
		u64 number;

		for (number = region->first; number < region->first + region->nr; number++)
			if (world->states[j++] == WORLD_TABLE)
				tmm_table_frames_give(&world->frames, number);
	}
	if (world->config->has_cleaner)
		tmm_cleaner_recall(&world->frames.ra);
	if (world->config->is_frames)
		tmm_frame_allocator_destroy(&world->frames);
	else
		tmm_page_allocator_destroy(&world->pages);
	for (i = 0; i < world->config->nr_regions; i++) {
		host_free_memory(world->memory[i]);
		host_free_memory(world->windows[i]);
	}
	expect_equal(host_nr_objects, 0);
	expect_equal(tmm_account_count(&world->account, TMM_RESOURCE_FRAMES), 0);
	expect_equal(tmm_account_count(&world->account, TMM_RESOURCE_PAGES), 0);
	expect_equal(refcount_read(&world->account.kref.refcount), 1);
}

unsigned int world_index(const struct world *world, u64 number, unsigned int *region)
{
	const struct world_config *config = world->config;
	unsigned int i, index = 0;

	for (i = 0; i < config->nr_regions; index += config->regions[i++].nr)
		if (number - config->regions[i].first < config->regions[i].nr) {
			*region = i;
			return index + number - config->regions[i].first;
		}
	return WORLD_MAX_CHUNKS;
}

bool world_is_free(const struct world *world, u64 number)
{
	unsigned int region, index = world_index(world, number, &region);

	return index < WORLD_MAX_CHUNKS && world->states[index] == WORLD_FREE;
}

/* A bad frame that becomes free is out of use. */
void world_mark(struct world *world, u64 start, u64 nr, enum world_state state)
{
	unsigned int region, index = world_index(world, start, &region);

	for (; nr; nr--, index++)
		world->states[index] = state == WORLD_FREE && world->is_known_bad[index] ?
				       WORLD_BAD : state;
}

void world_add(struct world *world, void *object, u64 start, u64 nr, unsigned int region,
	       bool is_charged)
{
	world->objects[world->nr_objects++] = (struct world_object){
		.object = object,
		.start = start,
		.nr = nr,
		.region = region,
		.is_charged = is_charged,
		.state = TMM_STATE_ALLOCATED,
	};
}

void world_forget(struct world *world, unsigned int i)
{
	for (world->nr_objects--; i < world->nr_objects; i++)
		world->objects[i] = world->objects[i + 1];
}

static bool is_before(const struct world_object *a, const struct world_object *b)
{
	if (a->start != b->start)
		return a->start < b->start;
	if (a->nr != b->nr)
		return a->nr < b->nr;
	if (a->region != b->region)
		return a->region < b->region;
	return a->is_charged < b->is_charged;
}

void world_sort(struct world *world)
{
	unsigned int i, j;

	for (i = 1; i < world->nr_objects; i++)
		for (j = i; j && is_before(&world->objects[j], &world->objects[j - 1]); j--)
			swap(world->objects[j], world->objects[j - 1]);
}

/* Comparing the allocator with the model */

/* True if a free chunk is not in the free set, but in a magazine or in the cleaner's piece. */
static bool is_kept(struct world *world, u64 number)
{
	struct tmm_range_allocator *ra = world_allocator(world);
	unsigned int cpu, i;

	if (world->config->is_frames &&
	    number - world->frames.cleaner.start < world->frames.cleaner.nr)
		return true;
	for (cpu = 0; ra->magazines.each && cpu < HOST_NR_CPUS; cpu++) {
		const struct tmm_magazine *m = &ra->magazines.each[cpu];

		for (i = 0; i < m->nr; i++)
			if (m->slots[(m->oldest + i) % TMM_MAGAZINE_SIZE].chunk->start == number)
				return true;
	}
	return false;
}

/* The free set has each run of free chunks once, as long as the run can be. Returns the runs. */
static u64 expect_free_set(struct world *world, unsigned int region)
{
	struct tmm_range_region *range = world_range(world, region);
	u64 number = range->first, first, end, nr_free = 0, nr_runs = 0;
	const u64 last = range->first + range->nr;

	for (;;) {
		while (number < last &&
		       (!world_is_free(world, number) || is_kept(world, number)))
			number++;
		if (number == last)
			break;
		expect(tmm_free_set_next_run(&range->free, number, &first, &end));
		expect_equal(first, number);
		for (; number < end; number++, nr_free++)
			expect(world_is_free(world, number) && !is_kept(world, number));
		expect(number == last || !world_is_free(world, number) ||
		       is_kept(world, number));
		nr_runs++;
	}
	expect(!tmm_free_set_next_run(&range->free, last, &first, &end));
	expect_equal(tmm_free_set_nr_free(&range->free), nr_free);
	expect_equal(tmm_free_set_nr_ranges(&range->free), nr_runs);
	return nr_runs;
}

static enum tmm_frame_mark mark_of(const struct world *world, u64 number)
{
	unsigned int i, region, index = world_index(world, number, &region);
	static const enum tmm_frame_mark marks[] = {
		[TMM_STATE_ALLOCATED] = TMM_MARK_ALLOCATED,
		[TMM_STATE_MAPPED] = TMM_MARK_MAPPED,
		[TMM_STATE_UNMAPPED] = TMM_MARK_UNMAPPED,
	};

	switch (world->states[index]) {
	case WORLD_FREE:
		return TMM_MARK_FREE;
	case WORLD_TABLE:
		return TMM_MARK_TABLE;
	case WORLD_BAD:
		return TMM_MARK_BAD;
	default:
		break;
	}
	for (i = 0; i < world->nr_objects; i++)
		if (number - world->objects[i].start < world->objects[i].nr)
			return marks[world->objects[i].state];
	return TMM_MARK_MIXED;
}

static void expect_marks(struct world *world)
{
	u64 nr_bad = 0, nr_retired = 0, nr_tables = 0, number;
	unsigned int i, j;

	for (i = 0, j = 0; i < world->config->nr_regions; i++) {
		const struct tmm_frame_region *region = &world->frame_regions[i];

		for (number = region->range.first;
		     number < region->range.first + region->range.nr; number++, j++) {
			expect_equal(tmm_frame_table_get(&region->table, number),
				     mark_of(world, number));
			nr_bad += world->is_known_bad[j];
			nr_retired += world->states[j] == WORLD_BAD;
			nr_tables += world->states[j] == WORLD_TABLE;
		}
	}
	expect_equal(world->frames.nr_bad, nr_bad);
	expect_equal(world->frames.nr_retired, nr_retired);
	expect_equal(world->frames.nr_tables, nr_tables);
}

bool world_is_clean(const struct world *world, u64 number)
{
	unsigned int region;

	world_index(world, number, &region);
	return tmm_clean_map_clean_end(&world->frame_regions[region].clean, number,
				       number + 1) > number;
}

/* A frame of the free set that is known to be clean holds zeros. */
static void expect_zeros(struct world *world)
{
	const struct world_config *config = world->config;
	unsigned int i;
	u64 nr;

	for (i = 0; i < config->nr_regions; i++)
		for (nr = 0; nr < config->regions[i].nr; nr++) {
			const u64 number = config->regions[i].first + nr;

			if (world_is_free(world, number) && !is_kept(world, number) &&
			    world_is_clean(world, number))
				expect(!memchr_inv(world->windows[i] + nr * TMM_PAGE_SIZE, 0,
						   TMM_PAGE_SIZE));
		}
}

static void expect_objects(struct world *world)
{
	unsigned int i;

	for (i = 0; i < world->nr_objects; i++) {
		const struct world_object *object = &world->objects[i];
		const struct tmm_chunk *chunk = object->object;

		expect_equal(chunk->start, object->start);
		expect_equal(chunk->nr, object->nr);
		expect(chunk->account == (object->is_charged ? &world->account : NULL));
	}
}

/* No two magazines have the same home. */
static void expect_homes(const struct tmm_range_allocator *ra)
{
	unsigned int cpu;
	u64 homes = 0;

	for (cpu = 0; cpu < HOST_NR_CPUS; cpu++) {
		const u64 home = ra->magazines.each[cpu].home;
		const unsigned int slot = home % TMM_NR_HOMES;

		if (home == TMM_NO_HOME)
			continue;
		expect(!(homes & BIT_ULL(slot)));
		homes |= BIT_ULL(slot);
		expect_equal(ra->magazines.homes->blocks[slot], home);
	}
	expect_equal(ra->magazines.homes->used, homes);
}

void world_expect(struct world *world)
{
	struct tmm_range_allocator *ra = world_allocator(world);
	const enum tmm_resource resource = ra->hooks->resource;
	u64 nr_objects = world->nr_objects, nr_runs = 0;
	unsigned int i;

	expect_objects(world);
	for (i = 0; i < world->config->nr_regions; i++)
		nr_runs += expect_free_set(world, i);
	if (world->config->is_frames)
		expect_marks(world);
	else
		nr_objects += nr_runs;
	if (world->config->has_cleaner)
		expect_zeros(world);
	if (world->config->has_magazines)
		expect_homes(ra);
	expect_equal(ra->nr_reserve, TMM_NR_RESERVE - world->nr_owed);
	/* the magazines and their homes */
	nr_objects += 2 * world->config->has_magazines + ra->nr_reserve + tmm_magazines_nr(ra);
	expect_equal(host_nr_objects, nr_objects);
	expect_equal(tmm_account_count(&world->account, resource), world->nr_charged);
}

/* The model's answers */

static bool is_run_free(const struct world *world, unsigned int region, u64 start, u64 nr)
{
	const struct world_region *range = &world->config->regions[region];

	if (start < range->first || start + nr > range->first + range->nr)
		return false;
	while (nr--)
		if (!world_is_free(world, start + nr))
			return false;
	return true;
}

static int answer_at(const struct world *world, const struct tmm_allocation_request *req,
		     u64 *start, unsigned int *region)
{
	const struct world_region *range;
	unsigned int found, index = world_index(world, req->at, &found);

	if (index == WORLD_MAX_CHUNKS)
		return -ERANGE;
	range = &world->config->regions[found];
	if (req->general_only &&
	    (range->type == TMM_REGION_KERNEL || range->type == TMM_REGION_DESIGNATED))
		return -ERANGE;
	if (world->states[index] != WORLD_FREE)
		return -EADDRINUSE;
	if (!is_run_free(world, found, req->at, req->nr))
		return -EADDRNOTAVAIL;
	if (req->general_only && range->type != TMM_REGION_GENERAL)
		return -EOPNOTSUPP;
	*start = req->at;
	*region = found;
	return 0;
}

static bool fits_at(const struct world *world, const struct tmm_allocation_request *req,
		    unsigned int region, u64 at)
{
	const u64 align = req->align ?: 1;

	return !((at - req->behind) % align) && at >= req->behind &&
	       at - req->behind >= req->min && at + req->nr - 1 <= req->max &&
	       is_run_free(world, region, at - req->behind, req->behind + req->nr);
}

/* Try all places, in the order in which the allocator prefers them. */
static bool answer_in_region(const struct world *world, const struct tmm_allocation_request *req,
			     unsigned int region, u64 *start)
{
	const struct world_region *range = &world->config->regions[region];
	const bool from_top = (req->align >= 512) ^ range->is_reversed;
	u64 i;

	for (i = 0; i < range->nr; i++) {
		*start = range->first + (from_top ? range->nr - 1 - i : i);
		if (fits_at(world, req, region, *start))
			return true;
	}
	return false;
}

static bool answer_in_type(const struct world *world, const struct tmm_allocation_request *req,
			   enum tmm_region_type type, u64 *start, unsigned int *region)
{
	const unsigned int nr = world->config->nr_regions;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		*region = req->align >= 512 ? nr - 1 - i : i;
		if (world->config->regions[*region].type == type &&
		    answer_in_region(world, req, *region, start))
			return true;
	}
	return false;
}

/* A request for a range fails with -ERANGE if no region that it may use has a part of the range. */
static int why_not(const struct world *world, const struct tmm_allocation_request *req)
{
	unsigned int i;

	if (!req->min && req->max == U64_MAX)
		return -ENOSPC;
	for (i = 0; i < world->config->nr_regions; i++) {
		const struct world_region *range = &world->config->regions[i];

		if (range->type != TMM_REGION_RESERVED &&
		    (!req->general_only || range->type == TMM_REGION_GENERAL) &&
		    range->first <= req->max && req->min < range->first + range->nr)
			return -ENOSPC;
	}
	return -ERANGE;
}

static int check_numbers(const struct tmm_allocation_request *req)
{
	if (!req->nr)
		return -EINVAL;
	if (req->nr == TMM_TOO_MANY || (req->is_at ? req->at : req->behind) + req->nr < req->nr)
		return -EOVERFLOW;
	return !req->is_at && req->min > req->max ? -EINVAL : 0;
}

int world_answer(const struct world *world, const struct tmm_allocation_request *req, u64 *start,
		 unsigned int *region)
{
	int err = check_numbers(req);

	if (err)
		return err;
	if (req->account && req->nr > world->config->limit - world->nr_charged)
		return -EDQUOT;
	if (req->is_at)
		return answer_at(world, req, start, region);
	if (answer_in_type(world, req, TMM_REGION_GENERAL, start, region))
		return 0;
	if (!req->general_only &&
	    (answer_in_type(world, req, TMM_REGION_KERNEL, start, region) ||
	     answer_in_type(world, req, TMM_REGION_DESIGNATED, start, region)))
		return 0;
	return why_not(world, req);
}

bool world_may_get(const struct world *world, const struct tmm_allocation_request *req, u64 start,
		   unsigned int region)
{
	if (req->is_at)
		return start == req->at && is_run_free(world, region, start, req->nr);
	return fits_at(world, req, region, start);
}
