// SPDX-License-Identifier: GPL-2.0
/*
 * Operations of the storm that are no calls of the device: areas (areas.c), descriptors, processes,
 * signals. None of them touches anything but the device, and the worker's own memory and processes.
 */
#include "areas.h"
#include "record.h"
#include "values.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "descriptor.h"
#include "uapi.h"

/* --- descriptors ------------------------------------------------------------------------------ */

static int act_open(struct worker *worker)
{
	struct random *random = &worker->random;
	int fd = open(UAPI_DEVICE, O_CLOEXEC | (random_once_in(random, 8) ? O_RDONLY : O_RDWR));
	int old;

	if (fd < 0)
		return errno;
	old = __atomic_exchange_n(&worker->pool->clients[random_below(random, POOL_CLIENTS)], fd,
				  __ATOMIC_RELAXED);
	if (old >= 0)
		close(old);
	return 0;
}

static int act_dup(struct worker *worker)
{
	int fd = fcntl(random_below(&worker->random, 4) ? pool_fd(worker) : pool_client(worker),
		       F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return errno;
	pool_add_fd(worker, fd);
	return 0;
}

static int act_close(struct worker *worker)
{
	pool_add_fd(worker, -1);
	return 0;
}

/* The socket does not block. */
static int act_send(struct worker *worker)
{
	return send_descriptor(worker->pool->socket, pool_fd(worker)) ? 0 : errno;
}

static int act_receive(struct worker *worker)
{
	int fd;

	/* a socket that is closed at its other end gives no descriptor, and no error */
	errno = NO_OBJECT;
	fd = receive_descriptor(worker->pool->socket);
	if (fd < 0)
		return errno;
	pool_add_fd(worker, fd);
	return 0;
}

static int act_poll(struct worker *worker)
{
	struct random *random = &worker->random;
	struct pollfd polled[2] = {
		{ .fd = pool_client(worker), .events = random_next(random) & 0xff },
		{ .fd = pool_fd(worker), .events = POLLIN },
	};

	return error_of(poll(polled, 2, random_below(random, 8)));
}

static int act_inspect(struct worker *worker)
{
	int fd = random_below(&worker->random, 2) ? pool_fd(worker) : pool_client(worker);
	struct stat facts;

	switch (random_below(&worker->random, 5)) {
	case 0:
		return error_of(lseek(fd, choose_bytes(worker), random_below(&worker->random, 6)));
	case 1:
		return error_of(fstat(fd, &facts));
	case 2:
		return error_of(fsync(fd));
	case 3:
		return error_of(ftruncate(fd, choose_bytes(worker)));
	default:
		return error_of(fcntl(fd, F_GETFL));
	}
}

/* Read what the module shows of itself. */
static int act_show(struct worker *worker)
{
	static const char *const files[] = {
		"/sys/class/misc/theseus_mm/frames_free", "/sys/class/misc/theseus_mm/mappings",
		"/sys/class/misc/theseus_mm/frames_ranges",
		"/sys/kernel/debug/theseus_mm/clients", "/sys/kernel/debug/theseus_mm/mappings",
		"/sys/kernel/debug/theseus_mm/stats",
	};
	char path[64];
	int fd, err;

	if (random_below(&worker->random, 2))
		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pool_client(worker));
	else
		snprintf(path, sizeof(path), "%s", files[random_below(&worker->random, 6)]);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	err = error_of(read(fd, worker->arena, ARENA_BYTES));
	close(fd);
	return err;
}

/* --- processes and signals -------------------------------------------------------------------- */

/* The child shares the clients, but has none of the areas. */
static void live_as_child(struct worker *worker, unsigned int nr_operations)
{
	unsigned int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (i = 0; i < WORKER_AREAS; i++)
		worker->areas[i].length = 0;
	for (i = 0; i < nr_operations; i++)
		if (random_below(&worker->random, 3))
			worker_call(worker, random_below(&worker->random, NR_CALLS));
		else
			act_mmap(worker);
	_exit(0);
}

/* While the child lives, the worker waits, so that a process with one thread stays alone. */
static int act_fork(struct worker *worker)
{
	unsigned int nr_operations = 1 + random_below(&worker->random, 16);
	pid_t child = fork();
	int status;

	if (child < 0)
		return errno;
	if (!child)
		live_as_child(worker, nr_operations);
	if (random_once_in(&worker->random, 3)) {
		usleep(random_below(&worker->random, 5000));
		kill(child, SIGKILL);
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
		worker_wrong(worker, "a child ended by signal", WTERMSIG(status));
	return 0;
}

/* A signal that interrupts the next call. */
static int act_signal(struct worker *worker)
{
	struct itimerval soon = { .it_value.tv_usec = 1 + random_below(&worker->random, 3000) };

	return error_of(setitimer(ITIMER_REAL, &soon, NULL));
}

static const struct {
	const char *name;
	int (*act)(struct worker *worker);
	unsigned int weight;
} actions[] = {
	{ "mmap", act_mmap, 12 },
	{ "mmap of a descriptor", act_mmap_fd, 6 },
	{ "munmap", act_munmap, 4 },
	{ "mprotect", act_mprotect, 3 },
	{ "mremap", act_mremap, 3 },
	{ "madvise", act_madvise, 4 },
	{ "mlock, munlock, msync", act_lock, 2 },
	{ "load", act_load, 12 },
	{ "store", act_store, 12 },
	{ "process_vm_readv", act_vm_readv, 2 },
	{ "vmsplice", act_vmsplice, 2 },
	{ "open", act_open, 2 },
	{ "dup", act_dup, 2 },
	{ "close", act_close, 2 },
	{ "send a descriptor", act_send, 4 },
	{ "receive a descriptor", act_receive, 4 },
	{ "poll", act_poll, 3 },
	{ "lseek, fstat, fsync", act_inspect, 2 },
	{ "read what is shown", act_show, 1 },
	{ "fork", act_fork, 1 },
	{ "signal", act_signal, 2 },
};

#define NR_ACTIONS	(sizeof(actions) / sizeof(actions[0]))

_Static_assert(NR_CALLS + NR_ACTIONS <= RECORD_OPERATIONS, "the record is too small");

void worker_act(struct worker *worker)
{
	unsigned int sum = 0, i;
	uint64_t chosen;

	for (i = 0; i < NR_ACTIONS; i++)
		sum += actions[i].weight;
	chosen = random_below(&worker->random, sum);
	for (i = 0; chosen >= actions[i].weight; i++)
		chosen -= actions[i].weight;
	record_count(NR_CALLS + i, actions[i].act(worker));
}

void worker_print_actions(unsigned int enough, bool has_struct_pages)
{
	unsigned int i;

	for (i = 0; i < NR_ACTIONS; i++) {
		record_print(actions[i].name, NR_CALLS + i);
		if (record_total(NR_CALLS + i) >= enough && !record_successes(NR_CALLS + i) &&
		    (has_struct_pages || (actions[i].act != act_vm_readv && actions[i].act != act_vmsplice)))
			record_wrong("%s: never with success", actions[i].name);
	}
}
