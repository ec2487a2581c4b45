/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All processes of a run count together, in memory that they share: how often each operation ended
 * with each error, and how often something was wrong.
 */
#ifndef STRESS_RECORD_H
#define STRESS_RECORD_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#define RECORD_OPERATIONS	96
#define RECORD_ERRORS		134
#define RECORD_VICTIMS		4

/* The error of an operation that had nothing to work on; such operations do not count. */
#define NO_OBJECT		ENODATA

struct record {
	uint32_t counts[RECORD_OPERATIONS][RECORD_ERRORS];
	uint32_t sequence;	/* numbers of marks */
	uint32_t nr_looks;	/* looks at content */
	uint32_t beats;		/* rounds of the client beside the storm, or of guests */
	uint32_t victim_calls[RECORD_VICTIMS];
	uint32_t stop;
	uint32_t nr_full;	/* how often one client had all that it can get */
	uint32_t nr_wrong;
};

extern struct record *record;

/* Make the record, before the first fork(). Return: false without memory */
bool record_start(void);

/* Count an operation that ended with @err, a positive errno or 0. */
void record_count(unsigned int operation, int err);

/* Return: how often an operation had something to work on, and how often it succeeded */
uint32_t record_total(unsigned int operation);
uint32_t record_successes(unsigned int operation);

/* Count something that must not happen. The text of the first ones is printed, as a comment. */
void record_wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Print the line of an operation: how often it ended how. */
void record_print(const char *name, unsigned int operation);

#endif /* STRESS_RECORD_H */
