// SPDX-License-Identifier: GPL-2.0
/*
 * Throughput of one and of two clients that have nothing to do with each other, each on a CPU of
 * its own. A round lasts a fixed time on the wall. The result is the median of nine rounds, with
 * the slowest one in the place of the 99.9th percentile, and the fastest one as the maximum.
 *
 * The group "lines" runs a fixed number of operations of two clients between two marks instead, for
 * scripts/lines.c: once with clients of two users, and once with clients of one user.
 */
#include "area.h"
#include "clock.h"
#include "device.h"
#include "groups.h"
#include "result.h"

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NR_ROUNDS	9
#define MAX_CLIENTS	2
#define ROUND_NS	250000000L
/* operations of a client before the marks and between them */
#define NR_OPERATIONS	1024
/* more than clients meet */
#define MANY		100

/**
 * enum mode - how clients run
 * @TIMED: until the end of the round
 * @TWO_USERS: between marks, each client as a user of its own
 * @ONE_USER: between marks, as the same user
 */
enum mode { TIMED, TWO_USERS, ONE_USER };

/**
 * struct board - memory that all clients share
 * @nr_ready: clients that wait for the start; in the group "lines", how often clients have met
 * @mode: how the clients run
 * @state: WAIT, RUN, then STOP, for TIMED
 * @clients: a client's result, in a cache line of its own
 */
struct board {
	unsigned int nr_ready;
	enum mode mode;
	enum { WAIT, RUN, STOP } state;
	struct {
		double per_second;
		int error;
	} __attribute__((aligned(128))) clients[MAX_CLIENTS];
};

/**
 * struct load - what a client does over and over
 * @row: name of the row
 * @system: "ours", or the name of Linux's call
 * @open: makes the source of memory; may be NULL
 * @run: one operation; returns 0, or -1 with errno set
 */
struct load {
	const char *row;
	const char *system;
	int (*open)(struct area_source *source);
	int (*run)(const struct area_source *source);
};

static int open_page(struct area_source *source)
{
	return area_open_ours(source, PAGE_BYTES);
}

static int open_anonymous(struct area_source *source)
{
	area_open_anonymous(source, MADV_NOHUGEPAGE);
	source->advice = -1;
	source->hint = NULL;
	return 0;
}

static int run_frames(const struct area_source *source)
{
	struct theseus_mm_allocate arg = { .size = 1 };

	if (ioctl(source->fd, THESEUS_MM_IOC_ALLOCATE_FRAMES, &arg))
		return -1;
	return device_drop(source->fd, arg.handle);
}

static int run_pages(const struct area_source *source)
{
	struct theseus_mm_allocate arg = { .size = 1 };

	if (ioctl(source->fd, THESEUS_MM_IOC_ALLOCATE_PAGES, &arg))
		return -1;
	return device_drop(source->fd, arg.handle);
}

static int run_create(const struct area_source *source)
{
	uint32_t handle;

	return device_create(source->fd, PAGE_BYTES, &handle) ||
	       device_drop(source->fd, handle) ? -1 : 0;
}

static int run_populate(const struct area_source *source)
{
	char *area = area_map(source, PAGE_BYTES, MAP_POPULATE);

	return !area || munmap(area, PAGE_BYTES) ? -1 : 0;
}

static int run_fault(const struct area_source *source)
{
	char *area = area_map(source, PAGE_BYTES, 0);

	if (!area)
		return -1;
	*(volatile char *)area = 1;
	return munmap(area, PAGE_BYTES);
}

/* Areas of a page each, so that touching an area is a fault, and only that. */
static char *areas[2 * NR_OPERATIONS];
static unsigned int nr_touched;

static int open_areas(struct area_source *source)
{
	unsigned int i;
	uint32_t handle;

	if (area_open_ours(source, PAGE_BYTES))
		return -1;
	for (i = 0; i < ARRAY_SIZE(areas); i++) {
		if (device_create(source->fd, PAGE_BYTES, &handle) ||
		    device_offset(source->fd, handle, &source->offset))
			return -1;
		areas[i] = area_map(source, PAGE_BYTES, 0);
		if (!areas[i])
			return -1;
	}
	return 0;
}

static int run_touch(const struct area_source *source)
{
	(void)source;
	*(volatile char *)areas[nr_touched++] = 1;
	return 0;
}

static const struct load timed_loads[] = {
	{ "clients-frame", "ours", open_page, run_frames },
	{ "clients-create-drop", "ours", open_page, run_create },
	{ "clients-create-drop", "mmap-populate", open_anonymous, run_populate },
	{ "clients-fault", "ours", open_page, run_fault },
	{ "clients-fault", "anonymous-4k", open_anonymous, run_fault },
	{ "clients-fault", "empty-driver", area_open_empty, run_fault },
};

static const struct load marked_loads[] = {
	{ "lines-frame", "ours", open_page, run_frames },
	{ "lines-page", "ours", open_page, run_pages },
	{ "lines-create-drop", "ours", open_page, run_create },
	{ "lines-fault", "ours", open_areas, run_touch },
	{ "lines-map-fault-unmap", "ours", open_page, run_fault },
};

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static int run_until_stop(const struct load *load, const struct area_source *source,
			  struct board *board, double *per_second)
{
	unsigned long nr = 0;
	double begun;

	__atomic_add_fetch(&board->nr_ready, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&board->state, __ATOMIC_ACQUIRE) == WAIT)
		sched_yield();
	begun = seconds_now();
	while (__atomic_load_n(&board->state, __ATOMIC_ACQUIRE) == RUN) {
		if (load->run(source))
			return -1;
		nr++;
	}
	*per_second = nr / (seconds_now() - begun);
	return 0;
}

static int repeat(const struct load *load, const struct area_source *source)
{
	unsigned int i;

	for (i = 0; i < NR_OPERATIONS; i++)
		if (load->run(source))
			return -1;
	return 0;
}

/* Wait until all clients have met @nr times. The CPU does nothing in the kernel meanwhile. */
static void meet(struct board *board, unsigned int nr)
{
	__atomic_add_fetch(&board->nr_ready, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&board->nr_ready, __ATOMIC_ACQUIRE) < nr * MAX_CLIENTS)
		__builtin_ia32_pause();
}

/* All clients exist from one mark to the other, and have run before. */
static int run_between_marks(const struct load *load, const struct area_source *source,
			     struct board *board, bool is_first)
{
	int err = repeat(load, source);

	meet(board, 1);
	if (is_first)
		clock_mark_begin();
	meet(board, 2);
	err |= repeat(load, source);
	meet(board, 3);
	if (is_first)
		clock_mark_end();
	meet(board, 4);
	return err;
}

/* A client that fails early must not keep the others waiting. */
static void let_all_go(struct board *board)
{
	__atomic_add_fetch(&board->nr_ready, MANY, __ATOMIC_SEQ_CST);
}

/* The process of client number @i. */
static void run_client(const struct load *load, struct board *board, unsigned int i)
{
	struct area_source source;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(i, &cpus);
	/* the effective user remains root, who may open the device */
	if (sched_setaffinity(0, sizeof(cpus), &cpus) ||
	    (board->mode == TWO_USERS && setreuid(i + 1, -1)) || load->open(&source) ||
	    (board->mode ? run_between_marks(load, &source, board, !i) :
	     run_until_stop(load, &source, board, &board->clients[i].per_second)))
		board->clients[i].error = errno;
	if (board->clients[i].error)
		let_all_go(board);
	_exit(0);
}

static int fork_clients(const struct load *load, struct board *board, unsigned int nr)
{
	unsigned int i;
	pid_t pid;

	for (i = 0; i < nr; i++) {
		pid = fork();
		if (!pid)
			run_client(load, board, i);
		if (pid < 0)
			return -1;
	}
	return 0;
}

/* A client exits with 0, even after an error; another status is a kill. Return: 0 or ECHILD */
static int has_died(void)
{
	int status;

	return waitpid(-1, &status, WNOHANG) > 0 && status ? ECHILD : 0;
}

/* Return 0 if all clients that are left have ended without being killed, or ECHILD. */
static int wait_for_all(struct board *board)
{
	int status, err = 0;

	while (wait(&status) > 0)
		if (status) {
			err = ECHILD;
			let_all_go(board);
		}
	return err;
}

/* Return the operations a second of @nr clients together, or -1 with errno set. */
static double run_round(const struct load *load, struct board *board, unsigned int nr,
			enum mode mode)
{
	const struct timespec round = { .tv_nsec = ROUND_NS };
	double sum = 0;
	unsigned int i;
	int err, killed;

	memset(board, 0, sizeof(*board));
	board->mode = mode;
	err = fork_clients(load, board, nr) ? errno : 0;
	while (!err && __atomic_load_n(&board->nr_ready, __ATOMIC_SEQ_CST) < nr) {
		sched_yield();
		err = has_died();
	}
	if (!err) {
		__atomic_store_n(&board->state, RUN, __ATOMIC_RELEASE);
		nanosleep(&round, NULL);
	}
	__atomic_store_n(&board->state, STOP, __ATOMIC_RELEASE);
	killed = wait_for_all(board);
	err = err ? err : killed;
	for (i = 0; i < nr; i++) {
		sum += board->clients[i].per_second;
		err = err ? err : board->clients[i].error;
	}
	errno = err;
	return err ? -1 : sum;
}

static int compare_rounds(const void *a, const void *b)
{
	double one = *(const double *)a, other = *(const double *)b;

	return one < other ? -1 : one > other;
}

static void print_rounds(const struct load *load, unsigned int nr, double rounds[NR_ROUNDS])
{
	qsort(rounds, NR_ROUNDS, sizeof(rounds[0]), compare_rounds);
	result_value(load->row, load->system, nr, "operations-per-second", NR_ROUNDS,
		     rounds[NR_ROUNDS / 2], rounds[0], rounds[NR_ROUNDS - 1]);
}

static int report_error(const struct load *load)
{
	if (errno != ENOENT || load->open != area_open_empty)
		return result_failed(load->row, "%s: %s", load->system, strerrorname_np(errno));
	result_skipped(load->row, load->system, "ENOENT: is theseus_mm_bench.ko loaded?");
	return 0;
}

/*
 * Rounds with one client and with two take turns, so that whatever else the host does slows both
 * down. The first round of each warms up.
 */
static int measure_load(const struct load *load, struct board *board)
{
	double rounds[MAX_CLIENTS][NR_ROUNDS], sum;
	unsigned int i, nr;

	for (i = 0; i <= NR_ROUNDS; i++)
		for (nr = 1; nr <= MAX_CLIENTS; nr++) {
			sum = run_round(load, board, nr, TIMED);
			if (sum < 0)
				return report_error(load);
			if (i)
				rounds[nr - 1][i - 1] = sum;
		}
	for (nr = 1; nr <= MAX_CLIENTS; nr++)
		print_rounds(load, nr, rounds[nr - 1]);
	return 0;
}

static int mark_load(const struct load *load, struct board *board)
{
	static const struct {
		enum mode mode;
		const char *system;
	} modes[] = { { TWO_USERS, "two-users" }, { ONE_USER, "one-user" } };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		if (run_round(load, board, MAX_CLIENTS, modes[i].mode) < 0)
			return report_error(load);
		result_value(load->row, modes[i].system, MAX_CLIENTS, "operations", NR_OPERATIONS,
			     NR_OPERATIONS, 0, 0);
	}
	return 0;
}

static int measure_all(const struct load *loads, unsigned int nr,
		       int (*measure)(const struct load *load, struct board *board))
{
	struct board *board;
	unsigned int i;
	int err = 0;

	if (sysconf(_SC_NPROCESSORS_ONLN) < MAX_CLIENTS) {
		result_skipped(loads[0].row, loads[0].system, "two CPUs are needed");
		return 0;
	}
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (board == MAP_FAILED)
		return result_failed(loads[0].row, "memory: %s", strerrorname_np(errno));
	for (i = 0; i < nr; i++)
		if (result_is_wanted(loads[i].row, loads[i].system))
			err |= measure(&loads[i], board);
	munmap(board, sizeof(*board));
	return err;
}

/**
 * clients_measure() - measure the throughput of one and of two clients
 * @options: not used
 *
 * Return: 0, or -1 after a failure
 */
int clients_measure(const struct options *options)
{
	(void)options;
	return measure_all(timed_loads, ARRAY_SIZE(timed_loads), measure_load);
}

/**
 * clients_mark() - run two clients between marks, for a plugin of the emulator
 * @options: not used
 *
 * Return: 0, or -1 after a failure
 */
int clients_mark(const struct options *options)
{
	(void)options;
	return measure_all(marked_loads, ARRAY_SIZE(marked_loads), mark_load);
}
