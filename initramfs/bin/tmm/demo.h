/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The demo: a list of steps over one state. A step says what it does, does it,
 * checks it, and says what came out.
 */
#ifndef TMM_DEMO_H
#define TMM_DEMO_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>
#include <tmm.h>

#define DEMO_WHY	256

/**
 * struct demo_counts - what must be as before when all is given back
 * @frames_free: frames nobody owns
 * @pages_free: pages nobody owns
 * @nr_mappings: mappings alive
 * @nr_tables: frames that are page tables
 */
struct demo_counts {
	__u64 frames_free;
	__u64 pages_free;
	__u64 nr_mappings;
	__u64 nr_tables;
};

/**
 * struct demo - what the steps share
 * @path: the file
 * @file: its descriptor
 * @file_size: its size in bytes; may be 0
 * @client: the client
 * @start: counts before the first step that takes anything
 * @mapping: the mapping that holds the file
 * @map_size: its size in bytes
 * @vaddr: its address
 * @buffer: DEMO_CHUNK bytes
 * @expected: the same, for what the file has there
 * @why: what went wrong, if something did
 */
struct demo {
	const char *path;
	int file;
	__u64 file_size;
	struct tmm_client *client;
	struct demo_counts start;
	struct tmm_mapping *mapping;
	__u64 map_size;
	__u64 vaddr;
	void *buffer;
	void *expected;
	char why[DEMO_WHY];
};

/* Copies go through a buffer of this size. */
#define DEMO_CHUNK	(1UL << 20)

/* A line below the step's title. */
void demo_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Notes why the step failed; returns false, as a step does then. */
bool demo_fail(struct demo *demo, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Where the story is told: stdout, or stderr if that is for JSON. */
FILE *demo_out(void);
/* The same for a call: "CALL: strerror" */
bool demo_call_failed(struct demo *demo, const char *call, int error);

bool demo_count(struct demo *demo, struct demo_counts *counts);
bool demo_same_counts(const struct demo_counts *a, const struct demo_counts *b);
void demo_say_counts(const char *when, const struct demo_counts *counts);

/* demo_file.c: the file in the mapping */
bool demo_create(struct demo *demo);
bool demo_write(struct demo *demo);
bool demo_read_back(struct demo *demo);

/* demo_mapping.c: what can be done to the mapping */
bool demo_translate(struct demo *demo);
bool demo_read_only(struct demo *demo);
bool demo_split_and_merge(struct demo *demo);

/* demo_client.c: a second client comes and is killed */
bool demo_second_client(struct demo *demo);

/* Whether the mapping still holds the file. */
bool demo_check_content(struct demo *demo);

#endif /* TMM_DEMO_H */
