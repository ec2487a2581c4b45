// SPDX-License-Identifier: GPL-2.0
#include "device/user.h"

#include <linux/hashtable.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/sysfs.h>

/**
 * struct user - a user who has clients
 * @account: what all of them have; its reference count is the user's
 * @uid: who
 * @node: in the table
 */
struct user {
	struct tmm_account account;
	kuid_t uid;
	struct hlist_node node;
};

static int set_limit(const char *text, const struct kernel_param *kp)
{
	u64 limit = TMM_NO_LIMIT;
	int err = sysfs_streq(text, "unlimited") ? 0 : kstrtou64(text, 0, &limit);
	unsigned int i;

	if (err)
		return err;
	WRITE_ONCE(*(u64 *)kp->arg, limit);
	/* It may have been raised: those of users hold for all of them at once. */
	for (i = 0; i < TMM_NR_RESOURCES; i++)
		tmm_comebacks_note(i);
	return 0;
}

static int get_limit(char *buffer, const struct kernel_param *kp)
{
	u64 limit = READ_ONCE(*(u64 *)kp->arg);

	return limit == TMM_NO_LIMIT ? sysfs_emit(buffer, "unlimited\n") :
	       sysfs_emit(buffer, "%llu\n", limit);
}

static const struct kernel_param_ops limit_ops = {
	.set = set_limit,
	.get = get_limit,
};

/* Of a client that is opened now. */
static u64 max_client[TMM_NR_RESOURCES] = {
	[TMM_RESOURCE_FRAMES] = TMM_NO_LIMIT,
	[TMM_RESOURCE_PAGES] = TMM_NO_LIMIT,
	[TMM_RESOURCE_HANDLES] = 1U << 20,
};

/* Of all users. */
static u64 max_user[TMM_NR_RESOURCES] = {
	[TMM_RESOURCE_FRAMES] = TMM_NO_LIMIT,
	[TMM_RESOURCE_PAGES] = TMM_NO_LIMIT,
	[TMM_RESOURCE_HANDLES] = TMM_NO_LIMIT,
};

module_param_cb(max_frames, &limit_ops, &max_client[TMM_RESOURCE_FRAMES], 0644);
MODULE_PARM_DESC(max_frames,
		 "frames of 4 KiB that a client may have, from when it is opened (default unlimited)");

module_param_cb(max_handles, &limit_ops, &max_client[TMM_RESOURCE_HANDLES], 0644);
MODULE_PARM_DESC(max_handles,
		 "handles that a client may have, from when it is opened (default 1048576)");

module_param_cb(max_user_frames, &limit_ops, &max_user[TMM_RESOURCE_FRAMES], 0644);
MODULE_PARM_DESC(max_user_frames,
		 "frames that all clients of one user may have together (default unlimited)");

module_param_cb(max_user_handles, &limit_ops, &max_user[TMM_RESOURCE_HANDLES], 0644);
MODULE_PARM_DESC(max_user_handles,
		 "handles that all clients of one user may have together (default unlimited)");

/**
 * tmm_default_limits() - the limits of a new client
 * @max: set to the module parameters, as they are now
 */
void tmm_default_limits(u64 max[TMM_NR_RESOURCES])
{
	unsigned int i;

	for (i = 0; i < TMM_NR_RESOURCES; i++)
		max[i] = READ_ONCE(max_client[i]);
}

static DEFINE_SPINLOCK(users_lock);	/* users */
static DEFINE_HASHTABLE(users, 6);

/* The last client is gone, and so is all that it had. */
static void release_user(struct tmm_account *account)
{
	struct user *user = container_of(account, struct user, account);

	spin_lock(&users_lock);
	hash_del(&user->node);
	spin_unlock(&users_lock);
	kfree(user);
}

static struct user *find(kuid_t uid)
{
	struct user *user;

	lockdep_assert_held(&users_lock);
	/* One that is about to leave the table has nothing, and is passed over. */
	hash_for_each_possible(users, user, node, __kuid_val(uid))
		if (uid_eq(user->uid, uid) && kref_get_unless_zero(&user->account.kref))
			return user;
	return NULL;
}

/**
 * tmm_user_account_get() - the account of a user, who has nothing if new
 * @uid: who
 *
 * Context: Process context, may sleep.
 * Return: the account, with a reference, the caller's; or NULL if the kernel heap is
 * exhausted
 */
struct tmm_account *tmm_user_account_get(kuid_t uid)
{
	struct user *fresh = kzalloc(sizeof(*fresh), GFP_KERNEL_ACCOUNT);
	struct user *user;

	if (!fresh)
		return NULL;
	tmm_account_init(&fresh->account, NULL, max_user, release_user);
	fresh->uid = uid;
	spin_lock(&users_lock);
	user = find(uid);
	if (!user)
		hash_add(users, &fresh->node, __kuid_val(uid));
	spin_unlock(&users_lock);
	if (!user)
		return &fresh->account;
	kfree(fresh);
	return &user->account;
}
