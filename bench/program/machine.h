/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Settings of the machine that the measurements need. Only root can change these settings.
 */
#ifndef BENCH_MACHINE_H
#define BENCH_MACHINE_H

#include <stdbool.h>

void machine_fix_layout(char **argv);
int machine_prepare(void);
int machine_write(const char *path, const char *text);
bool machine_read_number(const char *path, const char *name, unsigned long *number);
bool machine_reserve_huge(unsigned long bytes, unsigned long nr);

#endif /* BENCH_MACHINE_H */
