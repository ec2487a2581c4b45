// SPDX-License-Identifier: GPL-2.0
#include "walk/mapping_model.h"

#include "support/fixture.h"
#include "support/instance_fixture.h"
#include "support/invariants.h"

#include "alloc/frames.h"
#include "alloc/pages.h"
#include "paging/mapper.h"
#include "paging/translate.h"

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
		if (!MODEL_EXPECT(m, !cmpxchg(&m->shared->owner[index + i], 0, m->id),
				  "frame %#llx has an owner already", first + i))
			return;
}

void model_disown(struct model *m, u64 first, u64 nr)
{
	int index = model_ram_index(m, first);

	if (index < 0)
		return;
	MODEL_EXPECT(m, !memchr_inv(m->shared->owner + index, m->id, nr),
		     "[%#llx, +%llu) has another owner", first, nr);
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

struct free_chunks {
	const struct tmm_range_region *region;
	u64 nr;
};

static void count_cached(u64 start, u64 nr, void *context)
{
	struct free_chunks *free = context;

	if (start - free->region->first < free->region->nr)
		free->nr += nr;
}

/* Unlike tmm_range_allocator_totals(), leaves the magazines as they are. */
u64 model_nr_free(struct model *m)
{
	const struct tmm_range_allocator *ra = &m->inst->fa.ra;
	struct free_chunks free = {};

	list_for_each_entry(free.region, &ra->regions, link) {
		if (free.region->type != TMM_REGION_GENERAL)
			continue;
		free.nr += tmm_free_set_nr_free(&free.region->free);
		tmm_visit_cached(ra, count_cached, &free);
	}
	return free.nr;
}

u64 model_nr_taken_pages(struct model *m)
{
	const struct tmm_range_allocator *ra = &m->inst->pa.ra;
	struct free_chunks free = {};
	u64 nr_taken = 0;

	list_for_each_entry(free.region, &ra->regions, link) {
		free.nr = tmm_free_set_nr_free(&free.region->free);
		tmm_visit_cached(ra, count_cached, &free);
		nr_taken += free.region->nr - free.nr;
	}
	return nr_taken;
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

u64 model_fingerprint(struct model *m)
{
	if (!m->is_alone)
		return 0;
	return (model_nr_free(m) * 31 + model_nr_taken_pages(m)) * 31 + m->inst->fa.nr_tables;
}
