// SPDX-License-Identifier: GPL-2.0
/*
 * tmm demo: show the main features of the module with a real file.
 */
#include "demo.h"
#include "canvas.h"
#include "command.h"
#include "json.h"
#include "picture.h"
#include "terminal.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static FILE *out;

FILE *demo_out(void)
{
	return out;
}

void demo_say(const char *format, ...)
{
	va_list arguments;

	fprintf(out, "        ");
	va_start(arguments, format);
	vfprintf(out, format, arguments);
	va_end(arguments);
	putc('\n', out);
	fflush(out);
}

bool demo_fail(struct demo *demo, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(demo->why, sizeof(demo->why), format, arguments);
	va_end(arguments);
	return false;
}

bool demo_call_failed(struct demo *demo, const char *call, int error)
{
	char text[TEXT_ERROR];

	return demo_fail(demo, "%s: %s", call, error_text(text, error));
}

bool demo_count(struct demo *demo, struct demo_counts *counts)
{
	struct tmm_info info;

	if (tmm_client_info(demo->client, &info))
		return demo_call_failed(demo, "GET_INFO", errno);
	counts->frames_free = info.frames_free;
	counts->pages_free = info.pages_free;
	counts->nr_mappings = info.nr_mappings;
	counts->nr_tables = info.nr_tables;
	return true;
}

bool demo_same_counts(const struct demo_counts *a, const struct demo_counts *b)
{
	return a->frames_free == b->frames_free && a->pages_free == b->pages_free &&
	       a->nr_mappings == b->nr_mappings && a->nr_tables == b->nr_tables;
}

void demo_say_counts(const char *when, const struct demo_counts *counts)
{
	demo_say("%-8s free: %llu frames, %llu pages; in use: %llu mapping%s, %llu page tables",
		 when, counts->frames_free, counts->pages_free, counts->nr_mappings,
		 counts->nr_mappings == 1 ? "" : "s", counts->nr_tables);
}

static bool open_file(struct demo *demo)
{
	char size[TEXT_SIZE];
	struct stat stat;

	demo->file = open(demo->path, O_RDONLY | O_CLOEXEC);
	if (demo->file < 0 || fstat(demo->file, &stat))
		return demo_fail(demo, "open %s: %s", demo->path, strerror(errno));
	if (!S_ISREG(stat.st_mode))
		return demo_fail(demo, "%s is not a regular file", demo->path);
	demo->file_size = stat.st_size;
	demo_say("%s: %s%s", demo->path, size_text(size, demo->file_size),
		 demo->file_size ? "" : " (an empty file: the mapping will have two pages)");
	return true;
}

static bool open_all(struct demo *demo)
{
	struct tmm_info info;
	char size[TEXT_SIZE], text[TEXT_ERROR];

	if (!open_file(demo))
		return false;
	demo->client = tmm_client_open(device_path());
	if (!demo->client)
		return demo_fail(demo, "open %s: %s", device_path(), error_text(text, errno));
	if (tmm_client_info(demo->client, &info))
		return demo_call_failed(demo, "GET_INFO", errno);
	demo_say("%s: %u region%s, %s, paging with %u levels", device_path(), info.nr_regions,
		 info.nr_regions == 1 ? "" : "s", size_text(size, info.region_bytes),
		 info.paging_levels);
	if (!demo_count(demo, &demo->start))
		return false;
	demo_say_counts("now", &demo->start);
	return true;
}

static bool show_picture(struct demo *demo)
{
	struct picture_style style = {
		.width = terminal_width(),
		.max_rows = 8,
		.colours = out == stdout ? terminal_colours(COLOUR_AUTO) : 0,
		.is_brief = true,
	};
	struct view view;
	char *text;

	if (style.width < MIN_WIDTH)
		style.width = MIN_WIDTH;
	if (view_take(demo->client, picture_cells(&style), &view))
		return demo_fail(demo, "the picture could not be made");
	text = picture_text(&view, &style);
	view_free(&view);
	if (!text)
		return demo_call_failed(demo, "draw", ENOMEM);
	putc('\n', out);
	canvas_print(out, text, style.width, 0, "");
	putc('\n', out);
	free(text);
	return true;
}

static bool drop_all(struct demo *demo)
{
	struct demo_counts now;

	if (tmm_mapping_drop(&demo->mapping))
		return demo_call_failed(demo, "DROP", errno);
	if (!demo_count(demo, &now))
		return false;
	demo_say_counts("start", &demo->start);
	demo_say_counts("now", &now);
	if (!demo_same_counts(&now, &demo->start))
		return demo_fail(demo, "the counts differ from the start: memory is missing, or "
				       "another client is active");
	return true;
}

static const struct step {
	const char *title;
	bool (*run)(struct demo *demo);
} steps[] = {
	{ "open the file and the device", open_all },
	{ "create a mapping that the file fits into", demo_create },
	{ "copy the file into the mapping", demo_write },
	{ "read the mapping and compare it with the file", demo_read_back },
	{ "translate virtual addresses to physical ones", demo_translate },
	{ "make the mapping read-only: a write must fail", demo_read_only },
	{ "split the mapping in two and merge the parts", demo_split_and_merge },
	{ "draw the memory", show_picture },
	{ "start a second client and kill it: its memory must be free again", demo_second_client },
	{ "drop the mapping: all counts must be as at the start", drop_all },
};

#define NR_STEPS	(sizeof(steps) / sizeof(steps[0]))

/* Write the result of a step to @json, which may be NULL. */
static void note_step(struct json *json, const struct step *step, const char *why)
{
	if (!json)
		return;
	json_open_object(json, NULL);
	json_text(json, "step", step->title);
	json_bool(json, "ok", !why);
	if (why)
		json_text(json, "why", why);
	json_close_object(json);
}

static int run_steps(struct demo *demo, struct json *json)
{
	size_t i;

	for (i = 0; i < NR_STEPS; i++) {
		fprintf(out, "[%2zu/%zu] %s\n", i + 1, NR_STEPS, steps[i].title);
		fflush(out);
		if (!steps[i].run(demo)) {
			fprintf(out, "demo: FAILED: %s: %s\n", steps[i].title, demo->why);
			fflush(out);
			note_step(json, &steps[i], demo->why);
			return TMM_FAILED;
		}
		note_step(json, &steps[i], NULL);
	}
	fprintf(out, "demo: ok\n");
	return TMM_OK;
}

static int run_all(struct demo *demo, bool is_json)
{
	struct json json;
	int status;

	out = is_json ? stderr : stdout;
	if (!is_json)
		return run_steps(demo, NULL);
	json = json_begin(stdout, false);
	json_text(&json, "file", demo->path);
	json_open_array(&json, "steps");
	status = run_steps(demo, &json);
	json_close_array(&json);
	json_bool(&json, "ok", status == TMM_OK);
	json_end(&json);
	return status;
}

/* Choose the module's own file, which every guest has, unless TMM_DEMO_FILE names a file. */
static const char *default_file(void)
{
	static const char *const places[] = {
		"/lib/modules/theseus_mm.ko", "/lib/theseus_mm.ko", "/theseus_mm.ko",
	};
	const char *asked = getenv("TMM_DEMO_FILE");
	size_t i;

	if (asked && *asked)
		return asked;
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (!access(places[i], R_OK))
			return places[i];
	/* any file will do: take the tool itself */
	return "/proc/self/exe";
}

static int run(int argc, char **argv)
{
	struct demo demo = { .file = -1 };
	bool is_json;
	int status = take_json_option(&demo_command, argc, argv, &is_json);

	if (status)
		return status;
	if (argc - optind > 1)
		return usage(&demo_command);
	demo.path = argc > optind ? argv[optind] : default_file();
	demo.buffer = malloc(2 * DEMO_CHUNK);
	if (!demo.buffer)
		return failed(ENOMEM, "allocate a buffer");
	demo.expected = (char *)demo.buffer + DEMO_CHUNK;
	status = run_all(&demo, is_json);
	free(demo.buffer);
	/* if a step failed, closing the client frees what is left */
	tmm_client_close(&demo.client);
	tmm_mapping_drop(&demo.mapping);
	if (demo.file >= 0)
		close(demo.file);
	return status;
}

const struct command demo_command = {
	.name = "demo",
	.arguments = "[--json] [FILE]",
	.summary = "show the main features step by step, with a file",
	.help = "Without FILE, tmm takes the file that TMM_DEMO_FILE names, or else the module. The\n"
		"last line is `demo: ok`, or `demo: FAILED: STEP: REASON` with exit status 1.\n\n"
		"  -j, --json   print the steps as JSON, and the other output on stderr\n",
	.run = run,
};
