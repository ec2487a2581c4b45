/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Arrays of structures in user space.
 *
 * The caller says how large an entry is, as the size in a call's number says how large
 * its structure is: so entries can grow at their end as structures do.
 *
 *	written		as far as both know it; the rest of the caller's entry is cleared
 *	read		as far as both know it; what the caller does not know is 0 here, and
 *			what is not known here must be 0 (-E2BIG)
 *
 * Invariant: what lies outside the caller's array is neither read nor written.
 * Lock: none; not to be used under one that must not sleep.
 * Owner: the array is the caller's. What is here is forgotten with the call.
 */
#ifndef TMM_DEVICE_ENTRIES_H
#define TMM_DEVICE_ENTRIES_H

#include <linux/build_bug.h>
#include <linux/compiler_types.h>
#include <linux/stddef.h>
#include <linux/types.h>

/**
 * struct tmm_entries - an array in user space
 * @user: its first entry
 * @size: of an entry, as the caller knows it
 * @known: the same, as it is known here
 */
struct tmm_entries {
	char __user *user;
	size_t size;
	size_t known;
};

int __must_check tmm_entries_init(struct tmm_entries *entries, u64 user, u32 size,
				  size_t min_size, size_t known);
int __must_check tmm_entries_write(const struct tmm_entries *entries, u32 i, const void *entry);
int __must_check tmm_entries_read(const struct tmm_entries *entries, u32 i, void *entry);

/* @last is the last member of the structure's first version. */
#define TMM_ENTRIES_INIT(_entries, _user, _size, _struct, _last)			\
	tmm_entries_init(_entries, _user, _size, offsetofend(struct _struct, _last),	\
			 sizeof(struct _struct) +					\
			 BUILD_BUG_ON_ZERO(sizeof(struct _struct) % 8))

#endif /* TMM_DEVICE_ENTRIES_H */
