/* SPDX-License-Identifier: GPL-2.0 */
/* The empty driver: a device whose areas show one page of Linux's memory. */
#ifndef BENCH_EMPTY_DRIVER_H
#define BENCH_EMPTY_DRIVER_H

int __must_check bench_empty_driver_start(void);
void bench_empty_driver_stop(void);

#endif /* BENCH_EMPTY_DRIVER_H */
