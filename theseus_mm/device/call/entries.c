// SPDX-License-Identifier: GPL-2.0
#include "device/call/entries.h"

#include "device/call/user_words.h"

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

/*
 * Prepare to write or read the array at address @user. The caller's entries have @size bytes,
 * the first version of an entry had @min_size bytes, and an entry of this version of the module
 * has @known bytes. Returns -EINVAL if @size is less than @min_size, more than a page, or not a
 * multiple of 8. The array itself is not accessed.
 */
int tmm_entries_init(struct tmm_entries *entries, u64 user, u32 size, size_t min_size,
		     size_t known)
{
	if (size < min_size || size > PAGE_SIZE || size % 8)
		return -EINVAL;
	entries->user = u64_to_user_ptr(user);
	entries->size = size;
	entries->known = known;
	return 0;
}

static char __user *entry_at(const struct tmm_entries *entries, u32 i)
{
	return entries->user + i * entries->size;
}

/* Copy @entry, which has the module's size, to entry @i of the array. May sleep. */
int tmm_entries_write(const struct tmm_entries *entries, u32 i, const void *entry)
{
	const size_t both = min(entries->size, entries->known);
	char __user *to = entry_at(entries, i);

	if (copy_to_user(to, entry, both) || clear_user(to + both, entries->size - both))
		return -EFAULT;
	return 0;
}

/*
 * Copy entry @i of the array to @entry, which has the module's size. Returns -E2BIG if the
 * caller's entry is longer and has a byte other than 0 past the module's size. May sleep.
 */
int tmm_entries_read(const struct tmm_entries *entries, u32 i, void *entry)
{
	return copy_struct_from_user(entry, entries->known, entry_at(entries, i), entries->size);
}

/*
 * Copy @nr entries from entry @first of the array on to @all, as by tmm_entries_read(). May sleep.
 * After an error, @all holds nothing of use.
 */
int tmm_entries_read_all(const struct tmm_entries *entries, u32 first, u32 nr, void *all)
{
	int err = 0;
	u32 i;

	if (entries->size == entries->known)
		return tmm_user_words_read(all, entry_at(entries, first), nr * entries->size);
	for (i = 0; i < nr && !err; i++)
		err = tmm_entries_read(entries, first + i, all + i * entries->known);
	return err;
}

/*
 * Copy the @nr entries of @all to the array, from entry @first on, as by tmm_entries_write(). May
 * sleep. After an error, some of the entries may have been written.
 */
int tmm_entries_write_all(const struct tmm_entries *entries, u32 first, u32 nr, const void *all)
{
	int err = 0;
	u32 i;

	if (entries->size == entries->known)
		return tmm_user_words_write(entry_at(entries, first), all, nr * entries->size);
	for (i = 0; i < nr && !err; i++)
		err = tmm_entries_write(entries, first + i, all + i * entries->known);
	return err;
}
