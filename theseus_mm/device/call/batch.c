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
 * Items are copied in and out in pieces, and the handles of a piece are reserved, taken or freed
 * under one lock. A batch that creates all or nothing charges all its handles at once. A batch that
 * drops uncharges all dropped handles at once.
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
	/* Prepare @nr items, a piece. NULL if there is nothing to do. */
	void (*begin_piece)(struct batch *batch, const union items *items, u32 nr);
	/* Run item @i of a piece. Return: the object of the item, or an error pointer */
	struct tmm_object *(*run)(struct batch *batch, union items *items, u32 i);
	/* Give back the objects that are ready for items which did not use them. */
	void (*give_back)(struct batch *batch);
	/* Write the out fields of an item that failed, or that counts as failed. */
	void (*set_error)(union items *items, u32 i, int err);
	/* Complete items that succeeded, after all results were copied out. */
	void (*commit)(struct tmm_client *client, struct tmm_object **objects, u32 nr);
	/* Reverse items that succeeded, because the results cannot be copied out. */
	void (*undo)(struct tmm_client *client, struct tmm_object **objects, u32 nr);
	/*
	 * True if @commit or @undo frees the handles. Both leave the charges for the handles, so
	 * the caller uncharges the freed handles.
	 */
	bool commit_frees;
	bool undo_frees;
};

/* One call in progress. */
struct batch {
	const struct batch_kind *kind;
	struct tmm_client *client;
	struct tmm_entries items;	/* in user space */
	u32 nr_items;
	u32 nr_left;			/* items that were not run yet */
	bool all_or_nothing;		/* the first item that fails ends the call */
	bool is_charged;		/* for the handles of all items that create */
	/*
	 * objects for the next items, from @next_ready to @nr_ready: reserved ones to create in,
	 * or taken ones to drop, which are NULL for an unknown handle
	 */
	u32 next_ready;
	u32 nr_ready;
	struct tmm_object *ready[PIECE_ITEMS];
	struct tmm_object **objects;	/* of the items that succeeded so far */
	u32 nr_objects;
	u32 failed;			/* with @all_or_nothing: index of the item that failed */
	int failed_err;			/* with @all_or_nothing: the error of that item */
	int shortage;			/* as in struct tmm_call */
	struct tmm_poll_attempt *attempt;	/* of the call */
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

static int decode_item(const struct batch *batch, const struct theseus_mm_create_item *item,
		       struct tmm_mapping_request *req)
{
	const struct tmm_create_wish wish = {
		.size = item->size,
		.pte_flags = item->pte_flags,
		.leaf_size = item->leaf_size,
		.align = item->align,
		.frames = item->flags & THESEUS_MM_CREATE_ITEM_CONTIGUOUS ?
			  TMM_FRAMES_CONTIGUOUS : TMM_FRAMES_ANY,
	};

	if ((item->flags & ~THESEUS_MM_CREATE_ITEM_FLAGS_ALL) || item->reserved)
		return -EINVAL;
	return tmm_call_decode_create(batch->client, &wish, req);
}

/* Reserve objects for the next items. Return: 0, -EDQUOT or -ENOMEM */
static int reserve_ready(struct batch *batch)
{
	int nr = tmm_handles_reserve_some(batch->client, batch->ready,
					  min(batch->nr_left, PIECE_ITEMS));

	if (nr < 0)
		return nr;
	batch->next_ready = 0;
	batch->nr_ready = nr;
	return 0;
}

/* Create a mapping in the next reserved object, for whose handle the client is charged. */
static struct tmm_object *create_charged(struct batch *batch,
					 const struct tmm_mapping_request *req)
{
	struct tmm_object *object;
	int err = 0;

	if (batch->next_ready == batch->nr_ready)
		err = reserve_ready(batch);
	if (err)
		return ERR_PTR(err);
	object = batch->ready[batch->next_ready];
	err = tmm_call_create_content(batch->client, req, object);
	if (err)
		return ERR_PTR(err);
	batch->next_ready++;
	return object;
}

static struct tmm_object *charge_and_create(struct batch *batch,
					    const struct tmm_mapping_request *req)
{
	struct tmm_account *account = batch->client->account;
	struct tmm_object *object;
	int err;

	if (batch->is_charged)
		return create_charged(batch, req);
	err = tmm_account_charge(account, TMM_RESOURCE_HANDLES, 1);
	if (err)
		return ERR_PTR(err);
	object = create_charged(batch, req);
	if (IS_ERR(object))
		tmm_account_uncharge(account, TMM_RESOURCE_HANDLES, 1);
	return object;
}

/*
 * Do what charge_and_create() does. If the item lacks a resource, and the call goes on without the
 * item, a later poll() waits for the resource.
 */
static struct tmm_object *try_to_create(struct batch *batch, const struct tmm_mapping_request *req)
{
	struct tmm_object *object = charge_and_create(batch, req);

	/* A call that fails as a whole is run again as a whole. */
	if (IS_ERR(object) && !batch->all_or_nothing &&
	    tmm_poll_attempt_again(batch->client, batch->attempt, PTR_ERR(object)))
		object = charge_and_create(batch, req);
	return object;
}

static struct tmm_object *create_item(struct batch *batch, union items *items, u32 i)
{
	struct theseus_mm_create_item *item = &items->create[i];
	struct tmm_mapping_request req TMM_UNINITIALIZED;
	struct tmm_created created TMM_UNINITIALIZED;
	struct tmm_object *object;
	int err;

	err = decode_item(batch, item, &req);
	if (err)
		return ERR_PTR(err);
	object = try_to_create(batch, &req);
	if (IS_ERR(object))
		return object;
	tmm_call_describe_created(object, req.frames, &created);
	item->error = 0;
	item->handle = object->handle;
	item->start = created.start;
	item->nr_pages = created.nr_pages;
	item->paddr = created.paddr;
	return object;
}

static void forget_ready(struct batch *batch)
{
	tmm_handles_forget_unused(batch->client, &batch->ready[batch->next_ready],
				  batch->nr_ready - batch->next_ready);
	batch->next_ready = batch->nr_ready;
}

static const struct batch_kind create_kind = {
	.run = create_item,
	.give_back = forget_ready,
	.set_error = set_create_error,
	.commit = tmm_handles_publish,
	.undo = tmm_handles_drop_charged,
	.undo_frees = true,
};

/* --- dropping ------------------------------------------------------------------- */

static void set_drop_error(union items *items, u32 i, int err)
{
	items->drop[i].error = -err;
}

/* Take all objects of a piece at once. */
static void take_ready(struct batch *batch, const union items *items, u32 nr)
{
	u32 handles[PIECE_ITEMS] TMM_UNINITIALIZED;
	u32 i;

	for (i = 0; i < nr; i++)
		handles[i] = items->drop[i].handle;
	tmm_handles_take(batch->client, handles, batch->ready, nr);
	batch->next_ready = 0;
	batch->nr_ready = nr;
}

static struct tmm_object *drop_item(struct batch *batch, union items *items, u32 i)
{
	struct tmm_object *object = batch->ready[batch->next_ready++];

	items->drop[i].error = 0;
	/* An earlier item of the piece may have had the object, and given it back. */
	if (!object)
		object = tmm_handle_take(batch->client, items->drop[i].handle, TMM_KIND_ANY);
	return IS_ERR(object) ? object : tmm_object_allow_drop(batch->client, object);
}

static void publish_ready(struct batch *batch)
{
	for (; batch->next_ready < batch->nr_ready; batch->next_ready++)
		if (batch->ready[batch->next_ready])
			tmm_handle_publish(batch->client, batch->ready[batch->next_ready]);
}

static const struct batch_kind drop_kind = {
	.begin_piece = take_ready,
	.run = drop_item,
	.give_back = publish_ready,
	.set_error = set_drop_error,
	.commit = tmm_handles_drop_charged,
	.commit_frees = true,
	.undo = tmm_handles_publish,
};

/* --- both ------------------------------------------------------------------------- */

/*
 * Run item @i of the piece that begins with item @first. -EINTR means that the task is killed: the
 * whole call is undone.
 */
static int run_item(struct batch *batch, u32 first, union items *items, u32 i)
{
	struct tmm_object *object = batch->kind->run(batch, items, i);

	batch->nr_left--;
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
	if (batch->kind->begin_piece)
		batch->kind->begin_piece(batch, &items, nr);
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
			 void (*finish)(struct tmm_client *client, struct tmm_object **objects,
					u32 nr))
{
	u32 i;

	for (i = 0; i < batch->nr_objects; i += PIECE_ITEMS) {
		finish(batch->client, &batch->objects[i],
		       min(batch->nr_objects - i, PIECE_ITEMS));
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
	if (batch->is_charged)
		uncharge_handles(batch, batch->nr_items);
	else if (batch->kind->undo_frees)
		uncharge_handles(batch, batch->nr_objects);
}

static int serve_batch(struct tmm_call *call, struct batch *batch)
{
	int err;

	err = walk_pieces(batch, run_piece);
	batch->kind->give_back(batch);
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
	batch->is_charged = batch->all_or_nothing && batch->kind->undo_frees &&
			    tmm_account_try_charge(batch->client->account, TMM_RESOURCE_HANDLES,
						   batch->nr_items);
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
	batch->attempt = &call->attempt;
	batch->nr_items = request->nr_items;
	batch->nr_left = request->nr_items;
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
