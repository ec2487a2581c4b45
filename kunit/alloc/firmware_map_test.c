// SPDX-License-Identifier: GPL-2.0
#include "alloc/firmware_map.h"

#include "core/number.h"
#include "support/fixture.h"

#include <linux/ioport.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/string.h>

#define KIB	(1ULL << 10)
#define MIB	(1ULL << 20)
#define GIB	(1ULL << 30)
#define TIB	(1ULL << 40)

/* The largest number of queries in a step. A step makes each kind of query at most once. */
#define NR_PER_STEP	6
/*
 * After this many queries, a map answers yes and no by turns, so that each run ends soon. Code that
 * wrongly queries each page of a TiB then fails instead of running for hours.
 */
#define MOST_QUESTIONS	10000

/* An entry of a made-up map, for the bytes [@start, @end). */
struct entry {
	u64 start;
	u64 end;
	enum tmm_map_kind kind;
};

/* A map for the code under test, which counts the queries. */
struct made_up {
	struct tmm_firmware_map map;
	const struct entry *entries;
	unsigned int nr;
	unsigned int nr_questions;
};

static bool has_run(const struct tmm_firmware_map *map, enum tmm_map_kind kind, u64 start, u64 end)
{
	struct made_up *m = container_of(map, struct made_up, map);
	unsigned int i;

	if (m->nr_questions++ >= MOST_QUESTIONS)
		return m->nr_questions & 1;
	for (i = 0; i < m->nr; i++)
		if (m->entries[i].kind == kind && m->entries[i].start < end &&
		    start < m->entries[i].end)
			return true;
	return false;
}

static bool is_all(const struct tmm_firmware_map *map, enum tmm_map_kind kind, u64 start, u64 end)
{
	struct made_up *m = container_of(map, struct made_up, map);
	unsigned int i;

	if (m->nr_questions++ >= MOST_QUESTIONS)
		return m->nr_questions & 1;
	for (i = 0; i < m->nr; i++)
		if (m->entries[i].kind == kind && m->entries[i].start <= start &&
		    end <= m->entries[i].end)
			return true;
	return false;
}

#define MADE_UP(list)								\
	((struct made_up){ .map = { .has = has_run, .is_all = is_all },		\
			   .entries = (list), .nr = ARRAY_SIZE(list) })

static void expect_run(struct kunit *test, struct made_up *m, u64 start, u64 end,
		       enum tmm_map_use use, u64 run_end)
{
	enum tmm_map_use found;

	KUNIT_EXPECT_EQ_MSG(test, tmm_firmware_map_run(&m->map, start, end, &found), run_end,
			    "from %#llx", start);
	KUNIT_EXPECT_EQ_MSG(test, found, use, "from %#llx", start);
}

/*
 * Like a real firmware map, this map has entries that end within a page, holes, and memory of Linux
 * in the middle of RAM.
 */
static const struct entry machine[] = {
	{ 0, 639 * KIB, TMM_MAP_RAM },
	{ 639 * KIB, 640 * KIB, TMM_MAP_RESERVED },
	{ 4 * KIB, 639 * KIB, TMM_MAP_LINUX },
	{ 1 * MIB, 2 * GIB - 128 * KIB, TMM_MAP_RAM },
	{ 1 * MIB, 1 * GIB, TMM_MAP_LINUX },
	{ 2 * GIB - 128 * KIB, 2 * GIB, TMM_MAP_RESERVED },
	{ 3 * GIB, 3 * GIB + 5 * KIB, TMM_MAP_ACPI },
	{ 3 * GIB + 5 * KIB, 3 * GIB + 64 * KIB, TMM_MAP_RAM },
	{ 4 * GIB, 3 * TIB, TMM_MAP_RAM },
};

static void runs_end_where_the_map_says(struct kunit *test)
{
	struct made_up m = MADE_UP(machine);
	const u64 end = 4 * TIB;

	expect_run(test, &m, 0, end, TMM_USE_TAKEN, 4 * KIB);
	expect_run(test, &m, 4 * KIB, end, TMM_USE_LINUX, 636 * KIB);
	/* the page in which RAM ends, and the hole after it */
	expect_run(test, &m, 636 * KIB, end, TMM_USE_OTHER, 640 * KIB);
	expect_run(test, &m, 640 * KIB, end, TMM_USE_OTHER, 1 * MIB);
	expect_run(test, &m, 1 * MIB, end, TMM_USE_LINUX, 1 * GIB);
	expect_run(test, &m, 1 * GIB, end, TMM_USE_TAKEN, 2 * GIB - 128 * KIB);
	/* all kinds other than RAM form one run */
	expect_run(test, &m, 2 * GIB - 128 * KIB, end, TMM_USE_OTHER, 3 * GIB + 4 * KIB);
	expect_run(test, &m, 3 * GIB + 4 * KIB, end, TMM_USE_OTHER, 3 * GIB + 8 * KIB);
	expect_run(test, &m, 3 * GIB + 8 * KIB, end, TMM_USE_TAKEN, 3 * GIB + 64 * KIB);
	expect_run(test, &m, 4 * GIB, end, TMM_USE_TAKEN, 3 * TIB);
	expect_run(test, &m, 4 * GIB, 5 * GIB, TMM_USE_TAKEN, 5 * GIB);
	expect_run(test, &m, 3 * TIB, end, TMM_USE_OTHER, end);
}

/* If one page of a TiB is not RAM, a few queries find that page. */
static void questions_do_not_grow_with_pages(struct kunit *test)
{
	static const u64 holes[] = { 4 * KIB, 512 * GIB, TIB - 4 * KIB, 123 * GIB + 456 * KIB };
	const unsigned int most = NR_PER_STEP * (ilog2(TIB / (4 * KIB)) + 2);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(holes); i++) {
		const struct entry list[] = {
			{ 0, holes[i], TMM_MAP_RAM },
			{ holes[i] + 4 * KIB, TIB, TMM_MAP_RAM },
		};
		struct made_up m = MADE_UP(list);

		expect_run(test, &m, 0, TIB, TMM_USE_TAKEN, holes[i]);
		KUNIT_EXPECT_LE(test, m.nr_questions, most);
		m.nr_questions = 0;
		if (holes[i] + 4 * KIB < TIB)
			expect_run(test, &m, holes[i] + 4 * KIB, TIB + 4 * KIB, TMM_USE_TAKEN,
				   TIB);
		KUNIT_EXPECT_LE(test, m.nr_questions, most);
	}
}

/* A region that is RAM and reserved throughout takes one step, whatever its size. */
static void one_run_takes_one_step(struct kunit *test)
{
	static const struct entry list[] = { { 0, 64 * TIB, TMM_MAP_RAM } };
	struct made_up m = MADE_UP(list);

	expect_run(test, &m, 4 * GIB, 64 * TIB, TMM_USE_TAKEN, 64 * TIB);
	KUNIT_EXPECT_LE(test, m.nr_questions, NR_PER_STEP);
}

/* Where RAM and another entry overlap, the other entry counts. */
static void overlap_with_another_entry_is_not_ram(struct kunit *test)
{
	static const enum tmm_map_kind kinds[] = {
		TMM_MAP_RESERVED, TMM_MAP_ACPI, TMM_MAP_LINUX,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct entry list[] = {
			{ 0, 1 * GIB, TMM_MAP_RAM },
			{ 512 * MIB + 1, 512 * MIB + 2, kinds[i] },
		};
		struct made_up m = MADE_UP(list);

		expect_run(test, &m, 0, 1 * GIB, TMM_USE_TAKEN, 512 * MIB);
		expect_run(test, &m, 512 * MIB, 1 * GIB, TMM_USE_OTHER, 512 * MIB + 4 * KIB);
		KUNIT_EXPECT_NOT_NULL(test, tmm_firmware_map_why(&m.map, 512 * MIB));
		KUNIT_EXPECT_PTR_EQ(test, tmm_firmware_map_why(&m.map, 0), NULL);
	}
}

static void culprits_are_named(struct kunit *test)
{
	struct made_up m = MADE_UP(machine);
	static const struct {
		u64 page;
		const char *why;
	} pages[] = {
		{ 636 * KIB, "reserved by the firmware" },
		{ 1 * MIB, "RAM in use by Linux" },
		{ 2 * GIB - 4 * KIB, "reserved by the firmware" },
		{ 2 * GIB, "not RAM" },
		{ 3 * GIB + 4 * KIB, "used by ACPI" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pages); i++)
		KUNIT_EXPECT_STREQ(test, tmm_firmware_map_why(&m.map, pages[i].page),
				   pages[i].why);
	KUNIT_EXPECT_PTR_EQ(test, tmm_firmware_map_why(&m.map, 1 * GIB), NULL);
}

/* Queries byte by byte: for a single byte, the answer of Linux's functions is exact. */
static bool is_all_by_bytes(enum tmm_map_kind kind, u64 start, u64 end)
{
	for (; start < end; start++)
		if (!tmm_firmware_map.has(&tmm_firmware_map, kind, start, start + 1))
			return false;
	return true;
}

/* is_all() relies on how Linux searches its map, so its answers must equal those byte by byte. */
static void firmware_map_agrees_with_queries_by_byte(struct kunit *test)
{
	const struct tmm_firmware_map *map = &tmm_firmware_map;
	unsigned int nr[2] = {};
	struct resource *res;
	u64 at, start, end;

	/* Compare around each boundary of /proc/iomem. */
	for (res = iomem_resource.child; res; res = res->sibling)
		for (at = 0; at < 4; at++) {
			start = at & 1 ? res->start : res->end + 1;
			if (start < 16)
				continue;
			start -= at & 2 ? 16 : 0;
			end = start + 16;
			KUNIT_EXPECT_EQ_MSG(test, map->is_all(map, TMM_MAP_RAM, start, end),
					    is_all_by_bytes(TMM_MAP_RAM, start, end),
					    "%#llx", start);
			KUNIT_EXPECT_EQ_MSG(test, map->is_all(map, TMM_MAP_LINUX, start, end),
					    is_all_by_bytes(TMM_MAP_LINUX, start, end),
					    "%#llx", start);
			nr[map->is_all(map, TMM_MAP_RAM, start, end)]++;
		}
	KUNIT_EXPECT_GT(test, nr[0], 0);
	KUNIT_EXPECT_GT(test, nr[1], 0);
}

struct number_param {
	const char *text;
	int err;
	u64 value;
	const char *rest;
};

static const struct number_param numbers[] = {
	{ "0", 0, 0, "" },
	{ "64K@1M", 0, 64 * KIB, "@1M" },
	{ "0x1fK", 0, 31 * KIB, "" },
	{ "0x1e", 0, 30, "" },
	{ "017", 0, 15, "" },
	{ "08", 0, 0, "8" },
	{ "0x", 0, 0, "x" },
	{ "1kM", 0, 1024, "M" },
	{ "18446744073709551615", 0, U64_MAX, "" },
	{ "0xffffffffffffffff,", 0, U64_MAX, "," },
	{ "18446744073709551616", -ERANGE },
	{ "0x10000000000000000", -ERANGE },
	{ "02000000000000000000000", -ERANGE },
	{ "16777215T", 0, 16777215 * TIB, "" },
	{ "16777216T", -ERANGE },
	{ "15E", 0, 15ULL << 60, "" },
	{ "16E", -ERANGE },
	{ "18014398509481984K", -ERANGE },
	{ "", -EINVAL },
	{ "K", -EINVAL },
	{ "-1", -EINVAL },
	{ "+1", -EINVAL },
	{ " 1", -EINVAL },
};

static void number_param_desc(const struct number_param *param, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "'%s'", param->text);
}

KUNIT_ARRAY_PARAM(number, numbers, number_param_desc);

static void number_is_read_or_refused(struct kunit *test)
{
	const struct number_param *p = test->param_value;
	const char *text = p->text;
	u64 value = 99;

	KUNIT_EXPECT_EQ(test, tmm_number_parse_bytes(&text, &value), p->err);
	KUNIT_EXPECT_EQ(test, value, p->err ? 99 : p->value);
	KUNIT_EXPECT_STREQ(test, text, p->err ? p->text : p->rest);
}

static struct kunit_case firmware_map_cases[] = {
	KUNIT_CASE(runs_end_where_the_map_says),
	KUNIT_CASE(questions_do_not_grow_with_pages),
	KUNIT_CASE(one_run_takes_one_step),
	KUNIT_CASE(overlap_with_another_entry_is_not_ram),
	KUNIT_CASE(culprits_are_named),
	KUNIT_CASE(firmware_map_agrees_with_queries_by_byte),
	KUNIT_CASE_PARAM(number_is_read_or_refused, number_gen_params),
	{}
};

static struct kunit_suite firmware_map_suite = {
	.name = "theseus_mm_firmware_map",
	.test_cases = firmware_map_cases,
};

kunit_test_suite(firmware_map_suite);
