/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A view is the state of the memory at one time: the regions divided into cells, the owners of
 * the cells, and the free memory. `tmm map` writes a view as text, SVG or JSON.
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

/* Owners that are not a visible client; the indexes of clients begin at 0. */
enum {
	OWNER_NOBODY = -1,	/* free */
	OWNER_KERNEL = -2,	/* the kernel, or a closed client */
	OWNER_HIDDEN = -3,	/* a client that the caller may not see */
	OWNER_TABLES = -4,	/* page tables, of any owner */
	OWNER_METADATA = -5,	/* the module's bookkeeping, and bad frames */
};

/* Number of owners with a letter of their own, and with a colour of their own. */
#define NR_LETTERS	26
#define NR_HUES		12

/**
 * struct cell - a part of a region
 * @nr: number of frames
 * @uses: number of frames by use
 * @use: use of most of the used frames; USE_FREE if all are free
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
 * @region: place and size
 * @cell_bytes: size of a cell; the last cell can be smaller
 * @nr_cells: number of cells
 * @cells: the cells
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
 * struct view - all regions and clients
 * @info: features and counts
 * @regions: an array of @info.nr_regions
 * @uses: frames of all regions by use
 * @nr: frames of all regions
 * @has_clients: the module has the call that lists clients; else @clients is empty
 * @clients: the clients, the largest owner first; tmm's own client is left out
 * @slots: for each client, the number of its letter and its colour. The largest clients have
 *         the first NR_HUES slots. As long as there are no more clients than that, a client
 *         keeps its slot when another client comes or grows
 * @kernel_frames: used frames that are not bad, and that belong neither to clients, open or
 *                 closed, nor to the module's bookkeeping
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
 * view_take() - read the state of the memory
 * @client: the client that makes the calls
 * @max_cells: most cells for the largest region. The size of a cell is a power of two, at
 *             least 2 MiB, and the same in all regions
 * @view: filled in; to be freed with view_free()
 *
 * Return: 0, or -1 after printing the error
 */
int view_take(const struct tmm_client *client, uint32_t max_cells, struct view *view);
void view_free(struct view *view);

/* Return the name of a use, in words and as a member of a JSON object. */
const char *use_name(enum use use);
const char *use_key(enum use use);

/* Return the offset of a cell from the start of its region. */
uint64_t cell_offset(const struct view_region *region, uint32_t index);

/* Return the share of the free memory outside the longest run for pages of size @i; 0 to 1. */
double fragmentation(const struct tmm_info *info, unsigned int i);

/* Write the members "clients", "hidden" and "orphan_bytes", also for `tmm info`. */
void json_clients(struct json *json, const struct tmm_clients *clients, uint64_t nr_frames);
/* Write an object with the members "bytes", "runs" and "longest" for the free memory. */
void json_free(struct json *json, const char *key, const struct tmm_info *info);
/* Write the whole view, for `tmm map --json`. */
void view_json(struct json *json, const struct view *view);

#endif /* TMM_VIEW_H */
