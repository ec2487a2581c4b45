// SPDX-License-Identifier: GPL-2.0
#include "walk/range_walk.h"

#include "walk/range_compare.h"

#include "support/fixture.h"

#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/string.h>

#define NR_STEPS	1000
#define NR_ROUNDS	100
#define MAX_CHARGED	400

const struct range_walk_param range_walk_params[RANGE_WALK_NR_PARAMS] = {
	{ "balanced", 7, 4, 2, 1 },
	{ "filling", 11, 2, 0, 1 },
	{ "fragmenting", 4, 6, 4, 0 },
	{ "balanced, with magazines", 7, 4, 2, 1, true },
	{ "filling, with magazines", 11, 2, 0, 1, true },
};

struct range_walk *range_walk_create(struct kunit *test, const struct range_walk_ops *ops,
				     struct tmm_range_allocator *ra, enum tmm_resource resource)
{
	struct range_walk *walk = tmm_test_kvzalloc(test, sizeof(*walk));

	walk->test = test;
	walk->ops = ops;
	walk->ra = ra;
	walk->param = test->param_value;
	walk->resource = resource;
	if (walk->param->has_magazines)
		KUNIT_ASSERT_EQ(test, tmm_magazines_create(ra), 0);
	walk->nr_steps = NR_STEPS * tmm_test_times();
	walk->nr_rounds = NR_ROUNDS * tmm_test_times();
	walk->max_charged = MAX_CHARGED;
	return walk;
}

u64 range_walk_number(const struct kunit *test)
{
	return (const struct range_walk_param *)test->param_value - range_walk_params;
}

static u64 random_below(struct range_walker *w, u64 limit)
{
	return tmm_test_random_below(&w->rnd, limit);
}

static bool is_alone(const struct range_walker *w)
{
	return w->walk->nr_walkers == 1;
}

static const struct model_layout *layout_of(const struct range_walker *w)
{
	return &w->walk->model.layout;
}

static unsigned int owner_of(const struct range_walker *w, const struct range_object *object)
{
	return 1 + w->index * WALK_NR_OBJECTS + (object - w->objects);
}

/* Draws a chunk number near the start of a region, and sometimes one outside of all regions. */
static u64 draw_number(struct range_walker *w)
{
	const struct model_layout *layout = layout_of(w);
	const struct model_region *region = &layout->regions[random_below(w, layout->nr)];

	return max_t(s64, 0, region->first - 50 +
			     random_below(w, min(region->end - region->first, 1700ULL) + 100));
}

static struct tmm_allocation_request draw_request(struct range_walker *w)
{
	static const u64 aligns[] = { 0, 1, 2, 4, 8, 64, 256, 512, 512, 1024, 3, 7, 100 };
	static const u64 most[] = { 2, 2, 4, 16, 64, 64, 700, 1800 };
	u64 align = aligns[random_below(w, ARRAY_SIZE(aligns))];
	u64 nr = random_below(w, most[random_below(w, ARRAY_SIZE(most))]) + !!random_below(w, 20);
	u64 min = draw_number(w);
	struct tmm_allocation_request req;

	switch (random_below(w, 7)) {
	case 0:
	case 1:
		req = tmm_request_any(nr);
		break;
	case 2:
		req = tmm_request_at(random_below(w, 20) ? min : U64_MAX - random_below(w, 100),
				     nr);
		break;
	case 3:
		req = tmm_request_aligned(align, nr);
		break;
	case 4:
		req = tmm_request_in_range(min, min + random_below(w, 1000) -
						!random_below(w, 20) * min, nr);
		break;
	case 5:
		req = tmm_request_aligned(align, nr);
		req.behind = random_below(w, 9);
		break;
	default:
		req = tmm_request_aligned_in_range(align, min, min + random_below(w, 2000), nr);
	}
	req.general_only = !random_below(w, 6);
	req.account = random_below(w, 2) ? w->account : NULL;
	return req;
}

static struct range_object *free_object(struct range_walker *w)
{
	unsigned int i;

	for (i = 0; i < WALK_NR_OBJECTS; i++)
		if (!w->objects[i].chunk)
			return &w->objects[i];
	return NULL;
}

static struct range_object *some_object(struct range_walker *w)
{
	struct range_object *object = &w->objects[random_below(w, WALK_NR_OBJECTS)];

	return object->chunk ? object : NULL;
}

/* Only this walker charges its account, so the result does not depend on other walkers. */
static int foretell(struct range_walker *w, const struct tmm_allocation_request *req, u64 *start)
{
	int err = model_foretell(&w->walk->model, req, start);

	if (err != -EINVAL && err != -EOVERFLOW && req->account &&
	    w->nr_charged + req->nr > w->walk->max_charged)
		return -EDQUOT;
	return err;
}

static bool has_own(const struct range_walker *w, u64 number)
{
	unsigned int i;

	for (i = 0; i < WALK_NR_OBJECTS; i++)
		if (w->objects[i].chunk && number - w->objects[i].start < w->objects[i].nr)
			return true;
	return false;
}

/*
 * Is @err a right result, if other walkers may allocate and drop meanwhile? They change neither the
 * errors of malformed requests nor what this walker owns.
 */
static bool is_possible(const struct range_walker *w, const struct tmm_allocation_request *req,
			int err, int want)
{
	if (want == -EINVAL || want == -EOVERFLOW || want == -EDQUOT || want == -ERANGE)
		return err == want;
	if (!req->is_at)
		return !err || err == -ENOSPC;
	if (has_own(w, req->at))
		return err == -EADDRINUSE;
	if (err == -EADDRINUSE || err == -EADDRNOTAVAIL)
		return true;
	if (req->general_only &&
	    model_region_of(layout_of(w), req->at)->type == TMM_REGION_RESERVED)
		return err == -EOPNOTSUPP;
	return !err;
}

/*
 * Number of chunks in the regions that serve a request for one chunk anywhere: while fewer chunks
 * are held, the request finds one. 0 for any other request.
 */
static u64 nr_within_reach(const struct range_walker *w, const struct tmm_allocation_request *req)
{
	const struct model_layout *layout = layout_of(w);
	unsigned int i;
	u64 nr = 0;

	if (req->is_at || req->nr != 1 || req->align > 1 || req->behind || req->min ||
	    req->max != U64_MAX)
		return 0;
	for (i = 0; i < layout->nr; i++)
		if (layout->regions[i].type == TMM_REGION_GENERAL ||
		    (!req->general_only && layout->regions[i].type != TMM_REGION_RESERVED))
			nr += layout->regions[i].end - layout->regions[i].first;
	return nr;
}

/*
 * Is each fit with this alignment in the index of the free sets (alloc/fit.h)? Maps of frames know
 * whole blocks, so a run of frames has to consist of such blocks.
 */
static bool is_indexed(const struct range_walker *w, const struct tmm_allocation_request *req)
{
	enum tmm_page_size size;

	if (req->align <= 1)
		return true;
	for (size = TMM_2M; size < TMM_NR_PAGE_SIZES; size++)
		if (req->align == tmm_page_size_4k_pages(size))
			return w->walk->resource == TMM_RESOURCE_PAGES ||
			       (req->nr + req->behind) % req->align == 0;
	return false;
}

/*
 * Must the allocator give out exactly the run that the model predicts? A search with an alignment
 * that is not indexed may give out another one, but of a region of the same type. So may an
 * allocator with magazines, whose chunks are not in the free set.
 */
static bool has_exact_place(const struct range_walker *w, const struct tmm_allocation_request *req)
{
	if (req->is_at)
		return true;
	return is_alone(w) && is_indexed(w, req) && !w->walk->param->has_magazines;
}

static void check_place(struct range_walker *w, const struct tmm_allocation_request *req, u64 got,
			u64 want)
{
	const struct model_region *region = model_region_of(layout_of(w), got);
	const struct tmm_fit_request fit = {
		.nr = req->nr + req->behind,
		.align = req->align ?: 1,
		.min = req->min,
		.end = req->max == U64_MAX ? U64_MAX : req->max + 1,
	};

	if (has_exact_place(w, req)) {
		WALK_EXPECT(w, got == want, "got %#llx, not %#llx", got, want);
		return;
	}
	WALK_EXPECT(w, region && region->type != TMM_REGION_RESERVED &&
		    (region->type == TMM_REGION_GENERAL || !req->general_only) &&
		    model_suits(layout_of(w), &fit, region->type, got - req->behind),
		    "got %#llx, which does not suit", got);
	if (is_alone(w) && region)
		WALK_EXPECT(w, region->type == model_region_of(layout_of(w), want)->type,
			    "got %#llx, but a region of %#llx comes first", got, want);
}

static void adopt_chunk(struct range_walker *w, struct range_object *object,
			struct tmm_chunk *chunk, const struct tmm_allocation_request *req)
{
	const struct model_region *region = model_region_of(layout_of(w), chunk->start);

	*object = (struct range_object){ chunk, chunk->start, req->nr, region, req->account };
	if (!WALK_EXPECT(w, chunk->nr == req->nr && region && region->end - chunk->start >= req->nr,
			 "got [%#llx, +%llu), not %llu chunks", chunk->start, chunk->nr, req->nr))
		return;
	WALK_EXPECT(w, w->walk->model.ops->claim(&w->walk->model, chunk->start, chunk->nr,
						 owner_of(w, object)),
		    "[%#llx, +%llu) has an owner already", chunk->start, chunk->nr);
	if (req->account)
		w->nr_charged += req->nr;
}

static void allocate_object(struct range_walker *w, struct tmm_deferred_action *action)
{
	const struct tmm_allocation_request req = draw_request(w);
	struct range_walk *walk = w->walk;
	struct range_object *object = free_object(w);
	struct tmm_chunk *chunk;
	int begun, err, want;
	u64 start = 0, nr_held;
	bool is_right;

	if (!object)
		return;
	want = action && action->nr_owed ? -EBUSY : foretell(w, &req, &start);
	/*
	 * A walker adds to @nr_held first, and to @nr_begun second. So while @nr_begun stays the
	 * same, @nr_held includes the chunks of all calls that have begun.
	 */
	nr_held = atomic64_add_return(req.nr, &walk->nr_held);
	begun = atomic_inc_return(&walk->nr_begun);
	nr_held = max_t(u64, nr_held, atomic64_read(&walk->nr_held));
	chunk = walk->ops->allocate(walk->ra, &req, action);
	err = PTR_ERR_OR_ZERO(chunk);
	is_right = is_alone(w) || want == -EBUSY ? err == want : is_possible(w, &req, err, want);
	WALK_EXPECT(w, is_right,
		    "%llu%s %#llx align %llu behind %llu [%#llx, %#llx] general %u: %d, not %d",
		    req.nr, req.is_at ? " at" : "", req.at, req.align, req.behind, req.min,
		    req.max, req.general_only, err, want);
	if (err == -ENOSPC && nr_held <= nr_within_reach(w, &req))
		WALK_EXPECT(w, atomic_read(&walk->nr_begun) != begun,
			    "refused, but %llu of %llu chunks are held", nr_held,
			    nr_within_reach(w, &req));
	if (err) {
		atomic64_sub(req.nr, &walk->nr_held);
		w->nr_refused++;
		return;
	}
	w->nr_done++;
	check_place(w, &req, chunk->start, start);
	adopt_chunk(w, object, chunk, &req);
}

/* The model gives the run up first: once the call has freed the run, another walker may own it. */
static void drop_object(struct range_walker *w, struct range_object *object)
{
	const u64 nr = object->nr;

	WALK_EXPECT(w, w->walk->model.ops->release(&w->walk->model, object->start, nr,
						   owner_of(w, object)),
		    "[%#llx, +%llu) has another owner", object->start, nr);
	if (object->account)
		w->nr_charged -= nr;
	w->walk->ops->drop(object->chunk);
	object->chunk = NULL;
	atomic64_sub(nr, &w->walk->nr_held);
}

static void step_drop(struct range_walker *w)
{
	struct range_object *object = some_object(w);

	if (object)
		drop_object(w, object);
}

static void step_split(struct range_walker *w)
{
	struct range_object *object = some_object(w);
	struct range_object *other = free_object(w);
	struct tmm_chunk *second = NULL;
	u64 start, nr, at;
	int want, err;

	if (!object || !other)
		return;
	start = object->start;
	nr = object->nr;
	at = start + random_below(w, nr + 5) - 2;
	want = nr && at >= start && at <= start + nr ? 0 : -EINVAL;
	err = w->walk->ops->split(object->chunk, at, &second);
	WALK_EXPECT(w, err == want && !second == !!err, "split [%#llx, +%llu) at %#llx: %d",
		    start, nr, at, err);
	if (err)
		return;
	*other = (struct range_object){ second, at, start + nr - at, object->region,
					object->account };
	w->walk->model.ops->split(&w->walk->model, &(struct tmm_chunk){ .start = start, .nr = nr },
				  at, owner_of(w, object), owner_of(w, other));
	object->nr = at - start;
}

static int foretell_merge(const struct range_object *a, const struct range_object *b)
{
	if (a == b)
		return -EDOM;
	if (a->region != b->region || a->account != b->account)
		return -EMEDIUMTYPE;
	return a->start + a->nr == b->start || b->start + b->nr == a->start ? 0 : -EDOM;
}

static void step_merge(struct range_walker *w)
{
	struct range_model *model = &w->walk->model;
	struct range_object *object = some_object(w);
	struct range_object *other = some_object(w);
	struct tmm_chunk *consumed;
	int want, err, i;
	bool is_right;

	if (!object || !other)
		return;
	/* Look for two adjacent runs, which random choice would rarely find. */
	for (i = 0; i < WALK_NR_OBJECTS && random_below(w, 50); i++)
		if (w->objects[i].chunk && !foretell_merge(object, &w->objects[i]))
			other = &w->objects[i];
	want = foretell_merge(object, other);
	consumed = other->chunk;
	err = w->walk->ops->merge(object->chunk, &consumed);
	WALK_EXPECT(w, err == want && !consumed == !err, "merge: %d, not %d", err, want);
	if (err)
		return;
	is_right = model->ops->release(model, object->start, object->nr, owner_of(w, object)) &&
		   model->ops->release(model, other->start, other->nr, owner_of(w, other));
	object->start = min(object->start, other->start);
	object->nr += other->nr;
	other->chunk = NULL;
	WALK_EXPECT(w, is_right && model->ops->claim(model, object->start, object->nr,
						     owner_of(w, object)),
		    "merge: [%#llx, +%llu) has another owner", object->start, object->nr);
}

static void step_deferred(struct range_walker *w)
{
	if (random_below(w, 2))
		tmm_deferred_action_finish(&w->action);
	else
		allocate_object(w, &w->action);
}

/* The kinds of steps, in the order of the members of struct range_walk_param. */
enum step_kind {
	STEP_ALLOCATE, STEP_DROP, STEP_SPLIT, STEP_DEFERRED, STEP_MERGE
};

static enum step_kind draw_kind(struct range_walker *w)
{
	const struct range_walk_param *p = w->walk->param;
	const unsigned int shares[] = { p->nr_allocate, p->nr_drop, p->nr_split, p->nr_deferred };
	unsigned int drawn = random_below(w, 16);
	unsigned int kind;

	for (kind = 0; kind < ARRAY_SIZE(shares) && drawn >= shares[kind]; kind++)
		drawn -= shares[kind];
	return kind;
}

static void take_step(struct range_walker *w)
{
	w->step++;
	switch (draw_kind(w)) {
	case STEP_ALLOCATE:
		allocate_object(w, NULL);
		break;
	case STEP_DROP:
		step_drop(w);
		break;
	case STEP_SPLIT:
		step_split(w);
		break;
	case STEP_DEFERRED:
		step_deferred(w);
		break;
	case STEP_MERGE:
		step_merge(w);
		break;
	}
}

static void start_walkers(struct range_walk *walk, unsigned int nr, u64 salt)
{
	const u64 max[TMM_NR_RESOURCES] = {
		walk->max_charged, walk->max_charged, walk->max_charged
	};
	unsigned int i;

	walk->nr_walkers = nr;
	walk->parent = tmm_account_create(NULL, NULL);
	KUNIT_ASSERT_NOT_NULL(walk->test, walk->parent);
	for (i = 0; i < nr; i++) {
		struct range_walker *w = &walk->walkers[i];

		w->walk = walk;
		w->index = i;
		w->account = tmm_account_create(walk->parent, max);
		KUNIT_ASSERT_NOT_NULL(walk->test, w->account);
		tmm_test_random_start(walk->test, &w->rnd, salt + i);
	}
}

/* After an error the model may be wrong, and nothing is dropped. */
static void end_walkers(struct range_walk *walk)
{
	bool is_right = true;
	unsigned int i, k;

	for (i = 0; i < walk->nr_walkers; i++) {
		struct range_walker *w = &walk->walkers[i];

		kunit_info(walk->test, "walker %u: %u steps, %u allocations, %u refused\n", i,
			   w->step, w->nr_done, w->nr_refused);
		if (!*w->wrong.text)
			continue;
		is_right = false;
		KUNIT_FAIL(walk->test, TMM_SEED_FMT "walker %u, step %u: %s", tmm_test_seed(), i,
			   w->step, w->wrong.text);
	}
	for (i = 0; i < walk->nr_walkers && is_right; i++) {
		struct range_walker *w = &walk->walkers[i];

		tmm_deferred_action_finish(&w->action);
		for (k = 0; k < WALK_NR_OBJECTS; k++)
			if (w->objects[k].chunk)
				drop_object(w, &w->objects[k]);
		tmm_account_put(w->account);
	}
	if (is_right)
		tmm_account_put(walk->parent);
}

void range_walk_alone(struct range_walk *walk, u64 salt)
{
	struct range_walker *w = &walk->walkers[0];

	start_walkers(walk, 1, salt);
	do {
		take_step(w);
		cond_resched();
	} while (range_compare_all(walk) && w->step < walk->nr_steps);
	end_walkers(walk);
}

static void walk_in_crew(struct crew *crew, unsigned int index)
{
	struct range_walk *walk = crew->context;
	struct range_walker *w = &walk->walkers[index];
	unsigned int i, nr;

	do {
		nr = 1 + random_below(w, 3);
		for (i = 0; i < nr && !*w->wrong.text; i++) {
			take_step(w);
			range_compare_step(w);
		}
	} while (crew_meet(crew));
}

void range_walk_crew(struct range_walk *walk, u64 salt)
{
	struct crew crew = {
		.test = walk->test,
		.work = walk_in_crew,
		.check = range_compare_all,
		.context = walk,
		.max_rounds = walk->nr_rounds,
	};

	start_walkers(walk, crew_size(walk->test), salt);
	crew_run(&crew, walk->nr_walkers);
	end_walkers(walk);
}
