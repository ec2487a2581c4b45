// SPDX-License-Identifier: GPL-2.0
#include "alloc/free_ranges.h"

#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/rbtree_augmented.h>
#include <linux/string.h>

static struct tmm_range_node *node_of(struct tmm_chunk *chunk)
{
	return container_of(chunk, struct tmm_range_node, chunk);
}

static struct tmm_range_node *node_at(struct rb_node *rb)
{
	return rb_entry(rb, struct tmm_range_node, rb);
}

static struct tmm_chunk *chunk_of(struct rb_node *rb)
{
	return rb ? &node_at(rb)->chunk : NULL;
}

/* Longest run within one range that starts at a multiple of @size. */
static u32 own_fit(const struct tmm_chunk *chunk, enum tmm_page_size size)
{
	u64 start = ((chunk->start - 1) | (tmm_page_size_4k_pages(size) - 1)) + 1;

	return start < tmm_chunk_end(chunk) ? min(tmm_chunk_end(chunk) - start, TMM_MAX_RUN) : 0;
}

/* Longest run below @rb that starts at a multiple of @size. */
static u32 subtree_fit(struct rb_node *rb, enum tmm_page_size size)
{
	return rb ? node_at(rb)->fits.len[size] : 0;
}

/*
 * Recompute the index of one node from its range and its children. The result is true if
 * @may_stop is set and the index has not changed, so that the parents of the node need no
 * update.
 */
static bool update_fits(struct tmm_range_node *node, bool may_stop)
{
	enum tmm_page_size size;
	bool same = may_stop;

	for (size = TMM_4K; size < TMM_NR_PAGE_SIZES; size++) {
		u32 len = max3(own_fit(&node->chunk, size), subtree_fit(node->rb.rb_left, size),
			       subtree_fit(node->rb.rb_right, size));

		same = same && node->fits.len[size] == len;
		node->fits.len[size] = len;
	}
	return same;
}

RB_DECLARE_CALLBACKS(static, fits_callbacks, struct tmm_range_node, rb, fits, update_fits)

static void link_chunk(struct tmm_free_ranges *set, struct tmm_chunk *chunk, struct rb_node *parent,
		       struct rb_node **link)
{
	struct tmm_range_node *node = node_of(chunk);

	rb_link_node(&node->rb, parent, link);
	update_fits(node, false);
	fits_callbacks_propagate(parent, NULL);
	rb_insert_augmented(&node->rb, &set->root, &fits_callbacks);
	set->nr_ranges++;
}

static void insert_chunk(struct tmm_free_ranges *set, struct tmm_chunk *chunk)
{
	struct rb_node **link = &set->root.rb_node;
	struct rb_node *parent = NULL;

	while (*link) {
		parent = *link;
		if (chunk->start < chunk_of(parent)->start)
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	link_chunk(set, chunk, parent, link);
}

static void unlink_chunk(struct tmm_free_ranges *set, struct tmm_chunk *chunk)
{
	rb_erase_augmented(&node_of(chunk)->rb, &set->root, &fits_callbacks);
	set->nr_ranges--;
}

/* Move the ends of a range, but not past its neighbours. */
static void resize_chunk(struct tmm_chunk *chunk, u64 start, u64 end)
{
	chunk->start = start;
	chunk->nr = end - start;
	fits_callbacks_propagate(&node_of(chunk)->rb, NULL);
}

/* The last range that starts at or before @number. */
static struct tmm_chunk *last_at_or_before(const struct tmm_free_ranges *set, u64 number)
{
	struct rb_node *node = set->root.rb_node;
	struct tmm_chunk *best = NULL;

	while (node) {
		struct tmm_chunk *chunk = chunk_of(node);

		if (chunk->start > number) {
			node = node->rb_left;
		} else {
			best = chunk;
			node = node->rb_right;
		}
	}
	return best;
}

/*
 * A search for a range that contains a run of @nr chunks or more, aligned to @size. The
 * candidates are the ranges that start at or after @min (lowest first), or end at or before
 * @end (highest first). Either search takes one descent to the boundary, one climb back, and
 * one descent into the first subtree that has a fit.
 */
struct search {
	const struct tmm_fit_request *req;
	enum tmm_page_size size;
};

static bool promises_fit(struct rb_node *node, const struct search *s)
{
	return subtree_fit(node, s->size) >= s->req->nr;
}

static bool fits_here(struct rb_node *node, const struct search *s)
{
	return own_fit(chunk_of(node), s->size) >= s->req->nr;
}

static struct rb_node *near_child(struct rb_node *node, const struct search *s)
{
	return s->req->from_top ? node->rb_right : node->rb_left;
}

static struct rb_node *far_child(struct rb_node *node, const struct search *s)
{
	return s->req->from_top ? node->rb_left : node->rb_right;
}

static bool in_bounds(struct rb_node *node, const struct search *s)
{
	const struct tmm_chunk *chunk = chunk_of(node);

	return s->req->from_top ? tmm_chunk_end(chunk) <= s->req->end : chunk->start >= s->req->min;
}

static struct rb_node *descend_to_fit(struct rb_node *node, const struct search *s)
{
	for (;;) {
		if (promises_fit(near_child(node, s), s)) {
			node = near_child(node, s);
			continue;
		}
		if (fits_here(node, s))
			return node;
		node = far_child(node, s);
	}
}

static struct tmm_chunk *search_from_boundary(const struct tmm_free_ranges *set,
					      const struct search *s)
{
	struct rb_node *node = set->root.rb_node;
	struct rb_node *below = NULL;
	struct rb_node *last = NULL;

	if (!promises_fit(node, s))
		return NULL;
	/* Descend along the boundary: all ranges in bounds hang off this path. */
	while (node) {
		last = node;
		node = in_bounds(node, s) ? near_child(node, s) : far_child(node, s);
	}
	/* Climb back, nearest range first. */
	for (node = last; node; below = node, node = rb_parent(node)) {
		if (below && below == far_child(node, s))
			continue;
		if (!in_bounds(node, s))
			continue;
		if (fits_here(node, s))
			return chunk_of(node);
		if (promises_fit(far_child(node, s), s))
			return chunk_of(descend_to_fit(far_child(node, s), s));
	}
	return NULL;
}

/* The range that crosses the boundary where the search starts, or NULL. */
static struct tmm_chunk *boundary_range(const struct tmm_free_ranges *set,
					const struct tmm_fit_request *req)
{
	u64 edge = req->from_top ? req->end : req->min;
	struct tmm_chunk *chunk = edge ? last_at_or_before(set, edge - 1) : NULL;

	return chunk && tmm_chunk_end(chunk) > edge ? chunk : NULL;
}

static bool find_indexed(const struct tmm_free_ranges *set, const struct search *s, u64 *start)
{
	struct tmm_chunk *chunk = boundary_range(set, s->req);

	if (chunk && tmm_fit_place(chunk->start, tmm_chunk_end(chunk), s->req, start))
		return true;
	/*
	 * Of the other ranges, the search tries only the first that is large enough. If the
	 * place in this range lies past the other bound, the places in all later ranges lie
	 * past the bound as well.
	 */
	chunk = search_from_boundary(set, s);
	return chunk && tmm_fit_place(chunk->start, tmm_chunk_end(chunk), s->req, start);
}

/* Set up an empty set. */
void tmm_free_ranges_init(struct tmm_free_ranges *set)
{
	*set = (struct tmm_free_ranges){ .root = RB_ROOT };
}
EXPORT_SYMBOL_IF_KUNIT(tmm_free_ranges_init);

/* See tmm_fit_next_fn. */
static bool next_run(const void *set, const struct tmm_fit_request *req, u64 *first, u64 *end)
{
	const struct tmm_fit_request any = {
		.nr = req->nr,
		.align = 1,
		.min = req->min,
		.end = req->end,
		.from_top = req->from_top,
	};
	const struct search s = { .req = &any, .size = TMM_4K };
	const struct tmm_chunk *chunk;
	u64 start;

	if (!find_indexed(set, &s, &start))
		return false;
	chunk = last_at_or_before(set, start);
	*first = max(chunk->start, req->min);
	*end = min(tmm_chunk_end(chunk), req->end);
	return true;
}

/* Search a range so long that the request fits in it wherever the range begins. */
static bool find_loose(const struct tmm_free_ranges *set, const struct tmm_fit_request *req,
		       u64 *start)
{
	struct tmm_fit_request loose = *req;
	u64 first, end;

	if (req->align > TMM_MAX_RUN - req->nr)
		return false;
	loose.nr = req->nr + req->align - 1;
	return next_run(set, &loose, &first, &end) && tmm_fit_place(first, end, req, start);
}

/* The page size that an alignment is, or TMM_NR_PAGE_SIZES if the alignment is not in the index. */
static enum tmm_page_size indexed_size(u64 align)
{
	enum tmm_page_size size = TMM_4K;

	while (size < TMM_NR_PAGE_SIZES && align != tmm_page_size_4k_pages(size))
		size++;
	return size;
}

/*
 * Find room for a request, and set @start on success only. O(log n) and exact for alignments of
 * 4 KiB, 2 MiB and 1 GiB, with or without bounds. For any other alignment, see alloc/fit.h: @cursor
 * is not set before the first call. Requests for more than TMM_MAX_RUN chunks never fit. The
 * caller holds the set's lock. Return: 0, -ENOSPC if the request does not fit, or -EAGAIN if the
 * search is not finished.
 */
int tmm_free_ranges_find(const struct tmm_free_ranges *set, const struct tmm_fit_request *req,
			 struct tmm_fit_cursor *cursor, u64 *start)
{
	const struct search s = { .req = req, .size = indexed_size(req->align) };
	const bool is_resumed = cursor->is_set;
	int err;

	if (req->nr > TMM_MAX_RUN)
		return -ENOSPC;
	if (s.size < TMM_NR_PAGE_SIZES)
		return find_indexed(set, &s, start) ? 0 : -ENOSPC;
	err = tmm_fit_try_runs(req, next_run, set, cursor, start);
	if (err == -EAGAIN && !is_resumed && find_loose(set, req, start))
		return 0;
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_free_ranges_find);

/*
 * The free range that contains a chunk, or NULL if the chunk is not free. The range still
 * belongs to the set, whose lock the caller holds. O(log n).
 */
struct tmm_chunk *tmm_free_ranges_at(const struct tmm_free_ranges *set, u64 number)
{
	struct tmm_chunk *chunk = last_at_or_before(set, number);

	return chunk && number < tmm_chunk_end(chunk) ? chunk : NULL;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_free_ranges_at);

/* The first free range that ends above @number, or NULL. O(log n). */
struct tmm_chunk *tmm_free_ranges_from(const struct tmm_free_ranges *set, u64 number)
{
	struct tmm_chunk *chunk = last_at_or_before(set, number);

	if (!chunk)
		return tmm_free_ranges_first(set);
	return number < tmm_chunk_end(chunk) ? chunk : tmm_free_ranges_next(chunk);
}

/*
 * Length of the longest free run that starts at a multiple of @size, in chunks of 4 KiB and
 * TMM_MAX_RUN at most; 0 if there is no such run. The caller holds the set's lock. O(1).
 */
u64 tmm_free_ranges_largest(const struct tmm_free_ranges *set, enum tmm_page_size size)
{
	return subtree_fit(set->root.rb_node, size);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_free_ranges_largest);

/* The lowest free range, or NULL if the set is empty. */
struct tmm_chunk *tmm_free_ranges_first(const struct tmm_free_ranges *set)
{
	return chunk_of(rb_first(&set->root));
}
EXPORT_SYMBOL_IF_KUNIT(tmm_free_ranges_first);

/* The free range after @chunk, or NULL after the last. */
struct tmm_chunk *tmm_free_ranges_next(struct tmm_chunk *chunk)
{
	return chunk_of(rb_next(&node_of(chunk)->rb));
}
EXPORT_SYMBOL_IF_KUNIT(tmm_free_ranges_next);

static struct tmm_chunk *use_spare(struct tmm_chunk *spare[2], u64 start, u64 end)
{
	unsigned int i = spare[0] ? 0 : 1;
	struct tmm_chunk *chunk = spare[i];

	spare[i] = NULL;
	chunk->start = start;
	chunk->nr = end - start;
	return chunk;
}

/*
 * Take a run of 1 chunk or more, which lies in one free range, out of the set. @spare has
 * unlinked chunks; the chunks that are used are set to NULL. A run that is a whole range
 * needs no spare, a run at an end of a range one, and a run in the middle two. The caller
 * holds the set's lock. O(log n). Return: the run, which the caller now owns, or NULL if the
 * run is not free; then nothing has changed.
 */
struct tmm_chunk *tmm_free_ranges_take(struct tmm_free_ranges *set, u64 start, u64 nr,
				       struct tmm_chunk *spare[2])
{
	struct tmm_chunk *chunk = tmm_free_ranges_at(set, start);
	u64 end = start + nr;
	u64 range_end;

	if (!chunk || tmm_chunk_end(chunk) < end)
		return NULL;

	range_end = tmm_chunk_end(chunk);
	set->nr_free -= nr;
	if (chunk->start == start && range_end == end) {
		unlink_chunk(set, chunk);
		return chunk;
	}
	if (chunk->start == start) {
		resize_chunk(chunk, end, range_end);
		return use_spare(spare, start, end);
	}
	resize_chunk(chunk, chunk->start, start);
	if (range_end != end)
		insert_chunk(set, use_spare(spare, end, range_end));
	return use_spare(spare, start, end);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_free_ranges_take);

/*
 * Put a run into the set, and join the run with both neighbours. The function needs no memory.
 * On success @chunk belongs to the set, or is in @absorbed; on error @chunk is untouched.
 * @absorbed is set to the chunks that are no longer needed, with NULL for none; the caller
 * releases these chunks. The caller holds the set's lock. O(log n). Return: 0, or -EEXIST if a
 * part of the run was already free, so the caller's bookkeeping is broken.
 */
int tmm_free_ranges_give(struct tmm_free_ranges *set, struct tmm_chunk *chunk,
			 struct tmm_chunk *absorbed[2])
{
	struct tmm_chunk *before = last_at_or_before(set, tmm_chunk_end(chunk) - 1);
	struct tmm_chunk *after;
	u64 start = chunk->start;
	u64 end = tmm_chunk_end(chunk);

	absorbed[0] = NULL;
	absorbed[1] = NULL;
	if (before && tmm_chunk_end(before) > start)
		return -EEXIST;

	after = before ? tmm_free_ranges_next(before) : tmm_free_ranges_first(set);
	set->nr_free += chunk->nr;
	if (after && after->start != end)
		after = NULL;
	if (before && tmm_chunk_end(before) == start) {
		absorbed[0] = chunk;
		if (after) {
			end = tmm_chunk_end(after);
			unlink_chunk(set, after);
			absorbed[1] = after;
		}
		resize_chunk(before, before->start, end);
	} else if (after) {
		absorbed[0] = chunk;
		resize_chunk(after, start, tmm_chunk_end(after));
	} else {
		insert_chunk(set, chunk);
	}
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_free_ranges_give);

/*
 * Replace the object of a free range by @substitute, which is an unlinked chunk. The caller
 * owns @chunk afterwards, and holds the set's lock. O(1).
 */
void tmm_free_ranges_replace(struct tmm_free_ranges *set, struct tmm_chunk *chunk,
			     struct tmm_chunk *substitute)
{
	substitute->start = chunk->start;
	substitute->nr = chunk->nr;
	node_of(substitute)->fits = node_of(chunk)->fits;
	rb_replace_node(&node_of(chunk)->rb, &node_of(substitute)->rb, &set->root);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_free_ranges_replace);
