// SPDX-License-Identifier: GPL-2.0
/* The table of calls, and the checks that all calls share. */
#include "device/call/dispatch.h"

#include "core/compat.h"
#include "device/call/call.h"
#include "device/call/trace.h"
#include "device/call/user_words.h"
#include "device/client/client.h"
#include "device/client/poll.h"

#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/nospec.h>
#include <linux/stddef.h>
#include <linux/uaccess.h>

/* An entry of a table of calls. */
struct ioctl_op {
	int (*run)(struct tmm_call *call);
	size_t size;		/* size of the call's structure */
	size_t min_size;	/* size of the structure's first version */
	u32 flags;		/* flags that the call accepts */
	bool looks;		/* the call only inspects, so O_RDONLY is enough */
	bool takes;		/* the call takes frames, pages or handles, and may lack one */
};

/* Every structure begins with its flags, so that the dispatcher can check the flags. */
#define OP_OF(_cmd, _run, _struct, _last, _flags, _looks, _takes)		\
	[_IOC_NR(_cmd)] = {							\
		.run = (_run),							\
		.size = sizeof(struct _struct) +				\
			BUILD_BUG_ON_ZERO(offsetof(struct _struct, flags)) +	\
			BUILD_BUG_ON_ZERO(sizeof(struct _struct) % 8),		\
		.min_size = offsetofend(struct _struct, _last),			\
		.flags = (_flags),						\
		.looks = (_looks),						\
		.takes = (_takes),						\
	}

#define OP(_cmd, _run, _struct, _last, _flags)					\
	OP_OF(_cmd, _run, _struct, _last, _flags, false, true)
/* A call that takes no frames, pages or handles */
#define GIVE(_cmd, _run, _struct, _last, _flags)				\
	OP_OF(_cmd, _run, _struct, _last, _flags, false, false)
#define LOOK(_cmd, _run, _struct, _last, _flags)				\
	OP_OF(_cmd, _run, _struct, _last, _flags, true, false)

static const struct ioctl_op ioctl_ops[] = {
	LOOK(THESEUS_MM_IOC_GET_INFO, tmm_ioctl_get_info, theseus_mm_info, client_frames, 0),
	LOOK(THESEUS_MM_IOC_GET_REGION, tmm_ioctl_get_region, theseus_mm_region, nr_bytes, 0),
	LOOK(THESEUS_MM_IOC_GET_OCCUPANCY, tmm_ioctl_get_occupancy, theseus_mm_occupancy,
	     bucket_frames, 0),
	LOOK(THESEUS_MM_IOC_QUERY, tmm_ioctl_query, theseus_mm_query, pte_flags, 0),
	GIVE(THESEUS_MM_IOC_DROP, tmm_ioctl_drop, theseus_mm_drop, handle, 0),
	OP(THESEUS_MM_IOC_SPLIT, tmm_ioctl_split, theseus_mm_split, second, 0),
	OP(THESEUS_MM_IOC_MERGE, tmm_ioctl_merge, theseus_mm_merge, reserved, 0),
	LOOK(THESEUS_MM_IOC_GET_LIMITS, tmm_ioctl_get_limits, theseus_mm_limits, user_handles, 0),
	OP(THESEUS_MM_IOC_SET_LIMITS, tmm_ioctl_set_limits, theseus_mm_limits, user_handles,
	   THESEUS_MM_SET_LIMITS_FLAGS_ALL),
	LOOK(THESEUS_MM_IOC_GET_CLIENTS, tmm_ioctl_get_clients, theseus_mm_clients,
	     orphan_frames, 0),
	LOOK(THESEUS_MM_IOC_LIST_HANDLES, tmm_ioctl_list_handles, theseus_mm_handles, handles,
	     THESEUS_MM_HANDLES_FLAGS_ALL),
	OP(THESEUS_MM_IOC_ALLOCATE_FRAMES, tmm_ioctl_allocate_frames, theseus_mm_allocate,
	   nr_pages, THESEUS_MM_ALLOCATE_FLAGS_ALL),
	OP(THESEUS_MM_IOC_ALLOCATE_PAGES, tmm_ioctl_allocate_pages, theseus_mm_allocate,
	   nr_pages, THESEUS_MM_ALLOCATE_FLAGS_ALL),
	OP(THESEUS_MM_IOC_CREATE_MAPPING, tmm_ioctl_create_mapping, theseus_mm_create_mapping,
	   align, 0),
	OP(THESEUS_MM_IOC_CREATE_CONTIGUOUS_MAPPING, tmm_ioctl_create_contiguous_mapping,
	   theseus_mm_create_mapping, align, 0),
	OP(THESEUS_MM_IOC_MAP_ALLOCATED_PAGES, tmm_ioctl_map_allocated_pages, theseus_mm_map,
	   nr_pages, 0),
	OP(THESEUS_MM_IOC_MAP_ALLOCATED_PAGES_TO, tmm_ioctl_map_allocated_pages_to, theseus_mm_map,
	   nr_pages, 0),
	OP(THESEUS_MM_IOC_REMAP, tmm_ioctl_remap, theseus_mm_remap, pte_flags, 0),
	OP(THESEUS_MM_IOC_UNMAP_INTO_PARTS, tmm_ioctl_unmap_into_parts, theseus_mm_unmap, pages, 0),
	GIVE(THESEUS_MM_IOC_READ, tmm_ioctl_read, theseus_mm_access, buffer, 0),
	GIVE(THESEUS_MM_IOC_WRITE, tmm_ioctl_write, theseus_mm_access, buffer, 0),
	OP(THESEUS_MM_IOC_MAP_OFFSET, tmm_ioctl_map_offset, theseus_mm_map_offset, nr_bytes, 0),
	OP(THESEUS_MM_IOC_REVOKE, tmm_ioctl_revoke, theseus_mm_revoke, nr_pinned, 0),
	OP(THESEUS_MM_IOC_SHARE, tmm_ioctl_share, theseus_mm_share, handle,
	   THESEUS_MM_SHARE_FLAGS_ALL),
	OP(THESEUS_MM_IOC_EXPORT, tmm_ioctl_export, theseus_mm_export, export_id,
	   THESEUS_MM_EXPORT_FLAGS_ALL),
	OP(THESEUS_MM_IOC_IMPORT, tmm_ioctl_import, theseus_mm_import, nr_pages, 0),
	OP(THESEUS_MM_IOC_TAKE_BACK, tmm_ioctl_take_back, theseus_mm_take_back, nr_pages, 0),
	OP(THESEUS_MM_IOC_CREATE_IDENTITY_MAPPING, tmm_ioctl_create_identity_mapping,
	   theseus_mm_create_mapping, align, 0),
	OP(THESEUS_MM_IOC_MAP_FRAME_RANGE, tmm_ioctl_map_frame_range, theseus_mm_map_range,
	   nr_pages, 0),
	OP(THESEUS_MM_IOC_ADD_DEVICE_REGION, tmm_ioctl_add_device_region,
	   theseus_mm_device_region, nr_bytes, 0),
	OP(THESEUS_MM_IOC_REMOVE_DEVICE_REGION, tmm_ioctl_remove_device_region,
	   theseus_mm_device_region, nr_bytes, 0),
	OP(THESEUS_MM_IOC_CREATE_BATCH, tmm_ioctl_create_batch, theseus_mm_batch, item_size,
	   THESEUS_MM_BATCH_FLAGS_ALL),
	GIVE(THESEUS_MM_IOC_DROP_BATCH, tmm_ioctl_drop_batch, theseus_mm_batch, item_size,
	     THESEUS_MM_BATCH_FLAGS_ALL),
	OP(THESEUS_MM_IOC_EXPORT_DMABUF, tmm_ioctl_export_dmabuf, theseus_mm_export, export_id, 0),
	LOOK(THESEUS_MM_IOC_TRANSLATE, tmm_ioctl_translate, theseus_mm_translate, pte_flags, 0),
	LOOK(THESEUS_MM_IOC_DUMP_PTE, tmm_ioctl_dump_pte, theseus_mm_dump_pte, entries, 0),
};

/*
 * Calls on the descriptor of an exported mapping. The holder of a read-only export may REVOKE
 * although the file is not writable, so REVOKE is a LOOK here.
 */
static const struct ioctl_op export_ops[] = {
	LOOK(THESEUS_MM_IOC_QUERY, tmm_ioctl_query_export, theseus_mm_query, nr_borrows, 0),
	LOOK(THESEUS_MM_IOC_REVOKE, tmm_ioctl_revoke_export, theseus_mm_revoke, nr_pinned, 0),
};

/* Calls on a descriptor that lends a mapping. */
static const struct ioctl_op lending_ops[] = {
	LOOK(THESEUS_MM_IOC_QUERY, tmm_ioctl_query_lending, theseus_mm_query, nr_borrows, 0),
};

/* Copy the caller's structure in. Bytes that the module does not know must be 0 (-E2BIG). */
static int read_arg(struct tmm_call *call)
{
	if (likely(call->user_size == call->size))
		return tmm_user_words_read(&call->arg, call->user, call->size);
	return copy_struct_from_user(&call->arg, call->size, call->user, call->user_size);
}

static const struct ioctl_op *find_op(const struct ioctl_op *ops, size_t nr_ops, unsigned int cmd)
{
	unsigned int nr = _IOC_NR(cmd);
	const struct ioctl_op *op;

	if (_IOC_TYPE(cmd) != THESEUS_MM_IOC_MAGIC || _IOC_DIR(cmd) != (_IOC_READ | _IOC_WRITE))
		return NULL;
	if (nr >= nr_ops)
		return NULL;
	op = &ops[array_index_nospec(nr, nr_ops)];
	return op->run ? op : NULL;
}

/* Copy the arguments of a call in, and check the flags. */
static int read_call(const struct ioctl_op *op, struct tmm_call *call)
{
	int err;

	err = read_arg(call);
	if (err)
		return err;
	return call->arg.flags & ~op->flags ? -EINVAL : 0;
}

/*
 * Run a call that may lack a resource. If the call fails for lack of one, a later poll() waits
 * until the resource is released.
 */
static int run_attempt(const struct ioctl_op *op, struct tmm_call *call)
{
	int err;

	tmm_poll_attempt_begin(call->client, &call->attempt);
	err = op->run(call);
	/* The failed call has changed nothing, so it can be run again. */
	if (tmm_poll_attempt_again(call->client, &call->attempt, err))
		err = read_call(op, call) ?: op->run(call);
	tmm_poll_attempt_end(call->client, &call->attempt, err ?: call->shortage);
	return err;
}

/*
 * Check the arguments of a call and run the call. The caller has set @call->client, @call->export
 * or @call->lending. serve_call() fills in the other fields.
 */
static long serve_call(const struct ioctl_op *op, struct tmm_call *call, const struct file *file,
		       unsigned int cmd, unsigned long user)
{
	int err;

	if (!op)
		return -ENOTTY;
	if (!op->looks && !(file->f_mode & FMODE_WRITE))
		return -EBADF;
	call->user = (void __user *)user;
	call->user_size = _IOC_SIZE(cmd);
	call->size = op->size;
	call->shortage = 0;
	if (call->user_size < op->min_size)
		return -EINVAL;
	if (call->user_size > PAGE_SIZE)
		return -E2BIG;
	err = read_call(op, call);
	if (err)
		return err;
	err = op->takes ? run_attempt(op, call) : op->run(call);
	trace_tmm_call(call->client ? call->client->identity.id : 0, _IOC_NR(cmd), err);
	return err;
}

/*
 * Serve a call on a client. The size field of @cmd is the size of the caller's structure, and
 * @user is the address of the structure. The UAPI header has a table of the errors.
 */
long tmm_ioctl(struct file *file, unsigned int cmd, unsigned long user)
{
	struct tmm_call call TMM_UNINITIALIZED;

	call.client = file->private_data;
	call.export = NULL;
	call.lending = NULL;
	return serve_call(find_op(ioctl_ops, ARRAY_SIZE(ioctl_ops), cmd), &call, file, cmd, user);
}

/* Serve a call on the descriptor of an exported mapping. @cmd and @user are as in tmm_ioctl(). */
long tmm_export_ioctl(struct file *file, unsigned int cmd, unsigned long user)
{
	struct tmm_call call TMM_UNINITIALIZED;

	call.client = NULL;
	call.export = file->private_data;
	call.lending = NULL;
	return serve_call(find_op(export_ops, ARRAY_SIZE(export_ops), cmd), &call, file, cmd, user);
}

/* Serve a call on a descriptor that lends a mapping. @cmd and @user are as in tmm_ioctl(). */
long tmm_lending_ioctl(struct file *file, unsigned int cmd, unsigned long user)
{
	struct tmm_call call TMM_UNINITIALIZED;

	call.client = NULL;
	call.export = NULL;
	call.lending = file->private_data;
	return serve_call(find_op(lending_ops, ARRAY_SIZE(lending_ops), cmd), &call, file, cmd,
			  user);
}
