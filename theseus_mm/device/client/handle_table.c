// SPDX-License-Identifier: GPL-2.0
#include "device/client/handle_table.h"

#include "device/client/object.h"

#include <kunit/visibility.h>
#include <linux/build_bug.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/limits.h>
#include <linux/nospec.h>
#include <linux/slab.h>

/* Handles of a block. The last one has no object, so that objects and counters fit in 1 KiB. */
#define BLOCK_HANDLES	32U
#define BLOCK_OBJECTS	(BLOCK_HANDLES - 1)

/* The objects of consecutive handles. */
struct tmm_handle_block {
	struct tmm_object objects[BLOCK_OBJECTS];
	u32 first;	/* handle of the first object; 0, which is no handle, in the first block */
	u32 next;	/* index of the next object to reserve */
	u32 nr_users;	/* handles in use, plus 1 for the table's current block */
};

void tmm_handle_table_init(struct tmm_handle_table *table)
{
	BUILD_BUG_ON(sizeof(struct tmm_handle_block) > 1024);
	xa_init_flags(&table->blocks, XA_FLAGS_ALLOC | XA_FLAGS_ACCOUNT);
	table->current_block = NULL;
	table->recent_block = NULL;
	table->next_block = 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_handle_table_init);

/* Drop a use of a block, which may be NULL. The last use removes the block. */
static void put_block(struct tmm_handle_table *table, struct tmm_handle_block *block)
{
	bool is_last;

	if (!block)
		return;
	tmm_handle_table_lock(table);
	is_last = !--block->nr_users;
	if (is_last) {
		__xa_erase(&table->blocks, block->first / BLOCK_HANDLES);
		if (table->recent_block == block)
			table->recent_block = NULL;
	}
	tmm_handle_table_unlock(table);
	if (is_last)
		kfree(block);
}

/* Free the memory of the table. No handle is in use, and lookups will find nothing. */
void tmm_handle_table_destroy(struct tmm_handle_table *table)
{
	put_block(table, table->current_block);
	table->current_block = NULL;
	xa_destroy(&table->blocks);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_handle_table_destroy);

/* Give a new block a number. Return: 0, -EDQUOT if every number is in use, or -ENOMEM */
static int number_block(struct tmm_handle_table *table, struct tmm_handle_block *block)
{
	u32 number;
	int err;

	tmm_handle_table_assert_locked(table);
	/* The function may release the lock, but not once the table has the block. */
	err = __xa_alloc_cyclic(&table->blocks, &number, block,
				XA_LIMIT(0, U32_MAX / BLOCK_HANDLES), &table->next_block,
				GFP_KERNEL_ACCOUNT);
	if (err < 0)
		return err == -EBUSY ? -EDQUOT : err;
	block->first = number * BLOCK_HANDLES;
	/* 0 is no handle. */
	block->next = !number;
	block->nr_users = 1;
	return 0;
}

/*
 * Add a block of unused handles, and make it the current block. If two calls do this at the same
 * time, the handles of one of the blocks are not used. Return: 0, -EDQUOT or -ENOMEM
 */
static int add_block(struct tmm_handle_table *table)
{
	struct tmm_handle_block *block = kzalloc(sizeof(*block), GFP_KERNEL_ACCOUNT);
	struct tmm_handle_block *old;
	int err;

	if (!block)
		return -ENOMEM;
	tmm_handle_table_lock(table);
	err = number_block(table, block);
	if (err)
		goto err_unlock;
	old = table->current_block;
	table->current_block = block;
	tmm_handle_table_unlock(table);
	put_block(table, old);
	return 0;

err_unlock:
	tmm_handle_table_unlock(table);
	kfree(block);
	return err;
}

static struct tmm_object *reserve_in_block(struct tmm_handle_table *table)
{
	struct tmm_handle_block *block;
	struct tmm_object *object = NULL;

	tmm_handle_table_lock(table);
	block = table->current_block;
	if (block && block->next < BLOCK_OBJECTS) {
		object = &block->objects[block->next];
		object->handle = block->first + block->next++;
		block->nr_users++;
	}
	tmm_handle_table_unlock(table);
	return object;
}

/*
 * Reserve a handle with an object that owns nothing. The caller publishes the object, or frees
 * the handle. The result is ERR_PTR(-EDQUOT) if all numbers are in use, or ERR_PTR(-ENOMEM). May
 * sleep.
 */
struct tmm_object *tmm_handle_table_reserve(struct tmm_handle_table *table)
{
	struct tmm_object *object;
	int err;

	while (!(object = reserve_in_block(table))) {
		err = add_block(table);
		if (err)
			return ERR_PTR(err);
	}
	return object;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_handle_table_reserve);

/* Make a reserved or taken object visible. The object belongs to the table after this call. */
void tmm_handle_table_publish(struct tmm_object *object)
{
	/* Pairs with tmm_handle_table_find(): a call that finds the object sees its content. */
	smp_store_release(&object->is_visible, true);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_handle_table_publish);

/* Take a visible object: lookups do not find the object any more. The caller holds the lock. */
void tmm_handle_table_hide(struct tmm_handle_table *table, struct tmm_object *object)
{
	tmm_handle_table_assert_locked(table);
	WRITE_ONCE(object->is_visible, false);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_handle_table_hide);

/* Free a handle, whose object is reserved or taken and owns nothing. */
void tmm_handle_table_free(struct tmm_handle_table *table, struct tmm_object *object)
{
	object -= object->handle % BLOCK_HANDLES;
	put_block(table, container_of(object, struct tmm_handle_block, objects[0]));
}
EXPORT_SYMBOL_IF_KUNIT(tmm_handle_table_free);

static struct tmm_object *visible_or_null(struct tmm_object *object)
{
	/* Pairs with tmm_handle_table_publish(), which needs no lock. */
	return smp_load_acquire(&object->is_visible) ? object : NULL;
}

static struct tmm_handle_block *find_block(struct tmm_handle_table *table, u32 handle)
{
	struct tmm_handle_block *block = table->recent_block;

	if (block && block->first == handle - handle % BLOCK_HANDLES)
		return block;
	block = xa_load(&table->blocks, handle / BLOCK_HANDLES);
	if (block)
		table->recent_block = block;
	return block;
}

/* Find a visible object, or NULL. The caller holds the lock. O(log handles). */
struct tmm_object *tmm_handle_table_find(struct tmm_handle_table *table, u32 handle)
{
	struct tmm_handle_block *block;
	u32 i = handle % BLOCK_HANDLES;

	tmm_handle_table_assert_locked(table);
	block = find_block(table, handle);
	if (!block || i >= BLOCK_OBJECTS)
		return NULL;
	return visible_or_null(&block->objects[array_index_nospec(i, BLOCK_OBJECTS)]);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_handle_table_find);

/*
 * Find the first visible object from handle *@from on, in the first block that has handles there.
 * *@from becomes the first handle after that object. If no object of that block is visible, the
 * result is NULL and *@from becomes the first handle after the block, or is above U32_MAX at the
 * end. The caller holds the lock. O(log handles).
 */
struct tmm_object *tmm_handle_table_step(struct tmm_handle_table *table, u64 *from)
{
	unsigned long number = *from / BLOCK_HANDLES;
	struct tmm_handle_block *block;
	u32 i;

	tmm_handle_table_assert_locked(table);
	block = xa_find(&table->blocks, &number, U32_MAX / BLOCK_HANDLES, XA_PRESENT);
	if (!block) {
		*from = U32_MAX + 1ULL;
		return NULL;
	}
	i = *from > (u64)number * BLOCK_HANDLES ? *from % BLOCK_HANDLES : 0;
	for (; i < BLOCK_OBJECTS; i++) {
		if (!visible_or_null(&block->objects[i]))
			continue;
		*from = (u64)number * BLOCK_HANDLES + i + 1;
		return &block->objects[i];
	}
	*from = (number + 1ULL) * BLOCK_HANDLES;
	return NULL;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_handle_table_step);
