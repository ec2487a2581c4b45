// SPDX-License-Identifier: GPL-2.0
/* Steps that change mappings. */
#include "walk/mapping_walk_change.h"

#include "mapping/mapped_pages_split.h"

#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/string.h>

/* Moves the runs from page number @nr on to @second. */
static void split_model(struct model *m, struct model_mapping *mapping, u64 nr,
			struct model_mapping *second)
{
	u64 skip = nr;
	unsigned int r;

	*second = *mapping;
	second->page += nr;
	second->nr -= nr;
	second->nr_runs = 0;
	second->runs = kvcalloc(mapping->nr_runs + 1, sizeof(*second->runs), GFP_KERNEL);
	if (!MODEL_EXPECT(m, second->runs, "no memory"))
		return;
	for (r = 0; r < mapping->nr_runs; r++) {
		struct model_run *run = &mapping->runs[r];
		u64 here = min(skip, run->nr);

		if (here < run->nr)
			second->runs[second->nr_runs++] =
				(struct model_run){ run->frame + here, run->nr - here };
		run->nr = here;
		skip -= here;
	}
	while (mapping->nr_runs && !mapping->runs[mapping->nr_runs - 1].nr)
		mapping->nr_runs--;
	mapping->nr = nr;
	if (mapping->lender != MODEL_NO_LENDER)
		m->frames[mapping->lender].nr_loans++;
}

void step_split(struct model *m)
{
	struct model_mapping *mapping = model_some_mapping(m);
	struct model_mapping *second = model_free_mapping(m);
	struct tmm_mapped_pages *mp = NULL;
	struct call call;
	int want = 0;
	u64 nr;

	if (!mapping || !second)
		return;
	nr = model_below(m, mapping->nr + 1);
	if (!model_below(m, 3))
		nr = round_down(nr, LEAF_2M);
	if (!model_below(m, 20))
		nr = mapping->nr + 1;
	if (model_is_borrowed(mapping))
		want = -EBUSY;
	else if (nr > mapping->nr || !mapping->nr)
		want = -EINVAL;
	call = walk_begin(m, OP_SPLIT, want, walk_may_lack(m, 0));
	if (!walk_succeeded(&call, tmm_mapped_pages_split(mapping->mp, mapping->page + nr, &mp))) {
		MODEL_EXPECT(m, !mp, "refused, and set");
		return;
	}
	split_model(m, mapping, nr, second);
	second->mp = mp;
	model_check_mapping(m, mapping);
	model_check_mapping(m, second);
}

static struct model_mapping *draw_neighbour(struct model *m, const struct model_mapping *mapping)
{
	unsigned int i;

	for (i = 0; i < MODEL_NR_MAPPINGS; i++) {
		struct model_mapping *other = &m->mappings[i];

		if (other != mapping && other->mp && !other->is_dropped && !other->in_mmi &&
		    other->page == mapping->page + mapping->nr)
			return other;
	}
	return NULL;
}

static int foretell_merge(const struct model_mapping *mapping, const struct model_mapping *other)
{
	if (mapping == other)
		return -EDOM;
	if (model_is_borrowed(mapping) || model_is_borrowed(other))
		return -EBUSY;
	if (mapping->root != other->root)
		return -EXDEV;
	if ((mapping->flags ^ other->flags) & ~TMM_PTE_HARDWARE ||
	    mapping->lender != other->lender)
		return -EMEDIUMTYPE;
	return mapping->page + mapping->nr == other->page ? 0 : -EDOM;
}

static void merge_model(struct model *m, struct model_mapping *mapping,
			struct model_mapping *other)
{
	struct model_run *runs = kvcalloc(mapping->nr_runs + other->nr_runs + 1, sizeof(*runs),
					  GFP_KERNEL);

	if (!MODEL_EXPECT(m, runs, "no memory"))
		return;
	memcpy(runs, mapping->runs, mapping->nr_runs * sizeof(*runs));
	memcpy(runs + mapping->nr_runs, other->runs, other->nr_runs * sizeof(*runs));
	kvfree(mapping->runs);
	mapping->runs = runs;
	mapping->nr_runs += other->nr_runs;
	mapping->nr += other->nr;
	if (other->lender != MODEL_NO_LENDER)
		model_end_loan(m, other->lender);
	model_forget(m, other);
}

void step_merge(struct model *m)
{
	struct model_mapping *mapping = model_some_mapping(m);
	struct model_mapping *other = NULL;
	struct tmm_mapped_pages *consumed;
	struct call call;
	unsigned int i;

	/* Look for two adjacent mappings, which random choice would rarely find. */
	for (i = 0; i < MODEL_NR_MAPPINGS && mapping && !other; i++) {
		mapping = model_some_mapping(m);
		other = draw_neighbour(m, mapping);
	}
	if (!other || !model_below(m, 10))
		other = model_some_mapping(m);
	if (!other)
		return;
	consumed = other->mp;
	call = walk_begin(m, OP_MERGE, foretell_merge(mapping, other), false);
	if (walk_succeeded(&call, tmm_mapped_pages_merge(mapping->mp, &consumed)))
		merge_model(m, mapping, other);
	else
		MODEL_EXPECT(m, consumed == other->mp, "refused, and consumed");
	model_check_mapping(m, mapping);
}

void step_remap(struct model *m)
{
	struct model_mapping *mapping = model_some_mapping(m);
	tmm_pte_flags_t flags;
	unsigned int root;
	struct call call;
	int want;

	if (!mapping)
		return;
	flags = walk_draw_flags(m, model_is_device(mapping));
	root = model_below(m, 4) ? mapping->root : walk_draw_root(m);
	want = walk_foretell_flags(flags, model_is_device(mapping));
	/* An empty mapping has no memory that could be of the wrong type. */
	if (want == -EOPNOTSUPP && !mapping->nr)
		want = 0;
	if (root != mapping->root)
		want = -EXDEV;
	else if (!want && model_is_borrowed(mapping))
		want = -EBUSY;
	call = walk_begin(m, OP_REMAP, want, false);
	if (walk_succeeded(&call, tmm_mapped_pages_remap_under(mapping->mp, m->roots[root], flags)))
		mapping->flags = (flags & ~TMM_PTE_OURS) | (mapping->flags & TMM_PTE_OURS);
	model_check_mapping(m, mapping);
	walk_write_some(m, mapping);
}

void walk_drop(struct model *m, struct model_mapping *mapping)
{
	struct tmm_mapped_pages *mp = mapping->mp;

	if (!mp || mapping->is_dropped || mapping->in_mmi)
		return;
	model_drop(m, mapping);
	tmm_mapped_pages_drop(&mp);
	MODEL_EXPECT(m, !mp, "dropped, not NULL");
	m->done[OP_DROP]++;
}

void step_drop(struct model *m)
{
	struct model_mapping *mapping = model_some_mapping(m);

	if (mapping)
		walk_drop(m, mapping);
}
