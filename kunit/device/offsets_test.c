// SPDX-License-Identifier: GPL-2.0
#include "device/client/offsets.h"

#include "device/client/client.h"
#include "device/client/handles.h"
#include "device/client/mmap_offset.h"
#include "mapping/create.h"
#include "mapping/instance.h"
#include "support/fixture.h"

#include <linux/err.h>
#include <linux/file.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/mm.h>

#define NR_FRAMES	512

static struct tmm_offsets *create_offsets(struct kunit *test)
{
	struct tmm_offsets *offsets = tmm_test_kvzalloc(test, sizeof(*offsets));

	KUNIT_ASSERT_EQ(test, tmm_offsets_init(offsets), 0);
	return offsets;
}

static struct tmm_offset *allocate_offset(struct kunit *test, struct tmm_offsets *offsets, u64 nr,
					  bool is_low)
{
	struct tmm_offset *offset = tmm_offset_allocate(offsets, nr, is_low);

	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(offset), "error %d", PTR_ERR_OR_ZERO(offset));
	return offset;
}

/* 64-bit programs still get offsets when no low ones are left for 32-bit programs. */
static void low_offsets_run_out_first(struct kunit *test)
{
	struct tmm_offsets *offsets = create_offsets(test);
	struct tmm_offset *low[16], *high[2];
	unsigned int i;

	/*
	 * Each offset takes 2^28 - 1 pages: those of the mapping, and one page after them. So all
	 * 16 offsets end below page 2^32.
	 */
	for (i = 0; i < ARRAY_SIZE(low); i++) {
		low[i] = allocate_offset(test, offsets, (1ULL << 28) - 2, true);
		KUNIT_EXPECT_LE(test, tmm_chunk_end(&low[i]->chunk), TMM_OFFSETS_LOW_END);
	}
	KUNIT_EXPECT_EQ(test, PTR_ERR(tmm_offset_allocate(offsets, 1ULL << 28, true)),
			-EOVERFLOW);
	for (i = 0; i < ARRAY_SIZE(high); i++) {
		high[i] = allocate_offset(test, offsets, 1ULL << 28, false);
		KUNIT_EXPECT_GE(test, high[i]->chunk.start, TMM_OFFSETS_LOW_END);
		KUNIT_EXPECT_LE(test, tmm_chunk_end(&high[i]->chunk), TMM_OFFSETS_END);
	}
	/* A low offset that is freed is given out again, to any program. */
	tmm_offset_free(offsets, low[3]);
	low[3] = allocate_offset(test, offsets, 1 << 20, false);
	KUNIT_EXPECT_LT(test, low[3]->chunk.start, TMM_OFFSETS_LOW_END);
	for (i = 0; i < ARRAY_SIZE(low); i++)
		tmm_offset_free(offsets, low[i]);
	for (i = 0; i < ARRAY_SIZE(high); i++)
		tmm_offset_free(offsets, high[i]);
	tmm_offset_free(offsets, NULL);
	tmm_offsets_destroy(offsets);
}

static void each_page_is_found(struct kunit *test)
{
	struct tmm_offsets *offsets = create_offsets(test);
	struct tmm_offset *known[100];
	unsigned int i;
	u64 page;

	for (i = 0; i < ARRAY_SIZE(known); i++) {
		known[i] = allocate_offset(test, offsets, 1 + i % 5, i & 1);
		tmm_offsets_insert(offsets, known[i], (struct tmm_object *)&known[i]);
	}
	for (i = 0; i < ARRAY_SIZE(known); i++) {
		for (page = known[i]->chunk.start; page < tmm_chunk_end(&known[i]->chunk); page++)
			KUNIT_EXPECT_PTR_EQ(test, tmm_offsets_find(offsets, page), known[i]);
		KUNIT_EXPECT_EQ(test, known[i]->chunk.nr, 2 + i % 5);
	}
	KUNIT_EXPECT_PTR_EQ(test, tmm_offsets_find(offsets, 0), NULL);
	KUNIT_EXPECT_PTR_EQ(test, tmm_offsets_find(offsets, TMM_OFFSETS_END), NULL);
	for (i = 0; i < ARRAY_SIZE(known); i++) {
		page = known[i]->chunk.start;
		tmm_offsets_remove(offsets, known[i]);
		KUNIT_EXPECT_PTR_EQ(test, tmm_offsets_find(offsets, page), NULL);
		tmm_offset_free(offsets, known[i]);
	}
	tmm_offsets_destroy(offsets);
}

static void without_memory(struct kunit *test)
{
	struct tmm_offsets *offsets = create_offsets(test);
	struct tmm_offset *offset;
	bool hit;

	tmm_test_fail_alloc(test, 1);
	offset = tmm_offset_allocate(offsets, 1, false);
	hit = tmm_test_fail_alloc_end();
	KUNIT_EXPECT_TRUE(test, hit);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(offset), -ENOMEM);
	tmm_offsets_destroy(offsets);
}

/* A client with one mapping, which has @handle. */
struct fixture {
	struct tmm_instance inst;
	struct tmm_memory memory;
	struct tmm_client *client;
	u32 handle;
};

static void set_up(struct kunit *test, struct fixture *f)
{
	void *window = alloc_pages_exact(NR_FRAMES * PAGE_SIZE, GFP_KERNEL);
	struct tmm_object *object;

	KUNIT_ASSERT_NOT_NULL(test, window);
	f->memory.first = virt_to_phys(window) >> PAGE_SHIFT;
	f->memory.nr = NR_FRAMES;
	f->memory.window = window;
	KUNIT_ASSERT_EQ(test, tmm_instance_init(&f->inst, &f->memory, 1), 0);
	KUNIT_ASSERT_EQ(test, tmm_instance_move_to_heap(&f->inst), 0);
	f->client = tmm_client_create(&f->inst);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f->client);
	object = tmm_handle_reserve(f->client);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, object);
	object->mapping = tmm_instance_create_mapping(&f->inst, f->inst.root, PAGE_SIZE,
						      TMM_PTE_DEFAULT, true);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, object->mapping);
	object->kind = THESEUS_MM_KIND_MAPPING;
	f->handle = object->handle;
	tmm_handle_publish(f->client, object);
}

static void tear_down(struct fixture *f)
{
	tmm_client_destroy(f->client);
	flush_delayed_fput();
	tmm_instance_exit(&f->inst);
	free_pages_exact(f->memory.window, NR_FRAMES * PAGE_SIZE);
}

/* With all low offsets in use, a 32-bit program gets no offset, not even an existing high one. */
static void map_offset_for_a_32_bit_program(struct kunit *test)
{
	struct fixture *f = tmm_test_kvzalloc(test, sizeof(*f));
	struct theseus_mm_map_offset reply = {};
	struct tmm_offset *low[16];
	unsigned int i;

	set_up(test, f);
	reply.handle = f->handle;
	for (i = 0; i < ARRAY_SIZE(low); i++)
		low[i] = allocate_offset(test, &f->client->offsets, (1ULL << 28) - 1 - !i, true);
	KUNIT_EXPECT_EQ(test, tmm_mmap_offset_assign(f->client, &reply, true), -EOVERFLOW);
	KUNIT_EXPECT_EQ(test, reply.offset, 0);
	KUNIT_EXPECT_EQ(test, tmm_mmap_offset_assign(f->client, &reply, false), 0);
	KUNIT_EXPECT_GE(test, reply.offset, TMM_OFFSETS_LOW_END << PAGE_SHIFT);
	KUNIT_EXPECT_EQ(test, tmm_mmap_offset_assign(f->client, &reply, true), -EOVERFLOW);
	for (i = 0; i < ARRAY_SIZE(low); i++)
		tmm_offset_free(&f->client->offsets, low[i]);
	tear_down(f);
}

static struct kunit_case offsets_cases[] = {
	KUNIT_CASE(low_offsets_run_out_first),
	KUNIT_CASE(each_page_is_found),
	KUNIT_CASE(without_memory),
	KUNIT_CASE(map_offset_for_a_32_bit_program),
	{}
};

static struct kunit_suite offsets_suite = {
	.name = "theseus_mm_offsets",
	.test_cases = offsets_cases,
};

kunit_test_suite(offsets_suite);
