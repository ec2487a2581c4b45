/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Naive models of a range allocator: they know the owner of each chunk. An owner is a number from 1
 * on, and has one run at most. Several threads can use one model: a run that has an owner already
 * is not claimed, so two owners of one chunk are seen at once.
 *
 * There are two models. The byte model has a byte for each chunk, and a search tries every start
 * in turn. The list model has a list of the owned runs, so its chunk numbers can be of any size,
 * and a search looks at the gaps.
 */
#ifndef TMM_KUNIT_RANGE_MODEL_H
#define TMM_KUNIT_RANGE_MODEL_H

#include "alloc/range_request.h"

#include <linux/list.h>
#include <linux/spinlock.h>

#define MODEL_NR_OWNERS 256

struct kunit;

/* A region, as the case adds it. */
struct model_region {
	enum tmm_region_type type;
	u64 first;
	u64 end;
};

/* Regions by address. */
struct model_layout {
	const struct model_region *regions;
	unsigned int nr;
};

/* The run of an owner, in the list model; linked if not empty. */
struct owned_run {
	struct list_head link;
	u64 start;
	u64 nr;
};

/**
 * struct range_model - the owners
 * @layout: the regions
 * @ops: the functions of the byte model or of the list model
 * @owners: byte model: the owner of each chunk below the end of the last region, or 0
 * @lock: list model: protects @runs
 * @runs: list model: struct owned_run by address
 * @by_owner: list model: the run of each owner
 */
struct range_model {
	struct model_layout layout;
	const struct range_model_ops *ops;
	u8 *owners;
	spinlock_t lock;	/* runs */
	struct list_head runs;
	struct owned_run *by_owner;
};

/**
 * struct range_model_ops - the functions of a model
 * @claim: give a run to @owner; false, and the run stays as it is, if a part has an owner
 * @release: take the run from @owner, which has exactly this run; false if it has not
 * @split: the owner @from keeps the part before @at of its run, and @to gets the rest
 * @is_free: no part of the run has an owner
 * @nr_owned: number of chunks with an owner in [@first, @end)
 * @find: the first start, or the last one if @from_top, at which a request fits into a region of
 *        @type; false if there is none
 */
struct range_model_ops {
	bool (*claim)(struct range_model *model, u64 start, u64 nr, unsigned int owner);
	bool (*release)(struct range_model *model, u64 start, u64 nr, unsigned int owner);
	void (*split)(struct range_model *model, const struct tmm_chunk *whole, u64 at,
		      unsigned int from, unsigned int to);
	bool (*is_free)(struct range_model *model, u64 start, u64 nr);
	u64 (*nr_owned)(struct range_model *model, u64 first, u64 end);
	bool (*find)(struct range_model *model, const struct tmm_fit_request *fit,
		     enum tmm_region_type type, u64 *start);
};

void model_init_bytes(struct kunit *test, struct range_model *model, struct model_layout layout);
void model_init_list(struct kunit *test, struct range_model *model, struct model_layout layout);

/* The region that contains a chunk, or NULL. */
const struct model_region *model_region_of(const struct model_layout *layout, u64 number);
/* Does the run satisfy alignment and bounds, and lie in one region of @type? */
bool model_suits(const struct model_layout *layout, const struct tmm_fit_request *fit,
		 enum tmm_region_type type, u64 start);
/* The result of a request that charges no account; @start is set on success. */
int model_foretell(struct range_model *model, const struct tmm_allocation_request *req, u64 *start);

#endif /* TMM_KUNIT_RANGE_MODEL_H */
