/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A random walk over the operations on mappings. Each step draws a call, predicts its result from
 * the model, makes the call, and updates the model. After each step the instance is compared with
 * the model (mapping_check.h). A refused call must return the right error and change nothing.
 */
#ifndef TMM_KUNIT_MAPPING_WALK_H
#define TMM_KUNIT_MAPPING_WALK_H

#include "walk/mapping_adopt.h"
#include "walk/mapping_check.h"
#include "walk/mapping_model.h"

#include "alloc/pages.h"
#include "alloc/range_request.h"

#define LEAF_2M		(1ULL << TMM_INDEX_BITS)
#define LEAF_1G		(LEAF_2M << TMM_INDEX_BITS)

/* Each walk has a device region above 512 GiB, where no test machine has memory or devices. */
#define DEVICE_FIRST	(1ULL << (39 - TMM_PAGE_SHIFT))
#define DEVICE_NR	(2 * LEAF_1G + 4 * LEAF_2M)
#define DEVICE_APART	(8 * LEAF_1G)

/* The operations that the walk counts. */
enum {
	OP_CREATE, OP_CREATE_CONTIGUOUS, OP_CREATE_IDENTITY, OP_MAP_FRAME_RANGE,
	OP_DEEP_COPY, OP_SPLIT, OP_MERGE, OP_REMAP, OP_BORROW, OP_END_BORROW, OP_WRITE,
	OP_UNMAP, OP_MAP_TO, OP_MAP_TO_SIZED, OP_MAP_PAGES, OP_MAP_LENT, OP_DROP,
	OP_TAKE_PAGES, OP_TAKE_FRAMES, OP_DROP_PART, OP_SPLIT_PART, OP_DEFER, OP_FINISH,
	OP_NEW_ROOT, OP_DROP_ROOT, OP_SWITCH, OP_CONTEXT, OP_DEVICE, NR_OPS
};

static_assert(NR_OPS <= MODEL_NR_COUNTERS);

/* One call of the function under test. */
struct call {
	struct model *m;
	unsigned int operation;
	int want;		/* the expected result, unless memory is short */
	bool may_lack;		/* the call may fail with -ENOSPC */
	u64 before;		/* fingerprint before the call */
};

/* Logs the counts of all operations, and fails the case if the walk found an error. */
void walk_report(struct kunit *test, const struct model *m);

/*
 * Each call under test is between walk_begin() and walk_succeeded(). walk_begin() may make an
 * allocation of the call fail. walk_succeeded() compares the result with the expected one, and
 * returns true if the call was expected to succeed and did.
 */
struct call walk_begin(struct model *m, unsigned int operation, int want, bool may_lack);
bool walk_succeeded(struct call *call, int err);

/* May there be too few free frames for @nr pages and their tables? */
bool walk_may_lack(struct model *m, u64 nr);

/* Random arguments, mostly valid ones. */
u64 walk_draw_nr(struct model *m);
tmm_pte_flags_t walk_draw_flags(struct model *m, bool is_device);
int walk_foretell_flags(tmm_pte_flags_t flags, bool is_device);
unsigned int walk_draw_root(struct model *m);

/* walk_check_new() checks the content of a new mapping, and then writes some of its pages. */
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
