// SPDX-License-Identifier: GPL-2.0
#include "marks.h"
#include "record.h"
#include "values.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "uapi.h"

/* The kind of the objects that a call makes. */
static uint32_t new_kind(const struct worker *worker, enum call call, const struct values *values)
{
	uint32_t handle;

	switch (call) {
	case CALL_ALLOCATE_PAGES:
	case CALL_UNMAP_INTO_PARTS:
		return THESEUS_MM_KIND_PAGES;
	case CALL_ALLOCATE_FRAMES:
		return THESEUS_MM_KIND_FRAMES;
	case CALL_SPLIT:
		memcpy(&handle, values->bytes + offsetof(struct theseus_mm_split, handle),
		       sizeof(handle));
		return pool_kind(worker, values->client, handle);
	default:
		return THESEUS_MM_KIND_MAPPING;
	}
}

static bool consumes(enum call call, const struct values *values, const struct field *field)
{
	switch (call) {
	case CALL_DROP:
	case CALL_SPLIT:
	case CALL_UNMAP_INTO_PARTS:
	case CALL_MAP_ALLOCATED_PAGES:
	case CALL_MAP_ALLOCATED_PAGES_TO:
		return true;
	case CALL_EXPORT:
		return !(values->flags & THESEUS_MM_EXPORT_BORROW);
	case CALL_MERGE:
		return field->offset == offsetof(struct theseus_mm_merge, other);
	default:
		return false;
	}
}

/* Objects that the call has made become arguments of later calls. */
static void keep_results(struct worker *worker, enum call call, const struct values *values)
{
	struct random *random = &worker->random;
	struct pool *pool = worker->pool;
	const struct field *field = NULL;
	uint32_t kind = new_kind(worker, call, values);
	uint64_t value;

	while ((field = call_next_field(call, field))) {
		value = values_get(values, field);
		if (field->kind == KIND_NEW_ADDRESS || field->kind == KIND_NEW_PADDR)
			record_used(value);
		switch (field->kind) {
		case KIND_NEW_HANDLE:
			pool_add_handle(worker, values->client, value, kind);
			break;
		case KIND_HANDLE:
		case KIND_FRAMES_HANDLE:
			if (consumes(call, values, field))
				pool_forget_handle(worker, values->client, value);
			break;
		case KIND_NEW_FD:
			pool_add_fd(worker, (int)value);
			break;
		case KIND_NEW_EXPORT_ID:
			/* 0 if the descriptor only lends */
			if (!value)
				break;
			pool->export_ids[random_below(random, POOL_EXPORTS)] = value;
			break;
		case KIND_NEW_ADDRESS:
			if (call == CALL_ALLOCATE_FRAMES || call == CALL_GET_REGION)
				pool->paddrs[random_below(random, POOL_ADDRESSES)] = value;
			else
				pool->addresses[random_below(random, POOL_ADDRESSES)] = value;
			break;
		case KIND_NEW_PADDR:
			pool->paddrs[random_below(random, POOL_ADDRESSES)] = value;
			break;
		default:
			break;
		}
	}
}

/*
 * New memory is zero. Only a process with one thread can tell: elsewhere another thread may have
 * dropped the mapping already, and given its handle to an older one.
 */
static void check_new(struct worker *worker, int client, uint32_t handle, uint64_t nr_pages)
{
	uint64_t length = nr_pages * UAPI_PAGE_SIZE, place;

	if (worker->life->nr_threads > 1)
		return;
	if (length > ARENA_BYTES)
		length = ARENA_BYTES;
	if (uapi_read(client, handle, 0, worker->arena, length))
		return;
	place = mark_find_used(worker->arena, length);
	__atomic_fetch_add(&record->nr_looks, 1, __ATOMIC_RELAXED);
	if (place != length)
		worker_wrong(worker, "old content in a new mapping, at byte", place);
}

static void check_new_mapping(struct worker *worker, enum call call, const struct values *values)
{
	struct theseus_mm_create_mapping created;
	struct theseus_mm_map mapped;

	switch (call) {
	case CALL_CREATE_MAPPING:
	case CALL_CREATE_CONTIGUOUS_MAPPING:
	case CALL_CREATE_IDENTITY_MAPPING:
		memcpy(&created, values->bytes, sizeof(created));
		check_new(worker, values->client, created.handle, created.nr_pages);
		break;
	case CALL_MAP_ALLOCATED_PAGES:
		memcpy(&mapped, values->bytes, sizeof(mapped));
		check_new(worker, values->client, mapped.handle, mapped.nr_pages);
		break;
	default:
		break;
	}
}

/* A frame that was bad before the call is given to nobody. Others than root get no addresses. */
static void check_new_frames(struct worker *worker, enum call call, const struct values *values,
			     uint32_t nr_bad)
{
	struct theseus_mm_create_mapping created;
	struct theseus_mm_allocate allocated;
	uint64_t paddr, nr_pages;

	switch (call) {
	case CALL_ALLOCATE_FRAMES:
		memcpy(&allocated, values->bytes, sizeof(allocated));
		paddr = allocated.start;
		nr_pages = allocated.nr_pages;
		break;
	case CALL_CREATE_CONTIGUOUS_MAPPING:
	case CALL_CREATE_IDENTITY_MAPPING:
		memcpy(&created, values->bytes, sizeof(created));
		paddr = created.paddr;
		nr_pages = created.nr_pages;
		break;
	default:
		return;
	}
	if (record_has_bad(paddr / UAPI_PAGE_SIZE, nr_pages, nr_bad))
		worker_wrong(worker, "the call gave out a bad frame, of pages", nr_pages);
}

static bool item_may_have(enum call call, int err)
{
	if (err == EINTR)
		return false;
	if (call == CALL_DROP_BATCH)
		return err == ECANCELED || call_may_return(CALL_DROP, err);
	return err == ECANCELED || call_may_return(CALL_CREATE_MAPPING, err) ||
	       call_may_return(CALL_CREATE_CONTIGUOUS_MAPPING, err);
}

/*
 * With ALL_OR_NOTHING, a batch has the error of its first item that fails. EINTR is for killed processes,
 * which never see it. Without damage, no memory fails and no device is gone.
 */
static bool may_return(enum call call, int err)
{
	bool is_batch = call == CALL_CREATE_BATCH || call == CALL_DROP_BATCH;
	const struct record_damage *damage = &record->damage;

	if (err == EINTR ||
	    (err == EIO && !__atomic_load_n(&damage->nr_reported, __ATOMIC_RELAXED)) ||
	    (err == ENODEV && !__atomic_load_n(&damage->nr_removals, __ATOMIC_RELAXED)))
		return false;
	return call_may_return(call, err) || (is_batch && item_may_have(call, err));
}

static void keep_items(struct worker *worker, enum call call, const struct values *values)
{
	struct theseus_mm_create_item items[64];
	struct theseus_mm_drop_item dropped;
	struct theseus_mm_batch batch;
	unsigned int i, nr;

	memcpy(&batch, values->bytes, sizeof(batch));
	nr = batch.nr_items;
	if (!values->array || nr > 64 ||
	    batch.item_size != (call == CALL_CREATE_BATCH ? sizeof(items[0]) : sizeof(dropped)))
		return;
	/* a look at the content needs the arena, where the items are */
	if (call == CALL_CREATE_BATCH)
		memcpy(items, values->array, nr * sizeof(items[0]));
	for (i = 0; i < nr; i++) {
		if (call == CALL_DROP_BATCH) {
			memcpy(&dropped, values->array + i * sizeof(dropped), sizeof(dropped));
			if (dropped.error && !item_may_have(call, dropped.error))
				worker_wrong(worker, "DROP_BATCH: item with error",
					     dropped.error);
			continue;
		}
		if (items[i].error && !item_may_have(call, items[i].error))
			worker_wrong(worker, "CREATE_BATCH: item with error",
				     items[i].error);
		if (items[i].error)
			continue;
		pool_add_handle(worker, values->client, items[i].handle,
				THESEUS_MM_KIND_MAPPING);
		check_new(worker, values->client, items[i].handle, items[i].nr_pages);
	}
}

static void keep_frames(struct worker *worker, const struct values *values)
{
	struct theseus_mm_unmap unmap;
	uint32_t handle, i;

	memcpy(&unmap, values->bytes, sizeof(unmap));
	for (i = 0; values->array && i < unmap.nr_frames && i < 16; i++) {
		memcpy(&handle, values->array + i * sizeof(handle), sizeof(handle));
		pool_add_handle(worker, values->client, handle, THESEUS_MM_KIND_FRAMES);
	}
}

static void keep_neighbours(struct worker *worker, const struct values *values)
{
	struct handle *parts = worker->pool->neighbours;
	struct theseus_mm_split split;

	memcpy(&split, values->bytes, sizeof(split));
	parts[0] = (struct handle){ .client = values->client, .handle = split.first };
	parts[1] = (struct handle){ .client = values->client, .handle = split.second };
}

static void use_results(struct worker *worker, enum call call, const struct values *values)
{
	keep_results(worker, call, values);
	check_new_mapping(worker, call, values);
	if (call == CALL_SPLIT)
		keep_neighbours(worker, values);
	else if (call == CALL_CREATE_BATCH || call == CALL_DROP_BATCH)
		keep_items(worker, call, values);
	else if (call == CALL_UNMAP_INTO_PARTS)
		keep_frames(worker, values);
	else if (call == CALL_READ && values->array && values->length <= ARENA_BYTES)
		worker_check_content(worker, values->array, values->length, values->offset);
}

/* The size in the number says how long the program's structure is. */
static unsigned long choose_request(struct worker *worker, enum call call)
{
	unsigned long request = calls[call].request;
	size_t size;

	if (!random_once_in(&worker->random, 32))
		return request;
	size = random_below(&worker->random, 2) ? _IOC_SIZE(request) + 8 :
						  random_below(&worker->random, 4200);
	return _IOC(_IOC_DIR(request), _IOC_TYPE(request), _IOC_NR(request), size);
}

/* Put the structure where the call cannot read or write all of it. */
static void *misplace(struct worker *worker, enum call call, const struct values *values)
{
	size_t size = _IOC_SIZE(calls[call].request);

	switch (random_below(&worker->random, 3)) {
	case 0:
		return NULL;
	case 1:
		return worker->read_only;
	default:
		return memcpy(worker->arena + ARENA_BYTES - size / 2, values->bytes, size / 2);
	}
}

void worker_call(struct worker *worker, enum call call)
{
	struct random *random = &worker->random;
	uint32_t nr_bad = record_nr_bad();
	bool is_misplaced, has_other_size;
	struct values values;
	unsigned long request = choose_request(worker, call);
	void *argument = values.bytes;
	int err;

	values_choose(worker, call, &values);
	has_other_size = request != calls[call].request;
	is_misplaced = random_once_in(random, 48);
	if (is_misplaced)
		argument = misplace(worker, call, &values);
	/* exported mappings have two calls of their own */
	if ((call == CALL_QUERY || call == CALL_REVOKE) && random_once_in(random, 4))
		values.client = pool_fd(worker);
	err = -uapi_call(values.client, request, argument);
	record_count(call, err);
	if (err && !may_return(call, err))
		worker_wrong(worker, calls[call].name, err);
	if (err || is_misplaced || has_other_size)
		return;
	use_results(worker, call, &values);
	check_new_frames(worker, call, &values, nr_bad);
}
