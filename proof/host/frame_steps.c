// SPDX-License-Identifier: GPL-2.0
#include "frame_steps.h"

#include "alloc/bad_frames.h"
#include "alloc/cleaner.h"
#include "alloc/frames_clear.h"
#include "alloc/table_frames.h"
#include "runtime.h"

#include <linux/string.h>

/* A new owner finds zeros, and leaves something else. */
void steps_use_frames(struct tmm_allocated_frames *frames)
{
	void *memory = tmm_frame_regions_ptr(frames->f.allocator, frames->f.chunk.start);
	const size_t nr_bytes = frames->f.chunk.nr * TMM_PAGE_SIZE;

	expect_equal(tmm_allocated_frames_zero_new(frames), 0);
	expect(!memchr_inv(memory, 0, nr_bytes));
	memset(memory, 0xa5, nr_bytes);
}

enum step_result steps_retire(struct world *world, const struct step *step)
{
	unsigned int region, index = world_index(world, step->req.at, &region);
	int err = tmm_bad_frames_retire(&world->frames, step->req.at), wanted = 0;

	if (err == -ENOMEM)
		return STEP_NO_MEMORY;
	if (index == WORLD_MAX_CHUNKS)
		wanted = -ERANGE;
	else if (world->is_known_bad[index])
		wanted = -EEXIST;
	else if (world->config->regions[region].type == TMM_REGION_RESERVED ||
		 world->states[index] == WORLD_TABLE)
		wanted = -EBUSY;
	expect_equal(err, wanted);
	if (err && err != -EBUSY)
		return STEP_REFUSED;
	world->is_known_bad[index] = true;
	if (!err && world->states[index] == WORLD_FREE)
		world->states[index] = WORLD_BAD;
	return STEP_DONE;
}

enum step_result steps_give_table(struct world *world, const struct step *step)
{
	unsigned int region, index = world_index(world, step->req.at, &region);

	if (index == WORLD_MAX_CHUNKS || world->states[index] != WORLD_TABLE)
		return STEP_NOT_POSSIBLE;
	tmm_table_frames_give(&world->frames, step->req.at);
	world_mark(world, step->req.at, 1, WORLD_FREE);
	return STEP_DONE;
}

/* The piece has free and dirty frames. If there is none, all frames of the free set are clean. */
enum step_result steps_take_piece(struct world *world)
{
	const struct tmm_cleaner *cleaner = &world->frames.cleaner;
	const struct world_region *region = &world->config->regions[0];
	enum tmm_cleaner_found found;
	u64 cursor = 0, number, nr;

	if (cleaner->nr)
		return STEP_NOT_POSSIBLE;
	found = tmm_cleaner_take(&world->frames, &cursor);
	expect(found == (cleaner->nr ? TMM_CLEANER_PIECE : TMM_CLEANER_NOTHING));
	for (nr = 0; nr < cleaner->nr; nr++)
		expect(world_is_free(world, cleaner->start + nr) &&
		       !world_is_clean(world, cleaner->start + nr));
	for (number = region->first; !nr && number < region->first + region->nr; number++)
		expect(!tmm_frame_maps_is_block_free(&world->frame_regions[0].maps, number,
						     TMM_4K) ||
		       world_is_clean(world, number));
	return STEP_DONE;
}

enum step_result steps_clear_one(struct world *world)
{
	struct tmm_cleaner *cleaner = &world->frames.cleaner;
	const bool is_left = cleaner->nr_done < cleaner->nr;
	u64 number = cleaner->start + cleaner->nr_done, cursor = number;

	if (!cleaner->nr)
		return STEP_NOT_POSSIBLE;
	expect_equal(tmm_cleaner_clear_one(&world->frames, &cursor), is_left);
	expect_equal(cursor, number + is_left);
	expect_equal(!cleaner->nr, !is_left);
	return STEP_DONE;
}
