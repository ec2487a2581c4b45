// SPDX-License-Identifier: GPL-2.0
/*
 * Reads the marks of the module before and after a call, and keeps the longest stretch of each kind
 * for each call and size.
 */
#include "marks.h"
#include "clock.h"
#include "groups.h"
#include "machine.h"
#include "result.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MARKS		"/sys/module/theseus_mm/parameters/marks"
#define MAX_LONGEST	1024
#define WORD_SIZE	40
#define PLACE_SIZE	160
#define LINE_SIZE	400

/**
 * struct longest - the longest stretch of a kind in a call
 * @kind: what is off or taken: "interrupts", "spinlock", "preemption"
 * @call: the call
 * @size: its size, "-" if it has none
 * @situation: what else was there
 * @place: where the stretch begins: file, line, function
 * @cost: instructions
 */
struct longest {
	char kind[WORD_SIZE];
	char call[WORD_SIZE];
	char size[WORD_SIZE];
	char situation[WORD_SIZE];
	char place[PLACE_SIZE];
	unsigned long cost;
};

static struct longest all[MAX_LONGEST];
static unsigned int nr_all;

bool marks_are_there(void)
{
	return !access(MARKS, R_OK | W_OK);
}

/**
 * marks_begin() - forget what the module has measured
 *
 * The function returns just after a timer interrupt: the next one is far away, and a stretch that an
 * interrupt hits has no cost.
 *
 * Return: 0, or -1 with errno set
 */
int marks_begin(void)
{
	clock_wait_for_tick();
	return machine_write(MARKS, "0");
}

static struct longest *find_longest(const char *kind, const char *call, const char *size)
{
	struct longest *one;

	for (one = all; one < all + nr_all; one++)
		if (!strcmp(one->kind, kind) && !strcmp(one->call, call) &&
		    !strcmp(one->size, size))
			return one;
	if (nr_all == MAX_LONGEST)
		return NULL;
	nr_all++;
	snprintf(one->kind, sizeof(one->kind), "%s", kind);
	snprintf(one->call, sizeof(one->call), "%s", call);
	snprintf(one->size, sizeof(one->size), "%s", size);
	return one;
}

static int note_line(const char *line, const char *call, const char *size, const char *situation)
{
	unsigned long cost, nr, nr_interrupted;
	char kind[WORD_SIZE], place[PLACE_SIZE];
	struct longest *one;

	if (sscanf(line, "%39s %lu %lu %lu %159s", kind, &cost, &nr, &nr_interrupted, place) != 5)
		return result_failed("marks", "%s: %s", call, line);
	if (!nr)
		return result_failed("marks", "%s: all stretches were interrupted: %s", call, line);
	one = find_longest(kind, call, size);
	if (!one)
		return result_failed("marks", "%s: there are too many calls", call);
	if (*one->place && cost <= one->cost)
		return 0;
	one->cost = cost;
	snprintf(one->place, sizeof(one->place), "%s", place);
	snprintf(one->situation, sizeof(one->situation), "%s", situation);
	return 0;
}

/* Note the places of a read, and set @is_more if there are others. */
static int note_page(const char *call, const char *size, const char *situation, bool *is_more)
{
	FILE *file = fopen(MARKS, "re");
	char line[LINE_SIZE];
	int err = 0;

	*is_more = false;
	if (!file)
		return result_failed("marks", MARKS ": %s", strerrorname_np(errno));
	while (!err && !*is_more && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = 0;
		*is_more = !strcmp(line, "more");
		if (!*is_more)
			err = note_line(line, call, size, situation);
	}
	fclose(file);
	return err;
}

/**
 * marks_end() - note what the module has measured since marks_begin()
 * @call: the call that the program has made since
 * @size: its size, or "-"
 * @situation: what else there is
 *
 * Return: 0, or -1 after a failure
 */
int marks_end(const char *call, const char *size, const char *situation)
{
	bool is_more = true;

	while (is_more)
		if (note_page(call, size, situation, &is_more))
			return -1;
	return 0;
}

/* Print the longest stretches of each call, and forget them. */
void marks_print(void)
{
	const struct longest *one;

	for (one = all; one < all + nr_all; one++)
		printf("tmm-bench: stretch %s %s %s %s %lu %s\n", one->kind, one->call, one->size,
		       one->situation, one->cost, one->place);
	fflush(stdout);
	memset(all, 0, sizeof(all));
	nr_all = 0;
}
