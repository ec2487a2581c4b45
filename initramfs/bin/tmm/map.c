// SPDX-License-Identifier: GPL-2.0
/*
 * tmm map: draw the memory on the terminal, once or repeatedly, or into a file.
 */
#include "canvas.h"
#include "command.h"
#include "picture.h"
#include "screen.h"
#include "svg.h"
#include "terminal.h"
#include "text.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_WIDTH	4096
#define MAX_ROWS	16
#define MAX_CLIENTS	24
/* Rows below the cells: legend, free runs, blank lines. */
#define LEGEND_ROWS	16

/**
 * struct options - the command's options
 * @width: columns; 0 means the width of the terminal
 * @colour: --color
 * @is_ascii: --ascii
 * @by_use: --by use
 * @is_json: --json
 * @svg: file to write; NULL for none
 * @interval: milliseconds of --watch; 0 means draw once
 */
struct options {
	uint64_t width;
	enum colour_choice colour;
	bool is_ascii;
	bool by_use;
	bool is_json;
	const char *svg;
	uint64_t interval;
};

/* Choose the number of rows so that the whole picture fits on the screen. */
static void fit_to_rows(struct picture_style *style, const struct view *view)
{
	unsigned int rows = terminal_rows(), nr_regions = view->info.nr_regions;
	unsigned int clients = view->clients.nr < 4 ? view->clients.nr : 4;

	style->max_rows = 1;
	if (nr_regions && rows > LEGEND_ROWS + clients + 3 * nr_regions)
		style->max_rows = (rows - LEGEND_ROWS - clients - 3 * nr_regions) / nr_regions;
	if (style->max_rows > MAX_ROWS)
		style->max_rows = MAX_ROWS;
	style->max_clients = clients;
	if (rows > LEGEND_ROWS + (3 + style->max_rows) * nr_regions + clients)
		style->max_clients = rows - LEGEND_ROWS - (3 + style->max_rows) * nr_regions;
}

static struct picture_style choose_style(const struct options *options)
{
	struct picture_style style = {
		.width = options->width ? options->width : terminal_width(),
		.max_rows = MAX_ROWS,
		.max_clients = MAX_CLIENTS,
		.colours = terminal_colours(options->colour),
		.has_blocks = !options->is_ascii && terminal_has_blocks(),
	};

	if (style.width < MIN_WIDTH)
		style.width = MIN_WIDTH;
	if (style.width > MAX_WIDTH)
		style.width = MAX_WIDTH;
	return style;
}

static int draw_text(const struct tmm_client *client, const struct options *options,
		     const struct screen *screen)
{
	struct picture_style style = choose_style(options);
	struct view view;
	char *text;

	if (screen->is_own) {
		/* the number of clients decides how many rows are left for the cells */
		if (view_take(client, 1, &view))
			return TMM_FAILED;
		fit_to_rows(&style, &view);
		view_free(&view);
	}
	if (view_take(client, picture_cells(&style), &view))
		return TMM_FAILED;
	style.by_owner = view.has_clients && !options->by_use;
	text = picture_text(&view, &style);
	view_free(&view);
	if (!text)
		return failed(ENOMEM, "draw");
	screen_home(screen);
	canvas_print(stdout, text, style.width, screen->is_own ? terminal_rows() : 0,
		     screen_line_end(screen));
	screen_done(screen);
	free(text);
	return TMM_OK;
}

static int print_json(const struct tmm_client *client, const struct options *options)
{
	struct picture_style style = choose_style(options);
	struct json json;
	struct view view;

	if (view_take(client, picture_cells(&style), &view))
		return TMM_FAILED;
	json = json_begin(stdout, options->interval);
	if (options->interval)
		json_number(&json, "time", time(NULL));
	view_json(&json, &view);
	json_end(&json);
	view_free(&view);
	return TMM_OK;
}

/* Write a new file and rename it, so that a reader never sees half a picture. */
static int write_svg(const struct tmm_client *client, const struct options *options)
{
	bool is_stdout = !strcmp(options->svg, "-");
	FILE *out = stdout;
	char *temporary = NULL;
	struct view view;
	int error = 0;

	if (view_take(client, SVG_CELLS, &view))
		return TMM_FAILED;
	if (!is_stdout && asprintf(&temporary, "%s.new", options->svg) >= 0)
		out = fopen(temporary, "we");
	if (!is_stdout && (!temporary || !out)) {
		error = errno;
	} else {
		svg_draw(out, &view, view.has_clients && !options->by_use);
		if (ferror(out) || (is_stdout ? fflush(out) : fclose(out)) ||
		    (!is_stdout && rename(temporary, options->svg)))
			error = errno;
	}
	if (error && temporary)
		unlink(temporary);
	free(temporary);
	view_free(&view);
	return error ? failed(error, "write %s", options->svg) : TMM_OK;
}

static int show(const struct tmm_client *client, const struct options *options,
		const struct screen *screen)
{
	if (options->svg)
		return write_svg(client, options);
	if (options->is_json)
		return print_json(client, options);
	return draw_text(client, options, screen);
}

static int watch(const struct tmm_client *client, const struct options *options)
{
	struct screen screen;
	int status;

	screen_begin(&screen, !options->svg && !options->is_json);
	do {
		status = show(client, options, &screen);
		if (!screen.is_own && !options->svg && !options->is_json)
			putchar('\n');
		fflush(stdout);
	} while (!status && !ferror(stdout) && screen_wait(&screen, options->interval));
	screen_end(&screen);
	return status;
}

static bool parse_interval(const char *text, uint64_t *milliseconds)
{
	char *end;
	double seconds = strtod(text, &end);

	if (*end || end == text || !(seconds >= 0.1) || seconds > 86400)
		return false;
	*milliseconds = seconds * 1000;
	return true;
}

static int wrong(const char *what, const char *text)
{
	fprintf(stderr, "tmm: map: %s: expected %s\n", text, what);
	return TMM_USAGE;
}

static int take_option(struct options *options, int option)
{
	switch (option) {
	case 'w':
		if (parse_size(optarg, (__u64 *)&options->width) && options->width >= MIN_WIDTH &&
		    options->width <= MAX_WIDTH)
			return TMM_OK;
		return wrong("a width from 32 to 4096", optarg);
	case 'W':
		options->interval = 1000;
		if (!optarg || parse_interval(optarg, &options->interval))
			return TMM_OK;
		return wrong("seconds from 0.1 to 86400", optarg);
	case 'c':
		options->colour = COLOUR_ALWAYS;
		if (!optarg || parse_colour(optarg, &options->colour))
			return TMM_OK;
		return wrong("auto, always or never", optarg);
	case 'b':
		options->by_use = !strcmp(optarg, "use");
		if (options->by_use || !strcmp(optarg, "owner"))
			return TMM_OK;
		return wrong("use or owner", optarg);
	case 'a':
		options->is_ascii = true;
		return TMM_OK;
	case 's':
		options->svg = optarg;
		return TMM_OK;
	case 'j':
		options->is_json = true;
		return TMM_OK;
	default:
		return usage(&map_command);
	}
}

static int run(int argc, char **argv)
{
	static const struct option known[] = {
		{ "ascii", no_argument, NULL, 'a' },
		{ "by", required_argument, NULL, 'b' },
		{ "color", optional_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' },
		{ "svg", required_argument, NULL, 's' },
		{ "watch", optional_argument, NULL, 'W' },
		{ "width", required_argument, NULL, 'w' },
		{ 0 },
	};
	struct options options = { 0 };
	struct screen none = { 0 };
	struct tmm_client *client;
	int option, status;

	while ((option = getopt_long(argc, argv, "ab:js:w:", known, NULL)) != -1) {
		status = take_option(&options, option);
		if (status)
			return status;
	}
	if (optind != argc || (options.svg && options.is_json))
		return usage(&map_command);
	client = open_device();
	if (!client)
		return TMM_FAILED;
	status = options.interval ? watch(client, &options) : show(client, &options, &none);
	tmm_client_close(&client);
	return status;
}

const struct command map_command = {
	.name = "map",
	.arguments = "[OPTION]...",
	.summary = "draw which memory is used, for what and by whom",
	.help = "Draw each region as a grid of cells, as wide as the terminal, with a list of the\n"
		"owners and of the free memory. The addresses on the left are physical. Without\n"
		"CAP_SYS_ADMIN, they are offsets in the region, and tmm names only your own\n"
		"clients.\n\n"
		"  -a, --ascii           draw letters instead of blocks\n"
		"  -b, --by owner|use    show the owner of each cell, or its use\n"
		"      --color[=WHEN]    use colours: auto, always or never; NO_COLOR is respected\n"
		"  -j, --json            print JSON; with --watch, one object per line\n"
		"  -s, --svg FILE        write an SVG picture to FILE; - is stdout\n"
		"      --watch[=SECONDS] draw again every second, or every SECONDS; q ends it\n"
		"  -w, --width COLUMNS   use COLUMNS columns, 32 to 4096\n",
	.run = run,
};
