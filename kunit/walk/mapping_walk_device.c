// SPDX-License-Identifier: GPL-2.0
/* Steps with device memory. There is no device, so no step accesses the memory. */
#include "walk/mapping_walk_device.h"

#include "walk/mapping_walk_change.h"

#include "alloc/frames.h"
#include "mapping/create.h"
#include "mapping/instance_devices.h"

static bool runs_overlap(u64 first, u64 nr, u64 other, u64 nr_other)
{
	return nr && nr_other && first < other + nr_other && other < first + nr;
}

bool walk_has_device_frames(const struct model *m, u64 first, u64 nr)
{
	unsigned int i, r;

	for (i = 0; i < MODEL_NR_MAPPINGS; i++)
		for (r = 0; r < m->mappings[i].nr_runs; r++)
			if (runs_overlap(first, nr, m->mappings[i].runs[r].frame,
					 m->mappings[i].runs[r].nr))
				return true;
	for (i = 0; i < MODEL_NR_PARTS; i++)
		if ((m->frames[i].frames || m->frames[i].nr_loans) &&
		    runs_overlap(first, nr, m->frames[i].first, m->frames[i].nr))
			return true;
	return false;
}

int walk_foretell_device(const struct model *m, u64 first, u64 nr)
{
	if (!m->has_device || first >= m->device_first + m->device_nr)
		return -ERANGE;
	if (walk_has_device_frames(m, first, 1))
		return -EADDRINUSE;
	if (first + nr > m->device_first + m->device_nr || walk_has_device_frames(m, first, nr))
		return -EADDRNOTAVAIL;
	return 0;
}

void walk_draw_device_run(struct model *m, u64 *first, u64 *nr)
{
	static const u64 offsets[] = { 0, 0, 1, LEAF_2M, LEAF_2M - 3, LEAF_1G, LEAF_1G - LEAF_2M };
	static const u64 lengths[] = { 1, 5, LEAF_2M, LEAF_2M + 7, 3 * LEAF_2M, LEAF_1G,
				       LEAF_1G + LEAF_2M + 3 };

	*first = m->device_first + offsets[model_below(m, ARRAY_SIZE(offsets))] +
		 (model_below(m, 2) ? model_below(m, 16) * LEAF_2M : 0);
	*nr = lengths[model_below(m, ARRAY_SIZE(lengths))];
	/* Runs not aligned to 2 MiB need many small leaves: limit the length of half of them. */
	if ((*first & (LEAF_2M - 1)) && model_below(m, 2))
		*nr = 1 + model_below(m, 2 * LEAF_2M);
	if (!model_below(m, 20))
		*first = m->device_first + m->device_nr - model_below(m, 4);
}

/* Drops all device memory; borrowed mappings exist until their borrows end. */
static void drop_device(struct model *m)
{
	unsigned int i;

	for (i = 0; i < MODEL_NR_MAPPINGS; i++)
		if (m->mappings[i].mp && model_is_device(&m->mappings[i]))
			walk_drop(m, &m->mappings[i]);
	for (i = 0; i < MODEL_NR_PARTS; i++)
		if (m->frames[i].is_device && m->frames[i].frames) {
			model_drop_frames(m, i);
			tmm_allocated_frames_drop(&m->frames[i].frames);
		}
}

void step_map_frame_range(struct model *m)
{
	struct model_mapping *mapping = model_free_mapping(m);
	tmm_pte_flags_t flags = walk_draw_flags(m, true);
	unsigned int root = walk_draw_root(m);
	struct tmm_mapped_pages *mp;
	struct tmm_paddr paddr;
	struct call call;
	u64 first, nr;
	int want;

	if (!mapping)
		return;
	walk_draw_device_run(m, &first, &nr);
	if (!model_below(m, 5)) {
		/* Make room for leaves of 1 GiB, which random choice rarely leaves free. */
		drop_device(m);
		first = m->device_first + model_below(m, 2) * LEAF_2M;
		nr = LEAF_1G + model_below(m, LEAF_1G);
	}
	paddr.v = first << TMM_PAGE_SHIFT;
	/* Malformed flags are refused before the frames are checked, unsuitable flags after. */
	want = walk_foretell_flags(flags, true);
	if (want != -EINVAL)
		want = walk_foretell_device(m, first, nr) ?: want;
	call = walk_begin(m, OP_MAP_FRAME_RANGE, want, walk_may_lack(m, 0));
	mp = tmm_instance_map_frame_range(m->inst, m->roots[root], paddr, nr << TMM_PAGE_SHIFT,
					  flags);
	if (walk_succeeded(&call, PTR_ERR_OR_ZERO(mp)))
		model_adopt(m, mapping, mp, root, flags, first, MODEL_NO_LENDER);
}

void step_device(struct model *m)
{
	const struct tmm_paddr start = { m->device_first << TMM_PAGE_SHIFT };
	const u64 nr_bytes = m->device_nr << TMM_PAGE_SHIFT;
	enum tmm_memory_type type = TMM_UNCACHED + model_below(m, 2);
	struct call call;
	int err;

	if (model_below(m, 4) == 0) {
		call = walk_begin(m, OP_DEVICE, m->has_device ? -EADDRINUSE : 0, false);
		err = tmm_instance_add_reserved_region(m->inst, start, nr_bytes, type);
		if (walk_succeeded(&call, err))
			m->has_device = true;
	} else if (model_below(m, 4) == 0) {
		if (model_below(m, 2))
			drop_device(m);
		call = walk_begin(m, OP_DEVICE, !m->has_device ? -ERANGE :
			     walk_has_device_frames(m, m->device_first, m->device_nr) ? -EBUSY : 0,
			     false);
		err = tmm_instance_remove_reserved_region(m->inst, start, nr_bytes);
		if (walk_succeeded(&call, err))
			m->has_device = false;
	}
}
