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
 * struct bench - what the measurements share
 * @client: who measures
 * @large: a mapping of @size bytes
 * @buffer: @size bytes of ordinary memory
 * @small: BATCH mappings to be
 * @size: for the measurements of throughput
 */
struct bench {
	struct tmm_client *client;
	struct tmm_mapping *large;
	char *buffer;
	struct tmm_mapping *small[BATCH];
	uint64_t size;
};

/**
 * struct measurement - one of them
 * @key: in JSON
 * @words: in the table
 * @run: does it so many times
 * @per: how many things it does at a time
 * @is_throughput: it moves the size once; shown as bytes per second
 */
struct measurement {
	const char *key;
	const char *words;
	int (*run)(struct bench *bench, unsigned int nr);
	unsigned int per;
	bool is_throughput;
};

extern const struct measurement measurements[];
extern const size_t nr_measurements;

#endif /* TMM_BENCH_H */
