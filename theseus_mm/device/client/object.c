// SPDX-License-Identifier: GPL-2.0
#include "device/client/object.h"

#include "alloc/frames.h"
#include "alloc/frames_split.h"
#include "alloc/pages.h"
#include "device/share/mapping_file.h"
#include "mapping/mapped_pages.h"
#include "mapping/mapped_pages_borrow.h"
#include "mapping/mapped_pages_split.h"

#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/kernel.h>

/* The operations of one kind of object. */
struct object_ops {
	/* sets the fields of a query that this kind has; all others are 0 */
	void (*describe)(const struct tmm_object *object, struct theseus_mm_query *query);
	/* cuts the object at chunk @at; @second gets the part from @at on */
	int (*split)(struct tmm_object *object, u64 at, struct tmm_object *second);
	/* adds what @other owns to the object */
	int (*merge)(struct tmm_object *object, struct tmm_object *other);
	void (*drop)(struct tmm_object *object);	/* gives back what the object owns */
};

/* --- no kind: the object owns nothing ------------------------------------------- */

static void describe_nothing(const struct tmm_object *object, struct theseus_mm_query *query)
{
}

static int split_nothing(struct tmm_object *object, u64 at, struct tmm_object *second)
{
	return -ENOENT;
}

static int merge_nothing(struct tmm_object *object, struct tmm_object *other)
{
	return -ENOENT;
}

static void drop_nothing(struct tmm_object *object)
{
}

/* --- pages ---------------------------------------------------------------------- */

static void describe_pages(const struct tmm_object *object, struct theseus_mm_query *query)
{
	const struct tmm_page_range pages = tmm_allocated_pages_range(object->pages);

	query->start = tmm_page_range_start_address(&pages).v;
	query->nr_pages = tmm_page_range_size_in_pages(&pages);
}

static int split_pages(struct tmm_object *object, u64 at, struct tmm_object *second)
{
	return tmm_allocated_pages_split_at(object->pages, at, &second->pages);
}

static int merge_pages(struct tmm_object *object, struct tmm_object *other)
{
	return tmm_allocated_pages_merge(object->pages, &other->pages);
}

static void drop_pages(struct tmm_object *object)
{
	tmm_allocated_pages_drop(&object->pages);
}

/* --- frames --------------------------------------------------------------------- */

static void describe_frames(const struct tmm_object *object, struct theseus_mm_query *query)
{
	const struct tmm_frame_range frames = tmm_frames_range(&object->frames->f);

	query->nr_frame_ranges = 1;
	query->start = tmm_frame_range_start_address(&frames).v;
	query->nr_pages = tmm_frame_range_size_in_frames(&frames);
}

static int split_frames(struct tmm_object *object, u64 at, struct tmm_object *second)
{
	return tmm_allocated_frames_split_at(object->frames, at, &second->frames);
}

static int merge_frames(struct tmm_object *object, struct tmm_object *other)
{
	return tmm_allocated_frames_merge(object->frames, &other->frames);
}

static void drop_frames(struct tmm_object *object)
{
	tmm_allocated_frames_drop(&object->frames);
}

/* --- mappings ------------------------------------------------------------------- */

static void describe_mapping(const struct tmm_object *object, struct theseus_mm_query *query)
{
	tmm_object_describe_mapping(object->mapping, query);
	if (object->mf && READ_ONCE(object->mf->nr_lingering))
		query->attributes |= THESEUS_MM_ATTRIBUTE_PINNED;
}

static int split_mapping(struct tmm_object *object, u64 at, struct tmm_object *second)
{
	return tmm_mapped_pages_split(object->mapping, at, &second->mapping);
}

static int merge_mapping(struct tmm_object *object, struct tmm_object *other)
{
	return tmm_mapped_pages_merge(object->mapping, &other->mapping);
}

static void drop_mapping(struct tmm_object *object)
{
	tmm_mapped_pages_drop(&object->mapping);
}

/* --- all kinds ------------------------------------------------------------------ */

static const struct object_ops object_ops[] = {
	[0] = {
		.describe = describe_nothing,
		.split = split_nothing,
		.merge = merge_nothing,
		.drop = drop_nothing,
	},
	[THESEUS_MM_KIND_PAGES] = {
		.describe = describe_pages,
		.split = split_pages,
		.merge = merge_pages,
		.drop = drop_pages,
	},
	[THESEUS_MM_KIND_FRAMES] = {
		.describe = describe_frames,
		.split = split_frames,
		.merge = merge_frames,
		.drop = drop_frames,
	},
	[THESEUS_MM_KIND_MAPPING] = {
		.describe = describe_mapping,
		.split = split_mapping,
		.merge = merge_mapping,
		.drop = drop_mapping,
	},
};

static_assert(ARRAY_SIZE(object_ops) == TMM_NR_KINDS);

/* The pages or frames that an object owns. Most calls ask, so this is no operation of the table. */
struct tmm_range tmm_object_chunks(const struct tmm_object *object)
{
	switch (object->kind) {
	case THESEUS_MM_KIND_PAGES:
		return tmm_allocated_pages_range(object->pages).r;
	case THESEUS_MM_KIND_FRAMES:
		return tmm_frames_range(&object->frames->f).r;
	case THESEUS_MM_KIND_MAPPING:
		return tmm_mapped_pages_range(object->mapping).r;
	}
	return (struct tmm_range){};
}

/*
 * The number of frames that an object owns. A mapping counts its pages, because each page has
 * a frame.
 */
u64 tmm_object_nr_frames(const struct tmm_object *object)
{
	return object->kind == THESEUS_MM_KIND_PAGES ? 0 : tmm_object_chunks(object).nr;
}

/*
 * Fill in the fields of a query of a mapping. The caller ensures that the mapping does not
 * change during the call.
 */
void tmm_object_describe_mapping(const struct tmm_mapped_pages *mp, struct theseus_mm_query *query)
{
	struct tmm_page_range pages = tmm_mapped_pages_range(mp);

	query->kind = THESEUS_MM_KIND_MAPPING;
	query->nr_frame_ranges = mp->nr_frame_ranges;
	query->start = tmm_page_range_start_address(&pages).v;
	query->nr_pages = tmm_page_range_size_in_pages(&pages);
	query->pte_flags = (__force u64)tmm_mapped_pages_flags(mp);
	query->attributes = 0;
	if (tmm_mapped_pages_is_shareable(mp))
		query->attributes |= THESEUS_MM_ATTRIBUTE_SHAREABLE;
	if (tmm_mapped_pages_is_sealed(mp))
		query->attributes |= THESEUS_MM_ATTRIBUTE_READ_ONLY;
	query->nr_borrows = tmm_mapped_pages_nr_borrows(mp);
}

/*
 * Fill in the fields of a query of an object. The caller ensures that the object does not
 * change during the call.
 */
void tmm_object_describe(const struct tmm_object *object, struct theseus_mm_query *query)
{
	query->kind = object->kind;
	query->nr_frame_ranges = 0;
	query->start = 0;
	query->nr_pages = 0;
	query->pte_flags = 0;
	query->attributes = 0;
	query->nr_borrows = 0;
	object_ops[object->kind].describe(object, query);
}

/*
 * Split the content of @object at chunk @at. @second, which owns nothing, gets the part from @at
 * on.
 */
int tmm_object_split_content(struct tmm_object *object, u64 at, struct tmm_object *second)
{
	int err;

	err = object_ops[object->kind].split(object, at, second);
	if (err)
		return err;
	second->kind = object->kind;
	return 0;
}

/*
 * Add the content of @other to @object, which is of the same kind. On success @other owns
 * nothing.
 */
int tmm_object_merge_content(struct tmm_object *object, struct tmm_object *other)
{
	int err;

	err = object_ops[object->kind].merge(object, other);
	if (err)
		return err;
	other->kind = 0;
	return 0;
}

/* Give back what an object owns. Most objects are mappings. */
void tmm_object_drop_content(struct tmm_object *object)
{
	if (likely(object->kind == THESEUS_MM_KIND_MAPPING))
		drop_mapping(object);
	else
		object_ops[object->kind].drop(object);
	object->kind = 0;
}
