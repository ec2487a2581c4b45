/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Declarations that the files of the library share.
 *
 * An object holds its client, its handle, its address and its size. Only calls on this object
 * change these. Users see the three kinds of objects as three types, since each kind has its
 * own calls; the library uses one type for all of them.
 *
 * Invariant: the library allocates its memory before it makes a call that cannot be undone.
 * After the call has succeeded, nothing can fail.
 */
#ifndef LIBTMM_INTERNAL_H
#define LIBTMM_INTERNAL_H

#include "tmm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/theseus_mm.h>

/* A client. */
struct tmm_client {
	int fd;				/* -1 after the client is closed */
	unsigned int nr_references;	/* of the user and of all objects; atomic */
};

/* Pages, frames or a mapping. */
struct tmm_object {
	struct tmm_client *client;	/* a reference */
	uint32_t handle;
	uint64_t start;			/* 0 for frames without CAP_SYS_ADMIN */
	uint64_t nr_bytes;
};

struct tmm_pages {
	struct tmm_object object;
};

struct tmm_frames {
	struct tmm_object object;
};

struct tmm_mapping {
	struct tmm_object object;
};

/* NULL stays NULL, since the object is the first and only member of each kind. */
static inline struct tmm_pages *tmm_as_pages(struct tmm_object *object)
{
	return (struct tmm_pages *)object;
}

static inline struct tmm_frames *tmm_as_frames(struct tmm_object *object)
{
	return (struct tmm_frames *)object;
}

static inline struct tmm_mapping *tmm_as_mapping(struct tmm_object *object)
{
	return (struct tmm_mapping *)object;
}

static inline struct tmm_object *tmm_of_pages(struct tmm_pages *pages)
{
	return (struct tmm_object *)pages;
}

static inline struct tmm_object *tmm_of_frames(struct tmm_frames *frames)
{
	return (struct tmm_object *)frames;
}

static inline struct tmm_object *tmm_of_mapping(struct tmm_mapping *mapping)
{
	return (struct tmm_object *)mapping;
}

/* client.c: 0, or -1 and errno */
int tmm_fd_call(int fd, unsigned long request, void *argument);
int tmm_client_call(const struct tmm_client *client, unsigned long request, void *argument);
void tmm_client_get(struct tmm_client *client);
void tmm_client_put(struct tmm_client *client);

/* object.c */
struct tmm_object *tmm_object_new(struct tmm_client *client);
void tmm_object_free(struct tmm_object *object);
int tmm_objects_new(struct tmm_client *client, struct tmm_object **objects, uint32_t nr);
void tmm_objects_free(struct tmm_object **objects, uint32_t nr);
void tmm_object_set(struct tmm_object *object, uint32_t handle, uint64_t start, uint64_t nr_pages);
int tmm_object_call(const struct tmm_object *object, unsigned long request, void *argument);
int tmm_object_query(const struct tmm_object *object, struct theseus_mm_query *query);
struct tmm_object *tmm_object_split(struct tmm_object *object, uint64_t offset);
int tmm_object_merge(struct tmm_object *object, struct tmm_object *other);
int tmm_object_drop(struct tmm_object *object);

/* mapping.c, mmap.c: turn results of the kernel into the structures of the library */
struct tmm_mapping_info tmm_mapping_describe(const struct theseus_mm_query *query);
int tmm_revoked(int result, const struct theseus_mm_revoke *call,
		struct tmm_revocation *revocation);

/* allocate.c */
struct tmm_object *tmm_object_allocate(struct tmm_client *client, unsigned long request,
				       const struct tmm_allocate_options *options);

/* The flags that a caller can see and pass; the kernel has two more, valid and exclusive. */
#define TMM_FLAGS_SEEN		THESEUS_MM_PTE_SETTABLE

/* Free memory and keep errno, which only newer C libraries promise for free(). */
static inline void tmm_free(void *memory)
{
	int error = errno;

	free(memory);
	errno = error;
}

/* Is any of @nr bytes at @memory not 0? */
static inline bool tmm_is_set(const void *memory, size_t nr)
{
	const unsigned char *bytes = memory;
	size_t i;

	for (i = 0; i < nr; i++)
		if (bytes[i])
			return true;
	return false;
}

#endif /* LIBTMM_INTERNAL_H */
