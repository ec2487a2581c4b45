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
 * @size: bytes that a measurement of throughput moves
 */
struct bench {
	struct tmm_client *client;
	struct tmm_mapping *large;
	char *buffer;
	struct tmm_mapping *small[BATCH];
	uint64_t size;
};

/**
 * struct measurement - an operation to measure
 * @key: its name in JSON
 * @words: its name in the table
 * @run: runs the operation @nr times
 * @per: number of objects that one operation handles
 * @is_throughput: the operation moves @size bytes, shown as bytes per second
 * @is_call: a single run makes the calls and nothing else, so single runs are timed too
 */
struct measurement {
	const char *key;
	const char *words;
	int (*run)(struct bench *bench, unsigned int nr);
	unsigned int per;
	bool is_throughput;
	bool is_call;
};

extern const struct measurement measurements[];
extern const size_t nr_measurements;

#endif /* TMM_BENCH_H */
