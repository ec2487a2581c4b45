// SPDX-License-Identifier: GPL-2.0
#include "device/client/lending.h"

#include "alloc/account.h"
#include "device/client/client.h"
#include "device/client/handles.h"
#include "device/client/mmap_offset.h"
#include "device/share/lender.h"
#include "device/share/mapping_file.h"
#include "mapping/borrow.h"

#include <kunit/visibility.h>
#include <linux/cache.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/poll.h>
#include <linux/slab.h>

static const struct file_operations *lending_fops __ro_after_init;

/*
 * Set the operations of a lending descriptor. The operations use layers above this one, so
 * this file cannot name them.
 */
void tmm_lending_set_fops(const struct file_operations *fops)
{
	lending_fops = fops;
}

static void free_lending(struct tmm_lending *lending)
{
	if (lending->lender)
		tmm_lender_put(lending->lender);
	if (lending->mf)
		fput(lending->mf->file);
	tmm_account_uncharge(lending->client->account, TMM_RESOURCE_HANDLES, 1);
	tmm_account_put(lending->client->account);
	tmm_client_put(lending->client);
	kfree(lending);
}

/* The last copy of the descriptor is closed. */
int tmm_lending_release(struct inode *inode, struct file *file)
{
	free_lending(file->private_data);
	return 0;
}

/*
 * Areas of a stale descriptor may still exist, so EPOLLHUP comes only when the last area is
 * gone.
 */
__poll_t tmm_lending_poll(struct file *file, poll_table *wait)
{
	const struct tmm_lending *lending = file->private_data;
	struct tmm_mapping_file *mf = lending->mf;
	__poll_t events = 0;

	poll_wait(file, &mf->wait, wait);
	down_read(&mf->revoke_lock);
	if (tmm_lender_is_stale(lending->lender, mf))
		events = lending->lender->nr_loans ? 0 : EPOLLHUP | EPOLLERR;
	else if (tmm_mapping_file_has_no_loan(mf))
		events = EPOLLIN | EPOLLRDNORM;
	up_read(&mf->revoke_lock);
	return events;
}

/* True if @file is a lending descriptor. */
bool tmm_lending_is(const struct file *file)
{
	return file->f_op == lending_fops;
}

static int init_lending(struct tmm_lending *lending, u32 handle, u64 *nr_bytes)
{
	u64 generation;
	int err;

	err = tmm_mmap_offset_open_file(lending->client, handle, &lending->mf, nr_bytes,
					&generation);
	if (err)
		return err;
	lending->handle = handle;
	lending->lender = kmalloc(sizeof(*lending->lender), GFP_KERNEL_ACCOUNT);
	if (!lending->lender)
		return -ENOMEM;
	tmm_lender_init(lending->lender, generation);
	return 0;
}

/*
 * Make a descriptor that lends a mapping; may sleep. The client keeps the mapping's handle. A
 * read-only descriptor lends the mapping for reading only. The descriptor counts as a handle of
 * the client until the descriptor is closed.
 *
 * The caller calls fput(). The result is ERR_PTR(-ENOENT), ERR_PTR(-EDQUOT) at the limit of
 * handles, or an error of tmm_mapping_file_create().
 */
struct file *tmm_lending_create(struct tmm_client *client, u32 handle, bool is_read_only)
{
	struct tmm_lending *lending;
	struct file *file;
	u64 nr_bytes;
	int err;

	err = tmm_mmap_offset_check_room(client, handle) ?:
	      tmm_account_charge(client->account, TMM_RESOURCE_HANDLES, 1);
	if (err)
		return ERR_PTR(err);
	lending = kzalloc(sizeof(*lending), GFP_KERNEL_ACCOUNT);
	if (!lending) {
		tmm_account_uncharge(client->account, TMM_RESOURCE_HANDLES, 1);
		return ERR_PTR(-ENOMEM);
	}
	/* The account is charged while the descriptor exists, even after the client has ended. */
	tmm_account_get(client->account);
	kref_get(&client->identity.kref);
	lending->client = client;
	lending->is_read_only = is_read_only;
	err = init_lending(lending, handle, &nr_bytes);
	if (err)
		goto err_free;
	file = tmm_mapping_files_open(lending_fops, is_read_only ? O_RDONLY : O_RDWR, lending);
	err = PTR_ERR_OR_ZERO(file);
	if (err)
		goto err_free;
	i_size_write(file_inode(file), nr_bytes);
	return file;

err_free:
	free_lending(lending);
	return ERR_PTR(err);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_lending_create);

/*
 * Borrow a part of a mapping for a process through a descriptor. @handle and @mf are those
 * that the mapping had when the descriptor was made. @loan gets the borrow on success only.
 * The result is -ENOENT if @handle has no mapping with that file, or an error of
 * tmm_borrow_begin().
 */
int tmm_lending_lend_object(struct tmm_client *client, u32 handle,
			    const struct tmm_mapping_file *mf, u64 offset, u64 nr_bytes,
			    bool is_mutable, struct tmm_loan *loan)
{
	struct tmm_object *object;
	int err = -ENOENT;

	tmm_handle_table_lock(&client->objects);
	object = tmm_handles_find_mapping(client, handle);
	if (object && object->mf == mf)
		err = tmm_borrow_begin(object->mapping, offset, nr_bytes, is_mutable,
				       &loan->borrow);
	tmm_handle_table_unlock(&client->objects);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_lending_lend_object);

/*
 * Describe a mapping that a descriptor lends. @handle and @mf are those that the mapping had
 * when the descriptor was made. The out fields are set on success only. The result is -ENOENT
 * if @handle has no mapping with that file.
 */
int tmm_lending_query_object(struct tmm_client *client, u32 handle,
			     const struct tmm_mapping_file *mf, struct theseus_mm_query *query)
{
	struct tmm_object *object;
	int err = -ENOENT;

	tmm_handle_table_lock(&client->objects);
	object = tmm_handles_find_mapping(client, handle);
	if (object && object->mf == mf) {
		tmm_object_describe(object, query);
		err = 0;
	}
	tmm_handle_table_unlock(&client->objects);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_lending_query_object);

/*
 * Returns why the mapping was not found: -ESTALE if the descriptor is stale, or else -EBUSY, since
 * another call is changing the mapping.
 */
static int why_missing(const struct tmm_lending *lending)
{
	return tmm_lender_is_stale(lending->lender, lending->mf) ? -ESTALE : -EBUSY;
}

/*
 * Describe the mapping that a descriptor lends. The out fields are set on success only. The
 * result is -ESTALE if the descriptor is stale, or -EBUSY while another call changes the mapping.
 */
int tmm_lending_query(const struct tmm_lending *lending, struct theseus_mm_query *query)
{
	if (tmm_lender_is_stale(lending->lender, lending->mf))
		return -ESTALE;
	if (tmm_lending_query_object(lending->client, lending->handle, lending->mf, query))
		return why_missing(lending);
	query->attributes |= THESEUS_MM_ATTRIBUTE_BORROWED;
	if (lending->is_read_only) {
		query->attributes |= THESEUS_MM_ATTRIBUTE_READ_ONLY;
		query->pte_flags &= ~THESEUS_MM_PTE_WRITABLE;
	}
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_lending_query);

/*
 * Borrow a part of the mapping that a descriptor lends. @loan gets the borrow on success only;
 * the caller then begins the loan with the descriptor's lender. The result is -ESTALE if the
 * descriptor is stale, -EBUSY while another call changes the mapping, or an error of
 * tmm_borrow_begin(). The caller may hold mmap_lock.
 */
int tmm_lending_lend(const struct tmm_lending *lending, u64 offset, u64 nr_bytes, bool is_mutable,
		     struct tmm_loan *loan)
{
	int err;

	if (tmm_lender_is_stale(lending->lender, lending->mf))
		return -ESTALE;
	err = tmm_lending_lend_object(lending->client, lending->handle, lending->mf, offset,
				      nr_bytes, is_mutable, loan);
	return err == -ENOENT ? why_missing(lending) : err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_lending_lend);
