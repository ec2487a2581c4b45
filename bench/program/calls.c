// SPDX-License-Identifier: GPL-2.0
/*
 * The calls of a program on mappings of one page, singly and in batches, while N mappings exist.
 * CREATE clears the page.
 */
#include "area.h"
#include "device.h"
#include "groups.h"
#include "result.h"
#include "steps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define ACCESS_BYTES	64
#define BATCH_ITEMS	1000UL
#define NR_FLOOR	10000
/* frames for page tables and for whatever else the guest does */
#define SPARE_FRAMES	4096UL

#define READ_ONLY	(THESEUS_MM_PTE_ACCESSED | THESEUS_MM_PTE_NOT_EXECUTABLE)

/**
 * struct calls - the state of the steps
 * @fd: the client
 * @nr: number of mappings
 * @per_batch: items of a batch
 * @handles: the mappings
 * @created: items of CREATE_BATCH
 * @dropped: items of DROP_BATCH
 * @buffer: for READ and WRITE
 */
struct calls {
	int fd;
	unsigned long nr;
	unsigned long per_batch;
	uint32_t *handles;
	struct theseus_mm_create_item *created;
	struct theseus_mm_drop_item *dropped;
	char buffer[ACCESS_BYTES];
};

static int create_one(void *state, unsigned long i)
{
	struct calls *calls = state;

	return device_create(calls->fd, PAGE_BYTES, &calls->handles[i]);
}

static int write_one(void *state, unsigned long i)
{
	struct calls *calls = state;

	return device_access(calls->fd, THESEUS_MM_IOC_WRITE, calls->handles[i], calls->buffer,
			     ACCESS_BYTES);
}

static int read_one(void *state, unsigned long i)
{
	struct calls *calls = state;

	return device_access(calls->fd, THESEUS_MM_IOC_READ, calls->handles[i], calls->buffer,
			     ACCESS_BYTES);
}

static int remap_one(void *state, unsigned long i)
{
	struct calls *calls = state;

	return device_remap(calls->fd, calls->handles[i], READ_ONLY);
}

static int drop_one(void *state, unsigned long i)
{
	struct calls *calls = state;

	return device_drop(calls->fd, calls->handles[i]);
}

static int create_batch(void *state, unsigned long i)
{
	struct calls *calls = state;

	return device_batch(calls->fd, THESEUS_MM_IOC_CREATE_BATCH,
			    calls->created + i * calls->per_batch, sizeof(calls->created[0]),
			    calls->per_batch);
}

/* Name the mappings to drop. This is no call, and not measured. */
static int name_batch(void *state, unsigned long i)
{
	struct calls *calls = state;
	unsigned long k;

	for (k = i * calls->per_batch; k < (i + 1) * calls->per_batch; k++)
		calls->dropped[k].handle = calls->created[k].handle;
	return 0;
}

static int drop_batch(void *state, unsigned long i)
{
	struct calls *calls = state;

	return device_batch(calls->fd, THESEUS_MM_IOC_DROP_BATCH,
			    calls->dropped + i * calls->per_batch, sizeof(calls->dropped[0]),
			    calls->per_batch);
}

static const struct step single_steps[] = {
	{ "program-create-4k", "ours", create_one },
	{ "program-write-64", "ours", write_one },
	{ "program-read-64", "ours", read_one },
	{ "program-remap-4k", "ours", remap_one },
	{ "program-drop-4k", "ours", drop_one },
};

static const struct step batch_steps[] = {
	{ "program-create-batch-4k", "ours", create_batch },
	{ NULL, "ours", name_batch },
	{ "program-drop-batch-4k", "ours", drop_batch },
};

static int unknown_call(void *state, unsigned long i)
{
	struct calls *calls = state;

	(void)i;
	/* a number that no driver knows: the way through Linux, and back */
	return ioctl(calls->fd, 0x1234, calls->buffer) == -1 && errno == ENOTTY ? 0 : -1;
}

static int get_limits(void *state, unsigned long i)
{
	struct calls *calls = state;
	struct theseus_mm_limits limits = { 0 };

	(void)i;
	return ioctl(calls->fd, THESEUS_MM_IOC_GET_LIMITS, &limits);
}

static int get_info(void *state, unsigned long i)
{
	struct calls *calls = state;
	struct theseus_mm_info info = { 0 };

	(void)i;
	return ioctl(calls->fd, THESEUS_MM_IOC_GET_INFO, &info);
}

/* The way through Linux to a driver that only copies a structure as large as that of READ. */
static int call_empty(void *state, unsigned long i)
{
	struct calls *calls = state;
	struct theseus_mm_access arg = { .handle = i };

	return ioctl(calls->fd, _IOWR('e', 0, struct theseus_mm_access), &arg);
}

static const struct step empty_steps[] = {
	{ "program-empty-call", "empty-driver", call_empty },
};

static const struct step floor_steps[] = {
	{ "program-unknown-call", "ours", unknown_call },
	{ "program-get-limits", "ours", get_limits },
	{ "program-get-info", "ours", get_info },
};

static int prepare_arrays(struct calls *calls)
{
	unsigned long i;

	calls->handles = calloc(calls->nr, sizeof(calls->handles[0]));
	calls->created = calloc(calls->nr, sizeof(calls->created[0]));
	calls->dropped = calloc(calls->nr, sizeof(calls->dropped[0]));
	if (!calls->handles || !calls->created || !calls->dropped)
		return -1;
	for (i = 0; i < calls->nr; i++)
		calls->created[i] = (struct theseus_mm_create_item){
			.size = PAGE_BYTES,
			.pte_flags = THESEUS_MM_PTE_DATA,
		};
	/* the first touch of a page of the arrays must not fall into a measurement */
	memset(calls->handles, 0xff, calls->nr * sizeof(calls->handles[0]));
	memset(calls->dropped, 0, calls->nr * sizeof(calls->dropped[0]));
	return 0;
}

/* A smaller number of mappings is measured if there is no room for @nr; the row says so. */
static unsigned long fitting_number(unsigned long nr, unsigned long nr_free)
{
	unsigned long room = nr_free > SPARE_FRAMES ? nr_free - SPARE_FRAMES : 0;

	if (nr <= room)
		return nr;
	return room > BATCH_ITEMS ? room / BATCH_ITEMS * BATCH_ITEMS : room;
}

static int measure_series(struct calls *calls)
{
	const struct series single = {
		single_steps, ARRAY_SIZE(single_steps), calls->nr, 1, 0
	};
	const struct series batches = {
		batch_steps, ARRAY_SIZE(batch_steps),
		calls->nr / calls->per_batch * calls->per_batch, calls->per_batch, 0
	};

	return series_measure(&single, calls) || series_measure(&batches, calls) ? -1 : 0;
}

static int measure_population(unsigned long nr)
{
	struct calls calls = { .fd = device_open() };
	unsigned long nr_free;
	int err = -1;

	if (calls.fd < 0 || device_free_frames(calls.fd, &nr_free)) {
		result_failed("program-create-4k", "/dev/theseus_mm: %s", strerrorname_np(errno));
		goto close_client;
	}
	calls.nr = fitting_number(nr, nr_free);
	calls.per_batch = calls.nr < BATCH_ITEMS ? calls.nr : BATCH_ITEMS;
	if (!calls.nr) {
		result_skipped("program-create-4k", "ours", "no frames are free");
		err = 0;
		goto close_client;
	}
	if (prepare_arrays(&calls)) {
		result_failed("program-create-4k", "arrays: %s", strerrorname_np(errno));
		goto free_arrays;
	}
	err = measure_series(&calls);
free_arrays:
	free(calls.dropped);
	free(calls.created);
	free(calls.handles);
close_client:
	if (calls.fd >= 0)
		close(calls.fd);
	return err;
}

/* The bench module has the driver; without that module, the row is left out. */
static int measure_empty(void)
{
	const struct series series = { empty_steps, ARRAY_SIZE(empty_steps), NR_FLOOR, 1, 1 };
	struct calls calls = { .fd = -1 };
	struct area_source source;
	int err;

	if (!result_is_wanted("program-empty-call", "empty-driver"))
		return 0;
	if (area_open_empty(&source)) {
		result_skipped("program-empty-call", source.system,
			       "%s: is theseus_mm_bench.ko loaded?", strerrorname_np(errno));
		return 0;
	}
	calls.fd = source.fd;
	err = series_measure(&series, &calls);
	area_close(&source);
	return err;
}

/**
 * calls_measure() - measure the calls on mappings of one page
 * @options: the numbers of mappings
 *
 * Return: 0, or -1 after a failure
 */
int calls_measure(const struct options *options)
{
	const struct series floors = { floor_steps, ARRAY_SIZE(floor_steps), NR_FLOOR, 1, 1 };
	struct calls calls = { .fd = device_open() };
	unsigned int i;
	int err;

	if (calls.fd < 0)
		return result_failed("program-unknown-call", "/dev/theseus_mm: %s",
				     strerrorname_np(errno));
	err = series_measure(&floors, &calls);
	close(calls.fd);
	err = err || measure_empty() ? -1 : 0;
	for (i = 0; !err && i < options->nr_sizes; i++)
		err = measure_population(options->sizes[i]);
	return err;
}
