// SPDX-License-Identifier: GPL-2.0
#include "alloc/range_request.h"

#include "alloc/account.h"
#include "core/bug.h"
#include "core/compat.h"
#include "core/page.h"

#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/overflow.h>
#include <linux/string.h>

static void free_spares(struct tmm_range_allocator *ra, struct tmm_chunk *spare[2])
{
	tmm_range_allocator_free_object(ra, spare[0]);
	tmm_range_allocator_free_object(ra, spare[1]);
}

static int new_spares(struct tmm_range_allocator *ra, struct tmm_chunk *spare[2], unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		spare[i] = tmm_range_allocator_new_object(ra);
		if (!spare[i]) {
			free_spares(ra, spare);
			return -ENOMEM;
		}
	}
	return 0;
}

/* Take a run, all of which is free. */
static struct tmm_chunk *take_run(struct tmm_range_allocator *ra, struct tmm_range_region *region,
				  u64 start, u64 nr, struct tmm_chunk *spare[2])
{
	struct tmm_chunk *chunk;

	lockdep_assert_held(&ra->lock);
	chunk = tmm_free_ranges_take(&region->free, start, nr, spare);
	if (ra->hooks->taken)
		ra->hooks->taken(region, start, nr);
	return chunk;
}

/*
 * Charge the account, then take the run. The charge comes after the search. A charge for a run
 * that is not found would take room from other clients, and undoing the charge would wake these
 * clients. check_request() refuses a request that exceeds a limit before the search.
 */
static struct tmm_chunk *charge_and_take(struct tmm_range_allocator *ra,
					 const struct tmm_allocation_request *req,
					 struct tmm_range_region *region, u64 start,
					 struct tmm_chunk *spare[2])
{
	struct tmm_chunk *chunk;
	int err;

	err = tmm_account_charge(req->account, ra->hooks->resource, req->nr);
	if (err)
		return ERR_PTR(err);
	chunk = take_run(ra, region, start, req->nr, spare);
	chunk->account = tmm_account_get(req->account);
	return chunk;
}

static int find_at(struct tmm_range_allocator *ra, const struct tmm_allocation_request *req,
		   struct tmm_range_region **region)
{
	struct tmm_range_region *found = tmm_range_allocator_region_at(ra, req->at);
	struct tmm_chunk *range;

	if (!found)
		return -ERANGE;
	if (found->is_closed)
		return -ENODEV;
	if (req->general_only &&
	    (found->type == TMM_REGION_KERNEL || found->type == TMM_REGION_DESIGNATED))
		return -ERANGE;
	range = tmm_free_ranges_at(&found->free, req->at);
	if (!range)
		return -EADDRINUSE;
	if (tmm_chunk_end(range) - req->at < req->nr)
		return -EADDRNOTAVAIL;
	if (req->general_only && found->type != TMM_REGION_GENERAL)
		return -EOPNOTSUPP;
	*region = found;
	return 0;
}

static bool find_in_region(const struct tmm_range_region *region,
			   const struct tmm_fit_request *fit, u64 *start)
{
	struct tmm_fit_request here = *fit;

	here.from_top ^= region->is_reversed;
	return tmm_free_ranges_find(&region->free, &here, start);
}

static bool find_in_type(struct tmm_range_allocator *ra, const struct tmm_fit_request *fit,
			 enum tmm_region_type type, struct tmm_range_region **found, u64 *start)
{
	struct tmm_range_region *region;

	if (fit->from_top) {
		list_for_each_entry_reverse(region, &ra->regions, link)
			if (region->type == type && find_in_region(region, fit, start))
				goto found;
	} else {
		list_for_each_entry(region, &ra->regions, link)
			if (region->type == type && find_in_region(region, fit, start))
				goto found;
	}
	return false;
found:
	*found = region;
	return true;
}

static bool touches_a_region(struct tmm_range_allocator *ra, const struct tmm_fit_request *fit,
			     bool general_only)
{
	struct tmm_range_region *region;

	list_for_each_entry(region, &ra->regions, link) {
		if (region->type == TMM_REGION_RESERVED ||
		    (general_only && region->type != TMM_REGION_GENERAL))
			continue;
		if (region->first < fit->end && fit->min < region->first + region->nr)
			return true;
	}
	return false;
}

static int find_fit(struct tmm_range_allocator *ra, const struct tmm_allocation_request *req,
		    struct tmm_range_region **region, u64 *start)
{
	struct tmm_fit_request fit = {
		.nr = req->nr + req->behind,
		.align = req->align ?: 1,
		.min = req->min,
		.end = req->max == U64_MAX ? U64_MAX : req->max + 1,
	};

	fit.from_top = fit.align >= tmm_page_size_4k_pages(TMM_2M);
	if (find_in_type(ra, &fit, TMM_REGION_GENERAL, region, start))
		return 0;
	if (!req->general_only && (find_in_type(ra, &fit, TMM_REGION_KERNEL, region, start) ||
				   find_in_type(ra, &fit, TMM_REGION_DESIGNATED, region, start)))
		return 0;
	/* -ERANGE is possible only if the caller asked for a range. */
	if (!req->min && req->max == U64_MAX)
		return -ENOSPC;
	return touches_a_region(ra, &fit, req->general_only) ? -ENOSPC : -ERANGE;
}

static int check_numbers(const struct tmm_allocation_request *req)
{
	u64 end;

	if (!req->nr)
		return -EINVAL;
	if (req->nr == TMM_TOO_MANY)
		return -EOVERFLOW;
	if (check_add_overflow(req->is_at ? req->at : req->behind, req->nr, &end))
		return -EOVERFLOW;
	if (req->is_at)
		return 0;
	return req->min > req->max ? -EINVAL : 0;
}

static int check_request(const struct tmm_range_allocator *ra,
			 const struct tmm_allocation_request *req)
{
	int err;

	err = check_numbers(req);
	if (err)
		return err;
	return tmm_account_check(req->account, ra->hooks->resource, req->nr, 0);
}

static int find_run(struct tmm_range_allocator *ra, const struct tmm_allocation_request *req,
		    struct tmm_range_region **region, u64 *start)
{
	int err;

	lockdep_assert_held(&ra->lock);
	if (req->is_at) {
		*start = req->at;
		return find_at(ra, req, region);
	}
	err = find_fit(ra, req, region, start);
	if (err == -ENOSPC)
		tmm_account_note_refusal(req->account, ra->hooks->resource);
	if (err)
		return err;
	*start += req->behind;
	return 0;
}

/*
 * Take a run of chunks. @region is valid on success only. O(log n) in the free ranges of a
 * region, except for alignments that are not indexed (see tmm_free_ranges_find()); O(n) in
 * regions. A run of more than TMM_MAX_RUN chunks can be allocated by address only. May sleep.
 * Takes and releases the allocator's lock. Return:
 *
 * * the run                 - the caller gives the run back with tmm_range_request_release()
 * * ERR_PTR(-EINVAL)        - no chunks, or a range that ends before its start
 * * ERR_PTR(-EOVERFLOW)     - the run would wrap around, or the count is TMM_TOO_MANY
 * * ERR_PTR(-ERANGE)        - no region that may be used contains the address, or a part of
 *   the range
 * * ERR_PTR(-EOPNOTSUPP)    - the run is free, but reserved, and @general_only is set
 * * ERR_PTR(-ENODEV)        - the region that contains the address is closed
 * * ERR_PTR(-EADDRINUSE)    - the chunk at the address is owned
 * * ERR_PTR(-EADDRNOTAVAIL) - the chunk at the address is free, but a later one is not
 * * ERR_PTR(-ENOSPC)        - no free range is large enough
 * * ERR_PTR(-EDQUOT)        - the run exceeds a limit of the account
 * * ERR_PTR(-ENOMEM)        - the kernel heap is exhausted
 */
struct tmm_chunk *tmm_range_request_allocate(struct tmm_range_allocator *ra,
					     const struct tmm_allocation_request *req,
					     struct tmm_range_region **region)
{
	const bool is_anywhere = !req->is_at && req->align <= 1 && !req->behind && !req->min &&
				 req->max == U64_MAX;
	struct tmm_chunk *spare[2] = {};
	struct tmm_chunk *chunk;
	u64 start;
	int err;

	err = check_request(ra, req);
	if (err)
		return ERR_PTR(err);
	/* A run in the middle of a free range needs two objects, a run at an end only one. */
	err = new_spares(ra, spare, is_anywhere ? 1 : 2);
	if (err)
		return ERR_PTR(err);

	spin_lock(&ra->lock);
	err = find_run(ra, req, region, &start);
	chunk = err ? ERR_PTR(err) : charge_and_take(ra, req, *region, start, spare);
	spin_unlock(&ra->lock);

	free_spares(ra, spare);
	return chunk;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_range_request_allocate);

/*
 * Number of objects needed to take a run: one for each side of the run on which chunks stay
 * free.
 */
static unsigned int nr_spares_for(const struct tmm_range_region *region, u64 start, u64 nr)
{
	const struct tmm_chunk *range = tmm_free_ranges_at(&region->free, start);

	return (range->start < start) + (start + nr < tmm_chunk_end(range));
}

/* Take a free run with objects of the reserve. After an error the reserve is unchanged. */
static struct tmm_chunk *take_by_reserve(struct tmm_range_allocator *ra,
					 const struct tmm_allocation_request *req,
					 struct tmm_range_region *region, u64 start,
					 struct tmm_deferred_action *action)
{
	unsigned int nr_spares = nr_spares_for(region, start, req->nr);
	struct tmm_chunk *left = ra->reserve;
	struct tmm_chunk *spare[2] = {};
	struct tmm_chunk *chunk;
	unsigned int i;

	lockdep_assert_held(&ra->lock);
	if (ra->nr_reserve < nr_spares)
		return ERR_PTR(-ENOMEM);
	for (i = 0; i < nr_spares; i++) {
		spare[i] = left;
		left = left->next;
	}
	chunk = charge_and_take(ra, req, region, start, spare);
	if (IS_ERR(chunk))
		return chunk;
	ra->reserve = left;
	ra->nr_reserve -= nr_spares;
	action->ra = ra;
	action->nr_owed = nr_spares;
	return chunk;
}

/*
 * Take a run of chunks without allocating memory. @action must be finished or all zeros.
 * @region and @action are set on success only. The objects come from the allocator's reserve,
 * which tmm_deferred_action_finish() refills. The rest of the free range stays free.
 *
 * Not in interrupts. Takes and releases the allocator's lock. Return: the run, an error of
 * tmm_range_request_allocate(), or ERR_PTR(-EBUSY) if @action is not finished. ERR_PTR(-ENOMEM)
 * means that unfinished actions have used up the reserve (finish an action), or that @ra does
 * not use the heap yet.
 *
 * Theseus: allocate_pages_deferred(), allocate_frames_deferred()
 */
struct tmm_chunk *tmm_range_request_allocate_deferred(struct tmm_range_allocator *ra,
						      const struct tmm_allocation_request *req,
						      struct tmm_range_region **region,
						      struct tmm_deferred_action *action)
{
	struct tmm_range_region *found;
	struct tmm_chunk *chunk;
	u64 start;
	int err;

	if (action->nr_owed)
		return ERR_PTR(-EBUSY);
	err = check_request(ra, req);
	if (err)
		return ERR_PTR(err);
	spin_lock(&ra->lock);
	err = find_run(ra, req, &found, &start);
	chunk = err ? ERR_PTR(err) : take_by_reserve(ra, req, found, start, action);
	spin_unlock(&ra->lock);
	if (!IS_ERR(chunk))
		*region = found;
	return chunk;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_range_request_allocate_deferred);

/**
 * tmm_deferred_action_finish() - refill the reserve after a deferred allocation
 * @action: finished afterwards; may be finished already, or all zeros
 *
 * Cannot fail: the function waits until the kernel heap has room for two objects.
 *
 * Context: Process context, may sleep. Takes and releases the allocator's lock.
 */
void tmm_deferred_action_finish(struct tmm_deferred_action *action)
{
	for (; action->nr_owed; action->nr_owed--)
		tmm_range_allocator_give_reserve(action->ra,
						 tmm_chunk_cache_new_nofail(&action->ra->objects));
}
EXPORT_SYMBOL_TMM(tmm_deferred_action_finish);

static bool lies_within(const struct tmm_allocation_request *req, const struct tmm_chunk *chunk)
{
	return req->is_at && req->nr && req->nr <= chunk->nr && req->at >= chunk->start &&
	       req->at - chunk->start <= chunk->nr - req->nr;
}

static int choose_run(struct tmm_range_allocator *ra, tmm_range_inspect_fn inspect, void *context,
		      struct tmm_range_region **chosen, struct tmm_allocation_request *req)
{
	struct tmm_range_region *region;
	struct tmm_chunk *chunk;

	lockdep_assert_held(&ra->lock);
	list_for_each_entry(region, &ra->regions, link) {
		if (region->type != TMM_REGION_GENERAL)
			continue;
		for (chunk = tmm_free_ranges_first(&region->free); chunk;
		     chunk = tmm_free_ranges_next(chunk)) {
			memset(req, 0, sizeof(*req));
			if (!inspect(region, chunk, context, req))
				continue;
			*chosen = region;
			return lies_within(req, chunk) ? 0 : -EINVAL;
		}
	}
	return -ENOENT;
}

/*
 * Let @inspect choose a run, and set @region on success only. @inspect is called for the free
 * runs of general regions, lowest first, until @inspect chooses one. @inspect must neither
 * sleep nor call the allocator. May sleep. Takes and releases the allocator's lock. O(free
 * ranges) under the lock. Return: the run; ERR_PTR(-ENOENT) if @inspect chose no run,
 * ERR_PTR(-EINVAL) if the chosen chunks are not within the run that @inspect was shown, or
 * ERR_PTR(-ENOMEM).
 */
struct tmm_chunk *tmm_range_request_inspect_then_allocate(struct tmm_range_allocator *ra,
							  tmm_range_inspect_fn inspect,
							  void *context,
							  struct tmm_range_region **region)
{
	struct tmm_range_region *chosen;
	struct tmm_allocation_request req;
	struct tmm_chunk *spare[2] = {};
	struct tmm_chunk *chunk;
	int err;

	err = new_spares(ra, spare, 2);
	if (err)
		return ERR_PTR(err);
	spin_lock(&ra->lock);
	err = choose_run(ra, inspect, context, &chosen, &req);
	chunk = err ? ERR_PTR(err) : take_run(ra, chosen, req.at, req.nr, spare);
	spin_unlock(&ra->lock);
	free_spares(ra, spare);
	if (!IS_ERR(chunk))
		*region = chosen;
	return chunk;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_range_request_inspect_then_allocate);

/*
 * Take one chunk of a general region, without an object. @spare has unlinked chunk objects, the
 * first not NULL. Objects that are used are set to NULL, and an object that becomes unused may
 * be stored there. @region and @number are set on success only. All chunk objects are alike, so
 * a caller that keeps one object for every chunk can always give the chunks back. The caller
 * holds the allocator's lock. Return: 0, or -ENOSPC if all general regions are exhausted.
 */
int tmm_range_request_take_one(struct tmm_range_allocator *ra, struct tmm_chunk *spare[2],
			       struct tmm_range_region **region, u64 *number)
{
	struct tmm_fit_request fit = { .nr = 1, .align = 1, .end = U64_MAX };
	struct tmm_chunk *chunk;

	lockdep_assert_held(&ra->lock);
	if (!find_in_type(ra, &fit, TMM_REGION_GENERAL, region, number))
		return -ENOSPC;
	/* The run is at an end of a free range, so one spare object is enough. */
	chunk = tmm_free_ranges_take(&(*region)->free, *number, 1, spare);
	if (spare[0])
		spare[1] = chunk;
	else
		spare[0] = chunk;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_range_request_take_one);

static int give_run(struct tmm_range_allocator *ra, struct tmm_range_region *region,
		    struct tmm_chunk *chunk, struct tmm_chunk *absorbed[2])
{
	const u64 start = chunk->start, nr = chunk->nr;
	int err;

	lockdep_assert_held(&ra->lock);
	if (ra->hooks->given) {
		err = ra->hooks->given(region, start, nr);
		if (err)
			return err;
	}
	err = tmm_free_ranges_give(&region->free, chunk, absorbed);
	if (err)
		return err;
	if (ra->hooks->came_back)
		ra->hooks->came_back(ra, region, start, nr);
	return 0;
}

/*
 * Give a run back; @chunk is consumed. An empty run is only freed. Cannot fail and needs no
 * memory. The run's account is uncharged, and clients that wait for such runs, or for room
 * under a limit, are woken.
 *
 * The hooks refuse the run if their bookkeeping contradicts the run, which is a bug of this
 * module. Then the run stays owned for ever, so that the run never has two owners. Not in
 * interrupts. Takes and releases the allocator's lock. O(log n).
 */
void tmm_range_request_release(struct tmm_range_allocator *ra, struct tmm_range_region *region,
			       struct tmm_chunk *chunk)
{
	struct tmm_account *account = chunk->account;
	struct tmm_chunk *absorbed[2] = {};
	const u64 nr = chunk->nr;
	int err;

	if (!nr) {
		tmm_range_allocator_free_object(ra, chunk);
		return;
	}
	chunk->account = NULL;
	spin_lock(&ra->lock);
	err = give_run(ra, region, chunk, absorbed);
	spin_unlock(&ra->lock);
	TMM_BUG_IF(err);
	free_spares(ra, absorbed);
	tmm_account_uncharge(account, ra->hooks->resource, nr);
	tmm_account_put(account);
	tmm_waiters_note(ra->hooks->resource);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_range_request_release);
