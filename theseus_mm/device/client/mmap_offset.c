// SPDX-License-Identifier: GPL-2.0
#include "device/client/mmap_offset.h"

#include "alloc/account.h"
#include "device/client/client.h"
#include "device/client/handles.h"
#include "device/share/mapping_file.h"
#include "mapping/borrow.h"
#include "mapping/mapped_pages.h"

#include <kunit/visibility.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/file.h>
#include <linux/fs.h>

/* The offset of an object, or NULL. The caller holds the lock of the client's table. */
static struct tmm_offset *offset_of(const struct tmm_object *object)
{
	return object->mf ? object->mf->owner_data : NULL;
}

static int describe_offset(struct tmm_client *client, struct theseus_mm_map_offset *reply,
			   bool is_low)
{
	const struct tmm_offset *offset;
	struct tmm_object *object;
	int err = -ENOENT;

	tmm_handle_table_lock(&client->objects);
	object = tmm_handles_find_mapping(client, reply->handle);
	if (!object)
		goto out_unlock;
	err = -EAGAIN;
	offset = offset_of(object);
	if (!offset)
		goto out_unlock;
	err = -EOVERFLOW;
	if (is_low && tmm_chunk_end(&offset->chunk) > TMM_OFFSETS_LOW_END)
		goto out_unlock;
	reply->offset = offset->chunk.start << TMM_PAGE_SHIFT;
	reply->nr_bytes = tmm_mapped_pages_nr_bytes(object->mapping);
	err = 0;
out_unlock:
	tmm_handle_table_unlock(&client->objects);
	return err;
}

/* Give a mapping a file, unless the mapping is gone or already has a file. */
static int set_file(struct tmm_client *client, u32 handle)
{
	struct tmm_mapping_file *mf = tmm_mapping_file_create(client->account);
	struct tmm_object *object;
	bool is_set = false;

	if (IS_ERR(mf))
		return PTR_ERR(mf);
	tmm_handle_table_lock(&client->objects);
	object = tmm_handles_find_mapping(client, handle);
	if (object && !object->mf) {
		object->mf = mf;
		is_set = true;
	}
	tmm_handle_table_unlock(&client->objects);
	if (!is_set)
		fput(mf->file);
	return 0;
}

static int find_file(struct tmm_client *client, u32 handle, struct tmm_mapping_file **mf,
		     u64 *nr_bytes, u64 *generation)
{
	struct tmm_object *object;
	int err = -ENOENT;

	tmm_handle_table_lock(&client->objects);
	object = tmm_handles_find_mapping(client, handle);
	if (!object)
		goto out_unlock;
	err = -EAGAIN;
	if (!object->mf)
		goto out_unlock;
	*mf = object->mf;
	get_file((*mf)->file);
	*nr_bytes = tmm_mapped_pages_nr_bytes(object->mapping);
	/* forget_offset() takes the file under this lock, and then increments the generation. */
	*generation = READ_ONCE((*mf)->generation);
	err = 0;
out_unlock:
	tmm_handle_table_unlock(&client->objects);
	return err;
}

/*
 * Get a mapping's file, with a reference; make the file if the mapping has none. @nr_bytes is
 * the mapping's size, and @generation is the file's generation while the handle had the file.
 * All three are set on success only. The result is -ENOENT, or an error of
 * tmm_mapping_file_create(). May sleep.
 */
int tmm_mmap_offset_open_file(struct tmm_client *client, u32 handle,
			      struct tmm_mapping_file **mf, u64 *nr_bytes, u64 *generation)
{
	int err;

	err = find_file(client, handle, mf, nr_bytes, generation);
	if (err != -EAGAIN)
		return err;
	err = set_file(client, handle);
	if (err)
		return err;
	err = find_file(client, handle, mf, nr_bytes, generation);
	/* Another call had taken the object for a moment, so set_file() did not find the object. */
	return err == -EAGAIN ? -ENOENT : err;
}

/* Get the mapping's present size. A call that changes the size later also drops the offset. */
static int nr_pages_of(struct tmm_client *client, u32 handle, u64 *nr_pages)
{
	struct tmm_object *object;

	tmm_handle_table_lock(&client->objects);
	object = tmm_handles_find_mapping(client, handle);
	if (object)
		*nr_pages = tmm_object_nr_frames(object);
	tmm_handle_table_unlock(&client->objects);
	return object ? 0 : -ENOENT;
}

/* Attach an offset, if the mapping still has the same size and has no offset. */
static bool give_offset(struct tmm_client *client, u32 handle, struct tmm_offset *offset)
{
	struct tmm_object *object;
	bool is_given = false;

	tmm_handle_table_lock(&client->objects);
	object = tmm_handles_find_mapping(client, handle);
	if (object && object->mf && !offset_of(object) &&
	    tmm_object_nr_frames(object) + 1 == offset->chunk.nr) {
		object->mf->owner_data = offset;
		tmm_offsets_insert(&client->offsets, offset, object);
		is_given = true;
	}
	tmm_handle_table_unlock(&client->objects);
	return is_given;
}

/* Give a mapping an offset and a file, unless the mapping is gone or already has both. */
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
	/* Make the file last, because a refused call must not leave a file. */
	err = tmm_mmap_offset_open_file(client, handle, &mf, &nr_bytes, &generation);
	if (err) {
		tmm_offset_free(&client->offsets, offset);
		return err;
	}
	if (!give_offset(client, handle, offset))
		tmm_offset_free(&client->offsets, offset);
	fput(mf->file);
	return 0;
}

/*
 * Assign an offset to the mapping of @reply->handle, so that processes can mmap the mapping.
 * With @is_low, a 32-bit program can use the offset. The out fields of @reply are set on
 * success only. The result is -ENOENT, -EOVERFLOW if no offset that the caller can use is
 * left, or an error of tmm_mapping_file_create(). May sleep.
 */
int tmm_mmap_offset_assign(struct tmm_client *client, struct theseus_mm_map_offset *reply,
			   bool is_low)
{
	int err;

	err = describe_offset(client, reply, is_low);
	if (err != -EAGAIN)
		return err;
	err = set_offset(client, reply->handle, is_low);
	if (err)
		return err;
	err = describe_offset(client, reply, is_low);
	/* Another call had taken the object for a moment, so set_offset() could not find it. */
	return err == -EAGAIN ? -ENOENT : err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mmap_offset_assign);

/*
 * Find a mapping's file, with a reference. *@mf is NULL if the mapping has no file. The result
 * is 0 or -ENOENT.
 */
int tmm_mmap_offset_find_file(struct tmm_client *client, u32 handle, struct tmm_mapping_file **mf)
{
	struct tmm_object *object;

	tmm_handle_table_lock(&client->objects);
	object = tmm_handles_find_mapping(client, handle);
	*mf = object ? object->mf : NULL;
	if (*mf)
		get_file((*mf)->file);
	tmm_handle_table_unlock(&client->objects);
	return object ? 0 : -ENOENT;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mmap_offset_find_file);

/*
 * Check that the limit of handles leaves room for a descriptor of a mapping. A mapping without
 * a file gets a file, which needs room as well. Callers check the room for both before they
 * charge for either, because a charge that is undone would wake waiters for ever. The result is
 * 0, -ENOENT or -EDQUOT. May sleep.
 */
int tmm_mmap_offset_check_room(struct tmm_client *client, u32 handle)
{
	struct tmm_mapping_file *mf;
	int err;

	err = tmm_mmap_offset_find_file(client, handle, &mf);
	if (err)
		return err;
	err = tmm_account_check(client->account, TMM_RESOURCE_HANDLES, mf ? 1 : 2, 0);
	if (mf)
		fput(mf->file);
	return err;
}

/* Find the mapping of an offset's page. A taken object keeps its offset, but is not found. */
static struct tmm_object *find_by_offset(struct tmm_client *client, u64 page, u64 *offset_page)
{
	const struct tmm_offset *offset;

	tmm_handle_table_assert_locked(&client->objects);
	offset = tmm_offsets_find(&client->offsets, page);
	if (!offset)
		return NULL;
	*offset_page = page - offset->chunk.start;
	/* The object leaves the offset before its handle is freed. Only mappings have offsets. */
	return tmm_handle_table_visible(offset->object);
}

/*
 * Borrow a part of a mapping for a process, from the offset's page @page on. @loan gets the
 * borrow, and *@mf the mapping's file with a reference, on success only. The result is
 * -ENOENT, or an error of tmm_borrow_begin().
 */
int tmm_mmap_offset_lend(struct tmm_client *client, u64 page, u64 nr_bytes, bool is_mutable,
			 struct tmm_loan *loan, struct tmm_mapping_file **mf)
{
	struct tmm_object *object;
	u64 offset_page;
	int err = -ENOENT;

	tmm_handle_table_lock(&client->objects);
	object = find_by_offset(client, page, &offset_page);
	if (!object)
		goto out_unlock;
	err = tmm_borrow_begin(object->mapping, offset_page << TMM_PAGE_SHIFT, nr_bytes,
			       is_mutable, &loan->borrow);
	if (err)
		goto out_unlock;
	*mf = object->mf;
	get_file((*mf)->file);
out_unlock:
	tmm_handle_table_unlock(&client->objects);
	return err;
}

/*
 * Find the address of an offset's page in the shared address space. @address is set on success
 * only. The result is 0 or -ENOENT. The function must not be called from interrupts.
 */
int tmm_mmap_offset_address(struct tmm_client *client, u64 page, u64 *address)
{
	struct tmm_object *object;
	u64 offset_page, first;

	tmm_handle_table_lock(&client->objects);
	object = find_by_offset(client, page, &offset_page);
	if (object)
		first = tmm_mapped_pages_first(object->mapping);
	tmm_handle_table_unlock(&client->objects);
	if (!object)
		return -ENOENT;
	*address = tmm_page_start_address(tmm_page_4k(first + offset_page)).v;
	return 0;
}
