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
#define RECORD_USED		16
#define RECORD_BAD		8192

/* The error of an operation that had nothing to work on; such operations do not count. */
#define NO_OBJECT		ENODATA

/**
 * struct record_damage - what a process has damaged beside the storm
 * @used: addresses that were in use lately: virtual ones, and physical ones of frames
 * @nr_used: how many addresses there have been
 * @bad: frames that the module knows as bad, by number
 * @nr_bad: how many frames are in @bad
 * @nr_reported: how many different frames were reported; one more than @nr_bad at times
 * @nr_owned: how many of them somebody owned
 * @nr_hits: how many mappings of the client beside the storm had such a frame
 * @nr_removals: how often the device went
 * @nr_returns: how often the device came back
 * @is_away: the device is away, so lives add no region at its address
 */
struct record_damage {
	uint64_t used[RECORD_USED];
	uint32_t nr_used;
	uint64_t bad[RECORD_BAD];
	uint32_t nr_bad;
	uint32_t nr_reported;
	uint32_t nr_owned;
	uint32_t nr_hits;
	uint32_t nr_removals;
	uint32_t nr_returns;
	uint32_t is_away;
};

struct record {
	uint32_t counts[RECORD_OPERATIONS][RECORD_ERRORS];
	uint32_t sequence;	/* numbers of marks */
	uint32_t nr_looks;	/* looks at content */
	uint32_t beats;		/* rounds of the client beside the storm, or of guests */
	uint32_t victim_calls[RECORD_VICTIMS];
	uint32_t stop;
	uint32_t nr_full;	/* how often one client had all that it can get */
	uint32_t nr_wrong;
	struct record_damage damage;
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

/* Note an address that is in use, so that its memory may fail. 0 is none. */
void record_used(uint64_t address);

/* Note a frame that the module knows as bad from now on. */
void record_bad(uint64_t frame);

/* Return: how many frames the module knows as bad; it gives out none of them any more */
uint32_t record_nr_bad(void);

/* Return: is one of the first @nr_bad bad frames in this run? */
bool record_has_bad(uint64_t frame, uint64_t nr_frames, uint32_t nr_bad);

/* Print the line of an operation: how often it ended how. */
void record_print(const char *name, unsigned int operation);

#endif /* STRESS_RECORD_H */
