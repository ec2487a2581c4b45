// SPDX-License-Identifier: GPL-2.0
#include "device/client/clients.h"

#include "alloc/frames.h"
#include "alloc/pages.h"
#include "alloc/trace.h"
#include "device/client/client.h"
#include "device/share/mapping_file.h"
#include "mapping/mapped_pages.h"

#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/errno.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>
#include <linux/xarray.h>

/* Handles that are reserved or taken, passed over without letting others run. */
#define MAX_SKIPPED	1024

static DEFINE_XARRAY_ALLOC1(clients);
static u32 next_id;
static atomic_t nr_clients;

/**
 * tmm_clients_add() - let a client be found
 * @client: being opened by the current process
 *
 * Context: Process context, may sleep.
 * Return: 0, -ENOMEM, or -ENFILE if all numbers are in use
 */
int tmm_clients_add(struct tmm_client *client)
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

/**
 * tmm_clients_close() - mark a client as closed, since its file is gone
 * @client: has no objects any more; stays in the table, as closed, as long as its account
 *          is charged for something
 *
 * Context: Process context.
 */
void tmm_clients_close(struct tmm_client *client)
{
	trace_tmm_client_close(client->identity.id);
	WRITE_ONCE(client->is_closed, true);
	atomic_dec(&nr_clients);
}

/**
 * tmm_clients_remove() - remove a client from the table, and drop the table's reference
 * @client: closed, with nothing charged; freed with the last reference
 *
 * Context: Any but interrupt.
 */
void tmm_clients_remove(struct tmm_client *client)
{
	xa_erase(&clients, client->identity.id);
	tmm_client_put(client);
}

/**
 * tmm_clients_nr() - count the clients that are not closed
 *
 * Return: the number at this moment
 */
u32 tmm_clients_nr(void)
{
	return atomic_read(&nr_clients);
}

/**
 * tmm_clients_find() - the first client from a number on
 * @from: the number
 *
 * Context: Process context.
 * Return: the client, with a reference; or NULL
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

/**
 * tmm_clients_next() - the client after another one
 * @client: its reference is given back
 *
 * Context: Process context, may sleep.
 * Return: the client, with a reference; or NULL
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

/**
 * tmm_client_put() - give a reference back
 * @client: the client
 *
 * Context: Any.
 */
void tmm_client_put(struct tmm_client *client)
{
	kref_put(&client->identity.kref, free_client);
}

/**
 * tmm_sees_all() - may physical addresses and the clients of others be shown?
 *
 * The answer decides what a call shows, and refuses no call. So a missing capability is
 * not logged by audit; an existing one counts as used.
 *
 * Context: Process context.
 * Return: true if the current process has CAP_SYS_ADMIN
 */
bool tmm_sees_all(void)
{
	return ns_capable_noaudit(&init_user_ns, CAP_SYS_ADMIN);
}

/**
 * tmm_client_is_visible() - may the current process know of a client?
 * @client: the client
 * @caller: the one that asks through it
 *
 * Return: true if it is @caller, or one of the same user, or with CAP_SYS_ADMIN
 */
bool tmm_client_is_visible(const struct tmm_client *client, const struct tmm_client *caller)
{
	return client == caller || uid_eq(client->identity.uid, current_uid()) ||
	       tmm_sees_all();
}

static void look_at_mapping(const struct tmm_object *object, struct tmm_look *look)
{
	const struct tmm_mapped_pages *mp = object->mapping;
	const struct tmm_page_range pages = tmm_mapped_pages_range(mp);
	struct theseus_mm_query query;

	tmm_mapping_describe(mp, &query);
	look->start = pages.r.first;
	look->nr = pages.r.nr;
	look->nr_frame_ranges = query.nr_frame_ranges;
	look->flags = tmm_mapped_pages_flags(mp);
	look->attributes = query.attributes;
	if (object->mf && READ_ONCE(object->mf->nr_lingering))
		look->attributes |= THESEUS_MM_ATTRIBUTE_PINNED;
	look->nr_borrows = query.nr_borrows;
	/* Its lock sleeps; that it is empty or not needs none. */
	look->is_mmapped = object->mf && !list_empty_careful(&object->mf->loans);
}

static struct tmm_look look_at(const struct tmm_object *object)
{
	struct tmm_look look = { .handle = object->handle, .kind = object->kind };

	switch (object->kind) {
	case THESEUS_MM_KIND_PAGES:
		look.start = object->pages->chunk.start;
		look.nr = object->pages->chunk.nr;
		break;
	case THESEUS_MM_KIND_FRAMES:
		look.start = object->frames->f.chunk.start;
		look.nr = object->frames->f.chunk.nr;
		look.nr_frame_ranges = 1;
		break;
	case THESEUS_MM_KIND_MAPPING:
		look_at_mapping(object, &look);
		break;
	}
	return look;
}

/**
 * tmm_client_look() - what a client owns
 * @client: the client; may be in use, or at its end
 * @from: the first handle to look at; above all handles is allowed
 * @looks: filled in, by handle; what another call is changing is left out
 * @nr: room there
 *
 * Context: Process context, may sleep. Holds the handle table's lock for @nr objects.
 * Return: how many were found; fewer than @nr if there are no more
 */
unsigned int tmm_client_look(struct tmm_client *client, u64 from, struct tmm_look *looks,
			     unsigned int nr)
{
	XA_STATE(xas, &client->objects, from);
	unsigned int nr_found = 0, nr_skipped = 0;
	struct tmm_object *object;

	xas_lock(&xas);
	xas_for_each(&xas, object, U32_MAX) {
		if (xas_retry(&xas, object)) {
			if (++nr_skipped % MAX_SKIPPED)
				continue;
			xas_pause(&xas);
			xas_unlock(&xas);
			cond_resched();
			xas_lock(&xas);
			continue;
		}
		looks[nr_found++] = look_at(object);
		if (nr_found == nr)
			break;
	}
	xas_unlock(&xas);
	return nr_found;
}

/* As tmm_mapping_file_query(): who has a descriptor for reading gets no more than that. */
static struct tmm_look look_at_export(struct tmm_mapping_file *mf, u32 number)
{
	const struct tmm_object object = {
		.handle = number,
		.kind = THESEUS_MM_KIND_MAPPING,
		.mf = mf,
		.mapping = mf->exported,
	};
	struct tmm_look look = look_at(&object);

	if (mf->is_read_only) {
		look.attributes |= THESEUS_MM_ATTRIBUTE_READ_ONLY;
		look.flags &= ~TMM_PTE_WRITABLE;
	}
	return look;
}

/**
 * tmm_client_look_at_exports() - what a client exported and nobody imported
 * @client: the client; may be in use, or at its end
 * @from: the first number to look at; above all numbers is allowed
 * @looks: filled in, by number, which stands for a handle
 * @nr: room there
 *
 * Context: Process context. Holds the lock of the table of exports for @nr of them.
 * Return: how many were found; fewer than @nr if there are no more
 */
unsigned int tmm_client_look_at_exports(struct tmm_client *client, u64 from,
					struct tmm_look *looks, unsigned int nr)
{
	struct tmm_mapping_file *mf;
	unsigned int nr_found = 0;
	unsigned long id = from;

	/* What is listed keeps its mapping. */
	xa_lock(&client->exports);
	mf = xa_find(&client->exports, &id, U32_MAX, XA_PRESENT);
	while (mf && nr_found < nr) {
		looks[nr_found++] = look_at_export(mf, id);
		mf = xa_find_after(&client->exports, &id, U32_MAX, XA_PRESENT);
	}
	xa_unlock(&client->exports);
	return nr_found;
}
