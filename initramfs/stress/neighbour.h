/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The isolation oracle: a client of another user, which stays within its limits. Each of its calls
 * has to succeed in time, whatever the storm beside it does.
 */
#ifndef STRESS_NEIGHBOUR_H
#define STRESS_NEIGHBOUR_H

#include <stdint.h>

/* The frames that the neighbour may need at the same time, page tables included. */
#define NEIGHBOUR_FRAMES	1024

/* Run until the record says stop, and end the process. */
void neighbour_live(uint64_t seed, uint32_t domain) __attribute__((noreturn));

#endif /* STRESS_NEIGHBOUR_H */
