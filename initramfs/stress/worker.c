// SPDX-License-Identifier: GPL-2.0
#include "worker.h"

#include "marks.h"
#include "record.h"

#include <sys/mman.h>

#include "uapi.h"

#define PAGE		UAPI_PAGE_SIZE
#define GUARD_BYTES	(64UL << 20)

bool worker_start(struct worker *worker, const struct life *life, struct pool *pool,
		  unsigned int number)
{
	*worker = (struct worker){
		.life = life,
		.pool = pool,
		.number = number,
		.random = random_for(life->seed, 1000ULL * life->number + 1 + number),
	};
	worker->arena = mmap(NULL, ARENA_BYTES + GUARD_BYTES, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	worker->read_only = mmap(NULL, 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return worker->arena != MAP_FAILED && worker->read_only != MAP_FAILED &&
	       !mprotect(worker->read_only, PAGE, PROT_READ) &&
	       !mprotect(worker->arena, ARENA_BYTES, PROT_READ | PROT_WRITE);
}

void worker_end(struct worker *worker)
{
	int i;

	for (i = 0; i < WORKER_AREAS; i++)
		if (worker->areas[i].length)
			munmap(worker->areas[i].start, worker->areas[i].length);
	munmap(worker->arena, ARENA_BYTES + GUARD_BYTES);
	munmap(worker->read_only, 2 * PAGE);
}

/* Calls that make objects come more often, so that the others find some. */
static enum call choose_call(struct random *random)
{
	static const enum call makers[] = {
		CALL_CREATE_MAPPING, CALL_ALLOCATE_PAGES, CALL_ALLOCATE_FRAMES,
		CALL_MAP_ALLOCATED_PAGES, CALL_WRITE, CALL_READ, CALL_EXPORT, CALL_IMPORT,
	};

	if (random_once_in(random, 4))
		return makers[random_below(random, sizeof(makers) / sizeof(makers[0]))];
	return random_below(random, NR_CALLS);
}

void worker_step(struct worker *worker)
{
	worker->operation++;
	if (random_below(&worker->random, 10) < 6)
		worker_call(worker, choose_call(&worker->random));
	else
		worker_act(worker);
}

void worker_wrong(const struct worker *worker, const char *what, long number)
{
	record_wrong("SEED=%llu LIFE=%u thread %u, operation %u: %s: %ld",
		     (unsigned long long)worker->life->seed, worker->life->number, worker->number,
		     worker->operation, what, number);
}

void worker_check_content(const struct worker *worker, const void *bytes, size_t length,
			  uint64_t offset)
{
	size_t place;

	if (worker->life->has_devices)
		return;
	place = mark_find_foreign(bytes, length, offset, worker->life->domain);
	__atomic_fetch_add(&record->nr_looks, 1, __ATOMIC_RELAXED);
	if (place != length)
		worker_wrong(worker, "content of another domain, at byte",
			     place);
}

uint32_t worker_sequence(void)
{
	return __atomic_add_fetch(&record->sequence, 1, __ATOMIC_RELAXED);
}
