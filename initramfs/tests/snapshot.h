/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A snapshot is what a client can see of the module at one moment, to prove that a refused call
 * changed nothing: all counts, and for each named object the results of QUERY, the results of
 * TRANSLATE for both ends, and the content.
 */
#ifndef TESTS_SNAPSHOT_H
#define TESTS_SNAPSHOT_H

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include "uapi.h"

#define SNAPSHOT_MAX_OBJECTS	16
/* Content is compared up to this many bytes of a mapping. */
#define SNAPSHOT_CONTENT	(16 * UAPI_PAGE_SIZE)
#define SNAPSHOT_TEXT		160

/**
 * struct snapshot_object - one handle
 * @handle: its number
 * @err: error of QUERY
 * @query: result of QUERY
 * @translate_err: errors of TRANSLATE for the first and the last byte
 * @translation: results of TRANSLATE
 * @read_err: error of READ
 * @content: a hash of the bytes that READ copied
 */
struct snapshot_object {
	__u32 handle;
	int err;
	struct theseus_mm_query query;
	int translate_err[2];
	struct theseus_mm_translate translation[2];
	int read_err;
	__u64 content;
};

struct snapshot {
	int err;
	struct theseus_mm_info info;
	unsigned int nr;
	struct snapshot_object objects[SNAPSHOT_MAX_OBJECTS];
};

/* FNV-1a; any change of one byte shows. */
static inline __u64 snapshot_hash(const unsigned char *data, size_t length)
{
	__u64 hash = 0xcbf29ce484222325ULL;

	while (length--)
		hash = (hash ^ *data++) * 0x100000001b3ULL;
	return hash;
}

static inline void snapshot_mapping(struct snapshot_object *object, int fd)
{
	static __thread unsigned char content[SNAPSHOT_CONTENT];
	const struct theseus_mm_query *query = &object->query;
	__u64 length = query->nr_pages * UAPI_PAGE_SIZE;
	__u64 ends[2] = { query->start, query->start + length - 1 };
	int i;

	if (length > sizeof(content))
		length = sizeof(content);
	/* read before TRANSLATE, since the read may set ACCESSED */
	object->read_err = uapi_read(fd, object->handle, 0, content, length);
	object->content = snapshot_hash(content, length);
	for (i = 0; i < 2; i++)
		object->translate_err[i] = uapi_translate(fd, ends[i], &object->translation[i]);
}

static inline void snapshot_take(struct snapshot *snapshot, int fd, const __u32 *handles,
				 unsigned int nr)
{
	struct snapshot_object *object;
	unsigned int i;

	memset(snapshot, 0, sizeof(*snapshot));
	snapshot->nr = nr > SNAPSHOT_MAX_OBJECTS ? SNAPSHOT_MAX_OBJECTS : nr;
	for (i = 0; i < snapshot->nr; i++) {
		object = &snapshot->objects[i];
		object->handle = handles[i];
		object->err = uapi_query(fd, handles[i], &object->query);
		if (!object->err && object->query.kind == THESEUS_MM_KIND_MAPPING)
			snapshot_mapping(object, fd);
	}
	snapshot->err = uapi_get_info(fd, &snapshot->info);
}

#define SNAPSHOT_COMPARE(text, before, after, field)					\
	do {										\
		if ((before)->field != (after)->field) {				\
			snprintf(text, SNAPSHOT_TEXT, #field ": %llu before, %llu after",	\
				 (unsigned long long)(before)->field,			\
				 (unsigned long long)(after)->field);			\
			return text;							\
		}									\
	} while (0)

/* Return: "", or a text that names the difference; @text is room for the text. */
static inline const char *info_difference(const struct theseus_mm_info *before,
					  const struct theseus_mm_info *after,
					  char text[SNAPSHOT_TEXT])
{
	SNAPSHOT_COMPARE(text, before, after, frames_total);
	SNAPSHOT_COMPARE(text, before, after, frames_free);
	SNAPSHOT_COMPARE(text, before, after, frames_ranges);
	SNAPSHOT_COMPARE(text, before, after, frames_largest[0]);
	SNAPSHOT_COMPARE(text, before, after, frames_largest[1]);
	SNAPSHOT_COMPARE(text, before, after, frames_largest[2]);
	SNAPSHOT_COMPARE(text, before, after, pages_total);
	SNAPSHOT_COMPARE(text, before, after, pages_free);
	SNAPSHOT_COMPARE(text, before, after, nr_mappings);
	SNAPSHOT_COMPARE(text, before, after, nr_tables);
	SNAPSHOT_COMPARE(text, before, after, client_handles);
	SNAPSHOT_COMPARE(text, before, after, client_handles_max);
	SNAPSHOT_COMPARE(text, before, after, client_frames);
	SNAPSHOT_COMPARE(text, before, after, nr_clients);
	/* Compare only up to client_id: the two results may be of different clients. */
	return memcmp(before, after, offsetof(struct theseus_mm_info, client_id)) ?
	       "another field of GET_INFO" : "";
}

static inline const char *object_difference(const struct snapshot_object *before,
					    const struct snapshot_object *after,
					    char text[SNAPSHOT_TEXT])
{
	SNAPSHOT_COMPARE(text, before, after, err);
	SNAPSHOT_COMPARE(text, before, after, query.kind);
	SNAPSHOT_COMPARE(text, before, after, query.start);
	SNAPSHOT_COMPARE(text, before, after, query.nr_pages);
	SNAPSHOT_COMPARE(text, before, after, query.nr_frame_ranges);
	SNAPSHOT_COMPARE(text, before, after, query.pte_flags);
	SNAPSHOT_COMPARE(text, before, after, translation[0].paddr);
	SNAPSHOT_COMPARE(text, before, after, translation[1].paddr);
	SNAPSHOT_COMPARE(text, before, after, translation[0].pte_flags);
	SNAPSHOT_COMPARE(text, before, after, translation[1].pte_flags);
	SNAPSHOT_COMPARE(text, before, after, read_err);
	SNAPSHOT_COMPARE(text, before, after, content);
	return memcmp(before, after, sizeof(*before)) ? "something of an object" : "";
}

static inline const char *snapshot_difference(const struct snapshot *before,
					      const struct snapshot *after,
					      char text[SNAPSHOT_TEXT])
{
	const char *difference;
	unsigned int i;

	SNAPSHOT_COMPARE(text, before, after, err);
	difference = info_difference(&before->info, &after->info, text);
	for (i = 0; !*difference && i < before->nr; i++)
		difference = object_difference(&before->objects[i], &after->objects[i], text);
	return difference;
}

#endif /* TESTS_SNAPSHOT_H */
