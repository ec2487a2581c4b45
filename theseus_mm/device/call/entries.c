// SPDX-License-Identifier: GPL-2.0
#include "device/call/entries.h"

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

/**
 * tmm_entries_init() - prepare to write or read an array
 * @entries: filled in
 * @user: the array's address; not accessed before an entry is
 * @size: size of an entry, as the caller says
 * @min_size: size of the first version of an entry
 * @known: size of an entry in this version of the module
 *
 * Return: 0, or -EINVAL if @size is less than @min_size, more than a page, or no multiple
 * of 8
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

/**
 * tmm_entries_write() - copy an entry to the caller
 * @entries: the array
 * @i: index of the entry
 * @entry: the entry, of the module's size
 *
 * Context: Process context, may sleep.
 * Return: 0 or -EFAULT
 */
int tmm_entries_write(const struct tmm_entries *entries, u32 i, const void *entry)
{
	const size_t both = min(entries->size, entries->known);
	char __user *to = entry_at(entries, i);

	if (copy_to_user(to, entry, both) || clear_user(to + both, entries->size - both))
		return -EFAULT;
	return 0;
}

/**
 * tmm_entries_read() - copy an entry from the caller
 * @entries: the array
 * @i: index of the entry
 * @entry: filled, with the module's size
 *
 * Context: Process context, may sleep.
 * Return: 0, -EFAULT, or -E2BIG if a byte that the module does not know is not 0
 */
int tmm_entries_read(const struct tmm_entries *entries, u32 i, void *entry)
{
	return copy_struct_from_user(entry, entries->known, entry_at(entries, i), entries->size);
}
