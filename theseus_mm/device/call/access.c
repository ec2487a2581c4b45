// SPDX-License-Identifier: GPL-2.0
/* READ and WRITE: copy between a mapping and user memory by a system call. */
#include "device/call/call.h"

#include "core/address.h"
#include "core/compat.h"
#include "device/client/client.h"
#include "device/client/handles.h"
#include "mapping/borrow.h"

#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/minmax.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

/* The longest copy that goes through the stack. */
#define SMALL_BYTES	256

/*
 * Copy between the mapping and user memory through kernel memory. An access to user memory may
 * fault, and code inside a window must not fault.
 */
static int copy_piece(const struct tmm_borrow *borrow, u64 offset, void __user *buffer,
		      void *between, size_t nr_bytes)
{
	int err;

	if (borrow->is_mutable) {
		if (copy_from_user(between, buffer, nr_bytes))
			return -EFAULT;
		return tmm_borrow_write(borrow, offset, between, nr_bytes);
	}
	err = tmm_borrow_read(borrow, offset, between, nr_bytes);
	if (err)
		return err;
	return copy_to_user(buffer, between, nr_bytes) ? -EFAULT : 0;
}

/*
 * Choose the size of the next piece: a page, or the rest if less than a page is left. A piece of
 * 8 bytes of device memory is one access of 8 bytes. Only a call for 8 bytes may make such an
 * access, so no piece of a longer copy has 8 bytes.
 */
static u64 piece_of(u64 left)
{
	return left == TMM_PAGE_SIZE + 8 ? TMM_PAGE_SIZE / 2 : min(left, TMM_PAGE_SIZE);
}

/* Copy at most SMALL_BYTES through the stack, which needs no memory. */
static noinline_for_stack int copy_small(const struct tmm_borrow *borrow, size_t length,
					 void __user *buffer)
{
	u64 bytes[SMALL_BYTES / sizeof(u64)] TMM_UNINITIALIZED;

	if (!length)
		return 0;
	if (fatal_signal_pending(current))
		return -EINTR;
	return copy_piece(borrow, 0, buffer, bytes, length);
}

static int copy_large(const struct tmm_borrow *borrow, u64 length, void __user *buffer)
{
	u64 done, nr_bytes;
	void *page;
	int err = 0;

	page = (void *)__get_free_page(GFP_KERNEL_ACCOUNT);
	if (!page)
		return -ENOMEM;
	for (done = 0; done < length; done += nr_bytes) {
		err = -EINTR;
		if (fatal_signal_pending(current))
			break;
		nr_bytes = piece_of(length - done);
		err = copy_piece(borrow, done, buffer + done, page, nr_bytes);
		if (err)
			break;
		cond_resched();
	}
	free_page((unsigned long)page);
	return err;
}

static int copy_all(const struct tmm_borrow *borrow, u64 length, void __user *buffer)
{
	return length <= SMALL_BYTES ? copy_small(borrow, length, buffer) :
	       copy_large(borrow, length, buffer);
}

static int access_mapping(struct tmm_call *call, bool is_write)
{
	const struct theseus_mm_access *request = &call->arg.access;
	struct tmm_borrow borrow;
	int err;

	err = tmm_handle_borrow(call->client, request->handle, request->offset, request->length,
				is_write, &borrow);
	if (err)
		return err;
	err = copy_all(&borrow, request->length, u64_to_user_ptr(request->buffer));
	tmm_borrow_end(&borrow);
	return err;
}

int tmm_ioctl_read(struct tmm_call *call)
{
	return access_mapping(call, false);
}

int tmm_ioctl_write(struct tmm_call *call)
{
	return access_mapping(call, true);
}
