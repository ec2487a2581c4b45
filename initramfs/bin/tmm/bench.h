/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The measurements of tmm bench.
 */
#ifndef TMM_BENCH_H
#define TMM_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tmm.h>

#define BATCH		64

/**
 * struct bench - the state that the measurements share
 * @client: the client that makes the calls
 * @large: a mapping of @size bytes
 * @buffer: @size bytes of ordinary memory
 * @small: room for BATCH mappings
 * @frames: room for as many frames
 * @window: a page of @large, in this process
 * @exported: descriptor of an exported mapping
 * @is_read_only: @large is read-only at the moment
 * @size: bytes that a measurement of throughput moves
 */
struct bench {
	struct tmm_client *client;
	struct tmm_mapping *large;
	char *buffer;
	struct tmm_mapping *small[BATCH];
	struct tmm_frames *frames[BATCH];
	void *window;
	int exported;
	bool is_read_only;
	uint64_t size;
};

/**
 * struct measurement - an operation to measure
 * @key: its name in JSON
 * @words: its name in the table
 * @run: runs the operation @nr times
 * @per: number of objects that one operation handles
 * @is_throughput: the operation moves @size bytes, shown as bytes per second
 * @is_call: a single run makes one call and nothing else, so single runs are timed too
 * @at_once: the most that @run can be asked to do at once; 0 for any number
 * @prepare: what to do before @run without the clock, or NULL
 * @finish: what to do after @run without the clock, or NULL
 */
struct measurement {
	const char *key;
	const char *words;
	int (*run)(struct bench *bench, unsigned int nr);
	unsigned int per;
	bool is_throughput;
	bool is_call;
	unsigned int at_once;
	int (*prepare)(struct bench *bench, unsigned int nr);
	int (*finish)(struct bench *bench, unsigned int nr);
};

extern const struct measurement measurements[];
extern const size_t nr_measurements;
/* The calls of measurements that make several calls. */
extern const struct measurement single_calls[];
extern const size_t nr_single_calls;

#endif /* TMM_BENCH_H */
