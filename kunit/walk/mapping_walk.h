/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A random walk over what can be done with mappings. Each step draws a call, foretells
 * from the model what it must return, and makes the model follow. After each step one
 * mapping and the sums are compared, now and then everything; what is refused must be
 * refused for the right reason, and change nothing.
 */
#ifndef TMM_KUNIT_MAPPING_WALK_H
#define TMM_KUNIT_MAPPING_WALK_H

#include "walk/mapping_model.h"

#include "alloc/pages.h"
#include "alloc/range_request.h"

#define LEAF_2M		(1ULL << TMM_INDEX_BITS)
#define LEAF_1G		(LEAF_2M << TMM_INDEX_BITS)

/* 512 GiB: no machine that runs this has anything there. A region for each walk. */
#define DEVICE_FIRST	(1ULL << (39 - TMM_PAGE_SHIFT))
#define DEVICE_NR	(2 * LEAF_1G + 4 * LEAF_2M)
#define DEVICE_APART	(8 * LEAF_1G)

/* What the walk calls. */
enum {
	OP_CREATE, OP_CREATE_CONTIGUOUS, OP_CREATE_IDENTITY, OP_MAP_FRAME_RANGE,
	OP_DEEP_COPY, OP_SPLIT, OP_MERGE, OP_REMAP, OP_BORROW, OP_END_BORROW, OP_WRITE,
	OP_UNMAP, OP_MAP_TO, OP_MAP_TO_SIZED, OP_MAP_PAGES, OP_MAP_LENT, OP_DROP,
	OP_TAKE_PAGES, OP_TAKE_FRAMES, OP_DROP_PART, OP_SPLIT_PART, OP_DEFER, OP_FINISH,
	OP_NEW_ROOT, OP_DROP_ROOT, OP_SWITCH, OP_CONTEXT, OP_DEVICE, NR_OPS
};

static_assert(NR_OPS <= MODEL_NR_COUNTERS);

/**
 * struct call - one call of what is tested
 * @m: the model
 * @operation: which
 * @want: what it must return, but for lack of memory
 * @may_lack: it may find too few frames
 * @before: fingerprint
 */
struct call {
	struct model *m;
	unsigned int operation;
	int want;
	bool may_lack;
	u64 before;
};

/* Says how often the walk did each thing, and what was wrong. */
void walk_report(struct kunit *test, const struct model *m);

/* Around each call: some allocation may fail in it. Did it succeed? */
struct call walk_begin(struct model *m, unsigned int operation, int want, bool may_lack);
bool walk_succeeded(struct call *call, int err);

/* May frames for so many pages, and for tables, be missing? */
bool walk_may_lack(struct model *m, u64 nr);

/* Arguments that are often right, and sometimes not. */
u64 walk_draw_nr(struct model *m);
tmm_pte_flags_t walk_draw_flags(struct model *m, bool is_device);
int walk_foretell_flags(tmm_pte_flags_t flags, bool is_device);
unsigned int walk_draw_root(struct model *m);

/* Write some pages of a mapping; look at one that is new, and do so. */
void walk_write_some(struct model *m, struct model_mapping *mapping);
void walk_check_new(struct model *m, struct model_mapping *mapping, bool zero);

static inline u64 walk_pages_first(const struct model *m, int p)
{
	return m->pages[p]->chunk.start;
}

static inline u64 walk_pages_nr(const struct model *m, int p)
{
	return tmm_allocated_pages_nr(m->pages[p]);
}

#endif /* TMM_KUNIT_MAPPING_WALK_H */
