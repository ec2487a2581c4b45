// SPDX-License-Identifier: GPL-2.0
/* Steps with roots, and with the context in which one of them is active. */
#include "walk/mapping_walk_root.h"

#include "walk/mapping_walk_change.h"

#include "alloc/frames.h"

static int foretell_root(const struct model *m, int f)
{
	const struct model_frames *frames = &m->frames[f];

	if (frames->nr != 2 || frames->first & 1)
		return -EINVAL;
	if (m->frames[f].is_device)
		return -EOPNOTSUPP;
	return frames->nr_loans ? -EBUSY : 0;
}

void step_new_root(struct model *m)
{
	unsigned int root = 1 + model_below(m, MODEL_NR_ROOTS - 1);
	int f = model_some_frames(m);
	struct tmm_page_table *pt;
	bool are_given;
	struct call call;

	if (m->roots[root])
		return;
	are_given = f >= 0 && model_below(m, 2);
	call = walk_begin(m, OP_NEW_ROOT, are_given ? foretell_root(m, f) : 0, !are_given);
	pt = tmm_page_table_new_table(m->roots[0], are_given ? &m->frames[f].frames : NULL);
	if (!walk_succeeded(&call, PTR_ERR_OR_ZERO(pt))) {
		MODEL_EXPECT(m, !are_given || m->frames[f].frames, "refused, and consumed");
		return;
	}
	m->roots[root] = pt;
	if (are_given)
		model_set_stamps(m, m->frames[f].first, 2, MODEL_UNKNOWN);
	else
		model_own(m, pt->frames->f.chunk.start, 2);
}

static bool is_root_used(const struct model *m, unsigned int root)
{
	unsigned int i;

	for (i = 0; i < MODEL_NR_MAPPINGS; i++)
		if (m->mappings[i].mp && m->mappings[i].root == root)
			return true;
	return m->active == root;
}

void step_drop_root(struct model *m)
{
	unsigned int root = 1 + model_below(m, MODEL_NR_ROOTS - 1);
	struct tmm_page_table *pt = m->roots[root];
	bool is_emptied = !model_below(m, 8);
	struct call call;
	unsigned int i;
	u64 first;
	int want;

	if (!pt)
		return;
	/* Empty the root, which random choice rarely does. */
	for (i = 0; i < MODEL_NR_MAPPINGS && is_emptied; i++)
		if (m->mappings[i].root == root)
			walk_drop(m, &m->mappings[i]);
	want = is_root_used(m, root) ? -EBUSY : 0;
	first = pt->frames->f.chunk.start;
	if (!want)
		model_disown(m, first, 2);
	call = walk_begin(m, OP_DROP_ROOT, want, false);
	if (walk_succeeded(&call, tmm_page_table_drop(&pt)))
		m->roots[root] = NULL;
	else
		MODEL_EXPECT(m, pt == m->roots[root], "refused, and consumed");
}

static int count_calls(struct tmm_page_table *other, void *context)
{
	++*(unsigned int *)context;
	return 0;
}

void step_switch(struct model *m)
{
	unsigned int root = walk_draw_root(m), other = walk_draw_root(m);
	struct tmm_page_table *active;
	unsigned int nr_calls = 0;
	int err;

	err = tmm_page_table_with(m->mmi, m->roots[root], m->roots[other], count_calls, &nr_calls);
	MODEL_EXPECT(m, err == (root == m->active ? 0 : -EXDEV), "with(): %d", err);
	MODEL_EXPECT(m, nr_calls == (root == m->active), "with(): %u calls", nr_calls);
	err = tmm_page_table_switch(m->mmi, m->roots[root]);
	MODEL_EXPECT(m, !err, "switch(): %d", err);
	m->active = root;
	active = tmm_mmi_page_table(m->mmi);
	MODEL_EXPECT(m, active == m->roots[root], "another root is active");
	tmm_page_table_put(active);
	m->done[OP_SWITCH]++;
}

void walk_drop_context(struct model *m)
{
	unsigned int i;

	for (i = 0; i < MODEL_NR_MAPPINGS; i++)
		if (m->mappings[i].in_mmi)
			model_drop(m, &m->mappings[i]);
	tmm_mmi_put(m->mmi);
	m->mmi = NULL;
}

/* Gives a mapping to the context, or drops the context with its mappings and makes a new one. */
void step_context(struct model *m)
{
	struct model_mapping *mapping = model_some_mapping(m);
	struct tmm_mapped_pages *mp;

	m->done[OP_CONTEXT]++;
	if (mapping && model_below(m, 2)) {
		mp = mapping->mp;
		mapping->in_mmi = true;
		tmm_mmi_add_mapping(m->mmi, &mp);
		return;
	}
	walk_drop_context(m);
	m->active = walk_draw_root(m);
	m->mmi = tmm_mmi_create(m->roots[m->active]);
	MODEL_EXPECT(m, !IS_ERR(m->mmi), "no memory");
}
