// SPDX-License-Identifier: GPL-2.0
#include "alloc/account.h"

#include "core/bug.h"

#include <kunit/visibility.h>
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/string.h>

/**
 * tmm_account_init() - initialise an account that is embedded in a structure
 * @account: the account; the caller gets a reference
 * @parent: charged as well; NULL if there is none. Gets a reference.
 * @max: the limits, by resource; must exist as long as the account. NULL: the account uses
 *       @own_max, without limits
 * @release: frees the structure
 */
void tmm_account_init(struct tmm_account *account, struct tmm_account *parent, const u64 *max,
		      void (*release)(struct tmm_account *account))
{
	unsigned int i;

	kref_init(&account->kref);
	account->parent = parent ? tmm_account_get(parent) : NULL;
	for (i = 0; i < TMM_NR_RESOURCES; i++) {
		atomic64_set(&account->counts[i], 0);
		account->own_max[i] = TMM_NO_LIMIT;
	}
	atomic_set(&account->refused, 0);
	account->max = max ?: account->own_max;
	account->release = release;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_account_init);

static void release_created(struct tmm_account *account)
{
	kfree(account);
}

/**
 * tmm_account_create() - make an account with limits of its own
 * @parent: as for tmm_account_init()
 * @max: the limits; NULL: none
 *
 * Context: Process context, may sleep.
 * Return: the account, with one reference, the caller's; or NULL if the kernel heap is
 * exhausted
 */
struct tmm_account *tmm_account_create(struct tmm_account *parent, const u64 max[TMM_NR_RESOURCES])
{
	struct tmm_account *account = kzalloc(sizeof(*account), GFP_KERNEL_ACCOUNT);

	if (!account)
		return NULL;
	tmm_account_init(account, parent, NULL, release_created);
	if (max)
		memcpy(account->own_max, max, sizeof(account->own_max));
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

static void release_account(struct kref *kref)
{
	struct tmm_account *account = container_of(kref, struct tmm_account, kref);

	unsigned int i;

	for (i = 0; i < TMM_NR_RESOURCES; i++)
		TMM_BUG_IF(tmm_account_count(account, i));
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
		if (!kref_put(&account->kref, release_account))
			return;
	}
}
EXPORT_SYMBOL_IF_KUNIT(tmm_account_put);

/* Does @account, which counts @count, have room for @nr more? Sets @new to the sum. */
static bool has_room(const struct tmm_account *account, enum tmm_resource resource, u64 count,
		     u64 nr, u64 beyond, u64 *new)
{
	u64 max = tmm_account_max(account, resource);

	if (check_add_overflow(max, beyond, &max))
		max = TMM_NO_LIMIT;
	return !check_add_overflow(count, nr, new) && *new <= min_t(u64, max, S64_MAX);
}

static bool all_have_room(const struct tmm_account *account, const struct tmm_account *end,
			  enum tmm_resource resource, u64 nr, u64 beyond)
{
	u64 new;

	for (; account != end; account = account->parent)
		if (!has_room(account, resource, tmm_account_count(account, resource), nr, beyond,
			      &new))
			return false;
	return true;
}

/* Charge this account only, and never above its limit, not even for a moment. */
static bool charge_one(struct tmm_account *account, enum tmm_resource resource, u64 nr, u64 beyond)
{
	s64 old = atomic64_read(&account->counts[resource]);
	u64 new;

	do {
		if (!has_room(account, resource, old, nr, beyond, &new))
			return false;
	} while (!atomic64_try_cmpxchg(&account->counts[resource], &old, new));
	return true;
}

static void uncharge_until(struct tmm_account *account, const struct tmm_account *end,
			   enum tmm_resource resource, u64 nr)
{
	bool is_any = account != end && nr;

	for (; account != end; account = account->parent)
		TMM_BUG_IF(atomic64_sub_return(nr, &account->counts[resource]) < 0);
	if (is_any)
		tmm_waiters_note(resource);
}

/*
 * Check all levels before charging any. A charge that is taken back is a release for
 * others, so two refused clients would wake each other for ever.
 */
static int charge_until(struct tmm_account *account, const struct tmm_account *end,
			enum tmm_resource resource, u64 nr, u64 beyond)
{
	struct tmm_account *at;

	if (!all_have_room(account, end, resource, nr, beyond))
		return -EDQUOT;
	for (at = account; at != end; at = at->parent) {
		if (charge_one(at, resource, nr, beyond))
			continue;
		uncharge_until(account, at, resource, nr);
		return -EDQUOT;
	}
	return 0;
}

/**
 * tmm_account_check() - would a charge exceed a limit?
 * @account: checked, with all accounts above it; NULL is allowed, and has no limit
 * @resource: the resource to charge
 * @nr: amount
 * @beyond: as for tmm_account_charge_beyond()
 *
 * For callers that have work to do before they charge, or that charge in parts.
 *
 * Context: Any. O(levels).
 * Return: 0, or -EDQUOT, which is noted as a refusal
 */
int tmm_account_check(struct tmm_account *account, enum tmm_resource resource, u64 nr, u64 beyond)
{
	if (!nr || all_have_room(account, NULL, resource, nr, beyond))
		return 0;
	tmm_account_note_refusal(account, resource);
	return -EDQUOT;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_account_check);

/**
 * tmm_account_charge_beyond() - charge an account that is about to be uncharged
 * @account: charged, with all accounts above it
 * @resource: the resource to charge
 * @nr: amount
 * @beyond: amount that is charged now and will be uncharged: the limits are raised by it
 *
 * Context: Any but interrupt. O(levels).
 * Return: 0, or -EDQUOT if one of the accounts would exceed its limit: nothing has
 * changed then, and the refusal is noted
 */
int tmm_account_charge_beyond(struct tmm_account *account, enum tmm_resource resource, u64 nr,
			      u64 beyond)
{
	int err = charge_until(account, NULL, resource, nr, beyond);

	if (err)
		tmm_account_note_refusal(account, resource);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_account_charge_beyond);

/**
 * tmm_account_charge() - charge an account, and all above it
 * @account: the account; NULL is allowed, and has no limit
 * @resource: the resource to charge
 * @nr: amount
 *
 * Context: Any but interrupt. O(levels).
 * Return: 0, or -EDQUOT if one of the accounts would exceed its limit: nothing has
 * changed then, and the refusal is noted
 */
int tmm_account_charge(struct tmm_account *account, enum tmm_resource resource, u64 nr)
{
	return nr ? tmm_account_charge_beyond(account, resource, nr, 0) : 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_account_charge);

/**
 * tmm_account_uncharge() - undo tmm_account_charge(), and wake waiters for the resource
 * @account: the account; NULL is allowed
 * @resource: the resource that was charged
 * @nr: amount
 *
 * Context: Any but interrupt. O(levels).
 */
void tmm_account_uncharge(struct tmm_account *account, enum tmm_resource resource, u64 nr)
{
	uncharge_until(account, NULL, resource, nr);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_account_uncharge);

/**
 * tmm_account_set_max() - change a limit
 * @account: has limits of its own
 * @resource: the resource that the limit is for
 * @max: the new limit. Raising a limit wakes those who wait for room. A limit below what is
 *       charged takes nothing away.
 *
 * Context: Any but interrupt; one at a time.
 */
void tmm_account_set_max(struct tmm_account *account, enum tmm_resource resource, u64 max)
{
	const bool is_raised = max > account->own_max[resource];

	WRITE_ONCE(account->own_max[resource], max);
	if (is_raised)
		tmm_waiters_note(resource);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_account_set_max);

/**
 * tmm_account_note_refusal() - note that a request was refused
 * @account: the account that was to be charged; NULL is allowed
 * @resource: the resource that was refused
 *
 * Context: Any.
 */
void tmm_account_note_refusal(struct tmm_account *account, enum tmm_resource resource)
{
	if (account)
		atomic_or(BIT(resource), &account->refused);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_account_note_refusal);

/**
 * tmm_account_take_refusals() - read and clear the noted refusals
 * @account: the account
 *
 * Context: Any.
 * Return: bits by enum tmm_resource
 */
unsigned int tmm_account_take_refusals(struct tmm_account *account)
{
	return atomic_read(&account->refused) ? atomic_xchg(&account->refused, 0) : 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_account_take_refusals);

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
 * tmm_account_move() - move a charge to another account
 * @from: the account that is charged now; NULL is allowed
 * @to: the account to charge instead
 * @nr: amount, by resource
 *
 * The counts of accounts above both, such as the user of two clients, do not change. So
 * the move cannot exceed a limit of those.
 *
 * Context: Any but interrupt.
 * Return: 0, or -EDQUOT if it exceeds a limit of @to: nothing has changed then
 */
int tmm_account_move(struct tmm_account *from, struct tmm_account *to,
		     const u64 nr[TMM_NR_RESOURCES])
{
	struct tmm_account *common = common_of(from, to);
	unsigned int i, j;

	for (i = 0; i < TMM_NR_RESOURCES; i++) {
		if (!nr[i] || !charge_until(to, common, i, nr[i], 0))
			continue;
		tmm_account_note_refusal(to, i);
		for (j = 0; j < i; j++)
			uncharge_until(to, common, j, nr[j]);
		return -EDQUOT;
	}
	for (i = 0; i < TMM_NR_RESOURCES; i++)
		uncharge_until(from, common, i, nr[i]);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_account_move);
