// SPDX-License-Identifier: GPL-2.0
#include "mapping/mapped_pages_borrow.h"

#include "core/bug.h"
#include "core/compat.h"
#include "mapping/mapped_pages.h"

#include <kunit/visibility.h>
#include <linux/atomic.h>
#include <linux/errno.h>
#include <linux/export.h>

/**
 * tmm_mapped_pages_is_borrowed() - is anyone using the mapping?
 * @mp: the mapping
 *
 * Return: true if it is borrowed, or being changed, at this moment
 */
bool tmm_mapped_pages_is_borrowed(const struct tmm_mapped_pages *mp)
{
	return atomic_read(&mp->users) != TMM_USERS_OWNER;
}
EXPORT_SYMBOL_TMM(tmm_mapped_pages_is_borrowed);

/**
 * tmm_mapped_pages_nr_borrows() - how many are using the mapping
 * @mp: the mapping
 *
 * Return: its borrows at this moment; a change counts as one
 */
unsigned int tmm_mapped_pages_nr_borrows(const struct tmm_mapped_pages *mp)
{
	unsigned int users = atomic_read(&mp->users);

	return (users & (TMM_USERS_OWNER - 1)) + !!(users & TMM_USERS_CLAIMED);
}
EXPORT_SYMBOL_TMM(tmm_mapped_pages_nr_borrows);

/**
 * tmm_mapped_pages_is_shareable() - may it have many mutable borrows?
 * @mp: the mapping
 *
 * Return: as tmm_mapped_pages_set_shareable() said last
 */
bool tmm_mapped_pages_is_shareable(const struct tmm_mapped_pages *mp)
{
	return READ_ONCE(mp->is_shareable);
}
EXPORT_SYMBOL_TMM(tmm_mapped_pages_is_shareable);

/**
 * tmm_mapped_pages_is_sealed() - is a mapping sealed against writing?
 * @mp: the mapping
 *
 * Return: true from tmm_mapped_pages_seal() on
 */
bool tmm_mapped_pages_is_sealed(const struct tmm_mapped_pages *mp)
{
	return READ_ONCE(mp->is_sealed);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapped_pages_is_sealed);

/**
 * tmm_mapped_pages_set_shareable() - let a mapping have many mutable borrows, or not
 * @mp: the mapping
 * @is_shareable: a mutable borrow excludes changes only, not other borrows
 *
 * The stated exception to one writer at a time; who writes when is up to those
 * who do. Theseus has none for borrows; map_to_non_exclusive() is its like.
 *
 * Context: Any.
 * Return: 0, or -EBUSY if it is borrowed
 */
int tmm_mapped_pages_set_shareable(struct tmm_mapped_pages *mp, bool is_shareable)
{
	int err = tmm_mapped_pages_claim(mp);

	if (err)
		return err;
	WRITE_ONCE(mp->is_shareable, is_shareable);
	tmm_mapped_pages_unclaim(mp);
	return 0;
}
EXPORT_SYMBOL_TMM(tmm_mapped_pages_set_shareable);

/**
 * tmm_mapped_pages_seal() - make a mapping read-only for all later owners
 * @mp: the mapping
 *
 * A sealed mapping stays read-only through remap, split and merge. Its frames cannot be
 * separated from its pages, so they cannot be mapped writable elsewhere.
 *
 * Context: Process context, may sleep. O(leaves).
 * Return: 0, or -EBUSY if the mapping is borrowed
 */
int tmm_mapped_pages_seal(struct tmm_mapped_pages *mp)
{
	int err = tmm_mapped_pages_remap(mp, mp->flags & ~TMM_PTE_WRITABLE);

	if (!err)
		WRITE_ONCE(mp->is_sealed, true);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapped_pages_seal);

/**
 * tmm_mapped_pages_unseal() - undo tmm_mapped_pages_seal()
 * @mp: the mapping; was not sealed before, and had no other owner since
 * @flags: its flags before it was sealed
 *
 * Context: Process context, may sleep. O(leaves).
 */
void tmm_mapped_pages_unseal(struct tmm_mapped_pages *mp, tmm_pte_flags_t flags)
{
	WRITE_ONCE(mp->is_sealed, false);
	TMM_BUG_IF(tmm_mapped_pages_remap(mp, flags & ~TMM_PTE_OURS));
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapped_pages_unseal);

static bool is_exclusive(const struct tmm_mapped_pages *mp, bool is_mutable)
{
	return is_mutable && !tmm_mapped_pages_is_shareable(mp);
}

/**
 * tmm_mapped_pages_borrow() - count a borrow
 * @mp: the mapping
 * @is_mutable: exclude all other borrows, unless the mapping is shareable
 *
 * Context: Any.
 * Return: 0, -EACCES if @is_mutable and the mapping is not writable, or -EBUSY
 * for what Rust's borrow checker would refuse
 */
int tmm_mapped_pages_borrow(struct tmm_mapped_pages *mp, bool is_mutable)
{
	const bool excludes = is_exclusive(mp, is_mutable);
	const int add = excludes ? TMM_USERS_CLAIMED : 1;
	int users = atomic_read(&mp->users);
	int err = 0;

	/* Not even for a moment, or others would be refused for nothing. */
	if (is_mutable && !tmm_pte_flags_is_writable(tmm_mapped_pages_flags(mp)))
		return -EACCES;
	do {
		if (users >= TMM_USERS_CLAIMED - 1 || (excludes && users != TMM_USERS_OWNER))
			return -EBUSY;
	} while (!atomic_try_cmpxchg(&mp->users, &users, users + add));
	/* From here on nobody can change the flags, or whether it is shareable. */
	if (excludes != is_exclusive(mp, is_mutable))
		err = -EBUSY;
	else if (is_mutable && !tmm_pte_flags_is_writable(mp->flags))
		err = -EACCES;
	/* The owner is still there. */
	if (err)
		atomic_sub_return_release(add, &mp->users);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapped_pages_borrow);

/**
 * tmm_mapped_pages_unborrow() - end a borrow; the last one of a dropped mapping
 * takes the mapping with it
 * @mp: the mapping
 * @is_mutable: as it was borrowed
 *
 * Context: Process context, not inside a window.
 */
void tmm_mapped_pages_unborrow(struct tmm_mapped_pages *mp, bool is_mutable)
{
	if (atomic_sub_and_test(is_exclusive(mp, is_mutable) ? TMM_USERS_CLAIMED : 1, &mp->users))
		tmm_mapped_pages_destroy(mp);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapped_pages_unborrow);
