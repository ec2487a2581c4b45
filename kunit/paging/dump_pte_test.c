// SPDX-License-Identifier: GPL-2.0
#include "paging/dump_pte.h"
#include "paging/mapper.h"

#include "support/fixture.h"
#include "support/instance_fixture.h"

#include <linux/string.h>

#define NR_1G	(512ULL * 512)
#define base_page()	tmm_private_first_page()

struct words {
	const char *name;
	u64 entry;
	unsigned int level;
	const char *text;
};

static const struct words words[] = {
	{ "empty", 0, 4, "level 4: 0x0000000000000000 not present" },
	{ "unlinked", 0x5000, 1, "level 1: 0x0000000000005000 not present" },
	{ "table", 0x0050000012345023, 2,
	  "level 2: 0x0050000012345023 table at p0x12345000, 5 used" },
	{ "page", 0x8000000012345001, 1,
	  "level 1: 0x8000000012345001 p0x12345000 4 KiB write-back, read-only" },
	{ "page in use", 0x8080000012345063, 1,
	  "level 1: 0x8080000012345063 p0x12345000 4 KiB write-back, writable, accessed, dirty, exclusive",
	},
	/* In a large leaf, bit 12 belongs to the memory type, and bit 7 does not. */
	{ "2 MiB", 0x8000000040201083, 2,
	  "level 2: 0x8000000040201083 p0x40200000 2 MiB write-back, writable" },
	{ "1 GiB", 0x8000000040000081, 3,
	  "level 3: 0x8000000040000081 p0x40000000 1 GiB write-back, read-only" },
};

TMM_ARRAY_PARAM(words, words);

static void format_entry_says_what_it_is(struct kunit *test)
{
	const struct words *p = test->param_value;
	char line[200];
	int nr = tmm_dump_pte_format_entry(line, sizeof(line), p->entry, p->level);

	KUNIT_EXPECT_STREQ(test, line, p->text);
	KUNIT_EXPECT_EQ(test, nr, strlen(p->text));
	/* The text is cut off at the end of the buffer. */
	KUNIT_EXPECT_EQ(test, tmm_dump_pte_format_entry(line, 12, p->entry, p->level), 11);
	KUNIT_EXPECT_EQ(test, strlen(line), 11);
}

static void format_entry_names_memory_types(struct kunit *test)
{
	static const char * const names[] = { "write-back", "uncached", "write-combining" };
	enum tmm_memory_type type;
	enum tmm_page_size size;
	char line[200];

	for (size = TMM_4K; size <= TMM_1G; size++) {
		for (type = 0; type < TMM_NR_MEMORY_TYPES; type++) {
			tmm_leaf_bits_t bits = tmm_pte_leaf_bits(TMM_PTE_NONE, false) |
					       tmm_pte_memory_type_bits(type);

			tmm_dump_pte_format_entry(line, sizeof(line),
						  tmm_pte_leaf_bits_at(bits, size), size + 1);
			KUNIT_EXPECT_NOT_NULL(test, strstr(line, names[type]));
		}
	}
}

/* This case only prints each kind of address, and does not compare the text. */
static void dump_of_every_kind_of_address(struct kunit *test)
{
	struct tmm_page_table *pt = tmm_test_root(test);
	const tmm_leaf_bits_t bits = tmm_pte_leaf_bits(TMM_TEST_WRITABLE, true);
	const u64 page = base_page() + NR_1G - 1;

	KUNIT_ASSERT_EQ(test, tmm_mapper_map(pt, tmm_test_pages(page, 1 + NR_1G),
					     tmm_frame_4k(3 * NR_1G - 1), bits, TMM_1G), 0);
	tmm_page_table_dump_pte(pt, tmm_test_vaddr(page));
	tmm_page_table_dump_pte(pt, tmm_test_vaddr(page + 1));
	tmm_page_table_dump_pte(pt, tmm_test_vaddr(base_page() + 5));
	tmm_page_table_dump_pte(pt, (struct tmm_vaddr){ (unsigned long)tmm_test_root(test) });
	tmm_page_table_dump_pte(pt, (struct tmm_vaddr){ 1ULL << 60 });
	tmm_mapper_unmap(pt, tmm_test_pages(page, 1 + NR_1G));
}

static struct kunit_case dump_pte_cases[] = {
	KUNIT_CASE_PARAM(format_entry_says_what_it_is, words_gen_params),
	KUNIT_CASE(format_entry_names_memory_types),
	KUNIT_CASE(dump_of_every_kind_of_address),
	{}
};

static struct kunit_suite dump_pte_suite = {
	.name = "theseus_mm_dump_pte",
	.init = tmm_test_instance_init,
	.exit = tmm_test_instance_exit,
	.test_cases = dump_pte_cases,
};

kunit_test_suite(dump_pte_suite);
