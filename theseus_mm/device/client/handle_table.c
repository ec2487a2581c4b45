// SPDX-License-Identifier: GPL-2.0
#include "device/client/handle_table.h"

#include "core/bug.h"
#include "device/client/object.h"

#include <kunit/visibility.h>
#include <linux/build_bug.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/nospec.h>
#include <linux/slab.h>

/* Handles of a block: as many as fit in 1 KiB, together with the counters. */
#define BLOCK_HANDLES	42U
/* The last block ends below 2^32. */
#define LAST_BLOCK	(U32_MAX / BLOCK_HANDLES - 1)

/* The objects of consecutive handles. */
struct tmm_handle_block {
	struct tmm_object objects[BLOCK_HANDLES];
	u32 first;	/* handle of the first object; 0, which is no handle, in the first block */
	u32 next;	/* index of the next object to reserve */
	u32 nr_users;	/* handles in use, plus 1 for the table's current block */
};

void tmm_handle_table_init(struct tmm_handle_table *table)
{
	BUILD_BUG_ON(sizeof(struct tmm_handle_block) > 1024);
	BUILD_BUG_ON(sizeof(struct tmm_handle_block) + sizeof(struct tmm_object) <= 1024);
	xa_init_flags(&table->blocks, XA_FLAGS_ALLOC | XA_FLAGS_ACCOUNT);
	table->current_block = NULL;
	table->recent_block = NULL;
	table->next_block = 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_handle_table_init);

/*
 * Drop a use of a block. The last use removes the block: the result is then the block, which the
 * caller frees without the lock, and else NULL.
 */
static struct tmm_handle_block *drop_use(struct tmm_handle_table *table,
					 struct tmm_handle_block *block)
{
	tmm_handle_table_assert_locked(table);
	if (likely(--block->nr_users))
		return NULL;
	__xa_erase(&table->blocks, block->first / BLOCK_HANDLES);
	if (table->recent_block == block)
		table->recent_block = NULL;
	return block;
}

/* Do what drop_use() does, and free the block. @block may be NULL. */
static void put_block(struct tmm_handle_table *table, struct tmm_handle_block *block)
{
	if (!block)
		return;
	tmm_handle_table_lock(table);
	block = drop_use(table, block);
	tmm_handle_table_unlock(table);
	kfree(block);
}

/* Free the memory of the table. No handle is in use, and lookups will find nothing. */
void tmm_handle_table_destroy(struct tmm_handle_table *table)
{
	put_block(table, table->current_block);
	table->current_block = NULL;
	TMM_BUG_IF(!xa_empty(&table->blocks));
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
				XA_LIMIT(0, LAST_BLOCK), &table->next_block, GFP_KERNEL_ACCOUNT);
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

/* Reserve up to @nr handles in the current block. Return: how many */
static u32 reserve_in_block(struct tmm_handle_table *table, u32 nr, struct tmm_object **objects)
{
	struct tmm_handle_block *block;
	u32 i;

	tmm_handle_table_lock(table);
	block = table->current_block;
	nr = block ? min(nr, BLOCK_HANDLES - block->next) : 0;
	for (i = 0; i < nr; i++) {
		objects[i] = &block->objects[block->next];
		objects[i]->handle = block->first + block->next++;
	}
	if (nr)
		block->nr_users += nr;
	tmm_handle_table_unlock(table);
	return nr;
}

/*
 * Reserve handles with objects that own nothing: at least one, and at most @nr, which is 1 or more.
 * The caller publishes each object, or frees the handle. Return: the number of objects, -EDQUOT if
 * all numbers are in use, or -ENOMEM. May sleep.
 */
int tmm_handle_table_reserve_some(struct tmm_handle_table *table, u32 nr,
				  struct tmm_object **objects)
{
	u32 nr_reserved;
	int err;

	while (!(nr_reserved = reserve_in_block(table, nr, objects))) {
		err = add_block(table);
		if (err)
			return err;
	}
	return nr_reserved;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_handle_table_reserve_some);

/* Do what tmm_handle_table_reserve_some() does, for one handle. Return: the object, or an error. */
struct tmm_object *tmm_handle_table_reserve(struct tmm_handle_table *table)
{
	struct tmm_object *object;
	int nr = tmm_handle_table_reserve_some(table, 1, &object);

	return nr < 0 ? ERR_PTR(nr) : object;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_handle_table_reserve);

/* Make a reserved or taken object visible. The object belongs to the table after this call. */
void tmm_handle_table_publish(struct tmm_object *object)
{
	/*
	 * Pairs with tmm_handle_table_find(): a call that finds the object sees its content. A
	 * compiler barrier is enough, since x86 makes the stores of a CPU visible in their order.
	 */
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

static struct tmm_handle_block *block_of(struct tmm_object *object)
{
	object -= object->handle % BLOCK_HANDLES;
	return container_of(object, struct tmm_handle_block, objects[0]);
}

/* Free a handle, whose object is reserved or taken and owns nothing. */
void tmm_handle_table_free(struct tmm_handle_table *table, struct tmm_object *object)
{
	put_block(table, block_of(object));
}
EXPORT_SYMBOL_IF_KUNIT(tmm_handle_table_free);

/* Free @nr handles, whose objects are reserved or taken and own nothing. O(@nr), under the lock. */
void tmm_handle_table_free_all(struct tmm_handle_table *table, struct tmm_object **objects, u32 nr)
{
	struct tmm_handle_block *unused;
	u32 i = 0;

	while (i < nr) {
		unused = NULL;
		tmm_handle_table_lock(table);
		while (i < nr && !unused)
			unused = drop_use(table, block_of(objects[i++]));
		tmm_handle_table_unlock(table);
		kfree(unused);
	}
}
EXPORT_SYMBOL_IF_KUNIT(tmm_handle_table_free_all);

static struct tmm_object *visible_or_null(struct tmm_object *object)
{
	/* Pairs with tmm_handle_table_publish(), which needs no lock. */
	return smp_load_acquire(&object->is_visible) ? object : NULL;
}

/* Return @object, whose handle is in use, if it is visible, or NULL. The caller holds the lock. */
struct tmm_object *tmm_handle_table_visible(struct tmm_object *object)
{
	return visible_or_null(object);
}

static bool has_handle(const struct tmm_handle_block *block, u32 handle)
{
	return block && handle - block->first < BLOCK_HANDLES;
}

static struct tmm_handle_block *find_block(struct tmm_handle_table *table, u32 handle)
{
	struct tmm_handle_block *block = table->recent_block;

	if (likely(has_handle(block, handle)))
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

	tmm_handle_table_assert_locked(table);
	block = find_block(table, handle);
	if (!block)
		return NULL;
	return visible_or_null(&block->objects[array_index_nospec(handle - block->first,
								  BLOCK_HANDLES)]);
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
	block = xa_find(&table->blocks, &number, LAST_BLOCK, XA_PRESENT);
	if (!block) {
		*from = U32_MAX + 1ULL;
		return NULL;
	}
	i = *from > (u64)number * BLOCK_HANDLES ? *from % BLOCK_HANDLES : 0;
	for (; i < BLOCK_HANDLES; i++) {
		if (!visible_or_null(&block->objects[i]))
			continue;
		*from = (u64)number * BLOCK_HANDLES + i + 1;
		return &block->objects[i];
	}
	*from = (number + 1ULL) * BLOCK_HANDLES;
	return NULL;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_handle_table_step);
