// SPDX-License-Identifier: GPL-2.0
#include "device/user.h"

#include <linux/hashtable.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/sysfs.h>

static int set_limit(const char *text, const struct kernel_param *kp)
{
	u64 limit = TMM_NO_LIMIT;
	int err = sysfs_streq(text, "unlimited") ? 0 : kstrtou64(text, 0, &limit);

	if (!err)
		WRITE_ONCE(*(u64 *)kp->arg, limit);
	return err;
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

static u64 max_frames = TMM_NO_LIMIT;
module_param_cb(max_frames, &limit_ops, &max_frames, 0644);
MODULE_PARM_DESC(max_frames,
		 "frames of 4 KiB that a client may have, from when it is opened (default unlimited)");

static u64 max_handles = 1U << 20;
module_param_cb(max_handles, &limit_ops, &max_handles, 0644);
MODULE_PARM_DESC(max_handles,
		 "handles that a client may have, from when it is opened (default 1048576)");

static u64 max_user_frames = TMM_NO_LIMIT;
module_param_cb(max_user_frames, &limit_ops, &max_user_frames, 0644);
MODULE_PARM_DESC(max_user_frames,
		 "frames that all clients of one user may have together (default unlimited)");

static u64 max_user_handles = TMM_NO_LIMIT;
module_param_cb(max_user_handles, &limit_ops, &max_user_handles, 0644);
MODULE_PARM_DESC(max_user_handles,
		 "handles that all clients of one user may have together (default unlimited)");

/**
 * tmm_default_max_frames() - the limit of frames of a new client
 *
 * Return: the module parameter, as it is now
 */
u64 tmm_default_max_frames(void)
{
	return READ_ONCE(max_frames);
}

/**
 * tmm_default_max_handles() - the limit of handles of a new client
 *
 * Return: the module parameter, as it is now
 */
u64 tmm_default_max_handles(void)
{
	return READ_ONCE(max_handles);
}

static DEFINE_SPINLOCK(users_lock);	/* users */
static DEFINE_HASHTABLE(users, 6);

/* The last client is gone, and so are all frames. */
static void release_user(struct tmm_account *frames)
{
	struct tmm_user *user = container_of(frames, struct tmm_user, frames);

	spin_lock(&users_lock);
	hash_del(&user->node);
	spin_unlock(&users_lock);
	kfree(user);
}

/* The user keeps a reference of it until the end. */
static void release_handles(struct tmm_account *handles)
{
}

static struct tmm_user *find(kuid_t uid)
{
	struct tmm_user *user;

	lockdep_assert_held(&users_lock);
	/* One that is about to leave the table has nothing, and is passed over. */
	hash_for_each_possible(users, user, node, __kuid_val(uid))
		if (uid_eq(user->uid, uid) && kref_get_unless_zero(&user->frames.kref))
			return user;
	return NULL;
}

/**
 * tmm_user_get() - find a user, or make one that has nothing
 * @uid: who
 *
 * Context: Process context, may sleep.
 * Return: the user, with a reference, the caller's; or NULL if the kernel heap is
 * exhausted
 */
struct tmm_user *tmm_user_get(kuid_t uid)
{
	struct tmm_user *fresh = kzalloc(sizeof(*fresh), GFP_KERNEL_ACCOUNT);
	struct tmm_user *user;

	if (!fresh)
		return NULL;
	tmm_account_init(&fresh->frames, NULL, &max_user_frames, release_user);
	tmm_account_init(&fresh->handles, NULL, &max_user_handles, release_handles);
	fresh->uid = uid;
	spin_lock(&users_lock);
	user = find(uid);
	if (!user)
		hash_add(users, &fresh->node, __kuid_val(uid));
	spin_unlock(&users_lock);
	if (!user)
		return fresh;
	kfree(fresh);
	return user;
}

/**
 * tmm_user_put() - give a reference back
 * @user: the user
 *
 * Context: Any but interrupt.
 */
void tmm_user_put(struct tmm_user *user)
{
	tmm_account_put(&user->frames);
}
