// SPDX-License-Identifier: GPL-2.0
#include "device/call/user_words.h"

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/uaccess.h>

/*
 * Copy @nr_bytes, a multiple of 8, from user space. After -EFAULT, @to holds nothing of use. May
 * sleep.
 */
int tmm_user_words_read(void *to, const void __user *from, size_t nr_bytes)
{
	const u64 __user *user = from;
	u64 *word = to, *end = to + nr_bytes;

	might_fault();
	if (!user_read_access_begin(user, nr_bytes))
		return -EFAULT;
	for (; end - word >= 4; word += 4, user += 4) {
		unsafe_get_user(word[0], &user[0], fault);
		unsafe_get_user(word[1], &user[1], fault);
		unsafe_get_user(word[2], &user[2], fault);
		unsafe_get_user(word[3], &user[3], fault);
	}
	for (; word < end; word++, user++)
		unsafe_get_user(*word, user, fault);
	user_read_access_end();
	return 0;

fault:
	user_read_access_end();
	return -EFAULT;
}

/*
 * Copy @nr_bytes, a multiple of 8, to user space. After -EFAULT, a part may have been written. May
 * sleep.
 */
int tmm_user_words_write(void __user *to, const void *from, size_t nr_bytes)
{
	const u64 *word = from, *end = from + nr_bytes;
	u64 __user *user = to;

	might_fault();
	if (!user_write_access_begin(user, nr_bytes))
		return -EFAULT;
	for (; end - word >= 4; word += 4, user += 4) {
		unsafe_put_user(word[0], &user[0], fault);
		unsafe_put_user(word[1], &user[1], fault);
		unsafe_put_user(word[2], &user[2], fault);
		unsafe_put_user(word[3], &user[3], fault);
	}
	for (; word < end; word++, user++)
		unsafe_put_user(*word, user, fault);
	user_write_access_end();
	return 0;

fault:
	user_write_access_end();
	return -EFAULT;
}
