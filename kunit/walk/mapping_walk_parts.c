// SPDX-License-Identifier: GPL-2.0
/* Steps with pages and frames that are not mapped. */
#include "walk/mapping_walk_parts.h"

#include "walk/mapping_walk_device.h"

#include "alloc/frames.h"
#include "alloc/frames_clear.h"
#include "alloc/frames_split.h"
#include "alloc/pages.h"
#include "mapping/placement.h"

static struct tmm_allocation_request draw_request(struct model *m)
{
	static const u64 aligns[] = { 1, 1, 2, 64, LEAF_2M };
	u64 align = aligns[model_below(m, ARRAY_SIZE(aligns))];
	u64 nr = align == LEAF_2M ? LEAF_2M * (1 + model_below(m, 2)) : walk_draw_nr(m);

	return tmm_request_aligned(align, nr);
}

void step_take_pages(struct model *m)
{
	struct tmm_allocation_request req = draw_request(m);
	struct tmm_allocated_pages *pages;
	int place = model_free_pages(m);
	int f = model_some_frames(m);
	struct call call;

	if (place < 0)
		return;
	call = walk_begin(m, OP_TAKE_PAGES, 0, !m->is_alone);
	/* Often allocate pages that fit some frames, so that a later step can map them. */
	if (f >= 0 && m->frames[f].nr && model_below(m, 4))
		pages = tmm_placement_allocate_congruent(&m->inst->pa, m->frames[f].first,
							 m->frames[f].nr);
	else
		pages = tmm_page_allocator_allocate(&m->inst->pa, &req);
	if (walk_succeeded(&call, PTR_ERR_OR_ZERO(pages)))
		m->pages[place] = pages;
}

static void adopt_run(struct model *m, int place, struct tmm_allocated_frames *frames)
{
	u64 first = frames->f.chunk.start, nr = frames->f.chunk.nr;

	m->frames[place] = (struct model_frames){
		.frames = frames, .first = first, .nr = nr,
		.is_device = model_ram_index(m, first) < 0,
	};
	model_own(m, first, nr);
}

void step_take_frames(struct model *m)
{
	struct tmm_allocation_request req = draw_request(m);
	struct tmm_allocated_frames *frames;
	int place = model_free_frames(m);
	struct call call;
	int want = 0;
	u64 nr;

	if (place < 0)
		return;
	if (!model_below(m, 3)) {
		req.is_at = true;
		walk_draw_device_run(m, &req.at, &nr);
		req.nr = nr;
		want = walk_foretell_device(m, req.at, nr);
	}
	call = walk_begin(m, OP_TAKE_FRAMES, want, !req.is_at);
	frames = tmm_frame_allocator_allocate(&m->inst->fa, &req);
	if (!walk_succeeded(&call, PTR_ERR_OR_ZERO(frames)))
		return;
	adopt_run(m, place, frames);
	if (req.is_at || model_below(m, 2))
		return;
	MODEL_EXPECT(m, !tmm_allocated_frames_zero(frames), "not cleared");
	model_set_stamps(m, m->frames[place].first, m->frames[place].nr, 0);
}

void step_drop_part(struct model *m)
{
	int p = model_some_pages(m);
	int f = model_some_frames(m);

	m->done[OP_DROP_PART]++;
	if (p >= 0 && model_below(m, 2)) {
		tmm_allocated_pages_drop(&m->pages[p]);
	} else if (f >= 0) {
		model_drop_frames(m, f);
		tmm_allocated_frames_drop(&m->frames[f].frames);
	}
}

static void split_frames(struct model *m, int f)
{
	struct tmm_allocated_frames *second = NULL;
	struct model_frames *frames = &m->frames[f];
	u64 at = model_below(m, frames->nr + 2);
	int place = model_free_frames(m);
	struct call call;
	int want = 0;
	int err;

	if (place < 0)
		return;
	if (frames->nr_loans)
		want = -EBUSY;
	else if (at > frames->nr || !frames->nr)
		want = -EINVAL;
	call = walk_begin(m, OP_SPLIT_PART, want, false);
	err = tmm_allocated_frames_split_at(frames->frames, frames->first + at, &second);
	if (!walk_succeeded(&call, err)) {
		MODEL_EXPECT(m, !second, "refused, and set");
		return;
	}
	m->frames[place] = (struct model_frames){
		.frames = second, .first = frames->first + at, .nr = frames->nr - at,
		.is_device = frames->is_device,
	};
	frames->nr = at;
	MODEL_EXPECT(m, tmm_frames_nr(&frames->frames->f) == at &&
		     tmm_frames_nr(&second->f) == m->frames[place].nr, "at %llu", at);
}

void step_split_part(struct model *m)
{
	struct tmm_allocated_pages *second = NULL;
	int place = model_free_pages(m);
	int p = model_some_pages(m);
	int f = model_some_frames(m);
	struct call call;
	u64 nr, at;
	int err;

	if (f >= 0 && model_below(m, 2)) {
		split_frames(m, f);
		return;
	}
	if (p < 0 || place < 0)
		return;
	nr = walk_pages_nr(m, p);
	at = model_below(m, nr + 2);
	/* Often split off as many pages as some frames have. */
	if (f >= 0 && m->frames[f].nr < nr && model_below(m, 2))
		at = m->frames[f].nr;
	call = walk_begin(m, OP_SPLIT_PART, at <= nr && nr ? 0 : -EINVAL, false);
	err = tmm_allocated_pages_split_at(m->pages[p], walk_pages_first(m, p) + at, &second);
	if (walk_succeeded(&call, err))
		m->pages[place] = second;
	else
		MODEL_EXPECT(m, !second, "refused, and set");
}

static bool is_pending(const struct tmm_deferred_action *action)
{
	return action->nr_owed;
}

void step_defer(struct model *m)
{
	struct tmm_allocation_request req = draw_request(m);
	int f = model_free_frames(m), p = model_free_pages(m);
	struct tmm_allocated_frames *frames;
	struct tmm_allocated_pages *pages;
	struct call call;

	if (p >= 0 && model_below(m, 2)) {
		call = walk_begin(m, OP_DEFER, is_pending(&m->page_action) ? -EBUSY : 0,
				  !m->is_alone);
		pages = tmm_page_allocator_allocate_deferred(&m->inst->pa, &req, &m->page_action);
		if (walk_succeeded(&call, PTR_ERR_OR_ZERO(pages)))
			m->pages[p] = pages;
		return;
	}
	if (f < 0)
		return;
	call = walk_begin(m, OP_DEFER, is_pending(&m->frame_action) ? -EBUSY : 0,
			  !is_pending(&m->frame_action));
	frames = tmm_frame_allocator_allocate_deferred(&m->inst->fa, &req, &m->frame_action);
	if (walk_succeeded(&call, PTR_ERR_OR_ZERO(frames)))
		adopt_run(m, f, frames);
}

void step_finish(struct model *m)
{
	tmm_deferred_action_finish(model_below(m, 2) ? &m->page_action : &m->frame_action);
	m->done[OP_FINISH]++;
}
