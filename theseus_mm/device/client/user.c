// SPDX-License-Identifier: GPL-2.0
#include "device/client/user.h"

#include <linux/cred.h>
#include <linux/hashtable.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/user_namespace.h>

/*
 * Linux nests at most 33 user namespaces below the first one. So the list has at most 33 owners of
 * namespaces and the user itself; one entry is spare.
 */
#define MAX_OWNERS	35

/* The parameter was not given, so tmm_user_limits_init() chooses its value. */
#define NOT_SET		(TMM_NO_LIMIT - 1)

/* A user who has clients, or who owns a namespace whose users have clients. */
struct user {
	/*
	 * The account of all these clients. The account's reference count is that of the user.
	 * Its parent is the account of the owner of the user's namespace, or NULL in the first
	 * namespace.
	 */
	struct tmm_account account;
	kuid_t uid;
	struct hlist_node node;	/* in @users */
};

static int set_limit(const char *text, const struct kernel_param *kp)
{
	u64 limit = TMM_NO_LIMIT;
	unsigned int i;
	int err;

	err = sysfs_streq(text, "unlimited") ? 0 : kstrtou64(text, 0, &limit);
	if (err) {
		pr_err("%s=%s: not a number up to %llu: name such a number, or \"unlimited\"\n",
		       kp->name, text, TMM_NO_LIMIT - 1);
		return err;
	}
	WRITE_ONCE(*(u64 *)kp->arg, limit < NOT_SET ? limit : TMM_NO_LIMIT);
	/*
	 * Wake waiters, because the limit may be higher now and a user's limit is in force at
	 * once.
	 */
	for (i = 0; i < TMM_NR_RESOURCES; i++)
		tmm_waiters_note(i);
	return 0;
}

static int get_limit(char *buffer, const struct kernel_param *kp)
{
	u64 limit = READ_ONCE(*(u64 *)kp->arg);

	return limit == TMM_NO_LIMIT ? sysfs_emit(buffer, "unlimited\n") :
	       sysfs_emit(buffer, "%llu\n", limit);
}

/* The operations of a parameter that sets a limit, a u64 of tmm_user_limits. */
const struct kernel_param_ops tmm_user_limits_param_ops = {
	.set = set_limit,
	.get = get_limit,
};

struct tmm_user_limits tmm_user_limits = {
	.client = {
		[TMM_RESOURCE_FRAMES] = TMM_NO_LIMIT,
		[TMM_RESOURCE_PAGES] = NOT_SET,
		[TMM_RESOURCE_HANDLES] = 1U << 16,
	},
	.user = {
		[TMM_RESOURCE_FRAMES] = TMM_NO_LIMIT,
		[TMM_RESOURCE_PAGES] = NOT_SET,
		[TMM_RESOURCE_HANDLES] = 1U << 17,
	},
};

/*
 * Choose the default limits of pages, before the device can be opened. A user may have half of
 * the @nr_pages pages and a client a quarter, unless parameters set other limits.
 */
void tmm_user_limits_init(u64 nr_pages)
{
	if (tmm_user_limits.client[TMM_RESOURCE_PAGES] == NOT_SET)
		tmm_user_limits.client[TMM_RESOURCE_PAGES] = nr_pages / 4;
	if (tmm_user_limits.user[TMM_RESOURCE_PAGES] == NOT_SET)
		tmm_user_limits.user[TMM_RESOURCE_PAGES] = nr_pages / 2;
}

/* Set @max to the limits of a new client: the present values of the module parameters. */
void tmm_user_default_limits(u64 max[TMM_NR_RESOURCES])
{
	unsigned int i;

	for (i = 0; i < TMM_NR_RESOURCES; i++)
		max[i] = READ_ONCE(tmm_user_limits.client[i]);
}

static DEFINE_SPINLOCK(users_lock);	/* users */
static DEFINE_HASHTABLE(users, 6);

/* Free a user who has no clients, and whose account is no longer charged for anything. */
static void release_user(struct tmm_account *account)
{
	struct user *user = container_of(account, struct user, account);

	spin_lock(&users_lock);
	hash_del(&user->node);
	spin_unlock(&users_lock);
	kfree(user);
}

static struct user *look_up_user(kuid_t uid, const struct tmm_account *parent)
{
	struct user *user;

	lockdep_assert_held(&users_lock);
	/* Skip a user that is about to leave the table; nothing is charged to that user. */
	hash_for_each_possible(users, user, node, __kuid_val(uid))
		if (uid_eq(user->uid, uid) && user->account.parent == parent &&
		    kref_get_unless_zero(&user->account.kref))
			return user;
	return NULL;
}

/*
 * Get the account of @uid whose parent is @parent, with a reference for the caller. The result is
 * NULL if the kernel heap is exhausted.
 */
static struct tmm_account *get_below(struct tmm_account *parent, kuid_t uid)
{
	struct user *fresh = kzalloc(sizeof(*fresh), GFP_KERNEL_ACCOUNT);
	struct user *user;

	if (!fresh)
		return NULL;
	fresh->uid = uid;
	spin_lock(&users_lock);
	user = look_up_user(uid, parent);
	if (!user) {
		tmm_account_init(&fresh->account, parent, tmm_user_limits.user, release_user);
		hash_add(users, &fresh->node, __kuid_val(uid));
	}
	spin_unlock(&users_lock);
	if (!user)
		return &fresh->account;
	kfree(fresh);
	return &user->account;
}

/*
 * List the current user, the owner of the user's namespace, and so on up to the first
 * namespace.
 */
static unsigned int list_owners(kuid_t uids[MAX_OWNERS])
{
	const struct user_namespace *ns = current_user_ns();
	unsigned int nr = 0;

	uids[nr++] = current_uid();
	for (; ns != &init_user_ns && nr < MAX_OWNERS; ns = ns->parent)
		uids[nr++] = ns->owner;
	return nr;
}

/*
 * Get the account of the current user, with a reference for the caller. A new account has no
 * charges. The result is NULL if the kernel heap is exhausted. May sleep; O(nested user
 * namespaces).
 *
 * The owner of a user namespace is charged for all users in the namespace, as in Linux's own
 * counts per user. Otherwise each of the many users of a namespace would have the full limits.
 */
struct tmm_account *tmm_user_account_get(void)
{
	kuid_t uids[MAX_OWNERS];
	unsigned int i = list_owners(uids);
	struct tmm_account *account = NULL, *below;

	while (i--) {
		/* If the user owns the namespace, do not charge the same uid twice. */
		if (account && uid_eq(uids[i], uids[i + 1]))
			continue;
		below = get_below(account, uids[i]);
		tmm_account_put(account);
		if (!below)
			return NULL;
		account = below;
	}
	return account;
}
