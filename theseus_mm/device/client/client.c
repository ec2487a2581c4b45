// SPDX-License-Identifier: GPL-2.0
#include "device/client/client.h"

#include "alloc/account.h"
#include "device/client/handles.h"
#include "device/client/poll.h"
#include "device/client/trace.h"
#include "device/client/user.h"

#include <kunit/visibility.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/xarray.h>

static DEFINE_XARRAY_ALLOC1(clients);
static u32 next_id;
static atomic_t nr_clients;

/*
 * Add @client to the table; the current process is opening the client. Return 0, -ENOMEM, or
 * -ENFILE if all numbers are in use.
 */
static int clients_add(struct tmm_client *client)
{
	struct tmm_client_identity *identity = &client->identity;
	int err;

	kref_init(&identity->kref);
	identity->uid = current_uid();
	identity->pid = get_pid(task_tgid(current));
	get_task_comm(identity->comm, current->group_leader);
	err = xa_alloc_cyclic(&clients, &identity->id, client, XA_LIMIT(1, TMM_MAX_CLIENT_ID),
			      &next_id, GFP_KERNEL_ACCOUNT);
	if (err < 0) {
		put_pid(identity->pid);
		return err == -EBUSY ? -ENFILE : err;
	}
	atomic_inc(&nr_clients);
	trace_tmm_client_open(identity->id);
	return 0;
}

/*
 * Mark a client without objects as closed, because its file is gone. The client stays in the
 * table while its account is charged for something.
 */
static void clients_close(struct tmm_client *client)
{
	trace_tmm_client_close(client->identity.id);
	WRITE_ONCE(client->is_closed, true);
	atomic_dec(&nr_clients);
}

/*
 * Remove a closed client, whose account is not charged for anything, from the table. Drop the
 * table's reference; the last reference frees the client.
 */
static void clients_remove(struct tmm_client *client)
{
	xa_erase(&clients, client->identity.id);
	tmm_client_put(client);
}

/* Count the clients that are not closed. */
u32 tmm_clients_nr(void)
{
	return atomic_read(&nr_clients);
}

/*
 * Find the first client whose number is @from or higher. The caller gets a reference. The
 * result is NULL if there is no such client.
 */
struct tmm_client *tmm_clients_find(u32 from)
{
	unsigned long id = from;
	struct tmm_client *client;

	xa_lock(&clients);
	client = xa_find(&clients, &id, ULONG_MAX, XA_PRESENT);
	if (client)
		kref_get(&client->identity.kref);
	xa_unlock(&clients);
	return client;
}

/*
 * Drop the caller's reference on @client and find the client after it, with a reference. The
 * result is NULL after the last client. May sleep.
 */
struct tmm_client *tmm_clients_next(struct tmm_client *client)
{
	u32 id = client->identity.id;

	tmm_client_put(client);
	cond_resched();
	return tmm_clients_find(id + 1);
}

static void free_client(struct kref *kref)
{
	struct tmm_client *client = container_of(kref, struct tmm_client, identity.kref);

	put_pid(client->identity.pid);
	kfree(client);
}

/* Drop a reference on @client, in any context. The last reference frees the client. */
void tmm_client_put(struct tmm_client *client)
{
	kref_put(&client->identity.kref, free_client);
}

/* Remove a closed client whose account is no longer charged for anything. */
static void release_account(struct tmm_account *account)
{
	clients_remove(container_of(account, struct tmm_client, own_account));
}

/* Make the client's account. Its parent is the account of the user who opens the device. */
static int init_account(struct tmm_client *client)
{
	struct tmm_account *user = tmm_user_account_get();

	if (!user)
		return -ENOMEM;
	client->account = &client->own_account;
	tmm_account_init(client->account, user, NULL, release_account);
	tmm_user_default_limits(client->account->own_max);
	tmm_account_put(user);
	return 0;
}

/*
 * Make a client of the current user; the client owns nothing yet. The instance has to outlive
 * the client. The result is ERR_PTR(-ENFILE) if all numbers are in use, or ERR_PTR(-ENOMEM).
 * May sleep.
 */
struct tmm_client *tmm_client_create(struct tmm_instance *inst)
{
	struct tmm_client *client = kzalloc(sizeof(*client), GFP_KERNEL_ACCOUNT);
	int err;

	if (!client)
		return ERR_PTR(-ENOMEM);
	err = init_account(client);
	if (err)
		goto err_free;
	err = tmm_offsets_init(&client->offsets);
	if (err)
		goto err_put_user;
	client->inst = inst;
	tmm_handle_table_init(&client->objects);
	xa_init_flags(&client->exports, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	/* Others can find the client once it is in the table. */
	err = clients_add(client);
	if (err)
		goto err_destroy_offsets;
	return client;

err_destroy_offsets:
	tmm_offsets_destroy(&client->offsets);
err_put_user:
	tmm_account_put(client->account->parent);
err_free:
	kfree(client);
	return ERR_PTR(err);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_client_create);

/*
 * Drop all that a client owns, and close the client. No call on the client is running, and
 * none can start. May sleep; O(objects that the client owns).
 */
void tmm_client_destroy(struct tmm_client *client)
{
	tmm_handles_destroy(client);
	clients_close(client);
	tmm_poll_leave(client);
	tmm_account_put(client->account);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_client_destroy);
