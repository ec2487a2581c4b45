// SPDX-License-Identifier: GPL-2.0
#include "walk/range_model.h"

#include "support/fixture.h"

#include <linux/atomic.h>
#include <linux/minmax.h>
#include <linux/string.h>

const struct model_region *model_region_of(const struct model_layout *layout, u64 number)
{
	unsigned int i;

	for (i = 0; i < layout->nr; i++)
		if (number >= layout->regions[i].first && number < layout->regions[i].end)
			return &layout->regions[i];
	return NULL;
}

bool model_suits(const struct model_layout *layout, const struct tmm_fit_request *fit,
		 enum tmm_region_type type, u64 start)
{
	const struct model_region *region = model_region_of(layout, start);

	return region && region->type == type && fit->nr <= region->end - start &&
	       start % fit->align == 0 && start >= fit->min && start < fit->end &&
	       fit->nr <= fit->end - start;
}

static bool claim_bytes(struct range_model *model, u64 start, u64 nr, unsigned int owner)
{
	u64 i;

	for (i = 0; i < nr; i++) {
		if (!cmpxchg(&model->owners[start + i], 0, owner))
			continue;
		memset(model->owners + start, 0, i);
		return false;
	}
	return true;
}

static bool release_bytes(struct range_model *model, u64 start, u64 nr, unsigned int owner)
{
	if (memchr_inv(model->owners + start, owner, nr))
		return false;
	memset(model->owners + start, 0, nr);
	return true;
}

static void split_bytes(struct range_model *model, const struct tmm_chunk *whole, u64 at,
			unsigned int from, unsigned int to)
{
	memset(model->owners + at, to, tmm_chunk_end(whole) - at);
}

static bool are_bytes_free(struct range_model *model, u64 start, u64 nr)
{
	return !memchr_inv(model->owners + start, 0, nr);
}

static u64 count_bytes(struct range_model *model, u64 first, u64 end)
{
	u64 nr = 0;

	for (; first < end; first++)
		nr += !!model->owners[first];
	return nr;
}

static bool find_in_bytes(struct range_model *model, const struct tmm_fit_request *fit,
			  enum tmm_region_type type, u64 *start)
{
	const u64 space = model->layout.regions[model->layout.nr - 1].end;
	u64 i;

	for (i = 0; i < space; i++) {
		*start = fit->from_top ? space - 1 - i : i;
		if (model_suits(&model->layout, fit, type, *start) &&
		    are_bytes_free(model, *start, fit->nr))
			return true;
	}
	return false;
}

static const struct range_model_ops byte_ops = {
	.claim = claim_bytes,
	.release = release_bytes,
	.split = split_bytes,
	.is_free = are_bytes_free,
	.nr_owned = count_bytes,
	.find = find_in_bytes,
};

void model_init_bytes(struct kunit *test, struct range_model *model, struct model_layout layout)
{
	model->layout = layout;
	model->ops = &byte_ops;
	model->owners = tmm_test_kvzalloc(test, layout.regions[layout.nr - 1].end);
}

/* The first run that ends after @number, or NULL. */
static struct owned_run *run_after(struct range_model *model, u64 number)
{
	struct owned_run *run;

	lockdep_assert_held(&model->lock);
	list_for_each_entry(run, &model->runs, link)
		if (run->start + run->nr > number)
			return run;
	return NULL;
}

static bool claim_run(struct range_model *model, u64 start, u64 nr, unsigned int owner)
{
	struct owned_run *run = &model->by_owner[owner];
	struct owned_run *after;
	bool is_free;

	if (!nr)
		return true;
	spin_lock(&model->lock);
	after = run_after(model, start);
	is_free = !run->nr && (!after || after->start >= start + nr);
	if (is_free) {
		run->start = start;
		run->nr = nr;
		list_add_tail(&run->link, after ? &after->link : &model->runs);
	}
	spin_unlock(&model->lock);
	return is_free;
}

static bool release_run(struct range_model *model, u64 start, u64 nr, unsigned int owner)
{
	struct owned_run *run = &model->by_owner[owner];
	bool is_right;

	spin_lock(&model->lock);
	is_right = run->nr == nr && (!nr || run->start == start);
	if (is_right && nr) {
		list_del(&run->link);
		run->nr = 0;
	}
	spin_unlock(&model->lock);
	return is_right;
}

static void split_run(struct range_model *model, const struct tmm_chunk *whole, u64 at,
		      unsigned int from, unsigned int to)
{
	struct owned_run *run = &model->by_owner[from];
	struct owned_run *second = &model->by_owner[to];

	spin_lock(&model->lock);
	second->start = at;
	second->nr = tmm_chunk_end(whole) - at;
	run->nr -= second->nr;
	if (second->nr)
		list_add(&second->link, &run->link);
	if (!run->nr)
		list_del(&run->link);
	spin_unlock(&model->lock);
}

static bool is_run_free(struct range_model *model, u64 start, u64 nr)
{
	struct owned_run *after;
	bool is_free;

	spin_lock(&model->lock);
	after = run_after(model, start);
	is_free = !after || after->start >= start + nr;
	spin_unlock(&model->lock);
	return is_free;
}

static u64 count_runs(struct range_model *model, u64 first, u64 end)
{
	struct owned_run *run;
	u64 nr = 0;

	spin_lock(&model->lock);
	list_for_each_entry(run, &model->runs, link)
		if (run->start >= first && run->start < end)
			nr += run->nr;
	spin_unlock(&model->lock);
	return nr;
}

/* Place a request in the gap [first, end) of one region. */
static bool place_in_gap(const struct tmm_fit_request *fit, u64 first, u64 end, u64 *start)
{
	u64 at;

	first = max(first, fit->min);
	end = min(end, fit->end);
	if (first >= end || end - first < fit->nr)
		return false;
	at = fit->from_top ? end - fit->nr : first + fit->align - 1;
	at -= at % fit->align;
	if (at < first || at > end - fit->nr)
		return false;
	*start = at;
	return true;
}

/* Sets @start to the first start that fits in the region, or to the last one if @from_top. */
static bool find_in_gaps(struct range_model *model, const struct tmm_fit_request *fit,
			 const struct model_region *region, u64 *start)
{
	u64 first = region->first;
	struct owned_run *run;
	bool found = false;

	lockdep_assert_held(&model->lock);
	list_for_each_entry(run, &model->runs, link) {
		if (run->start < region->first || run->start >= region->end)
			continue;
		found |= place_in_gap(fit, first, run->start, start);
		if (found && !fit->from_top)
			return true;
		first = run->start + run->nr;
	}
	return place_in_gap(fit, first, region->end, start) || found;
}

static bool find_in_list(struct range_model *model, const struct tmm_fit_request *fit,
			 enum tmm_region_type type, u64 *start)
{
	bool found = false;
	unsigned int i;

	spin_lock(&model->lock);
	for (i = 0; i < model->layout.nr; i++) {
		if (model->layout.regions[i].type != type || (found && !fit->from_top))
			continue;
		found |= find_in_gaps(model, fit, &model->layout.regions[i], start);
	}
	spin_unlock(&model->lock);
	return found;
}

static const struct range_model_ops list_ops = {
	.claim = claim_run,
	.release = release_run,
	.split = split_run,
	.is_free = is_run_free,
	.nr_owned = count_runs,
	.find = find_in_list,
};

void model_init_list(struct kunit *test, struct range_model *model, struct model_layout layout)
{
	model->layout = layout;
	model->ops = &list_ops;
	spin_lock_init(&model->lock);
	INIT_LIST_HEAD(&model->runs);
	model->by_owner = tmm_test_kvzalloc(test, MODEL_NR_OWNERS * sizeof(*model->by_owner));
}

static int foretell_at(struct range_model *model, const struct tmm_allocation_request *req)
{
	const struct model_region *region = model_region_of(&model->layout, req->at);

	if (!region || (req->general_only && (region->type == TMM_REGION_KERNEL ||
					      region->type == TMM_REGION_DESIGNATED)))
		return -ERANGE;
	if (!model->ops->is_free(model, req->at, 1))
		return -EADDRINUSE;
	if (req->nr > region->end - req->at || !model->ops->is_free(model, req->at, req->nr))
		return -EADDRNOTAVAIL;
	return req->general_only && region->type != TMM_REGION_GENERAL ? -EOPNOTSUPP : 0;
}

/* Does a region that the request may use have a chunk within the bounds of the request? */
static bool touches_region(const struct model_layout *layout,
			   const struct tmm_allocation_request *req)
{
	unsigned int i;

	for (i = 0; i < layout->nr; i++) {
		const struct model_region *region = &layout->regions[i];

		if (region->type == TMM_REGION_RESERVED ||
		    (req->general_only && region->type != TMM_REGION_GENERAL))
			continue;
		if (req->min < region->end && req->max >= region->first)
			return true;
	}
	return false;
}

static int foretell_fit(struct range_model *model, const struct tmm_allocation_request *req,
			u64 *start)
{
	const u64 align = req->align ?: 1;
	const struct tmm_fit_request fit = {
		.nr = req->nr + req->behind,
		.align = align,
		.min = req->min,
		.end = req->max == U64_MAX ? U64_MAX : req->max + 1,
		.from_top = align >= tmm_page_size_4k_pages(TMM_2M),
	};
	bool found;

	found = model->ops->find(model, &fit, TMM_REGION_GENERAL, start);
	if (!found && !req->general_only)
		found = model->ops->find(model, &fit, TMM_REGION_KERNEL, start) ||
			model->ops->find(model, &fit, TMM_REGION_DESIGNATED, start);
	if (found)
		*start += req->behind;
	if (found)
		return 0;
	if (!req->min && req->max == U64_MAX)
		return -ENOSPC;
	return touches_region(&model->layout, req) ? -ENOSPC : -ERANGE;
}

int model_foretell(struct range_model *model, const struct tmm_allocation_request *req, u64 *start)
{
	if (!req->nr || (!req->is_at && req->min > req->max))
		return -EINVAL;
	if (req->is_at && req->at + req->nr < req->at)
		return -EOVERFLOW;
	*start = req->at;
	return req->is_at ? foretell_at(model, req) : foretell_fit(model, req, start);
}
