// SPDX-License-Identifier: GPL-2.0
/*
 * Runs of frames that are allocated and dropped again, among free fragments of one frame each. The
 * fragments lie before the rest of the region, which is one free run.
 */
#include "kernel/groups.h"
#include "kernel/measure.h"
#include "kernel/report.h"
#include "linux/theseus_mm.h"

#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/mm.h>

#define NR_OPERATIONS		2000

static const unsigned int amounts[] = { 0, 10000, 20000, 40000 };

static struct tmm_allocated_frames **kept;
/* The request of the row that is measured. */
static struct tmm_allocation_request request;
/* The fragments, and the free run after them. */
static u64 first_fragment, first_after;

static int allocate_and_drop(unsigned int i)
{
	struct tmm_allocated_frames *frames = tmm_allocate_frames_by_request(&request);

	if (IS_ERR(frames))
		return PTR_ERR(frames);
	tmm_allocated_frames_drop(&frames);
	return 0;
}

static void undo_nothing(unsigned int i)
{
}

static void measure_request(const char *row, u64 label, struct tmm_allocation_request wanted)
{
	const struct bench_step step = { row, "ours", allocate_and_drop };
	const struct bench_series series = { .steps = &step, .nr_steps = 1, .undo = undo_nothing };

	request = wanted;
	bench_measure(&series, label, NR_OPERATIONS, 1);
}

/* Addresses that are free, whatever lies before them: 512 frames far within the rest. */
static void measure_requests(u64 label)
{
	u64 at = ALIGN(first_after, 512) + 4096;
	u64 max = at + 4096;

	measure_request("frames-1", label, tmm_request_any(1));
	measure_request("frames-8", label, tmm_request_any(8));
	measure_request("frames-512", label, tmm_request_any(512));
	measure_request("frames-8-aligned", label, tmm_request_aligned(8, 8));
	measure_request("frames-512-aligned", label, tmm_request_aligned(512, 512));
	measure_request("frames-8-at", label, tmm_request_at(at + 3, 8));
	measure_request("frames-512-at", label, tmm_request_at(at + 3, 512));
	measure_request("frames-8-in-range", label,
			tmm_request_in_range(first_fragment + 1, max, 8));
	measure_request("frames-512-in-range", label,
			tmm_request_in_range(first_fragment + 1, max, 512));
}

static void drop_kept(unsigned int first, unsigned int step, unsigned int nr)
{
	unsigned int i;

	for (i = first; i < nr; i += step) {
		tmm_allocated_frames_drop(&kept[i]);
		cond_resched();
	}
}

/* Without fragments, the region is one free run; one frame shows where the run begins. */
static int find_start(void)
{
	struct tmm_allocated_frames *frames = tmm_allocate_frames(1);
	struct tmm_frame_range range;

	if (IS_ERR(frames))
		return PTR_ERR(frames);
	range = tmm_frames_range(&frames->f);
	first_fragment = range.r.first;
	first_after = first_fragment;
	tmm_allocated_frames_drop(&frames);
	return 0;
}

/* Allocate every other frame, beginning with number @first of @nr frames. */
static int allocate_every_other(unsigned int first, unsigned int nr)
{
	struct tmm_allocation_request req;
	unsigned int i;

	for (i = first; i < nr; i += 2) {
		req = tmm_request_at(first_fragment + i, 1);
		kept[i] = tmm_allocate_frames_by_request(&req);
		if (IS_ERR(kept[i])) {
			int err = PTR_ERR(kept[i]);

			kept[i] = NULL;
			return err;
		}
		cond_resched();
	}
	return 0;
}

/*
 * Make @nr fragments: allocate twice as many frames, and drop every other one. The frames to drop
 * are allocated first, so that their objects lie together, and Linux gets back the memory of
 * objects that a free frame does not need. Set @memory to the bytes of a fragment.
 */
static int make_fragments(unsigned int nr, s64 *memory)
{
	s64 before = bench_slab_bytes(), object;
	int err;

	err = allocate_every_other(0, 2 * nr);
	err = err ?: allocate_every_other(1, 2 * nr);
	if (err) {
		drop_kept(0, 1, 2 * nr);
		return err;
	}
	object = div_s64(bench_slab_bytes() - before, 2 * nr);
	first_after = first_fragment + 2 * nr;
	drop_kept(0, 2, 2 * nr);
	*memory = max_t(s64, bench_slab_bytes() - before - object * nr, 0);
	return 0;
}

static void measure_amount(unsigned int nr)
{
	s64 memory = 0;
	int err;

	err = find_start();
	if (!err && nr)
		err = make_fragments(nr, &memory);
	if (err) {
		bench_report_failed("frames-1", err);
		return;
	}
	if (nr && bench_is_wanted("memory-fragment", "ours"))
		bench_report_bytes("memory-fragment", "ours", nr, nr, memory);
	measure_requests(nr);
	drop_kept(1, 2, 2 * nr);
}

static bool is_any_wanted(void)
{
	static const char * const rows[] = {
		"frames-1", "frames-8", "frames-512", "frames-8-aligned", "frames-512-aligned",
		"frames-8-at", "frames-512-at", "frames-8-in-range", "frames-512-in-range",
		"memory-fragment",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (bench_is_wanted(rows[i], "ours"))
			return true;
	return false;
}

void bench_fragments(void)
{
	unsigned int i;

	if (!is_any_wanted())
		return;
	kept = kvcalloc(2 * amounts[ARRAY_SIZE(amounts) - 1], sizeof(*kept), GFP_KERNEL);
	if (!kept) {
		bench_report_failed("frames-1", -ENOMEM);
		return;
	}
	for (i = 0; i < ARRAY_SIZE(amounts); i++)
		measure_amount(amounts[i]);
	kvfree(kept);
}
