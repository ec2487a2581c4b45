// SPDX-License-Identifier: GPL-2.0
#include "steps.h"

#include "alloc/account.h"
#include "alloc/frames_split.h"
#include "alloc/table_frames.h"
#include "frame_steps.h"
#include "runtime.h"

#include <linux/cpuhotplug.h>
#include <linux/minmax.h>
#include <linux/string.h>

int (*host_leave_cpu)(unsigned int cpu, struct hlist_node *node);

static const char *const names[STEP_NR_KINDS] = {
	"allocate", "allocate one", "allocate deferred", "finish", "drop", "split at",
	"split range", "merge", "retire", "take a table", "give a table", "change the state",
	"borrow", "unborrow", "totals", "leave a CPU", "take a piece", "clear one",
};

void step_print(const struct step *step)
{
	const struct tmm_allocation_request *req = &step->req;

	printf("  %s %u %u %u; nr %llu", names[step->kind], step->a, step->b, step->c, req->nr);
	if (req->is_at)
		printf(" at %llu", req->at);
	else
		printf(" align %llu behind %llu in [%llu, %llu]", req->align, req->behind,
		       req->min, req->max);
	printf("%s%s\n", req->general_only ? ", general only" : "",
	       req->account ? ", charged" : "");
}

/* The list of all steps */

static unsigned int nr_steps;
static struct step *all;

static void add(struct step step)
{
	expect(nr_steps < STEP_MAX);
	all[nr_steps++] = step;
}

/* Marks a request as charged. The real account replaces this pointer when the world exists. */
static struct tmm_account charged;

static void add_request(const struct world_config *config, struct tmm_allocation_request req)
{
	unsigned int cpu, nr_cpus = req.nr == 1 && !req.is_at ? config->nr_cpus : 1;
	unsigned int general;

	for (general = 0; general <= (config->nr_regions > 1); general++) {
		req.general_only = general;
		for (cpu = 0; cpu < nr_cpus; cpu++) {
			req.account = NULL;
			add((struct step){ STEP_ALLOCATE, cpu, 0, 0, req });
			req.account = &charged;
			if (config->has_account)
				add((struct step){ STEP_ALLOCATE, cpu, 0, 0, req });
		}
		req.account = NULL;
		if (config->has_deferred)
			add((struct step){ STEP_ALLOCATE_DEFERRED, 0, 0, 0, req });
	}
}

static void add_wrong_requests(const struct world_config *config)
{
	const u64 first = config->regions[0].first;

	add_request(config, tmm_request_any(0));
	add_request(config, tmm_request_at(first, 0));
	add_request(config, tmm_request_any(TMM_TOO_MANY));
	add_request(config, tmm_request_at(U64_MAX, 1));
	add_request(config, tmm_request_at(first, U64_MAX - first + 1));
	add_request(config, tmm_request_in_range(first + 1, first, 1));
	add_request(config, tmm_request_any(1000));
	add_request(config, tmm_request_any((1ULL << 32) + 1));
	add_request(config, tmm_request_in_range(first + 100000, first + 200000, 1));
	add_request(config, tmm_request_in_range(0, 1, 1));
}

static void add_requests(const struct world_config *config)
{
	static const struct { u64 align, nr; } aligned[] = {
		{ 2, 1 }, { 2, 2 }, { 3, 1 }, { 4, 2 }, { 512, 1 }, { 512, 2 }, { 1024, 1 }, { 0, 2 },
	};
	unsigned int i;
	u64 nr, at, max;

	for (nr = 1; nr <= 3; nr++)
		add_request(config, tmm_request_any(nr));
	for (i = 0; i < ARRAY_SIZE(aligned); i++) {
		struct tmm_allocation_request req = tmm_request_aligned(aligned[i].align,
									aligned[i].nr);

		add_request(config, req);
		req.behind = 1;
		add_request(config, req);
	}
	for (i = 0; i < config->nr_regions; i++) {
		const struct world_region *region = &config->regions[i];

		add_request(config, tmm_request_any(region->nr));
		for (at = region->first - 1; at <= region->first + region->nr; at++) {
			for (nr = 1; nr <= 3; nr++)
				add_request(config, tmm_request_at(at, nr));
			for (max = at; max <= at + 3; max++)
				add_request(config, tmm_request_in_range(at, max, 2));
			add_request(config, tmm_request_aligned_in_range(2, at, at + 1, 1));
		}
	}
}

static void add_object_steps(const struct world_config *config)
{
	unsigned int a, b, c, cpu;

	for (a = 0; a < config->max_objects; a++) {
		for (cpu = 0; cpu < config->nr_cpus; cpu++)
			add((struct step){ STEP_DROP, a, cpu });
		if (config->has_states)
			add((struct step){ STEP_CHANGE_STATE, a });
		if (config->has_borrows) {
			add((struct step){ STEP_BORROW, a });
			add((struct step){ STEP_UNBORROW, a });
		}
		for (b = 0; b < config->max_objects; b++)
			add((struct step){ STEP_MERGE, a, b });
		for (b = 0; b < 5; b++)
			add((struct step){ STEP_SPLIT_AT, a, b });
		for (b = 0; b < 4; b++)
			for (c = 0; c < 3; c++)
				add((struct step){ STEP_SPLIT_RANGE, a, b, c });
	}
}

static void add_frame_steps(const struct world_config *config)
{
	unsigned int i;
	u64 at;

	if (config->has_tables)
		add((struct step){ STEP_TAKE_TABLE });
	for (i = 0; i < config->nr_regions; i++) {
		const struct world_region *region = &config->regions[i];

		for (at = region->first; at <= region->first + region->nr; at++) {
			if (config->has_tables)
				add((struct step){ STEP_GIVE_TABLE, .req = { .at = at } });
			if (config->has_bad_frames)
				add((struct step){ STEP_RETIRE, .req = { .at = at } });
		}
	}
}

unsigned int steps_of(const struct world_config *config, struct step *steps)
{
	unsigned int cpu;

	all = steps;
	nr_steps = 0;
	add_requests(config);
	add_wrong_requests(config);
	add_object_steps(config);
	add_frame_steps(config);
	if (config->has_deferred)
		add((struct step){ STEP_FINISH });
	add((struct step){ STEP_TOTALS });
	if (config->has_cleaner) {
		add((struct step){ STEP_TAKE_PIECE });
		add((struct step){ STEP_CLEAR_ONE });
	}
	for (cpu = 0; config->has_magazines && cpu < config->nr_cpus; cpu++) {
		add((struct step){ STEP_ALLOCATE_ONE, cpu });
		add((struct step){ STEP_LEAVE_CPU, cpu });
	}
	return nr_steps;
}

/* Allocating */

static void *allocate(struct world *world, const struct step *step,
		      const struct tmm_allocation_request *req)
{
	struct tmm_account *account = req->account;

	host_cpu = step->a;
	if (step->kind == STEP_ALLOCATE_ONE)
		return world->config->is_frames ?
			(void *)tmm_frame_allocator_allocate_one(&world->frames, account) :
			(void *)tmm_page_allocator_allocate_one(&world->pages, account);
	if (step->kind == STEP_ALLOCATE_DEFERRED)
		return world->config->is_frames ?
			(void *)tmm_frame_allocator_allocate_deferred(&world->frames, req,
								      &world->action) :
			(void *)tmm_page_allocator_allocate_deferred(&world->pages, req,
								     &world->action);
	return world->config->is_frames ?
		(void *)tmm_frame_allocator_allocate(&world->frames, req) :
		(void *)tmm_page_allocator_allocate(&world->pages, req);
}

/* Objects of the reserve that a deferred allocation uses: those for parts that stay free. */
static unsigned int nr_owed_for(const struct world *world, const struct tmm_chunk *chunk,
				unsigned int region)
{
	const struct world_region *range = &world->config->regions[region];
	unsigned int nr;

	if (world->config->is_frames)
		return 1;
	nr = chunk->start > range->first && world_is_free(world, chunk->start - 1);
	return nr + (tmm_chunk_end(chunk) < range->first + range->nr &&
		     world_is_free(world, tmm_chunk_end(chunk)));
}

/* With magazines, a request may get any run that fits in a region of the right type. */
static void expect_run(const struct world *world, const struct tmm_allocation_request *req,
		       const struct tmm_chunk *chunk, u64 start, unsigned int region)
{
	unsigned int found;

	expect_equal(chunk->nr, req->nr);
	if (!world->config->has_magazines) {
		expect_equal(chunk->start, start);
		return;
	}
	expect(world_index(world, chunk->start, &found) < WORLD_MAX_CHUNKS);
	expect_equal(world->config->regions[found].type, world->config->regions[region].type);
	expect(world_may_get(world, req, chunk->start, found));
}

static enum step_result make_allocation(struct world *world, const struct step *step)
{
	struct tmm_allocation_request req = step->req;
	unsigned long nr_requests;
	unsigned int region = 0;
	struct tmm_chunk *chunk;
	u64 start = 0;
	int err;

	if (step->kind == STEP_ALLOCATE_ONE)
		req = (struct tmm_allocation_request){ .nr = 1, .max = U64_MAX,
						       .general_only = true };
	if (req.account)
		req.account = &world->account;
	err = world_answer(world, &req, &start, &region);
	if (step->kind == STEP_ALLOCATE_DEFERRED && world->nr_owed)
		err = -EBUSY;
	if (!err && world->nr_objects == world->config->max_objects)
		return STEP_NOT_POSSIBLE;
	nr_requests = host_nr_requests;
	chunk = allocate(world, step, &req);
	expect(step->kind != STEP_ALLOCATE_DEFERRED || host_nr_requests == nr_requests);
	if (chunk == ERR_PTR(-ENOMEM))
		return STEP_NO_MEMORY;
	expect_equal(IS_ERR(chunk) ? PTR_ERR(chunk) : 0, err);
	if (err)
		return STEP_REFUSED;
	expect_run(world, &req, chunk, start, region);
	if (world->config->has_cleaner)
		steps_use_frames(container_of(tmm_frames_of(chunk), struct tmm_allocated_frames, f));
	world_index(world, chunk->start, &region);
	if (step->kind == STEP_ALLOCATE_DEFERRED)
		world->nr_owed = nr_owed_for(world, chunk, region);
	world_mark(world, chunk->start, chunk->nr, WORLD_OWNED);
	world_add(world, chunk, chunk->start, chunk->nr, region, req.account);
	world->nr_charged += req.account ? req.nr : 0;
	return STEP_DONE;
}

static enum step_result make_finish(struct world *world)
{
	if (!world->nr_owed)
		return STEP_NOT_POSSIBLE;
	tmm_deferred_action_finish(&world->action);
	world->nr_owed = 0;
	return STEP_DONE;
}

/* Owned runs */

static struct world_object *object_at(struct world *world, unsigned int i)
{
	struct world_object *object = &world->objects[i];

	return i < world->nr_objects && object->state == TMM_STATE_ALLOCATED &&
	       !object->is_dropped ? object : NULL;
}

static enum step_result make_drop(struct world *world, const struct step *step)
{
	struct world_object *object = object_at(world, step->a);
	const struct tmm_range_allocator *ra = world_allocator(world);
	const unsigned long nr_releases = host_nr_releases[ra->hooks->resource];
	const unsigned long nr_requests = host_nr_requests;
	struct tmm_allocated_frames *frames;
	struct tmm_allocated_pages *pages;

	if (!object)
		return STEP_NOT_POSSIBLE;
	host_cpu = step->b;
	frames = object->object;
	pages = object->object;
	if (world->config->is_frames)
		tmm_allocated_frames_drop(&frames);
	else
		tmm_allocated_pages_drop(&pages);
	expect(world->config->is_frames ? !frames : !pages);
	expect_equal(host_nr_requests, nr_requests);
	if (object->is_borrowed) {
		expect_equal(host_nr_releases[ra->hooks->resource], nr_releases);
		object->is_dropped = true;
		return STEP_DONE;
	}
	/* The release wakes the waiters. */
	expect((host_nr_releases[ra->hooks->resource] > nr_releases) == !!object->nr);
	world_mark(world, object->start, object->nr, WORLD_FREE);
	world->nr_charged -= object->is_charged ? object->nr : 0;
	world_forget(world, step->a);
	return STEP_DONE;
}

/* More empty runs would only be more of the same. */
static bool has_empty(const struct world *world)
{
	unsigned int i;

	for (i = 0; i < world->nr_objects; i++)
		if (!world->objects[i].nr)
			return true;
	return false;
}

static enum step_result make_split_at(struct world *world, const struct step *step)
{
	struct world_object *object = object_at(world, step->a);
	void *half = world;
	int err, wanted;
	u64 at;

	if (!object || world->nr_objects == world->config->max_objects)
		return STEP_NOT_POSSIBLE;
	at = object->start + step->b;
	if (has_empty(world) && (at == object->start || at == object->start + object->nr))
		return STEP_NOT_POSSIBLE;
	wanted = object->nr && step->b <= object->nr ? 0 : -EINVAL;
	if (object->is_borrowed)
		wanted = -EBUSY;
	err = world->config->is_frames ?
		tmm_allocated_frames_split_at(object->object, at,
					      (struct tmm_allocated_frames **)&half) :
		tmm_allocated_pages_split_at(object->object, at,
					     (struct tmm_allocated_pages **)&half);
	expect(!err || half == world);
	if (err == -ENOMEM)
		return STEP_NO_MEMORY;
	expect_equal(err, wanted);
	if (err)
		return STEP_REFUSED;
	world_add(world, half, at, object->start + object->nr - at, object->region,
		  object->is_charged);
	object->nr = step->b;
	return STEP_DONE;
}

static int split_range(struct world *world, void *object, u64 start, u64 nr, void *parts[2])
{
	if (world->config->is_frames)
		return tmm_allocated_frames_split_range(object,
				tmm_frame_range_of(tmm_frame_4k(start), nr),
				(struct tmm_allocated_frames **)&parts[0],
				(struct tmm_allocated_frames **)&parts[1]);
	return tmm_allocated_pages_split_range(object, tmm_page_range_of(tmm_page_4k(start), nr),
					       (struct tmm_allocated_pages **)&parts[0],
					       (struct tmm_allocated_pages **)&parts[1]);
}

static enum step_result make_split_range(struct world *world, const struct step *step)
{
	struct world_object *object = object_at(world, step->a), old;
	void *parts[2] = { world, world };
	int err, wanted;
	u64 start;

	if (!object || world->nr_objects + 2 > world->config->max_objects)
		return STEP_NOT_POSSIBLE;
	old = *object;
	start = old.start + step->b;
	wanted = step->c && step->b + step->c <= old.nr ? 0 : -EINVAL;
	if (old.is_borrowed)
		wanted = -EBUSY;
	err = split_range(world, old.object, start, step->c, parts);
	expect(!err || (parts[0] == world && parts[1] == world));
	if (err == -ENOMEM)
		return STEP_NO_MEMORY;
	expect_equal(err, wanted);
	if (err)
		return STEP_REFUSED;
	expect_equal(!!parts[0], !!step->b);
	expect_equal(!!parts[1], step->b + step->c < old.nr);
	object->start = start;
	object->nr = step->c;
	if (parts[0])
		world_add(world, parts[0], old.start, step->b, old.region, old.is_charged);
	if (parts[1])
		world_add(world, parts[1], start + step->c, old.nr - step->b - step->c, old.region,
			  old.is_charged);
	return STEP_DONE;
}

static int merge_answer(const struct world_object *a, const struct world_object *b)
{
	if (a == b)
		return -EDOM;
	if (a->is_borrowed || b->is_borrowed)
		return -EBUSY;
	if (a->region != b->region || a->is_charged != b->is_charged)
		return -EMEDIUMTYPE;
	return a->start + a->nr == b->start || b->start + b->nr == a->start ? 0 : -EDOM;
}

static enum step_result make_merge(struct world *world, const struct step *step)
{
	struct world_object *a = object_at(world, step->a), *b = object_at(world, step->b);
	void *other;
	int err;

	if (!a || !b)
		return STEP_NOT_POSSIBLE;
	other = b->object;
	err = world->config->is_frames ?
		tmm_allocated_frames_merge(a->object, (struct tmm_allocated_frames **)&other) :
		tmm_allocated_pages_merge(a->object, (struct tmm_allocated_pages **)&other);
	expect_equal(err, merge_answer(a, b));
	expect(other == (err ? b->object : NULL));
	if (err)
		return STEP_REFUSED;
	a->start = min(a->start, b->start);
	a->nr += b->nr;
	world_forget(world, step->b);
	return STEP_DONE;
}

/* Allocated -> mapped -> unmapped -> allocated */
static enum step_result make_change_state(struct world *world, const struct step *step)
{
	struct world_object *object = &world->objects[step->a];
	void *frames;

	if (step->a >= world->nr_objects || !object->nr || object->is_borrowed)
		return STEP_NOT_POSSIBLE;
	frames = object->object;
	switch (object->state) {
	case TMM_STATE_ALLOCATED:
		tmm_frames_into_mapped((struct tmm_allocated_frames **)&frames);
		object->state = TMM_STATE_MAPPED;
		break;
	case TMM_STATE_MAPPED:
		tmm_frames_into_unmapped((struct tmm_mapped_frames **)&frames);
		object->state = TMM_STATE_UNMAPPED;
		break;
	default:
		tmm_frames_into_allocated((struct tmm_unmapped_frames **)&frames);
		object->state = TMM_STATE_ALLOCATED;
		break;
	}
	expect(!frames);
	return STEP_DONE;
}

static enum step_result make_borrow(struct world *world, const struct step *step)
{
	struct world_object *object = object_at(world, step->a);

	if (!object || object->is_borrowed)
		return STEP_NOT_POSSIBLE;
	expect_equal(tmm_allocated_frames_borrow(object->object), object->nr ? 0 : -EINVAL);
	if (!object->nr)
		return STEP_REFUSED;
	object->is_borrowed = true;
	return STEP_DONE;
}

/* The last borrow of a run that its owner has dropped frees the run. */
static enum step_result make_unborrow(struct world *world, const struct step *step)
{
	struct world_object *object = &world->objects[step->a];
	const unsigned long nr_requests = host_nr_requests;

	if (step->a >= world->nr_objects || !object->is_borrowed)
		return STEP_NOT_POSSIBLE;
	tmm_allocated_frames_unborrow(object->object);
	expect_equal(host_nr_requests, nr_requests);
	object->is_borrowed = false;
	if (object->is_dropped) {
		world_mark(world, object->start, object->nr, WORLD_FREE);
		world->nr_charged -= object->is_charged ? object->nr : 0;
		world_forget(world, step->a);
	}
	return STEP_DONE;
}

static enum step_result make_take_table(struct world *world)
{
	const struct tmm_allocation_request req = { .nr = 1, .max = U64_MAX,
						    .general_only = true };
	const struct tmm_chunk *chunk;
	struct tmm_chunk taken = { .start = U64_MAX, .nr = 1 };
	unsigned int region = 0;
	u64 start = 0;
	int err, wanted;

	chunk = &taken;
	wanted = world_answer(world, &req, &start, &region);
	err = tmm_table_frames_take(&world->frames, &taken.start);
	expect_equal(err, wanted);
	if (err) {
		expect(taken.start == U64_MAX);
		return STEP_REFUSED;
	}
	expect_run(world, &req, chunk, start, region);
	world_mark(world, chunk->start, 1, WORLD_TABLE);
	return STEP_DONE;
}

/* The counts of general regions */
static enum step_result make_totals(struct world *world)
{
	struct tmm_range_totals totals;
	u64 nr_total = 0, nr_free = 0, number;
	unsigned int i;

	tmm_range_allocator_totals(world_allocator(world), &totals);
	for (i = 0; i < world->config->nr_regions; i++) {
		const struct world_region *region = &world->config->regions[i];

		if (region->type != TMM_REGION_GENERAL)
			continue;
		nr_total += region->nr;
		for (number = region->first; number < region->first + region->nr; number++)
			nr_free += world_is_free(world, number);
	}
	expect_equal(totals.nr_total, nr_total);
	expect_equal(totals.nr_free, nr_free);
	expect_equal(tmm_magazines_nr(world_allocator(world)), 0);
	return world->config->has_magazines ? STEP_DONE : STEP_REFUSED;
}

static enum step_result make_leave_cpu(struct world *world, const struct step *step)
{
	struct tmm_range_allocator *ra = world_allocator(world);

	host_leave_cpu(step->a, &ra->magazines.hotplug);
	expect_equal(ra->magazines.each[step->a].nr, 0);
	return STEP_DONE;
}

static enum step_result make(struct world *world, const struct step *step)
{
	switch (step->kind) {
	case STEP_FINISH:
		return make_finish(world);
	case STEP_DROP:
		return make_drop(world, step);
	case STEP_SPLIT_AT:
		return make_split_at(world, step);
	case STEP_SPLIT_RANGE:
		return make_split_range(world, step);
	case STEP_MERGE:
		return make_merge(world, step);
	case STEP_RETIRE:
		return steps_retire(world, step);
	case STEP_TAKE_TABLE:
		return make_take_table(world);
	case STEP_GIVE_TABLE:
		return steps_give_table(world, step);
	case STEP_CHANGE_STATE:
		return make_change_state(world, step);
	case STEP_BORROW:
		return make_borrow(world, step);
	case STEP_UNBORROW:
		return make_unborrow(world, step);
	case STEP_TOTALS:
		return make_totals(world);
	case STEP_LEAVE_CPU:
		return make_leave_cpu(world, step);
	case STEP_TAKE_PIECE:
		return steps_take_piece(world);
	case STEP_CLEAR_ONE:
		return steps_clear_one(world);
	default:
		return make_allocation(world, step);
	}
}

enum step_result step_make(struct world *world, const struct step *step)
{
	const enum step_result result = make(world, step);

	if (result == STEP_DONE)
		world_sort(world);
	return result;
}
