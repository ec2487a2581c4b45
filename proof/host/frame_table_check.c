// SPDX-License-Identifier: GPL-2.0
/*
 * alloc/frame_table.c: every assignment of marks to the cells of a region that begins and ends
 * beside blocks of 2 MiB or 1 GiB, reached by changing one cell at a time; and from each, every
 * change of a run of cells to each mark. After each change, the marks beside all edges, the counts
 * and the runs of one mark are those of the model.
 */
#include "alloc/frame_table.h"
#include "cells.h"
#include "runtime.h"

#include <linux/minmax.h>
#include <linux/string.h>

#define M2	512ULL
#define G1	262144ULL
#define NR_MARKS	3	/* free, allocated, mapped: the table treats all marks alike */

static const struct cells regions[] = {
	{ "around 2 MiB", 6, { 510, 511, 512, 1023, 1024, 1536, 1537 } },
	{ "whole blocks of 2 MiB", 6, { M2, 2 * M2, 2 * M2 + 1, 3 * M2, 4 * M2, 5 * M2, 6 * M2 } },
	{ "around 1 GiB", 6, { G1 - M2 - 1, G1 - M2, G1 - 1, G1, G1 + M2, 2 * G1, 2 * G1 + 1 } },
};

static const struct cells *cells;
static u8 marks[CELLS_MAX];
static unsigned long nr_cases;

static void print_state(void)
{
	unsigned int i;

	printf("region \"%s\", marks", cells->name);
	for (i = 0; i < cells->nr; i++)
		printf(" %u", marks[i]);
	printf("\n");
}

static bool all_have(unsigned int from, unsigned int to, u8 mark)
{
	while (from < to && marks[from] == mark)
		from++;
	return from == to;
}

static void expect_table(struct tmm_frame_table *table)
{
	unsigned int i;

	for (i = 0; i < cells->nr; i++) {
		expect_equal(tmm_frame_table_get(table, cells->edge[i]), marks[i]);
		expect_equal(tmm_frame_table_get(table, cells->edge[i + 1] - 1), marks[i]);
	}
	nr_cases++;
}

static void expect_counts(const struct tmm_frame_table *table)
{
	u64 counts[TMM_NR_MARKS] = {}, wanted[TMM_NR_MARKS] = {};
	unsigned int i;

	for (i = 0; i < cells->nr; i++)
		wanted[marks[i]] += cells->edge[i + 1] - cells->edge[i];
	tmm_frame_table_count(table, cells_first(cells), cells_end(cells) - cells_first(cells),
			      counts);
	for (i = 0; i < TMM_NR_MARKS; i++)
		expect_equal(counts[i], wanted[i]);
	nr_cases++;
}

/* tmm_frame_table_all() is true exactly if all cells of the run have the mark. */
static void expect_runs(struct tmm_frame_table *table)
{
	unsigned int from, to, mark;

	for (from = 0; from < cells->nr; from++)
		for (to = from + 1; to <= cells->nr; to++)
			for (mark = 0; mark < NR_MARKS; mark++) {
				expect_equal(tmm_frame_table_all(table, cells->edge[from],
						cells->edge[to] - cells->edge[from], mark),
					     all_have(from, to, mark));
				nr_cases++;
			}
}

static void set(struct tmm_frame_table *table, unsigned int from, unsigned int to, u8 mark)
{
	tmm_frame_table_set(table, cells->edge[from], cells->edge[to] - cells->edge[from], mark);
	memset(marks + from, mark, to - from);
	expect_table(table);
}

static void change_each_run(struct tmm_frame_table *table)
{
	u8 saved[CELLS_MAX];
	unsigned int from, to, mark, i;

	memcpy(saved, marks, sizeof(saved));
	for (from = 0; from < cells->nr; from++)
		for (to = from + 1; to <= cells->nr; to++)
			for (mark = 0; mark < NR_MARKS; mark++) {
				set(table, from, to, mark);
				for (i = from; i < to; i++)
					set(table, i, i + 1, saved[i]);
			}
}

/* To divide blocks, and to change single frames, changes no other mark. */
static void change_single_frames(struct tmm_frame_table *table)
{
	unsigned int i;

	for (i = 0; i < cells->nr; i++) {
		const u64 number = cells->edge[i];
		const u8 mark = marks[i], other = (mark + 1) % NR_MARKS;

		tmm_frame_table_divide(table, number, 1);
		expect_table(table);
		expect(!tmm_frame_table_change_one(table, number, other, mark));
		expect(tmm_frame_table_change_one(table, number, mark, other));
		expect_equal(tmm_frame_table_get(table, number), other);
		if (cells->edge[i + 1] - number > 1)
			expect_equal(tmm_frame_table_get(table, number + 1), mark);
		expect(tmm_frame_table_change_one(table, number, other, mark));
		expect_table(table);
	}
}

static void check_region(const struct cells *region)
{
	const u64 first = cells_first(region), nr = cells_end(region) - first;
	const u64 nr_bytes = tmm_frame_table_nr_bytes(first, nr);
	void *memory = host_memory(nr_bytes);
	struct tmm_frame_table table;
	unsigned int i;

	cells = region;
	nr_cases = 0;
	memset(marks, TMM_MARK_FREE, sizeof(marks));
	memset(memory, 0xa5, nr_bytes);
	tmm_frame_table_init(&table, first, nr, memory);
	/* Count in base NR_MARKS. */
	for (i = 0; i < cells->nr;) {
		expect_table(&table);
		expect_counts(&table);
		expect_runs(&table);
		change_each_run(&table);
		change_single_frames(&table);
		for (i = 0; i < cells->nr && marks[i] == NR_MARKS - 1; i++)
			set(&table, i, i + 1, 0);
		if (i < cells->nr)
			set(&table, i, i + 1, marks[i] + 1);
	}
	host_free_memory(memory);
	host_passed(region->name, nr_cases);
}

int main(void)
{
	unsigned int i;

	host_note(print_state);
	for (i = 0; i < ARRAY_SIZE(regions); i++)
		check_region(&regions[i]);
	return 0;
}
