// SPDX-License-Identifier: GPL-2.0
#include "device/show/snapshot.h"

#include "device/client/client.h"
#include "device/client/exports.h"
#include "device/client/object.h"
#include "device/share/mapping_file.h"

#include <linux/limits.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/xarray.h>

/* The number of objects or of empty blocks to look at before the lock is released for a while. */
#define MAX_STEPS	4

static struct tmm_snapshot look_at(const struct tmm_object *object)
{
	const struct tmm_range chunks = tmm_object_chunks(object);
	struct theseus_mm_query query;

	tmm_object_describe(object, &query);
	return (struct tmm_snapshot){
		.handle = object->handle,
		.kind = object->kind,
		.start = chunks.first,
		.nr = chunks.nr,
		.nr_frame_ranges = query.nr_frame_ranges,
		.flags = (__force tmm_pte_flags_t)query.pte_flags,
		.attributes = query.attributes,
		.nr_borrows = query.nr_borrows,
		/*
		 * A spinlock is held here, so the list's lock, a semaphore, cannot be taken.
		 * Testing whether the list is empty needs no lock: any answer that was right at
		 * one moment of the call will do.
		 */
		.is_mmapped = object->mf && !data_race(list_empty_careful(&object->mf->loans)),
	};
}

/*
 * Take snapshots of up to @nr objects of @client, in the order of their handles, beginning with
 * handle @from. An object that another call is changing is left out. The client may be in use
 * or closing, and @from may be above all handles. The table's lock is held for at most MAX_STEPS
 * objects and skipped blocks at a time. May sleep. Returns the number of snapshots: fewer than @nr
 * means that there are no more objects.
 */
unsigned int tmm_snapshot_objects(struct tmm_client *client, u64 from, struct tmm_snapshot *looks,
				  unsigned int nr)
{
	unsigned int nr_found = 0, nr_steps;
	struct tmm_object *object;

	while (nr_found < nr && from <= U32_MAX) {
		tmm_handle_table_lock(&client->objects);
		for (nr_steps = 0; nr_steps < MAX_STEPS && nr_found < nr && from <= U32_MAX;
		     nr_steps++) {
			object = tmm_handle_table_step(&client->objects, &from);
			if (object)
				looks[nr_found++] = look_at(object);
		}
		tmm_handle_table_unlock(&client->objects);
		cond_resched();
	}
	return nr_found;
}

/*
 * Take a snapshot of an export. A read-only export is shown as not writable, as by
 * tmm_export_query().
 */
static struct tmm_snapshot look_at_export(struct tmm_export *export, u32 number)
{
	const struct tmm_object object = {
		.handle = number,
		.kind = THESEUS_MM_KIND_MAPPING,
		.mf = &export->mf,
		.mapping = export->mapping,
	};
	struct tmm_snapshot look = look_at(&object);

	if (export->is_read_only) {
		look.attributes |= THESEUS_MM_ATTRIBUTE_READ_ONLY;
		look.flags &= ~TMM_PTE_WRITABLE;
	}
	return look;
}

/*
 * Do what tmm_snapshot_objects() does, for the mappings that the exports of @client own. The
 * snapshot's handle is the export number.
 */
static unsigned int look_at_exports(struct tmm_client *client, u64 from,
				    struct tmm_snapshot *looks, unsigned int nr)
{
	struct tmm_export *export;
	unsigned int nr_found = 0, nr_steps;
	unsigned long id = from;

	do {
		/* An export keeps its mapping while the table lists the export. */
		xa_lock(&client->exports);
		for (nr_steps = 0; nr_steps < MAX_STEPS && nr_found < nr; nr_steps++) {
			export = xa_find(&client->exports, &id, U32_MAX, XA_PRESENT);
			if (!export)
				break;
			looks[nr_found++] = look_at_export(export, id++);
		}
		xa_unlock(&client->exports);
		cond_resched();
	} while (nr_steps == MAX_STEPS && nr_found < nr);
	return nr_found;
}

/*
 * Return the next snapshot of a walk, which is valid until the next call, or NULL at the end
 * of the walk or if the task is killed. The client may be in use or closing. May sleep.
 */
const struct tmm_snapshot *tmm_snapshots_next(struct tmm_snapshots *all)
{
	if (all->next < all->nr)
		return &all->looks[all->next++];
	if (all->is_last || fatal_signal_pending(current))
		return NULL;
	cond_resched();
	all->nr = all->is_exports ?
		  look_at_exports(all->client, all->from, all->looks, TMM_LOOKS) :
		  tmm_snapshot_objects(all->client, all->from, all->looks, TMM_LOOKS);
	all->is_last = all->nr < TMM_LOOKS;
	if (!all->nr)
		return NULL;
	all->from = (u64)all->looks[all->nr - 1].handle + 1;
	all->next = 1;
	return &all->looks[0];
}
