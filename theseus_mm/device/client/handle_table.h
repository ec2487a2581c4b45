/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The table that maps the handles of a client to objects.
 *
 * The objects lie in the table itself, in blocks of consecutive handles, so that an object needs
 * no allocation of its own. Handles are given out in ascending order, so that a number is not used
 * again soon. After the last number, the table begins again with the first block of which no handle
 * is in use.
 *
 * Invariant: a lookup finds visible objects only. The content of a visible object does not change
 * while the table's lock is held. A block exists while one of its handles is in use, or while the
 * next handle will be in that block.
 * Lock: that of @blocks, taken by tmm_handle_table_lock(). An object that is reserved or taken
 * belongs to one call, which needs no lock to change the object or to make it visible.
 * Owner: the client.
 */
#ifndef TMM_DEVICE_CLIENT_HANDLE_TABLE_H
#define TMM_DEVICE_CLIENT_HANDLE_TABLE_H

#include <linux/compiler_types.h>
#include <linux/lockdep.h>
#include <linux/types.h>
#include <linux/xarray.h>

struct tmm_handle_block;
struct tmm_object;

/* A table of handles. */
struct tmm_handle_table {
	struct xarray blocks;	/* struct tmm_handle_block, by the number of the block */
	struct tmm_handle_block *current_block;	/* has the next handle; NULL if there is none yet */
	struct tmm_handle_block *recent_block;	/* where the last lookup found a block, or NULL */
	u32 next_block;		/* where to look for a number for the next block */
};

void tmm_handle_table_init(struct tmm_handle_table *table);
void tmm_handle_table_destroy(struct tmm_handle_table *table);

struct tmm_object * __must_check tmm_handle_table_reserve(struct tmm_handle_table *table);
int __must_check tmm_handle_table_reserve_some(struct tmm_handle_table *table, u32 nr,
					       struct tmm_object **objects);
void tmm_handle_table_publish(struct tmm_object *object);
void tmm_handle_table_hide(struct tmm_handle_table *table, struct tmm_object *object);
void tmm_handle_table_free(struct tmm_handle_table *table, struct tmm_object *object);
void tmm_handle_table_free_all(struct tmm_handle_table *table, struct tmm_object **objects,
			       u32 nr);

/* Lookups, with the lock held */
struct tmm_object *tmm_handle_table_visible(struct tmm_object *object);
struct tmm_object *tmm_handle_table_find(struct tmm_handle_table *table, u32 handle);
struct tmm_object *tmm_handle_table_step(struct tmm_handle_table *table, u64 *from);

static inline void tmm_handle_table_lock(struct tmm_handle_table *table)
{
	xa_lock(&table->blocks);
}

static inline void tmm_handle_table_unlock(struct tmm_handle_table *table)
{
	xa_unlock(&table->blocks);
}

static inline void tmm_handle_table_assert_locked(struct tmm_handle_table *table)
{
	lockdep_assert_held(&table->blocks.xa_lock);
}

#endif /* TMM_DEVICE_CLIENT_HANDLE_TABLE_H */
