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

/* Linux nests at most 33 user namespaces below the first; the user itself is one more. */
#define MAX_OWNERS	35

/* A parameter that was not given: tmm_user_limits_init() chooses its value. */
#define NOT_SET		(TMM_NO_LIMIT - 1)

/**
 * struct user - a user who has clients, or who owns a namespace whose users have clients
 * @account: account of all these clients; its reference count is the user's. Its parent is
 *           the account of the owner of the user's namespace; NULL in the first namespace.
 * @uid: the user's uid
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

	if (err) {
		pr_err("%s=%s: not a number up to %llu: name such a number, or \"unlimited\"\n",
		       kp->name, text, TMM_NO_LIMIT - 1);
		return err;
	}
	WRITE_ONCE(*(u64 *)kp->arg, limit < NOT_SET ? limit : TMM_NO_LIMIT);
	/* The limit may have been raised, and a user's limit is in force at once: wake waiters. */
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

/* A limit that a parameter sets: a u64 of tmm_limits. */
const struct kernel_param_ops tmm_limits_param_ops = {
	.set = set_limit,
	.get = get_limit,
};

struct tmm_limits tmm_limits = {
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

/**
 * tmm_user_limits_init() - choose the default limits of pages
 * @nr_pages: pages that clients can have
 *
 * A user may have half of the pages and a client a quarter, unless parameters say otherwise.
 *
 * Context: Process context; nobody has opened the device yet.
 */
void tmm_user_limits_init(u64 nr_pages)
{
	if (tmm_limits.client[TMM_RESOURCE_PAGES] == NOT_SET)
		tmm_limits.client[TMM_RESOURCE_PAGES] = nr_pages / 4;
	if (tmm_limits.user[TMM_RESOURCE_PAGES] == NOT_SET)
		tmm_limits.user[TMM_RESOURCE_PAGES] = nr_pages / 2;
}

/**
 * tmm_user_default_limits() - the limits of a new client
 * @max: set to the module parameters, as they are now
 */
void tmm_user_default_limits(u64 max[TMM_NR_RESOURCES])
{
	unsigned int i;

	for (i = 0; i < TMM_NR_RESOURCES; i++)
		max[i] = READ_ONCE(tmm_limits.client[i]);
}

static DEFINE_SPINLOCK(users_lock);	/* users */
static DEFINE_HASHTABLE(users, 6);

/* Free a user without clients, to whom nothing is charged any more. */
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
	/* One that is about to leave the table has nothing, and is passed over. */
	hash_for_each_possible(users, user, node, __kuid_val(uid))
		if (uid_eq(user->uid, uid) && user->account.parent == parent &&
		    kref_get_unless_zero(&user->account.kref))
			return user;
	return NULL;
}

/* The account of @uid below @parent, with a reference for the caller; or NULL. */
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
		tmm_account_init(&fresh->account, parent, tmm_limits.user, release_user);
		hash_add(users, &fresh->node, __kuid_val(uid));
	}
	spin_unlock(&users_lock);
	if (!user)
		return &fresh->account;
	kfree(fresh);
	return &user->account;
}

/* The current user, the owner of that user's namespace, and so on up to the first. */
static unsigned int list_owners(kuid_t uids[MAX_OWNERS])
{
	const struct user_namespace *ns = current_user_ns();
	unsigned int nr = 0;

	uids[nr++] = current_uid();
	for (; ns != &init_user_ns && nr < MAX_OWNERS; ns = ns->parent)
		uids[nr++] = ns->owner;
	return nr;
}

/**
 * tmm_user_account_get() - the account of the current user, who has nothing if new
 *
 * The owner of a user namespace is charged for all users in it, as with Linux's own counts
 * by user. Otherwise each of the many users of a namespace would have the full limits.
 *
 * Context: Process context, may sleep. O(nested user namespaces).
 * Return: the account, with a reference, the caller's; or NULL if the kernel heap is
 * exhausted
 */
struct tmm_account *tmm_user_account_get(void)
{
	kuid_t uids[MAX_OWNERS];
	unsigned int i = list_owners(uids);
	struct tmm_account *account = NULL, *below;

	while (i--) {
		/* The user owns the namespace: do not charge the same uid twice. */
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
