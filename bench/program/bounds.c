// SPDX-License-Identifier: GPL-2.0
/*
 * The longest stretches of every call in which interrupts are off, a spinlock is held, or preemption
 * is off: with few mappings, with many, among fragments, with many processes that wait for memory,
 * and with memory that is clean. These measurements need a module with marks (bench/marks/).
 */
#include "bounds.h"
#include "clean.h"
#include "device.h"
#include "groups.h"
#include "marks.h"
#include "result.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define NR_FEW		100UL
#define NR_MANY		100000UL
#define NR_FRAGMENTS	40000UL
/* Many more than the module wakes at once under the lock of the queue. */
#define NR_WAITERS	64

static int measure_round(const struct bounds *bounds)
{
	return bounds_views(bounds) || bounds_allocations(bounds) || bounds_mappings(bounds) ||
	       bounds_exports(bounds) ? -1 : 0;
}

/* The last descriptor of a client that owns all that there is. */
static int close_client(const struct bounds *bounds, const char *size)
{
	if (marks_begin() || close(bounds->fd))
		return bounds_failed(bounds, "close", size);
	return marks_end("close", size, bounds->situation);
}

static int start_round(struct bounds *bounds, const char *situation)
{
	*bounds = (struct bounds){ device_open(), situation };
	result_note("bounds with %s", situation);
	return bounds->fd < 0 ? bounds_failed(bounds, "open", "-") : 0;
}

static int make_mappings(const struct bounds *bounds, unsigned long nr)
{
	uint32_t handle;
	unsigned long i;

	for (i = 0; i < nr; i++)
		if (device_create(bounds->fd, PAGE_BYTES, &handle))
			return bounds_failed(bounds, "CREATE_MAPPING", "4k");
	return 0;
}

static int measure_among_few(void)
{
	struct bounds bounds;

	return start_round(&bounds, "100-mappings") || make_mappings(&bounds, NR_FEW) ||
	       measure_round(&bounds) || bounds_kernel(&bounds) ||
	       close_client(&bounds, bounds.situation) ? -1 : 0;
}

static int measure_among_many(void)
{
	struct bounds bounds;

	return start_round(&bounds, "100000-mappings") || make_mappings(&bounds, NR_MANY) ||
	       measure_round(&bounds) || bounds_batches(&bounds) || bounds_kernel(&bounds) ||
	       close_client(&bounds, bounds.situation) ? -1 : 0;
}

static int make_fragments(int fd)
{
	uint32_t *handles = malloc(2 * NR_FRAGMENTS * sizeof(handles[0]));
	struct theseus_mm_allocate arg;
	unsigned long i;
	int err = handles ? 0 : -1;

	for (i = 0; !err && i < 2 * NR_FRAGMENTS; i++) {
		arg = (struct theseus_mm_allocate){ .size = 1 };
		err = ioctl(fd, THESEUS_MM_IOC_ALLOCATE_FRAMES, &arg);
		handles[i] = arg.handle;
	}
	for (i = 0; !err && i < 2 * NR_FRAGMENTS; i += 2)
		err = device_drop(fd, handles[i]);
	free(handles);
	return err;
}

static int measure_among_fragments(void)
{
	struct bounds bounds;

	if (start_round(&bounds, "40000-fragments"))
		return -1;
	if (make_fragments(bounds.fd))
		return bounds_failed(&bounds, "ALLOCATE_FRAMES", "4k");
	return measure_round(&bounds) || close_client(&bounds, bounds.situation) ? -1 : 0;
}

/* Clients that have a failed call behind them, and wait until memory is free. */
static int start_waiters(int waiters[NR_WAITERS])
{
	struct theseus_mm_allocate arg;
	struct epoll_event event = { .events = EPOLLIN };
	unsigned int i;
	int queue;

	for (i = 0; i < NR_WAITERS; i++) {
		arg = (struct theseus_mm_allocate){ .size = 1UL << 40 };
		waiters[i] = device_open();
		queue = epoll_create1(EPOLL_CLOEXEC);
		if (waiters[i] < 0 || queue < 0 ||
		    !ioctl(waiters[i], THESEUS_MM_IOC_ALLOCATE_FRAMES, &arg) ||
		    epoll_ctl(queue, EPOLL_CTL_ADD, waiters[i], &event))
			return -1;
	}
	return 0;
}

static int measure_among_waiters(void)
{
	int waiters[NR_WAITERS], err;
	struct bounds bounds;
	unsigned int i;

	if (start_round(&bounds, "64-waiters"))
		return -1;
	if (start_waiters(waiters))
		return bounds_failed(&bounds, "epoll_ctl", "-");
	err = bounds_allocations(&bounds) || bounds_mappings(&bounds) || bounds_exports(&bounds);
	for (i = 0; i < NR_WAITERS; i++)
		close(waiters[i]);
	close(bounds.fd);
	return err ? -1 : 0;
}

/* A leaf of 1 GiB takes long under -icount: the module clears the memory. */
static int measure_leaf_1g(void)
{
	struct bounds bounds;

	return start_round(&bounds, "1-mapping") || bounds_kernel_1g(&bounds) ||
	       bounds_leaf_1g(&bounds) ||
	       close_client(&bounds, bounds.situation) ? -1 : 0;
}

/* The module clears all free memory ahead, which the calls that follow find clean. */
static int measure_among_clean(void)
{
	struct bounds bounds;
	int err;

	if (start_round(&bounds, "clean-memory"))
		return -1;
	err = marks_begin() || clean_switch(true) || clean_await();
	if (clean_switch(false) || err)
		return bounds_failed(&bounds, "clear-ahead", "-");
	return marks_end("clear-ahead", "-", bounds.situation) || measure_round(&bounds) ||
	       close_client(&bounds, bounds.situation) ? -1 : 0;
}

/**
 * struct round - calls in one situation
 * @row: its name among the rows that the command line chooses
 * @measure: makes the calls
 */
struct round {
	const char *row;
	int (*measure)(void);
};

static const struct round rounds[] = {
	{ "bounds-100-mappings", measure_among_few },
	{ "bounds-100000-mappings", measure_among_many },
	{ "bounds-40000-fragments", measure_among_fragments },
	{ "bounds-64-waiters", measure_among_waiters },
	{ "bounds-1g", measure_leaf_1g },
	{ "bounds-clean-memory", measure_among_clean },
};

/**
 * bounds_measure() - make every call, and print its longest stretches
 * @options: not used: the numbers of objects are those of the bounds
 *
 * Return: 0, or -1 after a failure
 */
int bounds_measure(const struct options *options)
{
	int err = 0;
	size_t i;

	(void)options;
	if (!marks_are_there())
		return result_failed("bounds", "the module has no marks");
	for (i = 0; i < ARRAY_SIZE(rounds); i++) {
		if (!result_is_wanted(rounds[i].row, "ours"))
			continue;
		err |= rounds[i].measure();
		marks_print();
	}
	return err;
}
