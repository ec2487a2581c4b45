// SPDX-License-Identifier: GPL-2.0
#include "walk/mapping_check.h"

#include "support/fixture.h"
#include "support/instance_fixture.h"
#include "support/invariants.h"

#include "alloc/frames.h"
#include "alloc/pages.h"
#include "mapping/mapped_pages_borrow.h"
#include "paging/mapper.h"
#include "paging/translate.h"
#include "paging/window_copy.h"

#include <linux/atomic.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/string.h>

bool model_look_at_leaf(struct model *m, const struct model_mapping *mapping, u64 page, u64 nr,
			struct tmm_translation *found)
{
	int err = tmm_mapper_translate(m->roots[mapping->root], tmm_test_vaddr(page), found);
	u64 size;

	if (!MODEL_EXPECT(m, !err, "page %#llx is not mapped", page))
		return false;
	size = tmm_page_size_4k_pages(found->size);
	return MODEL_EXPECT(m, !(page & (size - 1)) && size <= nr &&
			    !(found->paddr.v & (tmm_page_size_bytes(found->size) - 1)),
			    "page %#llx, %llu left: leaf of %llu at %#llx", page, nr, size,
			    found->paddr.v);
}

/* The flags of a leaf of the mapping, without those that the hardware sets. */
static tmm_pte_flags_t leaf_flags(tmm_pte_flags_t flags)
{
	const tmm_pte_flags_t kept = TMM_PTE_WRITABLE | TMM_PTE_OURS | TMM_PTE_DEVICE_MEMORY;

	return (flags & kept) | TMM_PTE_NOT_EXECUTABLE;
}

static void check_leaf(struct model *m, const struct model_mapping *mapping, u64 page, u64 frame,
		       const struct tmm_translation *found)
{
	int index = model_ram_index(m, frame);
	u64 nr = tmm_page_size_4k_pages(found->size);

	MODEL_EXPECT(m, found->paddr.v >> TMM_PAGE_SHIFT == frame,
		     "page %#llx maps to %#llx, not %#llx", page,
		     found->paddr.v >> TMM_PAGE_SHIFT, frame);
	MODEL_EXPECT(m, (found->flags & ~TMM_PTE_HARDWARE) == leaf_flags(mapping->flags),
		     "page %#llx has flags %#llx, not %#llx", page, (__force u64)found->flags,
		     (__force u64)leaf_flags(mapping->flags));
	if (index < 0 || mapping->lender != MODEL_NO_LENDER)
		return;
	MODEL_EXPECT(m, !memchr_inv(m->shared->owner + index, m->id, nr),
		     "frame %#llx is not owned", frame);
	if (memchr_inv(m->shared->is_dirty + index, 0, nr))
		MODEL_EXPECT(m, tmm_pte_flags_is_dirty(found->flags),
			     "page %#llx was written, but its leaf is not dirty", page);
}

void model_check_mapping(struct model *m, const struct model_mapping *mapping)
{
	const struct tmm_page_range range = tmm_mapped_pages_range(mapping->mp);
	struct tmm_translation found;
	u64 page = mapping->page;
	unsigned int i;
	u64 done;

	MODEL_EXPECT(m, range.r.first == page && range.r.nr == mapping->nr,
		     "pages [%#llx, +%llu), not [%#llx, +%llu)", range.r.first, range.r.nr, page,
		     mapping->nr);
	MODEL_EXPECT(m, tmm_mapped_pages_flags(mapping->mp) == mapping->flags,
		     "flags %#llx, not %#llx", (__force u64)tmm_mapped_pages_flags(mapping->mp),
		     (__force u64)mapping->flags);
	MODEL_EXPECT(m, tmm_mapped_pages_root(mapping->mp) == m->roots[mapping->root], "root");
	MODEL_EXPECT(m, tmm_mapped_pages_is_borrowed(mapping->mp) ==
		     (mapping->is_dropped || model_is_borrowed(mapping)), "borrowed");
	for (i = 0; i < mapping->nr_runs; i++) {
		const struct model_run *run = &mapping->runs[i];

		for (done = 0; done < run->nr && !*m->why; cond_resched()) {
			if (!model_look_at_leaf(m, mapping, page, run->nr - done, &found))
				return;
			check_leaf(m, mapping, page, run->frame + done, &found);
			done += tmm_page_size_4k_pages(found.size);
			page += tmm_page_size_4k_pages(found.size);
		}
	}
	MODEL_EXPECT(m, page == mapping->page + mapping->nr, "%llu pages of %llu",
		     page - mapping->page, mapping->nr);
}

/*
 * Reads through a window, without a borrow: if this walk holds a mutable borrow of the mapping, any
 * further borrow is refused. No other walk uses the mapping.
 */
void model_check_content(struct model *m, const struct model_mapping *mapping, u64 i)
{
	u64 frame = model_frame(mapping, i);
	int index = model_ram_index(m, frame);
	u64 stamp = 0;
	size_t left;
	int err;

	if (index < 0 || m->shared->stamp[index] == MODEL_UNKNOWN)
		return;
	err = tmm_window_read(m->roots[mapping->root], tmm_test_vaddr(mapping->page + i), &stamp,
			      sizeof(stamp), &left);
	MODEL_EXPECT(m, !err && !left, "page %llu of %#llx: %d", i, mapping->page, err);
	MODEL_EXPECT(m, stamp == m->shared->stamp[index], "page %llu of %#llx: %#llx, not %#llx",
		     i, mapping->page, stamp, m->shared->stamp[index]);
}

/* Checks all mappings of this walk. */
static void check_mappings(struct model *m)
{
	unsigned int i;

	for (i = 0; i < MODEL_NR_MAPPINGS; i++) {
		const struct model_mapping *mapping = &m->mappings[i];

		if (!mapping->mp)
			continue;
		model_check_mapping(m, mapping);
		if (mapping->nr && !model_is_device(mapping))
			model_check_content(m, mapping, model_below(m, mapping->nr));
		cond_resched();
	}
}

/* Each frame of a run of RAM has @mark. */
static void check_marks(struct model *m, u64 first, u64 nr, enum tmm_frame_mark mark,
			struct tmm_finding *finding)
{
	struct tmm_range_region *region = tmm_range_allocator_region_at(&m->inst->fa.ra, first);
	u64 number;

	for (number = first; region && number < first + nr; number++) {
		const struct tmm_frame_table *table = &tmm_frame_region_of(region)->table;

		if (tmm_frame_table_get(table, number) != mark)
			tmm_finding_note(finding, "frame %#llx is marked %u, not %u", number,
					 tmm_frame_table_get(table, number), mark);
	}
}

/* Frames of a mapping that is their only owner are marked as mapped, other frames as allocated. */
static void check_own_marks(struct model *m, struct tmm_finding *finding)
{
	unsigned int i, r;

	lockdep_assert_held(&m->inst->fa.ra.lock);
	for (i = 0; i < MODEL_NR_MAPPINGS; i++) {
		const struct model_mapping *mapping = &m->mappings[i];

		if (!mapping->mp || mapping->lender != MODEL_NO_LENDER || model_is_device(mapping))
			continue;
		for (r = 0; r < mapping->nr_runs; r++)
			check_marks(m, mapping->runs[r].frame, mapping->runs[r].nr,
				    TMM_MARK_MAPPED, finding);
	}
	for (i = 0; i < MODEL_NR_PARTS; i++)
		if ((m->frames[i].frames || m->frames[i].nr_loans) && !m->frames[i].is_device)
			check_marks(m, m->frames[i].first, m->frames[i].nr, TMM_MARK_ALLOCATED,
				    finding);
}

struct free_check {
	struct model *m;
	struct tmm_finding *finding;
};

/* A walk gives its frames up in the model before it frees them, so a free frame has no owner. */
static void check_unowned(u64 start, u64 nr, void *context)
{
	const struct free_check *c = context;
	u64 end = start + nr;
	u64 here;

	for (; start < end; start += here) {
		int index = model_ram_index(c->m, start);

		if (index < 0)
			return;
		here = min(end - start, MODEL_MEMORY_NR - index % MODEL_MEMORY_NR);
		if (memchr_inv(c->m->shared->owner + index, 0, here))
			tmm_finding_note(c->finding, "[%#llx, +%llu) is free, but has an owner",
					 start, here);
	}
}

static void check_frame_allocator(struct model *m, struct tmm_finding *finding)
{
	struct tmm_range_allocator *ra = &m->inst->fa.ra;
	struct free_check check = { m, finding };
	const struct tmm_range_region *region;
	u64 first, end;

	tmm_test_lock_all(ra);
	tmm_find_broken_frames(&m->inst->fa, finding);
	list_for_each_entry(region, &ra->regions, link)
		tmm_for_each_free_run(region, first, end)
			check_unowned(first, end - first, &check);
	tmm_visit_cached(ra, check_unowned, &check);
	check_own_marks(m, finding);
	tmm_test_unlock_all(ra);
}

/* The first and the last page of a run are not free. check_pages_sum() counts all pages. */
static void check_taken(struct model *m, u64 first, u64 nr, struct tmm_finding *finding)
{
	struct tmm_range_region *region = tmm_range_allocator_region_at(&m->inst->pa.ra, first);

	if (nr && (!region || tmm_free_set_run_end(&region->free, first) != first ||
		   tmm_free_set_run_end(&region->free, first + nr - 1) != first + nr - 1))
		tmm_finding_note(finding, "pages [%#llx, +%llu) are free, but have an owner", first,
				 nr);
}

static void check_page_allocator(struct model *m, struct tmm_finding *finding)
{
	struct tmm_range_allocator *ra = &m->inst->pa.ra;
	unsigned int i;

	tmm_test_lock_all(ra);
	tmm_find_broken_ranges(ra, finding);
	for (i = 0; i < MODEL_NR_MAPPINGS; i++)
		if (m->mappings[i].mp)
			check_taken(m, m->mappings[i].page, m->mappings[i].nr, finding);
	for (i = 0; i < MODEL_NR_PARTS; i++)
		if (m->pages[i])
			check_taken(m, m->pages[i]->chunk.start, m->pages[i]->chunk.nr, finding);
	tmm_test_unlock_all(ra);
}

static void check_allocators(struct model *m)
{
	struct tmm_finding finding = {};

	check_frame_allocator(m, &finding);
	check_page_allocator(m, &finding);
	MODEL_EXPECT(m, !*finding.text, "%s", finding.text);
}

void model_check_step(struct model *m)
{
	const struct model_mapping *mapping = &m->mappings[model_below(m, MODEL_NR_MAPPINGS)];

	if (mapping->mp) {
		model_check_mapping(m, mapping);
		if (mapping->nr && !model_is_device(mapping))
			model_check_content(m, mapping, model_below(m, mapping->nr));
	}
	check_allocators(m);
}

static void check_frames_sum(struct model *m)
{
	struct tmm_range_totals totals;
	u64 nr_owned = m->inst->fa.nr_tables;
	unsigned int i;

	for (i = 0; i < MODEL_NR_FRAMES; i++)
		nr_owned += !!m->shared->owner[i];
	tmm_range_allocator_totals(&m->inst->fa.ra, &totals);
	MODEL_EXPECT(m, totals.nr_total - totals.nr_free == nr_owned,
		     "%llu frames are taken, the model knows %llu",
		     totals.nr_total - totals.nr_free, nr_owned);
}

static void check_pages_sum(struct model *models, unsigned int nr)
{
	u64 nr_taken = model_nr_taken_pages(models);
	u64 nr_owned = 0;
	struct model *m;
	unsigned int i;

	for (m = models; m < models + nr; m++) {
		for (i = 0; i < MODEL_NR_MAPPINGS; i++)
			nr_owned += m->mappings[i].nr;
		for (i = 0; i < MODEL_NR_PARTS; i++)
			nr_owned += m->pages[i] ? tmm_allocated_pages_nr(m->pages[i]) : 0;
	}
	MODEL_EXPECT(models, nr_taken == nr_owned, "%llu pages are taken, the models know %llu",
		     nr_taken, nr_owned);
}

/* The content of each frame, read through Linux's own address. */
static void check_aliases(struct model *m)
{
	unsigned int i, n;

	for (i = 0; i < MODEL_NR_MEMORIES; i++) {
		const struct tmm_memory *memory = &m->shared->memories[i];

		for (n = 0; n < memory->nr; n++) {
			u64 stamp = m->shared->stamp[i * MODEL_MEMORY_NR + n];

			if (stamp != MODEL_UNKNOWN)
				MODEL_EXPECT(m, *(u64 *)(memory->window + n * TMM_PAGE_SIZE) ==
					     stamp, "frame %#llx lost its content",
					     memory->first + n);
		}
	}
}

/* The sums that the models expect of a root. */
struct root_counts {
	u64 nr_pages;
	u64 nr_mappings;
};

static void count_root(const struct model *m, unsigned int root, struct root_counts *counts)
{
	unsigned int i;

	for (i = 0; i < MODEL_NR_MAPPINGS; i++) {
		if (!m->mappings[i].mp || m->mappings[i].root != root)
			continue;
		counts->nr_pages += m->mappings[i].nr;
		counts->nr_mappings++;
	}
}

/*
 * The tables of a root are sound, and map as many pages as the models know. The models' pages are
 * mapped (see model_check_mapping()), so no other page is. Returns the number of tables.
 */
static u64 check_root(struct model *m, unsigned int root, const struct root_counts *want)
{
	struct tmm_page_table *pt = m->roots[root];
	struct tmm_table_counts counts = {};
	struct tmm_finding finding = {};

	tmm_find_broken_tables(pt, &counts, &finding);
	MODEL_EXPECT(m, !*finding.text, "root %u: %s", root, finding.text);
	MODEL_EXPECT(m, counts.nr_pages == want->nr_pages,
		     "root %u maps %llu pages, the models know %llu", root, counts.nr_pages,
		     want->nr_pages);
	MODEL_EXPECT(m, tmm_page_table_nr_mappings(pt) == want->nr_mappings,
		     "root %u has %lld mappings, not %llu", root, tmm_page_table_nr_mappings(pt),
		     want->nr_mappings);
	return counts.nr_tables;
}

/* The models share the first root, and each has its other roots alone. */
static void check_roots(struct model *models, unsigned int nr)
{
	struct root_counts counts = {};
	u64 nr_tables;
	unsigned int i;
	struct model *m;

	for (m = models; m < models + nr; m++)
		count_root(m, 0, &counts);
	nr_tables = check_root(models, 0, &counts);
	for (m = models; m < models + nr; m++)
		for (i = 1; i < MODEL_NR_ROOTS; i++) {
			counts = (struct root_counts){};
			count_root(m, i, &counts);
			if (m->roots[i])
				nr_tables += check_root(m, i, &counts);
		}
	MODEL_EXPECT(models, nr_tables == models->inst->fa.nr_tables,
		     "found %llu tables, the counter says %llu", nr_tables,
		     models->inst->fa.nr_tables);
}

bool model_check_all(struct model *models, unsigned int nr)
{
	bool is_right = true;
	struct model *m;

	for (m = models; m < models + nr; m++) {
		check_mappings(m);
		check_allocators(m);
	}
	check_aliases(models);
	check_roots(models, nr);
	check_frames_sum(models);
	check_pages_sum(models, nr);
	for (m = models; m < models + nr; m++)
		is_right &= !*m->why;
	return is_right;
}
