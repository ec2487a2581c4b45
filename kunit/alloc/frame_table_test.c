// SPDX-License-Identifier: GPL-2.0
#include "alloc/frame_table.h"

#include "core/page.h"
#include "support/fixture.h"

#define NR_2M 512ULL
#define NR_1G 262144ULL

static struct tmm_frame_table *create_table(struct kunit *test, u64 first, u64 nr)
{
	struct tmm_frame_table *table = tmm_test_kvzalloc(test, sizeof(*table));
	size_t nr_bytes = tmm_frame_table_nr_bytes(first, nr);
	u8 *memory = tmm_test_kvzalloc(test, nr_bytes);

	memset(memory, 0xa5, nr_bytes);
	tmm_frame_table_init(table, first, nr, memory);
	return table;
}

/* Expects @mark on [start, start + nr), and TMM_MARK_FREE on all other frames. */
static void expect_only(struct kunit *test, struct tmm_frame_table *table, u64 start, u64 nr,
			enum tmm_frame_mark mark)
{
	u64 end = table->first + table->nr;
	u64 number;

	for (number = table->first; number < end; number++) {
		bool inside = number >= start && number - start < nr;

		if (tmm_frame_table_get(table, number) == (inside ? mark : TMM_MARK_FREE))
			continue;
		KUNIT_FAIL(test, "frame %#llx is marked %u", number,
			   tmm_frame_table_get(table, number));
		return;
	}
	KUNIT_EXPECT_TRUE(test, tmm_frame_table_all(table, start, nr, mark));
	if (start > table->first)
		KUNIT_EXPECT_FALSE(test, tmm_frame_table_all(table, start - 1, 2, mark));
	if (start + nr < end)
		KUNIT_EXPECT_FALSE(test, tmm_frame_table_all(table, start + nr - 1, 2, mark));
}

static void nr_bytes_of_sizes(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, tmm_frame_table_nr_bytes(0, 1), 1 + 1 + 1);
	KUNIT_EXPECT_EQ(test, tmm_frame_table_nr_bytes(0, NR_2M), NR_2M + 1 + 1);
	KUNIT_EXPECT_EQ(test, tmm_frame_table_nr_bytes(NR_2M - 1, 2), 2 + 2 + 1);
	KUNIT_EXPECT_EQ(test, tmm_frame_table_nr_bytes(NR_1G, NR_1G + 1), NR_1G + 1 + 513 + 2);
}

struct set_param {
	const char *name;
	u64 first;
	u64 nr;
	u64 start;
	u64 nr_set;
};

/* Each table has exactly tmm_frame_table_nr_bytes() bytes, so KASAN reports accesses past them. */
static const struct set_param set_params[] = {
	{ "one frame", 3 * NR_2M, 2 * NR_2M, 3 * NR_2M + 7, 1 },
	{ "only frame of a region", 12345, 1, 12345, 1 },
	{ "first and last frame of a region", 7, 9, 7, 9 },
	{ "a whole 2M block", 0, 4 * NR_2M, NR_2M, NR_2M },
	{ "across 2M blocks", 0, 4 * NR_2M, NR_2M - 3, NR_2M + 6 },
	{ "up to a 2M block", 0, 4 * NR_2M, 5, NR_2M - 5 },
	{ "from a 2M block", 0, 4 * NR_2M, NR_2M, 5 },
	{ "region begins within a 2M block", NR_2M + 9, NR_2M, NR_2M + 9, NR_2M - 9 },
	{ "region ends within a 2M block", 0, NR_2M + 9, NR_2M, 9 },
	{ "one frame of a partial block", NR_2M + 9, 5, NR_2M + 11, 1 },
	{ "across a 1G boundary", NR_1G - 600, 1200, NR_1G - 5, 10 },
	{ "up to a 1G boundary", NR_1G - 600, 1200, NR_1G - 600, 600 },
	{ "a whole 1G block", NR_1G - 4, NR_1G + 8, NR_1G, NR_1G },
	{ "a 1G block and a bit", NR_1G - 4, NR_1G + 8, NR_1G - 1, NR_1G + 2 },
	{ "near the last address", (1ULL << 40) - 700, 700, (1ULL << 40) - 3, 3 },
};

TMM_ARRAY_PARAM(set, set_params);

static void set_and_clear_again(struct kunit *test)
{
	const struct set_param *p = test->param_value;
	struct tmm_frame_table *table = create_table(test, p->first, p->nr);

	expect_only(test, table, p->first, p->nr, TMM_MARK_FREE);
	tmm_frame_table_set(table, p->start, p->nr_set, TMM_MARK_TABLE);
	expect_only(test, table, p->start, p->nr_set, TMM_MARK_TABLE);
	tmm_frame_table_set(table, p->start, p->nr_set, TMM_MARK_FREE);
	expect_only(test, table, p->first, p->nr, TMM_MARK_FREE);
}

static void set_part_of_a_block_keeps_the_rest(struct kunit *test)
{
	struct tmm_frame_table *table = create_table(test, 0, 3 * NR_2M);
	u64 counts[TMM_NR_MARKS] = {};

	tmm_frame_table_set(table, 0, 3 * NR_2M, TMM_MARK_ALLOCATED);
	tmm_frame_table_set(table, NR_2M + 5, 7, TMM_MARK_MAPPED);
	KUNIT_EXPECT_EQ(test, tmm_frame_table_get(table, 0), TMM_MARK_ALLOCATED);
	KUNIT_EXPECT_EQ(test, tmm_frame_table_get(table, NR_2M + 4), TMM_MARK_ALLOCATED);
	KUNIT_EXPECT_EQ(test, tmm_frame_table_get(table, NR_2M + 5), TMM_MARK_MAPPED);
	KUNIT_EXPECT_EQ(test, tmm_frame_table_get(table, NR_2M + 11), TMM_MARK_MAPPED);
	KUNIT_EXPECT_EQ(test, tmm_frame_table_get(table, NR_2M + 12), TMM_MARK_ALLOCATED);
	KUNIT_EXPECT_EQ(test, tmm_frame_table_get(table, 3 * NR_2M - 1), TMM_MARK_ALLOCATED);
	tmm_frame_table_count(table, 0, 3 * NR_2M, counts);
	KUNIT_EXPECT_EQ(test, counts[TMM_MARK_MAPPED], 7);
	KUNIT_EXPECT_EQ(test, counts[TMM_MARK_ALLOCATED], 3 * NR_2M - 7);
}

/* Marking 1 GiB must not write 262,144 bytes. */
static void set_whole_block_writes_one_byte(struct kunit *test)
{
	struct tmm_frame_table *table = create_table(test, 0, 2 * NR_1G);
	u8 *per_2m = table->marks[TMM_2M];
	u8 *per_4k = table->marks[TMM_4K];

	memset(per_2m, 0xa5, 2 * NR_1G / NR_2M);
	memset(per_4k, 0xa5, 2 * NR_1G);
	tmm_frame_table_set(table, NR_1G, NR_1G, TMM_MARK_ALLOCATED);
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(per_2m, 0xa5, 2 * NR_1G / NR_2M), NULL);
	tmm_frame_table_set(table, NR_1G + NR_2M, NR_2M, TMM_MARK_MAPPED);
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(per_4k, 0xa5, 2 * NR_1G), NULL);
	KUNIT_EXPECT_EQ(test, tmm_frame_table_get(table, NR_1G + NR_2M - 1), TMM_MARK_ALLOCATED);
	KUNIT_EXPECT_EQ(test, tmm_frame_table_get(table, NR_1G + 2 * NR_2M - 1), TMM_MARK_MAPPED);
	KUNIT_EXPECT_EQ(test, tmm_frame_table_get(table, NR_1G + 2 * NR_2M), TMM_MARK_ALLOCATED);
}

static void count_adds_to_what_is_there(struct kunit *test)
{
	struct tmm_frame_table *table = create_table(test, 100, 50);
	u64 counts[TMM_NR_MARKS] = { [TMM_MARK_FREE] = 1000, [TMM_MARK_UNMAPPED] = 5 };

	tmm_frame_table_set(table, 110, 10, TMM_MARK_UNMAPPED);
	tmm_frame_table_count(table, 105, 10, counts);
	KUNIT_EXPECT_EQ(test, counts[TMM_MARK_FREE], 1005);
	KUNIT_EXPECT_EQ(test, counts[TMM_MARK_UNMAPPED], 10);
	tmm_frame_table_count(table, 105, 0, counts);
	KUNIT_EXPECT_EQ(test, counts[TMM_MARK_FREE], 1005);
}

/* The counted frames are a part of a block that has one mark for all its frames. */
static void count_part_of_a_whole_block(struct kunit *test)
{
	struct tmm_frame_table *table = create_table(test, 0, 4 * NR_2M);
	u64 counts[TMM_NR_MARKS] = {};

	tmm_frame_table_count(table, 5, 10, counts);
	KUNIT_EXPECT_EQ(test, counts[TMM_MARK_FREE], 10);
	tmm_frame_table_set(table, NR_2M, NR_2M, TMM_MARK_MAPPED);
	tmm_frame_table_count(table, NR_2M + 5, 10, counts);
	tmm_frame_table_count(table, 2 * NR_2M - 3, 6, counts);
	KUNIT_EXPECT_EQ(test, counts[TMM_MARK_MAPPED], 13);
	KUNIT_EXPECT_EQ(test, counts[TMM_MARK_FREE], 13);
}

/* Sets [@start, @start + @nr) in pieces, and joins each piece to the run of those before it. */
static void set_in_pieces(struct tmm_frame_table *table, u64 start, u64 nr, u64 step,
			  bool from_top, enum tmm_frame_mark mark)
{
	u64 done, piece;

	for (done = 0; done < nr; done += piece) {
		const u64 first = start + nr - done;

		piece = min(step, nr - done);
		if (from_top)
			tmm_frame_table_set(table, first - piece, piece, mark);
		else
			tmm_frame_table_set(table, start + done, piece, mark);
		if (done && from_top)
			tmm_frame_table_join(table, first, first - piece, start + nr);
		else if (done)
			tmm_frame_table_join(table, start + done, start, start + done + piece);
		if (!(done & 0xfff))
			cond_resched();
	}
}

/* A run that is joined from pieces has whole blocks, in any order of the pieces. */
static void joined_pieces_become_whole_blocks(struct kunit *test)
{
	static const u64 steps[] = { 1, 7, NR_2M, 3 * NR_2M + 5 };
	struct tmm_frame_table *table = create_table(test, 0, 2 * NR_1G);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		enum tmm_frame_mark mark = i % 2 ? TMM_MARK_MAPPED : TMM_MARK_ALLOCATED;

		set_in_pieces(table, 0, NR_1G, steps[i], i >= 2, mark);
		KUNIT_EXPECT_EQ_MSG(test, table->marks[TMM_1G][0], mark, "steps of %llu",
				    steps[i]);
	}
	/* A block counts as whole if all its frames that are in the region are in the run. */
	table = create_table(test, NR_2M - 9, 20);
	tmm_frame_table_set(table, NR_2M - 9, 5, TMM_MARK_ALLOCATED);
	KUNIT_EXPECT_EQ(test, table->marks[TMM_1G][0], TMM_MARK_MIXED);
	KUNIT_EXPECT_FALSE(test, tmm_frame_table_is_to_join(table, NR_2M - 7, NR_2M - 9,
							    NR_2M - 4));
	tmm_frame_table_set(table, NR_2M - 4, 15, TMM_MARK_ALLOCATED);
	KUNIT_EXPECT_TRUE(test, tmm_frame_table_is_to_join(table, NR_2M - 4, NR_2M - 9,
							   NR_2M + 11));
	tmm_frame_table_join(table, NR_2M - 4, NR_2M - 9, NR_2M + 11);
	KUNIT_EXPECT_EQ(test, table->marks[TMM_2M][0], TMM_MARK_ALLOCATED);
	KUNIT_EXPECT_EQ(test, table->marks[TMM_1G][0], TMM_MARK_ALLOCATED);
}

/* Only the block at the seam is joined, and only if the run has all of it. */
static void join_leaves_other_blocks_alone(struct kunit *test)
{
	struct tmm_frame_table *table = create_table(test, 0, NR_1G);

	tmm_frame_table_set(table, 5, 2 * NR_2M, TMM_MARK_ALLOCATED);
	tmm_frame_table_divide(table, NR_2M, NR_2M);
	KUNIT_EXPECT_FALSE(test, tmm_frame_table_is_to_join(table, 9, 5, 2 * NR_2M + 5));
	KUNIT_EXPECT_FALSE(test, tmm_frame_table_is_to_join(table, NR_2M, 5, 2 * NR_2M + 5));
	tmm_frame_table_join(table, NR_2M, 5, 2 * NR_2M + 5);
	KUNIT_EXPECT_EQ(test, table->marks[TMM_2M][1], TMM_MARK_MIXED);
	tmm_frame_table_join(table, NR_2M + 1, 5, 2 * NR_2M + 5);
	KUNIT_EXPECT_EQ(test, table->marks[TMM_2M][0], TMM_MARK_MIXED);
	KUNIT_EXPECT_EQ(test, table->marks[TMM_2M][1], TMM_MARK_ALLOCATED);
	KUNIT_EXPECT_EQ(test, table->marks[TMM_1G][0], TMM_MARK_MIXED);
}

/* The owner of a single frame changes the mark only if no block shares it. */
static void change_one_needs_a_divided_block(struct kunit *test)
{
	struct tmm_frame_table *table = create_table(test, 17, NR_1G);

	KUNIT_EXPECT_FALSE(test, tmm_frame_table_change_one(table, 20, TMM_MARK_FREE,
							    TMM_MARK_ALLOCATED));
	tmm_frame_table_set(table, 17, NR_2M - 17, TMM_MARK_FREE);
	KUNIT_EXPECT_FALSE(test, tmm_frame_table_change_one(table, 20, TMM_MARK_FREE,
							    TMM_MARK_ALLOCATED));
	tmm_frame_table_divide(table, 20, 1);
	expect_only(test, table, 17, NR_1G, TMM_MARK_FREE);
	KUNIT_EXPECT_FALSE(test, tmm_frame_table_change_one(table, 20, TMM_MARK_ALLOCATED,
							    TMM_MARK_MAPPED));
	expect_only(test, table, 17, NR_1G, TMM_MARK_FREE);
	KUNIT_EXPECT_TRUE(test, tmm_frame_table_change_one(table, 20, TMM_MARK_FREE,
							   TMM_MARK_ALLOCATED));
	expect_only(test, table, 20, 1, TMM_MARK_ALLOCATED);
}

static void count_steps(struct kunit *test, struct tmm_frame_table *table, u64 start, u64 nr)
{
	const u64 bound = TMM_FRAME_TABLE_MAX_STEPS + nr / NR_1G;

	table->nr_steps = 0;
	KUNIT_EXPECT_TRUE(test, tmm_frame_table_all(table, start, nr, TMM_MARK_ALLOCATED));
	KUNIT_EXPECT_LE(test, table->nr_steps, bound);
	table->nr_steps = 0;
	tmm_frame_table_set(table, start, nr, TMM_MARK_MAPPED);
	KUNIT_EXPECT_LE(test, table->nr_steps, bound);
	tmm_frame_table_set(table, start, nr, TMM_MARK_ALLOCATED);
}

/*
 * The number of steps that mark a run of a little more than 3 GiB has the same limit whether the
 * run was allocated frame by frame or at once.
 */
static void steps_are_bounded(struct kunit *test)
{
	const u64 start = NR_1G - 3 * NR_2M - 5, nr = 3 * NR_1G + 7 * NR_2M + 13;
	struct tmm_frame_table *table = create_table(test, 17, 5 * NR_1G);
	u64 i, first;

	for (first = 0; first < 2; first++)
		for (i = first; i < nr; i += 2) {
			tmm_frame_table_set(table, start + i, 1, TMM_MARK_ALLOCATED);
			if (!(i & 0xfff))
				cond_resched();
		}
	/* The owner has joined the frames. */
	set_in_pieces(table, start, nr, 1, false, TMM_MARK_ALLOCATED);
	count_steps(test, table, start, nr);
	/* the limit also holds for each part of the run */
	count_steps(test, table, start + NR_2M + 1, 2 * NR_1G);
	count_steps(test, table, start + NR_1G - 1, 2);
}

#define NR_RANDOM (5 * NR_2M + 77)

static void compare_marks(struct kunit *test, const struct tmm_frame_table *table, const u8 *model,
			  unsigned int step)
{
	u64 counts[TMM_NR_MARKS] = {};
	u64 want[TMM_NR_MARKS] = {};
	unsigned int i;

	for (i = 0; i < NR_RANDOM; i++) {
		want[model[i]]++;
		KUNIT_ASSERT_EQ_MSG(test, tmm_frame_table_get(table, table->first + i), model[i],
				    TMM_SEED_FMT "step %u, frame %u", tmm_test_seed(), step, i);
	}
	tmm_frame_table_count(table, table->first, NR_RANDOM, counts);
	KUNIT_ASSERT_EQ_MSG(test, memcmp(counts, want, sizeof(counts)), 0, TMM_SEED_FMT "step %u",
			    tmm_test_seed(), step);
}

/* The table contains a 1G boundary, and begins and ends within a block. */
static void set_randomly_like_an_array(struct kunit *test)
{
	struct tmm_frame_table *table = create_table(test, NR_1G - 2 * NR_2M - 9, NR_RANDOM);
	u8 *model = tmm_test_kvzalloc(test, NR_RANDOM);
	struct rnd_state rnd;
	unsigned int step;

	tmm_test_random_start(test, &rnd, 1);
	for (step = 0; step < 300; step++) {
		u64 from = tmm_test_random_below(&rnd, NR_RANDOM);
		u64 nr = 1 + tmm_test_random_below(&rnd, NR_RANDOM - from);
		u8 mark = tmm_test_random_below(&rnd, TMM_NR_MARKS);
		u8 other = (mark + 1) % TMM_NR_MARKS;

		if (step % 3)
			nr = 1 + nr % 20;
		nr = min(nr, NR_RANDOM - from);
		tmm_frame_table_set(table, table->first + from, nr, mark);
		memset(model + from, mark, nr);
		compare_marks(test, table, model, step);
		KUNIT_ASSERT_TRUE(test, tmm_frame_table_all(table, table->first + from, nr, mark));
		KUNIT_ASSERT_FALSE(test, tmm_frame_table_all(table, table->first + from, nr,
							     other));
	}
}

static struct kunit_case frame_table_cases[] = {
	KUNIT_CASE(nr_bytes_of_sizes),
	KUNIT_CASE_PARAM(set_and_clear_again, set_gen_params),
	KUNIT_CASE(set_part_of_a_block_keeps_the_rest),
	KUNIT_CASE(set_whole_block_writes_one_byte),
	KUNIT_CASE(joined_pieces_become_whole_blocks),
	KUNIT_CASE(join_leaves_other_blocks_alone),
	KUNIT_CASE(change_one_needs_a_divided_block),
	KUNIT_CASE(steps_are_bounded),
	KUNIT_CASE(count_adds_to_what_is_there),
	KUNIT_CASE(count_part_of_a_whole_block),
	KUNIT_CASE(set_randomly_like_an_array),
	{}
};

static struct kunit_suite frame_table_suite = {
	.name = "theseus_mm_frame_table",
	.test_cases = frame_table_cases,
};

kunit_test_suite(frame_table_suite);
