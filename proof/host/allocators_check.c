// SPDX-License-Identifier: GPL-2.0
/*
 * The allocators of frames and of pages, with all that belongs to them in alloc/: every state that
 * a small world can reach, and every step from each of these states, once with a heap that has
 * room, and once for each request for memory that the heap can refuse. After each step, the whole
 * allocator is compared with the model.
 */
#include "alloc/frames.h"
#include "alloc/magazine.h"
#include "alloc/magazine_home.h"
#include "alloc/pages.h"
#include "runtime.h"
#include "steps.h"
#include "world.h"

#include <linux/string.h>

#define GENERAL	TMM_REGION_GENERAL

static const struct world_config configs[] = {
	{
		.name = "frames: split, merge, quota", .is_frames = true, .has_account = true,
		.limit = 3, .nr_cpus = 1, .max_objects = 3,
		.nr_regions = 1, .regions = { { GENERAL, 509, 5 } },
	}, {
		.name = "frames: states, tables, bad frames", .is_frames = true,
		.has_states = true, .has_tables = true, .has_bad_frames = true, .nr_cpus = 1,
		.max_objects = 2,
		.nr_regions = 1, .regions = { { GENERAL, 510, 3 } },
	}, {
		.name = "frames: borrows", .is_frames = true, .has_borrows = true,
		.has_bad_frames = true, .nr_cpus = 1, .max_objects = 3,
		.nr_regions = 1, .regions = { { GENERAL, 511, 3 } },
	}, {
		.name = "frames: types of regions", .is_frames = true, .nr_cpus = 1, .max_objects = 3,
		.nr_regions = 3,
		.regions = { { TMM_REGION_RESERVED, 100, 2 }, { GENERAL, 1022, 3, true },
			     { TMM_REGION_DESIGNATED, 1026, 1 } },
	}, {
		.name = "frames: reserve of objects", .is_frames = true, .has_deferred = true,
		.has_account = true, .limit = 2, .nr_cpus = 1, .max_objects = 2,
		.nr_regions = 1, .regions = { { GENERAL, 511, 3 } },
	}, {
		.name = "frames: a magazine", .is_frames = true, .has_magazines = true,
		.nr_cpus = 1, .max_objects = 2,
		.nr_regions = 1, .regions = { { GENERAL, 511, 3 } },
	}, {
		.name = "frames: magazines of two CPUs", .is_frames = true,
		.has_magazines = true, .nr_cpus = 2, .has_bad_frames = true, .max_objects = 2,
		.nr_regions = 1, .regions = { { GENERAL, 511, 2, true } },
	}, {
		.name = "frames: a magazine beside regions", .is_frames = true,
		.has_magazines = true, .nr_cpus = 1, .max_objects = 2,
		.nr_regions = 2, .regions = { { GENERAL, 511, 2 },
					      { TMM_REGION_KERNEL, 600, 2 } },
	}, {
		.name = "frames: a cleaner", .is_frames = true, .has_magazines = true,
		.has_cleaner = true, .has_tables = true, .nr_cpus = 1, .max_objects = 2,
		.nr_regions = 1, .regions = { { GENERAL, 511, 3 } },
	}, {
		.name = "frames: a cleaner, bad frames", .is_frames = true, .has_magazines = true,
		.has_cleaner = true, .has_bad_frames = true, .has_deferred = true, .nr_cpus = 1,
		.max_objects = 1,
		.nr_regions = 1, .regions = { { GENERAL, 511, 3 } },
	}, {
		.name = "pages: split, merge, quota", .has_account = true,
		.limit = 3, .nr_cpus = 1, .max_objects = 3,
		.nr_regions = 1, .regions = { { GENERAL, 509, 5 } },
	}, {
		.name = "pages: types of regions", .nr_cpus = 1, .max_objects = 3,
		.nr_regions = 3,
		.regions = { { TMM_REGION_KERNEL, 100, 2 }, { GENERAL, 1022, 3 },
			     { GENERAL, 1025, 1 } },
	}, {
		.name = "pages: reserve of objects", .has_deferred = true, .nr_cpus = 1,
		.max_objects = 3,
		.nr_regions = 1, .regions = { { GENERAL, 511, 4 } },
	}, {
		.name = "pages: a magazine", .has_magazines = true, .nr_cpus = 1, .max_objects = 2,
		.nr_regions = 1, .regions = { { GENERAL, 511, 3 } },
	}, {
		/* at the edge of two homes */
		.name = "pages: magazines of two CPUs", .has_magazines = true, .nr_cpus = 2,
		.max_objects = 1,
		.nr_regions = 1, .regions = { { GENERAL, 4095, 3 } },
	},
};

/* A state as bytes: two states that have the same bytes can make the same steps. */
struct key {
	u8 bytes[96];
};

struct state {
	struct key key;
	unsigned int parent;
	unsigned int step;
	unsigned int next;	/* of the same hash */
};

#define MAX_STATES	100000
#define NR_HASHES	65536
#define NONE		(~0U)

static struct step steps[STEP_MAX];
static unsigned int nr_steps;
static struct state *states;
static unsigned int nr_states;
static unsigned int hashes[NR_HASHES];
static unsigned long nr_cases;

static const struct world_config *config;
static struct world world;
static unsigned int at_state, at_step;
static unsigned long at_refusal;

/* The way to a state, from the first one on */
static unsigned int path_to(unsigned int state, unsigned int *path)
{
	unsigned int nr = 0, i, at;

	for (at = state; states[at].parent != NONE; at = states[at].parent)
		nr++;
	for (at = state, i = nr; i; at = states[at].parent)
		path[--i] = states[at].step;
	return nr;
}

static void print_path(void)
{
	unsigned int path[256], i, nr = path_to(at_state, path);

	printf("world \"%s\":\n", config->name);
	for (i = 0; i < nr; i++)
		step_print(&steps[path[i]]);
	step_print(&steps[at_step]);
	if (at_refusal)
		printf("  while the heap refuses request %lu\n", at_refusal);
}

static void add_byte(struct key *key, unsigned int *nr, u64 byte)
{
	expect(*nr < sizeof(key->bytes));
	key->bytes[(*nr)++] = byte;
}

static void add_magazines(struct key *key, unsigned int *nr)
{
	struct tmm_range_allocator *ra = world_allocator(&world);
	unsigned int cpu, i, region;

	for (cpu = 0; cpu < HOST_NR_CPUS; cpu++) {
		const struct tmm_magazine *m = &ra->magazines.each[cpu];

		add_byte(key, nr, m->nr);
		add_byte(key, nr, m->nr_wanted);
		/* With one CPU, the home only decides which free chunk comes first. */
		if (config->nr_cpus > 1) {
			add_byte(key, nr, m->home == TMM_NO_HOME);
			add_byte(key, nr, m->home);
		}
		for (i = 0; i < m->nr; i++) {
			const unsigned int at = (m->oldest + i) % TMM_MAGAZINE_SIZE;

			add_byte(key, nr, world_index(&world, m->slots[at].chunk->start, &region));
		}
	}
}

static void add_cleaner(struct key *key, unsigned int *nr)
{
	const struct tmm_cleaner *cleaner = &world.frames.cleaner;
	u64 i;

	add_byte(key, nr, cleaner->nr);
	add_byte(key, nr, cleaner->nr ? cleaner->nr_done : 0);
	add_byte(key, nr, cleaner->nr ? cleaner->start - config->regions[0].first : 0);
	for (i = 0; i < config->regions[0].nr; i++)
		add_byte(key, nr, world_is_clean(&world, config->regions[0].first + i));
}

static struct key key_of_world(void)
{
	struct key key = {};
	unsigned int i, nr = 0;

	for (i = 0; i < WORLD_MAX_CHUNKS; i++)
		add_byte(&key, &nr, world.states[i] | world.is_known_bad[i] << 4);
	add_byte(&key, &nr, world.nr_owed);
	add_byte(&key, &nr, world.nr_objects);
	for (i = 0; i < world.nr_objects; i++) {
		const struct world_object *object = &world.objects[i];

		add_byte(&key, &nr, object->region << 6 | object->is_borrowed << 5 |
				    object->is_dropped << 4 | object->state << 1 |
				    object->is_charged);
		add_byte(&key, &nr, object->start - config->regions[object->region].first);
		add_byte(&key, &nr, object->nr);
	}
	if (config->has_magazines)
		add_magazines(&key, &nr);
	if (config->has_cleaner)
		add_cleaner(&key, &nr);
	return key;
}

/* Remember the world's state, unless it is known. */
static void note_state(unsigned int parent, unsigned int step)
{
	const struct key key = key_of_world();
	unsigned int i, hash = 0;

	for (i = 0; i < sizeof(key.bytes); i++)
		hash = hash * 31 + key.bytes[i];
	hash %= NR_HASHES;
	for (i = hashes[hash]; i != NONE; i = states[i].next)
		if (!memcmp(&states[i].key, &key, sizeof(key)))
			return;
	expect(nr_states < MAX_STATES);
	states[nr_states] = (struct state){ key, parent, step, hashes[hash] };
	hashes[hash] = nr_states++;
}

static void go_to(unsigned int state)
{
	unsigned int path[256], i, nr = path_to(state, path);

	world_begin(&world, config);
	for (i = 0; i < nr; i++)
		expect(step_make(&world, &steps[path[i]]) == STEP_DONE);
}

/* Make a step while the heap refuses one request, and go on as long as there was a refusal. */
static void try_refusals(unsigned int state, unsigned int step)
{
	enum step_result result;
	bool was_refused;

	for (at_refusal = 1;; at_refusal++) {
		host_refuse(at_refusal);
		result = step_make(&world, &steps[step]);
		was_refused = host_nr_requests >= at_refusal;
		host_refuse(0);
		if (result == STEP_NOT_POSSIBLE)
			return;
		expect(was_refused || result != STEP_NO_MEMORY);
		world_expect(&world);
		nr_cases++;
		if (result == STEP_DONE) {
			/* A path has no refusals, so no path would lead to such a state. */
			if (!was_refused)
				note_state(state, step);
			world_end(&world);
			go_to(state);
		}
		if (!was_refused)
			return;
	}
}

static void check_world(const struct world_config *tried)
{
	config = tried;
	nr_steps = steps_of(config, steps);
	nr_states = 0;
	nr_cases = 0;
	at_state = 0;
	memset(hashes, 0xff, sizeof(hashes));
	world_begin(&world, config);
	world_expect(&world);
	note_state(NONE, 0);
	world_end(&world);
	for (at_state = 0; at_state < nr_states; at_state++) {
		go_to(at_state);
		for (at_step = 0; at_step < nr_steps; at_step++)
			try_refusals(at_state, at_step);
		world_end(&world);
	}
	host_passed(config->name, nr_cases);
}

int main(void)
{
	unsigned int i;

	host_note(print_path);
	states = host_memory(MAX_STATES * sizeof(*states));
	expect_equal(tmm_frames_init(), 0);
	expect_equal(tmm_pages_init(), 0);
	expect_equal(tmm_magazines_init(), 0);
	for (i = 0; i < ARRAY_SIZE(configs); i++)
		check_world(&configs[i]);
	host_free_memory(states);
	tmm_frames_exit();
	tmm_pages_exit();
	return 0;
}
