// SPDX-License-Identifier: GPL-2.0
/*
 * SHARE, EXPORT, IMPORT and TAKE_BACK: share a mapping, or transfer its ownership.
 *
 *	EXPORT		client -> file		processes pass on the file's descriptors
 *	IMPORT		file -> client		the file becomes stale
 *	TAKE_BACK	file -> exporter	the file becomes stale
 *	close		file -> free
 *
 * Each arrow is one step under a lock, so a mapping has one owner at any instant. EXPORT with
 * BORROW transfers nothing (device/client/lending.h).
 */
#include "device/call/call.h"

#include "device/client/client.h"
#include "device/client/exports.h"
#include "device/client/handles.h"
#include "device/client/lending.h"
#include "device/share/mapping_file.h"
#include "mapping/mapped_pages.h"
#include "mapping/mapped_pages_borrow.h"

#include <linux/err.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>

int tmm_ioctl_share(struct tmm_call *call)
{
	const struct theseus_mm_share *request = &call->arg.share;
	struct tmm_object *object;
	int err;

	object = tmm_handle_take(call->client, request->handle, THESEUS_MM_KIND_MAPPING);
	if (IS_ERR(object))
		return PTR_ERR(object);
	err = tmm_mapped_pages_set_shareable(object->mapping,
					     !(request->flags & THESEUS_MM_SHARE_OFF));
	tmm_handle_publish(call->client, object);
	return err;
}

/* Reply with a new descriptor, and then transfer the mapping to the descriptor's file. */
static int export_to(struct tmm_call *call, struct tmm_object *object, struct tmm_export *export)
{
	int err, fd = get_unused_fd_flags(O_CLOEXEC);

	if (fd < 0)
		return fd;
	err = tmm_export_reserve(export, call->client);
	if (err)
		goto err_put_fd;
	call->arg.export.fd = fd;
	call->arg.export.export_id = export->id;
	err = tmm_call_reply(call);
	if (err)
		goto err_put_fd;
	tmm_export_mapping(export, &object->mapping);
	object->kind = 0;
	fd_install(fd, export->mf.file);
	return 0;

err_put_fd:
	put_unused_fd(fd);
	return err;
}

static int export_taken(struct tmm_call *call, struct tmm_object *object)
{
	struct tmm_export *export;
	int err;

	if (tmm_mapped_pages_is_borrowed(object->mapping))
		return -EBUSY;
	export = tmm_export_create(call->arg.export.flags & THESEUS_MM_EXPORT_READ_ONLY);
	if (IS_ERR(export))
		return PTR_ERR(export);
	err = export_to(call, object, export);
	if (err)
		fput(export->mf.file);
	return err;
}

static int export_owned(struct tmm_call *call)
{
	struct tmm_object *object;
	int err;

	object = tmm_handle_take(call->client, call->arg.export.handle, THESEUS_MM_KIND_MAPPING);
	if (IS_ERR(object))
		return PTR_ERR(object);
	err = export_taken(call, object);
	if (err)
		tmm_handle_publish(call->client, object);
	else
		tmm_handle_forget(call->client, object);
	return err;
}

/* Make a lending descriptor. The reply is written first, so a fault leaves nothing behind. */
static int export_borrowed(struct tmm_call *call)
{
	struct theseus_mm_export *request = &call->arg.export;
	int err, fd = get_unused_fd_flags(O_CLOEXEC);
	struct file *file;

	if (fd < 0)
		return fd;
	request->fd = fd;
	request->export_id = 0;
	err = tmm_call_reply(call);
	if (err)
		goto err_put_fd;
	file = tmm_lending_create(call->client, request->handle,
				  request->flags & THESEUS_MM_EXPORT_READ_ONLY);
	err = PTR_ERR_OR_ZERO(file);
	if (err)
		goto err_put_fd;
	fd_install(fd, file);
	return 0;

err_put_fd:
	put_unused_fd(fd);
	return err;
}

int tmm_ioctl_export(struct tmm_call *call)
{
	return call->arg.export.flags & THESEUS_MM_EXPORT_BORROW ? export_borrowed(call) :
								   export_owned(call);
}

/* Reply first, and then transfer the mapping from the file to @object. */
typedef int (*transfer_fn)(struct tmm_call *call, struct tmm_export *export,
			   const struct theseus_mm_query *query, struct tmm_object *object);

/* Make a new object, and transfer the mapping of @export to it. */
static int receive_mapping(struct tmm_call *call, struct tmm_export *export,
			   transfer_fn transfer)
{
	struct tmm_client *client = call->client;
	struct theseus_mm_query query;
	struct tmm_object *object;
	int err;

	object = tmm_handle_reserve(client);
	if (IS_ERR(object))
		return PTR_ERR(object);
	/* The mapping does not change while the file owns the mapping, so the reply stays true. */
	err = tmm_export_query(export, &query);
	if (err)
		goto err_abandon;
	err = transfer(call, export, &query, object);
	if (err)
		goto err_abandon;
	object->kind = THESEUS_MM_KIND_MAPPING;
	tmm_handle_publish(client, object);
	return 0;

err_abandon:
	tmm_handle_abandon(client, object);
	return err;
}

static int import_mapping(struct tmm_call *call, struct tmm_export *export,
			  const struct theseus_mm_query *query, struct tmm_object *object)
{
	struct theseus_mm_import *request = &call->arg.import;
	int err;

	request->handle = object->handle;
	request->start = query->start;
	request->nr_pages = query->nr_pages;
	err = tmm_call_reply(call);
	if (err)
		return err;
	return tmm_export_import(export, call->client->account, &object->mapping);
}

static int import_file(struct tmm_call *call, struct file *file)
{
	struct tmm_export *export = tmm_export_of(file);

	if (!export)
		return tmm_lending_is(file) ? -EACCES : -EINVAL;
	return receive_mapping(call, export, import_mapping);
}

int tmm_ioctl_import(struct tmm_call *call)
{
	struct file *file;
	int err;

	if (call->arg.import.reserved)
		return -EINVAL;
	file = fget(call->arg.import.fd);
	if (!file)
		return -EBADF;
	err = import_file(call, file);
	fput(file);
	return err;
}

/* Take back the mapping together with its pinned loans, which the file keeps. */
static int take_back_mapping(struct tmm_call *call, struct tmm_export *export,
			     const struct theseus_mm_query *query, struct tmm_object *object)
{
	struct theseus_mm_take_back *request = &call->arg.take_back;
	int err;

	request->handle = object->handle;
	request->start = query->start;
	request->nr_pages = query->nr_pages;
	err = tmm_call_reply(call);
	if (err)
		return err;
	err = tmm_export_take_back(export, &object->mapping);
	if (err)
		return err;
	object->mf = &export->mf;
	get_file(export->mf.file);
	return 0;
}

int tmm_ioctl_take_back(struct tmm_call *call)
{
	const struct theseus_mm_take_back *request = &call->arg.take_back;
	struct tmm_export *export;
	int err;

	if (request->reserved)
		return -EINVAL;
	export = tmm_export_find(call->client, request->export_id);
	if (!export)
		return -ESTALE;
	err = receive_mapping(call, export, take_back_mapping);
	fput(export->mf.file);
	return err;
}

int tmm_ioctl_query_export(struct tmm_call *call)
{
	int err;

	if (call->arg.query.handle)
		return -EINVAL;
	err = tmm_export_query(call->export, &call->arg.query);
	return err ?: tmm_call_reply(call);
}

int tmm_ioctl_query_lending(struct tmm_call *call)
{
	int err;

	if (call->arg.query.handle)
		return -EINVAL;
	err = tmm_lending_query(call->lending, &call->arg.query);
	return err ?: tmm_call_reply(call);
}
