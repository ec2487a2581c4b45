// SPDX-License-Identifier: GPL-2.0
#include "walk/mapping_model.h"

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
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>

void model_wrong(struct model *m, const char *fmt, ...)
{
	va_list args;

	if (*m->why)
		return;
	va_start(args, fmt);
	vsnprintf(m->why, sizeof(m->why), fmt, args);
	va_end(args);
}

u64 model_below(struct model *m, u64 limit)
{
	return tmm_test_random_below(&m->rnd, limit);
}

int model_ram_index(const struct model *m, u64 frame)
{
	unsigned int i;

	for (i = 0; i < MODEL_NR_MEMORIES; i++) {
		const struct tmm_memory *memory = &m->shared->memories[i];

		if (frame >= memory->first && frame - memory->first < memory->nr)
			return i * MODEL_MEMORY_NR + frame - memory->first;
	}
	return -1;
}

void model_own(struct model *m, u64 first, u64 nr)
{
	int index = model_ram_index(m, first);
	u64 i;

	for (i = 0; index >= 0 && i < nr; i++)
		if (!MODEL_EXPECT(m, !cmpxchg(&m->shared->owner[index + i], 0, 1),
				  "frame %#llx has an owner already", first + i))
			return;
}

void model_disown(struct model *m, u64 first, u64 nr)
{
	int index = model_ram_index(m, first);

	if (index < 0)
		return;
	model_set_stamps(m, first, nr, MODEL_UNKNOWN);
	memset(m->shared->is_dirty + index, 0, nr);
	/* Other walks may take a frame without an owner, so the owner is cleared last. */
	smp_wmb();
	memset(m->shared->owner + index, 0, nr);
}

void model_set_stamps(struct model *m, u64 first, u64 nr, u64 stamp)
{
	int index = model_ram_index(m, first);
	u64 i;

	for (i = 0; index >= 0 && i < nr; i++)
		m->shared->stamp[index + i] = stamp;
}

u64 model_nr_free(struct model *m)
{
	struct tmm_range_totals totals;

	tmm_range_allocator_totals(&m->inst->fa.ra, &totals);
	return totals.nr_free;
}

struct model_mapping *model_free_mapping(struct model *m)
{
	unsigned int i;

	for (i = 0; i < MODEL_NR_MAPPINGS; i++)
		if (!m->mappings[i].mp)
			return &m->mappings[i];
	return NULL;
}

/* Skips dropped mappings, and mappings that belong to the context. */
struct model_mapping *model_some_mapping(struct model *m)
{
	unsigned int start = model_below(m, MODEL_NR_MAPPINGS);
	unsigned int i;

	for (i = 0; i < MODEL_NR_MAPPINGS; i++) {
		struct model_mapping *mapping = &m->mappings[(start + i) % MODEL_NR_MAPPINGS];

		if (mapping->mp && !mapping->is_dropped && !mapping->in_mmi)
			return mapping;
	}
	return NULL;
}

int model_free_frames(struct model *m)
{
	int i;

	for (i = 0; i < MODEL_NR_PARTS; i++)
		if (!m->frames[i].frames && !m->frames[i].nr_loans)
			return i;
	return -1;
}

int model_some_frames(struct model *m)
{
	int start = model_below(m, MODEL_NR_PARTS);
	int i;

	for (i = 0; i < MODEL_NR_PARTS; i++)
		if (m->frames[(start + i) % MODEL_NR_PARTS].frames)
			return (start + i) % MODEL_NR_PARTS;
	return -1;
}

int model_free_pages(struct model *m)
{
	int i;

	for (i = 0; i < MODEL_NR_PARTS; i++)
		if (!m->pages[i])
			return i;
	return -1;
}

int model_some_pages(struct model *m)
{
	int start = model_below(m, MODEL_NR_PARTS);
	int i;

	for (i = 0; i < MODEL_NR_PARTS; i++)
		if (m->pages[(start + i) % MODEL_NR_PARTS])
			return (start + i) % MODEL_NR_PARTS;
	return -1;
}

u64 model_frame(const struct model_mapping *mapping, u64 i)
{
	unsigned int r;

	for (r = 0; r < mapping->nr_runs; i -= mapping->runs[r++].nr)
		if (i < mapping->runs[r].nr)
			return mapping->runs[r].frame + i;
	return MODEL_UNKNOWN;
}

/* Looks up the leaf of @page. The leaf must begin at @page and have at most @nr pages. */
static bool look_at_leaf(struct model *m, const struct model_mapping *mapping, u64 page, u64 nr,
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
	MODEL_EXPECT(m, !memchr_inv(m->shared->owner + index, 1, nr), "frame %#llx is not owned",
		     frame);
	if (memchr_inv(m->shared->is_dirty + index, 0, nr))
		MODEL_EXPECT(m, tmm_pte_flags_is_dirty(found->flags),
			     "page %#llx was written, but its leaf is not dirty", page);
}

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

		if (!look_at_leaf(m, mapping, mapping->page + i, mapping->nr - i, &found))
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

void model_forget(struct model *m, struct model_mapping *mapping)
{
	kvfree(mapping->runs);
	memset(mapping, 0, sizeof(*mapping));
}

void model_end_loan(struct model *m, int index)
{
	struct model_frames *frames = &m->frames[index];

	if (!--frames->nr_loans && !frames->frames)
		model_disown(m, frames->first, frames->nr);
}

void model_drop_frames(struct model *m, int index)
{
	struct model_frames *frames = &m->frames[index];

	if (!frames->nr_loans)
		model_disown(m, frames->first, frames->nr);
}

void model_drop(struct model *m, struct model_mapping *mapping)
{
	unsigned int i;

	if (model_is_borrowed(mapping)) {
		mapping->is_dropped = true;
		mapping->in_mmi = false;
		return;
	}
	if (mapping->lender != MODEL_NO_LENDER)
		model_end_loan(m, mapping->lender);
	else
		for (i = 0; i < mapping->nr_runs; i++)
			model_disown(m, mapping->runs[i].frame, mapping->runs[i].nr);
	model_forget(m, mapping);
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
			if (!look_at_leaf(m, mapping, page, run->nr - done, &found))
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

static void check_frames_sum(struct model *m)
{
	struct tmm_range_totals totals;
	u64 nr_owned = m->inst->fa.nr_tables;
	unsigned int i;

	for (i = 0; i < MODEL_NR_FRAMES; i++)
		nr_owned += m->shared->owner[i];
	tmm_range_allocator_totals(&m->inst->fa.ra, &totals);
	MODEL_EXPECT(m, totals.nr_total - totals.nr_free == nr_owned,
		     "%llu frames are taken, the model knows %llu",
		     totals.nr_total - totals.nr_free, nr_owned);
}

static void check_pages_sum(struct model *m)
{
	const struct tmm_range_region *region;
	u64 nr_owned = 0, nr_taken = 0;
	unsigned int i;

	for (i = 0; i < MODEL_NR_MAPPINGS; i++)
		nr_owned += m->mappings[i].nr;
	for (i = 0; i < MODEL_NR_PARTS; i++)
		nr_owned += m->pages[i] ? tmm_allocated_pages_nr(m->pages[i]) : 0;
	list_for_each_entry(region, &m->inst->pa.ra.regions, link)
		nr_taken += region->nr - region->free.nr_free;
	MODEL_EXPECT(m, nr_taken == nr_owned, "%llu pages are taken, the model knows %llu",
		     nr_taken, nr_owned);
}

/* The instance's counts of taken frames, taken pages and mappings equal the model's. */
void model_check_sums(struct model *m)
{
	u64 nr_mappings[MODEL_NR_ROOTS] = {};
	unsigned int i;

	if (!m->is_alone)
		return;
	check_frames_sum(m);
	check_pages_sum(m);
	for (i = 0; i < MODEL_NR_MAPPINGS; i++)
		if (m->mappings[i].mp)
			nr_mappings[m->mappings[i].root]++;
	for (i = 0; i < MODEL_NR_ROOTS; i++)
		if (m->roots[i])
			MODEL_EXPECT(m, atomic64_read(&m->roots[i]->nr_mappings) == nr_mappings[i],
				     "root %u has %lld mappings, not %llu", i,
				     atomic64_read(&m->roots[i]->nr_mappings), nr_mappings[i]);
}

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

/* No other thread may use the instance during this check. */
void model_check_all(struct kunit *test, struct model *m)
{
	u64 nr_tables = 0;
	unsigned int i;
	u64 page;

	for (i = 0; i < MODEL_NR_MAPPINGS; i++) {
		const struct model_mapping *mapping = &m->mappings[i];

		if (!mapping->mp)
			continue;
		model_check_mapping(m, mapping);
		for (page = 0; !model_is_device(mapping) && page < mapping->nr; page++)
			model_check_content(m, mapping, page);
		cond_resched();
	}
	check_aliases(m);
	for (i = 0; i < MODEL_NR_ROOTS; i++)
		if (m->roots[i])
			nr_tables += tmm_check_page_table(test, m->roots[i]);
	/* The other walks have tables too. */
	if (m->is_alone)
		MODEL_EXPECT(m, nr_tables == m->inst->fa.nr_tables,
			     "found %llu tables, the counter says %llu", nr_tables,
			     m->inst->fa.nr_tables);
	tmm_check_range_allocator(test, &m->inst->pa.ra);
	tmm_check_frame_allocator(test, &m->inst->fa);
}

u64 model_fingerprint(struct model *m)
{
	if (!m->is_alone)
		return 0;
	return (tmm_fingerprint_ranges(&m->inst->fa.ra) * 31 +
		tmm_fingerprint_ranges(&m->inst->pa.ra)) * 31 + m->inst->fa.nr_tables;
}
