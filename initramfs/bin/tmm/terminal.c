// SPDX-License-Identifier: GPL-2.0
#include "terminal.h"

#include "text.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

/* Steps that take less time show no progress. */
#define PATIENCE_MS	700

static unsigned int from_environment(const char *name, unsigned int otherwise)
{
	const char *text = getenv(name);
	__u64 asked;

	/* ignore a number that is no width or height */
	return text && parse_size(text, &asked) && asked && asked <= USHRT_MAX ? asked : otherwise;
}

unsigned int terminal_width(void)
{
	struct winsize size;

	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col)
		return size.ws_col;
	return from_environment("COLUMNS", 80);
}

unsigned int terminal_rows(void)
{
	struct winsize size;

	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_row)
		return size.ws_row;
	return from_environment("LINES", 24);
}

static bool is_smart(FILE *out)
{
	const char *term = getenv("TERM");

	return isatty(fileno(out)) && term && strcmp(term, "dumb");
}

bool parse_colour(const char *text, enum colour_choice *choice)
{
	static const char *const names[] = {
		[COLOUR_AUTO] = "auto", [COLOUR_ALWAYS] = "always", [COLOUR_NEVER] = "never",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(text, names[i])) {
			*choice = i;
			return true;
		}
	}
	return false;
}

unsigned int terminal_colours(enum colour_choice choice)
{
	const char *unwanted = getenv("NO_COLOR"), *more = getenv("COLORTERM");
	const char *term = getenv("TERM");

	if (choice == COLOUR_NEVER)
		return 0;
	if (choice == COLOUR_AUTO && (!is_smart(stdout) || (unwanted && *unwanted)))
		return 0;
	return (more && *more) || (term && strstr(term, "256")) ? 256 : 8;
}

bool terminal_has_blocks(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	const char *locale = NULL, *term = getenv("TERM");
	size_t i;

	/* the first variable that is set counts; a static program has no setlocale() to ask */
	for (i = 0; i < sizeof(names) / sizeof(names[0]) && !(locale && *locale); i++)
		locale = getenv(names[i]);
	/* the font of Linux's console has no eighths of a block */
	if (!locale || (term && !strcmp(term, "linux")))
		return false;
	return strcasestr(locale, "utf-8") || strcasestr(locale, "utf8");
}

__u64 now_in_nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

__u64 now_in_milliseconds(void)
{
	return now_in_nanoseconds() / 1000000;
}

void progress_start(struct progress *progress, FILE *out, const char *what, __u64 total)
{
	progress->out = out;
	progress->what = what;
	progress->total = total;
	progress->started = now_in_milliseconds();
	progress->live = is_smart(out);
	progress->shown = progress->live ? -1 : 0;
}

/* Show each percent if the line can be overwritten, else each quarter. */
static bool worth_showing(const struct progress *progress, int percent)
{
	int step = progress->live ? 1 : 25;

	if (progress->what && !progress->live)
		return false;
	if (now_in_milliseconds() - progress->started < PATIENCE_MS)
		return false;
	return progress->shown < 0 || percent / step > progress->shown / step;
}

/* Print "put  45% [#######   ] 1.2 GiB of 2.7 GiB, 310 MiB/s, 5 s left". */
static void show_transfer(struct progress *progress, __u64 done, int percent)
{
	char done_text[TEXT_SIZE], total_text[TEXT_SIZE], speed_text[TEXT_SIZE];
	__u64 passed = now_in_milliseconds() - progress->started;
	double speed = 1000.0 * done / (passed ? passed : 1);
	double left = speed > 0 ? (progress->total - done) / speed : 0;

	fprintf(progress->out, "\r%s %3d%% [%-20.*s] %s of %s, %s/s, %.0f s left\033[K",
		progress->what, percent, percent / 5, "####################",
		size_text(done_text, done), size_text(total_text, progress->total),
		size_text(speed_text, speed), left);
}

void progress_update(struct progress *progress, __u64 done)
{
	int percent = progress->total ? done * 100 / progress->total : 100;

	if (!worth_showing(progress, percent))
		return;
	progress->shown = percent;
	if (progress->what)
		show_transfer(progress, done, percent);
	else if (progress->live)
		fprintf(progress->out, "\r        %3d%% [%-50.*s]", percent, percent / 2,
			"##################################################");
	else
		fprintf(progress->out, "        %3d%%\n", percent);
	fflush(progress->out);
}

void progress_end(struct progress *progress)
{
	if (progress->live && progress->shown >= 0)
		fprintf(progress->out, "\r%s", progress->what ? "\033[K" : "");
	if (progress->live && progress->shown >= 0 && !progress->what)
		fprintf(progress->out, "%*s\r", 66, "");
	fflush(progress->out);
}
