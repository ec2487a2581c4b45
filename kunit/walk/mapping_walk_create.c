// SPDX-License-Identifier: GPL-2.0
/* Steps that create mappings from new pages and frames. */
#include "walk/mapping_walk_create.h"

#include "mapping/create.h"
#include "mapping/create_identity.h"
#include "mapping/deep_copy.h"

static bool may_lack_run(struct model *m, u64 nr)
{
	struct tmm_range_totals totals;

	tmm_range_allocator_totals(&m->inst->fa.ra, &totals);
	return walk_may_lack(m, nr) || totals.largest[TMM_4K] < nr;
}

void step_create(struct model *m)
{
	struct model_mapping *mapping = model_free_mapping(m);
	tmm_pte_flags_t flags = walk_draw_flags(m, false);
	u64 nr = model_below(m, 30) ? walk_draw_nr(m) : 0;
	unsigned int root = walk_draw_root(m);
	bool zero = model_below(m, 2);
	u64 nr_bytes = nr ? (nr << TMM_PAGE_SHIFT) - model_below(m, TMM_PAGE_SIZE) : 0;
	struct tmm_mapped_pages *mp;
	struct call call;

	if (!mapping)
		return;
	call = walk_begin(m, OP_CREATE, nr ? walk_foretell_flags(flags, false) : -EINVAL,
			  walk_may_lack(m, nr));
	mp = tmm_instance_create_mapping(m->inst, m->roots[root], nr_bytes, flags, zero);
	if (!walk_succeeded(&call, PTR_ERR_OR_ZERO(mp)))
		return;
	model_adopt(m, mapping, mp, root, flags, MODEL_UNKNOWN, MODEL_NO_LENDER);
	MODEL_EXPECT(m, mapping->nr == nr, "%llu pages, not %llu", mapping->nr, nr);
	walk_check_new(m, mapping, zero);
}

void step_create_contiguous(struct model *m)
{
	struct model_mapping *mapping = model_free_mapping(m);
	tmm_pte_flags_t flags = walk_draw_flags(m, false);
	u64 nr = model_below(m, 30) ? walk_draw_nr(m) : 0;
	unsigned int root = walk_draw_root(m);
	struct tmm_paddr paddr = { 1 };
	bool zero = model_below(m, 2);
	struct tmm_mapped_pages *mp;
	struct call call;

	if (!mapping)
		return;
	call = walk_begin(m, OP_CREATE_CONTIGUOUS, nr ? walk_foretell_flags(flags, false) : -EINVAL,
			  may_lack_run(m, nr));
	mp = tmm_instance_create_contiguous_mapping(m->inst, m->roots[root], nr << TMM_PAGE_SHIFT,
						    flags, zero, &paddr);
	if (!walk_succeeded(&call, PTR_ERR_OR_ZERO(mp))) {
		MODEL_EXPECT(m, paddr.v == 1, "refused, and set");
		return;
	}
	model_adopt(m, mapping, mp, root, flags, MODEL_UNKNOWN, MODEL_NO_LENDER);
	MODEL_EXPECT(m, mapping->nr == nr && mapping->nr_runs == 1 &&
		     mapping->runs[0].frame == paddr.v >> TMM_PAGE_SHIFT, "%llu pages, %u runs",
		     mapping->nr, mapping->nr_runs);
	walk_check_new(m, mapping, zero);
}

/* The call may fail with -ENOSPC, since pages with the numbers of free frames may be owned. */
void step_create_identity(struct model *m)
{
	struct model_mapping *mapping = model_free_mapping(m);
	tmm_pte_flags_t flags = walk_draw_flags(m, false);
	unsigned int root = walk_draw_root(m);
	struct tmm_allocation_request req = tmm_request_any(1 + model_below(m, 30));
	struct tmm_mapped_pages *mp;
	struct call call;

	if (!mapping)
		return;
	call = walk_begin(m, OP_CREATE_IDENTITY, walk_foretell_flags(flags, false), true);
	mp = tmm_instance_create_identity_mapping(m->inst, m->roots[root], &req, flags, false);
	if (!walk_succeeded(&call, PTR_ERR_OR_ZERO(mp)))
		return;
	model_adopt(m, mapping, mp, root, flags, MODEL_UNKNOWN, MODEL_NO_LENDER);
	MODEL_EXPECT(m, mapping->nr == req.nr && mapping->nr_runs == 1 &&
		     mapping->runs[0].frame == mapping->page, "page %#llx", mapping->page);
	walk_check_new(m, mapping, false);
}

static void copy_stamps(struct model *m, const struct model_mapping *to,
			const struct model_mapping *from)
{
	u64 i;

	for (i = 0; i < to->nr; i++)
		model_set_stamps(m, model_frame(to, i), 1,
				 m->shared->stamp[model_ram_index(m, model_frame(from, i))]);
}

void step_deep_copy(struct model *m)
{
	struct model_mapping *to = model_free_mapping(m);
	struct model_mapping *from = model_some_mapping(m);
	struct tmm_mapped_pages *mp;
	tmm_pte_flags_t flags;
	struct call call;
	bool is_same;
	int want;

	if (!to || !from)
		return;
	/*
	 * There is no device to read from, so the call must refuse to copy device memory. The
	 * call refuses DEVICE_MEMORY, so such a copy gets the flags of its source.
	 */
	is_same = model_is_device(from) || model_below(m, 2);
	flags = is_same ? from->flags : walk_draw_flags(m, false);
	want = from->is_mut ? -EBUSY : walk_foretell_flags(flags, false);
	if (!want && !from->nr)
		want = -EINVAL;
	call = walk_begin(m, OP_DEEP_COPY, want, walk_may_lack(m, from->nr) || from->nr >= LEAF_2M);
	mp = tmm_mapped_pages_deep_copy(from->mp, is_same ? NULL : &flags);
	if (!walk_succeeded(&call, PTR_ERR_OR_ZERO(mp)))
		return;
	model_adopt(m, to, mp, from->root, flags, MODEL_UNKNOWN, MODEL_NO_LENDER);
	if (!MODEL_EXPECT(m, to->nr == from->nr, "%llu pages, not %llu", to->nr, from->nr))
		return;
	copy_stamps(m, to, from);
	model_check_content(m, to, model_below(m, to->nr));
	model_check_content(m, to, model_below(m, to->nr));
}
