// SPDX-License-Identifier: GPL-2.0
/*
 * Many mappings created, or objects dropped, in one call.
 *
 *	create	each, not visible yet	-> all results copied out -> all published
 *	drop	each taken		-> all results copied out -> all dropped
 *
 * so whatever goes wrong before the last result is with the caller, there is a way
 * back: what was created is dropped, what was taken is visible again. Items are
 * copied a page at a time; what stays for the length of the call is one pointer each.
 */
#include "device/ioctl.h"

#include "device/client.h"

#include <linux/err.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

/**
 * struct batch_kind - creating or dropping
 * @item_size: of an item
 * @run: does an item, in kernel memory: an object, or its error
 * @set_error: writes the out fields of an item that failed, or counts as such
 * @commit: of an item that was done, when its result is with the caller
 * @undo: the same, when it will not be
 */
struct batch_kind {
	size_t item_size;
	struct tmm_object *(*run)(struct tmm_client *client, void *item);
	void (*set_error)(void *item, int err);
	void (*commit)(struct tmm_client *client, struct tmm_object *object);
	void (*undo)(struct tmm_client *client, struct tmm_object *object);
};

/**
 * struct batch - one call in progress
 * @kind: what it does
 * @client: whose
 * @items: in user space
 * @nr_items: how many
 * @all_or_nothing: the first that fails ends it
 * @page: where items are copied
 * @objects: of the items done so far
 * @nr_objects: how many
 * @failed: with @all_or_nothing: the item that failed
 * @failed_err: its error
 * @shortage: as in struct tmm_call
 */
struct batch {
	const struct batch_kind *kind;
	struct tmm_client *client;
	void __user *items;
	u32 nr_items;
	bool all_or_nothing;
	void *page;
	struct tmm_object **objects;
	u32 nr_objects;
	u32 failed;
	int failed_err;
	int shortage;
};

/* --- creating ------------------------------------------------------------------- */

static void set_create_error(void *p, int err)
{
	struct theseus_mm_create_item *item = p;

	item->error = -err;
	item->handle = 0;
	item->start = 0;
	item->nr_pages = 0;
	item->paddr = 0;
}

static struct tmm_object *create_item(struct tmm_client *client, void *p)
{
	struct theseus_mm_create_item *item = p;
	struct theseus_mm_create_mapping request = {
		.size = item->size,
		.pte_flags = item->pte_flags,
	};
	struct tmm_object *object;

	if ((item->flags & ~THESEUS_MM_CREATE_ITEM_FLAGS_ALL) || item->reserved)
		return ERR_PTR(-EINVAL);
	object = tmm_create_mapping_object(client, &request,
					   item->flags & THESEUS_MM_CREATE_ITEM_CONTIGUOUS ?
					   TMM_CREATE_CONTIGUOUS : TMM_CREATE_ANY);
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
	.item_size = sizeof(struct theseus_mm_create_item),
	.run = create_item,
	.set_error = set_create_error,
	.commit = tmm_object_publish,
	.undo = tmm_object_drop,
};

/* --- dropping ------------------------------------------------------------------- */

static void set_drop_error(void *p, int err)
{
	struct theseus_mm_drop_item *item = p;

	item->error = -err;
}

static struct tmm_object *drop_item(struct tmm_client *client, void *p)
{
	struct theseus_mm_drop_item *item = p;

	item->error = 0;
	return tmm_object_take_to_drop(client, item->handle);
}

static const struct batch_kind drop_kind = {
	.item_size = sizeof(struct theseus_mm_drop_item),
	.run = drop_item,
	.set_error = set_drop_error,
	.commit = tmm_object_drop,
	.undo = tmm_object_publish,
};

/* --- both ------------------------------------------------------------------------- */

/* Between user space and the page. */
static int read_items(const struct batch *batch, u32 first, u32 nr)
{
	const size_t size = batch->kind->item_size;

	return copy_from_user(batch->page, batch->items + first * size, nr * size) ? -EFAULT : 0;
}

static int write_items(const struct batch *batch, u32 first, u32 nr)
{
	const size_t size = batch->kind->item_size;

	return copy_to_user(batch->items + first * size, batch->page, nr * size) ? -EFAULT : 0;
}

static u32 nr_in_page(const struct batch *batch, u32 first)
{
	return min_t(u32, batch->nr_items - first, PAGE_SIZE / batch->kind->item_size);
}

static void *item_at(const struct batch *batch, u32 i)
{
	return batch->page + i * batch->kind->item_size;
}

/* Do the items in the page. Killed: as if none had been asked for. */
static int run_page(struct batch *batch, u32 first, u32 nr)
{
	struct tmm_object *object;
	u32 i;

	for (i = 0; i < nr; i++) {
		if (fatal_signal_pending(current))
			return -EINTR;
		object = batch->kind->run(batch->client, item_at(batch, i));
		cond_resched();
		if (!IS_ERR(object)) {
			batch->objects[batch->nr_objects++] = object;
			continue;
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
		batch->kind->set_error(item_at(batch, i), PTR_ERR(object));
	}
	return 0;
}

static int run_items(struct batch *batch)
{
	u32 first, nr;
	int err = 0;

	for (first = 0; first < batch->nr_items && !err; first += nr) {
		nr = nr_in_page(batch, first);
		err = read_items(batch, first, nr);
		if (!err)
			err = run_page(batch, first, nr);
		if (!err)
			err = write_items(batch, first, nr);
	}
	return err;
}

/* Tell what failed, and that nothing came of the others. */
static int write_failure(struct batch *batch)
{
	u32 first, nr, i;
	int err;

	for (first = 0; first < batch->nr_items; first += nr) {
		nr = nr_in_page(batch, first);
		err = read_items(batch, first, nr);
		if (err)
			return err;
		for (i = 0; i < nr; i++)
			batch->kind->set_error(item_at(batch, i), first + i == batch->failed ?
					       batch->failed_err : -ECANCELED);
		err = write_items(batch, first, nr);
		if (err)
			return err;
		cond_resched();
	}
	return batch->failed_err;
}

/* All results are with the caller, or something went wrong before. */
static void finish(struct batch *batch, bool is_committed)
{
	const struct batch_kind *kind = batch->kind;
	u32 i;

	for (i = 0; i < batch->nr_objects; i++) {
		if (is_committed)
			kind->commit(batch->client, batch->objects[i]);
		else
			kind->undo(batch->client, batch->objects[i]);
		cond_resched();
	}
}

static int run(struct tmm_call *call, struct batch *batch)
{
	int err = run_items(batch);

	if (!err) {
		call->shortage = batch->shortage;
		call->arg.batch.nr_done = batch->nr_objects;
		err = tmm_call_reply(call);
	}
	finish(batch, !err);
	if (!batch->failed_err)
		return err;
	call->arg.batch.nr_done = 0;
	err = tmm_call_reply(call);
	return err ?: write_failure(batch);
}

static int run_batch(struct tmm_call *call, const struct batch_kind *kind)
{
	const struct theseus_mm_batch *request = &call->arg.batch;
	struct batch batch = {
		.kind = kind,
		.client = call->client,
		.items = u64_to_user_ptr(request->items),
		.nr_items = request->nr_items,
		.all_or_nothing = request->flags & THESEUS_MM_BATCH_ALL_OR_NOTHING,
	};
	int err = -ENOMEM;

	if (request->reserved || !request->nr_items || request->nr_items > THESEUS_MM_MAX_BATCH)
		return -EINVAL;
	batch.page = (void *)__get_free_page(GFP_KERNEL_ACCOUNT);
	batch.objects = kvmalloc_array(batch.nr_items, sizeof(*batch.objects),
				       GFP_KERNEL_ACCOUNT);
	if (batch.page && batch.objects)
		err = run(call, &batch);
	kvfree(batch.objects);
	free_page((unsigned long)batch.page);
	return err;
}

int tmm_ioctl_create_batch(struct tmm_call *call)
{
	return run_batch(call, &create_kind);
}

int tmm_ioctl_drop_batch(struct tmm_call *call)
{
	return run_batch(call, &drop_kind);
}
