// SPDX-License-Identifier: GPL-2.0
/* Steps that map pages and frames, and that take mappings apart. */
#include "walk/mapping_walk_map.h"

#include "alloc/frames.h"
#include "alloc/pages.h"
#include "mapping/map.h"
#include "mapping/placement.h"

#include <linux/list.h>
#include <linux/string.h>

/* Records frames that came out of a mapping, or drops them. */
static void keep_frames(struct model *m, struct tmm_allocated_frames *frames)
{
	u64 first = frames->f.chunk.start, nr = frames->f.chunk.nr;
	int place = model_free_frames(m);

	if (place < 0 || model_below(m, 4) == 0) {
		model_disown(m, first, nr);
		tmm_allocated_frames_drop(&frames);
		return;
	}
	/* The next mapping of these frames begins with clean leaves. */
	if (model_ram_index(m, first) >= 0)
		memset(m->shared->is_dirty + model_ram_index(m, first), 0, nr);
	m->frames[place] = (struct model_frames){
		.frames = frames, .first = first, .nr = nr,
		.is_device = model_ram_index(m, first) < 0,
	};
}

static void keep_pages(struct model *m, struct tmm_allocated_pages *pages)
{
	int place = model_free_pages(m);

	if (place < 0)
		tmm_allocated_pages_drop(&pages);
	else
		m->pages[place] = pages;
}

static void unmap_model(struct model *m, struct model_mapping *mapping, struct list_head *list)
{
	struct tmm_allocated_frames *frames, *next;
	bool is_lent = mapping->lender != MODEL_NO_LENDER;
	u64 done = 0, i;

	list_for_each_entry_safe(frames, next, list, f.link) {
		u64 nr = tmm_frames_nr(&frames->f);

		for (i = 0; i < nr; i += nr > 1 ? nr - 1 : 1)
			MODEL_EXPECT(m, model_frame(mapping, done + i) ==
				     frames->f.chunk.start + i, "page %llu", done + i);
		done += nr;
		list_del_init(&frames->f.link);
		keep_frames(m, frames);
	}
	MODEL_EXPECT(m, done == (is_lent ? 0 : mapping->nr), "%llu frames of %llu", done,
		     mapping->nr);
	model_forget(m, mapping);
}

void step_unmap(struct model *m)
{
	struct model_mapping *mapping = model_some_mapping(m);
	struct tmm_allocated_pages *pages = NULL;
	struct tmm_mapped_pages *mp;
	unsigned int root;
	struct call call;
	LIST_HEAD(list);
	int lender, want = 0;
	u64 page, nr;
	int err;

	if (!mapping)
		return;
	mp = mapping->mp;
	page = mapping->page;
	nr = mapping->nr;
	lender = mapping->lender;
	root = model_below(m, 4) ? mapping->root : walk_draw_root(m);
	if (root != mapping->root)
		want = -EXDEV;
	else if (model_is_borrowed(mapping))
		want = -EBUSY;
	/* Update the model first: once the call ends the loan, others may take the frames. */
	if (!want && lender != MODEL_NO_LENDER)
		model_end_loan(m, lender);
	call = walk_begin(m, OP_UNMAP, want, false);
	err = tmm_mapped_pages_unmap_into_parts_under(&mp, m->roots[root], &pages, &list);
	if (!walk_succeeded(&call, err)) {
		MODEL_EXPECT(m, mp == mapping->mp && !pages && list_empty(&list),
			     "refused, and consumed");
		return;
	}
	MODEL_EXPECT(m, !mp && pages->chunk.start == page && pages->chunk.nr == nr, "pages");
	unmap_model(m, mapping, &list);
	keep_pages(m, pages);
}

/* Would the mapping have so many small leaves that checking them takes long? */
static bool is_too_much(const struct model *m, int p, int f, enum tmm_page_size largest)
{
	if (m->frames[f].nr <= 4 * LEAF_2M || walk_pages_nr(m, p) != m->frames[f].nr)
		return false;
	return largest == TMM_4K ||
	       (walk_pages_first(m, p) ^ m->frames[f].first) & (LEAF_2M - 1);
}

/*
 * Draws pages for frames. Mostly there are as many pages as frames, at the same offset from a
 * multiple of the leaf size, so that large leaves fit.
 */
static int draw_pages_for(struct model *m, int f)
{
	const struct model_frames *frames = &m->frames[f];
	int place = model_free_pages(m);
	u64 number = frames->first;
	struct tmm_allocated_pages *pages;
	int p;

	for (p = 0; p < MODEL_NR_PARTS && model_below(m, 20); p++)
		if (m->pages[p] && walk_pages_nr(m, p) == frames->nr)
			return p;
	if (place < 0 || !frames->nr || !model_below(m, 4))
		return model_some_pages(m);
	if (!model_below(m, 4))
		number = model_below(m, LEAF_2M);
	pages = tmm_placement_allocate_congruent(&m->inst->pa, number, frames->nr);
	if (IS_ERR(pages))
		return -1;
	m->pages[place] = pages;
	return place;
}

static int foretell_map(const struct model *m, int p, int f, tmm_pte_flags_t flags)
{
	if (walk_pages_nr(m, p) != m->frames[f].nr || !walk_pages_nr(m, p))
		return -EINVAL;
	return walk_foretell_flags(flags, m->frames[f].is_device);
}

static bool suits_size(const struct model *m, int p, int f, enum tmm_page_size size)
{
	const struct model_frames *frames = &m->frames[f];

	return !((walk_pages_first(m, p) | walk_pages_nr(m, p) | frames->first | frames->nr) &
		 (tmm_page_size_4k_pages(size) - 1));
}

void step_map_to(struct model *m)
{
	struct model_mapping *mapping = model_free_mapping(m);
	int f = model_some_frames(m);
	int p = f < 0 ? -1 : draw_pages_for(m, f);
	bool is_sized = model_below(m, 2);
	enum tmm_page_size size = model_below(m, 2);
	unsigned int root = walk_draw_root(m);
	struct tmm_mapped_pages *mp;
	tmm_pte_flags_t flags;
	struct call call;
	int want;

	if (!mapping || p < 0 || is_too_much(m, p, f, is_sized ? size : TMM_1G))
		return;
	flags = walk_draw_flags(m, m->frames[f].is_device);
	want = foretell_map(m, p, f, flags) ?: m->frames[f].nr_loans ? -EBUSY : 0;
	if (is_sized && !suits_size(m, p, f, size))
		want = -EINVAL;
	call = walk_begin(m, is_sized ? OP_MAP_TO_SIZED : OP_MAP_TO, want, walk_may_lack(m, 0));
	if (is_sized)
		mp = tmm_map_allocated_pages_to_sized(m->roots[root], &m->pages[p],
						      &m->frames[f].frames, flags, size);
	else
		mp = tmm_map_allocated_pages_to(m->roots[root], &m->pages[p],
						&m->frames[f].frames, flags);
	if (!walk_succeeded(&call, PTR_ERR_OR_ZERO(mp))) {
		MODEL_EXPECT(m, m->pages[p] && m->frames[f].frames, "refused, and consumed");
		return;
	}
	MODEL_EXPECT(m, !m->pages[p] && !m->frames[f].frames, "not consumed");
	model_adopt(m, mapping, mp, root, flags, m->frames[f].first, MODEL_NO_LENDER);
	model_check_content(m, mapping, model_below(m, mapping->nr));
}

void step_map_lent(struct model *m)
{
	struct model_mapping *mapping = model_free_mapping(m);
	int f = model_some_frames(m);
	int p = f < 0 ? -1 : draw_pages_for(m, f);
	unsigned int root = walk_draw_root(m);
	struct tmm_mapped_pages *mp;
	tmm_pte_flags_t flags;
	struct call call;

	if (!mapping || p < 0 || is_too_much(m, p, f, TMM_1G))
		return;
	flags = walk_draw_flags(m, m->frames[f].is_device);
	call = walk_begin(m, OP_MAP_LENT, foretell_map(m, p, f, flags), walk_may_lack(m, 0));
	mp = tmm_map_to_non_exclusive(m->roots[root], &m->pages[p], m->frames[f].frames, flags);
	if (!walk_succeeded(&call, PTR_ERR_OR_ZERO(mp))) {
		MODEL_EXPECT(m, m->pages[p], "refused, and consumed");
		return;
	}
	model_adopt(m, mapping, mp, root, flags, m->frames[f].first, f);
	model_check_content(m, mapping, model_below(m, mapping->nr));
	walk_write_some(m, mapping);
}

void step_map_pages(struct model *m)
{
	struct model_mapping *mapping = model_free_mapping(m);
	tmm_pte_flags_t flags = walk_draw_flags(m, false);
	enum tmm_page_size size = model_below(m, 2);
	bool is_sized = model_below(m, 2);
	unsigned int root = walk_draw_root(m);
	bool zero = model_below(m, 2);
	int p = model_some_pages(m);
	struct tmm_mapped_pages *mp;
	struct call call;
	bool lacks;
	int want;
	u64 nr;

	if (!mapping || p < 0)
		return;
	nr = walk_pages_nr(m, p);
	lacks = walk_may_lack(m, nr) || (is_sized && size);
	want = walk_foretell_flags(flags, false) ?: nr ? 0 : -EINVAL;
	if (is_sized && (walk_pages_first(m, p) | nr) & (tmm_page_size_4k_pages(size) - 1))
		want = -EINVAL;
	if (!want && m->is_alone && nr > model_nr_free(m))
		want = -ENOSPC;
	call = walk_begin(m, OP_MAP_PAGES, want, lacks);
	if (is_sized)
		mp = tmm_map_allocated_pages_sized(m->roots[root], &m->pages[p], flags, zero, size);
	else
		mp = tmm_map_allocated_pages(m->roots[root], &m->pages[p], flags, zero);
	if (!walk_succeeded(&call, PTR_ERR_OR_ZERO(mp))) {
		MODEL_EXPECT(m, m->pages[p], "refused, and consumed");
		return;
	}
	model_adopt(m, mapping, mp, root, flags, MODEL_UNKNOWN, MODEL_NO_LENDER);
	walk_check_new(m, mapping, zero);
}
