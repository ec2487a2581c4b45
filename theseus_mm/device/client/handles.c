// SPDX-License-Identifier: GPL-2.0
#include "device/client/handles.h"

#include "alloc/account.h"
#include "device/client/client.h"
#include "device/share/mapping_file.h"
#include "mapping/borrow.h"
#include "mapping/instance.h"
#include "mapping/mapped_pages.h"
#include "mapping/mapped_pages_borrow.h"
#include "paging/leaf_runs.h"
#include "paging/mapper.h"

#include <kunit/visibility.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/xarray.h>

/* An object becomes visible (@sign is 1), or ceases to be (-1). */
static void count_object(struct tmm_client *client, const struct tmm_object *object, int sign)
{
	atomic64_add(sign * (s64)tmm_object_nr_frames(object), &client->nr_frames);
	if (object->kind == THESEUS_MM_KIND_MAPPING)
		atomic_add(sign, &client->nr_mappings);
}

/*
 * Take offset and file from an object. Existing areas stay: each holds a reference on the
 * mapping's file. Descriptors that lend the mapping become stale.
 */
static void forget_offset(struct tmm_client *client, struct tmm_object *object)
{
	struct tmm_mapping_file *mf;
	struct tmm_offset *offset;

	xa_lock(&client->objects);
	mf = object->mf;
	offset = object->offset;
	if (offset)
		tmm_offsets_remove(&client->offsets, offset);
	object->mf = NULL;
	object->offset = NULL;
	xa_unlock(&client->objects);
	tmm_offset_free(&client->offsets, offset);
	if (!mf)
		return;
	tmm_loans_end_descriptors(mf);
	fput(mf->file);
}

/* Drop all that the handles of a client own. No call on the client is running. */
void tmm_handles_destroy(struct tmm_client *client)
{
	struct tmm_object *object;
	unsigned long handle;
	u64 nr = 0;

	xa_for_each(&client->objects, handle, object) {
		/* Whoever looks at the client must not find it any more. */
		xa_erase(&client->objects, handle);
		count_object(client, object, -1);
		forget_offset(client, object);
		tmm_object_drop_content(object);
		kfree(object);
		nr++;
		cond_resched();
	}
	xa_destroy(&client->objects);
	tmm_offsets_destroy(&client->offsets);
	/* Uncharge all at once. No call is running, so no handle is reserved or taken. */
	tmm_account_uncharge(client->account, TMM_RESOURCE_HANDLES, nr);
}

/**
 * tmm_handle_reserve_in_place() - make an object in place of one that is consumed
 * @client: the client; the charge for the handle of the other one goes on to this one
 *
 * So a call that leaves no more handles than there were is not refused for their number.
 *
 * Context: Process context, may sleep.
 * Return: the object, reserved: the caller publishes it and forgets the other one, or
 * forgets this one, with tmm_handle_forget(); ERR_PTR(-EDQUOT) if all numbers are in
 * use, or ERR_PTR(-ENOMEM)
 */
struct tmm_object *tmm_handle_reserve_in_place(struct tmm_client *client)
{
	struct tmm_object *object = kzalloc(sizeof(*object), GFP_KERNEL_ACCOUNT);
	int err;

	if (!object)
		return ERR_PTR(-ENOMEM);
	/* NULL reserves: storing the object later needs no memory. */
	err = xa_alloc_cyclic(&client->objects, &object->handle, NULL, xa_limit_32b,
			      &client->next_handle, GFP_KERNEL_ACCOUNT);
	if (err >= 0)
		return object;
	kfree(object);
	return ERR_PTR(err == -EBUSY ? -EDQUOT : err);
}

/**
 * tmm_handle_forget() - forget an object that owns nothing, and its handle, but not the charge
 * @client: the client
 * @object: consumed by a call that made something in its place; or what that was to be
 *
 * Context: Process context.
 */
void tmm_handle_forget(struct tmm_client *client, struct tmm_object *object)
{
	forget_offset(client, object);
	xa_erase(&client->objects, object->handle);
	kfree(object);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_handle_forget);

/**
 * tmm_handle_nr_files() - how many files go with an object?
 * @object: taken
 *
 * A mapping's file, which counts as a handle, has other users where it is mmapped, lent by
 * a descriptor, or pinned. No new ones come while the object is taken.
 *
 * Return: 1 if it has one that nobody else uses, else 0
 */
u64 tmm_handle_nr_files(const struct tmm_object *object)
{
	return object->mf && file_count(object->mf->file) == 1;
}

/**
 * tmm_handle_reserve() - make an object that owns nothing, with a handle
 * @client: the client
 *
 * Context: Process context, may sleep.
 * Return: the object, reserved: to be published or abandoned; ERR_PTR(-EDQUOT) at
 * the limit of the client or of its user, or ERR_PTR(-ENOMEM)
 */
struct tmm_object *tmm_handle_reserve(struct tmm_client *client)
{
	return tmm_handle_reserve_beyond(client, 0);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_handle_reserve);

/**
 * tmm_handle_reserve_beyond() - the same, for a call that gives something up
 * @client: the client
 * @beyond: how many handles and files go if the call succeeds: they leave room, though they
 *          are still counted
 *
 * Context: Process context, may sleep.
 * Return: as tmm_handle_reserve()
 */
struct tmm_object *tmm_handle_reserve_beyond(struct tmm_client *client, u64 beyond)
{
	struct tmm_object *object;
	int err = tmm_account_charge_beyond(client->account, TMM_RESOURCE_HANDLES, 1, beyond);

	if (err)
		return ERR_PTR(err);
	object = tmm_handle_reserve_in_place(client);
	if (IS_ERR(object))
		tmm_account_uncharge(client->account, TMM_RESOURCE_HANDLES, 1);
	return object;
}

/**
 * tmm_handle_abandon() - forget an object that owns nothing, and its handle
 * @client: the client
 * @object: reserved, or taken and emptied; NULL is allowed
 *
 * Context: Process context.
 */
void tmm_handle_abandon(struct tmm_client *client, struct tmm_object *object)
{
	if (!object)
		return;
	tmm_handle_forget(client, object);
	tmm_account_uncharge(client->account, TMM_RESOURCE_HANDLES, 1);
}

/**
 * tmm_handle_publish() - make an object visible
 * @client: the client
 * @object: reserved or taken, owning something; the table's from now on
 *
 * Context: Process context. Cannot fail: the slot is there.
 */
void tmm_handle_publish(struct tmm_client *client, struct tmm_object *object)
{
	count_object(client, object, 1);
	xa_store(&client->objects, object->handle, object, 0);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_handle_publish);

/* Under the table's lock: visible -> taken. */
static void hide_object(struct tmm_client *client, struct tmm_object *object)
{
	/* In an allocating table, NULL keeps the slot reserved. */
	__xa_store(&client->objects, object->handle, NULL, 0);
	count_object(client, object, -1);
}

/**
 * tmm_handle_take() - find an object and make it invisible
 * @client: the client
 * @handle: its handle
 * @kind: THESEUS_MM_KIND_*, or TMM_KIND_ANY
 *
 * Context: Process context.
 * Return: the object, the caller's to publish again, drop or abandon; or
 * ERR_PTR(-ENOENT) if there is none that is visible and of that kind
 */
struct tmm_object *tmm_handle_take(struct tmm_client *client, u32 handle, u32 kind)
{
	struct tmm_object *object;

	xa_lock(&client->objects);
	object = xa_load(&client->objects, handle);
	if (!object || (kind != TMM_KIND_ANY && object->kind != kind)) {
		xa_unlock(&client->objects);
		return ERR_PTR(-ENOENT);
	}
	hide_object(client, object);
	xa_unlock(&client->objects);
	return object;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_handle_take);

/**
 * tmm_handle_take_two() - find two objects of one kind and make both invisible
 * @client: the client
 * @handles: their handles, not equal
 * @objects: set on success only, in the order of @handles
 *
 * Both or none, so that of two calls on the same pair one gets it.
 *
 * Context: Process context.
 * Return: 0, or -ENOENT if one is not visible or their kinds differ
 */
int tmm_handle_take_two(struct tmm_client *client, const u32 handles[2],
			struct tmm_object *objects[2])
{
	struct tmm_object *first, *second;
	int err = -ENOENT;

	xa_lock(&client->objects);
	first = xa_load(&client->objects, handles[0]);
	second = xa_load(&client->objects, handles[1]);
	if (first && second && first->kind == second->kind) {
		hide_object(client, first);
		hide_object(client, second);
		objects[0] = first;
		objects[1] = second;
		err = 0;
	}
	xa_unlock(&client->objects);
	return err;
}

/**
 * tmm_handle_resize() - drop a mapping's offset, since its size has changed
 * @client: the client
 * @object: taken, and not borrowed
 *
 * Context: Process context, may sleep.
 */
void tmm_handle_resize(struct tmm_client *client, struct tmm_object *object)
{
	forget_offset(client, object);
}

/**
 * tmm_handle_drop() - give back what an object owns, and forget it
 * @client: the client
 * @object: taken
 *
 * Context: Process context, may sleep.
 */
void tmm_handle_drop(struct tmm_client *client, struct tmm_object *object)
{
	tmm_object_drop_content(object);
	tmm_handle_abandon(client, object);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_handle_drop);

/**
 * tmm_client_pages_are_bad() - does memory behind a client's pages fail?
 * @client: the client
 * @first: number of the first page
 * @nr: number of pages
 *
 * The mapping of these pages may be gone by then, and another be there.
 *
 * Context: Process context, may sleep. O(leaves) while there is a bad frame at all.
 * Return: true if a frame behind one of the pages is known to be bad
 */
bool tmm_client_pages_are_bad(const struct tmm_client *client, u64 first, u64 nr)
{
	return tmm_leaf_runs_any_bad(client->inst->root, first, nr);
}

/**
 * tmm_handle_query() - describe an object
 * @client: the client
 * @query: handle is set; all out fields are filled in on success only
 *
 * Context: Process context.
 * Return: 0 or -ENOENT
 */
int tmm_handle_query(struct tmm_client *client, struct theseus_mm_query *query)
{
	const struct tmm_object *object;

	xa_lock(&client->objects);
	object = xa_load(&client->objects, query->handle);
	if (object)
		tmm_object_describe(object, query);
	xa_unlock(&client->objects);
	if (!object)
		return -ENOENT;
	if (query->kind == THESEUS_MM_KIND_MAPPING &&
	    tmm_client_pages_are_bad(client, query->start >> TMM_PAGE_SHIFT, query->nr_pages))
		query->attributes |= THESEUS_MM_ATTRIBUTE_BAD;
	if (query->kind == THESEUS_MM_KIND_FRAMES && !tmm_identity_sees_all())
		query->start = 0;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_handle_query);

/**
 * tmm_handle_borrow() - borrow a part of a mapping
 * @client: the client
 * @handle: the mapping's handle
 * @offset: bytes from its start
 * @nr_bytes: length of the part
 * @is_mutable: ask to write
 * @borrow: filled in on success only
 *
 * Context: Process context.
 * Return: 0, -ENOENT, or an error of tmm_borrow_begin()
 */
int tmm_handle_borrow(struct tmm_client *client, u32 handle, u64 offset, u64 nr_bytes,
		      bool is_mutable, struct tmm_borrow *borrow)
{
	struct tmm_object *object;
	int err = -ENOENT;

	xa_lock(&client->objects);
	object = xa_load(&client->objects, handle);
	if (object && object->kind == THESEUS_MM_KIND_MAPPING)
		err = tmm_borrow_begin(object->mapping, offset, nr_bytes, is_mutable, borrow);
	xa_unlock(&client->objects);
	return err;
}

/* The visible mapping of a handle, or NULL. The caller holds the table's lock. */
struct tmm_object *tmm_handles_find_mapping(struct tmm_client *client, u32 handle)
{
	struct tmm_object *object = xa_load(&client->objects, handle);

	return object && object->kind == THESEUS_MM_KIND_MAPPING ? object : NULL;
}

/**
 * tmm_handle_borrow_all() - borrow a whole mapping, mutably if the mapping is writable
 * @client: the client
 * @handle: the mapping's handle
 * @borrow: filled in on success only
 *
 * Context: Process context.
 * Return: 0, -ENOENT, or an error of tmm_borrow_begin()
 */
int tmm_handle_borrow_all(struct tmm_client *client, u32 handle, struct tmm_borrow *borrow)
{
	struct tmm_object *object;
	struct tmm_mapped_pages *mp;
	int err = -ENOENT;

	xa_lock(&client->objects);
	object = tmm_handles_find_mapping(client, handle);
	if (object) {
		mp = object->mapping;
		err = tmm_borrow_begin(mp, 0, tmm_mapped_pages_nr_bytes(mp),
				       tmm_pte_flags_is_writable(tmm_mapped_pages_flags(mp)),
				       borrow);
	}
	xa_unlock(&client->objects);
	return err;
}
