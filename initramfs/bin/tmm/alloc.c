// SPDX-License-Identifier: GPL-2.0
/*
 * tmm alloc, tmm hold: own memory while a command runs, or until a signal.
 */
#include "child.h"
#include "command.h"
#include "json.h"
#include "text.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tmm.h>
#include <unistd.h>

#define MAX_COUNT	1000000

enum kind {
	MAPPING,
	FRAMES,
	PAGES,
	NR_KINDS,
};

static const char *const kind_names[NR_KINDS] = {
	[MAPPING] = "mapping", [FRAMES] = "frames", [PAGES] = "pages",
};

/**
 * struct request - an object to allocate
 * @kind: kind of the object
 * @where: size and place
 * @has_place: @where has more than the size
 * @is_contiguous: a mapping on one run of frames
 */
struct request {
	enum kind kind;
	struct tmm_allocate_options where;
	bool has_place;
	bool is_contiguous;
};

/**
 * struct held - an object that this process owns
 * @kind: kind of the object
 * @handle: handle of a mapping, else 0
 * @vaddr: virtual address; 0 for frames
 * @paddr: physical address of the first byte; 0 for pages, and without CAP_SYS_ADMIN
 * @nr_bytes: size
 * @nr_runs: number of runs of frames
 */
struct held {
	enum kind kind;
	uint32_t handle;
	uint64_t vaddr;
	uint64_t paddr;
	uint64_t nr_bytes;
	uint32_t nr_runs;
};

/* The command does not drop the objects: the kernel takes them back when the client is closed. */
static struct tmm_mapping *map_at(struct tmm_client *client, const struct request *request)
{
	struct tmm_allocate_options behind = { .nr_bytes = request->where.nr_bytes };
	struct tmm_pages *pages = tmm_pages_allocate(client, &request->where);
	struct tmm_frames *frames;

	if (!pages)
		return NULL;
	if (!request->is_contiguous)
		return tmm_pages_map(&pages, TMM_DATA);
	behind.nr_bytes = tmm_pages_size(pages);
	frames = tmm_frames_allocate(client, &behind);
	return frames ? tmm_pages_map_to(&pages, &frames, TMM_DATA) : NULL;
}

static int hold_mapping(struct tmm_client *client, const struct request *request,
			struct held *held)
{
	const struct tmm_create_options options = { .is_contiguous = request->is_contiguous };
	struct tmm_translation first;
	struct tmm_mapping_info info;
	struct tmm_mapping *mapping = request->has_place ? map_at(client, request) :
		tmm_mapping_create(client, request->where.nr_bytes, TMM_DATA, &options);

	if (!mapping || tmm_mapping_query(mapping, &info))
		return -1;
	*held = (struct held){
		.kind = MAPPING,
		.handle = tmm_mapping_handle(mapping),
		.vaddr = tmm_mapping_address(mapping),
		.nr_bytes = tmm_mapping_size(mapping),
		.nr_runs = info.nr_frame_ranges,
	};
	if (!tmm_client_translate(client, held->vaddr, &first))
		held->paddr = first.paddr;
	return 0;
}

static int hold_frames(struct tmm_client *client, const struct request *request,
		       struct held *held)
{
	struct tmm_frames *frames = tmm_frames_allocate(client, &request->where);

	if (!frames)
		return -1;
	*held = (struct held){
		.kind = FRAMES,
		.paddr = tmm_frames_address(frames),
		.nr_bytes = tmm_frames_size(frames),
		.nr_runs = 1,
	};
	return 0;
}

static int hold_pages(struct tmm_client *client, const struct request *request, struct held *held)
{
	struct tmm_pages *pages = tmm_pages_allocate(client, &request->where);

	if (!pages)
		return -1;
	*held = (struct held){
		.kind = PAGES,
		.vaddr = tmm_pages_address(pages),
		.nr_bytes = tmm_pages_size(pages),
	};
	return 0;
}

static int hold(struct tmm_client *client, const struct request *request, struct held *held)
{
	static int (*const functions[NR_KINDS])(struct tmm_client *client,
						const struct request *request,
						struct held *held) = {
		[MAPPING] = hold_mapping, [FRAMES] = hold_frames, [PAGES] = hold_pages,
	};
	char size[TEXT_SIZE];

	if (!functions[request->kind](client, request, held))
		return TMM_OK;
	return failed(errno, "%s of %s", kind_names[request->kind],
		      size_text(size, request->where.nr_bytes));
}

static bool parse_kind(const char *name, enum kind *kind)
{
	for (*kind = 0; *kind < NR_KINDS; (*kind)++)
		if (!strcmp(kind_names[*kind], name))
			return true;
	return false;
}

/* --- tmm alloc ---------------------------------------------------------------------- */

static void print_held(const struct held *held)
{
	char size[TEXT_SIZE], runs[TEXT_SIZE];

	printf("%s of %s", kind_names[held->kind], size_text(size, held->nr_bytes));
	if (held->vaddr)
		printf(" at v%#llx", (unsigned long long)held->vaddr);
	if (held->kind == MAPPING)
		printf(", handle %u, on %s of frames", held->handle,
		       count_text(runs, held->nr_runs, "run"));
	if (held->paddr)
		printf("%s p%#llx", held->kind == FRAMES ? " at" : ", first at",
		       (unsigned long long)held->paddr);
	putchar('\n');
}

static void json_held(struct json *json, const struct held *held)
{
	json_open_object(json, NULL);
	json_text(json, "kind", kind_names[held->kind]);
	json_number(json, "bytes", held->nr_bytes);
	if (held->kind == MAPPING)
		json_number(json, "handle", held->handle);
	if (held->kind != FRAMES)
		json_address(json, "vaddr", held->vaddr);
	if (held->kind != PAGES) {
		json_physical(json, "paddr", held->paddr);
		json_number(json, "frame_runs", held->nr_runs);
	}
	json_close_object(json);
}

/* The JSON is one line, so that a script can read it and knows that it is complete. */
static void print_json(const struct held *held, uint64_t nr)
{
	struct json json = json_begin(stdout, true);
	uint64_t i;

	json_number(&json, "pid", getpid());
	json_open_array(&json, "objects");
	for (i = 0; i < nr; i++)
		json_held(&json, &held[i]);
	json_close_array(&json);
	json_end(&json);
}

static int hold_while(const struct held *held, char **command)
{
	if (!command)
		wait_forever();
	set_number("TMM_SIZE", held->nr_bytes);
	if (held->vaddr)
		set_address("TMM_VADDR", held->vaddr);
	if (held->paddr)
		set_address("TMM_PADDR", held->paddr);
	return child_run(command, -1);
}

/**
 * struct options - the command's options
 * @request: each of the objects
 * @nr: number of objects
 * @is_json: --json
 */
struct options {
	struct request request;
	__u64 nr;
	bool is_json;
};

static int allocate_all(const struct options *options, char **command)
{
	struct held *held = calloc(options->nr, sizeof(*held));
	struct tmm_client *client = held ? open_device() : NULL;
	int status = client ? TMM_OK : TMM_FAILED;
	__u64 i;

	if (!held)
		failed(ENOMEM, "allocate a list");
	for (i = 0; !status && i < options->nr; i++)
		status = hold(client, &options->request, &held[i]);
	if (!status && options->is_json)
		print_json(held, options->nr);
	for (i = 0; !status && !options->is_json && i < options->nr; i++)
		print_held(&held[i]);
	if (!status)
		status = hold_while(held, command);
	if (client)
		tmm_client_close(&client);
	free(held);
	return status;
}

static int wrong(const char *what, const char *text)
{
	fprintf(stderr, "tmm: alloc: %s: expected %s\n", text, what);
	return TMM_USAGE;
}

static bool parse_range(char *text, struct tmm_allocate_options *where)
{
	char *middle = strchr(text, '-');
	bool good;

	if (!middle)
		return false;
	*middle = '\0';
	good = parse_address(text, (__u64 *)&where->min) &&
	       parse_address(middle + 1, (__u64 *)&where->max) && where->min <= where->max;
	*middle = '-';
	return good;
}

static int take_place(struct request *request, int option)
{
	struct tmm_allocate_options *where = &request->where;

	request->has_place = true;
	switch (option) {
	case 'a':
		if (!parse_size(optarg, (__u64 *)&where->align) || !where->align)
			return wrong("an alignment such as 2M", optarg);
		return TMM_OK;
	case 'A':
		where->place = TMM_AT;
		if (!parse_address(optarg, (__u64 *)&where->at))
			return wrong("an address such as 0x1000", optarg);
		return TMM_OK;
	default:
		where->place = TMM_IN_RANGE;
		if (!parse_range(optarg, where))
			return wrong("a range of addresses, MIN-MAX", optarg);
		return TMM_OK;
	}
}

static int take_option(struct options *options, int option)
{
	switch (option) {
	case 'k':
		if (!parse_kind(optarg, &options->request.kind))
			return wrong("mapping, frames or pages", optarg);
		return TMM_OK;
	case 'n':
		if (!parse_size(optarg, &options->nr) || !options->nr || options->nr > MAX_COUNT)
			return wrong("a number from 1 to 1000000", optarg);
		return TMM_OK;
	case 'c':
		options->request.is_contiguous = true;
		return TMM_OK;
	case 'j':
		options->is_json = true;
		return TMM_OK;
	case 'a':
	case 'A':
	case 'R':
		return take_place(&options->request, option);
	default:
		return usage(&alloc_command);
	}
}

static int run_alloc(int argc, char **argv)
{
	static const struct option known[] = {
		{ "align", required_argument, NULL, 'a' },
		{ "at", required_argument, NULL, 'A' },
		{ "contiguous", no_argument, NULL, 'c' },
		{ "count", required_argument, NULL, 'n' },
		{ "json", no_argument, NULL, 'j' },
		{ "kind", required_argument, NULL, 'k' },
		{ "range", required_argument, NULL, 'R' },
		{ 0 },
	};
	char **command = split_command(&argc, argv);
	struct options options = { .nr = 1 };
	int option, status;

	while ((option = getopt_long(argc, argv, "a:cjk:n:", known, NULL)) != -1) {
		status = take_option(&options, option);
		if (status)
			return status;
	}
	if (argc - optind != 1)
		return usage(&alloc_command);
	if (!parse_size(argv[optind], (__u64 *)&options.request.where.nr_bytes))
		return wrong("a size such as 64M", argv[optind]);
	if (options.request.is_contiguous && options.request.kind != MAPPING)
		return wrong("mapping, with --contiguous", kind_names[options.request.kind]);
	return allocate_all(&options, command);
}

const struct command alloc_command = {
	.name = "alloc",
	.arguments = "[OPTION]... SIZE [-- COMMAND [ARGUMENT]...]",
	.summary = "own memory while a command runs, or until a signal",
	.help = "Allocate an object of SIZE bytes (K, M, G allowed), print its place and size, and\n"
		"run COMMAND with TMM_SIZE, TMM_VADDR and TMM_PADDR in its environment. The exit\n"
		"status is the command's. Without COMMAND, tmm waits for a signal. The object is\n"
		"freed when tmm ends.\n\n"
		"  -k, --kind KIND      kind of object: mapping (default), frames or pages\n"
		"  -n, --count NUMBER   allocate NUMBER objects\n"
		"  -c, --contiguous     map to one contiguous run of frames\n"
		"      --at ADDRESS     start at ADDRESS\n"
		"      --range MIN-MAX  stay within these addresses, both inclusive\n"
		"  -a, --align SIZE     align the first address to SIZE\n"
		"  -j, --json           print JSON, on one line\n\n"
		"--at, --range and --align take virtual addresses; with --kind frames, physical\n"
		"ones, and --at and --range take CAP_SYS_ADMIN.\n",
	.run = run_alloc,
};

/* --- tmm hold ----------------------------------------------------------------------- */

static int hold_all(__u64 size, int nr, char **names, bool is_json)
{
	struct tmm_client *client = open_device();
	struct request request = { .where.nr_bytes = size };
	struct held held[NR_KINDS * 8];
	int i;

	if (!client)
		return TMM_FAILED;
	for (i = 0; i < nr; i++) {
		parse_kind(names[i], &request.kind);
		if (hold(client, &request, &held[i])) {
			tmm_client_close(&client);
			return TMM_FAILED;
		}
	}
	if (is_json)
		print_json(held, nr);
	else
		printf("ready\n");
	wait_forever();
}

static int run_hold(int argc, char **argv)
{
	static char *by_default[] = { "mapping" };
	char **names = by_default;
	enum kind kind;
	bool is_json;
	int nr = 1, i, status = take_json_option(&hold_command, argc, argv, &is_json);
	__u64 size;

	if (status)
		return status;
	if (argc - optind < 1 || argc - optind > 1 + NR_KINDS * 8)
		return usage(&hold_command);
	if (!parse_size(argv[optind], &size)) {
		fprintf(stderr, "tmm: hold: %s: expected a size such as 64M\n", argv[optind]);
		return TMM_USAGE;
	}
	if (argc - optind > 1) {
		names = argv + optind + 1;
		nr = argc - optind - 1;
	}
	for (i = 0; i < nr; i++) {
		if (!parse_kind(names[i], &kind)) {
			fprintf(stderr, "tmm: hold: %s: expected mapping, frames or pages\n",
				names[i]);
			return TMM_USAGE;
		}
	}
	return hold_all(size, nr, names, is_json);
}

const struct command hold_command = {
	.name = "hold",
	.arguments = "[--json] SIZE [mapping|frames|pages]...",
	.summary = "own memory until a signal",
	.help = "Allocate an object of SIZE bytes (K, M, G allowed) of each kind that is named, or\n"
		"one mapping, print `ready`, and wait for a signal. The kernel frees the objects\n"
		"when tmm ends, in any way. `tmm alloc` has more options.\n\n"
		"  -j, --json   print the objects as JSON, on one line, instead of `ready`\n",
	.run = run_hold,
};
