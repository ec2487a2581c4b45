// SPDX-License-Identifier: GPL-2.0
#include "support/invariants.h"

#include "support/fixture.h"

#include <linux/kernel.h>
#include <linux/math.h>
#include <linux/minmax.h>

u64 tmm_visit_cached(const struct tmm_range_allocator *ra, tmm_visit_fn visit, void *context)
{
	unsigned int cpu, i;
	u64 nr = 0;

	if (!ra->magazines.each)
		return 0;
	for_each_possible_cpu(cpu) {
		const struct tmm_magazine *m = per_cpu_ptr(ra->magazines.each, cpu);

		for (i = 0; i < m->nr; i++)
			visit(m->slots[(m->oldest + i) % TMM_MAGAZINE_SIZE].chunk->start, 1,
			      context);
		nr += m->nr;
	}
	return nr;
}

/* Sparse cannot count the locks that a loop takes, so the loops seem to take none to sparse. */
void tmm_test_lock_all(struct tmm_range_allocator *ra)
	__acquires(&ra->lock)
{
	unsigned int cpu, subclass = 0;

	if (ra->magazines.each)
		for_each_possible_cpu(cpu) {
			spin_lock_nested(&per_cpu_ptr(ra->magazines.each, cpu)->lock, subclass++);
			__release(magazine->lock);
		}
	spin_lock(&ra->lock);
}

void tmm_test_unlock_all(struct tmm_range_allocator *ra)
	__releases(&ra->lock)
{
	unsigned int cpu;

	spin_unlock(&ra->lock);
	if (ra->magazines.each)
		for_each_possible_cpu(cpu) {
			__acquire(magazine->lock);
			spin_unlock(&per_cpu_ptr(ra->magazines.each, cpu)->lock);
		}
}

/*
 * The fit of a chunk: the length of its part from the first multiple of @size on, at most
 * TMM_MAX_RUN. free_ranges.c computes the fit in another way.
 */
static u64 own_fit(const struct tmm_chunk *chunk, enum tmm_page_size size)
{
	u64 rest = chunk->start % tmm_page_size_4k_pages(size);
	u64 skipped = rest ? tmm_page_size_4k_pages(size) - rest : 0;

	return skipped < chunk->nr ? min(chunk->nr - skipped, TMM_MAX_RUN) : 0;
}

static u64 recorded_fit(struct rb_node *rb, enum tmm_page_size size)
{
	return rb ? rb_entry(rb, struct tmm_range_node, rb)->fits.len[size] : 0;
}

/*
 * Compares the longest fits that a node records for its subtree with the node's own fits, and with
 * those that its children record. If each node passes, the records of all nodes are right.
 */
static bool check_fits(struct tmm_chunk *chunk, struct tmm_finding *finding)
{
	struct rb_node *rb = &container_of(chunk, struct tmm_range_node, chunk)->rb;
	enum tmm_page_size size;

	for (size = TMM_4K; size < TMM_NR_PAGE_SIZES; size++) {
		u64 want = max3(own_fit(chunk, size), recorded_fit(rb->rb_left, size),
				recorded_fit(rb->rb_right, size));
		u64 got = recorded_fit(rb, size);

		if (got != want) {
			tmm_finding_note(finding,
					 "chunk [%#llx, +%llu), size %u: fit %llu, not %llu",
					 chunk->start, chunk->nr, size, got, want);
			return false;
		}
	}
	return true;
}

static void find_broken_set(const struct tmm_free_ranges *set, struct tmm_finding *finding)
{
	struct tmm_chunk *chunk, *before = NULL;
	u64 nr_free = 0;
	u64 nr_ranges = 0;

	for (chunk = tmm_free_ranges_first(set); chunk; chunk = tmm_free_ranges_next(chunk)) {
		if (!chunk->nr || (before && tmm_chunk_end(before) >= chunk->start)) {
			tmm_finding_note(finding,
					 "chunk [%#llx, +%llu) is empty or touches [%#llx, +%llu)",
					 chunk->start, chunk->nr, before ? before->start : 0,
					 before ? before->nr : 0);
			return;
		}
		if (!check_fits(chunk, finding))
			return;
		nr_free += chunk->nr;
		nr_ranges++;
		before = chunk;
	}
	if (nr_free != set->nr_free || nr_ranges != set->nr_ranges)
		tmm_finding_note(finding,
				 "found %llu chunks in %llu ranges, the counters say %llu in %llu",
				 nr_free, nr_ranges, set->nr_free, set->nr_ranges);
}

void tmm_check_free_ranges(struct kunit *test, const struct tmm_free_ranges *set)
{
	struct tmm_finding finding = {};

	find_broken_set(set, &finding);
	tmm_finding_report(test, &finding);
}

void tmm_check_free_map(struct kunit *test, const struct tmm_free_map *map)
{
	struct tmm_finding finding = {};

	tmm_find_broken_map(map, &finding);
	tmm_finding_report(test, &finding);
}

void tmm_check_frame_maps(struct kunit *test, const struct tmm_frame_maps *maps)
{
	struct tmm_finding finding = {};

	tmm_find_broken_maps(maps, &finding);
	tmm_finding_report(test, &finding);
}

static void find_broken_region(const struct tmm_range_region *region, struct tmm_finding *finding)
{
	u64 first, end;

	if (region->free.maps)
		tmm_find_broken_maps(region->free.maps, finding);
	else
		find_broken_set(&region->free.ranges, finding);
	tmm_for_each_free_run(region, first, end)
		if (first < region->first || end > region->first + region->nr)
			tmm_finding_note(finding,
					 "free run [%#llx, %#llx) is not in its region [%#llx, +%llu)",
					 first, end, region->first, region->nr);
}

struct cached_visit {
	const struct tmm_range_allocator *ra;
	struct tmm_finding *finding;
};

/* A cached run is in a region, and no part of it is in the free set. */
static void check_cached(u64 start, u64 nr, void *context)
{
	const struct cached_visit *v = context;
	const struct tmm_range_region *region;
	u64 number;

	list_for_each_entry(region, &v->ra->regions, link) {
		if (start < region->first || start - region->first >= region->nr)
			continue;
		for (number = start; number < start + nr; number++)
			if (tmm_free_set_run_end(&region->free, number) != number)
				tmm_finding_note(v->finding, "%#llx is cached, and in the free set",
						 number);
		return;
	}
	tmm_finding_note(v->finding, "%#llx is cached, and in no region", start);
}

void tmm_find_broken_ranges(const struct tmm_range_allocator *ra, struct tmm_finding *finding)
{
	struct cached_visit v = { ra, finding };
	const struct tmm_range_region *region;
	u64 end = 0;

	list_for_each_entry(region, &ra->regions, link) {
		if (region->first < end)
			tmm_finding_note(finding, "region [%#llx, +%llu) is out of order",
					 region->first, region->nr);
		end = region->first + region->nr;
		find_broken_region(region, finding);
	}
	tmm_visit_cached(ra, check_cached, &v);
}

void tmm_check_range_allocator(struct kunit *test, const struct tmm_range_allocator *ra)
{
	struct tmm_finding finding = {};

	tmm_find_broken_ranges(ra, &finding);
	tmm_finding_report(test, &finding);
}

/* Frames by their marks. */
struct mark_counts {
	u64 nr_tables;
	u64 nr_cached;	/* frames that are marked as free, but are not in the free set */
};

/* Names the first frame of a run whose mark is wrong. */
static void name_frame(const struct tmm_frame_table *table, u64 first, u64 end, bool is_free,
		       struct tmm_finding *finding)
{
	for (; first < end; first++) {
		enum tmm_frame_mark mark = tmm_frame_table_get(table, first);

		if (mark >= TMM_NR_MARKS || (is_free && mark != TMM_MARK_FREE))
			tmm_finding_note(finding, "frame %#llx is %sfree but marked %u", first,
					 is_free ? "" : "not ", mark);
	}
}

/* Counts the marks of a run that is in the free set, or of one that is not. */
static void count_run(const struct tmm_frame_table *table, u64 first, u64 end, bool is_free,
		      struct mark_counts *counts, struct tmm_finding *finding)
{
	u64 marks[TMM_NR_MARKS] = {};
	u64 nr_known = 0;
	unsigned int i;

	tmm_frame_table_count(table, first, end - first, marks);
	for (i = 0; i < TMM_NR_MARKS; i++)
		nr_known += marks[i];
	if (nr_known != end - first || (is_free && marks[TMM_MARK_FREE] != end - first))
		name_frame(table, first, end, is_free, finding);
	counts->nr_tables += marks[TMM_MARK_TABLE];
	if (!is_free)
		counts->nr_cached += marks[TMM_MARK_FREE];
}

/* Takes steps for the runs of a large region, and not for each of the region's frames. */
static void count_marks(const struct tmm_frame_region *region, struct mark_counts *counts,
			struct tmm_finding *finding)
{
	const struct tmm_range_region *range = &region->range;
	u64 next = range->first;
	u64 first, end;

	/* A broken set may have runs outside of the region, which have no marks. */
	if (*finding->text)
		return;
	tmm_for_each_free_run(range, first, end) {
		count_run(&region->table, next, first, false, counts, finding);
		count_run(&region->table, first, end, true, counts, finding);
		next = end;
	}
	count_run(&region->table, next, range->first + range->nr, false, counts, finding);
}

static void visit_nothing(u64 start, u64 nr, void *context)
{
}

void tmm_find_broken_frames(const struct tmm_frame_allocator *fa, struct tmm_finding *finding)
{
	const struct tmm_frame_region *region;
	struct mark_counts counts = {};
	u64 nr_cached;

	tmm_find_broken_ranges(&fa->ra, finding);
	list_for_each_entry(region, &fa->ra.regions, range.link)
		count_marks(region, &counts, finding);
	if (counts.nr_tables != fa->nr_tables)
		tmm_finding_note(finding,
				 "found %llu frames marked as tables, the counter says %llu",
				 counts.nr_tables, fa->nr_tables);
	nr_cached = tmm_visit_cached(&fa->ra, visit_nothing, NULL);
	if (counts.nr_cached != nr_cached)
		tmm_finding_note(finding,
				 "%llu frames are marked as free and not in a free set, but %llu are cached",
				 counts.nr_cached, nr_cached);
}

void tmm_check_frame_allocator(struct kunit *test, const struct tmm_frame_allocator *fa)
{
	struct tmm_finding finding = {};

	tmm_find_broken_frames(fa, &finding);
	tmm_finding_report(test, &finding);
}

static u64 mix_hash(u64 hash, u64 value)
{
	return (hash ^ value) * 0x100000001b3ULL;
}

u64 tmm_fingerprint_set(const struct tmm_free_ranges *set)
{
	struct tmm_chunk *chunk;
	u64 hash = mix_hash(set->nr_free, set->nr_ranges);

	for (chunk = tmm_free_ranges_first(set); chunk; chunk = tmm_free_ranges_next(chunk))
		hash = mix_hash(mix_hash(hash, chunk->start), chunk->nr);
	return hash;
}

u64 tmm_fingerprint_ranges(const struct tmm_range_allocator *ra)
{
	const struct tmm_range_region *region;
	u64 first, end;
	u64 hash = 1;

	list_for_each_entry(region, &ra->regions, link) {
		hash = mix_hash(mix_hash(hash, region->first), region->nr);
		hash = mix_hash(hash, tmm_free_set_nr_free(&region->free));
		hash = mix_hash(hash, tmm_free_set_nr_ranges(&region->free));
		tmm_for_each_free_run(region, first, end)
			hash = mix_hash(mix_hash(hash, first), end - first);
	}
	return hash;
}

u64 tmm_fingerprint_frames(const struct tmm_frame_allocator *fa)
{
	const struct tmm_frame_region *region;
	u64 hash = mix_hash(tmm_fingerprint_ranges(&fa->ra), fa->nr_tables);
	u64 number;

	list_for_each_entry(region, &fa->ra.regions, range.link)
		for (number = region->range.first;
		     number < region->range.first + region->range.nr; number++)
			hash = mix_hash(hash, tmm_frame_table_get(&region->table, number));
	return hash;
}
