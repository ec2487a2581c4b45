// SPDX-License-Identifier: GPL-2.0
#include "walk/mapping_walk.h"

#include "mapping/instance_devices.h"
#include "support/fixture.h"

/* The largest number of tables that a mapping needs. */
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

/* Between walk_begin() and this function no KUNIT_ macro may be used. */
bool walk_succeeded(struct call *call, int err)
{
	struct model *m = call->m;
	bool is_right = err == call->want;

	if (m->has_faults)
		m->is_hit = tmm_test_fail_alloc_end();
	/* -ENOMEM may replace the expected error, but only if an allocation failed on request. */
	if (err == -ENOMEM)
		is_right = m->is_hit;
	/* Linux returns no reason if it refuses a resource, so -EBUSY may stand for -ENOMEM. */
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
