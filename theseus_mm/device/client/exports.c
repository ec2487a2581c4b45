// SPDX-License-Identifier: GPL-2.0
#include "device/client/exports.h"

#include "alloc/account.h"
#include "core/compat.h"
#include "device/client/client.h"
#include "device/client/object.h"
#include "device/share/linger.h"
#include "device/share/loan.h"
#include "device/share/mapping_file.h"
#include "mapping/borrow.h"
#include "mapping/mapped_pages.h"
#include "mapping/mapped_pages_borrow.h"
#include "mapping/mapped_pages_memory.h"
#include "uapi/linux/theseus_mm.h"

#include <kunit/visibility.h>
#include <linux/cache.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/poll.h>
#include <linux/rwsem.h>
#include <linux/wait.h>
#include <linux/xarray.h>

static const struct file_operations *export_fops __ro_after_init;

/* Tell the operations of an exported mapping's file, which use the floors above this one. */
void tmm_export_set_fops(const struct file_operations *fops)
{
	export_fops = fops;
}

/* What is not listed any more can go, or go to somebody else. */
static void unlist_file(struct tmm_mapping_file *mf)
{
	struct tmm_client *client = mf->exporter;

	if (!client)
		return;
	mf->exporter = NULL;
	xa_erase(&client->exports, mf->export_id);
	if (mf->exported)
		atomic_dec(&client->nr_exported);
	tmm_client_put(client);
}

/* The last descriptor and the last area are gone. */
int tmm_export_release(struct inode *inode, struct file *file)
{
	unlist_file(file->private_data);
	return tmm_mapping_file_release(inode, file);
}

/* Does the file still own the mapping, and is what it lends unused? */
__poll_t tmm_export_poll(struct file *file, poll_table *wait)
{
	struct tmm_mapping_file *mf = file->private_data;
	__poll_t events = 0;

	poll_wait(file, &mf->wait, wait);
	down_read(&mf->revoke_lock);
	if (!mf->exported)
		events = mf->descriptors.nr_loans ? 0 : EPOLLHUP | EPOLLERR;
	else if (list_empty(&mf->loans) && list_empty(&mf->lingering))
		events = EPOLLIN | EPOLLRDNORM;
	up_read(&mf->revoke_lock);
	return events;
}

/**
 * tmm_export_create_file() - make a file that will own its mapping
 * @is_read_only: a client that imports the mapping can never write to it
 *
 * tmm_export_mapping() names the account that is charged for the file.
 *
 * Context: Process context, may sleep.
 * Return: as tmm_mapping_file_create(), but for the limit
 */
struct tmm_mapping_file *tmm_export_create_file(bool is_read_only)
{
	struct tmm_mapping_file *mf;

	mf = tmm_mapping_file_create_uncharged(export_fops, is_read_only ? O_RDONLY : O_RDWR);
	if (!IS_ERR(mf))
		mf->is_read_only = is_read_only;
	return mf;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_export_create_file);

/**
 * tmm_export_file_of() - is this an exported mapping?
 * @file: any file
 *
 * Return: the mapping's file, or NULL
 */
struct tmm_mapping_file *tmm_export_file_of(struct file *file)
{
	return file->f_op == export_fops ? file->private_data : NULL;
}

/**
 * tmm_export_reserve() - reserve the number of an export
 * @mf: new, with no descriptor yet; frees the number when it is freed
 * @client: the client that exports
 *
 * Context: Process context, may sleep.
 * Return: 0, -ENOMEM, or -EDQUOT if all numbers are in use
 */
int tmm_export_reserve(struct tmm_mapping_file *mf, struct tmm_client *client)
{
	/* NULL reserves: storing the file later needs no memory. */
	int err = xa_alloc_cyclic(&client->exports, &mf->export_id, NULL, xa_limit_32b,
				  &client->next_export, GFP_KERNEL_ACCOUNT);

	if (err < 0)
		return err == -EBUSY ? -EDQUOT : err;
	kref_get(&client->identity.kref);
	mf->exporter = client;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_export_reserve);

/**
 * tmm_export_mapping() - let a file own its mapping
 * @mf: has a number, and no descriptor yet
 * @mapping: consumed; what its handle was charged with, the file is charged with from now on
 *
 * Context: Process context, may sleep. Cannot fail.
 */
void tmm_export_mapping(struct tmm_mapping_file *mf, struct tmm_mapped_pages **mapping)
{
	i_size_write(file_inode(mf->file), tmm_mapped_pages_nr_bytes(*mapping));
	mf->account = tmm_account_get(mf->exporter->account);
	/* Set the mapping first: once listed, others may look at the file. */
	mf->exported = *mapping;
	*mapping = NULL;
	atomic_inc(&mf->exporter->nr_exported);
	xa_store(&mf->exporter->exports, mf->export_id, mf, 0);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_export_mapping);

/**
 * tmm_export_query() - describe an exported mapping
 * @mf: its file
 * @query: out fields are filled in on success only
 *
 * Context: Process context, may sleep.
 * Return: 0, or -ESTALE if it was imported
 */
int tmm_export_query(struct tmm_mapping_file *mf, struct theseus_mm_query *query)
{
	int err = -ESTALE;

	down_read(&mf->revoke_lock);
	if (mf->exported) {
		tmm_object_describe_mapping(mf->exported, query);
		if (mf->nr_lingering)
			query->attributes |= THESEUS_MM_ATTRIBUTE_PINNED;
		if (mf->is_read_only) {
			query->attributes |= THESEUS_MM_ATTRIBUTE_READ_ONLY;
			query->pte_flags &= ~THESEUS_MM_PTE_WRITABLE;
		}
		if (tmm_mapped_pages_any_bad(mf->exported, 0, query->nr_pages))
			query->attributes |= THESEUS_MM_ATTRIBUTE_BAD;
		err = 0;
	}
	up_read(&mf->revoke_lock);
	return err;
}

/* Take the mapping out of its file, which becomes stale. The lock is held. */
static struct tmm_mapped_pages *disown_mapping(struct tmm_mapping_file *mf)
{
	struct tmm_mapped_pages *mapping = mf->exported;

	unlist_file(mf);
	WRITE_ONCE(mf->exported, NULL);
	/* A loan that is just being made sees the new generation and is refused. */
	WRITE_ONCE(mf->generation, mf->generation + 1);
	return mapping;
}

/* Charge the new owner. The mapping is not borrowed. */
static int hand_over(struct tmm_mapping_file *mf, struct tmm_account *account)
{
	const tmm_pte_flags_t flags = tmm_mapped_pages_flags(mf->exported);
	const bool seals = mf->is_read_only && !tmm_mapped_pages_is_sealed(mf->exported);
	int err = seals ? tmm_mapped_pages_seal(mf->exported) : 0;

	if (err)
		return err;
	err = tmm_mapped_pages_move_account(mf->exported, account);
	if (err && seals)
		tmm_mapped_pages_unseal(mf->exported, flags);
	return err;
}

/**
 * tmm_export_import() - take an exported mapping out of its file
 * @mf: its file; stale from then on
 * @account: charged for the mapping from then on
 * @mapping: set on success only; the caller's. The mapping of a read-only export is sealed.
 *
 * Context: Process context, may sleep. O(runs of frames); read-only, O(leaves).
 * Return: 0, -ESTALE if the file owns no mapping any more, -EBUSY while the mapping is
 * borrowed, or -EDQUOT if it exceeds a limit of @account
 */
int tmm_export_import(struct tmm_mapping_file *mf, struct tmm_account *account,
		      struct tmm_mapped_pages **mapping)
{
	int err;

	down_write(&mf->revoke_lock);
	if (!mf->exported)
		err = -ESTALE;
	else if (tmm_mapped_pages_is_borrowed(mf->exported))
		err = -EBUSY;
	else
		err = hand_over(mf, account);
	if (!err)
		*mapping = disown_mapping(mf);
	up_write(&mf->revoke_lock);
	if (!err)
		wake_up_all(&mf->wait);
	return err;
}

/**
 * tmm_export_find() - find a mapping that a client exported
 * @client: the client
 * @export_id: number of the export
 *
 * Context: Process context.
 * Return: the mapping's file, with a reference; or NULL if there is none any more
 */
struct tmm_mapping_file *tmm_export_find(struct tmm_client *client, u32 export_id)
{
	struct tmm_mapping_file *mf;

	xa_lock(&client->exports);
	mf = xa_load(&client->exports, export_id);
	/* A listed file is not freed yet, but its last reference may be gone. */
	if (mf && !tmm_compat_get_file(mf->file))
		mf = NULL;
	xa_unlock(&client->exports);
	return mf;
}

/**
 * tmm_export_take_back() - give an exported mapping back to its exporter
 * @mf: the mapping's file, found in the exporter's own table, whose client is charged for
 *      the mapping already; stale from then on
 * @mapping: set on success only; the caller's. The mapping is as it was when it was
 *           exported, and in no process.
 *
 * Context: Process context, may sleep. As tmm_loans_revoke() and tmm_linger_settle_all().
 * Return: 0, or -ESTALE if somebody imported it
 */
int tmm_export_take_back(struct tmm_mapping_file *mf, struct tmm_mapped_pages **mapping)
{
	int err = -ESTALE;

	down_write(&mf->revoke_lock);
	if (mf->exported) {
		*mapping = disown_mapping(mf);
		tmm_loans_revoke(mf);
		err = 0;
	}
	up_write(&mf->revoke_lock);
	if (err)
		return err;
	tmm_linger_settle_all(mf);
	wake_up_all(&mf->wait);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_export_take_back);

/**
 * tmm_export_revoke() - take an exported mapping out of all processes
 * @mf: its file
 * @nr: set to the number of revoked loans, on success only
 * @nr_pinned: set as by tmm_loans_revoke_file(), on success only
 *
 * Context: Process context, may sleep. As tmm_loans_revoke_file().
 * Return: 0, or -ESTALE if the file no longer owns the mapping
 */
int tmm_export_revoke(struct tmm_mapping_file *mf, unsigned int *nr,
		      unsigned int *nr_pinned)
{
	int err = -ESTALE;

	down_write(&mf->revoke_lock);
	if (mf->exported) {
		*nr = tmm_loans_revoke(mf);
		err = 0;
	}
	up_write(&mf->revoke_lock);
	if (!err)
		*nr_pinned = tmm_linger_settle_all(mf);
	return err;
}

/**
 * tmm_export_lend() - borrow a part of an exported mapping for a process
 * @mf: its file
 * @offset: bytes from the mapping's start
 * @nr_bytes: length of the part
 * @is_mutable: ask to write
 * @loan: gets the borrow, on success only
 *
 * Context: Process context, may sleep; under mmap_lock.
 * Return: 0, -ESTALE if the file no longer owns the mapping, or an error of
 * tmm_borrow_begin()
 */
int tmm_export_lend(struct tmm_mapping_file *mf, u64 offset, u64 nr_bytes, bool is_mutable,
		    struct tmm_loan *loan)
{
	int err = -ESTALE;

	down_read(&mf->revoke_lock);
	if (mf->exported)
		err = tmm_borrow_begin(mf->exported, offset, nr_bytes, is_mutable, &loan->borrow);
	up_read(&mf->revoke_lock);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_export_lend);
