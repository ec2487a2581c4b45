/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every call once, for each size that it can have, between two looks at the marks. All functions
 * return 0, or -1 after they have printed a failure.
 */
#ifndef BENCH_BOUNDS_H
#define BENCH_BOUNDS_H

#include <stdint.h>

#include <linux/theseus_mm.h>

/**
 * struct bounds - the state of a round of calls
 * @fd: the client
 * @situation: what else there is, in one word
 */
struct bounds {
	int fd;
	const char *situation;
};

/**
 * struct bounds_size - a size of objects
 * @name: its name
 * @nr_bytes: the size
 * @leaf: size of the leaves to ask for; 0 for any
 */
struct bounds_size {
	const char *name;
	uint64_t nr_bytes;
	uint64_t leaf;
};

int bounds_call(const struct bounds *bounds, const char *name, const char *size,
		unsigned long request, void *argument);
int bounds_failed(const struct bounds *bounds, const char *name, const char *size);
int bounds_drop(const struct bounds *bounds, const char *name, const char *size, uint32_t handle);

int bounds_views(const struct bounds *bounds);
int bounds_allocations(const struct bounds *bounds);
int bounds_mappings(const struct bounds *bounds);
int bounds_leaf_1g(const struct bounds *bounds);
int bounds_batches(const struct bounds *bounds);
int bounds_area(const struct bounds *bounds, const struct bounds_size *size, uint32_t handle);
int bounds_exports(const struct bounds *bounds);
int bounds_kernel(const struct bounds *bounds);
int bounds_kernel_1g(const struct bounds *bounds);

#endif /* BENCH_BOUNDS_H */
