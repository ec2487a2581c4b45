// SPDX-License-Identifier: GPL-2.0
#include "walk/mapping_adopt.h"

#include "walk/mapping_check.h"

#include "paging/translate.h"

#include <linux/gfp.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/slab.h>

static void add_run(struct model_mapping *mapping, u64 frame, u64 nr)
{
	struct model_run *next = &mapping->runs[mapping->nr_runs];

	if (mapping->nr_runs && next[-1].frame + next[-1].nr == frame) {
		next[-1].nr += nr;
		return;
	}
	*next = (struct model_run){ frame, nr };
	mapping->nr_runs++;
}

static void adopt_frames(struct model *m, struct model_mapping *mapping, bool are_new)
{
	struct tmm_translation found;
	u64 i, nr;

	for (i = 0; i < mapping->nr; i += nr) {
		u64 frame;

		if (!model_look_at_leaf(m, mapping, mapping->page + i, mapping->nr - i, &found))
			return;
		nr = tmm_page_size_4k_pages(found.size);
		frame = found.paddr.v >> TMM_PAGE_SHIFT;
		add_run(mapping, frame, nr);
		m->nr_leaves[found.size]++;
		if (are_new)
			model_own(m, frame, nr);
		cond_resched();
	}
}

void model_adopt(struct model *m, struct model_mapping *mapping, struct tmm_mapped_pages *mp,
		 unsigned int root, tmm_pte_flags_t flags, u64 given, int lender)
{
	const struct tmm_page_range range = tmm_mapped_pages_range(mp);

	*mapping = (struct model_mapping){
		.mp = mp,
		.root = root,
		.flags = (flags & ~TMM_PTE_OURS) | TMM_PTE_VALID |
			 (lender == MODEL_NO_LENDER ? TMM_PTE_EXCLUSIVE : TMM_PTE_NONE),
		.page = range.r.first,
		.nr = range.r.nr,
		.lender = lender,
	};
	/*
	 * A mapping of RAM has at most one run for each frame of RAM, so MODEL_NR_FRAMES
	 * suffices. Device memory is contiguous.
	 */
	mapping->runs = kvcalloc(min(mapping->nr, MODEL_NR_FRAMES) + 1, sizeof(*mapping->runs),
				 GFP_KERNEL);
	if (!MODEL_EXPECT(m, mapping->runs, "no memory"))
		return;
	if (lender != MODEL_NO_LENDER)
		m->frames[lender].nr_loans++;
	adopt_frames(m, mapping, given == MODEL_UNKNOWN);
	if (given != MODEL_UNKNOWN)
		MODEL_EXPECT(m, mapping->nr_runs == 1 && mapping->runs[0].frame == given,
			     "%u runs from %#llx, not %#llx", mapping->nr_runs,
			     mapping->runs[0].frame, given);
	model_check_mapping(m, mapping);
}
