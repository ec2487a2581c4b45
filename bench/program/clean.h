/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Free memory that the module clears ahead. The module clears ahead only while a measurement asks
 * for that, since its thread would run during the others.
 */
#ifndef BENCH_CLEAN_H
#define BENCH_CLEAN_H

#include <stdbool.h>

int clean_switch(bool is_on);
int clean_await(void);

#endif /* BENCH_CLEAN_H */
