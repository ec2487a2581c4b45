/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A naive model of the mapping layer: what somebody owns, page by page, and what each
 * frame holds. It does not foretell which frames and pages a caller gets, but takes
 * note of them, and expects them to be nobody's at that moment and then to stay.
 *
 * Several models can watch one instance, each with objects of its own; they share
 * @owner and @stamp only. Then others take memory too, and the sums are not compared.
 *
 * What is wrong is noted, and ends the walk: a model may be used by any thread.
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

/* Frames that follow each other, as some pages do. */
struct model_run {
	u64 frame;
	u64 nr;
};

/**
 * struct model_mapping - a mapping as it should be
 * @mp: the mapping; NULL if the place is free
 * @root: which root
 * @flags: as asked for, with VALID and EXCLUSIVE
 * @page: first page
 * @nr: pages
 * @runs: what they map to
 * @nr_runs: how many
 * @lender: index of the frames that are lent to it, or MODEL_NO_LENDER
 * @nr_shared: immutable borrows
 * @is_mut: there is a mutable one
 * @is_dropped: lives as long as its borrows
 * @in_mmi: lives as long as the context
 */
struct model_mapping {
	struct tmm_mapped_pages *mp;
	unsigned int root;
	tmm_pte_flags_t flags;
	u64 page;
	u64 nr;
	struct model_run *runs;
	unsigned int nr_runs;
	int lender;
	unsigned int nr_shared;
	bool is_mut;
	bool is_dropped;
	bool in_mmi;
};

/**
 * struct model_frames - frames that are not mapped, or lent
 * @frames: NULL if they are dropped, or the place is free
 * @first: first frame
 * @nr: how many
 * @nr_loans: mappings they are lent to
 * @is_device: device memory
 */
struct model_frames {
	struct tmm_allocated_frames *frames;
	u64 first;
	u64 nr;
	unsigned int nr_loans;
	bool is_device;
};

/**
 * struct model_borrow - a borrow of a page's first bytes
 * @mapping: which mapping
 * @page: which page of it
 * @is_mut: it is mutable
 * @is_used: the place is in use
 * @shared: if it is not
 * @mut: if it is
 */
struct model_borrow {
	unsigned int mapping;
	u64 page;
	bool is_mut;
	bool is_used;
	union {
		TMM_BORROW(u64) shared;
		TMM_BORROW_MUT(u64) mut;
	};
};

/**
 * struct model_shared - what the models of one instance share
 * @memories: its RAM
 * @owner: by frame of RAM: somebody owns it
 * @stamp: by frame of RAM: the first bytes, if somebody knows them
 * @is_dirty: by frame of RAM: written through the mapping that owns it
 */
struct model_shared {
	struct tmm_memory memories[MODEL_NR_MEMORIES];
	u8 owner[MODEL_NR_FRAMES];
	u64 stamp[MODEL_NR_FRAMES];
	u8 is_dirty[MODEL_NR_FRAMES];
};

/**
 * struct model - what one walk holds
 * @test: the case
 * @inst: the instance
 * @shared: see above
 * @is_alone: nobody else uses the instance
 * @has_faults: some allocations fail
 * @rnd: random numbers
 * @step: how far it is
 * @why: what went wrong first; empty while all is well
 * @is_hit: an allocation of the last call failed on request
 * @next_stamp: no two stamps are the same
 * @roots: NULL where there is none; the first is the instance's
 * @mmi: a context
 * @active: the root that is active in it
 * @mappings: see above
 * @frames: see above
 * @pages: pages that are not mapped
 * @borrows: see above
 * @page_action: what an allocation of pages has not given back yet
 * @frame_action: the same of frames
 * @device_first: first frame of a device region that may be there
 * @device_nr: its length
 * @has_device: it is there
 * @done: how often each operation succeeded
 * @refused: how often it was refused
 * @nr_leaves: leaves of new mappings, by size
 */
struct model {
	struct kunit *test;
	struct tmm_instance *inst;
	struct model_shared *shared;
	bool is_alone;
	bool has_faults;
	struct rnd_state rnd;
	unsigned int step;
	char why[256];
	bool is_hit;
	u64 next_stamp;
	struct tmm_page_table *roots[MODEL_NR_ROOTS];
	struct tmm_mmi *mmi;
	unsigned int active;
	struct model_mapping mappings[MODEL_NR_MAPPINGS];
	struct model_frames frames[MODEL_NR_PARTS];
	struct tmm_allocated_pages *pages[MODEL_NR_PARTS];
	struct model_borrow borrows[MODEL_NR_BORROWS];
	struct tmm_deferred_action page_action;
	struct tmm_deferred_action frame_action;
	u64 device_first;
	u64 device_nr;
	bool has_device;
	unsigned int done[MODEL_NR_COUNTERS];
	unsigned int refused[MODEL_NR_COUNTERS];
	unsigned int nr_leaves[TMM_NR_PAGE_SIZES];
};

void __printf(2, 3) model_wrong(struct model *m, const char *fmt, ...);

/* Notes what is wrong, and says whether it was right. */
#define MODEL_EXPECT(m, cond, fmt, ...) ({						\
	bool __right = (cond);								\
											\
	if (!__right)									\
		model_wrong(m, "%s: " fmt, __func__, ##__VA_ARGS__);			\
	__right;									\
})

u64 model_below(struct model *m, u64 limit);

/* Index of a frame of RAM, -1 for others. */
int model_ram_index(const struct model *m, u64 frame);
void model_own(struct model *m, u64 first, u64 nr);
void model_disown(struct model *m, u64 first, u64 nr);
void model_set_stamps(struct model *m, u64 first, u64 nr, u64 stamp);

/* Frames of RAM that are free. */
u64 model_nr_free(struct model *m);

/* A place for a new mapping or NULL, and one of those there are or NULL. */
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

/*
 * A mapping is new: look at it, and remember. It maps to the frames from @given on,
 * or to any that were free (MODEL_UNKNOWN).
 */
void model_adopt(struct model *m, struct model_mapping *mapping, struct tmm_mapped_pages *mp,
		 unsigned int root, tmm_pte_flags_t flags, u64 given, int lender);
/* It is about to go, at once or with its last borrow. */
void model_drop(struct model *m, struct model_mapping *mapping);
/* It is gone, but for the frames. */
void model_forget(struct model *m, struct model_mapping *mapping);
/* Frames are about to be dropped by their owner. */
void model_drop_frames(struct model *m, int index);
/* A mapping that they were lent to is about to go. */
void model_end_loan(struct model *m, int index);

/* Is a mapping what it should be, are the sums, is everything? */
void model_check_mapping(struct model *m, const struct model_mapping *mapping);
void model_check_content(struct model *m, const struct model_mapping *mapping, u64 i);
void model_check_sums(struct model *m);
void model_check_all(struct kunit *test, struct model *m);

/* Changes if anything does that a refused call must leave alone. */
u64 model_fingerprint(struct model *m);

#endif /* TMM_KUNIT_MAPPING_MODEL_H */
