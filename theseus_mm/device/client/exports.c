// SPDX-License-Identifier: GPL-2.0
#include "device/client/exports.h"

#include "alloc/account.h"
#include "alloc/wake.h"
#include "core/compat.h"
#include "device/client/client.h"
#include "device/client/object.h"
#include "device/share/lender.h"
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
#include <linux/lockdep.h>
#include <linux/poll.h>
#include <linux/rwsem.h>
#include <linux/slab.h>
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
 * Remove an export from its exporter's table, because the file is being freed or the mapping
 * goes to another owner.
 */
static void unlist_export(struct tmm_export *export)
{
	struct tmm_client *client = export->exporter;

	if (!client)
		return;
	export->exporter = NULL;
	xa_erase(&client->exports, export->id);
	if (export->mapping)
		atomic_dec(&client->nr_exported);
	tmm_client_put(client);
}

/* Linux calls this function when the last descriptor and the last area are gone. */
int tmm_export_release(struct inode *inode, struct file *file)
{
	struct tmm_export *export = file->private_data;

	unlist_export(export);
	tmm_mapped_pages_drop(&export->mapping);
	tmm_mapping_file_destroy(&export->mf);
	kfree(export);
	return 0;
}

/*
 * EPOLLIN: the export owns the mapping and has no loans. EPOLLHUP and EPOLLERR: the export no
 * longer owns the mapping, and all loans by descriptors have ended.
 */
__poll_t tmm_export_poll(struct file *file, poll_table *wait)
{
	struct tmm_export *export = file->private_data;
	struct tmm_mapping_file *mf = &export->mf;
	__poll_t events = 0;

	poll_wait(file, &mf->wait, wait);
	down_read(&mf->revoke_lock);
	if (!export->mapping)
		events = export->descriptors.nr_loans ? 0 : EPOLLHUP | EPOLLERR;
	else if (tmm_mapping_file_has_no_loan(mf))
		events = EPOLLIN | EPOLLRDNORM;
	up_read(&mf->revoke_lock);
	return events;
}

/*
 * Make an export that owns no mapping yet; may sleep. tmm_export_mapping() sets the account that
 * is charged for the file. The caller calls fput(). Errors are those of
 * tmm_mapping_file_create(), except -EDQUOT at the limit.
 */
struct tmm_export *tmm_export_create(bool is_read_only)
{
	struct tmm_export *export = kzalloc(sizeof(*export), GFP_KERNEL_ACCOUNT);
	int err;

	if (!export)
		return ERR_PTR(-ENOMEM);
	export->is_read_only = is_read_only;
	err = tmm_mapping_file_init(&export->mf, export_fops, is_read_only ? O_RDONLY : O_RDWR,
				    export);
	if (err) {
		kfree(export);
		return ERR_PTR(err);
	}
	tmm_lender_init(&export->descriptors, export->mf.generation);
	return export;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_export_create);

/* Return the export behind @file, or NULL if @file is not an exported mapping. */
struct tmm_export *tmm_export_of(struct file *file)
{
	return file->f_op == export_fops ? file->private_data : NULL;
}

/*
 * Reserve the number of a new export that has no descriptor yet. The number is freed with the
 * export's file. The result is -ENOMEM, or -EDQUOT if all numbers are in use. May sleep.
 */
int tmm_export_reserve(struct tmm_export *export, struct tmm_client *client)
{
	int err;

	/* A NULL entry reserves the number, so storing the export later needs no memory. */
	err = xa_alloc_cyclic(&client->exports, &export->id, NULL, xa_limit_32b,
			      &client->next_export, GFP_KERNEL_ACCOUNT);
	if (err < 0)
		return err == -EBUSY ? -EDQUOT : err;
	kref_get(&client->identity.kref);
	export->exporter = client;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_export_reserve);

/*
 * Let an export own a mapping, and set *@mapping to NULL. The export has a number and no
 * descriptor yet. The charge for the mapping's handle becomes the charge for the file. May
 * sleep; cannot fail.
 */
void tmm_export_mapping(struct tmm_export *export, struct tmm_mapped_pages **mapping)
{
	struct tmm_client *client = export->exporter;

	i_size_write(file_inode(export->mf.file), tmm_mapped_pages_nr_bytes(*mapping));
	export->mf.account = tmm_account_get(client->account);
	/* Set the mapping first, because others can look at a listed export. */
	export->mapping = *mapping;
	*mapping = NULL;
	atomic_inc(&client->nr_exported);
	xa_store(&client->exports, export->id, export, 0);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_export_mapping);

/*
 * Describe an exported mapping. The out fields of @query are set on success only. The result
 * is -ESTALE if the export no longer owns the mapping. May sleep.
 */
int tmm_export_query(struct tmm_export *export, struct theseus_mm_query *query)
{
	int err = -ESTALE;

	down_read(&export->mf.revoke_lock);
	if (export->mapping) {
		tmm_object_describe_mapping(export->mapping, query);
		if (export->mf.nr_lingering)
			query->attributes |= THESEUS_MM_ATTRIBUTE_PINNED;
		if (export->is_read_only) {
			query->attributes |= THESEUS_MM_ATTRIBUTE_READ_ONLY;
			query->pte_flags &= ~THESEUS_MM_PTE_WRITABLE;
		}
		if (tmm_mapped_pages_any_bad(export->mapping, 0, query->nr_pages))
			query->attributes |= THESEUS_MM_ATTRIBUTE_BAD;
		err = 0;
	}
	up_read(&export->mf.revoke_lock);
	return err;
}

/* Take the mapping out of its export, which becomes stale. */
static struct tmm_mapped_pages *disown_mapping(struct tmm_export *export)
{
	struct tmm_mapped_pages *mapping = export->mapping;

	lockdep_assert_held_write(&export->mf.revoke_lock);
	unlist_export(export);
	WRITE_ONCE(export->mapping, NULL);
	/* tmm_loan_begin() sees the new generation and refuses a loan that is just being made. */
	WRITE_ONCE(export->mf.generation, export->mf.generation + 1);
	return mapping;
}

/*
 * Charge the new owner, and seal the mapping of a read-only export. The mapping is not
 * borrowed.
 */
static int hand_over(struct tmm_export *export, struct tmm_account *account)
{
	struct tmm_mapped_pages *mp = export->mapping;
	const tmm_pte_flags_t flags = tmm_mapped_pages_flags(mp);
	const bool seals = export->is_read_only && !tmm_mapped_pages_is_sealed(mp);
	int err;

	lockdep_assert_held_write(&export->mf.revoke_lock);
	err = seals ? tmm_mapped_pages_seal(mp) : 0;
	if (err)
		return err;
	err = tmm_mapped_pages_move_account(mp, account);
	if (err && seals)
		tmm_mapped_pages_unseal(mp, flags);
	return err;
}

/*
 * Take a mapping out of its export, and charge @account for it. The export becomes stale, and
 * the mapping of a read-only export is sealed. *@mapping is set on success only and is the
 * caller's.
 *
 * The result is -ESTALE if the export no longer owns the mapping, -EBUSY while the mapping is
 * borrowed, or -EDQUOT beyond a limit of @account. May sleep. O(runs of frames), or O(leaves) if
 * the export is read-only.
 */
int tmm_export_import(struct tmm_export *export, struct tmm_account *account,
		      struct tmm_mapped_pages **mapping)
{
	int err;

	down_write(&export->mf.revoke_lock);
	err = -ESTALE;
	if (!export->mapping)
		goto err_unlock;
	err = -EBUSY;
	if (tmm_mapped_pages_is_borrowed(export->mapping))
		goto err_unlock;
	err = hand_over(export, account);
	if (err)
		goto err_unlock;
	*mapping = disown_mapping(export);
	up_write(&export->mf.revoke_lock);
	tmm_wake_all(&export->mf.wait, NULL);
	return 0;

err_unlock:
	up_write(&export->mf.revoke_lock);
	return err;
}

/* Find an export, with a reference on its file. The result is NULL if the file is gone. */
struct tmm_export *tmm_export_find(struct tmm_client *client, u32 id)
{
	struct tmm_export *export;

	xa_lock(&client->exports);
	export = xa_load(&client->exports, id);
	/* A listed export is not freed yet, but the last reference on its file may be gone. */
	if (export && !tmm_compat_get_file(export->mf.file))
		export = NULL;
	xa_unlock(&client->exports);
	return export;
}

/*
 * Take an exported mapping back for its exporter. The caller found @export in the exporter's own
 * table, and the exporter is already charged for the mapping. The export becomes stale.
 * *@mapping is set on success only and is the caller's; the mapping is as it was at its
 * export, and is in no process.
 *
 * The result is -ESTALE if the export no longer owns the mapping. May sleep. The cost is that of
 * tmm_loans_revoke() and tmm_linger_settle_all().
 */
int tmm_export_take_back(struct tmm_export *export, struct tmm_mapped_pages **mapping)
{
	struct tmm_mapping_file *mf = &export->mf;

	down_write(&mf->revoke_lock);
	if (!export->mapping) {
		up_write(&mf->revoke_lock);
		return -ESTALE;
	}
	*mapping = disown_mapping(export);
	tmm_loans_revoke(mf);
	up_write(&mf->revoke_lock);
	tmm_loans_wait_for_mmap(mf);
	tmm_linger_settle_all(mf);
	tmm_wake_all(&mf->wait, NULL);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_export_take_back);

/*
 * Take an exported mapping out of all processes. On success, @nr is the number of revoked
 * loans, and @nr_pinned is as for tmm_loans_revoke_file(). The result is -ESTALE if the export
 * no longer owns the mapping. May sleep; the cost is that of tmm_loans_revoke_file().
 */
int tmm_export_revoke(struct tmm_export *export, unsigned int *nr, unsigned int *nr_pinned)
{
	struct tmm_mapping_file *mf = &export->mf;

	down_write(&mf->revoke_lock);
	if (!export->mapping) {
		up_write(&mf->revoke_lock);
		return -ESTALE;
	}
	*nr = tmm_loans_revoke(mf);
	up_write(&mf->revoke_lock);
	*nr_pinned = tmm_linger_settle_all(mf);
	return 0;
}

/*
 * Borrow a part of an exported mapping for a process. @loan gets the borrow on success only.
 * The result is -ESTALE if the export no longer owns the mapping, or an error of
 * tmm_borrow_begin(). May sleep; the caller may hold mmap_lock.
 */
int tmm_export_lend(struct tmm_export *export, u64 offset, u64 nr_bytes, bool is_mutable,
		    struct tmm_loan *loan)
{
	int err = -ESTALE;

	down_read(&export->mf.revoke_lock);
	if (export->mapping)
		err = tmm_borrow_begin(export->mapping, offset, nr_bytes, is_mutable,
				       &loan->borrow);
	up_read(&export->mf.revoke_lock);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_export_lend);
