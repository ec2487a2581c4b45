// SPDX-License-Identifier: GPL-2.0
/*
 * Several mappings in one call: translate between the arrays of the program and the kernel.
 */
#include "internal.h"

_Static_assert(TMM_MAX_MANY == THESEUS_MM_MAX_BATCH, "many");
_Static_assert(TMM_ALL_OR_NOTHING == THESEUS_MM_BATCH_ALL_OR_NOTHING, "all or nothing");

static int check(uint32_t nr, uint32_t how)
{
	if (nr <= TMM_MAX_MANY && !(how & ~TMM_ALL_OR_NOTHING))
		return 0;
	errno = EINVAL;
	return -1;
}

static int encode(struct theseus_mm_create_item *calls, const struct tmm_create_item *items,
		  uint32_t nr)
{
	uint32_t i;

	for (i = 0; i < nr; i++) {
		if (tmm_is_set(items[i].reserved1, sizeof(items[i].reserved1)) ||
		    tmm_is_set(items[i].reserved, sizeof(items[i].reserved))) {
			errno = EINVAL;
			return -1;
		}
		calls[i] = (struct theseus_mm_create_item){
			.flags = items[i].is_contiguous ? THESEUS_MM_CREATE_ITEM_CONTIGUOUS : 0,
			.size = items[i].nr_bytes,
			.pte_flags = items[i].flags,
			.leaf_size = items[i].leaf_size,
			.align = items[i].align,
		};
	}
	return 0;
}

/* Use the object of each item that succeeded, and free the others. */
static void publish(struct tmm_object **objects, const struct theseus_mm_create_item *calls,
		    struct tmm_mapping **mappings, uint32_t nr)
{
	uint32_t i;

	for (i = 0; i < nr; i++) {
		mappings[i] = NULL;
		if (calls[i].error) {
			tmm_object_free(objects[i]);
			continue;
		}
		tmm_object_set(objects[i], calls[i].handle, calls[i].start, calls[i].nr_pages);
		mappings[i] = tmm_as_mapping(objects[i]);
	}
}

/* Make the call. @calls and @objects are zeroed arrays of at least @nr entries. */
static int create(struct tmm_client *client, struct tmm_create_item *items,
		  struct theseus_mm_create_item *calls, struct tmm_object **objects, uint32_t nr,
		  uint32_t how)
{
	struct theseus_mm_batch call = {
		.flags = how,
		.nr_items = nr,
		.items = (uintptr_t)calls,
		.item_size = sizeof(*calls),
	};
	uint32_t i;
	int err;

	if (encode(calls, items, nr) || tmm_objects_new(client, objects, nr))
		return -1;
	if (!nr)
		return 0;
	err = tmm_client_call(client, THESEUS_MM_IOC_CREATE_BATCH, &call);
	for (i = 0; i < nr; i++)
		items[i].error = (int32_t)calls[i].error;
	return err ? -1 : (int)call.nr_done;
}

int tmm_mapping_create_many(struct tmm_client *client, struct tmm_create_item *items,
			    struct tmm_mapping **mappings, uint32_t nr, uint32_t how)
{
	struct theseus_mm_create_item *calls;
	struct tmm_object **objects;
	int nr_done = -1;

	if (check(nr, how))
		return -1;
	calls = calloc(nr + 1, sizeof(*calls));
	if (!calls)
		return -1;
	objects = calloc(nr + 1, sizeof(*objects));
	if (!objects)
		goto free_calls;
	nr_done = create(client, items, calls, objects, nr, how);
	if (nr_done < 0)
		tmm_objects_free(objects, nr);
	else
		publish(objects, calls, mappings, nr);
	tmm_free(objects);
free_calls:
	tmm_free(calls);
	return nr_done;
}

/*
 * Find the client of all mappings: NULL if all entries are NULL. If the mappings belong to
 * several clients, return -1 and set errno to EXDEV.
 */
static int find_client(struct tmm_mapping **mappings, uint32_t nr, struct tmm_client **client)
{
	uint32_t i;

	*client = NULL;
	for (i = 0; i < nr; i++) {
		if (!mappings[i])
			continue;
		if (*client && *client != mappings[i]->object.client) {
			errno = EXDEV;
			return -1;
		}
		*client = mappings[i]->object.client;
	}
	return 0;
}

static uint32_t encode_drops(struct theseus_mm_drop_item *calls, struct tmm_mapping **mappings,
			     uint32_t nr)
{
	uint32_t i, nr_calls = 0;

	for (i = 0; i < nr; i++)
		if (mappings[i])
			calls[nr_calls++].handle = mappings[i]->object.handle;
	return nr_calls;
}

/*
 * Store the errors. If the call succeeded, free the objects of the dropped mappings, and return
 * the number of entries that are NULL.
 */
static int decode_drops(const struct theseus_mm_drop_item *calls, struct tmm_mapping **mappings,
			int *errors, uint32_t nr, bool is_done)
{
	uint32_t i, error;
	int nr_null = 0;

	for (i = 0; i < nr; i++) {
		error = mappings[i] ? (calls++)->error : 0;
		if (errors)
			errors[i] = (int)error;
		if (is_done && !error) {
			tmm_object_free(tmm_of_mapping(mappings[i]));
			mappings[i] = NULL;
			nr_null++;
		}
	}
	return nr_null;
}

/* A closed client owns nothing, so only the library's memory is freed, as in tmm_object_drop(). */
static int drop(struct tmm_client *client, struct theseus_mm_drop_item *calls, uint32_t nr,
		uint32_t how)
{
	struct theseus_mm_batch call = {
		.flags = how,
		.nr_items = nr,
		.items = (uintptr_t)calls,
		.item_size = sizeof(*calls),
	};

	if (!client || client->fd < 0)
		return 0;
	return tmm_client_call(client, THESEUS_MM_IOC_DROP_BATCH, &call);
}

int tmm_mapping_drop_many(struct tmm_mapping **mappings, int *errors, uint32_t nr, uint32_t how)
{
	struct theseus_mm_drop_item *calls;
	struct tmm_client *client;
	int err, nr_null;

	if (check(nr, how) || find_client(mappings, nr, &client))
		return -1;
	calls = calloc(nr + 1, sizeof(*calls));
	if (!calls)
		return -1;
	err = drop(client, calls, encode_drops(calls, mappings, nr), how);
	nr_null = decode_drops(calls, mappings, errors, nr, !err);
	tmm_free(calls);
	return err ? -1 : nr_null;
}
