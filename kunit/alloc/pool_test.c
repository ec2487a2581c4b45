// SPDX-License-Identifier: GPL-2.0
#include "alloc/pool.h"

#include "alloc/advice.h"
#include "alloc/firmware_map.h"
#include "alloc/struct_pages.h"
#include "core/address.h"
#include "core/number.h"
#include "support/fixture.h"

#include <asm/processor.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/slab.h>
#include <linux/string.h>

struct good_param {
	const char *text;
	unsigned int nr;
	struct {
		u64 start;
		u64 nr_bytes;
	} runs[3];
};

static const struct good_param good_params[] = {
	{ "64K@0x100000", 1, { { 0x100000, 0x10000 } } },
	{ "65536@1048576", 1, { { 0x100000, 0x10000 } } },
	{ "0x10000@1M", 1, { { 0x100000, 0x10000 } } },
	{ "1M@0", 1, { { 0, 0x100000 } } },
	{ "1G@4G", 1, { { 1ULL << 32, 1ULL << 30 } } },
	{ "256M@0x40000000,16M@0x60000000", 2,
	  { { 0x40000000, 0x10000000 }, { 0x60000000, 0x1000000 } } },
	/* The runs are sorted. */
	{ "1M@9M,1M@1M,1M@5M", 3,
	  { { 0x100000, 0x100000 }, { 0x500000, 0x100000 }, { 0x900000, 0x100000 } } },
	/* Runs that touch, overlap or contain each other are joined. */
	{ "1M@2M,1M@1M", 1, { { 0x100000, 0x200000 } } },
	{ "2M@1M,2M@2M", 1, { { 0x100000, 0x300000 } } },
	{ "8M@1M,1M@3M", 1, { { 0x100000, 0x800000 } } },
	{ "1M@1M,1M@1M", 1, { { 0x100000, 0x100000 } } },
	{ "1M@3M,1M@1M,1M@2M,1M@8M", 2, { { 0x100000, 0x300000 }, { 0x800000, 0x100000 } } },
};

static void good_param_desc(const struct good_param *param, char *desc)
{
	strscpy(desc, param->text, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(good, good_params, good_param_desc);

static void parse_good(struct kunit *test)
{
	const struct good_param *p = test->param_value;
	struct tmm_pool *pools = NULL;
	unsigned int i, nr = 0;

	KUNIT_ASSERT_EQ(test, tmm_pools_parse(p->text, false, &pools, &nr), 0);
	KUNIT_EXPECT_EQ(test, nr, p->nr);
	for (i = 0; i < nr && i < p->nr; i++) {
		KUNIT_EXPECT_EQ(test, pools[i].start, p->runs[i].start);
		KUNIT_EXPECT_EQ(test, pools[i].nr_bytes, p->runs[i].nr_bytes);
		KUNIT_EXPECT_PTR_EQ(test, pools[i].resource, NULL);
		KUNIT_EXPECT_PTR_EQ(test, pools[i].window, NULL);
	}
	kfree(pools);
}

struct bad_param {
	const char *text;
	int err;
};

static const struct bad_param bad_params[] = {
	{ "", -EINVAL },
	{ "64K", -EINVAL },
	{ "@1M", -EINVAL },
	{ "64K@", -EINVAL },
	{ "64K@x", -EINVAL },
	{ "x@1M", -EINVAL },
	{ "64K$1M", -EINVAL },
	{ "64K@1Mx", -EINVAL },
	{ "64K@1M,", -EINVAL },
	{ ",64K@1M", -EINVAL },
	{ "64K@1M,,64K@2M", -EINVAL },
	{ "64K@1M 64K@2M", -EINVAL },
	{ "-64K@1M", -EINVAL },
	{ "64K@-1M", -EINVAL },
	/* The run does not consist of whole pages, or is too small. */
	{ "65537@1M", -EINVAL },
	{ "64K@0x100001", -EINVAL },
	{ "60K@1M", -EINVAL },
	/* The run is too large for the maps of free frames. */
	{ "16384G@1M", -EINVAL },
	{ "0@1M", -EINVAL },
	/* One bad run makes the whole parameter invalid. */
	{ "1M@1M,1M@2M,4K@8M", -EINVAL },
	/* These numbers overflow. A parser that wrapped them would find a valid run. */
	{ "18446744073709617152@1M", -ERANGE },
	{ "18014398509482048K@1M", -ERANGE },
	{ "64K@0x10000000000100000", -ERANGE },
	{ "1M@1M,64K@17592186044417M", -ERANGE },
	{ "16E@1M", -ERANGE },
	/* The run lies past the last physical address, or wraps. */
	{ "64K@0x10000000000000", -ERANGE },
	{ "8E@8E", -ERANGE },
	{ "64K@0xffffffffffff0000", -ERANGE },
};

static void bad_param_desc(const struct bad_param *param, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "'%s'", param->text);
}

KUNIT_ARRAY_PARAM(bad, bad_params, bad_param_desc);

static void parse_bad(struct kunit *test)
{
	const struct bad_param *p = test->param_value;
	struct tmm_pool *pools = NULL;
	unsigned int nr = 99;

	KUNIT_EXPECT_EQ(test, tmm_pools_parse(p->text, false, &pools, &nr), p->err);
	KUNIT_EXPECT_PTR_EQ(test, pools, NULL);
	KUNIT_EXPECT_EQ(test, nr, 99);
	kfree(pools);
}

static void parse_at_the_last_physical_address(struct kunit *test)
{
	u64 end = 1ULL << boot_cpu_data.x86_phys_bits;
	struct tmm_pool *pools = NULL;
	unsigned int nr;
	char text[64];

	snprintf(text, sizeof(text), "64K@%#llx", end - 0x10000);
	KUNIT_EXPECT_EQ(test, tmm_pools_parse(text, false, &pools, &nr), 0);
	kfree(pools);
	snprintf(text, sizeof(text), "68K@%#llx", end - 0x10000);
	KUNIT_EXPECT_EQ(test, tmm_pools_parse(text, false, &pools, &nr), -ERANGE);
}

static void parse_without_memory(struct kunit *test)
{
	struct tmm_pool *pools = NULL;
	unsigned int nr = 99;
	bool hit;
	int err;

	tmm_test_fail_alloc(test, 1);
	err = tmm_pools_parse("64K@1M", false, &pools, &nr);
	hit = tmm_test_fail_alloc_end();
	KUNIT_EXPECT_TRUE(test, hit);
	KUNIT_EXPECT_EQ(test, err, -ENOMEM);
	KUNIT_EXPECT_EQ(test, nr, 99);
}

/* The module's own claim in /proc/iomem, within the range that memmap= reserved. */
static struct resource *claimed_resource(struct kunit *test)
{
	struct resource *top;

	for (top = iomem_resource.child; top; top = top->sibling)
		if (top->child && !strcmp(top->child->name, "theseus_mm"))
			return top->child;
	KUNIT_FAIL(test, "the module has claimed nothing");
	return NULL;
}

/* Expects the claim to fail with @err, to map nothing, and to leave the module's own claim. */
static void expect_refused(struct kunit *test, u64 start, u64 nr_bytes, int err)
{
	struct resource *claimed = claimed_resource(test);
	struct tmm_pool pool = { .start = start, .nr_bytes = nr_bytes };

	KUNIT_ASSERT_NOT_NULL(test, claimed);
	KUNIT_EXPECT_EQ_MSG(test, tmm_pool_claim(&pool), err, "%#llx+%#llx", start, nr_bytes);
	KUNIT_EXPECT_PTR_EQ(test, pool.resource, NULL);
	KUNIT_EXPECT_PTR_EQ(test, pool.window, NULL);
	KUNIT_EXPECT_EQ(test, pool.start, start);
	KUNIT_EXPECT_PTR_EQ(test, claimed_resource(test), claimed);
	KUNIT_EXPECT_PTR_EQ(test, claimed->sibling, NULL);
	KUNIT_EXPECT_PTR_EQ(test, claimed->child, NULL);
	tmm_pool_release(&pool);
	KUNIT_EXPECT_PTR_EQ(test, claimed_resource(test), claimed);
}

static void claim_memory_in_use_by_linux(struct kunit *test)
{
	unsigned long page = __get_free_pages(GFP_KERNEL, 4);

	KUNIT_ASSERT_NE(test, page, 0);
	expect_refused(test, virt_to_phys((void *)page), 0x10000, -ENODEV);
	free_pages(page, 4);
	expect_refused(test, 16 << 20, 0x100000, -ENODEV);
}

static void claim_addresses_without_memory(struct kunit *test)
{
	/* The first MiB contains firmware. At 256 GiB there is no memory. */
	expect_refused(test, 0, 0x100000, -ENODEV);
	expect_refused(test, 0xf0000, 0x10000, -ENODEV);
	expect_refused(test, 1ULL << 38, 0x100000, -ENODEV);
	/* The registers of the local APIC are at this address. */
	expect_refused(test, 0xfee00000, 0x10000, -ENODEV);
}

/* An end in the middle of a subsection is refused before the reservation is checked. */
static void claim_misaligned_for_struct_pages(struct kunit *test)
{
	static const u64 misaligned[][2] = {
		{ 0x100000, 0x200000 }, { 0x200000, 0x100000 }, { 0x201000, 0x1ff000 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(misaligned); i++) {
		struct tmm_pool pool = {
			.start = misaligned[i][0],
			.nr_bytes = misaligned[i][1],
			.wants_struct_pages = true,
		};

		KUNIT_EXPECT_EQ(test, tmm_pool_claim(&pool), -EINVAL);
		KUNIT_EXPECT_PTR_EQ(test, pool.resource, NULL);
		pool.wants_struct_pages = false;
		KUNIT_EXPECT_EQ(test, tmm_pool_claim(&pool), -ENODEV);
	}
}

/* The parts that are cut off have struct pages of Linux, and the rest has none. */
static void cut_to_own_sections(struct kunit *test)
{
	struct resource *claimed = claimed_resource(test);
	u64 start, end, at;

	KUNIT_ASSERT_NOT_NULL(test, claimed);
	start = claimed->start;
	end = claimed->end + 1;
	tmm_struct_pages_cut(&start, &end);
	/* in the guests, the first region shares a section at either end */
	KUNIT_EXPECT_LT(test, claimed->start, start);
	KUNIT_EXPECT_LT(test, start, end);
	KUNIT_EXPECT_LT(test, end, claimed->end + 1);
	for (at = claimed->start; at < claimed->end; at += TMM_PAGE_SIZE)
		if (!pfn_valid(PHYS_PFN(at)) != (at >= start && at < end))
			break;
	KUNIT_EXPECT_EQ(test, at, claimed->end + 1);
	/* Linux has struct pages for this whole range */
	start = 16 << 20;
	end = 32 << 20;
	tmm_struct_pages_cut(&start, &end);
	KUNIT_EXPECT_GE(test, start, end);
}

static void claim_half_of_something_else(struct kunit *test)
{
	struct resource *claimed = claimed_resource(test);
	u64 nr_bytes;

	KUNIT_ASSERT_NOT_NULL(test, claimed);
	nr_bytes = resource_size(claimed);
	expect_refused(test, claimed->start, nr_bytes + 4096, -ENODEV);
	expect_refused(test, claimed->start - 4096, nr_bytes, -ENODEV);
	expect_refused(test, claimed->start - 4096, nr_bytes + 8192, -ENODEV);
	expect_refused(test, claimed->end + 1 - 4096, 0x10000, -ENODEV);
}

static void claim_claimed_memory_again(struct kunit *test)
{
	struct resource *claimed = claimed_resource(test);

	KUNIT_ASSERT_NOT_NULL(test, claimed);
	expect_refused(test, claimed->start, resource_size(claimed), -EBUSY);
	expect_refused(test, claimed->start, 0x10000, -EBUSY);
	expect_refused(test, claimed->start + 0x100000, 0x10000, -EBUSY);
	expect_refused(test, claimed->end + 1 - 0x10000, 0x10000, -EBUSY);
}

/* Finds the range that follows @words in an advice. */
static bool find_range(const char *advice, const char *words, u64 *start, u64 *nr_bytes)
{
	const char *text = strstr(advice, words);

	if (!text)
		return false;
	text += strlen(words);
	if (tmm_number_parse_bytes(&text, nr_bytes) || *text++ != '@')
		return false;
	return !tmm_number_parse_bytes(&text, start) && !*text;
}

/*
 * All reserved memory is claimed, so the advice is to reserve more, and names one range of Linux's
 * memory for that.
 */
static void advice_when_all_is_claimed(struct kunit *test)
{
	static const u64 wanted[][2] = { { 0, 0 }, { 0xfee00000, 0xfee10000 } };
	char text[TMM_ADVICE_TEXT];
	enum tmm_map_use use;
	u64 start, nr_bytes;
	unsigned int i;

	for (i = 0; i < 2 * ARRAY_SIZE(wanted); i++) {
		const struct tmm_advice_request request = {
			.start = wanted[i / 2][0],
			.end = wanted[i / 2][1],
			.with_struct_pages = i & 1,
		};

		tmm_advice(&request, text);
		KUNIT_EXPECT_EQ_MSG(test, strncmp(text, "reserve memory at boot, memmap=", 31), 0,
				    "%s", text);
		KUNIT_ASSERT_TRUE_MSG(test, find_range(text, "regions=", &start, &nr_bytes), "%s",
				      text);
		KUNIT_EXPECT_GE(test, nr_bytes, TMM_POOL_MIN_BYTES);
		KUNIT_EXPECT_EQ(test, tmm_firmware_map_run(&tmm_firmware_map, start,
							   start + nr_bytes, &use),
				start + nr_bytes);
		KUNIT_EXPECT_EQ(test, use, TMM_USE_LINUX);
		KUNIT_EXPECT_EQ(test, !strstr(text, "struct_pages=1 "), !(i & 1));
		if (request.with_struct_pages)
			KUNIT_EXPECT_TRUE(test, IS_ALIGNED(start | nr_bytes,
							   TMM_STRUCT_PAGES_SECTION));
	}
}

/* For a range that runs past the end of Linux's RAM, the advice names the part that is RAM. */
static void advice_for_what_linux_has(struct kunit *test)
{
	struct tmm_advice_request request = { .start = 32 << 20, .end = (32 << 20) + 0x100000 };
	char text[TMM_ADVICE_TEXT];
	u64 start, nr_bytes;

	tmm_advice(&request, text);
	KUNIT_ASSERT_TRUE_MSG(test, find_range(text, "regions=", &start, &nr_bytes), "%s", text);
	KUNIT_EXPECT_EQ(test, start, request.start);
	KUNIT_EXPECT_EQ(test, nr_bytes, 0x100000);
	/* the advice leaves out the first MiB */
	request.start = 0;
	request.end = 0x200000;
	tmm_advice(&request, text);
	KUNIT_ASSERT_TRUE_MSG(test, find_range(text, "regions=", &start, &nr_bytes), "%s", text);
	KUNIT_EXPECT_EQ(test, start, 0x100000);
	KUNIT_EXPECT_EQ(test, nr_bytes, 0x100000);
}

static struct kunit_case pool_cases[] = {
	KUNIT_CASE_PARAM(parse_good, good_gen_params),
	KUNIT_CASE_PARAM(parse_bad, bad_gen_params),
	KUNIT_CASE(parse_at_the_last_physical_address),
	KUNIT_CASE(parse_without_memory),
	KUNIT_CASE(claim_memory_in_use_by_linux),
	KUNIT_CASE(claim_addresses_without_memory),
	KUNIT_CASE(claim_misaligned_for_struct_pages),
	KUNIT_CASE(cut_to_own_sections),
	KUNIT_CASE(claim_half_of_something_else),
	KUNIT_CASE(claim_claimed_memory_again),
	KUNIT_CASE(advice_when_all_is_claimed),
	KUNIT_CASE(advice_for_what_linux_has),
	{}
};

static struct kunit_suite pool_suite = {
	.name = "theseus_mm_pool",
	.test_cases = pool_cases,
};

kunit_test_suite(pool_suite);
