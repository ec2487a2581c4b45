/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Processes that use the module while the machine changes: each makes mappings, copies into them and
 * out of them, reads them through areas, and checks every byte.
 */
#ifndef TESTS_WORKERS_H
#define TESTS_WORKERS_H

#include "area.h"

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define MAX_WORKERS	8
#define WORKER_PAGES	64

/**
 * struct worker - what a process has done
 * @nr_rounds: mappings that it has made, checked and dropped
 * @line: the line of this file where it failed, or 0
 * @err: the result of the call there
 */
struct worker {
	unsigned long nr_rounds;
	int line;
	int err;
};

/**
 * struct workers - several processes
 * @pids: the processes
 * @nr: their number
 * @shared: memory of all processes: what each has done, and whether they are to stop
 */
struct workers {
	pid_t pids[MAX_WORKERS];
	unsigned int nr;
	struct {
		struct worker worker[MAX_WORKERS];
		bool stop;
	} *shared;
};

#define WORKER_TRY(call)								\
	do {										\
		worker->err = (call);							\
		if (worker->err) {							\
			worker->line = __LINE__;					\
			return false;							\
		}									\
	} while (0)

/* Use a mapping of @nr pages in every way. Return: false, with the place, if something is wrong */
static inline bool worker_round(struct worker *worker, int fd, __u64 nr)
{
	static unsigned char buffer[WORKER_PAGES * PAGE];
	struct theseus_mm_create_mapping mapping;
	unsigned char *area;

	WORKER_TRY(uapi_create_mapping(fd, nr * PAGE, THESEUS_MM_PTE_DATA, &mapping));
	WORKER_TRY(fill(fd, mapping.handle, nr * PAGE));
	WORKER_TRY(uapi_read(fd, mapping.handle, 0, buffer, nr * PAGE));
	WORKER_TRY(nr_alike(buffer, 0, nr * PAGE) != nr * PAGE);
	area = mmap_all(fd, mapping.handle, R);
	WORKER_TRY(area == MAP_FAILED ? -errno : 0);
	WORKER_TRY(nr_alike(area, 0, nr * PAGE) != nr * PAGE);
	WORKER_TRY(munmap(area, nr * PAGE) ? -errno : 0);
	WORKER_TRY(uapi_drop(fd, mapping.handle));
	return true;
}

/* The life of a worker. It stays on CPU @cpu, unless that is negative. */
static inline void worker_run(struct workers *workers, unsigned int number, int cpu)
{
	struct worker *worker = &workers->shared->worker[number];
	int fd = uapi_open(NULL);
	cpu_set_t set;

	/* a test that fails may end without stopping its workers */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (cpu >= 0) {
		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		if (sched_setaffinity(0, sizeof(set), &set))
			_exit(2);
	}
	while (!__atomic_load_n(&workers->shared->stop, __ATOMIC_RELAXED)) {
		if (!worker_round(worker, fd, worker->nr_rounds % WORKER_PAGES + 1))
			_exit(1);
		__atomic_add_fetch(&worker->nr_rounds, 1, __ATOMIC_RELAXED);
	}
	_exit(0);
}

/* Start processes. With @is_pinned, the first stays on CPU 0, the second on CPU 1, and so on. */
static inline bool workers_start(struct workers *workers, unsigned int nr, bool is_pinned)
{
	unsigned int i;

	workers->shared = mmap(NULL, sizeof(*workers->shared), RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	workers->nr = 0;
	if (workers->shared == MAP_FAILED)
		return false;
	for (i = 0; i < nr; i++) {
		workers->pids[i] = fork();
		if (!workers->pids[i])
			worker_run(workers, i, is_pinned ? (int)i : -1);
		if (workers->pids[i] < 0)
			return false;
		workers->nr++;
	}
	return true;
}

/* Check that each worker makes progress from now on. */
#define EXPECT_PROGRESS(all)								\
	do {										\
		struct workers *_workers = (all);					\
		unsigned long _nr[MAX_WORKERS];						\
		unsigned int _each;							\
											\
		for (_each = 0; _each < _workers->nr; _each++)				\
			_nr[_each] = _workers->shared->worker[_each].nr_rounds;		\
		for (_each = 0; _each < _workers->nr; _each++)				\
			EXPECT_TRUE(BECOMES(__atomic_load_n(				\
				&_workers->shared->worker[_each].nr_rounds,		\
				__ATOMIC_RELAXED) > _nr[_each]))			\
				TH_LOG("worker %u does nothing", _each);		\
	} while (0)

/* End the workers, and check that nothing was wrong. */
#define EXPECT_WELL(all)								\
	do {										\
		struct workers *_these = (all);					\
		unsigned long _sum = 0;							\
		unsigned int _i;							\
		int _status;								\
											\
		__atomic_store_n(&_these->shared->stop, true, __ATOMIC_RELAXED);	\
		for (_i = 0; _i < _these->nr; _i++) {					\
			const struct worker *_worker = &_these->shared->worker[_i];	\
											\
			EXPECT_EQ(_these->pids[_i], waitpid(_these->pids[_i], &_status, 0)); \
			EXPECT_EQ(0, _status)						\
				TH_LOG("worker %u: line %d: %d", _i, _worker->line,	\
				       _worker->err);					\
			_sum += _worker->nr_rounds;					\
		}									\
		TH_LOG("%u workers made %lu mappings", _these->nr, _sum);		\
		munmap(_these->shared, sizeof(*_these->shared));			\
	} while (0)

#endif /* TESTS_WORKERS_H */
