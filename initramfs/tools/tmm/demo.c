// SPDX-License-Identifier: GPL-2.0
/*
 * tmm demo: the whole tour on a real file.
 */
#include "demo.h"
#include "command.h"
#include "picture.h"
#include "terminal.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void demo_say(const char *format, ...)
{
	va_list arguments;

	printf("        ");
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	fflush(stdout);
}

bool demo_fail(struct demo *demo, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(demo->why, sizeof(demo->why), format, arguments);
	va_end(arguments);
	return false;
}

bool demo_call_failed(struct demo *demo, const char *call, int err)
{
	return demo_fail(demo, "%s: %s", call, strerror(-err));
}

bool demo_count(struct demo *demo, struct demo_counts *counts)
{
	struct theseus_mm_info info;
	int err = tmm_get_info(demo->fd, &info);

	if (err)
		return demo_call_failed(demo, "GET_INFO", err);
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
	struct theseus_mm_info info;
	char size[TEXT_SIZE];
	int err;

	if (!open_file(demo))
		return false;
	demo->fd = tmm_open(NULL);
	if (demo->fd < 0) {
		err = demo->fd;
		return demo_fail(demo, "open %s: %s", TMM_DEVICE, strerror(-err));
	}
	err = tmm_get_info(demo->fd, &info);
	if (err)
		return demo_call_failed(demo, "GET_INFO", err);
	demo_say("%s: %u region%s, %s, paging with %u levels", TMM_DEVICE, info.nr_regions,
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
		.colour = terminal_has_colour(),
	};
	int err;

	putchar('\n');
	err = picture_draw(demo->fd, &style);
	putchar('\n');
	return err ? demo_call_failed(demo, "GET_OCCUPANCY", err) : true;
}

static bool drop_all(struct demo *demo)
{
	struct demo_counts now;
	int err = tmm_drop(demo->fd, demo->mapping);

	if (err)
		return demo_call_failed(demo, "DROP", err);
	if (!demo_count(demo, &now))
		return false;
	demo_say_counts("start", &demo->start);
	demo_say_counts("now", &now);
	if (!demo_same_counts(&now, &demo->start))
		return demo_fail(demo, "not everything came back (or another client is busy)");
	return true;
}

static const struct step {
	const char *title;
	bool (*run)(struct demo *demo);
} steps[] = {
	{ "open the file and the device", open_all },
	{ "create a mapping that the file fits into", demo_create },
	{ "write the file into the mapping", demo_write },
	{ "read it back and compare", demo_read_back },
	{ "translate virtual to physical", demo_translate },
	{ "make it read-only: a write must be refused", demo_read_only },
	{ "split it in two and merge it again", demo_split_and_merge },
	{ "look at the memory", show_picture },
	{ "start a second client, kill it, get everything back", demo_second_client },
	{ "drop the mapping: everything is as it was", drop_all },
};

#define NR_STEPS	(sizeof(steps) / sizeof(steps[0]))

static int run_steps(struct demo *demo)
{
	size_t i;

	for (i = 0; i < NR_STEPS; i++) {
		printf("[%2zu/%zu] %s\n", i + 1, NR_STEPS, steps[i].title);
		fflush(stdout);
		if (!steps[i].run(demo)) {
			printf("demo: FAILED: %s: %s\n", steps[i].title, demo->why);
			fflush(stdout);
			return TMM_FAILED;
		}
	}
	printf("demo: ok\n");
	return TMM_OK;
}

/* The module itself is a file that every guest and every user of it has. */
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
	/* as good as any other: what was run */
	return "/proc/self/exe";
}

static int run(int argc, char **argv)
{
	struct demo demo = { .file = -1, .fd = -1 };
	int status;

	if (argc > 2)
		return usage(&demo_command);
	demo.path = argc > 1 ? argv[1] : default_file();
	demo.buffer = malloc(DEMO_CHUNK);
	if (!demo.buffer)
		return failed(-ENOMEM, "allocate a buffer");
	/* a sha256sum that ends early is an error, not our end */
	signal(SIGPIPE, SIG_IGN);
	status = run_steps(&demo);
	free(demo.buffer);
	if (demo.fd >= 0)
		close(demo.fd);
	if (demo.file >= 0)
		close(demo.file);
	return status;
}

const struct command demo_command = {
	.name = "demo",
	.arguments = "[FILE]",
	.summary = "take a tour: put a file into the memory and play with it",
	.help = "Without FILE, the file that TMM_DEMO_FILE names, else the module itself. Ends\n"
		"with the line `demo: ok`, or with `demo: FAILED: STEP: REASON` and status 1.\n",
	.run = run,
};
