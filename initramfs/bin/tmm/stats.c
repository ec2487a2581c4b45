// SPDX-License-Identifier: GPL-2.0
/*
 * tmm stats: print the counts repeatedly, one line each time.
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
 * struct options - the command's options
 * @interval: seconds between two lines; 0 means one line only
 * @nr: number of lines; 0 means no end
 * @is_json: --json
 */
struct options {
	__u64 interval;
	__u64 nr;
	bool is_json;
};

/**
 * struct counts - the counts at one time
 * @info: features and counts
 * @nr_handles: objects of the clients that the caller may see
 * @nr_exported: mappings that these clients have exported and nobody has imported
 * @orphan_frames: frames that closed clients left
 */
struct counts {
	struct tmm_info info;
	uint64_t nr_handles;
	uint64_t nr_exported;
	uint64_t orphan_frames;
};

/* If an older module lacks the list of clients, their counts are 0. */
static int take_counts(const struct tmm_client *client, struct counts *counts)
{
	struct tmm_clients clients = { 0 };
	uint32_t i;

	*counts = (struct counts){ 0 };
	if (tmm_client_info(client, &counts->info))
		return failed(errno, "GET_INFO");
	if (tmm_client_list(client, &clients) && errno != ENOTTY)
		return failed(errno, "GET_CLIENTS");
	for (i = 0; i < clients.nr; i++) {
		counts->nr_handles += clients.entries[i].nr_handles;
		counts->nr_exported += clients.entries[i].nr_exported;
	}
	counts->orphan_frames = clients.orphan_frames;
	tmm_clients_free(&clients);
	return TMM_OK;
}

static void print_head(void)
{
	printf("----------- memory ----------- ------- longest run ------- "
	       "-------------------- in use --------------------\n");
	printf("      free       used  change  runs     4 KiB      2 MiB  1 GiB mappings tables"
	       " clients handles exports  orphans\n");
}

/* Write how much more is used than in the line above: "+12 MiB". */
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

static void print_line(const struct counts *counts, const struct tmm_info *before)
{
	const struct tmm_info *now = &counts->info;
	char texts[6][TEXT_SIZE], change[TEXT_SIZE + 1];

	printf("%10s %10s %10s %6llu %10s %10s %8s %8llu %7llu %7u %7llu %7llu %8s\n",
	       size_text(texts[0], now->frames_free * TMM_PAGE_SIZE),
	       size_text(texts[1], (now->frames_total - now->frames_free) * TMM_PAGE_SIZE),
	       change_text(change, now, before), (unsigned long long)now->frames_ranges,
	       run_text(texts[2], now->frames_largest[0]),
	       run_text(texts[3], now->frames_largest[1]),
	       run_text(texts[4], now->frames_largest[2]),
	       (unsigned long long)now->nr_mappings, (unsigned long long)now->nr_tables,
	       now->nr_clients, (unsigned long long)counts->nr_handles,
	       (unsigned long long)counts->nr_exported,
	       run_text(texts[5], counts->orphan_frames));
}

static void print_json(const struct counts *counts)
{
	const struct tmm_info *now = &counts->info;
	struct json json = json_begin(stdout, true);

	json_number(&json, "time", time(NULL));
	json_number(&json, "used_bytes", (now->frames_total - now->frames_free) * TMM_PAGE_SIZE);
	json_free(&json, "free", now);
	json_number(&json, "pages_free_bytes", now->pages_free * TMM_PAGE_SIZE);
	json_number(&json, "mappings", now->nr_mappings);
	json_number(&json, "tables", now->nr_tables);
	json_number(&json, "clients", now->nr_clients);
	json_number(&json, "handles", counts->nr_handles);
	json_number(&json, "exported", counts->nr_exported);
	json_number(&json, "orphan_bytes", counts->orphan_frames * TMM_PAGE_SIZE);
	json_end(&json);
}

static int print_all(const struct tmm_client *client, const struct options *options)
{
	unsigned int rows = terminal_rows() > 4 ? terminal_rows() - 3 : 1;
	struct tmm_info before;
	struct counts now;
	struct screen screen;
	int status = TMM_OK;
	__u64 i;

	screen_begin(&screen, false);
	for (i = 0; ; i++) {
		status = take_counts(client, &now);
		if (status)
			break;
		if (!options->is_json && i % rows == 0)
			print_head();
		if (options->is_json)
			print_json(&now);
		else
			print_line(&now, i ? &before : &now.info);
		fflush(stdout);
		before = now.info;
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
	fprintf(stderr, "tmm: stats: %s: expected %s\n", text, what);
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
	    !parse_count(argv[optind], "1 to 86400 seconds", MAX_SECONDS, &options.interval))
		return TMM_USAGE;
	if (argc > optind + 1 &&
	    !parse_count(argv[optind + 1], "a number of lines", ~0ULL, &options.nr))
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
	.summary = "print the counts, once or repeatedly",
	.help = "Print one line, or one line every INTERVAL seconds until ^C or until there are\n"
		"COUNT lines. `change` is the change of the used memory since the line above.\n"
		"`handles` and `exports` count the clients that you may see. `orphans` is memory\n"
		"that closed clients left.\n\n"
		"  -j, --json   print JSON, one object per line; sizes are bytes\n",
	.run = run,
};
