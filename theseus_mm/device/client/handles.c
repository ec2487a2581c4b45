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
#include <linux/limits.h>
#include <linux/sched.h>

/* Objects that become visible, or are no longer visible. */
struct tally {
	s64 nr_frames;
	int nr_mappings;
};

/* Count an object that becomes visible (@sign is 1), or is no longer visible (-1). */
static void count_object(struct tally *tally, const struct tmm_object *object, int sign)
{
	if (likely(object->kind == THESEUS_MM_KIND_MAPPING)) {
		tally->nr_frames += sign * (s64)tmm_mapped_pages_nr(object->mapping);
		tally->nr_mappings += sign;
	} else {
		tally->nr_frames += sign * (s64)tmm_object_nr_frames(object);
	}
}

static void add_tally(struct tmm_client *client, const struct tally *tally)
{
	if (tally->nr_frames)
		atomic64_add(tally->nr_frames, &client->nr_frames);
	if (tally->nr_mappings)
		atomic_add(tally->nr_mappings, &client->nr_mappings);
}

/* Change an object from visible to taken. */
static void hide_object(struct tmm_client *client, struct tmm_object *object)
{
	struct tally tally = {};

	tmm_handle_table_hide(&client->objects, object);
	count_object(&tally, object, -1);
	add_tally(client, &tally);
}

/*
 * Take the offset and the file from an object. Existing areas stay, because each area holds a
 * reference on the mapping's file. Descriptors that lend the mapping become stale.
 */
static void forget_offset(struct tmm_client *client, struct tmm_object *object)
{
	struct tmm_mapping_file *mf;
	struct tmm_offset *offset;

	/* Only visible objects get files, and the file has the offset. */
	if (!object->mf)
		return;
	tmm_handle_table_lock(&client->objects);
	mf = object->mf;
	offset = mf->owner_data;
	if (offset)
		tmm_offsets_remove(&client->offsets, offset);
	mf->owner_data = NULL;
	object->mf = NULL;
	tmm_handle_table_unlock(&client->objects);
	tmm_offset_free(&client->offsets, offset);
	tmm_loans_end_descriptors(mf);
	fput(mf->file);
}

/* Take the next object from handle *@from on. The result may be NULL before the last object. */
static struct tmm_object *take_next(struct tmm_client *client, u64 *from)
{
	struct tmm_object *object;

	tmm_handle_table_lock(&client->objects);
	object = tmm_handle_table_step(&client->objects, from);
	if (object)
		hide_object(client, object);
	tmm_handle_table_unlock(&client->objects);
	return object;
}

/* Drop all objects of a client. No call on the client is running. */
void tmm_handles_destroy(struct tmm_client *client)
{
	struct tmm_object *object;
	u64 from = 0, nr = 0;

	while (from <= U32_MAX) {
		cond_resched();
		/* Others that look at the client must not find the object any more. */
		object = take_next(client, &from);
		if (!object)
			continue;
		forget_offset(client, object);
		tmm_object_drop_content(object);
		tmm_handle_table_free(&client->objects, object);
		nr++;
	}
	tmm_handle_table_destroy(&client->objects);
	tmm_offsets_destroy(&client->offsets);
	/* Uncharge all handles at once. No call is running, so no handle is reserved or taken. */
	tmm_account_uncharge(client->account, TMM_RESOURCE_HANDLES, nr);
}

/*
 * Reserve an object in place of another object that the call consumes. The new object takes
 * over the charge for the other handle. So a call that makes no additional handle succeeds
 * even at the limit.
 *
 * If the call succeeds, the caller publishes the new object, and calls tmm_handle_forget() on the
 * other one. If the call fails, the caller calls tmm_handle_forget() on the new one. The result
 * is ERR_PTR(-EDQUOT) if all numbers are in use, or ERR_PTR(-ENOMEM). May sleep.
 */
struct tmm_object *tmm_handle_reserve_in_place(struct tmm_client *client)
{
	return tmm_handle_table_reserve(&client->objects);
}

/*
 * Reserve at least one object, and at most @nr, which is 1 or more. Nothing is charged: the caller
 * has charged the handles, or charges each of them before it uses the object. The caller publishes
 * the objects, or frees them with tmm_handles_forget_unused(). Return: the number of objects, or an
 * error as of tmm_handle_reserve_in_place(). May sleep.
 */
int tmm_handles_reserve_some(struct tmm_client *client, struct tmm_object **objects, u32 nr)
{
	return tmm_handle_table_reserve_some(&client->objects, nr, objects);
}

/* Free @nr reserved objects that own nothing. Their handles are not charged. */
void tmm_handles_forget_unused(struct tmm_client *client, struct tmm_object **objects, u32 nr)
{
	tmm_handle_table_free_all(&client->objects, objects, nr);
}

/*
 * Free an object that owns nothing, and its handle. The charge for the handle stays, because
 * an object made in place uses the charge. @object is the consumed object, or the object that was
 * reserved in its place.
 */
void tmm_handle_forget(struct tmm_client *client, struct tmm_object *object)
{
	forget_offset(client, object);
	tmm_handle_table_free(&client->objects, object);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_handle_forget);

/*
 * Return how many files are freed with a taken object: 1 if nobody else uses its file, else 0. A
 * mapping's file counts as a handle. The file has other users if the mapping is mmapped, lent
 * by a descriptor, or pinned. No new users come while the object is taken.
 */
u64 tmm_handle_nr_files(const struct tmm_object *object)
{
	return object->mf && file_count(object->mf->file) == 1;
}

/*
 * Make an object that owns nothing, with a reserved handle. The caller publishes or abandons
 * the object. The result is ERR_PTR(-EDQUOT) at the limit of the client or of its user, or
 * ERR_PTR(-ENOMEM). May sleep.
 */
struct tmm_object *tmm_handle_reserve(struct tmm_client *client)
{
	return tmm_handle_reserve_beyond(client, 0);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_handle_reserve);

/*
 * Like tmm_handle_reserve(), for a call that frees @beyond handles and files on success. The
 * freed handles and files leave room for the new handle, although they still count during the
 * call.
 */
struct tmm_object *tmm_handle_reserve_beyond(struct tmm_client *client, u64 beyond)
{
	struct tmm_object *object;
	int err;

	err = tmm_account_charge_beyond(client->account, TMM_RESOURCE_HANDLES, 1, beyond);
	if (err)
		return ERR_PTR(err);
	object = tmm_handle_reserve_in_place(client);
	if (IS_ERR(object))
		tmm_account_uncharge(client->account, TMM_RESOURCE_HANDLES, 1);
	return object;
}

/*
 * Free an object that owns nothing, its handle and the charge. @object is reserved, or taken
 * and emptied; NULL is allowed.
 */
void tmm_handle_abandon(struct tmm_client *client, struct tmm_object *object)
{
	if (!object)
		return;
	tmm_handle_forget(client, object);
	tmm_account_uncharge(client->account, TMM_RESOURCE_HANDLES, 1);
}

/*
 * Make a reserved or taken object visible. The object owns something, and belongs to the table
 * after this call. The call cannot fail.
 */
void tmm_handle_publish(struct tmm_client *client, struct tmm_object *object)
{
	tmm_handles_publish(client, &object, 1);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_handle_publish);

/* Do what tmm_handle_publish() does, for @nr objects. */
void tmm_handles_publish(struct tmm_client *client, struct tmm_object **objects, u32 nr)
{
	struct tally tally = {};
	u32 i;

	for (i = 0; i < nr; i++)
		count_object(&tally, objects[i], 1);
	/* From here on, other calls can find an object and drop it. */
	add_tally(client, &tally);
	for (i = 0; i < nr; i++)
		tmm_handle_table_publish(objects[i]);
}

/*
 * Find a visible object of @kind (THESEUS_MM_KIND_* or TMM_KIND_ANY), and make the object
 * invisible. The caller publishes the object again, drops or abandons it. The result is
 * ERR_PTR(-ENOENT) if there is no such object.
 */
struct tmm_object *tmm_handle_take(struct tmm_client *client, u32 handle, u32 kind)
{
	struct tmm_object *object;

	tmm_handle_table_lock(&client->objects);
	object = tmm_handle_table_find(&client->objects, handle);
	if (!object || (kind != TMM_KIND_ANY && object->kind != kind)) {
		tmm_handle_table_unlock(&client->objects);
		return ERR_PTR(-ENOENT);
	}
	hide_object(client, object);
	tmm_handle_table_unlock(&client->objects);
	return object;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_handle_take);

/*
 * Take @nr visible objects of any kind, one by one, as if by tmm_handle_take(). If a handle has no
 * such object, or @handles has named it before, the object is NULL. O(@nr), under the lock.
 */
void tmm_handles_take(struct tmm_client *client, const u32 *handles, struct tmm_object **objects,
		      u32 nr)
{
	struct tally tally = {};
	u32 i;

	tmm_handle_table_lock(&client->objects);
	for (i = 0; i < nr; i++) {
		objects[i] = tmm_handle_table_find(&client->objects, handles[i]);
		if (!objects[i])
			continue;
		tmm_handle_table_hide(&client->objects, objects[i]);
		count_object(&tally, objects[i], -1);
	}
	tmm_handle_table_unlock(&client->objects);
	add_tally(client, &tally);
}

/*
 * Take two visible objects of one kind, or take none. So if two calls name the same pair, one of
 * the calls gets both objects. The handles must differ. @objects is set on success only, in the
 * order of @handles. The result is -ENOENT if an object is not visible or the kinds differ.
 */
int tmm_handle_take_two(struct tmm_client *client, const u32 handles[2],
			struct tmm_object *objects[2])
{
	struct tmm_object *first, *second;
	int err = -ENOENT;

	tmm_handle_table_lock(&client->objects);
	first = tmm_handle_table_find(&client->objects, handles[0]);
	second = tmm_handle_table_find(&client->objects, handles[1]);
	if (first && second && first->kind == second->kind) {
		hide_object(client, first);
		hide_object(client, second);
		objects[0] = first;
		objects[1] = second;
		err = 0;
	}
	tmm_handle_table_unlock(&client->objects);
	return err;
}

/*
 * Drop a mapping's offset and file, because the mapping's size has changed. @object is taken,
 * and not borrowed. May sleep.
 */
void tmm_handle_resize(struct tmm_client *client, struct tmm_object *object)
{
	forget_offset(client, object);
}

/*
 * Give back what @nr taken objects own, and free the objects and their handles. The charges for the
 * handles stay, and the caller uncharges the handles of all objects at once. May sleep; O(@nr)
 * under the lock of the table.
 */
void tmm_handles_drop_charged(struct tmm_client *client, struct tmm_object **objects, u32 nr)
{
	u32 i;

	for (i = 0; i < nr; i++) {
		tmm_object_drop_content(objects[i]);
		forget_offset(client, objects[i]);
		cond_resched();
	}
	tmm_handle_table_free_all(&client->objects, objects, nr);
}

/* Give back what a taken object owns, and free the object, its handle and the charge. May sleep. */
void tmm_handle_drop(struct tmm_client *client, struct tmm_object *object)
{
	tmm_object_drop_content(object);
	tmm_handle_forget(client, object);
	tmm_account_uncharge(client->account, TMM_RESOURCE_HANDLES, 1);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_handle_drop);

/*
 * True if a frame behind one of the client's @nr pages from @first on is known to be bad.
 * Another mapping may have replaced the caller's mapping at these pages. May sleep; O(leaves) if
 * any bad frame is known.
 */
bool tmm_client_pages_are_bad(const struct tmm_client *client, u64 first, u64 nr)
{
	return tmm_leaf_runs_any_bad(client->inst->root,
				     tmm_page_range_of(tmm_page_4k(first), nr));
}

/*
 * Describe the object of @query->handle. The out fields are set on success only. The result is
 * 0 or -ENOENT.
 */
int tmm_handle_query(struct tmm_client *client, struct theseus_mm_query *query)
{
	const struct tmm_object *object;

	tmm_handle_table_lock(&client->objects);
	object = tmm_handle_table_find(&client->objects, query->handle);
	if (object)
		tmm_object_describe(object, query);
	tmm_handle_table_unlock(&client->objects);
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

/*
 * Borrow @nr_bytes of a mapping from byte @offset on. @borrow is set on success only. The
 * result is 0, -ENOENT, or an error of tmm_borrow_begin().
 */
int tmm_handle_borrow(struct tmm_client *client, u32 handle, u64 offset, u64 nr_bytes,
		      bool is_mutable, struct tmm_borrow *borrow)
{
	struct tmm_object *object;
	int err = -ENOENT;

	tmm_handle_table_lock(&client->objects);
	object = tmm_handle_table_find(&client->objects, handle);
	if (object && object->kind == THESEUS_MM_KIND_MAPPING)
		err = tmm_borrow_begin(object->mapping, offset, nr_bytes, is_mutable, borrow);
	tmm_handle_table_unlock(&client->objects);
	return err;
}

/* Find the visible mapping of a handle, or NULL. */
struct tmm_object *tmm_handles_find_mapping(struct tmm_client *client, u32 handle)
{
	struct tmm_object *object;

	tmm_handle_table_assert_locked(&client->objects);
	object = tmm_handle_table_find(&client->objects, handle);
	return object && object->kind == THESEUS_MM_KIND_MAPPING ? object : NULL;
}

/*
 * Borrow a whole mapping, mutably if the mapping is writable. @borrow is set on success only.
 * The result is 0, -ENOENT, or an error of tmm_borrow_begin().
 */
int tmm_handle_borrow_all(struct tmm_client *client, u32 handle, struct tmm_borrow *borrow)
{
	struct tmm_object *object;
	struct tmm_mapped_pages *mp;
	int err = -ENOENT;

	tmm_handle_table_lock(&client->objects);
	object = tmm_handles_find_mapping(client, handle);
	if (object) {
		mp = object->mapping;
		err = tmm_borrow_begin(mp, 0, tmm_mapped_pages_nr_bytes(mp),
				       tmm_pte_flags_is_writable(tmm_mapped_pages_flags(mp)),
				       borrow);
	}
	tmm_handle_table_unlock(&client->objects);
	return err;
}
