/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A naive model of the mapping layer. The model records page by page what is owned, and what
 * each frame contains. The model does not predict which frames and pages a caller gets. The model
 * records these frames and pages, and checks that they had no owner before and do not change later.
 *
 * Several models can share one instance. Each has objects of its own, and all use one struct
 * model_shared.
 *
 * The first error is recorded in @why of struct model and ends the walk, since a thread that is not
 * the case's own must not use KUnit's assertions.
 */
#ifndef TMM_KUNIT_MAPPING_MODEL_H
#define TMM_KUNIT_MAPPING_MODEL_H

#include "mapping/borrow.h"
#include "mapping/instance.h"
#include "mapping/mapped_pages.h"
#include "mapping/mmi.h"
#include "paging/page_table.h"

#include <kunit/test.h>
#include <linux/prandom.h>

#define MODEL_MEMORY_ORDER	10
#define MODEL_MEMORY_NR		(1ULL << MODEL_MEMORY_ORDER)
#define MODEL_NR_MEMORIES	3
#define MODEL_NR_FRAMES		(MODEL_NR_MEMORIES * MODEL_MEMORY_NR)

#define MODEL_NR_ROOTS		3
#define MODEL_NR_MAPPINGS	20
#define MODEL_NR_BORROWS	10
#define MODEL_NR_PARTS		8
#define MODEL_NR_COUNTERS	32

#define MODEL_NO_LENDER		(-1)
#define MODEL_UNKNOWN		U64_MAX

/* Contiguous frames behind contiguous pages. */
struct model_run {
	u64 frame;
	u64 nr;
};

/* The expected state of a mapping. */
struct model_mapping {
	struct tmm_mapped_pages *mp;	/* NULL if the place is free */
	unsigned int root;		/* index in @roots of struct model */
	tmm_pte_flags_t flags;		/* the requested ones, VALID, and EXCLUSIVE if not lent */
	u64 page;
	u64 nr;
	struct model_run *runs;		/* the frames behind the pages */
	unsigned int nr_runs;
	int lender;			/* index of the lent frames, or MODEL_NO_LENDER */
	unsigned int nr_shared;		/* number of immutable borrows */
	bool is_mut;			/* there is a mutable borrow */
	bool is_dropped;		/* the mapping exists until its last borrow ends */
	bool in_mmi;			/* the mapping exists as long as the context */
};

/* Frames that are not mapped, or that are lent to mappings. */
struct model_frames {
	struct tmm_allocated_frames *frames;	/* NULL if dropped, or if the place is free */
	u64 first;
	u64 nr;
	unsigned int nr_loans;			/* number of mappings with these frames */
	bool is_device;
};

/* A borrow of the first bytes of a page. */
struct model_borrow {
	unsigned int mapping;	/* index of the mapping */
	u64 page;		/* number of the page within the mapping */
	bool is_mut;
	bool is_used;		/* the place is in use */
	union {
		TMM_BORROW(u64) shared;
		TMM_BORROW_MUT(u64) mut;
	};
};

/* The state that all models of one instance share. The arrays have an entry for each RAM frame. */
struct model_shared {
	struct tmm_memory memories[MODEL_NR_MEMORIES];
	u8 owner[MODEL_NR_FRAMES];	/* @id of the model that owns the frame, or 0 */
	u64 stamp[MODEL_NR_FRAMES];	/* the frame's first bytes, or MODEL_UNKNOWN */
	u8 is_dirty[MODEL_NR_FRAMES];	/* written through the mapping that owns the frame */
};

/* The state of one walk. */
struct model {
	struct kunit *test;
	struct tmm_instance *inst;
	struct model_shared *shared;
	u8 id;			/* 1 or more; differs from the other models' */
	bool is_alone;		/* no other walk uses the instance */
	bool has_faults;	/* some allocations fail on request */
	struct rnd_state rnd;
	unsigned int step;
	char why[256];		/* the first error, or empty */
	bool is_hit;		/* an allocation of the last call failed on request */
	u64 next_stamp;		/* the next stamp to write; each stamp is used once */
	struct tmm_page_table *roots[MODEL_NR_ROOTS];	/* or NULL; the first is the instance's */
	struct tmm_mmi *mmi;
	unsigned int active;	/* index of the root that is active in @mmi */
	struct model_mapping mappings[MODEL_NR_MAPPINGS];
	struct model_frames frames[MODEL_NR_PARTS];
	struct tmm_allocated_pages *pages[MODEL_NR_PARTS];	/* not mapped */
	struct model_borrow borrows[MODEL_NR_BORROWS];
	struct tmm_deferred_action page_action;
	struct tmm_deferred_action frame_action;
	u64 device_first;	/* first frame of the device region */
	u64 device_nr;
	bool has_device;	/* the device region is added */
	unsigned int done[MODEL_NR_COUNTERS];		/* by operation: successful calls */
	unsigned int refused[MODEL_NR_COUNTERS];	/* by operation: failed calls */
	unsigned int nr_leaves[TMM_NR_PAGE_SIZES];	/* of new mappings, by size */
};

void __printf(2, 3) model_wrong(struct model *m, const char *fmt, ...);

/* Records the message as an error unless @cond is true. The value of the macro is @cond. */
#define MODEL_EXPECT(m, cond, fmt, ...) ({						\
	bool __right = (cond);								\
											\
	if (!__right)									\
		model_wrong(m, "%s: " fmt, __func__, ##__VA_ARGS__);			\
	__right;									\
})

u64 model_below(struct model *m, u64 limit);

/* The index of a frame of RAM in the arrays of struct model_shared, or -1 for another frame. */
int model_ram_index(const struct model *m, u64 frame);
void model_own(struct model *m, u64 first, u64 nr);
void model_disown(struct model *m, u64 first, u64 nr);
void model_set_stamps(struct model *m, u64 first, u64 nr, u64 stamp);

/* The number of free frames of RAM, and the number of pages that are not free. */
u64 model_nr_free(struct model *m);
u64 model_nr_taken_pages(struct model *m);

/*
 * model_free_*() return a free place, model_some_*() a random place in use. If there is none, they
 * return NULL or -1.
 */
struct model_mapping *model_free_mapping(struct model *m);
struct model_mapping *model_some_mapping(struct model *m);
int model_free_frames(struct model *m);
int model_some_frames(struct model *m);
int model_free_pages(struct model *m);
int model_some_pages(struct model *m);

static inline bool model_is_borrowed(const struct model_mapping *mapping)
{
	return mapping->nr_shared || mapping->is_mut;
}

static inline bool model_is_device(const struct model_mapping *mapping)
{
	return tmm_pte_flags_is_device_memory(mapping->flags);
}

/* The frame behind page number @i of a mapping. */
u64 model_frame(const struct model_mapping *mapping, u64 i);

/* Call this before a mapping is dropped. The mapping ends at once, or with its last borrow. */
void model_drop(struct model *m, struct model_mapping *mapping);
/* Free the place of a mapping that has ended. Its frames stay owned. */
void model_forget(struct model *m, struct model_mapping *mapping);
/* Call this before the owner of the frames drops them. */
void model_drop_frames(struct model *m, int index);
/* Call this before the end of a mapping to which the frames are lent. */
void model_end_loan(struct model *m, int index);

/*
 * A refused call does not change the fingerprint: the numbers of free frames and pages and of
 * tables. The fingerprint is 0 if other walks use the instance. The comparison after the step finds
 * other changes.
 */
u64 model_fingerprint(struct model *m);

#endif /* TMM_KUNIT_MAPPING_MODEL_H */
