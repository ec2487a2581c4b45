// SPDX-License-Identifier: GPL-2.0
/*
 * Operations of the storm that are no calls of the device: areas, descriptors, processes, signals.
 * None of them touches anything but the device, and the worker's own memory and processes.
 */
#include "marks.h"
#include "record.h"
#include "values.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "descriptor.h"
#include "fault.h"
#include "uapi.h"

#define PAGE		UAPI_PAGE_SIZE
#define MAX_AREA	(4UL << 20)

static int error_of(long result)
{
	return result < 0 ? errno : 0;
}

/* Return: an area; one without a length if the worker has none */
static struct area *some_area(struct worker *worker)
{
	unsigned int first = random_below(&worker->random, WORKER_AREAS), i;
	struct area *area = worker->areas;

	for (i = 0; i < WORKER_AREAS; i++) {
		area = &worker->areas[(first + i) % WORKER_AREAS];
		if (area->length)
			break;
	}
	return area;
}

static size_t whole_pages(size_t length)
{
	return (length + PAGE - 1) / PAGE * PAGE;
}

/* --- areas ------------------------------------------------------------------------------------ */

static void forget_area(struct area *area)
{
	if (area->length)
		munmap(area->start, area->length);
	area->length = 0;
}

/* The errors of mmap() that theseus_mm(4) names, and those of Linux itself. */
static bool mmap_may_return(int err)
{
	static const int errors[] = {
		EINVAL, EBADF, ENOENT, ERANGE, EACCES, EBUSY, EOPNOTSUPP, ENODEV, ENOMEM,
		ESTALE, EAGAIN, EPERM, EOVERFLOW,
	};
	size_t i;

	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i] == err)
			return true;
	return false;
}

static int choose_mmap_flags(struct random *random)
{
	int flags = random_once_in(random, 24) ? MAP_PRIVATE : MAP_SHARED;

	if (random_once_in(random, 4))
		flags |= MAP_POPULATE;
	if (random_once_in(random, 12))
		flags |= MAP_LOCKED;
	if (random_once_in(random, 12))
		flags |= MAP_NORESERVE;
	return flags;
}

static int make_area(struct worker *worker, int fd, uint64_t offset, uint64_t length)
{
	struct random *random = &worker->random;
	int prot = random_once_in(random, 16) ? random_below(random, 8) :
		   random_below(random, 3) ? PROT_READ | PROT_WRITE : PROT_READ;
	struct area *area = &worker->areas[random_below(random, WORKER_AREAS)];
	void *start;
	int err;

	forget_area(area);
	start = mmap(NULL, length, prot, choose_mmap_flags(random), fd, offset);
	err = start == MAP_FAILED ? errno : 0;
	if (err && !mmap_may_return(err))
		worker_wrong(worker, "mmap", err);
	if (!err)
		*area = (struct area){ start, whole_pages(length) };
	return err;
}

static uint64_t choose_area_length(struct worker *worker, uint64_t whole)
{
	if (!whole || random_once_in(&worker->random, 3))
		whole = choose_bytes(worker);
	return whole < MAX_AREA ? whole : MAX_AREA;
}

static int act_mmap(struct worker *worker)
{
	struct random *random = &worker->random;
	int client = pool_client(worker);
	__u64 offset, nr_bytes;

	if (uapi_map_offset(client, pool_handle(worker, client, THESEUS_MM_KIND_MAPPING), &offset,
			    &nr_bytes))
		offset = nr_bytes = PAGE * random_below(random, 1000);
	if (random_once_in(random, 8))
		offset += PAGE * random_below(random, 16);
	return make_area(worker, client, offset, choose_area_length(worker, nr_bytes));
}

static int act_mmap_fd(struct worker *worker)
{
	struct random *random = &worker->random;
	uint64_t offset = random_once_in(random, 4) ? PAGE * random_below(random, 16) : 0;

	return make_area(worker, pool_fd(worker), offset, choose_area_length(worker, 0));
}

/* Unmap all of an area, or its first or last part. */
static int act_munmap(struct worker *worker)
{
	struct area *area = some_area(worker);
	size_t pages = area->length / PAGE, part;

	if (!pages)
		return NO_OBJECT;
	if (pages < 2 || random_below(&worker->random, 2)) {
		forget_area(area);
		return 0;
	}
	part = PAGE * (1 + random_below(&worker->random, pages - 1));
	area->length -= part;
	if (random_below(&worker->random, 2))
		return error_of(munmap(area->start + area->length, part));
	area->start += part;
	return error_of(munmap(area->start - part, part));
}

static int act_mprotect(struct worker *worker)
{
	struct area *area = some_area(worker);
	int prot = random_below(&worker->random, 8);

	return area->length ? error_of(mprotect(area->start, area->length, prot)) : NO_OBJECT;
}

static int act_mremap(struct worker *worker)
{
	struct area *area = some_area(worker);
	uint64_t length = choose_area_length(worker, area->length);
	void *start;

	if (!area->length)
		return NO_OBJECT;
	start = mremap(area->start, area->length, length,
		       random_below(&worker->random, 2) ? MREMAP_MAYMOVE : 0);
	if (start == MAP_FAILED)
		return errno;
	*area = (struct area){ start, whole_pages(length) };
	return 0;
}

/* No advice that makes Linux give up memory of others, as MADV_HWPOISON does. */
static int act_madvise(struct worker *worker)
{
	static const int advice[] = {
		MADV_NORMAL, MADV_RANDOM, MADV_WILLNEED, MADV_DONTNEED, MADV_FREE, MADV_REMOVE,
		MADV_DONTFORK, MADV_DOFORK, MADV_MERGEABLE, MADV_UNMERGEABLE, MADV_HUGEPAGE,
		MADV_NOHUGEPAGE, MADV_DONTDUMP, MADV_DODUMP, MADV_WIPEONFORK, MADV_KEEPONFORK,
		MADV_COLD, MADV_PAGEOUT, MADV_POPULATE_READ, MADV_POPULATE_WRITE,
	};
	struct area *area = some_area(worker);
	int chosen = advice[random_below(&worker->random, sizeof(advice) / sizeof(advice[0]))];

	return area->length ? error_of(madvise(area->start, area->length, chosen)) : NO_OBJECT;
}

static int act_lock(struct worker *worker)
{
	struct area *area = some_area(worker);

	if (!area->length)
		return NO_OBJECT;
	switch (random_below(&worker->random, 3)) {
	case 0:
		return error_of(mlock(area->start, area->length));
	case 1:
		return error_of(munlock(area->start, area->length));
	default:
		return error_of(msync(area->start, area->length, MS_SYNC));
	}
}

static size_t choose_place(struct worker *worker, const struct area *area)
{
	return random_below(&worker->random, area->length / MARK_BYTES) * MARK_BYTES;
}

/* Copy a part of an area to the arena. An area whose borrow has ended raises SIGBUS: EFAULT. */
static int act_load(struct worker *worker)
{
	struct area *area = some_area(worker);
	size_t place, length;
	bool is_whole;

	if (area->length < MARK_BYTES)
		return NO_OBJECT;
	place = choose_place(worker, area);
	length = area->length - place < 2 * PAGE ? area->length - place : 2 * PAGE;
	is_whole = fault_safe_copy(worker->arena, area->start + place, length);
	if (is_whole)
		worker_check_content(worker, worker->arena, length, 0);
	return is_whole ? 0 : EFAULT;
}

static int act_store(struct worker *worker)
{
	uint64_t mark = mark_make(worker->life->domain, worker_sequence());
	struct area *area = some_area(worker);
	bool is_whole = true;
	unsigned int i;

	if (area->length < MARK_BYTES)
		return NO_OBJECT;
	for (i = 0; i < 8 && is_whole; i++)
		is_whole = fault_safe_store(area->start + choose_place(worker, area), mark);
	return is_whole ? 0 : EFAULT;
}

/* --- Linux's own access to areas -------------------------------------------------------------- */

static int act_vm_readv(struct worker *worker)
{
	struct area *area = some_area(worker);
	struct iovec from, to = { worker->arena, PAGE };
	size_t place;
	ssize_t nr;

	if (area->length < PAGE)
		return NO_OBJECT;
	place = choose_place(worker, area);
	from = (struct iovec){ area->start + place, area->length - place < PAGE ?
						    area->length - place : PAGE };
	nr = process_vm_readv(getpid(), &to, 1, &from, 1, 0);
	if (nr > 0)
		worker_check_content(worker, worker->arena, nr, 0);
	return error_of(nr);
}

/* Pin a page of an area for a while; what comes out of the pipe is still the domain's. */
static int act_vmsplice(struct worker *worker)
{
	struct area *area = some_area(worker);
	struct iovec from;
	int ends[2], err;
	ssize_t nr;

	if (area->length < PAGE)
		return NO_OBJECT;
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
		return errno;
	from = (struct iovec){ area->start + choose_place(worker, area) / PAGE * PAGE, PAGE };
	err = error_of(vmsplice(ends[1], &from, 1, SPLICE_F_NONBLOCK));
	if (!err && random_below(&worker->random, 2))
		forget_area(area);
	if (!err)
		worker_call(worker, random_below(&worker->random, NR_CALLS));
	nr = err ? 0 : read(ends[0], worker->arena, PAGE);
	if (nr > 0)
		worker_check_content(worker, worker->arena, nr, 0);
	close(ends[0]);
	close(ends[1]);
	return err;
}

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
