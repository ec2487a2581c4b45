// SPDX-License-Identifier: GPL-2.0
/*
 * tmm stats: the counts over time, a line for each moment.
 */
#include "command.h"
#include "screen.h"
#include "terminal.h"
#include "text.h"
#include "view.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define MAX_SECONDS	86400

/**
 * struct options - what was asked for
 * @interval: seconds; 0 means one line only
 * @nr: lines; 0 means without end
 * @is_json: as JSON
 */
struct options {
	__u64 interval;
	__u64 nr;
	bool is_json;
};

static void print_head(void)
{
	printf("----------- memory ----------- ------- longest run ------- ----- in use -----\n");
	printf("      free       used  change  runs     4 KiB      2 MiB  1 GiB mappings tables"
	       " clients\n");
}

/* "+12 MiB": what is used more, or less, than a moment ago. */
static const char *change_text(char buffer[TEXT_SIZE + 1], const struct tmm_info *now,
			       const struct tmm_info *before)
{
	__u64 more = before->frames_free - now->frames_free;
	__u64 less = now->frames_free - before->frames_free;
	char size[TEXT_SIZE];
	bool is_less = now->frames_free > before->frames_free;

	size_text(size, (is_less ? less : more) * TMM_PAGE_SIZE);
	snprintf(buffer, TEXT_SIZE + 1, "%s%s", is_less ? "-" : more ? "+" : "", size);
	return buffer;
}

static const char *run_text(char buffer[TEXT_SIZE], __u64 frames)
{
	return frames ? size_text(buffer, frames * TMM_PAGE_SIZE) : "none";
}

static void print_line(const struct tmm_info *now, const struct tmm_info *before)
{
	char texts[5][TEXT_SIZE], change[TEXT_SIZE + 1];

	printf("%10s %10s %10s %6llu %10s %10s %8s %8llu %7llu %7u\n",
	       size_text(texts[0], now->frames_free * TMM_PAGE_SIZE),
	       size_text(texts[1], (now->frames_total - now->frames_free) * TMM_PAGE_SIZE),
	       change_text(change, now, before), (unsigned long long)now->frames_ranges,
	       run_text(texts[2], now->frames_largest[0]),
	       run_text(texts[3], now->frames_largest[1]),
	       run_text(texts[4], now->frames_largest[2]),
	       (unsigned long long)now->nr_mappings, (unsigned long long)now->nr_tables,
	       now->nr_clients);
}

static void print_json(const struct tmm_info *now)
{
	struct json json = json_begin(stdout, true);

	json_number(&json, "time", time(NULL));
	json_number(&json, "used_bytes", (now->frames_total - now->frames_free) * TMM_PAGE_SIZE);
	json_free(&json, "free", now);
	json_number(&json, "pages_free_bytes", now->pages_free * TMM_PAGE_SIZE);
	json_number(&json, "mappings", now->nr_mappings);
	json_number(&json, "tables", now->nr_tables);
	json_number(&json, "clients", now->nr_clients);
	json_end(&json);
}

static int print_all(const struct tmm_client *client, const struct options *options)
{
	unsigned int rows = terminal_rows() > 4 ? terminal_rows() - 3 : 1;
	struct tmm_info now, before;
	struct screen screen;
	int status = TMM_OK;
	__u64 i;

	screen_begin(&screen, false);
	for (i = 0; ; i++) {
		if (tmm_client_info(client, &now)) {
			status = failed(errno, "GET_INFO");
			break;
		}
		if (!options->is_json && i % rows == 0)
			print_head();
		if (options->is_json)
			print_json(&now);
		else
			print_line(&now, i ? &before : &now);
		fflush(stdout);
		before = now;
		if (!options->interval || i + 1 == options->nr || ferror(stdout) ||
		    !screen_wait(&screen, options->interval * 1000))
			break;
	}
	screen_end(&screen);
	return status;
}

static bool parse_count(const char *text, const char *what, __u64 max, __u64 *count)
{
	if (parse_size(text, count) && *count && *count <= max)
		return true;
	fprintf(stderr, "tmm: stats: not %s: %s\n", what, text);
	return false;
}

static int run(int argc, char **argv)
{
	struct options options = { 0 };
	struct tmm_client *client;
	int status = take_json_option(&stats_command, argc, argv, &options.is_json);

	if (status)
		return status;
	if (argc - optind > 2)
		return usage(&stats_command);
	if (argc > optind &&
	    !parse_count(argv[optind], "an interval in seconds", MAX_SECONDS, &options.interval))
		return TMM_USAGE;
	if (argc > optind + 1 &&
	    !parse_count(argv[optind + 1], "a count", ~0ULL, &options.nr))
		return TMM_USAGE;
	client = open_device();
	if (!client)
		return TMM_FAILED;
	status = print_all(client, &options);
	tmm_client_close(&client);
	return status;
}

const struct command stats_command = {
	.name = "stats",
	.arguments = "[--json] [INTERVAL [COUNT]]",
	.summary = "print the counts, again and again",
	.help = "One line, or one every INTERVAL seconds until ^C or COUNT of them. `change` is\n"
		"what is used more, or less, than in the line above.\n\n"
		"  -j, --json   as JSON, one object a line; sizes are bytes\n",
	.run = run,
};
