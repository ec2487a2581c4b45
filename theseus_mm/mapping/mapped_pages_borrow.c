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
 * tmm_mapped_pages_is_borrowed() - is a mapping in use?
 * @mp: the mapping
 *
 * Return: true if the mapping is borrowed, or being changed, at this moment
 */
bool tmm_mapped_pages_is_borrowed(const struct tmm_mapped_pages *mp)
{
	return atomic_read(&mp->users) != TMM_USERS_OWNER;
}
EXPORT_SYMBOL_TMM(tmm_mapped_pages_is_borrowed);

/**
 * tmm_mapped_pages_nr_borrows() - the number of borrows of a mapping
 * @mp: the mapping
 *
 * Return: the number of borrows at this moment; a change counts as one borrow
 */
unsigned int tmm_mapped_pages_nr_borrows(const struct tmm_mapped_pages *mp)
{
	unsigned int users = atomic_read(&mp->users);

	return (users & (TMM_USERS_OWNER - 1)) + !!(users & TMM_USERS_CLAIMED);
}
EXPORT_SYMBOL_TMM(tmm_mapped_pages_nr_borrows);

/**
 * tmm_mapped_pages_is_shareable() - can a mapping have many mutable borrows?
 * @mp: the mapping
 *
 * Return: the value that tmm_mapped_pages_set_shareable() set last
 */
bool tmm_mapped_pages_is_shareable(const struct tmm_mapped_pages *mp)
{
	return READ_ONCE(mp->is_shareable);
}
EXPORT_SYMBOL_TMM(tmm_mapped_pages_is_shareable);

/* Returns true if tmm_mapped_pages_seal() has made the mapping read-only. */
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
 * A shareable mapping is the exception to the rule of one writer at a time. The writers
 * themselves coordinate their accesses. Theseus has no such exception for borrows; the
 * closest function is map_to_non_exclusive().
 *
 * Context: Any.
 * Return: 0, or -EBUSY if the mapping is borrowed
 */
int tmm_mapped_pages_set_shareable(struct tmm_mapped_pages *mp, bool is_shareable)
{
	int err;

	err = tmm_mapped_pages_claim(mp);
	if (err)
		return err;
	WRITE_ONCE(mp->is_shareable, is_shareable);
	tmm_mapped_pages_unclaim(mp);
	return 0;
}
EXPORT_SYMBOL_TMM(tmm_mapped_pages_set_shareable);

/*
 * Make a mapping read-only for all later owners. A sealed mapping stays read-only through
 * remap, split and merge. The frames cannot be separated from the pages, so the frames cannot
 * be mapped writable elsewhere. Returns -EBUSY if the mapping is borrowed.
 *
 * Context: Process context, may sleep. O(leaves).
 */
int tmm_mapped_pages_seal(struct tmm_mapped_pages *mp)
{
	int err;

	err = tmm_mapped_pages_remap(mp, mp->flags & ~TMM_PTE_WRITABLE);
	if (err)
		return err;
	WRITE_ONCE(mp->is_sealed, true);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapped_pages_seal);

/*
 * Undo tmm_mapped_pages_seal(). @flags are those from before the seal. The mapping had not been
 * sealed earlier, and has had no other owner since the seal.
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

/*
 * Count a borrow. If @is_mutable, the borrow excludes all others, unless the mapping is
 * shareable. Returns -EACCES if @is_mutable and the mapping is not writable, or -EBUSY where
 * Rust's borrow checker would reject the borrow.
 *
 * Context: Any.
 */
int tmm_mapped_pages_borrow(struct tmm_mapped_pages *mp, bool is_mutable)
{
	const bool excludes = is_exclusive(mp, is_mutable);
	const int add = excludes ? TMM_USERS_CLAIMED : 1;
	int users = atomic_read(&mp->users);
	int err = 0;

	/*
	 * Do not count a mutable borrow of a read-only mapping even briefly, because the count
	 * would make other borrows fail.
	 */
	if (is_mutable && !tmm_pte_flags_is_writable(tmm_mapped_pages_flags(mp)))
		return -EACCES;
	do {
		if (users >= TMM_USERS_CLAIMED - 1 || (excludes && users != TMM_USERS_OWNER))
			return -EBUSY;
	} while (!atomic_try_cmpxchg(&mp->users, &users, users + add));
	/* The count now keeps other code from changing the flags or the shareable state. */
	if (excludes != is_exclusive(mp, is_mutable))
		err = -EBUSY;
	else if (is_mutable && !tmm_pte_flags_is_writable(mp->flags))
		err = -EACCES;
	/* The owner still holds the mapping, so the count does not become 0. */
	if (err)
		atomic_sub_return_release(add, &mp->users);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapped_pages_borrow);

/*
 * End a borrow, with the same @is_mutable as at its begin. The last borrow of a dropped mapping
 * frees the mapping.
 *
 * Context: Process context, not inside a window.
 */
void tmm_mapped_pages_unborrow(struct tmm_mapped_pages *mp, bool is_mutable)
{
	if (atomic_sub_and_test(is_exclusive(mp, is_mutable) ? TMM_USERS_CLAIMED : 1, &mp->users))
		tmm_mapped_pages_destroy(mp);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapped_pages_unborrow);
