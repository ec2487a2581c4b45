/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A world is an allocator of frames or of pages with a few chunks, and a naive model of it: an
 * array with the state of each chunk, and a list of the owned runs. world_expect() compares all of
 * the allocator with the model.
 */
#ifndef HOST_WORLD_H
#define HOST_WORLD_H

#include "alloc/account.h"
#include "alloc/frames.h"
#include "alloc/pages.h"

#define WORLD_MAX_REGIONS	3
#define WORLD_MAX_CHUNKS	16
#define WORLD_MAX_OBJECTS	6

enum world_state {
	WORLD_FREE,
	WORLD_OWNED,
	WORLD_TABLE,
	WORLD_BAD,
};

struct world_region {
	enum tmm_region_type type;
	u64 first;
	u64 nr;
	bool is_reversed;
};

/* The parts of a world, and the steps that a check tries in the world. */
struct world_config {
	const char *name;
	bool is_frames;
	bool has_magazines;
	unsigned int nr_cpus;	/* that the task runs on, with magazines */
	bool has_account;	/* requests are charged to an account with a limit */
	bool has_bad_frames;
	bool has_tables;
	bool has_states;	/* frames are mapped and unmapped */
	bool has_borrows;
	bool has_deferred;
	bool has_cleaner;	/* each owner gets cleared frames, and writes a pattern */
	u64 limit;
	unsigned int max_objects;
	unsigned int nr_regions;
	struct world_region regions[WORLD_MAX_REGIONS];
};

/* An owned run. @object is the run's object, whose first member is a struct tmm_chunk. */
struct world_object {
	void *object;
	u64 start;
	u64 nr;
	unsigned int region;
	bool is_charged;
	bool is_borrowed;	/* once */
	bool is_dropped;	/* by the owner, while the run is borrowed */
	enum tmm_memory_state state;
};

struct world {
	const struct world_config *config;
	/* the model */
	enum world_state states[WORLD_MAX_CHUNKS];
	bool is_known_bad[WORLD_MAX_CHUNKS];
	struct world_object objects[WORLD_MAX_OBJECTS];
	unsigned int nr_objects;
	unsigned int nr_owed;
	u64 nr_charged;
	/* the allocator */
	struct tmm_frame_allocator frames;
	struct tmm_page_allocator pages;
	struct tmm_frame_region frame_regions[WORLD_MAX_REGIONS];
	struct tmm_range_region page_regions[WORLD_MAX_REGIONS];
	void *memory[WORLD_MAX_REGIONS];
	void *windows[WORLD_MAX_REGIONS];
	struct tmm_deferred_action action;
	struct tmm_account account;
};

void world_begin(struct world *world, const struct world_config *config);
void world_end(struct world *world);
void world_expect(struct world *world);
struct tmm_range_allocator *world_allocator(struct world *world);
struct tmm_range_region *world_range(struct world *world, unsigned int region);

/* The place of a chunk in the model's array, or WORLD_MAX_CHUNKS. Sets @region. */
unsigned int world_index(const struct world *world, u64 number, unsigned int *region);
bool world_is_free(const struct world *world, u64 number);
/* True if the allocator takes a frame for clean. */
bool world_is_clean(const struct world *world, u64 number);
void world_mark(struct world *world, u64 start, u64 nr, enum world_state state);
void world_add(struct world *world, void *object, u64 start, u64 nr, unsigned int region,
	       bool is_charged);
void world_forget(struct world *world, unsigned int i);
void world_sort(struct world *world);

/*
 * The model's answer to a request: 0 and the start and the region of the run, or an errno.
 */
int world_answer(const struct world *world, const struct tmm_allocation_request *req, u64 *start,
		 unsigned int *region);
/* True if the run is one that the request may get, though perhaps not the one of the answer. */
bool world_may_get(const struct world *world, const struct tmm_allocation_request *req, u64 start,
		   unsigned int region);

#endif
