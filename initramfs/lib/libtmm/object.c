// SPDX-License-Identifier: GPL-2.0
/*
 * Operations on objects of all kinds.
 */
#include "internal.h"

/* Only the compiler tells the kinds apart: all three have the same layout. */
_Static_assert(sizeof(struct tmm_pages) == sizeof(struct tmm_object) &&
	       sizeof(struct tmm_frames) == sizeof(struct tmm_object) &&
	       sizeof(struct tmm_mapping) == sizeof(struct tmm_object), "kinds of objects");

/* Make an object without a handle. Return NULL and set errno on failure. */
struct tmm_object *tmm_object_new(struct tmm_client *client)
{
	struct tmm_object *object;

	if (!client) {
		errno = EBADF;
		return NULL;
	}
	object = calloc(1, sizeof(*object));
	if (!object)
		return NULL;
	tmm_client_get(client);
	object->client = client;
	return object;
}

/* Free an object, or NULL. Keeps errno, since callers run this after a failure. */
void tmm_object_free(struct tmm_object *object)
{
	if (!object)
		return;
	tmm_client_put(object->client);
	tmm_free(object);
}

/* Fill an array with objects without handles. After a failure, the caller frees the array. */
int tmm_objects_new(struct tmm_client *client, struct tmm_object **objects, uint32_t nr)
{
	uint32_t i;

	for (i = 0; i < nr; i++) {
		objects[i] = tmm_object_new(client);
		if (!objects[i])
			return -1;
	}
	return 0;
}

/* Free the objects of an array. Keeps errno; entries may be NULL. */
void tmm_objects_free(struct tmm_object **objects, uint32_t nr)
{
	uint32_t i;

	for (i = 0; i < nr; i++)
		tmm_object_free(objects[i]);
}

/* Store the handle, the address and the size that the kernel returned. */
void tmm_object_set(struct tmm_object *object, uint32_t handle, uint64_t start, uint64_t nr_pages)
{
	object->handle = handle;
	object->start = start;
	object->nr_bytes = nr_pages * TMM_PAGE_SIZE;
}

int tmm_object_call(const struct tmm_object *object, unsigned long request, void *argument)
{
	if (!object) {
		errno = ENOENT;
		return -1;
	}
	return tmm_client_call(object->client, request, argument);
}

static uint32_t handle_of(const struct tmm_object *object)
{
	return object ? object->handle : 0;
}

int tmm_object_query(const struct tmm_object *object, struct theseus_mm_query *query)
{
	*query = (struct theseus_mm_query){ .handle = handle_of(object) };
	return tmm_object_call(object, THESEUS_MM_IOC_QUERY, query);
}

/*
 * Split an object. @object becomes the part before @offset; the other part is returned, or
 * NULL with errno set.
 */
struct tmm_object *tmm_object_split(struct tmm_object *object, uint64_t offset)
{
	struct theseus_mm_split call = { .handle = handle_of(object), .offset = offset };
	struct tmm_object *rest;

	if (!object) {
		errno = ENOENT;
		return NULL;
	}
	rest = tmm_object_new(object->client);
	if (!rest)
		return NULL;
	if (tmm_object_call(object, THESEUS_MM_IOC_SPLIT, &call)) {
		tmm_object_free(rest);
		return NULL;
	}
	rest->handle = call.second;
	rest->start = object->start ? object->start + offset : 0;
	rest->nr_bytes = object->nr_bytes - offset;
	object->handle = call.first;
	object->nr_bytes = offset;
	return rest;
}

/* Merge @other into @object. Frees @other on success. */
int tmm_object_merge(struct tmm_object *object, struct tmm_object *other)
{
	struct theseus_mm_merge call = { .handle = handle_of(object), .other = handle_of(other) };

	if (!other) {
		errno = ENOENT;
		return -1;
	}
	/* the kernel would look up the other client's handle in this client */
	if (object && object->client != other->client) {
		errno = EXDEV;
		return -1;
	}
	if (tmm_object_call(object, THESEUS_MM_IOC_MERGE, &call))
		return -1;
	if (other->start < object->start)
		object->start = other->start;
	object->nr_bytes += other->nr_bytes;
	tmm_object_free(other);
	return 0;
}

/* Drop an object, or NULL. A closed client owns nothing, so only the library's memory is freed. */
int tmm_object_drop(struct tmm_object *object)
{
	struct theseus_mm_drop call = { .handle = handle_of(object) };

	if (!object)
		return 0;
	if (object->client->fd >= 0 && tmm_object_call(object, THESEUS_MM_IOC_DROP, &call))
		return -1;
	tmm_object_free(object);
	return 0;
}
