/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What there is to see at one moment, before anything is drawn: the regions cut into
 * cells, who owns them, and what is free. The text, the SVG and the JSON of `tmm map`
 * are three ways to write one view.
 */
#ifndef TMM_VIEW_H
#define TMM_VIEW_H

#include "json.h"

#include <stdbool.h>
#include <stdint.h>
#include <tmm.h>

/**
 * enum use - what a frame is used for
 */
enum use {
	USE_FREE,
	USE_MAPPED,
	USE_ALLOCATED,
	USE_TABLES,
	USE_METADATA,
	USE_BAD,
	NR_USES,
};

/* Owners that are no client; the indexes of clients begin at 0. */
enum {
	OWNER_NOBODY = -1,	/* free */
	OWNER_KERNEL = -2,	/* frames of no client: the kernel's, or of one that is gone */
	OWNER_HIDDEN = -3,	/* a client that the caller may not see */
	OWNER_TABLES = -4,	/* page tables of whomever */
	OWNER_METADATA = -5,	/* the module's bookkeeping */
};

/* Owners that have a letter; and a colour of their own. */
#define NR_LETTERS	26
#define NR_HUES		12

/**
 * struct cell - a part of a region
 * @nr: frames it has
 * @uses: how many of them are used for what
 * @use: what most of the used ones are used for; USE_FREE if all are free
 * @owner: index in the view's clients, or OWNER_*
 */
struct cell {
	uint32_t nr;
	uint32_t uses[NR_USES];
	enum use use;
	int owner;
};

/**
 * struct view_region - a region
 * @region: where, and how large
 * @cell_bytes: size of a cell, but for the last, which is what is left
 * @nr_cells: cells in @cells
 * @uses: frames of the whole region by use
 * @nr: frames of the whole region
 */
struct view_region {
	struct tmm_region region;
	uint64_t cell_bytes;
	uint32_t nr_cells;
	struct cell *cells;
	uint64_t uses[NR_USES];
	uint64_t nr;
};

/**
 * struct view - all of it
 * @info: facts and counts
 * @regions: @info.nr_regions of them
 * @uses: frames of all regions by use
 * @nr: frames of all regions
 * @has_clients: the module could tell who is there, and whose the cells are; else
 *               @clients is empty
 * @clients: sorted by what they own, the largest first; the caller is not among them
 * @slots: of each client: which letter and colour it has. The largest have the first
 *         NR_HUES; as long as there are no more, a client that comes or grows leaves the
 *         others theirs.
 * @kernel_frames: used ones that are neither theirs nor of clients that are gone, nor the
 *                 module's bookkeeping
 */
struct view {
	struct tmm_info info;
	struct view_region *regions;
	uint64_t uses[NR_USES];
	uint64_t nr;
	bool has_clients;
	struct tmm_clients clients;
	unsigned int *slots;
	uint64_t kernel_frames;
};

/**
 * view_take() - look
 * @client: who looks
 * @max_cells: cells for the largest region at most; a cell is a power of two large, 2 MiB
 *             at least, and the same in all regions
 * @view: filled in; to be given to view_free()
 *
 * Return: 0, or -1 after it has said what failed
 */
int view_take(const struct tmm_client *client, uint32_t max_cells, struct view *view);
void view_free(struct view *view);

/* What a use is called, in words and as a member of a JSON object. */
const char *use_name(enum use use);
const char *use_key(enum use use);

/* First byte of a cell, from the region's start. */
uint64_t cell_offset(const struct view_region *region, uint32_t index);

/* Of what is free: how much is not in the longest run for pages of size @i; 0 .. 1. */
double fragmentation(const struct tmm_info *info, unsigned int i);

/* Members "clients", "hidden", "orphan_bytes": the list, also for `tmm info`. */
void json_clients(struct json *json, const struct tmm_clients *clients, uint64_t nr_frames);
/* Members "bytes", "runs", "longest": what is free. */
void json_free(struct json *json, const char *key, const struct tmm_info *info);
/* All of it, as `tmm map --json` shows it. */
void view_json(struct json *json, const struct view *view);

#endif /* TMM_VIEW_H */
