// SPDX-License-Identifier: GPL-2.0
#include "values.h"

#include "marks.h"
#include "record.h"

#include <string.h>

#define PAGE		4096ULL
#define LARGE		(2ULL << 20)
#define HUGE		(1ULL << 30)

#define PICK(random, ...)								\
	({										\
		const uint64_t _all[] = { __VA_ARGS__ };				\
											\
		_all[random_below(random, sizeof(_all) / sizeof(_all[0]))];		\
	})

uint64_t values_get(const struct values *values, const struct field *field)
{
	uint64_t value = 0;

	memcpy(&value, values->bytes + field->offset, field->size > 8 ? 8 : field->size);
	return value;
}

void values_set(struct values *values, const struct field *field, uint64_t value)
{
	memcpy(values->bytes + field->offset, &value, field->size > 8 ? 8 : field->size);
}

/* A value that is wrong nearly everywhere. */
static uint64_t choose_strange(struct random *random)
{
	switch (random_below(random, 4)) {
	case 0:
		return PICK(random, 0, 1, 7, ~0ULL, 1ULL << 63, 1ULL << 47, 0x7fffffff, 1ULL << 32,
			    0xffffffff, ~0ULL << 12, 0xffff800000000000ULL, 4095, 4097);
	case 1:
		return 1ULL << random_below(random, 64);
	case 2:
		return (1ULL << random_below(random, 64)) - 1;
	default:
		return random_next(random);
	}
}

static uint64_t choose_any_bytes(struct random *random)
{

	switch (random_below(random, 16)) {
	case 0:
		return PICK(random, 1, 8, 4095, 4097, 65535);
	case 1:
		return LARGE * (1 + random_below(random, 2));
	case 2:
		return LARGE + PAGE * random_below(random, 3);
	case 3:
		return PAGE * (1 + random_below(random, 256));
	default:
		return PAGE * (1 + random_below(random, 16));
	}
}

uint64_t choose_bytes(struct worker *worker)
{
	uint64_t bytes = choose_any_bytes(&worker->random);

	return bytes < worker->pool->max_bytes ? bytes : worker->pool->max_bytes;
}

static uint64_t choose_pte_flags(struct random *random)
{
	static const uint64_t flags[] = {
		0, THESEUS_MM_PTE_USER_ACCESSIBLE, THESEUS_MM_PTE_ACCESSED, THESEUS_MM_PTE_DIRTY,
		THESEUS_MM_PTE_GLOBAL,
	};
	uint64_t chosen = THESEUS_MM_PTE_DATA;

	switch (random_below(random, 48)) {
	case 0:
		return choose_strange(random);
	case 1:
		return THESEUS_MM_PTE_WRITABLE;
	case 2:
		return chosen | THESEUS_MM_PTE_DEVICE_MEMORY;
	case 3:
		return 0;
	case 4:
		return THESEUS_MM_PTE_NOT_EXECUTABLE;
	}
	return chosen | flags[random_below(random, 5)];
}

static uint32_t choose_flags(struct random *random, enum call call)
{
	static const uint32_t all[NR_CALLS] = {
		[CALL_SET_LIMITS] = THESEUS_MM_SET_LIMITS_FLAGS_ALL,
		[CALL_LIST_HANDLES] = THESEUS_MM_HANDLES_FLAGS_ALL,
		[CALL_ALLOCATE_FRAMES] = THESEUS_MM_ALLOCATE_FLAGS_ALL,
		[CALL_ALLOCATE_PAGES] = THESEUS_MM_ALLOCATE_FLAGS_ALL,
		[CALL_SHARE] = THESEUS_MM_SHARE_FLAGS_ALL,
		[CALL_EXPORT] = THESEUS_MM_EXPORT_FLAGS_ALL,
		[CALL_CREATE_BATCH] = THESEUS_MM_BATCH_FLAGS_ALL,
		[CALL_DROP_BATCH] = THESEUS_MM_BATCH_FLAGS_ALL,
	};

	if (random_once_in(random, 64))
		return choose_strange(random);
	return random_below(random, 2) ? random_next(random) & all[call] : 0;
}

/* An address that a call must not be able to write to, or only in part. */
static uint64_t choose_bad_address(struct worker *worker)
{
	return PICK(&worker->random, 0, PAGE, (uintptr_t)worker->arena + ARENA_BYTES - 8,
		    (uintptr_t)worker->arena + ARENA_BYTES, (uintptr_t)worker->read_only,
		    0xffff888000000000ULL, 0xffffffff81000000ULL, 0x800000000000ULL, ~0ULL);
}

static uint64_t use_array(struct worker *worker, struct values *values)
{
	if (random_once_in(&worker->random, 24)) {
		values->array = NULL;
		return choose_bad_address(worker);
	}
	values->array = worker->arena;
	return (uintptr_t)worker->arena;
}

/* The entries that the array at the arena's start has room for, mostly. */
static uint64_t choose_count(struct random *random)
{
	return random_once_in(random, 32) ? choose_strange(random) :
	       PICK(random, 0, 1, 2, 5, 64, 512, 4096);
}

static uint64_t entry_size_of(struct random *random, enum call call)
{
	static const uint64_t sizes[NR_CALLS] = {
		[CALL_GET_OCCUPANCY] = sizeof(struct theseus_mm_bucket),
		[CALL_GET_CLIENTS] = sizeof(struct theseus_mm_client_info),
		[CALL_LIST_HANDLES] = sizeof(struct theseus_mm_handle_info),
		[CALL_CREATE_BATCH] = sizeof(struct theseus_mm_create_item),
		[CALL_DROP_BATCH] = sizeof(struct theseus_mm_drop_item),
	};

	return random_once_in(random, 24) ? PICK(random, 0, 1, 8, 24, 128, 4096, 4104) : sizes[call];
}

static uint64_t choose_leaf_size(struct random *random)
{
	return random_below(random, 6) ? 0 : PICK(random, PAGE, PAGE, PAGE, LARGE, HUGE, 2 * PAGE);
}

static uint64_t choose_align(struct random *random)
{
	return random_below(random, 4) ? 0 :
	       PICK(random, PAGE, PAGE, 4 * PAGE, 4 * PAGE, LARGE, LARGE, HUGE, 3 * PAGE);
}

#define MAX_ITEMS	24

static void choose_create_item(struct worker *worker, struct theseus_mm_create_item *item)
{
	struct random *random = &worker->random;

	*item = (struct theseus_mm_create_item){
		.flags = random_below(random, 32) ? random_below(random, 2) : random_next(random),
		.size = choose_bytes(worker),
		.pte_flags = choose_pte_flags(random),
		.leaf_size = choose_leaf_size(random),
		.align = choose_align(random),
	};
}

static uint64_t choose_items(struct worker *worker, enum call call, struct values *values)
{
	struct theseus_mm_create_item *create = (void *)worker->arena;
	struct theseus_mm_drop_item *drop = (void *)worker->arena;
	unsigned int i;

	for (i = 0; i < MAX_ITEMS; i++) {
		if (call == CALL_CREATE_BATCH)
			choose_create_item(worker, &create[i]);
		else
			drop[i] = (struct theseus_mm_drop_item){
				.handle = pool_handle(worker, values->client, 0),
			};
	}
	return use_array(worker, values);
}

static uint64_t choose_item_count(struct random *random)
{
	return random_once_in(random, 32) ? PICK(random, 0, 65537, ~0ULL) :
	       1 + random_below(random, MAX_ITEMS);
}

/*
 * Place the buffer of READ or WRITE so that its words are words of the mapping. A WRITE writes
 * whole marks, or zeros if the range begins or ends inside a word.
 */
static uint64_t choose_buffer(struct worker *worker, enum call call, struct values *values)
{
	struct random *random = &worker->random;
	const struct area *area = &worker->areas[random_below(random, WORKER_AREAS)];
	size_t phase = values->offset % MARK_BYTES;
	uint64_t mark = 0;

	/* beyond the area may be memory of this program */
	if (worker->life->has_crossings && values->length + phase <= area->length &&
	    values->length <= area->length && random_once_in(random, 2)) {
		values->array = NULL;
		return (uintptr_t)area->start + phase;
	}
	if (random_once_in(random, 32)) {
		values->array = NULL;
		/* a WRITE may find this word, but not what is there */
		memset(worker->arena + ARENA_BYTES - MARK_BYTES, 0, MARK_BYTES);
		return choose_bad_address(worker) + phase;
	}
	if (!phase && !(values->length % MARK_BYTES))
		mark = mark_make(worker->life->domain, worker_sequence());
	if (call == CALL_WRITE)
		mark_fill(worker->arena,
			  values->length < ARENA_BYTES ? values->length + MARK_BYTES : ARENA_BYTES,
			  mark);
	values->array = worker->arena + phase;
	return (uintptr_t)values->array;
}

static uint64_t choose_offset(struct random *random)
{
	switch (random_below(random, 16)) {
	case 0:
		return choose_strange(random);
	case 1:
		return random_below(random, 64 * PAGE);
	case 2:
		return LARGE;
	case 3 ... 5:
		return MARK_BYTES * random_below(random, 16 * PAGE / MARK_BYTES);
	case 6 ... 7:
		return 0;
	default:
		return PAGE * random_below(random, 16);
	}
}

static uint64_t choose_length(struct random *random)
{
	switch (random_below(random, 16)) {
	case 0:
		return choose_strange(random);
	case 1:
		return random_below(random, 3 * PAGE);
	case 2:
		return PAGE * random_below(random, ARENA_BYTES / PAGE);
	default:
		return MARK_BYTES * random_below(random, 2 * PAGE / MARK_BYTES);
	}
}

static uint64_t choose_known(struct random *random, const uint64_t *all)
{
	uint64_t known = all[random_below(random, POOL_ADDRESSES)];

	return random_once_in(random, 12) ? choose_strange(random) :
	       known + PAGE * PICK(random, 0, 0, 0, 1, 2, 512, ~0ULL);
}

static const uint64_t *addresses_for(const struct worker *worker, enum call call)
{
	return call == CALL_ALLOCATE_FRAMES ? worker->pool->paddrs : worker->pool->addresses;
}

/*
 * Only memory of the device that the tests have, or addresses that cannot be device memory. While the
 * device is away, a region would keep the device from its address.
 */
static uint64_t choose_device_address(struct worker *worker, enum call call)
{
	bool is_away = call == CALL_ADD_DEVICE_REGION &&
		       __atomic_load_n(&record->damage.is_away, __ATOMIC_RELAXED);
	uint64_t known = worker->pool->paddrs[random_below(&worker->random, POOL_ADDRESSES)];
	struct random *random = &worker->random;

	if (worker->life->has_devices && worker->pool->device && random_below(random, 8) && !is_away)
		return worker->pool->device + PAGE * PICK(random, 0, 0, 16, 512);
	/* TRANSLATE may have found device memory of another life */
	if (known - worker->pool->device < HUGE)
		known = 0;
	return PICK(random, 1ULL << 20, 1ULL << 24, ~0ULL << 12, 1ULL << 60, known);
}

static uint64_t choose_limit(struct random *random)
{
	return random_once_in(random, 24) ? PICK(random, 0, 1, 16) :
	       PICK(random, 4096, 1 << 20, THESEUS_MM_NO_LIMIT);
}

static uint64_t choose_chunks(struct worker *worker, const struct values *values)
{
	struct random *random = &worker->random;

	if (random_once_in(random, 32))
		return choose_strange(random);
	return values->flags & THESEUS_MM_ALLOCATE_BY_BYTES ? choose_bytes(worker) :
	       PICK(random, 1, 1, 1, 2, 2, 4, 4, 16, 512, 513);
}

/* The kind of object that a call needs; 0 if any will do. */
static uint32_t wanted_kind(enum call call)
{
	switch (call) {
	case CALL_QUERY:
	case CALL_DROP:
	case CALL_DROP_BATCH:
	case CALL_SPLIT:
	case CALL_MERGE:
	case CALL_LIST_HANDLES:
		return 0;
	case CALL_MAP_ALLOCATED_PAGES:
	case CALL_MAP_ALLOCATED_PAGES_TO:
		return THESEUS_MM_KIND_PAGES;
	default:
		return THESEUS_MM_KIND_MAPPING;
	}
}

/* Values that depend only on the call and its flags. */
static uint64_t choose_number(struct worker *worker, enum call call, const struct values *values,
			      enum kind kind)
{
	struct random *random = &worker->random;

	switch (kind) {
	case KIND_FLAGS:
		return values->flags;
	case KIND_INDEX:
		return random_below(random, 4);
	case KIND_ENTRY_SIZE:
		return entry_size_of(random, call);
	case KIND_BUCKET_FRAMES:
		return PICK(random, 0, 0, 512, 1 << 20, 1ULL << 31, 3, 1ULL << 32);
	case KIND_SIZE:
		return random_once_in(random, 32) ? choose_strange(random) : choose_bytes(worker);
	case KIND_CHUNKS:
		return choose_chunks(worker, values);
	case KIND_ALIGN:
		return values->flags & THESEUS_MM_ALLOCATE_AT ? 0 : choose_align(random);
	case KIND_LEAF_SIZE:
		return choose_leaf_size(random);
	case KIND_PTE_FLAGS:
		return choose_pte_flags(random) |
		       (call == CALL_MAP_FRAME_RANGE && random_below(random, 2) ?
			THESEUS_MM_PTE_DEVICE_MEMORY : 0);
	case KIND_LIMIT:
		return choose_limit(random);
	case KIND_MEMORY_TYPE:
		return call == CALL_ADD_DEVICE_REGION ? random_below(random, 4) :
		       !random_below(random, 8);
	default:
		return 0;
	}
}

/* Objects and addresses of the pool. */
static uint64_t choose_known_value(struct worker *worker, enum call call,
				   const struct values *values, enum kind kind)
{
	struct random *random = &worker->random;
	struct pool *pool = worker->pool;

	switch (kind) {
	case KIND_HANDLE:
		return pool_handle(worker, values->client, wanted_kind(call));
	case KIND_FRAMES_HANDLE:
		return call != CALL_MAP_ALLOCATED_PAGES_TO ? 0 :
		       pool_handle(worker, values->client, THESEUS_MM_KIND_FRAMES);
	case KIND_AT:
		return values->flags & THESEUS_MM_ALLOCATE_AT ?
		       choose_known(random, addresses_for(worker, call)) : 0;
	case KIND_BOUND:
		return values->flags & THESEUS_MM_ALLOCATE_IN_RANGE ?
		       choose_known(random, addresses_for(worker, call)) : 0;
	case KIND_ADDRESS:
		return choose_known(random, pool->addresses);
	case KIND_EXPORT_FD:
		return random_once_in(random, 16) ? choose_strange(random) :
		       (uint32_t)pool_fd(worker);
	case KIND_EXPORT_ID:
		return pool->export_ids[random_below(random, POOL_EXPORTS)];
	case KIND_DEVICE_ADDRESS:
		return choose_device_address(worker, call);
	case KIND_DEVICE_BYTES:
		return PAGE * (random_once_in(random, 8) ? PICK(random, ~0ULL >> 12, 0) :
				PICK(random, 1, 1, 16, 512));
	default:
		return choose_number(worker, call, values, kind);
	}
}

static uint64_t choose(struct worker *worker, enum call call, struct values *values,
		       enum kind kind)
{
	switch (kind) {
	case KIND_COUNT:
		return choose_count(&worker->random);
	case KIND_ITEM_COUNT:
		return choose_item_count(&worker->random);
	case KIND_ARRAY_OR_NULL:
		return random_once_in(&worker->random, 3) ? 0 : use_array(worker, values);
	case KIND_ARRAY:
		return use_array(worker, values);
	case KIND_ITEMS:
		return choose_items(worker, call, values);
	case KIND_BUFFER:
		return choose_buffer(worker, call, values);
	case KIND_OFFSET:
		return values->offset = choose_offset(&worker->random);
	case KIND_LENGTH:
		return values->length = choose_length(&worker->random);
	default:
		return choose_known_value(worker, call, values, kind);
	}
}

/* The parts of the last SPLIT fit together, if nothing else has happened to them. */
static void choose_neighbours(struct worker *worker, struct values *values)
{
	const struct handle *parts = worker->pool->neighbours;
	struct theseus_mm_merge merge = { .handle = parts[0].handle, .other = parts[1].handle };

	values->client = parts[0].client;
	memcpy(values->bytes, &merge, sizeof(merge));
}

/* May the fuzzer put any number into the field? An address must not point to its own memory. */
static bool can_be_anything(enum kind kind)
{
	switch (kind) {
	case KIND_ARRAY:
	case KIND_ARRAY_OR_NULL:
	case KIND_ITEMS:
	case KIND_BUFFER:
	case KIND_LENGTH:
	case KIND_OFFSET:
	case KIND_DEVICE_ADDRESS:
	case KIND_DEVICE_BYTES:
		return false;
	default:
		return true;
	}
}

static void spoil_one_field(struct worker *worker, enum call call, struct values *values)
{
	const struct field *field = NULL;

	while ((field = call_next_field(call, field)))
		if (can_be_anything(field->kind) && random_once_in(&worker->random, 4)) {
			values_set(values, field, choose_strange(&worker->random));
			return;
		}
}

void values_choose(struct worker *worker, enum call call, struct values *values)
{
	const struct field *field = NULL;

	memset(values->bytes, 0, sizeof(values->bytes));
	values->array = NULL;
	values->offset = values->length = 0;
	values->client = pool_client(worker);
	values->flags = choose_flags(&worker->random, call);
	while ((field = call_next_field(call, field)))
		values_set(values, field, choose(worker, call, values, field->kind));
	if (call == CALL_MERGE && worker->pool->neighbours[0].handle &&
	    random_below(&worker->random, 2))
		choose_neighbours(worker, values);
	if (random_once_in(&worker->random, 24))
		spoil_one_field(worker, call, values);
}
