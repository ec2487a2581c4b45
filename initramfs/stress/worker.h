/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A worker is a thread of the storm: its random numbers, its buffers and areas, and the objects
 * that all threads of its process share.
 */
#ifndef STRESS_WORKER_H
#define STRESS_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "calls.h"
#include "random.h"

/* The abilities of a process of the storm. They follow from the seed and the number of its life. */
struct life {
	uint64_t seed;
	unsigned int number;
	uint32_t domain;
	bool is_root;
	bool has_crossings;	/* calls copy between areas and mappings */
	bool has_devices;	/* device memory, whose content nobody checks */
	unsigned int nr_threads;
	unsigned int nr_operations;
	unsigned int kill_after_ms;	/* 0: the life ends by itself */
};

/* @kind is a THESEUS_MM_KIND_*, or 0 if the kind is unknown. */
struct handle {
	int client;
	uint32_t handle;
	uint32_t kind;
};

#define POOL_CLIENTS	3
#define POOL_HANDLES	48
#define POOL_FDS	12
#define POOL_EXPORTS	6
#define POOL_ADDRESSES	12

/* The threads of a process write to the pool without locks: a stale value is an input too. */
struct pool {
	int clients[POOL_CLIENTS];
	struct handle handles[POOL_HANDLES];
	struct handle neighbours[2];	/* the parts of the last SPLIT */
	int fds[POOL_FDS];
	uint32_t export_ids[POOL_EXPORTS];
	uint64_t addresses[POOL_ADDRESSES];
	uint64_t paddrs[POOL_ADDRESSES];
	int socket;		/* to the other process of the domain */
	uint64_t device;	/* device memory that the storm may use, or 0 */
	uint64_t max_bytes;	/* of a mapping */
};

struct area {
	unsigned char *start;
	size_t length;	/* whole pages; 0 if there is no area */
};

#define WORKER_AREAS	8
/* Behind the arena are addresses that cannot be read or written. */
#define ARENA_BYTES	(256UL << 10)

struct worker {
	const struct life *life;
	struct pool *pool;
	struct random random;
	unsigned int number;
	unsigned int operation;
	unsigned char *arena;
	unsigned char *read_only;	/* a page of zeros, before one that is inaccessible */
	struct area areas[WORKER_AREAS];
};

/* Return: false without memory */
bool worker_start(struct worker *worker, const struct life *life, struct pool *pool,
		  unsigned int number);
void worker_end(struct worker *worker);

/* Do one operation. */
void worker_step(struct worker *worker);

/* Make one random call. */
void worker_call(struct worker *worker, enum call call);

/* Do one other random operation: on areas, descriptors, processes or signals. */
void worker_act(struct worker *worker);

/*
 * Print the figures of the other operations. Each that had something to work on @enough times, and
 * that the machine can do, must have succeeded.
 */
void worker_print_actions(unsigned int enough, bool has_struct_pages);

/* Note something that must not happen, and where in the storm. A victim has no LIFE of the storm. */
void worker_wrong(const struct worker *worker, const char *what, long number);

/* Check that @length bytes, which begin @offset bytes after a whole word, are the domain's. */
void worker_check_content(const struct worker *worker, const void *bytes, size_t length,
			  uint64_t offset);

/* Return: a number for new marks, higher than all before */
uint32_t worker_sequence(void);

#endif /* STRESS_WORKER_H */
