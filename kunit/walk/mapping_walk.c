// SPDX-License-Identifier: GPL-2.0
#include "walk/mapping_walk.h"

#include "mapping/instance_devices.h"
#include "support/fixture.h"

#include "alloc/frames.h"
#include "alloc/pages.h"

#include <linux/sched.h>

/* How often everything is compared, in steps */
#define ALL_EVERY	100

/* Tables that a mapping needs at most. */
#define NR_TABLES	16

static const char * const names[NR_OPS] = {
	"create", "contiguous", "identity", "map_frame_range", "deep_copy", "split", "merge",
	"remap", "borrow", "end_borrow", "write", "unmap", "map_to", "map_to_sized", "map_pages",
	"map_lent", "drop", "take_pages", "take_frames", "drop_part", "split_part", "defer",
	"finish", "new_root", "drop_root", "switch", "context", "device",
};

struct call walk_begin(struct model *m, unsigned int operation, int want, bool may_lack)
{
	struct call call = { m, operation, want, may_lack, model_fingerprint(m) };

	m->is_hit = false;
	if (m->has_faults && !model_below(m, 3))
		tmm_test_fail_alloc(m->test, 1 + model_below(m, 12));
	return call;
}

/* Did it succeed? Nothing that fails a case may come before this. */
bool walk_succeeded(struct call *call, int err)
{
	struct model *m = call->m;
	bool is_right = err == call->want;

	if (m->has_faults)
		m->is_hit = tmm_test_fail_alloc_end();
	/* What is looked for last is not missed if memory is lacking first. */
	if (err == -ENOMEM)
		is_right = m->is_hit;
	/* The kernel does not say why it grants no resource. */
	else if (err == -EBUSY && call->operation == OP_DEVICE && m->is_hit)
		is_right = true;
	else if (err == -ENOSPC && call->may_lack)
		is_right = true;
	MODEL_EXPECT(m, is_right, "%s: %d, not %d", names[call->operation], err, call->want);
	if (err)
		MODEL_EXPECT(m, call->before == model_fingerprint(m), "%s: %d changed something",
			     names[call->operation], err);
	if (err)
		m->refused[call->operation]++;
	else
		m->done[call->operation]++;
	return !err && is_right;
}

/* May @nr frames, and tables for them, be missing? */
bool walk_may_lack(struct model *m, u64 nr)
{
	return !m->is_alone || model_nr_free(m) < nr + NR_TABLES;
}

u64 walk_draw_nr(struct model *m)
{
	static const u64 most[] = { 3, 8, 8, 40, 40, 200, LEAF_2M, LEAF_2M + 9 };
	u64 limit = most[model_below(m, ARRAY_SIZE(most))];

	if (limit == LEAF_2M && model_below(m, 2))
		return LEAF_2M;
	return 1 + model_below(m, limit);
}

/* Often right, sometimes not. */
tmm_pte_flags_t walk_draw_flags(struct model *m, bool is_device)
{
	tmm_pte_flags_t flags = is_device ? TMM_MMIO_FLAGS : TMM_DMA_FLAGS;

	switch (model_below(m, 24)) {
	case 0:
		return flags ^ TMM_PTE_DEVICE_MEMORY;
	case 1:
		return flags & ~TMM_PTE_NOT_EXECUTABLE;
	case 2:
		return flags | (__force tmm_pte_flags_t)BIT_ULL(30);
	case 3:
		return (flags & ~TMM_PTE_WRITABLE & ~TMM_PTE_NOT_EXECUTABLE) | TMM_PTE_GLOBAL;
	case 4 ... 8:
		return flags & ~TMM_PTE_WRITABLE;
	default:
		return flags;
	}
}

int walk_foretell_flags(tmm_pte_flags_t flags, bool is_device)
{
	if (flags & (__force tmm_pte_flags_t)BIT_ULL(30))
		return -EINVAL;
	if ((flags & TMM_PTE_WRITABLE) && !(flags & TMM_PTE_NOT_EXECUTABLE))
		return -EINVAL;
	return !!(flags & TMM_PTE_DEVICE_MEMORY) == is_device ? 0 : -EOPNOTSUPP;
}

unsigned int walk_draw_root(struct model *m)
{
	unsigned int root = model_below(m, MODEL_NR_ROOTS);

	return m->roots[root] ? root : 0;
}

static void write_page(struct model *m, struct model_mapping *mapping, u64 i)
{
	int index = model_ram_index(m, model_frame(mapping, i));
	u64 stamp = m->next_stamp++;
	struct tmm_borrow borrow;
	int err;

	err = tmm_borrow_begin(mapping->mp, i << TMM_PAGE_SHIFT, sizeof(stamp), true, &borrow);
	if (!MODEL_EXPECT(m, !err && index >= 0, "page %llu: %d", i, err))
		return;
	err = tmm_borrow_write(&borrow, 0, &stamp, sizeof(stamp));
	tmm_borrow_end(&borrow);
	MODEL_EXPECT(m, !err, "page %llu: %d", i, err);
	m->shared->stamp[index] = stamp;
	m->shared->is_dirty[index] = mapping->lender == MODEL_NO_LENDER;
}

void walk_write_some(struct model *m, struct model_mapping *mapping)
{
	unsigned int n;

	if (!mapping->nr || model_is_device(mapping) ||
	    !tmm_pte_flags_is_writable(mapping->flags) || model_is_borrowed(mapping))
		return;
	write_page(m, mapping, 0);
	write_page(m, mapping, mapping->nr - 1);
	for (n = 0; n < 4; n++)
		write_page(m, mapping, model_below(m, mapping->nr));
}

void walk_check_new(struct model *m, struct model_mapping *mapping, bool zero)
{
	unsigned int i;

	for (i = 0; i < mapping->nr_runs && zero; i++)
		model_set_stamps(m, mapping->runs[i].frame, mapping->runs[i].nr, 0);
	if (mapping->nr && zero)
		model_check_content(m, mapping, model_below(m, mapping->nr));
	walk_write_some(m, mapping);
}

static void check_some(struct model *m)
{
	const struct model_mapping *mapping =
		&m->mappings[model_below(m, MODEL_NR_MAPPINGS)];

	if (mapping->mp) {
		model_check_mapping(m, mapping);
		if (mapping->nr && !model_is_device(mapping))
			model_check_content(m, mapping, model_below(m, mapping->nr));
	}
	model_check_sums(m);
}

/* As often as they are named. */
static void (* const steps[])(struct model *m) = {
	step_create, step_create, step_create, step_create_contiguous,
	step_create_contiguous, step_create_identity, step_map_frame_range,
	step_map_frame_range, step_deep_copy, step_deep_copy, step_split, step_split,
	step_split, step_split, step_merge, step_merge, step_merge, step_remap, step_remap,
	step_borrow, step_borrow, step_borrow, step_end_borrow, step_write, step_write,
	step_unmap, step_unmap, step_unmap, step_map_to, step_map_to, step_map_to,
	step_map_to, step_map_lent, step_map_lent, step_map_pages, step_drop, step_drop,
	step_drop, step_drop, step_take_pages, step_take_pages, step_take_pages,
	step_take_frames, step_take_frames, step_drop_part, step_drop_part, step_split_part,
	step_split_part, step_defer, step_finish, step_finish, step_finish, step_new_root,
	step_drop_root, step_drop_root, step_switch, step_context, step_device, step_device,
};

void walk_run(struct model *m, unsigned int nr_steps)
{
	for (m->step = 0; m->step < nr_steps && !*m->why; m->step++) {
		steps[model_below(m, ARRAY_SIZE(steps))](m);
		check_some(m);
		if (m->is_alone && m->step % ALL_EVERY == 0 && !*m->why)
			model_check_all(m->test, m);
		cond_resched();
	}
}

/* Everything goes back; after a failure nothing is known for certain. */
void walk_give_all(struct model *m)
{
	const struct tmm_paddr device = { m->device_first << TMM_PAGE_SHIFT };
	unsigned int i;

	if (*m->why)
		return;
	walk_drop_context(m);
	for (i = 0; i < MODEL_NR_MAPPINGS; i++)
		walk_drop(m, &m->mappings[i]);
	for (i = 0; i < MODEL_NR_BORROWS; i++)
		if (m->borrows[i].is_used)
			walk_end_borrow(m, &m->borrows[i]);
	for (i = 0; i < MODEL_NR_PARTS; i++) {
		tmm_allocated_pages_drop(&m->pages[i]);
		if (m->frames[i].frames)
			model_drop_frames(m, i);
		tmm_allocated_frames_drop(&m->frames[i].frames);
	}
	tmm_deferred_action_finish(&m->page_action);
	tmm_deferred_action_finish(&m->frame_action);
	for (i = 1; i < MODEL_NR_ROOTS; i++) {
		if (m->roots[i])
			model_disown(m, m->roots[i]->frames->f.chunk.start, 2);
		MODEL_EXPECT(m, !tmm_page_table_drop(&m->roots[i]), "root %u is in use", i);
	}
	if (m->has_device)
		MODEL_EXPECT(m, !tmm_instance_remove_reserved_region(m->inst, device, m->device_nr
								     << TMM_PAGE_SHIFT),
			     "device memory is in use");
}

void walk_report(struct kunit *test, const struct model *m)
{
	unsigned int i;

	for (i = 0; i < NR_OPS; i++)
		kunit_info(test, "%-16s %5u done %5u refused\n", names[i], m->done[i],
			   m->refused[i]);
	kunit_info(test, "new leaves: %u of 4 KiB, %u of 2 MiB, %u of 1 GiB\n",
		   m->nr_leaves[TMM_4K], m->nr_leaves[TMM_2M], m->nr_leaves[TMM_1G]);
	if (*m->why)
		KUNIT_FAIL(test, TMM_SEED_FMT "step %u: %s", tmm_test_seed(), m->step, m->why);
}
