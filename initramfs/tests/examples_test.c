// SPDX-License-Identifier: GPL-2.0
/*
 * The examples of libtmm work: each succeeds, prints something, and leaves all counts as before.
 */
#include "client.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXAMPLES	"/bin/examples"

/**
 * example - a client, and the counts before the example runs
 * @fd: a client
 */
FIXTURE(example)
{
	int fd;
	struct theseus_mm_info start;
};

/**
 * example variants - one for each program in EXAMPLES
 * @name: name of the program
 */
FIXTURE_VARIANT(example)
{
	const char *name;
};

FIXTURE_VARIANT_ADD(example, quick_start) { .name = "quick_start" };
FIXTURE_VARIANT_ADD(example, client) { .name = "client" };
FIXTURE_VARIANT_ADD(example, look) { .name = "look" };
FIXTURE_VARIANT_ADD(example, walk) { .name = "walk" };
FIXTURE_VARIANT_ADD(example, allocate) { .name = "allocate" };
FIXTURE_VARIANT_ADD(example, map) { .name = "map" };
FIXTURE_VARIANT_ADD(example, copy) { .name = "copy" };
FIXTURE_VARIANT_ADD(example, window) { .name = "window" };
FIXTURE_VARIANT_ADD(example, share) { .name = "share" };
FIXTURE_VARIANT_ADD(example, hand_over) { .name = "hand_over" };
FIXTURE_VARIANT_ADD(example, batch) { .name = "batch" };
FIXTURE_VARIANT_ADD(example, limit) { .name = "limit" };
FIXTURE_VARIANT_ADD(example, wait) { .name = "wait" };
FIXTURE_VARIANT_ADD(example, observe) { .name = "observe" };
FIXTURE_VARIANT_ADD(example, privileged) { .name = "privileged" };
FIXTURE_VARIANT_ADD(example, keep) { .name = "keep" };

#define NR_EXAMPLES	16

FIXTURE_SETUP(example)
{
	CLIENT_SETUP();
}

FIXTURE_TEARDOWN(example)
{
	close(self->fd);
}

/* Print the output of the example as comments of this test. Return: the number of lines */
static int forward(FILE *output)
{
	char line[256];
	int nr = 0;

	while (fgets(line, sizeof(line), output)) {
		printf("# %s", line);
		nr++;
	}
	/* flush, since a test of this harness ends with _exit() */
	fflush(stdout);
	return nr;
}

TEST_F(example, runs)
{
	struct theseus_mm_info end;
	char text[SNAPSHOT_TEXT];
	char command[256];
	FILE *output;

	snprintf(command, sizeof(command), EXAMPLES "/%s 2>&1", variant->name);
	fflush(stdout);
	output = popen(command, "r");
	ASSERT_NE(NULL, output);
	EXPECT_LT(0, forward(output));
	EXPECT_EQ(0, pclose(output));
	ASSERT_EQ(0, uapi_get_info(self->fd, &end));
	EXPECT_STREQ("", info_difference(&self->start, &end, text));
}

static int is_program(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* Every example must be in the list above, since others never run. */
TEST_F(client, all_examples_are_listed)
{
	struct dirent **entries;

	EXPECT_EQ(NR_EXAMPLES, scandir(EXAMPLES, &entries, is_program, alphasort));
}

TEST_HARNESS_MAIN
