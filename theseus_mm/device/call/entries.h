/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Arrays of structures in user space.
 *
 * The caller passes the size of an entry, just as the number of a call contains the size of the
 * call's structure. So later versions can add fields at the end of an entry.
 *
 *	write	copies the bytes that both sides know, and clears the rest of the caller's entry
 *	read	copies the bytes that both sides know, and sets the fields that the caller does
 *		not know to 0; bytes that the module does not know must be 0 (-E2BIG)
 *
 * The functions for several entries copy all entries at once if both sizes are equal.
 *
 * Invariant: nothing outside the caller's array is read or written.
 * Lock: none. The functions sleep, so the caller must not hold a spinlock.
 * Owner: the caller owns the array; struct tmm_entries lives for one call.
 */
#ifndef TMM_DEVICE_CALL_ENTRIES_H
#define TMM_DEVICE_CALL_ENTRIES_H

#include <linux/build_bug.h>
#include <linux/compiler_types.h>
#include <linux/stddef.h>
#include <linux/types.h>

/* An array in user space. */
struct tmm_entries {
	char __user *user;	/* the first entry */
	size_t size;		/* size of the caller's entry */
	size_t known;		/* size of the module's entry */
};

int __must_check tmm_entries_init(struct tmm_entries *entries, u64 user, u32 size,
				  size_t min_size, size_t known);
int __must_check tmm_entries_write(const struct tmm_entries *entries, u32 i, const void *entry);
int __must_check tmm_entries_read(const struct tmm_entries *entries, u32 i, void *entry);
int __must_check tmm_entries_write_all(const struct tmm_entries *entries, u32 first, u32 nr,
				       const void *all);
int __must_check tmm_entries_read_all(const struct tmm_entries *entries, u32 first, u32 nr,
				      void *all);

/* @last is the last member of the structure's first version. */
#define TMM_ENTRIES_INIT(_entries, _user, _size, _struct, _last)			\
	tmm_entries_init(_entries, _user, _size, offsetofend(struct _struct, _last),	\
			 sizeof(struct _struct) +					\
			 BUILD_BUG_ON_ZERO(sizeof(struct _struct) % 8))

#endif /* TMM_DEVICE_CALL_ENTRIES_H */
