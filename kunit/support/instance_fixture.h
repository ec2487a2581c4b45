/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Each case gets an instance with RAM and a root of its own. All layers run as in the module,
 * windows included.
 *
 * tmm_test_instance_init() and tmm_test_instance_exit() are the init and exit functions of a
 * suite. They keep a struct tmm_test_instance in test->priv. The exit function expects all frames,
 * pages, mappings and tables to be free again.
 */
#ifndef TMM_KUNIT_INSTANCE_FIXTURE_H
#define TMM_KUNIT_INSTANCE_FIXTURE_H

#include "mapping/instance.h"
#include "mapping/mapped_pages.h"
#include "paging/page_table.h"
#include "paging/table.h"
#include "support/invariants.h"

#include <kunit/test.h>
#include <linux/io.h>

#define TMM_TEST_MEMORY_ORDER	9
#define TMM_TEST_MEMORY_NR	(1ULL << TMM_TEST_MEMORY_ORDER)
#define TMM_TEST_UNMAPPED	U64_MAX

#define TMM_TEST_READ_ONLY	TMM_PTE_DEFAULT
#define TMM_TEST_WRITABLE	(TMM_PTE_DEFAULT | TMM_PTE_WRITABLE)

/* An instance, and the fingerprints of its frames and pages when the case began. */
struct tmm_test_instance {
	struct tmm_instance inst;
	struct tmm_memory memory;
	struct list_head hogs;		/* frames that tmm_test_hog() holds */
	u64 frames_before;
	u64 pages_before;
};

int tmm_test_instance_init(struct kunit *test);
void tmm_test_instance_exit(struct kunit *test);

/* TMM_TEST_MEMORY_NR frames of RAM, filled with a pattern. */
struct tmm_memory tmm_test_memory_take(struct kunit *test);
void tmm_test_memory_give(struct tmm_memory *memory);

/* Fingerprint of the instance's frames (tables included) and pages. Checks the frame allocator. */
u64 tmm_test_fingerprint(struct kunit *test);

static inline struct tmm_instance *tmm_test_inst(struct kunit *test)
{
	struct tmm_test_instance *ti = test->priv;

	return &ti->inst;
}

static inline struct tmm_page_table *tmm_test_root(struct kunit *test)
{
	return tmm_test_inst(test)->root;
}

static inline u64 tmm_test_nr_tables(struct kunit *test)
{
	return tmm_test_inst(test)->fa.nr_tables;
}

/* Linux's own address of a frame, at which data written in a window must be visible. */
static inline void *tmm_test_alias(u64 frame)
{
	return phys_to_virt(frame << TMM_PAGE_SHIFT);
}

/* Convert the bits of a leaf to those of an entry, and back. */
static inline u64 tmm_test_entry_bits(tmm_leaf_bits_t bits)
{
	return (__force u64)bits;
}

static inline tmm_leaf_bits_t tmm_test_leaf_bits(u64 bits)
{
	return (__force tmm_leaf_bits_t)bits;
}

/* The range of @nr pages that begins with page number @first. */
static inline struct tmm_page_range tmm_test_pages(u64 first, u64 nr)
{
	return tmm_page_range_of(tmm_page_4k(first), nr);
}

struct tmm_vaddr tmm_test_vaddr(u64 page);
/* The frame that a page maps to, or TMM_TEST_UNMAPPED. */
u64 tmm_test_translate(struct tmm_page_table *pt, u64 page);
/* The entry of a page in the table of @level; 0 if there is no such table. */
u64 tmm_test_entry(struct tmm_page_table *pt, u64 page, unsigned int level);
void tmm_test_expect_mapped(struct kunit *test, u64 page, u64 frame, u64 nr);
void tmm_test_expect_unmapped(struct kunit *test, u64 page, u64 nr);

/* A run of leaves of one size. An array of runs ends with a run of 0 leaves. */
struct tmm_test_leaves {
	enum tmm_page_size size;
	u64 nr;
};

/* Expects the pages from @page on to map to the frames from @frame on, by exactly @leaves. */
void tmm_test_expect_sizes(struct kunit *test, u64 page, u64 frame,
			   const struct tmm_test_leaves *leaves);

/* An aligned block of 2 MiB, cleared, that belongs to none of the module's allocators. */
struct page *tmm_test_large_take(struct kunit *test);
void tmm_test_large_give(struct page *pages);

/* The tables under a root, and the pages of 4 KiB that their leaves map. */
struct tmm_table_counts {
	u64 nr_tables;
	u64 nr_pages;
};

/*
 * tmm_find_broken_tables() checks all leaves, and the counts of all tables. Nobody changes the
 * tables meanwhile. tmm_check_page_table() makes the same checks, fails the case, and returns the
 * number of tables.
 */
void tmm_find_broken_tables(struct tmm_page_table *pt, struct tmm_table_counts *counts,
			    struct tmm_finding *finding);
u64 tmm_check_page_table(struct kunit *test, struct tmm_page_table *pt);

/*
 * tmm_test_hog() takes all free frames. tmm_test_unhog() frees a run of @nr of them that touches
 * no other free run, and returns its first frame.
 */
void tmm_test_hog(struct kunit *test);
u64 tmm_test_unhog(struct kunit *test, u64 nr);
/*
 * Frees one frame for each level, which is enough for the tables of pages on both sides of a
 * boundary between two leaf tables.
 */
void tmm_test_unhog_for_tables(struct kunit *test);
void tmm_test_unhog_all(struct kunit *test);

struct tmm_allocated_pages *tmm_test_take_pages(struct kunit *test, u64 page, u64 nr);
struct tmm_allocated_frames *tmm_test_take_frames(struct kunit *test, u64 nr);
void tmm_test_drop_frames_list(struct list_head *frames);
/* Maps @nr pages from @page on to cleared frames. */
struct tmm_mapped_pages *tmm_test_map(struct kunit *test, u64 page, u64 nr, tmm_pte_flags_t flags);

/* Skips the case if the CPU has no leaves of 1 GiB. */
void tmm_test_need_1g_leaves(struct kunit *test);
/*
 * Skips the case if there is one CPU only. Otherwise binds the case to the first CPU;
 * tmm_test_thread_start() binds its thread to the last one.
 */
void tmm_test_need_second_cpu(struct kunit *test);
/* Counts for another thread, which reads with READ_ONCE(). Only one thread counts. */
#define tmm_test_count(counter) WRITE_ONCE(counter, (counter) + 1)

struct task_struct *tmm_test_thread_start(struct kunit *test, int (*fn)(void *context),
					  void *context);

#endif /* TMM_KUNIT_INSTANCE_FIXTURE_H */
