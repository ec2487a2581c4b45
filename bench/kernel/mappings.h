/* SPDX-License-Identifier: GPL-2.0 */
/* Steps that create, remap and drop mappings of one size, ours and those of vmalloc(). */
#ifndef BENCH_MAPPINGS_H
#define BENCH_MAPPINGS_H

#include <linux/types.h>

/* Size of the mappings that the steps create, in bytes. */
extern u64 bench_mapping_bytes;

int bench_mapping_create(unsigned int i);
int bench_mapping_remap(unsigned int i);
int bench_mapping_drop(unsigned int i);
void bench_mapping_undo(unsigned int i);

int bench_vmalloc_create(unsigned int i);
int bench_vmalloc_drop(unsigned int i);
void bench_vmalloc_undo(unsigned int i);

#endif /* BENCH_MAPPINGS_H */
