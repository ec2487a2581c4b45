/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The demo is a list of steps that share one state. A step prints its title, does its work,
 * checks the result, and prints it.
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
 * struct demo_counts - counts that must be the same before and after the demo
 * @frames_free: frames that nobody owns
 * @pages_free: pages that nobody owns
 * @nr_mappings: mappings of all clients
 * @nr_tables: frames that are page tables
 */
struct demo_counts {
	__u64 frames_free;
	__u64 pages_free;
	__u64 nr_mappings;
	__u64 nr_tables;
};

/**
 * struct demo - the state that the steps share
 * @path: path of the file
 * @file: descriptor of the file
 * @file_size: size of the file in bytes; may be 0
 * @client: the client
 * @start: counts before the first step that takes anything
 * @mapping: the mapping that holds the file
 * @map_size: size of the mapping in bytes
 * @vaddr: address of the mapping
 * @buffer: DEMO_CHUNK bytes, read from the mapping
 * @expected: DEMO_CHUNK bytes, read from the file
 * @why: the reason if a step failed
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

/* Print a line below the title of the step. */
void demo_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Set the reason why the step failed. Always returns false, so that a step can return it. */
bool demo_fail(struct demo *demo, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Where the demo prints: stdout, or stderr if stdout has the JSON. */
FILE *demo_out(void);
/* Set the reason to "CALL: error"; returns false. */
bool demo_call_failed(struct demo *demo, const char *call, int error);

bool demo_count(struct demo *demo, struct demo_counts *counts);
bool demo_same_counts(const struct demo_counts *a, const struct demo_counts *b);
void demo_say_counts(const char *when, const struct demo_counts *counts);

/* demo_file.c: copy the file into the mapping and compare */
bool demo_create(struct demo *demo);
bool demo_write(struct demo *demo);
bool demo_read_back(struct demo *demo);

/* demo_mapping.c: translate, remap, split and merge the mapping */
bool demo_translate(struct demo *demo);
bool demo_read_only(struct demo *demo);
bool demo_split_and_merge(struct demo *demo);

/* demo_client.c: start a second client and kill it */
bool demo_second_client(struct demo *demo);

/* Compare the mapping with the file. */
bool demo_check_content(struct demo *demo);

#endif /* TMM_DEMO_H */
