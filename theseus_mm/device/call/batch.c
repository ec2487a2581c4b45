// SPDX-License-Identifier: GPL-2.0
/*
 * CREATE_BATCH and DROP_BATCH: create many mappings, or drop many objects, in one call.
 *
 *	create	create each, invisible	-> copy out all results -> publish all
 *	drop	take each		-> copy out all results -> drop all
 *
 * If anything fails before the last result is copied out, the call can still be undone:
 * created mappings are dropped, and taken objects become visible again. The call needs memory
 * for one pointer per item.
 *
 * Items are copied in and out in pieces. The handles of a batch that creates all or nothing are
 * charged at once, and so are the handles uncharged that a batch drops.
 */
#include "device/call/call.h"

#include "alloc/account.h"
#include "core/compat.h"
#include "device/call/create.h"
#include "device/call/entries.h"
#include "device/call/objects.h"
#include "device/client/client.h"
#include "device/client/handles.h"

#include <linux/err.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

/* Items that are copied at once */
#define PIECE_ITEMS	16U

/* Items of either kind, in kernel memory. */
union items {
	struct theseus_mm_create_item create[PIECE_ITEMS];
	struct theseus_mm_drop_item drop[PIECE_ITEMS];
};

struct batch;

/* The operations of one kind of batch: creating or dropping. */
struct batch_kind {
	/* Run item @i of a piece. Return: the object of the item, or an error pointer */
	struct tmm_object *(*run)(struct batch *batch, union items *items, u32 i);
	/* Write the out fields of an item that failed, or that counts as failed. */
	void (*set_error)(union items *items, u32 i, int err);
	/* Complete an item that succeeded, after all results were copied out. */
	void (*commit)(struct tmm_client *client, struct tmm_object *object);
	/* Reverse an item that succeeded, because the results cannot be copied out. */
	void (*undo)(struct tmm_client *client, struct tmm_object *object);
	/* Both leave the charges for the handles; these functions free the handle. */
	bool commit_frees;
	bool undo_frees;
};

/* One call in progress. */
struct batch {
	const struct batch_kind *kind;
	struct tmm_client *client;
	struct tmm_entries items;	/* in user space */
	u32 nr_items;
	bool all_or_nothing;		/* the first item that fails ends the call */
	enum tmm_handle_charge charge;	/* of new handles */
	struct tmm_object **objects;	/* of the items that succeeded so far */
	u32 nr_objects;
	u32 failed;			/* with @all_or_nothing: index of the item that failed */
	int failed_err;			/* with @all_or_nothing: the error of that item */
	int shortage;			/* as in struct tmm_call */
};

/* --- creating ------------------------------------------------------------------- */

static void set_create_error(union items *items, u32 i, int err)
{
	struct theseus_mm_create_item *item = &items->create[i];

	item->error = -err;
	item->handle = 0;
	item->start = 0;
	item->nr_pages = 0;
	item->paddr = 0;
}

static struct tmm_object *create_item(struct batch *batch, union items *items, u32 i)
{
	struct theseus_mm_create_item *item = &items->create[i];
	struct theseus_mm_create_mapping request = {
		.size = item->size,
		.pte_flags = item->pte_flags,
		.leaf_size = item->leaf_size,
		.align = item->align,
	};
	struct tmm_object *object;

	if ((item->flags & ~THESEUS_MM_CREATE_ITEM_FLAGS_ALL) || item->reserved)
		return ERR_PTR(-EINVAL);
	object = tmm_call_create_mapping(batch->client, &request,
					 item->flags & THESEUS_MM_CREATE_ITEM_CONTIGUOUS ?
					 TMM_FRAMES_CONTIGUOUS : TMM_FRAMES_ANY, batch->charge);
	if (IS_ERR(object))
		return object;
	item->error = 0;
	item->handle = request.handle;
	item->start = request.start;
	item->nr_pages = request.nr_pages;
	item->paddr = request.paddr;
	return object;
}

static const struct batch_kind create_kind = {
	.run = create_item,
	.set_error = set_create_error,
	.commit = tmm_handle_publish,
	.undo = tmm_handle_drop_charged,
	.undo_frees = true,
};

/* --- dropping ------------------------------------------------------------------- */

static void set_drop_error(union items *items, u32 i, int err)
{
	items->drop[i].error = -err;
}

static struct tmm_object *drop_item(struct batch *batch, union items *items, u32 i)
{
	items->drop[i].error = 0;
	return tmm_object_take_to_drop(batch->client, items->drop[i].handle);
}

static const struct batch_kind drop_kind = {
	.run = drop_item,
	.set_error = set_drop_error,
	.commit = tmm_handle_drop_charged,
	.commit_frees = true,
	.undo = tmm_handle_publish,
};

/* --- both ------------------------------------------------------------------------- */

/*
 * Run item @i of the piece that begins with item @first. -EINTR means that the task is killed: the
 * whole call is undone.
 */
static int run_item(struct batch *batch, u32 first, union items *items, u32 i)
{
	struct tmm_object *object = batch->kind->run(batch, items, i);

	if (!IS_ERR(object)) {
		batch->objects[batch->nr_objects++] = object;
		return 0;
	}
	if (object == ERR_PTR(-EINTR))
		return -EINTR;
	if (batch->all_or_nothing) {
		batch->failed = first + i;
		batch->failed_err = PTR_ERR(object);
		return batch->failed_err;
	}
	if (object == ERR_PTR(-ENOSPC) || object == ERR_PTR(-EDQUOT))
		batch->shortage = PTR_ERR(object);
	batch->kind->set_error(items, i, PTR_ERR(object));
	return 0;
}

static int run_piece(struct batch *batch, u32 first, u32 nr)
{
	union items items TMM_UNINITIALIZED;
	int err;
	u32 i;

	err = tmm_entries_read_all(&batch->items, first, nr, &items);
	if (err)
		return err;
	for (i = 0; i < nr; i++) {
		if (fatal_signal_pending(current))
			return -EINTR;
		err = run_item(batch, first, &items, i);
		if (err)
			return err;
		cond_resched();
	}
	return tmm_entries_write_all(&batch->items, first, nr, &items);
}

/* Write the error of the item that failed, and -ECANCELED for every other item of a piece. */
static int write_piece(struct batch *batch, u32 first, u32 nr)
{
	union items items TMM_UNINITIALIZED;
	int err;
	u32 i;

	err = tmm_entries_read_all(&batch->items, first, nr, &items);
	if (err)
		return err;
	for (i = 0; i < nr; i++)
		batch->kind->set_error(&items, i, first + i == batch->failed ?
				       batch->failed_err : -ECANCELED);
	cond_resched();
	return tmm_entries_write_all(&batch->items, first, nr, &items);
}

typedef int (*piece_fn)(struct batch *batch, u32 first, u32 nr);

/* Call @fn for all pieces of the batch, until the function fails. */
static int walk_pieces(struct batch *batch, piece_fn fn)
{
	int err = 0;
	u32 i;

	for (i = 0; i < batch->nr_items && !err; i += PIECE_ITEMS)
		err = fn(batch, i, min(batch->nr_items - i, PIECE_ITEMS));
	return err;
}

static void finish_items(struct batch *batch,
			 void (*finish)(struct tmm_client *client, struct tmm_object *object))
{
	u32 i;

	for (i = 0; i < batch->nr_objects; i++) {
		finish(batch->client, batch->objects[i]);
		cond_resched();
	}
}

static void uncharge_handles(struct batch *batch, u32 nr)
{
	if (nr)
		tmm_account_uncharge(batch->client->account, TMM_RESOURCE_HANDLES, nr);
}

/* Complete all items that succeeded. */
static void commit_items(struct batch *batch)
{
	finish_items(batch, batch->kind->commit);
	if (batch->kind->commit_frees)
		uncharge_handles(batch, batch->nr_objects);
}

/* Reverse all items that succeeded, and give back all charges for handles. */
static void undo_items(struct batch *batch)
{
	finish_items(batch, batch->kind->undo);
	if (batch->charge == TMM_HANDLE_IS_CHARGED)
		uncharge_handles(batch, batch->nr_items);
	else if (batch->kind->undo_frees)
		uncharge_handles(batch, batch->nr_objects);
}

static int serve_batch(struct tmm_call *call, struct batch *batch)
{
	int err;

	err = walk_pieces(batch, run_piece);
	if (err)
		goto err_undo;
	call->shortage = batch->shortage;
	call->arg.batch.nr_done = batch->nr_objects;
	err = tmm_call_reply(call);
	if (err)
		goto err_undo;
	commit_items(batch);
	return 0;

err_undo:
	undo_items(batch);
	if (!batch->failed_err)
		return err;
	call->arg.batch.nr_done = 0;
	err = tmm_call_reply(call);
	return err ?: walk_pieces(batch, write_piece) ?: batch->failed_err;
}

/*
 * Charge the handles of all items at once, if all items will be made or none. If there is no room
 * for all, each item is charged for its own handle, so that the call names the item that has no
 * room.
 */
static void charge_ahead(struct batch *batch)
{
	if (batch->all_or_nothing && batch->kind->undo_frees &&
	    tmm_account_try_charge(batch->client->account, TMM_RESOURCE_HANDLES, batch->nr_items))
		batch->charge = TMM_HANDLE_IS_CHARGED;
}

/*
 * Set up all fields of @batch except the kind and items, which the caller has set, and serve the
 * call.
 */
static int run_batch(struct tmm_call *call, struct batch *batch)
{
	const struct theseus_mm_batch *request = &call->arg.batch;
	int err;

	if (!request->nr_items || request->nr_items > THESEUS_MM_MAX_BATCH)
		return -EINVAL;
	batch->client = call->client;
	batch->nr_items = request->nr_items;
	batch->all_or_nothing = request->flags & THESEUS_MM_BATCH_ALL_OR_NOTHING;
	batch->objects = kvmalloc_array(batch->nr_items, sizeof(*batch->objects),
					GFP_KERNEL_ACCOUNT);
	if (!batch->objects)
		return -ENOMEM;
	charge_ahead(batch);
	err = serve_batch(call, batch);
	kvfree(batch->objects);
	return err;
}

int tmm_ioctl_create_batch(struct tmm_call *call)
{
	const struct theseus_mm_batch *request = &call->arg.batch;
	struct batch batch = { .kind = &create_kind };
	int err;

	err = TMM_ENTRIES_INIT(&batch.items, request->items, request->item_size,
			       theseus_mm_create_item, align);
	return err ?: run_batch(call, &batch);
}

int tmm_ioctl_drop_batch(struct tmm_call *call)
{
	const struct theseus_mm_batch *request = &call->arg.batch;
	struct batch batch = { .kind = &drop_kind };
	int err;

	err = TMM_ENTRIES_INIT(&batch.items, request->items, request->item_size,
			       theseus_mm_drop_item, error);
	return err ?: run_batch(call, &batch);
}
