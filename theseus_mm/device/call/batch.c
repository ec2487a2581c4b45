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
 */
#include "device/call/call.h"

#include "device/call/create.h"
#include "device/call/entries.h"
#include "device/call/objects.h"
#include "device/client/client.h"
#include "device/client/handles.h"

#include <linux/err.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

/* An item of either kind, in kernel memory. */
union item {
	struct theseus_mm_create_item create;
	struct theseus_mm_drop_item drop;
};

/* The operations of one kind of batch: creating or dropping. */
struct batch_kind {
	/* Run one item. Return: the object of the item, or an error pointer */
	struct tmm_object *(*run)(struct tmm_client *client, union item *item);
	/* Write the out fields of an item that failed, or that counts as failed. */
	void (*set_error)(union item *item, int err);
	/* Complete an item that succeeded, after all results were copied out. */
	void (*commit)(struct tmm_client *client, struct tmm_object *object);
	/* Reverse an item that succeeded, because the results cannot be copied out. */
	void (*undo)(struct tmm_client *client, struct tmm_object *object);
};

/* One call in progress. */
struct batch {
	const struct batch_kind *kind;
	struct tmm_client *client;
	struct tmm_entries items;	/* in user space */
	u32 nr_items;
	bool all_or_nothing;		/* the first item that fails ends the call */
	struct tmm_object **objects;	/* of the items that succeeded so far */
	u32 nr_objects;
	u32 failed;			/* with @all_or_nothing: index of the item that failed */
	int failed_err;			/* with @all_or_nothing: the error of that item */
	int shortage;			/* as in struct tmm_call */
};

/* --- creating ------------------------------------------------------------------- */

static void set_create_error(union item *p, int err)
{
	struct theseus_mm_create_item *item = &p->create;

	item->error = -err;
	item->handle = 0;
	item->start = 0;
	item->nr_pages = 0;
	item->paddr = 0;
}

static struct tmm_object *create_item(struct tmm_client *client, union item *p)
{
	struct theseus_mm_create_item *item = &p->create;
	struct theseus_mm_create_mapping request = {
		.size = item->size,
		.pte_flags = item->pte_flags,
		.leaf_size = item->leaf_size,
		.align = item->align,
	};
	struct tmm_object *object;

	if ((item->flags & ~THESEUS_MM_CREATE_ITEM_FLAGS_ALL) || item->reserved)
		return ERR_PTR(-EINVAL);
	object = tmm_call_create_mapping(client, &request,
					 item->flags & THESEUS_MM_CREATE_ITEM_CONTIGUOUS ?
					 TMM_FRAMES_CONTIGUOUS : TMM_FRAMES_ANY);
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
	.undo = tmm_handle_drop,
};

/* --- dropping ------------------------------------------------------------------- */

static void set_drop_error(union item *item, int err)
{
	item->drop.error = -err;
}

static struct tmm_object *drop_item(struct tmm_client *client, union item *item)
{
	item->drop.error = 0;
	return tmm_object_take_to_drop(client, item->drop.handle);
}

static const struct batch_kind drop_kind = {
	.run = drop_item,
	.set_error = set_drop_error,
	.commit = tmm_handle_drop,
	.undo = tmm_handle_publish,
};

/* --- both ------------------------------------------------------------------------- */

/* Run an item that was read. -EINTR means that the task is killed: the whole call is undone. */
static int run_item(struct batch *batch, u32 i, union item *item)
{
	struct tmm_object *object = batch->kind->run(batch->client, item);

	if (!IS_ERR(object)) {
		batch->objects[batch->nr_objects++] = object;
		return 0;
	}
	if (object == ERR_PTR(-EINTR))
		return -EINTR;
	if (batch->all_or_nothing) {
		batch->failed = i;
		batch->failed_err = PTR_ERR(object);
		return batch->failed_err;
	}
	if (object == ERR_PTR(-ENOSPC) || object == ERR_PTR(-EDQUOT))
		batch->shortage = PTR_ERR(object);
	batch->kind->set_error(item, PTR_ERR(object));
	return 0;
}

static int run_items(struct batch *batch)
{
	union item item;
	int err;
	u32 i;

	for (i = 0; i < batch->nr_items; i++) {
		if (fatal_signal_pending(current))
			return -EINTR;
		err = tmm_entries_read(&batch->items, i, &item);
		if (err)
			return err;
		err = run_item(batch, i, &item);
		if (err)
			return err;
		err = tmm_entries_write(&batch->items, i, &item);
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

/* Write the error of the item that failed, and -ECANCELED for every other item. */
static int write_failure(struct batch *batch)
{
	union item item;
	int err;
	u32 i;

	for (i = 0; i < batch->nr_items; i++) {
		err = tmm_entries_read(&batch->items, i, &item);
		if (err)
			return err;
		batch->kind->set_error(&item, i == batch->failed ? batch->failed_err : -ECANCELED);
		err = tmm_entries_write(&batch->items, i, &item);
		if (err)
			return err;
		cond_resched();
	}
	return batch->failed_err;
}

/*
 * Complete or reverse all items that succeeded. @finish is commit() or undo() of the batch's
 * kind.
 */
static void finish_items(struct batch *batch,
			 void (*finish)(struct tmm_client *client, struct tmm_object *object))
{
	u32 i;

	for (i = 0; i < batch->nr_objects; i++) {
		finish(batch->client, batch->objects[i]);
		cond_resched();
	}
}

static int serve_batch(struct tmm_call *call, struct batch *batch)
{
	int err;

	err = run_items(batch);
	if (err)
		goto err_undo;
	call->shortage = batch->shortage;
	call->arg.batch.nr_done = batch->nr_objects;
	err = tmm_call_reply(call);
	if (err)
		goto err_undo;
	finish_items(batch, batch->kind->commit);
	return 0;

err_undo:
	finish_items(batch, batch->kind->undo);
	if (!batch->failed_err)
		return err;
	call->arg.batch.nr_done = 0;
	err = tmm_call_reply(call);
	return err ?: write_failure(batch);
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
