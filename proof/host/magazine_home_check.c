// SPDX-License-Identifier: GPL-2.0
/*
 * alloc/magazine_home.c: the first chunk for a filling, in all sets of free blocks and all sets of
 * homes of two regions, which give out their chunks from the start or from the end; and how long the
 * filling may be. Also that the marks of a block of frames lie in one cache line, and that magazines
 * without memory leave nothing behind.
 */
#include "alloc/frames.h"
#include "alloc/magazine.h"
#include "alloc/magazine_home.h"
#include "runtime.h"

#include <linux/bitops.h>
#include <linux/cache.h>
#include <linux/errno.h>
#include <linux/string.h>

#define ORDER		6
#define NR_REGIONS	2
#define NR_BLOCKS	9	/* of both regions */

/* Blocks [first, end) of a region, and a block more between the two regions */
static const struct {
	u64 first;
	u64 end;
} blocks[NR_REGIONS] = { { 0, 8 }, { 9, 10 } };

static struct tmm_frame_allocator frames;
static struct tmm_frame_region regions[NR_REGIONS];
static void *memory[NR_REGIONS];
static unsigned long nr_cases;
static struct tmm_homes slots;
static u64 freed, homes;

static void print_state(void)
{
	printf("free blocks %#llx, homes %#llx, reversed %d %d\n", (unsigned long long)freed,
	       (unsigned long long)homes, regions[0].range.is_reversed,
	       regions[1].range.is_reversed);
}

/*
 * The model: the first block of a region that is free and nobody's home; not behind many homes. Then
 * *@block is the last home that was looked at.
 */
static bool find_vacant(unsigned int region, u64 *block, bool *is_free)
{
	const bool is_reversed = regions[region].range.is_reversed;
	const u64 nr = blocks[region].end - blocks[region].first;
	unsigned int nr_tries = 0;
	bool was_tried = false;
	u64 i;

	for (i = 0; i < nr && nr_tries < TMM_HOME_TRIES; i++) {
		const u64 at = is_reversed ? blocks[region].end - 1 - i : blocks[region].first + i;

		if (!(homes >> at & 1))
			was_tried = false;
		if (was_tried || !(freed >> at & 1))
			continue;
		*block = at;
		*is_free = true;
		if (!(homes >> at & 1))
			return true;
		/* A search skips the homes that lie side by side. */
		was_tried = true;
		nr_tries++;
	}
	return false;
}

/* Let the blocks of @homes be homes. Slots that are not in use name blocks, too. */
static void set_homes(void)
{
	u64 block;

	frames.ra.magazines.homes = &slots;
	slots.used = homes;
	for (block = 0; block < TMM_NR_HOMES; block++)
		slots.blocks[block] = block;
}

static void check_find(void)
{
	struct tmm_magazine magazine = { .home = TMM_NO_HOME };
	struct tmm_range_region *found = NULL;
	bool is_home = false;	/* the filling gets a home: a block that is nobody's */
	bool is_free = false;
	unsigned int region = 0, i;
	u64 block = 0, start;
	int err;

	for (i = 0; i < NR_REGIONS && !is_home; i++) {
		bool has_any = false;

		is_home = find_vacant(i, &block, &has_any);
		if (has_any)
			region = i;
		is_free |= has_any;
	}

	set_homes();
	spin_lock(&magazine.lock);
	spin_lock(&frames.ra.lock);
	err = tmm_magazine_home_find(&frames.ra, &found, &start);
	expect_equal(err, is_free ? 0 : -ENOSPC);
	if (is_free) {
		expect(found == &regions[region].range);
		expect_equal(start, (block << ORDER) + (found->is_reversed ? 63 : 0));
		tmm_magazine_home_enter(&frames.ra, &magazine, start);
		expect_equal(magazine.home, is_home ? block : TMM_NO_HOME);
		expect_equal(slots.used, is_home ? homes | 1ULL << block : homes);
	}
	tmm_magazine_home_leave(&frames.ra, &magazine);
	spin_unlock(&frames.ra.lock);
	spin_unlock(&magazine.lock);
	expect_equal(slots.used, homes);
	nr_cases++;
}

/* Build both regions, in which only the blocks of @freed are free. */
static void build(unsigned int directions)
{
	unsigned int i;
	u64 block;

	tmm_frame_allocator_init(&frames);
	expect_equal(frames.ra.hooks->home_order, ORDER);
	for (i = 0; i < NR_REGIONS; i++) {
		const u64 first = blocks[i].first << ORDER;
		const u64 nr = (blocks[i].end - blocks[i].first) << ORDER;

		regions[i] = (struct tmm_frame_region){ .range = {
			.first = first, .nr = nr, .is_reversed = directions >> i & 1,
		} };
		memory[i] = host_memory(tmm_frame_regions_nr_bytes(first, nr));
		expect_equal(tmm_frame_regions_add(&frames, &regions[i], memory[i]), 0);
		for (block = blocks[i].first; block < blocks[i].end; block++)
			if (!(freed >> block & 1))
				tmm_frame_maps_take(&regions[i].maps, block << ORDER, 1 << ORDER);
	}
}

static void forget(void)
{
	unsigned int i;
	u64 block;

	for (i = 0; i < NR_REGIONS; i++)
		for (block = blocks[i].first; block < blocks[i].end; block++)
			if (!(freed >> block & 1))
				tmm_frame_maps_give(&regions[i].maps, block << ORDER, 1 << ORDER);
	tmm_frame_allocator_destroy(&frames);
	for (i = 0; i < NR_REGIONS; i++)
		host_free_memory(memory[i]);
}

/* A set of blocks of the regions: the last bit is the block of the second region. */
static u64 blocks_in(unsigned int set)
{
	return (set & 0xff) | (u64)(set >> 8) << 9;
}

static void check_finds(void)
{
	unsigned int directions, i, j;

	nr_cases = 0;
	for (directions = 0; directions < 1 << NR_REGIONS; directions++)
		for (i = 0; i < 1 << NR_BLOCKS; i++) {
			freed = blocks_in(i);
			build(directions);
			for (j = 0; j < 1 << NR_BLOCKS; j++) {
				homes = blocks_in(j);
				check_find();
			}
			forget();
		}
	host_passed("the first chunk for a filling", nr_cases);
}

/* A filling ends before a home, but does not end at a block that is nobody's home. */
static void check_limit(const struct tmm_range_region *region, u64 start, unsigned int nr)
{
	const u64 step = region->is_reversed ? -1 : 1;
	unsigned int wanted = 1;
	u64 at;

	for (at = start + step; wanted < nr; wanted++, at += step)
		if (at >> ORDER != start >> ORDER && homes >> (at >> ORDER) & 1)
			break;
	set_homes();
	expect_equal(tmm_magazine_home_limit(&frames.ra, region, start, nr), wanted);
	nr_cases++;
}

static void check_limits(void)
{
	struct tmm_range_region region = {};
	unsigned int nr, i;
	u64 start;

	nr_cases = 0;
	tmm_frame_allocator_init(&frames);
	for (homes = 0; homes < 16; homes++)
		for (start = 1 << ORDER; start < 3 << ORDER; start++)
			for (nr = 1; nr <= TMM_MAGAZINE_HALF; nr++)
				for (i = 0; i < 2; i++) {
					region.is_reversed = i;
					check_limit(&region, start, nr);
				}
	host_passed("the length of a filling", nr_cases);
}

/* A block is nobody's home if another block has its slot. Such a block gets no home. */
static void check_slots(void)
{
	struct tmm_magazine magazine = { .home = TMM_NO_HOME };
	struct tmm_range_region region = {};

	nr_cases = 0;
	tmm_frame_allocator_init(&frames);
	for (homes = 1; homes; homes <<= 1) {
		const u64 block = __ffs64(homes) + TMM_NR_HOMES;
		const u64 last = (block << ORDER) - 1;

		set_homes();
		expect_equal(tmm_magazine_home_limit(&frames.ra, &region, last, 2), 2);
		slots.blocks[block % TMM_NR_HOMES] = block;
		expect_equal(tmm_magazine_home_limit(&frames.ra, &region, last, 2), 1);
		spin_lock(&magazine.lock);
		spin_lock(&frames.ra.lock);
		tmm_magazine_home_enter(&frames.ra, &magazine, last + 1 + (TMM_NR_HOMES << ORDER));
		spin_unlock(&frames.ra.lock);
		spin_unlock(&magazine.lock);
		expect_equal(magazine.home, TMM_NO_HOME);
		nr_cases++;
	}
	host_passed("blocks with the same slot", nr_cases);
}

/* The marks of the frames of a block lie in one cache line, wherever the memory begins. */
static void check_marks(u64 first, u64 nr, unsigned int offset)
{
	struct tmm_frame_region region = { .range = { .first = first, .nr = nr } };
	const size_t nr_bytes = tmm_frame_regions_nr_bytes(first, nr);
	void *area = host_memory(offset + nr_bytes);
	const u64 wanted = first % L1_CACHE_BYTES;
	uintptr_t mark;

	tmm_frame_allocator_init(&frames);
	expect_equal(tmm_frame_regions_add(&frames, &region, area + offset), 0);
	mark = (uintptr_t)&region.table.marks[TMM_4K][first - region.table.base];
	expect_equal(mark & (L1_CACHE_BYTES - 1), wanted);
	expect(mark + nr <= (uintptr_t)area + offset + nr_bytes);
	tmm_frame_allocator_destroy(&frames);
	host_free_memory(area);
	nr_cases++;
}

static void check_all_marks(void)
{
	static const u64 lengths[] = { 1, 63, 64, 65, 512, 1000 };
	unsigned int i, offset;
	u64 first;

	nr_cases = 0;
	for (first = 0; first < 2 << ORDER; first++)
		for (i = 0; i < ARRAY_SIZE(lengths); i++)
			for (offset = 0; offset < L1_CACHE_BYTES; offset += sizeof(u64)) {
				check_marks(first, lengths[i], offset);
				check_marks((1 << 18) - first, lengths[i], offset);
			}
	host_passed("the marks of a block", nr_cases);
}

/* Magazines are made as a whole, or not at all. */
static void check_failures(void)
{
	struct tmm_magazines *magazines = &frames.ra.magazines;
	unsigned int number;

	tmm_frame_allocator_init(&frames);
	for (number = 1; number <= 3; number++) {
		host_refuse(number);
		expect_equal(tmm_magazines_create(&frames.ra), -ENOMEM);
		expect(!magazines->each && !magazines->homes);
		expect_equal(host_nr_objects, 0);
	}
	host_refuse(0);
	expect_equal(tmm_magazines_create(&frames.ra), 0);
	expect(magazines->each && magazines->homes);
	tmm_magazines_destroy(&frames.ra);
	expect_equal(host_nr_objects, 0);
	host_passed("magazines that lack memory", number);
}

int main(void)
{
	host_note(print_state);
	expect_equal(tmm_frames_init(), 0);
	check_failures();
	check_slots();
	check_finds();
	check_limits();
	check_all_marks();
	tmm_frames_exit();
	return 0;
}
