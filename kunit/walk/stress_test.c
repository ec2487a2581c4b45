// SPDX-License-Identifier: GPL-2.0
/*
 * A random walk over the frame allocator, compared with a naive model: a byte for each frame
 * tells its owner, and a search tries every frame in turn. The model predicts each result and
 * errno. After each step everything is compared.
 */
#include "alloc/frames.h"
#include "alloc/frames_split.h"

#include "support/frames_fixture.h"
#include "support/invariants.h"

#include <linux/log2.h>
#include <linux/minmax.h>

#define SPACE 3300
#define NR_OBJECTS 48
#define NR_STEPS 1000

static const struct {
	enum tmm_region_type type;
	u64 first;
	u64 end;
} layout[] = {
	{ TMM_REGION_GENERAL, 100, 700 },
	{ TMM_REGION_DESIGNATED, 700, 900 },
	{ TMM_REGION_RESERVED, 900, 1000 },
	{ TMM_REGION_GENERAL, 1500, 3200 },
};

struct walk {
	struct tmm_test_frames *tf;
	struct rnd_state rnd;
	unsigned int step;
	u8 owner[SPACE];	/* 0: free, else 1 + index of the object */
	struct tmm_allocated_frames *objects[NR_OBJECTS];
	int region[NR_OBJECTS];
};

#define EXPECT(test, w, cond, fmt, ...)							\
	KUNIT_ASSERT_TRUE_MSG(test, cond, TMM_SEED_FMT "step %u: " fmt, tmm_test_seed(),	\
			      (w)->step, ##__VA_ARGS__)

static u64 random_below(struct walk *w, u64 limit)
{
	return tmm_test_random_below(&w->rnd, limit);
}

/* The index of the region that contains a frame, or -1. */
static int region_of(u64 number)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(layout); i++)
		if (number >= layout[i].first && number < layout[i].end)
			return i;
	return -1;
}

/* Is the whole run free and in one region? */
static bool run_is_free(const struct walk *w, u64 start, u64 nr)
{
	int region = region_of(start);

	return region >= 0 && nr <= layout[region].end - start &&
	       !memchr_inv(w->owner + start, 0, nr);
}

static void set_owner(struct walk *w, unsigned int index)
{
	const struct tmm_chunk *chunk = &w->objects[index]->f.chunk;

	memset(w->owner + chunk->start, index + 1, chunk->nr);
}

static int foretell_at(const struct walk *w, const struct tmm_allocation_request *req)
{
	if (req->at + req->nr < req->at)
		return -EOVERFLOW;
	if (region_of(req->at) < 0)
		return -ERANGE;
	if (w->owner[req->at])
		return -EADDRINUSE;
	return run_is_free(w, req->at, req->nr) ? 0 : -EADDRNOTAVAIL;
}

static bool suits_request(const struct walk *w, const struct tmm_allocation_request *req,
			  enum tmm_region_type type, u64 start)
{
	int region = region_of(start);

	return region >= 0 && layout[region].type == type && start >= req->min &&
	       start % (req->align ?: 1) == 0 && start <= req->max &&
	       req->nr - 1 <= req->max - start && run_is_free(w, start, req->nr);
}

static bool foretell_fit_of_type(const struct walk *w, const struct tmm_allocation_request *req,
				 enum tmm_region_type type, u64 *start)
{
	bool from_top = req->align >= 512;
	u64 i;

	for (i = 0; i < SPACE; i++) {
		*start = from_top ? SPACE - 1 - i : i;
		if (suits_request(w, req, type, *start))
			return true;
	}
	return false;
}

static int foretell_run(const struct walk *w, const struct tmm_allocation_request *req, u64 *start)
{
	unsigned int i;

	*start = req->at;
	if (!req->nr || (!req->is_at && req->min > req->max))
		return -EINVAL;
	if (req->is_at)
		return foretell_at(w, req);
	if (foretell_fit_of_type(w, req, TMM_REGION_GENERAL, start) ||
	    foretell_fit_of_type(w, req, TMM_REGION_DESIGNATED, start))
		return 0;
	for (i = 0; i < ARRAY_SIZE(layout); i++)
		if (layout[i].type != TMM_REGION_RESERVED && req->min < layout[i].end &&
		    req->max >= layout[i].first)
			return -ENOSPC;
	return -ERANGE;
}

static struct tmm_allocation_request draw_request(struct walk *w)
{
	static const u64 aligns[] = { 0, 1, 2, 4, 8, 64, 256, 512, 512, 1024, 3, 7, 100 };
	static const u64 most[] = { 4, 4, 16, 64, 64, 700, 1800 };
	u64 align = aligns[random_below(w, ARRAY_SIZE(aligns))];
	u64 nr = random_below(w, most[random_below(w, ARRAY_SIZE(most))]) + !!random_below(w, 20);
	u64 min = random_below(w, SPACE);
	struct tmm_allocation_request req;

	switch (random_below(w, 5)) {
	case 0:
		return tmm_request_any(nr);
	case 1:
		req = tmm_request_at(min, nr);
		if (!random_below(w, 20))
			req.at = U64_MAX - random_below(w, 100);
		return req;
	case 2:
		return tmm_request_aligned(align, nr);
	case 3:
		return tmm_request_in_range(min, min + random_below(w, 1000) -
						 !random_below(w, 20) * min, nr);
	default:
		req = tmm_request_in_range(min, min + random_below(w, 2000), nr);
		req.align = align;
		return req;
	}
}

static int free_slot(const struct walk *w)
{
	int i;

	for (i = 0; i < NR_OBJECTS; i++)
		if (!w->objects[i])
			return i;
	return -1;
}

static int used_slot(struct walk *w)
{
	int i = random_below(w, NR_OBJECTS);

	return w->objects[i] ? i : -1;
}

static void step_allocate(struct kunit *test, struct walk *w)
{
	struct tmm_allocation_request req = draw_request(w);
	struct tmm_allocated_frames *frames;
	int slot = free_slot(w);
	u64 start, got;
	int err;

	if (slot < 0)
		return;
	err = foretell_run(w, &req, &start);
	frames = tmm_frame_allocator_allocate(&w->tf->fa, &req);
	EXPECT(test, w, PTR_ERR_OR_ZERO(frames) == err,
	       "%llu%s %llu align %llu [%llu, %llu]: %d, not %d", req.nr, req.is_at ? " at" : "",
	       req.at, req.align, req.min, req.max, PTR_ERR_OR_ZERO(frames), err);
	if (err)
		return;
	got = frames->f.chunk.start;
	EXPECT(test, w, tmm_frames_nr(&frames->f) == req.nr, "got %llu", tmm_frames_nr(&frames->f));
	if (req.is_at || is_power_of_2(req.align ?: 1))
		EXPECT(test, w, got == start, "at %llu, not %llu", got, start);
	else
		EXPECT(test, w, suits_request(w, &req, layout[region_of(start)].type, got),
		       "at %llu", got);
	w->objects[slot] = frames;
	w->region[slot] = region_of(got);
	set_owner(w, slot);
}

static void step_drop(struct kunit *test, struct walk *w)
{
	int slot = used_slot(w);
	struct tmm_chunk *chunk;

	if (slot < 0)
		return;
	chunk = &w->objects[slot]->f.chunk;
	memset(w->owner + chunk->start, 0, chunk->nr);
	tmm_allocated_frames_drop(&w->objects[slot]);
	EXPECT(test, w, !w->objects[slot], "dropped, not NULL");
}

static void step_split(struct kunit *test, struct walk *w)
{
	int slot = used_slot(w);
	int other = free_slot(w);
	struct tmm_allocated_frames *frames, *second = NULL;
	u64 start, nr, at;
	int want, err;

	if (slot < 0 || other < 0)
		return;
	frames = w->objects[slot];
	start = frames->f.chunk.start;
	nr = frames->f.chunk.nr;
	at = start + random_below(w, nr + 5) - 2;
	want = nr && at >= start && at <= start + nr ? 0 : -EINVAL;
	err = tmm_allocated_frames_split_at(frames, at, &second);
	EXPECT(test, w, err == want, "split [%llu, +%llu) at %llu: %d", start, nr, at, err);
	EXPECT(test, w, !second == !!err, "second half and error");
	if (err)
		return;
	w->objects[other] = second;
	w->region[other] = w->region[slot];
	EXPECT(test, w, frames->f.chunk.start == start && frames->f.chunk.nr == at - start &&
	       second->f.chunk.start == at && tmm_chunk_end(&second->f.chunk) == start + nr,
	       "split [%llu, +%llu) at %llu", start, nr, at);
	set_owner(w, other);
}

static int foretell_merge(const struct walk *w, int slot, int other)
{
	const struct tmm_chunk *a = &w->objects[slot]->f.chunk;
	const struct tmm_chunk *b = &w->objects[other]->f.chunk;

	if (slot == other)
		return -EDOM;
	if (w->region[slot] != w->region[other])
		return -EMEDIUMTYPE;
	return tmm_chunk_end(a) == b->start || tmm_chunk_end(b) == a->start ? 0 : -EDOM;
}

static void step_merge(struct kunit *test, struct walk *w)
{
	int slot = used_slot(w);
	int other = used_slot(w);
	struct tmm_allocated_frames *consumed;
	int want, err, i;

	if (slot < 0 || other < 0)
		return;
	/* Look for two adjacent runs, which random choice would rarely find. */
	for (i = 0; i < NR_OBJECTS && random_below(w, 50); i++)
		if (w->objects[i] && !foretell_merge(w, slot, i))
			other = i;
	want = foretell_merge(w, slot, other);
	consumed = w->objects[other];
	err = tmm_allocated_frames_merge(w->objects[slot], &consumed);
	EXPECT(test, w, err == want, "merge: %d, not %d", err, want);
	EXPECT(test, w, !consumed == !err, "consumed and error");
	if (err)
		return;
	w->objects[other] = NULL;
	set_owner(w, slot);
}

/* Each frame is either free or owned by one object. */
static void compare_all(struct kunit *test, struct walk *w)
{
	u64 nr_owned = 0;
	u64 nr_held = 0;
	unsigned int i;

	tmm_check_frame_allocator(test, &w->tf->fa);
	for (i = 0; i < NR_OBJECTS; i++) {
		const struct tmm_chunk *chunk = w->objects[i] ? &w->objects[i]->f.chunk : NULL;

		if (!chunk)
			continue;
		EXPECT(test, w, !memchr_inv(w->owner + chunk->start, i + 1, chunk->nr),
		       "object %u is not alone in [%llu, +%llu)", i, chunk->start, chunk->nr);
		nr_held += chunk->nr;
	}
	for (i = 0; i < SPACE; i++) {
		int region = region_of(i);

		nr_owned += !!w->owner[i];
		if (region < 0)
			continue;
		EXPECT(test, w, tmm_frame_table_get(&w->tf->regions[region].table, i) ==
		       (w->owner[i] ? TMM_MARK_ALLOCATED : TMM_MARK_FREE), "mark of %u", i);
	}
	EXPECT(test, w, nr_owned == nr_held, "%llu owned, %llu held", nr_owned, nr_held);
}

static int init_case(struct kunit *test)
{
	struct tmm_test_frames *tf = tmm_test_frames_create(test);
	unsigned int i;

	test->priv = tf;
	for (i = 0; i < ARRAY_SIZE(layout); i++)
		tmm_test_frames_add(test, tf, layout[i].type, layout[i].first,
				    layout[i].end - layout[i].first);
	return 0;
}

static void exit_case(struct kunit *test)
{
	tmm_test_frames_destroy(test, test->priv);
}

/* Of 8 steps on average, the number that allocate, drop and split. All other steps merge. */
struct walk_param {
	const char *name;
	unsigned int nr_allocate;
	unsigned int nr_drop;
	unsigned int nr_split;
};

static const struct walk_param walk_params[] = {
	{ "balanced", 4, 2, 1 },
	{ "filling", 6, 1, 0 },
	{ "fragmenting", 2, 3, 2 },
};

TMM_ARRAY_PARAM(walk, walk_params);

static void take_step(struct kunit *test, struct walk *w, const struct walk_param *p)
{
	unsigned int kind = random_below(w, 8);

	if (kind < p->nr_allocate)
		step_allocate(test, w);
	else if (kind < p->nr_allocate + p->nr_drop)
		step_drop(test, w);
	else if (kind < p->nr_allocate + p->nr_drop + p->nr_split)
		step_split(test, w);
	else
		step_merge(test, w);
}

static void walk_like_the_model(struct kunit *test)
{
	const struct walk_param *p = test->param_value;
	struct walk *w = tmm_test_kvzalloc(test, sizeof(*w));
	unsigned int i;

	w->tf = test->priv;
	tmm_test_random_start(test, &w->rnd, 2 + (p - walk_params));
	for (w->step = 0; w->step < NR_STEPS; w->step++) {
		take_step(test, w, p);
		compare_all(test, w);
		cond_resched();
	}
	for (i = 0; i < NR_OBJECTS; i++)
		tmm_allocated_frames_drop(&w->objects[i]);
}

static struct kunit_case stress_cases[] = {
	KUNIT_CASE_PARAM(walk_like_the_model, walk_gen_params),
	{}
};

static struct kunit_suite stress_suite = {
	.name = "theseus_mm_stress",
	.init = init_case,
	.exit = exit_case,
	.test_cases = stress_cases,
};

kunit_test_suite(stress_suite);
