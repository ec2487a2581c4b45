// SPDX-License-Identifier: GPL-2.0
#include "picture.h"

#include "text.h"
#include "tmm.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* "    0x40000000 " */
#define LABEL_WIDTH	15
#define MIN_COLUMNS	16

enum kind {
	FREE,
	MAPPED,
	ALLOCATED,
	TABLES,
	METADATA,
	NR_KINDS,
};

/*
 * The letter alone must tell; the colour is for those who see it. A capital is a
 * cell with nothing free in it.
 */
static const struct {
	char full;
	char part;
	const char *colour;
	const char *name;
} looks[NR_KINDS] = {
	[FREE] = { '.', '.', "\033[2m", "free" },
	[MAPPED] = { 'M', 'm', "\033[32m", "mapped" },
	[ALLOCATED] = { 'A', 'a', "\033[33m", "allocated, not mapped" },
	[TABLES] = { 'T', 't', "\033[36m", "page tables" },
	[METADATA] = { 'B', 'b', "\033[35m", "the module's bookkeeping" },
};

/**
 * struct grid - how a region is cut up
 * @cell: bytes in a cell, a power of two
 * @nr: cells
 * @columns: cells in a row
 */
struct grid {
	__u64 cell;
	__u32 nr;
	__u32 columns;
};

static __u64 count(const struct theseus_mm_bucket *bucket, enum kind kind)
{
	switch (kind) {
	case FREE:
		return bucket->free;
	case MAPPED:
		return bucket->mapped;
	case ALLOCATED:
		return bucket->allocated;
	case TABLES:
		return bucket->tables;
	case METADATA:
		return bucket->metadata;
	default:
		return 0;
	}
}

/* What a cell is used for most; the free part shows as a small letter. */
static enum kind main_use(const struct theseus_mm_bucket *bucket)
{
	enum kind kind, most = FREE;

	for (kind = MAPPED; kind < NR_KINDS; kind++)
		if (count(bucket, kind) > (most == FREE ? 0 : count(bucket, most)))
			most = kind;
	return most;
}

static unsigned int columns_of(const struct picture_style *style)
{
	unsigned int room = style->width > LABEL_WIDTH + MIN_COLUMNS ?
			    style->width - LABEL_WIDTH : MIN_COLUMNS;

	/* multiples of 8 keep the addresses at the left readable */
	return room / 8 * 8;
}

/* One cell is the same everywhere: the largest region says what it has to be. */
static int choose_cell(int fd, const struct picture_style *style, __u32 nr_regions, __u64 *cell)
{
	__u64 limit = (__u64)columns_of(style) * style->max_rows;
	struct theseus_mm_region region;
	__u32 i;
	int err;

	if (limit > THESEUS_MM_MAX_BUCKETS)
		limit = THESEUS_MM_MAX_BUCKETS;
	*cell = TMM_PAGE_SIZE;
	for (i = 0; i < nr_regions; i++) {
		err = tmm_get_region(fd, i, &region);
		if (err)
			return err;
		while ((region.nr_bytes - 1) / *cell + 1 > limit)
			*cell *= 2;
	}
	return 0;
}

static void draw_cell(const struct theseus_mm_bucket *bucket, enum kind *last, bool colour)
{
	enum kind kind = main_use(bucket);

	if (colour && kind != *last)
		printf("\033[0m%s", looks[kind].colour);
	*last = kind;
	putchar(bucket->free ? looks[kind].part : looks[kind].full);
}

static void draw_cells(const struct grid *grid, const struct theseus_mm_bucket *buckets,
		       __u64 start, bool colour)
{
	enum kind last = NR_KINDS;
	__u32 i;

	for (i = 0; i < grid->nr; i++) {
		if (i % grid->columns == 0) {
			last = NR_KINDS;
			printf("  %#12llx ", (unsigned long long)(start + i * grid->cell));
		}
		draw_cell(&buckets[i], &last, colour);
		if (i % grid->columns == grid->columns - 1 || i == grid->nr - 1)
			printf("%s\n", colour ? "\033[0m" : "");
	}
}

static void draw_legend(const struct grid *grid, const struct theseus_mm_bucket *buckets,
			bool colour)
{
	char text[TEXT_SIZE];
	enum kind kind;
	__u64 frames;
	__u32 i;

	for (kind = FREE; kind < NR_KINDS; kind++) {
		for (frames = 0, i = 0; i < grid->nr; i++)
			frames += count(&buckets[i], kind);
		printf("  %s%c%s  %-26s %s\n", colour ? looks[kind].colour : "", looks[kind].full,
		       colour ? "\033[0m" : "", looks[kind].name,
		       size_text(text, frames * TMM_PAGE_SIZE));
	}
}

static int draw_region(int fd, __u32 index, const struct picture_style *style, __u64 cell)
{
	struct theseus_mm_bucket *buckets;
	struct theseus_mm_region region;
	char size[TEXT_SIZE], cell_size[TEXT_SIZE];
	struct grid grid = { .cell = cell, .columns = columns_of(style) };
	int err = tmm_get_region(fd, index, &region);

	if (err)
		return err;
	grid.nr = (region.nr_bytes - 1) / cell + 1;
	buckets = calloc(grid.nr, sizeof(*buckets));
	if (!buckets)
		return -ENOMEM;
	err = tmm_get_occupancy(fd, index, buckets, grid.nr);
	if (!err) {
		printf("region %u: %s, one letter is %s, a small one is partly free\n\n", index,
		       size_text(size, region.nr_bytes), size_text(cell_size, cell));
		draw_cells(&grid, buckets, region.start, style->colour);
		putchar('\n');
		draw_legend(&grid, buckets, style->colour);
	}
	free(buckets);
	return err;
}

static void print_runs(const struct theseus_mm_info *info)
{
	char free_text[TEXT_SIZE], total[TEXT_SIZE], run[TEXT_SIZE];
	unsigned int i, shift;

	printf("\nfree: %s of %s, in %llu run%s; the longest for pages of\n",
	       size_text(free_text, info->frames_free * TMM_PAGE_SIZE),
	       size_text(total, info->frames_total * TMM_PAGE_SIZE),
	       (unsigned long long)info->frames_ranges, info->frames_ranges == 1 ? "" : "s");
	for (i = 0; i < 3; i++) {
		shift = 9 * i;
		printf("  %s  ", page_text(12 + shift));
		if (!info->frames_largest[i])
			printf("none\n");
		else
			printf("%s (%llu)\n",
			       size_text(run, info->frames_largest[i] * TMM_PAGE_SIZE),
			       (unsigned long long)(info->frames_largest[i] >> shift));
	}
}

int picture_draw(int fd, const struct picture_style *style)
{
	struct theseus_mm_info info;
	__u64 cell;
	__u32 i;
	int err = tmm_get_info(fd, &info);

	if (!err)
		err = choose_cell(fd, style, info.nr_regions, &cell);
	for (i = 0; !err && i < info.nr_regions; i++) {
		if (i)
			putchar('\n');
		err = draw_region(fd, i, style, cell);
	}
	if (!err)
		print_runs(&info);
	return err;
}
