// SPDX-License-Identifier: GPL-2.0
#include "alloc/account.h"

#include "core/bug.h"

#include <kunit/visibility.h>
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/string.h>

/*
 * Initialise an account that is embedded in a structure. The caller gets the only reference,
 * and the account takes a reference on @parent. @max must exist as long as the account. If @max
 * is NULL, the account uses @own_max, without limits. @release frees the structure.
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

/*
 * Allocate an account with limits of its own; if @max is NULL, the account has no limits. May
 * sleep. Return: the account with one reference, which the caller owns, or NULL if the kernel
 * heap is exhausted.
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

/*
 * Free the account of @kref, which has lost its last reference, and drop the account's reference on
 * its parent.
 */
void tmm_account_end(struct kref *kref)
{
	struct tmm_account *account = container_of(kref, struct tmm_account, kref);
	struct tmm_account *parent;
	unsigned int i;

	/* Namespaces can nest deeply, so a loop, not a recursion, frees the accounts above. */
	do {
		parent = account->parent;
		for (i = 0; i < TMM_NR_RESOURCES; i++)
			TMM_BUG_IF(tmm_account_count(account, i));
		account->release(account);
		account = parent;
	} while (account && refcount_dec_and_test(&account->kref.refcount));
}
EXPORT_SYMBOL_IF_KUNIT(tmm_account_end);

/* True if the count of @account may become @new, under its limit plus @beyond. */
static __always_inline bool may_become(const struct tmm_account *account,
				       enum tmm_resource resource, u64 new, u64 beyond)
{
	u64 limit = tmm_account_max(account, resource);

	limit = limit <= U64_MAX - beyond ? limit + beyond : TMM_NO_LIMIT;
	return new <= limit && new <= S64_MAX;
}

static __always_inline bool all_have_room(const struct tmm_account *account,
					  const struct tmm_account *end,
					  enum tmm_resource resource, u64 nr, u64 beyond)
{
	/* No count is above S64_MAX, so no sum below overflows. */
	if (unlikely(nr > S64_MAX))
		return false;
	for (; account != end; account = account->parent)
		if (!may_become(account, resource, tmm_account_count(account, resource) + nr,
				beyond))
			return false;
	return true;
}

/*
 * Charge this account only, with at most S64_MAX. The count never exceeds limit + @beyond, even
 * for a moment.
 */
static __always_inline bool charge_one(struct tmm_account *account, enum tmm_resource resource,
				       u64 nr, u64 beyond)
{
	s64 old = atomic64_read(&account->counts[resource]);

	do {
		if (unlikely(!may_become(account, resource, old + nr, beyond)))
			return false;
	} while (!atomic64_try_cmpxchg(&account->counts[resource], &old, old + nr));
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
 * Check all other levels before charging the first. Undoing a charge is a release for other
 * clients. Without the check, two refused clients would wake each other for ever.
 */
static __always_inline int charge_until(struct tmm_account *account,
					const struct tmm_account *end,
					enum tmm_resource resource, u64 nr, u64 beyond)
{
	struct tmm_account *at;

	/* The first charge checks its own level. */
	if (account != end && !all_have_room(account->parent, end, resource, nr, beyond))
		return -EDQUOT;
	for (at = account; at != end; at = at->parent) {
		if (charge_one(at, resource, nr, beyond))
			continue;
		uncharge_until(account, at, resource, nr);
		return -EDQUOT;
	}
	return 0;
}

/* Do what tmm_account_check() does, for an account. */
int tmm_account_check_all(struct tmm_account *account, enum tmm_resource resource, u64 nr,
			  u64 beyond)
{
	if (likely(all_have_room(account, NULL, resource, nr, beyond)))
		return 0;
	tmm_account_note_refusal(account, resource);
	return -EDQUOT;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_account_check_all);

/*
 * Charge an account and all accounts above it, when the caller will uncharge @beyond
 * afterwards. Until then, @beyond is still charged, so this call lets each count exceed its
 * limit by up to @beyond. Not in interrupts. O(levels). Return: 0, or -EDQUOT if an account
 * would exceed its limit; then no count has changed, and the refusal is noted.
 */
int tmm_account_charge_beyond(struct tmm_account *account, enum tmm_resource resource, u64 nr,
			      u64 beyond)
{
	int err;

	err = charge_until(account, NULL, resource, nr, beyond);
	if (err)
		tmm_account_note_refusal(account, resource);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_account_charge_beyond);

/*
 * Do what tmm_account_charge() does, for a caller that has another way if there is no room: a
 * refusal is not noted. Returns true if the accounts were charged.
 */
bool tmm_account_try_charge(struct tmm_account *account, enum tmm_resource resource, u64 nr)
{
	return !charge_until(account, NULL, resource, nr, 0);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_account_try_charge);

/* Do what tmm_account_charge() does, for an account. */
int tmm_account_charge_all(struct tmm_account *account, enum tmm_resource resource, u64 nr)
{
	int err;

	err = charge_until(account, NULL, resource, nr, 0);
	if (unlikely(err))
		tmm_account_note_refusal(account, resource);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_account_charge_all);

/* Do what tmm_account_uncharge() does, for an account. */
void tmm_account_uncharge_all(struct tmm_account *account, enum tmm_resource resource, u64 nr)
{
	uncharge_until(account, NULL, resource, nr);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_account_uncharge_all);

/*
 * Change a limit of an account that has limits of its own. A raised limit wakes the clients
 * that wait for room. A limit below the current count takes nothing away. Not in interrupts;
 * the caller serializes the calls.
 */
void tmm_account_set_max(struct tmm_account *account, enum tmm_resource resource, u64 max)
{
	const bool is_raised = max > account->own_max[resource];

	WRITE_ONCE(account->own_max[resource], max);
	if (is_raised)
		tmm_waiters_note(resource);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_account_set_max);

/* Note that a request was refused. @account is the account that was to be charged, or NULL. */
void tmm_account_note_refusal(struct tmm_account *account, enum tmm_resource resource)
{
	if (account)
		atomic_or(BIT(resource), &account->refused);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_account_note_refusal);

/* Read and clear the noted refusals. Return: bits by enum tmm_resource. */
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

/*
 * Move a charge of @nr (by resource) from @from, which may be NULL, to @to. The counts of the
 * accounts above both, such as the user of two clients, do not change, so the move cannot
 * exceed their limits. Not in interrupts. Return: 0, or -EDQUOT if the charge exceeds a limit
 * of @to or of an account above it; then no charge has moved.
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
