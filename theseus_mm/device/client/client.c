// SPDX-License-Identifier: GPL-2.0
#include "device/client/client.h"

#include "alloc/account.h"
#include "alloc/frames.h"
#include "alloc/pages.h"
#include "device/client/clients.h"
#include "device/client/poll.h"
#include "device/client/user.h"
#include "device/share/mapping_file.h"
#include "mapping/borrow.h"
#include "mapping/instance.h"
#include "mapping/mapped_pages.h"
#include "mapping/mapped_pages_borrow.h"
#include "paging/mapper.h"

#include <kunit/visibility.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/sched.h>
#include <linux/slab.h>

/* Free a closed client: nothing is charged to its account any more. */
static void release_account(struct tmm_account *account)
{
	tmm_clients_remove(container_of(account, struct tmm_client, own_account));
}

/* Make the client's account; its parent is that of the user who opens the device. */
static int init_account(struct tmm_client *client)
{
	struct tmm_account *user = tmm_user_account_get();

	if (!user)
		return -ENOMEM;
	client->account = &client->own_account;
	tmm_account_init(client->account, user, NULL, release_account);
	tmm_default_limits(client->account->own_max);
	tmm_account_put(user);
	return 0;
}

/* Free a client that nobody has found yet, with its account. The user's account stays. */
static void free_new(struct tmm_client *client)
{
	tmm_account_put(client->account->parent);
	kfree(client);
}

/**
 * tmm_client_create() - make a client that owns nothing, of the current user
 * @inst: the instance; stays as long as the client
 *
 * Context: Process context, may sleep.
 * Return: the client, or an error of tmm_clients_add()
 */
struct tmm_client *tmm_client_create(struct tmm_instance *inst)
{
	struct tmm_client *client = kzalloc(sizeof(*client), GFP_KERNEL_ACCOUNT);
	int err;

	if (!client)
		return ERR_PTR(-ENOMEM);
	if (init_account(client)) {
		kfree(client);
		return ERR_PTR(-ENOMEM);
	}
	if (tmm_offsets_init(&client->offsets)) {
		free_new(client);
		return ERR_PTR(-ENOMEM);
	}
	client->inst = inst;
	xa_init_flags(&client->objects, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	xa_init_flags(&client->exports, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	/* From here on others can look at it. */
	err = tmm_clients_add(client);
	if (err) {
		tmm_offsets_destroy(&client->offsets);
		free_new(client);
		return ERR_PTR(err);
	}
	return client;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_client_create);

static u64 nr_frames_of(const struct tmm_object *object)
{
	switch (object->kind) {
	case THESEUS_MM_KIND_FRAMES:
		return tmm_frames_nr(&object->frames->f);
	case THESEUS_MM_KIND_MAPPING:
		return tmm_mapped_pages_nr_bytes(object->mapping) >> TMM_PAGE_SHIFT;
	default:
		return 0;
	}
}

/* An object becomes visible (@sign is 1), or ceases to be (-1). */
static void count(struct tmm_client *client, const struct tmm_object *object, int sign)
{
	atomic64_add(sign * (s64)nr_frames_of(object), &client->nr_frames);
	if (object->kind == THESEUS_MM_KIND_MAPPING)
		atomic_add(sign, &client->nr_mappings);
}

static void drop_content(struct tmm_object *object)
{
	switch (object->kind) {
	case THESEUS_MM_KIND_PAGES:
		tmm_allocated_pages_drop(&object->pages);
		break;
	case THESEUS_MM_KIND_FRAMES:
		tmm_allocated_frames_drop(&object->frames);
		break;
	case THESEUS_MM_KIND_MAPPING:
		tmm_mapped_pages_drop(&object->mapping);
		break;
	}
	object->kind = 0;
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
	tmm_mapping_file_end_descriptors(mf);
	fput(mf->file);
}

/**
 * tmm_client_destroy() - drop all that a client owns, and the client
 * @client: no call on it is running, and none can start
 *
 * Context: Process context, may sleep. O(what it owns).
 */
void tmm_client_destroy(struct tmm_client *client)
{
	struct tmm_object *object;
	unsigned long handle;
	u64 nr = 0;

	xa_for_each(&client->objects, handle, object) {
		/* Whoever looks at the client must not find it any more. */
		xa_erase(&client->objects, handle);
		count(client, object, -1);
		forget_offset(client, object);
		drop_content(object);
		kfree(object);
		nr++;
		cond_resched();
	}
	xa_destroy(&client->objects);
	tmm_offsets_destroy(&client->offsets);
	/* Uncharge all at once. No call is running, so no handle is reserved or taken. */
	tmm_account_uncharge(client->account, TMM_RESOURCE_HANDLES, nr);
	tmm_clients_close(client);
	tmm_account_put(client->account);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_client_destroy);

/**
 * tmm_object_reserve_in_place() - make an object in place of one that is consumed
 * @client: the client; the charge for the handle of the other one goes on to this one
 *
 * So a call that leaves no more handles than there were is not refused for their number.
 *
 * Context: Process context, may sleep.
 * Return: the object, reserved: the caller publishes it and forgets the other one, or
 * forgets this one, with tmm_object_forget(); ERR_PTR(-EDQUOT) if all numbers are in
 * use, or ERR_PTR(-ENOMEM)
 */
struct tmm_object *tmm_object_reserve_in_place(struct tmm_client *client)
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
 * tmm_object_forget() - forget an object that owns nothing, and its handle, but not the charge
 * @client: the client
 * @object: consumed by a call that made something in its place; or what that was to be
 *
 * Context: Process context.
 */
void tmm_object_forget(struct tmm_client *client, struct tmm_object *object)
{
	forget_offset(client, object);
	xa_erase(&client->objects, object->handle);
	kfree(object);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_object_forget);

/**
 * tmm_object_nr_files() - how many files go with an object?
 * @object: taken
 *
 * A mapping's file, which counts as a handle, has other users where it is mmapped, lent by
 * a descriptor, or pinned. No new ones come while the object is taken.
 *
 * Return: 1 if it has one that nobody else uses, else 0
 */
u64 tmm_object_nr_files(const struct tmm_object *object)
{
	return object->mf && file_count(object->mf->file) == 1;
}

/**
 * tmm_object_reserve() - make an object that owns nothing, with a handle
 * @client: the client
 *
 * Context: Process context, may sleep.
 * Return: the object, reserved: to be published or abandoned; ERR_PTR(-EDQUOT) at
 * the limit of the client or of its user, or ERR_PTR(-ENOMEM)
 */
struct tmm_object *tmm_object_reserve(struct tmm_client *client)
{
	return tmm_object_reserve_beyond(client, 0);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_object_reserve);

/**
 * tmm_object_reserve_beyond() - the same, for a call that gives something up
 * @client: the client
 * @beyond: how many handles and files go if the call succeeds: they leave room, though they
 *          are still counted
 *
 * Context: Process context, may sleep.
 * Return: as tmm_object_reserve()
 */
struct tmm_object *tmm_object_reserve_beyond(struct tmm_client *client, u64 beyond)
{
	struct tmm_object *object;
	int err = tmm_account_charge_beyond(client->account, TMM_RESOURCE_HANDLES, 1, beyond);

	if (err)
		return ERR_PTR(err);
	object = tmm_object_reserve_in_place(client);
	if (IS_ERR(object))
		tmm_account_uncharge(client->account, TMM_RESOURCE_HANDLES, 1);
	return object;
}

/**
 * tmm_object_abandon() - forget an object that owns nothing, and its handle
 * @client: the client
 * @object: reserved, or taken and emptied; NULL is allowed
 *
 * Context: Process context.
 */
void tmm_object_abandon(struct tmm_client *client, struct tmm_object *object)
{
	if (!object)
		return;
	tmm_object_forget(client, object);
	tmm_account_uncharge(client->account, TMM_RESOURCE_HANDLES, 1);
}

/**
 * tmm_object_publish() - make an object visible
 * @client: the client
 * @object: reserved or taken, owning something; the table's from now on
 *
 * Context: Process context. Cannot fail: the slot is there.
 */
void tmm_object_publish(struct tmm_client *client, struct tmm_object *object)
{
	count(client, object, 1);
	xa_store(&client->objects, object->handle, object, 0);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_object_publish);

/* Under the table's lock: visible -> taken. */
static void hide(struct tmm_client *client, struct tmm_object *object)
{
	/* In an allocating table, NULL keeps the slot reserved. */
	__xa_store(&client->objects, object->handle, NULL, 0);
	count(client, object, -1);
}

/**
 * tmm_object_take() - find an object and make it invisible
 * @client: the client
 * @handle: its handle
 * @kind: THESEUS_MM_KIND_*, or TMM_KIND_ANY
 *
 * Context: Process context.
 * Return: the object, the caller's to publish again, drop or abandon; or
 * ERR_PTR(-ENOENT) if there is none that is visible and of that kind
 */
struct tmm_object *tmm_object_take(struct tmm_client *client, u32 handle, u32 kind)
{
	struct tmm_object *object;

	xa_lock(&client->objects);
	object = xa_load(&client->objects, handle);
	if (!object || (kind != TMM_KIND_ANY && object->kind != kind)) {
		xa_unlock(&client->objects);
		return ERR_PTR(-ENOENT);
	}
	hide(client, object);
	xa_unlock(&client->objects);
	return object;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_object_take);

/**
 * tmm_object_take_two() - find two objects of one kind and make both invisible
 * @client: the client
 * @handles: their handles, not equal
 * @objects: set on success only, in the order of @handles
 *
 * Both or none, so that of two calls on the same pair one gets it.
 *
 * Context: Process context.
 * Return: 0, or -ENOENT if one is not visible or their kinds differ
 */
int tmm_object_take_two(struct tmm_client *client, const u32 handles[2],
			struct tmm_object *objects[2])
{
	struct tmm_object *first, *second;
	int err = -ENOENT;

	xa_lock(&client->objects);
	first = xa_load(&client->objects, handles[0]);
	second = xa_load(&client->objects, handles[1]);
	if (first && second && first->kind == second->kind) {
		hide(client, first);
		hide(client, second);
		objects[0] = first;
		objects[1] = second;
		err = 0;
	}
	xa_unlock(&client->objects);
	return err;
}

/**
 * tmm_object_resize() - drop a mapping's offset, since its size has changed
 * @client: the client
 * @object: taken, and not borrowed
 *
 * Context: Process context, may sleep.
 */
void tmm_object_resize(struct tmm_client *client, struct tmm_object *object)
{
	forget_offset(client, object);
}

/**
 * tmm_object_drop() - give back what an object owns, and forget it
 * @client: the client
 * @object: taken
 *
 * Context: Process context, may sleep.
 */
void tmm_object_drop(struct tmm_client *client, struct tmm_object *object)
{
	drop_content(object);
	tmm_object_abandon(client, object);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_object_drop);

/**
 * tmm_mapping_describe() - say what a mapping is
 * @mp: the mapping, which does not change meanwhile
 * @query: the out fields are filled in
 *
 * Context: Any.
 */
void tmm_mapping_describe(const struct tmm_mapped_pages *mp, struct theseus_mm_query *query)
{
	struct tmm_page_range pages = tmm_mapped_pages_range(mp);

	query->kind = THESEUS_MM_KIND_MAPPING;
	query->nr_frame_ranges = mp->nr_frame_ranges;
	query->start = tmm_page_range_start_address(&pages).v;
	query->nr_pages = tmm_page_range_size_in_pages(&pages);
	query->pte_flags = (__force u64)tmm_mapped_pages_flags(mp);
	query->attributes = 0;
	if (tmm_mapped_pages_is_shareable(mp))
		query->attributes |= THESEUS_MM_ATTRIBUTE_SHAREABLE;
	if (tmm_mapped_pages_is_sealed(mp))
		query->attributes |= THESEUS_MM_ATTRIBUTE_READ_ONLY;
	query->nr_borrows = tmm_mapped_pages_nr_borrows(mp);
}

static void describe(const struct tmm_object *object, struct theseus_mm_query *query)
{
	struct tmm_page_range pages;

	query->kind = object->kind;
	query->nr_frame_ranges = 0;
	query->pte_flags = 0;
	query->attributes = 0;
	query->nr_borrows = 0;
	switch (object->kind) {
	case THESEUS_MM_KIND_PAGES:
		pages = tmm_allocated_pages_range(object->pages);
		break;
	case THESEUS_MM_KIND_FRAMES:
		query->nr_frame_ranges = 1;
		query->start = object->frames->f.chunk.start << TMM_PAGE_SHIFT;
		query->nr_pages = tmm_frames_nr(&object->frames->f);
		return;
	case THESEUS_MM_KIND_MAPPING:
		tmm_mapping_describe(object->mapping, query);
		if (object->mf && READ_ONCE(object->mf->nr_lingering))
			query->attributes |= THESEUS_MM_ATTRIBUTE_PINNED;
		return;
	}
	query->start = tmm_page_range_start_address(&pages).v;
	query->nr_pages = tmm_page_range_size_in_pages(&pages);
}

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
	return tmm_mapper_any_bad(client->inst->root, first, nr);
}

/**
 * tmm_object_query() - describe an object
 * @client: the client
 * @query: handle is set; all out fields are filled in on success only
 *
 * Context: Process context.
 * Return: 0 or -ENOENT
 */
int tmm_object_query(struct tmm_client *client, struct theseus_mm_query *query)
{
	const struct tmm_object *object;

	xa_lock(&client->objects);
	object = xa_load(&client->objects, query->handle);
	if (object)
		describe(object, query);
	xa_unlock(&client->objects);
	if (!object)
		return -ENOENT;
	if (query->kind == THESEUS_MM_KIND_MAPPING &&
	    tmm_client_pages_are_bad(client, query->start >> TMM_PAGE_SHIFT, query->nr_pages))
		query->attributes |= THESEUS_MM_ATTRIBUTE_BAD;
	if (query->kind == THESEUS_MM_KIND_FRAMES && !tmm_sees_all())
		query->start = 0;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_object_query);

/**
 * tmm_object_borrow() - borrow a part of a mapping
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
int tmm_object_borrow(struct tmm_client *client, u32 handle, u64 offset, u64 nr_bytes,
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

/* Under the table's lock. */
static struct tmm_object *find_mapping(struct tmm_client *client, u32 handle)
{
	struct tmm_object *object = xa_load(&client->objects, handle);

	return object && object->kind == THESEUS_MM_KIND_MAPPING ? object : NULL;
}

static int describe_offset(struct tmm_client *client, struct theseus_mm_map_offset *reply,
			   bool is_low)
{
	struct tmm_object *object;
	int err = -ENOENT;

	xa_lock(&client->objects);
	object = find_mapping(client, reply->handle);
	if (object)
		err = object->offset ? 0 : -EAGAIN;
	if (!err && is_low && tmm_chunk_end(&object->offset->chunk) > TMM_OFFSETS_LOW_END)
		err = -EOVERFLOW;
	if (!err) {
		reply->offset = object->offset->chunk.start << TMM_PAGE_SHIFT;
		reply->nr_bytes = tmm_mapped_pages_nr_bytes(object->mapping);
	}
	xa_unlock(&client->objects);
	return err;
}

/* Give a mapping a file, unless the mapping is gone by now or has a file. */
static int set_file(struct tmm_client *client, u32 handle)
{
	struct tmm_mapping_file *mf = tmm_mapping_file_create(client->account);
	struct tmm_object *object;
	bool is_set = false;

	if (IS_ERR(mf))
		return PTR_ERR(mf);
	xa_lock(&client->objects);
	object = find_mapping(client, handle);
	if (object && !object->mf) {
		object->mf = mf;
		is_set = true;
	}
	xa_unlock(&client->objects);
	if (!is_set)
		fput(mf->file);
	return 0;
}

static int find_file(struct tmm_client *client, u32 handle, struct tmm_mapping_file **mf,
		     u64 *nr_bytes, u64 *generation)
{
	struct tmm_object *object;
	int err = -ENOENT;

	xa_lock(&client->objects);
	object = find_mapping(client, handle);
	if (object)
		err = object->mf ? 0 : -EAGAIN;
	if (!err) {
		*mf = object->mf;
		get_file((*mf)->file);
		*nr_bytes = tmm_mapped_pages_nr_bytes(object->mapping);
		/* forget_offset() takes the file away under this lock, then increments this. */
		*generation = READ_ONCE((*mf)->generation);
	}
	xa_unlock(&client->objects);
	return err;
}

/**
 * tmm_object_open_mapping_file() - get a mapping's file, made if there is none
 * @client: the client
 * @handle: the mapping's handle
 * @mf: set to its file, with a reference of it, on success only
 * @nr_bytes: set to the mapping's size, on success only
 * @generation: set to the file's generation while the handle had the file, on success only
 *
 * Context: Process context, may sleep.
 * Return: 0, -ENOENT, or an error of tmm_mapping_file_create()
 */
int tmm_object_open_mapping_file(struct tmm_client *client, u32 handle,
				 struct tmm_mapping_file **mf, u64 *nr_bytes, u64 *generation)
{
	int err = find_file(client, handle, mf, nr_bytes, generation);

	if (err != -EAGAIN)
		return err;
	err = set_file(client, handle);
	if (err)
		return err;
	err = find_file(client, handle, mf, nr_bytes, generation);
	/* Another call had taken the object, and has put it back by now. */
	return err == -EAGAIN ? -ENOENT : err;
}

/* The mapping's present size. A call that changes the size later drops the offset too. */
static int nr_pages_of(struct tmm_client *client, u32 handle, u64 *nr_pages)
{
	struct tmm_object *object;

	xa_lock(&client->objects);
	object = find_mapping(client, handle);
	if (object)
		*nr_pages = nr_frames_of(object);
	xa_unlock(&client->objects);
	return object ? 0 : -ENOENT;
}

/* Attach an offset, if the mapping still has the same size and no offset. */
static bool give_offset(struct tmm_client *client, u32 handle, struct tmm_offset *offset)
{
	struct tmm_object *object;
	bool is_given = false;

	xa_lock(&client->objects);
	object = find_mapping(client, handle);
	if (object && object->mf && !object->offset &&
	    nr_frames_of(object) + 1 == offset->chunk.nr) {
		object->offset = offset;
		tmm_offsets_insert(&client->offsets, offset, object);
		is_given = true;
	}
	xa_unlock(&client->objects);
	return is_given;
}

/* Give a mapping an offset and a file, unless it is gone by now or has them. */
static int set_offset(struct tmm_client *client, u32 handle, bool is_low)
{
	struct tmm_mapping_file *mf;
	struct tmm_offset *offset;
	u64 nr_pages, nr_bytes, generation;
	int err;

	err = nr_pages_of(client, handle, &nr_pages);
	if (err)
		return err;
	offset = tmm_offset_allocate(&client->offsets, nr_pages, is_low);
	if (IS_ERR(offset))
		return PTR_ERR(offset);
	/* Make the file last: a refused call must not leave one. */
	err = tmm_object_open_mapping_file(client, handle, &mf, &nr_bytes, &generation);
	if (err) {
		tmm_offset_free(&client->offsets, offset);
		return err;
	}
	if (!give_offset(client, handle, offset))
		tmm_offset_free(&client->offsets, offset);
	fput(mf->file);
	return 0;
}

/**
 * tmm_object_map_offset() - let a mapping be mmapped
 * @client: the client
 * @reply: handle is set; offset and nr_bytes are filled in on success only
 * @is_low: the offset must be usable by a 32-bit program
 *
 * Context: Process context, may sleep.
 * Return: 0; -ENOENT; -EOVERFLOW if no offset is left that the caller can use; or an
 * error of tmm_mapping_file_create()
 */
int tmm_object_map_offset(struct tmm_client *client, struct theseus_mm_map_offset *reply,
			  bool is_low)
{
	int err = describe_offset(client, reply, is_low);

	if (err != -EAGAIN)
		return err;
	err = set_offset(client, reply->handle, is_low);
	if (err)
		return err;
	err = describe_offset(client, reply, is_low);
	/* Another call had taken the object, and has put it back by now. */
	return err == -EAGAIN ? -ENOENT : err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_object_map_offset);

/**
 * tmm_object_mapping_file() - a mapping's file for processes
 * @client: the client
 * @handle: the mapping's handle
 * @mf: set to its file, with a reference of it, or to NULL if it has none
 *
 * Context: Process context.
 * Return: 0 or -ENOENT
 */
int tmm_object_mapping_file(struct tmm_client *client, u32 handle, struct tmm_mapping_file **mf)
{
	struct tmm_object *object;

	xa_lock(&client->objects);
	object = find_mapping(client, handle);
	*mf = object ? object->mf : NULL;
	if (*mf)
		get_file((*mf)->file);
	xa_unlock(&client->objects);
	return object ? 0 : -ENOENT;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_object_mapping_file);

/**
 * tmm_object_check_room() - is there room for a descriptor of a mapping?
 * @client: the client
 * @handle: the mapping's handle
 *
 * A mapping without a file gets one, which needs room as well. Callers check both before they
 * charge one: charges that are taken back would wake waiters for ever.
 *
 * Context: Process context, may sleep.
 * Return: 0, -ENOENT or -EDQUOT
 */
int tmm_object_check_room(struct tmm_client *client, u32 handle)
{
	struct tmm_mapping_file *mf;
	int err = tmm_object_mapping_file(client, handle, &mf);

	if (err)
		return err;
	err = tmm_account_check(client->account, TMM_RESOURCE_HANDLES, mf ? 1 : 2, 0);
	if (mf)
		fput(mf->file);
	return err;
}

/* Under the table's lock. A taken object keeps its offset, but is not visible. */
static struct tmm_object *find_by_offset(struct tmm_client *client, u64 page, u64 *offset_page)
{
	const struct tmm_offset *offset = tmm_offsets_find(&client->offsets, page);

	if (!offset)
		return NULL;
	*offset_page = page - offset->chunk.start;
	return find_mapping(client, offset->object->handle);
}

/**
 * tmm_object_lend() - borrow a part of a mapping for a process
 * @client: the client
 * @page: where it starts: a page of the mapping's offset
 * @nr_bytes: length of the part
 * @is_mutable: ask to write
 * @loan: gets the borrow, on success only
 * @mf: set to the mapping's file, with a reference of it, on success only
 *
 * Context: Process context.
 * Return: 0, -ENOENT, or an error of tmm_borrow_begin()
 */
int tmm_object_lend(struct tmm_client *client, u64 page, u64 nr_bytes, bool is_mutable,
		    struct tmm_loan *loan, struct tmm_mapping_file **mf)
{
	struct tmm_object *object;
	u64 offset_page;
	int err = -ENOENT;

	xa_lock(&client->objects);
	object = find_by_offset(client, page, &offset_page);
	if (object)
		err = tmm_borrow_begin(object->mapping, offset_page << TMM_PAGE_SHIFT, nr_bytes,
				       is_mutable, &loan->borrow);
	if (!err) {
		*mf = object->mf;
		get_file((*mf)->file);
	}
	xa_unlock(&client->objects);
	return err;
}

/**
 * tmm_object_address() - the address of a mapping's page in the shared address space
 * @client: the client
 * @page: a page of the mapping's offset
 * @address: set on success only
 *
 * Context: Any but interrupt.
 * Return: 0 or -ENOENT
 */
int tmm_object_address(struct tmm_client *client, u64 page, u64 *address)
{
	struct tmm_page_range range;
	struct tmm_object *object;
	u64 offset_page;

	xa_lock(&client->objects);
	object = find_by_offset(client, page, &offset_page);
	if (object) {
		range = tmm_mapped_pages_range(object->mapping);
		*address = tmm_page_range_start_address(&range).v +
			   (offset_page << TMM_PAGE_SHIFT);
	}
	xa_unlock(&client->objects);
	return object ? 0 : -ENOENT;
}

/**
 * tmm_object_lend_by() - borrow a part of a mapping for a process, through a descriptor
 * @client: the client that owns the mapping
 * @handle: the mapping's handle when the descriptor was made
 * @mf: the mapping's file when the descriptor was made
 * @offset: bytes from the mapping's start
 * @nr_bytes: length of the part
 * @is_mutable: ask to write
 * @loan: gets the borrow, on success only
 *
 * Context: Process context.
 * Return: 0, -ENOENT if @handle has no mapping with that file, or an error of
 * tmm_borrow_begin()
 */
int tmm_object_lend_by(struct tmm_client *client, u32 handle, const struct tmm_mapping_file *mf,
		       u64 offset, u64 nr_bytes, bool is_mutable, struct tmm_loan *loan)
{
	struct tmm_object *object;
	int err = -ENOENT;

	xa_lock(&client->objects);
	object = find_mapping(client, handle);
	if (object && object->mf == mf)
		err = tmm_borrow_begin(object->mapping, offset, nr_bytes, is_mutable,
				       &loan->borrow);
	xa_unlock(&client->objects);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_object_lend_by);

/**
 * tmm_object_query_lent() - describe a mapping that a descriptor lends
 * @client: the client that owns the mapping
 * @handle: the mapping's handle when the descriptor was made
 * @mf: the mapping's file when the descriptor was made
 * @query: out fields are filled in on success only
 *
 * Context: Process context.
 * Return: 0, or -ENOENT if @handle has no mapping with that file
 */
int tmm_object_query_lent(struct tmm_client *client, u32 handle,
			  const struct tmm_mapping_file *mf, struct theseus_mm_query *query)
{
	struct tmm_object *object;
	int err = -ENOENT;

	xa_lock(&client->objects);
	object = find_mapping(client, handle);
	if (object && object->mf == mf) {
		describe(object, query);
		err = 0;
	}
	xa_unlock(&client->objects);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_object_query_lent);

/**
 * tmm_object_borrow_all() - borrow a whole mapping, mutably if the mapping is writable
 * @client: the client
 * @handle: the mapping's handle
 * @borrow: filled in on success only
 *
 * Context: Process context.
 * Return: 0, -ENOENT, or an error of tmm_borrow_begin()
 */
int tmm_object_borrow_all(struct tmm_client *client, u32 handle, struct tmm_borrow *borrow)
{
	struct tmm_object *object;
	struct tmm_mapped_pages *mp;
	int err = -ENOENT;

	xa_lock(&client->objects);
	object = find_mapping(client, handle);
	if (object) {
		mp = object->mapping;
		err = tmm_borrow_begin(mp, 0, tmm_mapped_pages_nr_bytes(mp),
				       tmm_pte_flags_is_writable(tmm_mapped_pages_flags(mp)),
				       borrow);
	}
	xa_unlock(&client->objects);
	return err;
}
