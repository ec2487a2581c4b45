/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The groups of measurements. Each function prints its results, and returns 0, or -1 after it
 * has printed a failure.
 */
#ifndef BENCH_GROUPS_H
#define BENCH_GROUPS_H

#define KIB		1024UL
#define MIB		(1024 * KIB)
#define GIB		(1024 * MIB)
#define PAGE_BYTES	4096UL

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/**
 * struct options - what to measure
 * @nr_sizes: number of @sizes
 * @sizes: the numbers of objects to measure with
 */
struct options {
	unsigned int nr_sizes;
	unsigned long sizes[8];
};

int calls_measure(const struct options *options);
int linux_calls_measure(const struct options *options);
int areas_measure(const struct options *options);
int one_page_measure(const struct options *options);
int large_measure(const struct options *options);
int clients_measure(const struct options *options);
int clients_mark(const struct options *options);
int memory_measure(const struct options *options);
int bounds_measure(const struct options *options);

#endif /* BENCH_GROUPS_H */
