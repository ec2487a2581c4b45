// SPDX-License-Identifier: GPL-2.0
/* Steps that borrow mappings. A later step ends the borrow. */
#include "walk/mapping_walk_borrow.h"

static int begin_borrow(struct model_borrow *borrow, struct tmm_mapped_pages *mp, u64 offset,
			bool is_typed)
{
	if (!is_typed)
		return tmm_borrow_begin(mp, offset, sizeof(u64), borrow->is_mut,
					&borrow->shared.borrow);
	if (borrow->is_mut)
		return tmm_as_type_mut(mp, offset, &borrow->mut);
	return tmm_as_type(mp, offset, &borrow->shared);
}

static int foretell_borrow(const struct model_mapping *mapping, const struct model_borrow *borrow,
			   u64 odd, bool is_typed)
{
	if (borrow->is_mut && !tmm_pte_flags_is_writable(mapping->flags))
		return -EACCES;
	if (mapping->is_mut || (borrow->is_mut && mapping->nr_shared))
		return -EBUSY;
	if (borrow->page >= mapping->nr)
		return -ERANGE;
	return odd && is_typed ? -EINVAL : 0;
}

void step_borrow(struct model *m)
{
	struct model_borrow *borrow = &m->borrows[model_below(m, MODEL_NR_BORROWS)];
	struct model_mapping *mapping = model_some_mapping(m);
	bool is_typed = model_below(m, 2);
	struct call call;
	u64 odd;
	int err;

	if (!mapping || borrow->is_used)
		return;
	odd = model_below(m, 10) ? 0 : 4;
	borrow->mapping = mapping - m->mappings;
	borrow->page = model_below(m, mapping->nr + !model_below(m, 10) + !mapping->nr);
	borrow->is_mut = model_below(m, 2);
	call = walk_begin(m, OP_BORROW, foretell_borrow(mapping, borrow, odd, is_typed), false);
	err = begin_borrow(borrow, mapping->mp, (borrow->page << TMM_PAGE_SHIFT) + odd, is_typed);
	if (!walk_succeeded(&call, err))
		return;
	if (odd) {
		tmm_borrow_end(&borrow->shared.borrow);
		return;
	}
	borrow->is_used = true;
	mapping->nr_shared += !borrow->is_mut;
	mapping->is_mut |= borrow->is_mut;
}

static struct model_borrow *some_borrow(struct model *m)
{
	unsigned int start = model_below(m, MODEL_NR_BORROWS);
	unsigned int i;

	for (i = 0; i < MODEL_NR_BORROWS; i++)
		if (m->borrows[(start + i) % MODEL_NR_BORROWS].is_used)
			return &m->borrows[(start + i) % MODEL_NR_BORROWS];
	return NULL;
}

void walk_end_borrow(struct model *m, struct model_borrow *borrow)
{
	struct model_mapping *mapping = &m->mappings[borrow->mapping];

	mapping->nr_shared -= !borrow->is_mut;
	if (borrow->is_mut)
		mapping->is_mut = false;
	borrow->is_used = false;
	if (mapping->is_dropped && !model_is_borrowed(mapping))
		model_drop(m, mapping);
	tmm_borrow_into_inner(&borrow->mut);
}

void step_end_borrow(struct model *m)
{
	struct model_borrow *borrow = some_borrow(m);

	if (!borrow)
		return;
	walk_end_borrow(m, borrow);
	m->done[OP_END_BORROW]++;
}

static void use_in_place(struct model *m, struct model_borrow *borrow, int index, u64 stamp)
{
	const struct model_mapping *mapping = &m->mappings[borrow->mapping];
	struct tmm_window window;
	u64 seen = 0;

	if (borrow->is_mut) {
		u64 *p = tmm_borrow_enter(&borrow->mut, &window);

		if (mapping->page < tmm_private_first_page()) {
			MODEL_EXPECT(m, p == ERR_PTR(-EOPNOTSUPP), "lower half");
			return;
		}
		if (!MODEL_EXPECT(m, !IS_ERR(p), "error %ld", PTR_ERR(p)))
			return;
		*p = stamp;
		tmm_borrow_leave(&window);
		m->shared->stamp[index] = stamp;
	} else {
		const u64 *p = tmm_borrow_enter(&borrow->shared, &window);

		if (mapping->page < tmm_private_first_page()) {
			MODEL_EXPECT(m, p == ERR_PTR(-EOPNOTSUPP), "lower half");
			return;
		}
		if (!MODEL_EXPECT(m, !IS_ERR(p), "error %ld", PTR_ERR(p)))
			return;
		seen = *p;
		tmm_borrow_leave(&window);
		if (m->shared->stamp[index] != MODEL_UNKNOWN)
			MODEL_EXPECT(m, seen == m->shared->stamp[index], "%#llx, not %#llx", seen,
				     m->shared->stamp[index]);
	}
}

/* Uses a borrow of an earlier step. The mapping may have been dropped in between. */
void step_write(struct model *m)
{
	struct model_borrow *borrow = some_borrow(m);
	const struct model_mapping *mapping;
	u64 stamp = m->next_stamp++;
	int index, err;

	if (!borrow)
		return;
	mapping = &m->mappings[borrow->mapping];
	if (model_is_device(mapping))
		return;
	index = model_ram_index(m, model_frame(mapping, borrow->page));
	if (!MODEL_EXPECT(m, index >= 0, "page %llu", borrow->page))
		return;
	m->done[OP_WRITE]++;
	if (model_below(m, 2)) {
		use_in_place(m, borrow, index, stamp);
	} else {
		err = tmm_borrow_write(&borrow->shared.borrow, 0, &stamp, sizeof(stamp));
		MODEL_EXPECT(m, err == (borrow->is_mut ? 0 : -EACCES), "%d", err);
		if (!err)
			m->shared->stamp[index] = stamp;
	}
	if (m->shared->stamp[index] == stamp)
		m->shared->is_dirty[index] = mapping->lender == MODEL_NO_LENDER;
	model_check_content(m, mapping, borrow->page);
}
