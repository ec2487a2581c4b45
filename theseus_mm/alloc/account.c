// SPDX-License-Identifier: GPL-2.0
#include "alloc/account.h"

#include "core/bug.h"

#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/slab.h>

/**
 * tmm_account_init() - make an account of a structure's member
 * @account: the account; the caller's reference
 * @parent: charged as well; NULL if there is none. Gets a reference.
 * @max: where its limit is; stays as long as the account. NULL: in @own_max.
 * @release: frees the structure
 */
void tmm_account_init(struct tmm_account *account, struct tmm_account *parent, const u64 *max,
		      void (*release)(struct tmm_account *account))
{
	kref_init(&account->kref);
	account->parent = parent ? tmm_account_get(parent) : NULL;
	atomic64_set(&account->count, 0);
	account->own_max = TMM_NO_LIMIT;
	account->max = max ?: &account->own_max;
	account->release = release;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_account_init);

static void release_created(struct tmm_account *account)
{
	kfree(account);
}

/**
 * tmm_account_create() - make an account with a limit of its own
 * @parent: as for tmm_account_init()
 * @max: the limit
 *
 * Context: Process context, may sleep.
 * Return: the account, with one reference, the caller's; or NULL if the kernel heap is
 * exhausted
 */
struct tmm_account *tmm_account_create(struct tmm_account *parent, u64 max)
{
	struct tmm_account *account = kzalloc(sizeof(*account), GFP_KERNEL_ACCOUNT);

	if (!account)
		return NULL;
	tmm_account_init(account, parent, NULL, release_created);
	account->own_max = max;
	return account;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_account_create);

/**
 * tmm_account_get() - one more reference
 * @account: the account; NULL is allowed
 *
 * Context: Any.
 * Return: @account
 */
struct tmm_account *tmm_account_get(struct tmm_account *account)
{
	if (account)
		kref_get(&account->kref);
	return account;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_account_get);

static void release(struct kref *kref)
{
	struct tmm_account *account = container_of(kref, struct tmm_account, kref);

	TMM_BUG_IF(tmm_account_count(account));
	account->release(account);
}

/**
 * tmm_account_put() - one reference less
 * @account: the caller's no longer; NULL is allowed. With its last reference it gives
 *           back that of its parent.
 *
 * Context: Any but interrupt.
 */
void tmm_account_put(struct tmm_account *account)
{
	struct tmm_account *parent;

	for (; account; account = parent) {
		parent = account->parent;
		if (!kref_put(&account->kref, release))
			return;
	}
}
EXPORT_SYMBOL_IF_KUNIT(tmm_account_put);

/* Charge this one only. Never above the limit, not even for a moment. */
static bool charge_one(struct tmm_account *account, u64 nr, u64 beyond)
{
	s64 old = atomic64_read(&account->count);
	u64 max, new;

	do {
		max = tmm_account_max(account);
		if (check_add_overflow(max, beyond, &max))
			max = TMM_NO_LIMIT;
		if (check_add_overflow((u64)old, nr, &new) || new > min_t(u64, max, S64_MAX))
			return false;
	} while (!atomic64_try_cmpxchg(&account->count, &old, new));
	return true;
}

static void uncharge_until(struct tmm_account *account, const struct tmm_account *end, u64 nr)
{
	for (; account != end; account = account->parent)
		TMM_BUG_IF(atomic64_sub_return(nr, &account->count) < 0);
}

static int charge_until(struct tmm_account *account, const struct tmm_account *end, u64 nr,
			u64 beyond)
{
	struct tmm_account *at;

	for (at = account; at != end; at = at->parent) {
		if (charge_one(at, nr, beyond))
			continue;
		uncharge_until(account, at, nr);
		return -EDQUOT;
	}
	return 0;
}

/**
 * tmm_account_charge_beyond() - charge somebody who is about to give something back
 * @account: the account, and all above it
 * @nr: how much
 * @beyond: what is counted now and will not be: the limits are higher by it
 *
 * Context: Any. O(levels).
 * Return: 0, or -EDQUOT if it would be above the limit of one of them: nothing has
 * changed then
 */
int tmm_account_charge_beyond(struct tmm_account *account, u64 nr, u64 beyond)
{
	return charge_until(account, NULL, nr, beyond);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_account_charge_beyond);

/**
 * tmm_account_charge() - charge an account, and all above it
 * @account: the account; NULL is allowed, and never too much
 * @nr: how much
 *
 * Context: Any. O(levels).
 * Return: 0, or -EDQUOT if it would be above the limit of one of them: nothing has
 * changed then
 */
int tmm_account_charge(struct tmm_account *account, u64 nr)
{
	return nr ? tmm_account_charge_beyond(account, nr, 0) : 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_account_charge);

/**
 * tmm_account_uncharge() - undo tmm_account_charge()
 * @account: the account; NULL is allowed
 * @nr: how much of what is charged
 *
 * Context: Any. O(levels).
 */
void tmm_account_uncharge(struct tmm_account *account, u64 nr)
{
	uncharge_until(account, NULL, nr);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_account_uncharge);

/* The first account at or above @b that is also at or above @a; NULL if none is. */
static struct tmm_account *common_of(struct tmm_account *a, struct tmm_account *b)
{
	struct tmm_account *at;

	for (; b; b = b->parent)
		for (at = a; at; at = at->parent)
			if (at == b)
				return b;
	return NULL;
}

/**
 * tmm_account_move() - charge somebody else
 * @from: what is charged so far; NULL is allowed
 * @to: what will be
 * @nr: how much
 *
 * What both have above them, as two clients have their user, stays as it is: it cannot
 * be too much for that.
 *
 * Context: Any.
 * Return: 0, or -EDQUOT if it is too much for @to: nothing has changed then
 */
int tmm_account_move(struct tmm_account *from, struct tmm_account *to, u64 nr)
{
	struct tmm_account *common = common_of(from, to);
	int err = nr ? charge_until(to, common, nr, 0) : 0;

	if (!err)
		uncharge_until(from, common, nr);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_account_move);
