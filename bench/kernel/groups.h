/* SPDX-License-Identifier: GPL-2.0 */
/* The groups of rows, each of which is a file. A group prints its failures and goes on. */
#ifndef BENCH_GROUPS_H
#define BENCH_GROUPS_H

#include <linux/types.h>

void bench_one_page(void);
void bench_area_tree(void);
void bench_allocators(void);
void bench_fragments(void);
void bench_large(void);
void bench_window(void);
void bench_memory(void);

/* For groups that count memory */
s64 bench_slab_bytes(void);

#endif /* BENCH_GROUPS_H */
