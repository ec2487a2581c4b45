// SPDX-License-Identifier: GPL-2.0
#include "alloc/frame_maps.h"

#include "alloc/free_map_find.h"

#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/limits.h>
#include <linux/math.h>
#include <linux/minmax.h>

/*
 * Number of unit 0 of a map. The first two maps begin with a whole leaf, so that a leaf is a block
 * of the next map.
 */
static u64 base_of(u64 first, enum tmm_page_size size)
{
	u64 base = first >> tmm_page_size_order(size);

	return size == TMM_1G ? base : round_down(base, 1ULL << TMM_FREE_MAP_LEAF_ORDER);
}

/* Units that a map needs for frames [@first, @first + @nr). */
static u64 nr_units(u64 first, u64 nr, enum tmm_page_size size)
{
	return ((first + nr - 1) >> tmm_page_size_order(size)) + 1 - base_of(first, size);
}

/*
 * Bytes of memory that the maps of @nr frames need, 1 to TMM_FRAME_MAPS_MAX_NR; a multiple of 8.
 * The memory is aligned to 8 bytes.
 */
size_t tmm_frame_maps_nr_bytes(u64 first, u64 nr)
{
	enum tmm_page_size size;
	size_t nr_bytes = 0;

	for (size = TMM_4K; size < TMM_NR_PAGE_SIZES; size++)
		nr_bytes += tmm_free_map_nr_bytes(nr_units(first, nr, size));
	return nr_bytes;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_maps_nr_bytes);

/*
 * Set up maps in which every frame is free. @memory has tmm_frame_maps_nr_bytes() bytes, which need
 * not be cleared, and remains the caller's.
 */
void tmm_frame_maps_init(struct tmm_frame_maps *maps, u64 first, u64 nr, void *memory)
{
	enum tmm_page_size size;

	maps->first = first;
	maps->nr = nr;
	maps->nr_free = 0;
	maps->nr_ranges = 0;
	for (size = TMM_4K; size < TMM_NR_PAGE_SIZES; size++) {
		maps->bases[size] = base_of(first, size);
		tmm_free_map_init(&maps->maps[size], nr_units(first, nr, size), memory);
		memory += tmm_free_map_nr_bytes(nr_units(first, nr, size));
	}
	tmm_frame_maps_give(maps, first, nr);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_maps_init);

static bool is_free(const struct tmm_frame_maps *maps, u64 number)
{
	return number - maps->first < maps->nr &&
	       tmm_free_map_is_free(&maps->maps[TMM_4K], number - maps->bases[TMM_4K]);
}

/* Number of free runs that end or begin where a run begins or ends. */
static u64 nr_neighbours(const struct tmm_frame_maps *maps, u64 start, u64 nr)
{
	return is_free(maps, start - 1) + is_free(maps, start + nr);
}

/* True if a block lies in the region, and all of it is free in the next smaller map. */
static bool is_block_free(const struct tmm_frame_maps *maps, u64 block, enum tmm_page_size size)
{
	const u64 first = block << tmm_page_size_order(size);
	const u64 nr = tmm_page_size_4k_pages(size);
	const struct tmm_free_map *map = &maps->maps[size - 1];
	u64 start, end;

	if (first < maps->first || first + nr > maps->first + maps->nr)
		return false;
	start = (first >> tmm_page_size_order(size - 1)) - maps->bases[size - 1];
	end = start + (nr >> tmm_page_size_order(size - 1));
	return tmm_free_map_run_end(map, start) >= end;
}

/* A range of blocks [lo, hi). */
struct blocks {
	u64 lo;
	u64 hi;
};

/* The blocks that contain the frames of a run, also those that contain other frames as well. */
static struct blocks blocks_of(u64 start, u64 nr, enum tmm_page_size size)
{
	const unsigned int order = tmm_page_size_order(size);

	return (struct blocks){ start >> order, ((start + nr - 1) >> order) + 1 };
}

/* A run has become free. All blocks but the first and the last are wholly in the run. */
static void give_blocks(struct tmm_frame_maps *maps, u64 start, u64 nr)
{
	enum tmm_page_size size;

	for (size = TMM_2M; size < TMM_NR_PAGE_SIZES; size++) {
		struct blocks blocks = blocks_of(start, nr, size);

		if (!is_block_free(maps, blocks.lo, size))
			blocks.lo++;
		if (blocks.lo < blocks.hi && !is_block_free(maps, blocks.hi - 1, size))
			blocks.hi--;
		if (blocks.lo >= blocks.hi)
			return;
		tmm_free_map_give(&maps->maps[size], blocks.lo - maps->bases[size],
				  blocks.hi - blocks.lo);
	}
}

/* A free run is being taken. All blocks but the first and the last are free. */
static void take_blocks(struct tmm_frame_maps *maps, u64 start, u64 nr)
{
	enum tmm_page_size size;

	for (size = TMM_2M; size < TMM_NR_PAGE_SIZES; size++) {
		struct blocks blocks = blocks_of(start, nr, size);
		struct tmm_free_map *map = &maps->maps[size];
		const u64 base = maps->bases[size];

		if (!tmm_free_map_is_free(map, blocks.lo - base))
			blocks.lo++;
		if (blocks.lo < blocks.hi && !tmm_free_map_is_free(map, blocks.hi - 1 - base))
			blocks.hi--;
		if (blocks.lo >= blocks.hi)
			return;
		tmm_free_map_take(map, blocks.lo - base, blocks.hi - blocks.lo);
	}
}

/* Make a run of the region free, 1 frame or more, all of which is taken. O(log n). */
void tmm_frame_maps_give(struct tmm_frame_maps *maps, u64 start, u64 nr)
{
	maps->nr_free += nr;
	maps->nr_ranges += 1 - nr_neighbours(maps, start, nr);
	tmm_free_map_give(&maps->maps[TMM_4K], start - maps->bases[TMM_4K], nr);
	give_blocks(maps, start, nr);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_maps_give);

/* Take a run of the region, 1 frame or more, all of which is free. O(log n). */
void tmm_frame_maps_take(struct tmm_frame_maps *maps, u64 start, u64 nr)
{
	maps->nr_free -= nr;
	maps->nr_ranges += nr_neighbours(maps, start, nr) - 1;
	tmm_free_map_take(&maps->maps[TMM_4K], start - maps->bases[TMM_4K], nr);
	take_blocks(maps, start, nr);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_maps_take);

/* One of the maps, for tmm_fit_try_runs() and the like. */
struct source {
	const struct tmm_free_map *map;
	u64 base;
};

static struct source source_of(const struct tmm_frame_maps *maps, enum tmm_page_size size)
{
	return (struct source){ &maps->maps[size], maps->bases[size] };
}

/* See tmm_fit_next_fn. Numbers are those of frames or blocks, as of the map. */
static bool next_run(const void *set, const struct tmm_fit_request *req, u64 *first, u64 *end)
{
	const struct source *source = set;
	const u64 base = source->base;
	const u64 lo = max(req->min, base) - base;
	const u64 hi = max(req->end, base) - base;
	u64 start;

	if (req->from_top) {
		if (!tmm_free_map_find_last(source->map, req->nr, lo, hi, &start))
			return false;
		*first = base + max(lo, tmm_free_map_run_start(source->map, start));
		*end = base + start + req->nr;
		return true;
	}
	if (!tmm_free_map_find_first(source->map, req->nr, lo, hi, &start))
		return false;
	*first = base + start;
	*end = base + min(hi, tmm_free_map_run_end(source->map, start));
	return true;
}

/* Search a map for a request without alignment, and set @start on success only. */
static bool find_any(const struct source *source, const struct tmm_fit_request *req, u64 *start)
{
	const u64 base = source->base;
	const u64 lo = max(req->min, base) - base;
	const u64 hi = max(req->end, base) - base;
	bool found;
	u64 at;

	if (req->from_top)
		found = tmm_free_map_find_last(source->map, req->nr, lo, hi, &at);
	else
		found = tmm_free_map_find_first(source->map, req->nr, lo, hi, &at);
	if (found)
		*start = base + at;
	return found;
}

/* Express a request in blocks. Its alignment is a multiple of the block, its length may not be. */
static struct tmm_fit_request in_blocks(const struct tmm_fit_request *req, enum tmm_page_size size)
{
	const unsigned int order = tmm_page_size_order(size);
	const u64 mask = tmm_page_size_4k_pages(size) - 1;

	return (struct tmm_fit_request){
		.nr = (req->nr + mask) >> order,
		.align = req->align >> order,
		.min = (req->min + mask) >> order,
		.end = req->end >> order,
		.from_top = req->from_top,
	};
}

static bool is_multiple(u64 number, enum tmm_page_size size)
{
	return !(number & (tmm_page_size_4k_pages(size) - 1));
}

/* The largest blocks in which a request can be expressed without loss. */
static enum tmm_page_size blocks_for(const struct tmm_fit_request *req)
{
	enum tmm_page_size size = TMM_1G;

	while (size > TMM_4K && !is_multiple(req->align | req->nr, size))
		size--;
	return size;
}

/*
 * Search a run so long that the request fits in it wherever the run begins. The run consists of
 * blocks of 2 MiB if the alignment is a multiple of 2 MiB.
 */
static bool find_loose(const struct tmm_frame_maps *maps, const struct tmm_fit_request *req,
		       u64 *start)
{
	const enum tmm_page_size size = is_multiple(req->align, TMM_2M) ? TMM_2M : TMM_4K;
	const unsigned int order = tmm_page_size_order(size);
	const struct source source = source_of(maps, size);
	struct tmm_fit_request loose;
	u64 first;

	if (req->align > maps->nr)
		return false;
	loose = in_blocks(req, size);
	loose.nr += loose.align - 1;
	return find_any(&source, &loose, &first) &&
	       tmm_fit_place(first << order, (first + loose.nr) << order, req, start);
}

/*
 * Find room for a request, and set @start on success only. O(log n) and exact if the alignment is
 * 1, and if the alignment is 2 MiB or 1 GiB and the length a multiple of it. For any other request,
 * see alloc/fit.h: @cursor is not set before the first call. The caller holds the allocator's lock.
 * Return: 0, -ENOSPC if the request does not fit, or -EAGAIN if the search is not finished.
 */
int tmm_frame_maps_find(const struct tmm_frame_maps *maps, const struct tmm_fit_request *req,
			struct tmm_fit_cursor *cursor, u64 *start)
{
	const enum tmm_page_size size = blocks_for(req);
	const unsigned int order = tmm_page_size_order(size);
	const struct source source = source_of(maps, size);
	struct tmm_fit_request bounded = *req, fit;
	struct tmm_fit_cursor next;
	u64 at;
	int err;

	bounded.min = max(req->min, maps->first);
	bounded.end = min(req->end, maps->first + maps->nr);
	if (bounded.min >= bounded.end || bounded.end - bounded.min < req->nr)
		return -ENOSPC;
	fit = in_blocks(&bounded, size);
	if (fit.align == 1) {
		err = find_any(&source, &fit, &at) ? 0 : -ENOSPC;
	} else {
		next = (struct tmm_fit_cursor){ cursor->is_set, cursor->number >> order };
		err = tmm_fit_try_runs(&fit, next_run, &source, &next, &at);
	}
	if (!err)
		*start = at << order;
	if (err != -EAGAIN)
		return err;
	if (!cursor->is_set && find_loose(maps, &bounded, start))
		return 0;
	*cursor = (struct tmm_fit_cursor){ true, next.number << order };
	return -EAGAIN;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_maps_find);

/*
 * Length in frames of 4 KiB of the longest free run of whole frames of @size, aligned to @size; 0
 * if there is none. O(1).
 */
u64 tmm_frame_maps_largest(const struct tmm_frame_maps *maps, enum tmm_page_size size)
{
	return tmm_free_map_largest(&maps->maps[size]) << tmm_page_size_order(size);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_maps_largest);

/*
 * True if the block of @size around a frame of the region lies in the region and all its frames are
 * free. O(1).
 */
bool tmm_frame_maps_is_block_free(const struct tmm_frame_maps *maps, u64 number,
				  enum tmm_page_size size)
{
	const u64 block = number >> tmm_page_size_order(size);

	return tmm_free_map_is_free(&maps->maps[size], block - maps->bases[size]);
}

/* The start of the free run that contains a frame of the region, which is free. O(log n). */
u64 tmm_frame_maps_run_start(const struct tmm_frame_maps *maps, u64 number)
{
	const u64 base = maps->bases[TMM_4K];

	return tmm_free_map_run_start(&maps->maps[TMM_4K], number - base) + base;
}

/*
 * The end of the free run that contains a frame of the region; the frame's own number if the frame
 * is not free. O(log n).
 */
u64 tmm_frame_maps_run_end(const struct tmm_frame_maps *maps, u64 number)
{
	const u64 base = maps->bases[TMM_4K];

	return tmm_free_map_run_end(&maps->maps[TMM_4K], number - base) + base;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_maps_run_end);

/* The first free run from @number on, the part below @number cut off. O(log n). */
bool tmm_frame_maps_next_run(const struct tmm_frame_maps *maps, u64 number, u64 *first, u64 *end)
{
	const struct source source = source_of(maps, TMM_4K);
	const struct tmm_fit_request any = { .nr = 1, .align = 1, .min = number, .end = U64_MAX };

	return next_run(&source, &any, first, end);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_maps_next_run);
