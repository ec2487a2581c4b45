// SPDX-License-Identifier: GPL-2.0
#include "device/client/handle_table.h"

#include "device/client/object.h"
#include "support/fault.h"
#include "support/fixture.h"

#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/limits.h>

/* Handles of a block */
#define PER_BLOCK	42
#define NR_HANDLES	(3 * PER_BLOCK)

static struct tmm_handle_table *create_table(struct kunit *test)
{
	struct tmm_handle_table *table = tmm_test_kvzalloc(test, sizeof(*table));

	tmm_handle_table_init(table);
	return table;
}

static struct tmm_object *reserve(struct kunit *test, struct tmm_handle_table *table)
{
	struct tmm_object *object = tmm_handle_table_reserve(table);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, object);
	return object;
}

static struct tmm_object *find(struct tmm_handle_table *table, u32 handle)
{
	struct tmm_object *object;

	tmm_handle_table_lock(table);
	object = tmm_handle_table_find(table, handle);
	tmm_handle_table_unlock(table);
	return object;
}

static struct tmm_object *step(struct tmm_handle_table *table, u64 *from)
{
	struct tmm_object *object = NULL;

	tmm_handle_table_lock(table);
	while (!object && *from <= U32_MAX)
		object = tmm_handle_table_step(table, from);
	tmm_handle_table_unlock(table);
	return object;
}

static void take(struct tmm_handle_table *table, struct tmm_object *object)
{
	tmm_handle_table_lock(table);
	tmm_handle_table_hide(table, object);
	tmm_handle_table_unlock(table);
}

static void free_all(struct tmm_handle_table *table, struct tmm_object **objects, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		tmm_handle_table_free(table, objects[i]);
}

/* The table has no memory left once the table is destroyed. */
static void destroy_table(struct kunit *test, struct tmm_handle_table *table)
{
	tmm_handle_table_destroy(table);
	KUNIT_EXPECT_TRUE(test, xa_empty(&table->blocks));
}

static void lookups_find_visible_objects_only(struct kunit *test)
{
	struct tmm_handle_table *table = create_table(test);
	struct tmm_object *object = reserve(test, table);
	const u32 handle = object->handle;

	KUNIT_EXPECT_NULL(test, find(table, handle));
	tmm_handle_table_publish(object);
	KUNIT_EXPECT_PTR_EQ(test, find(table, handle), object);
	take(table, object);
	KUNIT_EXPECT_NULL(test, find(table, handle));
	tmm_handle_table_publish(object);
	KUNIT_EXPECT_PTR_EQ(test, find(table, handle), object);
	take(table, object);
	tmm_handle_table_free(table, object);
	KUNIT_EXPECT_NULL(test, find(table, handle));
	destroy_table(test, table);
}

static void every_handle_names_its_own_object(struct kunit *test)
{
	struct tmm_object *objects[NR_HANDLES];
	struct tmm_handle_table *table = create_table(test);
	unsigned int i;

	for (i = 0; i < NR_HANDLES; i++) {
		objects[i] = reserve(test, table);
		KUNIT_EXPECT_GT(test, objects[i]->handle, i ? objects[i - 1]->handle : 0);
		KUNIT_EXPECT_EQ(test, objects[i]->kind, 0);
		tmm_handle_table_publish(objects[i]);
	}
	for (i = 0; i < NR_HANDLES; i++)
		KUNIT_EXPECT_PTR_EQ(test, find(table, objects[i]->handle), objects[i]);
	/* Neither a number that no object has, nor one beyond all blocks, is found. */
	KUNIT_EXPECT_NULL(test, find(table, 0));
	KUNIT_EXPECT_NULL(test, find(table, NR_HANDLES + 1));
	KUNIT_EXPECT_NULL(test, find(table, 2 * NR_HANDLES));
	KUNIT_EXPECT_NULL(test, find(table, U32_MAX));
	free_all(table, objects, NR_HANDLES);
	destroy_table(test, table);
}

static void steps_visit_visible_objects_in_order(struct kunit *test)
{
	struct tmm_object *objects[NR_HANDLES];
	struct tmm_handle_table *table = create_table(test);
	unsigned int i;
	u64 from = 0;

	for (i = 0; i < NR_HANDLES; i++) {
		objects[i] = reserve(test, table);
		if (i % 3)
			tmm_handle_table_publish(objects[i]);
	}
	for (i = 0; i < NR_HANDLES; i++)
		if (i % 3)
			KUNIT_EXPECT_PTR_EQ(test, step(table, &from), objects[i]);
	KUNIT_EXPECT_NULL(test, step(table, &from));
	KUNIT_EXPECT_GT(test, from, (u64)U32_MAX);
	/* Begin in the middle of a block. */
	from = objects[PER_BLOCK]->handle + 1ULL;
	KUNIT_EXPECT_PTR_EQ(test, step(table, &from),
			    objects[PER_BLOCK + ((PER_BLOCK + 1) % 3 ? 1 : 2)]);
	free_all(table, objects, NR_HANDLES);
	destroy_table(test, table);
}

/* The last lookup was in a block that is then freed. */
static void a_block_is_freed_with_its_last_handle(struct kunit *test)
{
	struct tmm_object *objects[NR_HANDLES];
	struct tmm_handle_table *table = create_table(test);
	const u32 in_second = PER_BLOCK + 1;
	unsigned int i;

	for (i = 0; i < NR_HANDLES; i++) {
		objects[i] = reserve(test, table);
		tmm_handle_table_publish(objects[i]);
	}
	KUNIT_EXPECT_NOT_NULL(test, find(table, in_second));
	for (i = 0; i < NR_HANDLES; i++) {
		if (objects[i]->handle / PER_BLOCK != 1)
			continue;
		take(table, objects[i]);
		tmm_handle_table_free(table, objects[i]);
		objects[i] = NULL;
	}
	KUNIT_EXPECT_NULL(test, xa_load(&table->blocks, 1));
	KUNIT_EXPECT_NULL(test, find(table, in_second));
	KUNIT_EXPECT_NOT_NULL(test, xa_load(&table->blocks, 2));
	for (i = 0; i < NR_HANDLES; i++)
		if (objects[i])
			tmm_handle_table_free(table, objects[i]);
	destroy_table(test, table);
}

/* After the last number come the first ones, except those of blocks in use. */
static void numbers_begin_again(struct kunit *test)
{
	const u32 last_block = U32_MAX / PER_BLOCK - 1;
	struct tmm_handle_table *table = create_table(test);
	struct tmm_object *first = reserve(test, table), *objects[PER_BLOCK + 1];
	unsigned int i;
	u64 from;

	KUNIT_EXPECT_EQ(test, first->handle, 1);
	/* Use up the first block. */
	for (i = 0; i < PER_BLOCK - 2; i++)
		tmm_handle_table_free(table, reserve(test, table));
	table->next_block = last_block;
	for (i = 0; i < ARRAY_SIZE(objects); i++)
		objects[i] = reserve(test, table);
	KUNIT_EXPECT_EQ(test, objects[0]->handle, last_block * PER_BLOCK);
	KUNIT_EXPECT_EQ(test, objects[PER_BLOCK - 1]->handle, (last_block + 1) * PER_BLOCK - 1);
	KUNIT_EXPECT_EQ(test, objects[PER_BLOCK]->handle, PER_BLOCK);
	for (from = objects[0]->handle; from <= U32_MAX; from++)
		KUNIT_EXPECT_NULL(test, find(table, from));
	from = objects[0]->handle;
	KUNIT_EXPECT_NULL(test, step(table, &from));
	tmm_handle_table_publish(objects[PER_BLOCK - 1]);
	from = objects[PER_BLOCK - 1]->handle;
	KUNIT_EXPECT_PTR_EQ(test, step(table, &from), objects[PER_BLOCK - 1]);
	KUNIT_EXPECT_NULL(test, step(table, &from));
	from = U32_MAX;
	KUNIT_EXPECT_NULL(test, step(table, &from));
	free_all(table, objects, ARRAY_SIZE(objects));
	tmm_handle_table_free(table, first);
	destroy_table(test, table);
}

/* A call that reserves several handles gets at most those that are left in the block. */
static void handles_are_reserved_and_freed_together(struct kunit *test)
{
	struct tmm_object *objects[2 * PER_BLOCK];
	struct tmm_handle_table *table = create_table(test);
	unsigned int i, nr = 0;
	int more;

	more = tmm_handle_table_reserve_some(table, 5, objects);
	KUNIT_EXPECT_EQ(test, more, 5);
	while (more > 0 && nr + more < ARRAY_SIZE(objects)) {
		nr += more;
		more = tmm_handle_table_reserve_some(table, ARRAY_SIZE(objects) - nr, &objects[nr]);
		KUNIT_EXPECT_LE(test, more, PER_BLOCK);
	}
	KUNIT_ASSERT_GT(test, more, 0);
	for (i = 0; i < ARRAY_SIZE(objects); i++) {
		KUNIT_EXPECT_EQ(test, objects[i]->handle, i + 1);
		KUNIT_EXPECT_NULL(test, find(table, i + 1));
		tmm_handle_table_publish(objects[i]);
		KUNIT_EXPECT_PTR_EQ(test, find(table, i + 1), objects[i]);
	}
	/* All of the second block, and some of both others, in one call. */
	for (i = PER_BLOCK - 3; i < ARRAY_SIZE(objects); i++)
		take(table, objects[i]);
	tmm_handle_table_free_all(table, &objects[PER_BLOCK - 3],
				  ARRAY_SIZE(objects) - PER_BLOCK + 3);
	KUNIT_EXPECT_NULL(test, xa_load(&table->blocks, 1));
	KUNIT_EXPECT_NOT_NULL(test, xa_load(&table->blocks, 0));
	KUNIT_EXPECT_NULL(test, find(table, PER_BLOCK + 1));
	KUNIT_EXPECT_PTR_EQ(test, find(table, 1), objects[0]);
	tmm_handle_table_free_all(table, objects, PER_BLOCK - 3);
	KUNIT_EXPECT_NULL(test, xa_load(&table->blocks, 0));
	tmm_handle_table_free_all(table, objects, 0);
	destroy_table(test, table);
}

static void a_block_without_memory(struct kunit *test)
{
	struct tmm_handle_table *table = create_table(test);
	struct tmm_object *object, *objects[2];
	int nr_reserved;
	bool hit;

	tmm_test_fail_alloc(test, 1);
	nr_reserved = tmm_handle_table_reserve_some(table, 2, objects);
	hit = tmm_test_fail_alloc_end();
	KUNIT_EXPECT_TRUE(test, hit);
	KUNIT_EXPECT_EQ(test, nr_reserved, -ENOMEM);
	KUNIT_EXPECT_TRUE(test, xa_empty(&table->blocks));
	object = reserve(test, table);
	KUNIT_EXPECT_EQ(test, object->handle, 1);
	tmm_handle_table_free(table, object);
	destroy_table(test, table);
}

static struct kunit_case handle_table_cases[] = {
	KUNIT_CASE(lookups_find_visible_objects_only),
	KUNIT_CASE(every_handle_names_its_own_object),
	KUNIT_CASE(steps_visit_visible_objects_in_order),
	KUNIT_CASE(a_block_is_freed_with_its_last_handle),
	KUNIT_CASE(numbers_begin_again),
	KUNIT_CASE(handles_are_reserved_and_freed_together),
	KUNIT_CASE(a_block_without_memory),
	{}
};

static struct kunit_suite handle_table_suite = {
	.name = "theseus_mm_handle_table",
	.test_cases = handle_table_cases,
};

kunit_test_suite(handle_table_suite);
