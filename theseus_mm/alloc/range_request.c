// SPDX-License-Identifier: GPL-2.0
#include "alloc/range_request.h"

#include "alloc/account.h"
#include "alloc/magazine.h"
#include "alloc/magazine_fill.h"
#include "alloc/range_search.h"
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
#include <linux/sched.h>
#include <linux/sched/signal.h>
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
	chunk = tmm_free_set_take(&region->free, start, nr, spare);
	if (ra->hooks->taken)
		ra->hooks->taken(region, start, nr);
	return chunk;
}

/* Take a run for which the account has been charged. */
static struct tmm_chunk *take_charged(struct tmm_range_allocator *ra,
				      const struct tmm_allocation_request *req,
				      struct tmm_range_region *region, u64 start,
				      struct tmm_chunk *spare[2])
{
	struct tmm_chunk *chunk = take_run(ra, region, start, req->nr, spare);

	chunk->account = tmm_account_get(req->account);
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
	int err;

	err = tmm_account_charge(req->account, ra->hooks->resource, req->nr);
	if (err)
		return ERR_PTR(err);
	return take_charged(ra, req, region, start, spare);
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

/* Number of objects that are enough to take any run that @req may get. */
static unsigned int nr_spares_of(const struct tmm_range_allocator *ra,
				 const struct tmm_allocation_request *req)
{
	/* A run in the middle of a range of pages needs two objects, a run at an end only one. */
	const bool is_at_end = !req->is_at && req->align <= 1 && !req->behind && !req->min &&
			       req->max == U64_MAX;

	return ra->hooks->has_maps || is_at_end ? 1 : 2;
}

/*
 * Search the free set. If @in_use, magazines may have chunks of general regions that the free set
 * lacks. Only a request that does not fit in the general regions may have a run of another region.
 * So while magazines are @in_use, the function refuses such a run with -ENOSPC.
 */
static int search_set(struct tmm_range_allocator *ra, const struct tmm_allocation_request *req,
		      bool in_use, struct tmm_range_search *search,
		      struct tmm_range_region **region, u64 *start)
{
	int err;

	err = tmm_range_search_run(ra, req, search, region, start);
	if (!err && in_use && !req->is_at && (*region)->type != TMM_REGION_GENERAL)
		return -ENOSPC;
	return err;
}

/* Search the free set for a run, and take the run. For @in_use and errors, see search_set(). */
static struct tmm_chunk *allocate_from_set(struct tmm_range_allocator *ra,
					   const struct tmm_allocation_request *req, bool in_use,
					   struct tmm_range_region **region)
{
	struct tmm_range_search search = tmm_range_search_for(req);
	struct tmm_chunk *spare[2] = {};
	struct tmm_chunk *chunk;
	u64 start;
	int err;

	err = new_spares(ra, spare, nr_spares_of(ra, req));
	if (err)
		return ERR_PTR(err);
	for (;;) {
		spin_lock(&ra->lock);
		err = search_set(ra, req, in_use, &search, region, &start);
		chunk = err ? ERR_PTR(err) : charge_and_take(ra, req, *region, start, spare);
		spin_unlock(&ra->lock);
		if (err != -EAGAIN)
			break;
		if (fatal_signal_pending(current)) {
			chunk = ERR_PTR(-EINTR);
			break;
		}
		cond_resched();
	}
	free_spares(ra, spare);
	return chunk;
}

/* True if chunks in magazines may be all that a request lacks. */
static bool is_lack(struct tmm_range_allocator *ra, const struct tmm_chunk *chunk)
{
	return ra->magazines.each &&
	       (chunk == ERR_PTR(-ENOSPC) || chunk == ERR_PTR(-EADDRINUSE) ||
		chunk == ERR_PTR(-EADDRNOTAVAIL));
}

static bool is_single_anywhere(const struct tmm_allocation_request *req)
{
	return req->nr == 1 && !req->is_at && req->align <= 1 && !req->behind && !req->min &&
	       req->max == U64_MAX;
}

/* Serve a request from the free set. Return: as tmm_range_request_allocate() */
static struct tmm_chunk *allocate_searched(struct tmm_range_allocator *ra,
					   const struct tmm_allocation_request *req,
					   struct tmm_range_region **region)
{
	struct tmm_chunk *chunk;
	int err;

	err = check_request(ra, req);
	if (err)
		return ERR_PTR(err);
	chunk = allocate_from_set(ra, req, ra->magazines.each, region);
	if (is_lack(ra, chunk)) {
		tmm_magazines_open_drain(ra);
		chunk = allocate_from_set(ra, req, false, region);
		tmm_magazines_close_drain(ra);
	}
	if (chunk == ERR_PTR(-ENOSPC))
		tmm_account_note_refusal(req->account, ra->hooks->resource);
	return chunk;
}

/* Fill the magazine of this CPU, and take a chunk. Return: as tmm_magazine_take() */
static noinline struct tmm_chunk *fill_and_take(struct tmm_range_allocator *ra,
						struct tmm_account *account,
						struct tmm_range_region **region)
{
	if (atomic_read(&ra->magazines.nr_drains))
		return NULL;
	tmm_magazine_fill(ra);
	return tmm_magazine_take(ra, account, region);
}

/*
 * Take a run of chunks. @region is valid on success only. O(log n) in the free runs of a region for
 * an alignment of 4 KiB, and for 2 MiB and 1 GiB: for frames if the length is a multiple of the
 * alignment. O(log n) for all others if one of the first runs fits, or a run that fits at any
 * alignment is free. Otherwise the function tries the runs in turn, and releases the lock after
 * every TMM_FIT_TRIES runs. O(n) in regions. A run of more than TMM_MAX_RUN chunks can be allocated
 * by address only. A chunk anywhere comes from the magazine of the CPU, in O(1), if the allocator
 * has magazines. May sleep. Takes and releases the locks of the magazines and of the allocator.
 * Return:
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
 * * ERR_PTR(-EINTR)         - the task was killed during a long search
 */
struct tmm_chunk *tmm_range_request_allocate(struct tmm_range_allocator *ra,
					     const struct tmm_allocation_request *req,
					     struct tmm_range_region **region)
{
	struct tmm_chunk *chunk;

	if (ra->magazines.each && is_single_anywhere(req)) {
		chunk = tmm_magazine_take(ra, req->account, region) ?:
			fill_and_take(ra, req->account, region);
		if (chunk)
			return chunk;
	}
	return allocate_searched(ra, req, region);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_range_request_allocate);

/*
 * Serve a request for one chunk from the free set. Compilers clear the request on the stack, which
 * is too much work for the short path.
 */
static noinline struct tmm_chunk *search_general(struct tmm_range_allocator *ra,
						 struct tmm_account *account,
						 struct tmm_range_region **region)
{
	struct tmm_allocation_request req = tmm_request_any(1);

	req.general_only = true;
	req.account = account;
	return allocate_searched(ra, &req, region);
}

/*
 * Do what tmm_range_request_allocate() does, for one chunk anywhere in a general region. O(1) if
 * the magazine of the CPU has a chunk.
 */
struct tmm_chunk *tmm_range_request_allocate_one(struct tmm_range_allocator *ra,
						 struct tmm_account *account,
						 struct tmm_range_region **region)
{
	struct tmm_chunk *chunk;

	if (likely(ra->magazines.each)) {
		chunk = tmm_magazine_take(ra, account, region);
		if (likely(chunk))
			return chunk;
		chunk = fill_and_take(ra, account, region);
		if (chunk)
			return chunk;
	}
	return search_general(ra, account, region);
}

/* Take a free run with objects of the reserve. After an error the reserve is unchanged. */
static struct tmm_chunk *take_by_reserve(struct tmm_range_allocator *ra,
					 const struct tmm_allocation_request *req,
					 struct tmm_range_region *region, u64 start,
					 struct tmm_deferred_action *action)
{
	unsigned int nr_spares = tmm_free_set_nr_spares(&region->free, start, req->nr);
	struct tmm_chunk *spare[2] = {};
	struct tmm_chunk *chunk;
	unsigned int i;
	int err;

	lockdep_assert_held(&ra->lock);
	if (ra->nr_reserve < nr_spares)
		return ERR_PTR(-ENOMEM);
	err = tmm_account_charge(req->account, ra->hooks->resource, req->nr);
	if (err)
		return ERR_PTR(err);
	for (i = 0; i < nr_spares; i++)
		spare[i] = tmm_range_allocator_take_reserve(ra);
	chunk = take_charged(ra, req, region, start, spare);
	action->ra = ra;
	action->nr_owed = nr_spares;
	return chunk;
}

/* Pieces of a search for a deferred allocation, each of up to TMM_FIT_TRIES runs */
#define MAX_DEFERRED_PIECES	64

/* As allocate_from_set(), for a deferred request. */
static struct tmm_chunk *allocate_by_reserve(struct tmm_range_allocator *ra,
					     const struct tmm_allocation_request *req, bool in_use,
					     struct tmm_range_region **region,
					     struct tmm_deferred_action *action)
{
	struct tmm_range_search search = tmm_range_search_for(req);
	struct tmm_range_region *found;
	unsigned int nr_pieces = 0;
	struct tmm_chunk *chunk;
	u64 start;
	int err;

	do {
		spin_lock(&ra->lock);
		err = search_set(ra, req, in_use, &search, &found, &start);
		chunk = err ? ERR_PTR(err) : take_by_reserve(ra, req, found, start, action);
		spin_unlock(&ra->lock);
	} while (err == -EAGAIN && ++nr_pieces < MAX_DEFERRED_PIECES);
	if (err == -EAGAIN)
		return ERR_PTR(-ENOSPC);
	if (!IS_ERR(chunk))
		*region = found;
	return chunk;
}

/*
 * Take a run of chunks without allocating memory. @action must be finished or all zeros.
 * @region and @action are set on success only. The objects come from the allocator's reserve,
 * which tmm_deferred_action_finish() refills. The rest of the free range stays free.
 *
 * Not in interrupts. Takes and releases the locks of the allocator and of its magazines. The caller
 * may hold a spinlock, so the search neither sleeps nor goes on for ever: after MAX_DEFERRED_PIECES
 * pieces the request is refused with -ENOSPC. If the free set lacks the run, the function empties
 * the magazines of all CPUs, and searches once more. Return: the run, an error of
 * tmm_range_request_allocate(), or ERR_PTR(-EBUSY) if @action is not finished. ERR_PTR(-ENOMEM)
 * means that unfinished actions have used up the reserve (finish an action), or that @ra does not
 * use the heap yet.
 *
 * Theseus: allocate_pages_deferred(), allocate_frames_deferred()
 */
struct tmm_chunk *tmm_range_request_allocate_deferred(struct tmm_range_allocator *ra,
						      const struct tmm_allocation_request *req,
						      struct tmm_range_region **region,
						      struct tmm_deferred_action *action)
{
	struct tmm_chunk *chunk;
	int err;

	if (action->nr_owed)
		return ERR_PTR(-EBUSY);
	err = check_request(ra, req);
	if (err)
		return ERR_PTR(err);
	chunk = allocate_by_reserve(ra, req, ra->magazines.each, region, action);
	if (is_lack(ra, chunk)) {
		tmm_magazines_open_drain_atomic(ra);
		chunk = allocate_by_reserve(ra, req, false, region, action);
		tmm_magazines_close_drain(ra);
	}
	if (chunk == ERR_PTR(-ENOSPC))
		tmm_account_note_refusal(req->account, ra->hooks->resource);
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

static bool lies_within(const struct tmm_allocation_request *req, const struct tmm_chunk *run)
{
	return req->is_at && req->nr && req->nr <= run->nr && req->at >= run->start &&
	       req->at - run->start <= run->nr - req->nr;
}

static int choose_run(struct tmm_range_allocator *ra, tmm_range_inspect_fn inspect, void *context,
		      struct tmm_range_region **chosen, struct tmm_allocation_request *req)
{
	struct tmm_range_region *region;
	struct tmm_chunk run = {};
	u64 end;

	lockdep_assert_held(&ra->lock);
	list_for_each_entry(region, &ra->regions, link) {
		if (region->type != TMM_REGION_GENERAL)
			continue;
		end = region->first;
		while (tmm_free_set_next_run(&region->free, end, &run.start, &end)) {
			run.nr = end - run.start;
			memset(req, 0, sizeof(*req));
			if (!inspect(region, &run, context, req))
				continue;
			*chosen = region;
			return lies_within(req, &run) ? 0 : -EINVAL;
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

	err = new_spares(ra, spare, ra->hooks->has_maps ? 1 : 2);
	if (err)
		return ERR_PTR(err);
	tmm_magazines_open_drain(ra);
	spin_lock(&ra->lock);
	err = choose_run(ra, inspect, context, &chosen, &req);
	chunk = err ? ERR_PTR(err) : take_run(ra, chosen, req.at, req.nr, spare);
	spin_unlock(&ra->lock);
	tmm_magazines_close_drain(ra);
	free_spares(ra, spare);
	if (!IS_ERR(chunk))
		*region = chosen;
	return chunk;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_range_request_inspect_then_allocate);

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
	err = tmm_free_set_give(&region->free, chunk, absorbed);
	if (err)
		return err;
	if (ra->hooks->came_back)
		ra->hooks->came_back(ra, region, start, nr);
	return 0;
}

static noinline void give_to_set(struct tmm_range_allocator *ra, struct tmm_range_region *region,
				 struct tmm_chunk *chunk)
{
	struct tmm_chunk *absorbed[2] = {};
	int err;

	spin_lock(&ra->lock);
	err = give_run(ra, region, chunk, absorbed);
	spin_unlock(&ra->lock);
	TMM_BUG_IF(err);
	free_spares(ra, absorbed);
}

/*
 * Give a run back; @chunk is consumed. An empty run is only freed. Cannot fail and needs no
 * memory. The run's account is uncharged, and clients that wait for such runs, or for room
 * under a limit, are woken.
 *
 * The hooks refuse the run if their bookkeeping contradicts the run, which is a bug of this
 * module. Then the run stays owned for ever, so that the run never has two owners. Not in
 * interrupts. Takes and releases the locks of a magazine and of the allocator. O(log n); O(1) for a
 * single chunk that goes to a magazine.
 */
void tmm_range_request_release(struct tmm_range_allocator *ra, struct tmm_range_region *region,
			       struct tmm_chunk *chunk)
{
	struct tmm_account *account = chunk->account;
	const u64 nr = chunk->nr;

	if (!nr) {
		tmm_range_allocator_free_object(ra, chunk);
		return;
	}
	chunk->account = NULL;
	if (nr != 1 || !ra->magazines.each || !tmm_magazine_put(ra, region, chunk))
		give_to_set(ra, region, chunk);
	if (!account) {
		tmm_waiters_note(ra->hooks->resource);
		return;
	}
	/* The uncharge notes the release. */
	tmm_account_uncharge(account, ra->hooks->resource, nr);
	tmm_account_put(account);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_range_request_release);
