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

/*
 * Set the operations of an exported mapping's file. The operations use layers above this one,
 * so this file cannot name them.
 */
void tmm_export_set_fops(const struct file_operations *fops)
{
	export_fops = fops;
}

/*
 * Remove a file from its exporter's table, because the file is being freed or its mapping goes
 * to another owner.
 */
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

/* Called when the last descriptor and the last area are gone. */
int tmm_export_release(struct inode *inode, struct file *file)
{
	unlist_file(file->private_data);
	return tmm_mapping_file_release(inode, file);
}

/*
 * EPOLLIN: the file owns the mapping and has no loans. EPOLLHUP and EPOLLERR: the file no
 * longer owns the mapping, and all loans by descriptors have ended.
 */
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

/*
 * Make a file that will own a mapping; may sleep. A client that imports the mapping of a
 * read-only export can never write to it. tmm_export_mapping() sets the account that is
 * charged for the file. Errors are those of tmm_mapping_file_create(), except -EDQUOT at the
 * limit.
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

/* Return the mapping file behind @file, or NULL if @file is not an exported mapping. */
struct tmm_mapping_file *tmm_export_file_of(struct file *file)
{
	return file->f_op == export_fops ? file->private_data : NULL;
}

/*
 * Reserve the number of an export for a new file that has no descriptor yet. The file frees
 * the number when the file is freed. The result is -ENOMEM, or -EDQUOT if all numbers are in
 * use. May sleep.
 */
int tmm_export_reserve(struct tmm_mapping_file *mf, struct tmm_client *client)
{
	/* A NULL entry reserves the number, so storing the file later needs no memory. */
	int err = xa_alloc_cyclic(&client->exports, &mf->export_id, NULL, xa_limit_32b,
				  &client->next_export, GFP_KERNEL_ACCOUNT);

	if (err < 0)
		return err == -EBUSY ? -EDQUOT : err;
	kref_get(&client->identity.kref);
	mf->exporter = client;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_export_reserve);

/*
 * Let a file own its mapping, and set *@mapping to NULL. The file has a number and no
 * descriptor yet. The charge for the mapping's handle becomes the charge for the file. May
 * sleep; cannot fail.
 */
void tmm_export_mapping(struct tmm_mapping_file *mf, struct tmm_mapped_pages **mapping)
{
	i_size_write(file_inode(mf->file), tmm_mapped_pages_nr_bytes(*mapping));
	mf->account = tmm_account_get(mf->exporter->account);
	/* Set the mapping before the file is listed, because others can look at a listed file. */
	mf->exported = *mapping;
	*mapping = NULL;
	atomic_inc(&mf->exporter->nr_exported);
	xa_store(&mf->exporter->exports, mf->export_id, mf, 0);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_export_mapping);

/*
 * Describe an exported mapping. The out fields of @query are set on success only. The result
 * is -ESTALE if the file no longer owns the mapping. May sleep.
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

/*
 * Take the mapping out of its file, which becomes stale. The caller holds @revoke_lock for
 * writing.
 */
static struct tmm_mapped_pages *disown_mapping(struct tmm_mapping_file *mf)
{
	struct tmm_mapped_pages *mapping = mf->exported;

	unlist_file(mf);
	WRITE_ONCE(mf->exported, NULL);
	/* tmm_loan_begin() sees the new generation and refuses a loan that is just being made. */
	WRITE_ONCE(mf->generation, mf->generation + 1);
	return mapping;
}

/*
 * Charge the new owner, and seal the mapping of a read-only export. The mapping is not
 * borrowed.
 */
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

/*
 * Take an exported mapping out of its file, and charge @account for it. The file becomes
 * stale, and the mapping of a read-only export is sealed. *@mapping is set on success only and
 * is the caller's.
 *
 * The result is -ESTALE if the file no longer owns the mapping, -EBUSY while the mapping is
 * borrowed, or -EDQUOT beyond a limit of @account. May sleep. O(runs of frames); read-only,
 * O(leaves).
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

/* Find the mapping file of an export, with a reference. The result is NULL if the file is gone. */
struct tmm_mapping_file *tmm_export_find(struct tmm_client *client, u32 export_id)
{
	struct tmm_mapping_file *mf;

	xa_lock(&client->exports);
	mf = xa_load(&client->exports, export_id);
	/* A listed file is not freed yet, but the last reference on the file may be gone. */
	if (mf && !tmm_compat_get_file(mf->file))
		mf = NULL;
	xa_unlock(&client->exports);
	return mf;
}

/*
 * Take an exported mapping back for its exporter. The caller found @mf in the exporter's own
 * table, and the exporter is already charged for the mapping. The file becomes stale.
 * *@mapping is set on success only and is the caller's; the mapping is as it was at its
 * export, and is in no process.
 *
 * The result is -ESTALE if the file no longer owns the mapping. May sleep. The cost is that of
 * tmm_loans_revoke() and tmm_linger_settle_all().
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

/*
 * Take an exported mapping out of all processes. On success, @nr is the number of revoked
 * loans, and @nr_pinned is as for tmm_loans_revoke_file(). The result is -ESTALE if the file
 * no longer owns the mapping. May sleep; the cost is that of tmm_loans_revoke_file().
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

/*
 * Borrow a part of an exported mapping for a process. @loan gets the borrow on success only.
 * The result is -ESTALE if the file no longer owns the mapping, or an error of
 * tmm_borrow_begin(). May sleep; the caller may hold mmap_lock.
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
