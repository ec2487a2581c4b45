// SPDX-License-Identifier: GPL-2.0
/*
 * tmm reserve: choose RAM that is safe to reserve at boot, and print the memmap= for it in the
 * quoting of each boot loader. Nothing is changed, and neither module nor device is needed.
 */
#include "command.h"
#include "machine.h"
#include "placement.h"
#include "proposal.h"
#include "text.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

/* Linux keeps this much more than it uses now, unless --keep is given. */
#define SPARE		(256ULL << 20)

/* The largest number that Linux gives a node is 1023. */
#define MAX_NODE	1023

/**
 * struct options - the arguments
 * @request: the range that is wanted
 * @asked: the size before rounding
 * @has_keep: --keep was given
 * @root: folder with the files of another machine, or ""
 * @is_json: print JSON
 */
struct options {
	struct placement_request request;
	__u64 asked;
	bool has_keep;
	const char *root;
	bool is_json;
};

static bool has_node(const struct machine *machine, int id)
{
	unsigned int i;

	for (i = 0; i < machine->nr_nodes; i++)
		if ((int)machine->nodes[i].id == id)
			return true;
	return false;
}

/* Say why there is no room, and which size would do. */
static int report_no_room(const struct machine *machine, const struct options *options)
{
	const struct placement_request *request = &options->request;
	char size[TEXT_SIZE], total[TEXT_SIZE], used[TEXT_SIZE], keep[TEXT_SIZE];
	__u64 largest = placement_largest(machine, request);

	size_text(size, request->bytes);
	if (placement_is_affordable(machine, request))
		fprintf(stderr, "tmm: reserve: %s: no range of RAM that can be reserved is so large\n",
			size);
	else
		fprintf(stderr,
			"tmm: reserve: %s: too much: Linux has %s, uses %s now, and has to keep %s (--keep)\n",
			size, size_text(total, machine->total), size_text(used, machine->used),
			size_text(keep, request->keep));
	if (largest)
		fprintf(stderr, "tmm: reserve: the largest size that can be reserved is %s\n",
			memparse_text(size, largest));
	else
		fprintf(stderr, "tmm: reserve: no memory can be reserved\n");
	return TMM_FAILED;
}

static int propose_range(struct options *options)
{
	static struct machine machine;
	struct proposal proposal = {
		.machine = &machine,
		.request = &options->request,
		.asked = options->asked,
		.root = options->root,
	};

	if (machine_read(options->root, &machine))
		return TMM_FAILED;
	if (!options->has_keep)
		options->request.keep = machine.used + SPARE;
	if (options->request.node != ANY_NODE && !has_node(&machine, options->request.node)) {
		fprintf(stderr, "tmm: reserve: node %d: the machine has no memory there\n",
			options->request.node);
		return TMM_FAILED;
	}
	if (!placement_find(&machine, &options->request, &proposal.placement))
		return report_no_room(&machine, options);
	proposal_write(&proposal);
	if (options->is_json)
		proposal_print_json(&proposal);
	else
		proposal_print(&proposal);
	return TMM_OK;
}

/* Round the size up. False if the argument is no size, or 0. */
static bool take_size(const char *text, struct options *options)
{
	const __u64 align = options->request.wants_sections ? ALIGN_SECTION : ALIGN_SMALL;

	if (!parse_size(text, &options->asked) || !options->asked ||
	    options->asked > ~0ULL - align) {
		fprintf(stderr, "tmm: reserve: %s: not a size\n", text);
		return false;
	}
	options->request.bytes = (options->asked + align - 1) & ~(align - 1);
	return true;
}

static bool take_keep(const char *text, struct options *options)
{
	options->has_keep = parse_size(text, &options->request.keep);
	if (!options->has_keep)
		fprintf(stderr, "tmm: reserve: %s: not a size\n", text);
	return options->has_keep;
}

static bool take_node(const char *text, struct options *options)
{
	__u64 node;

	if (!parse_address(text, &node) || node > MAX_NODE) {
		fprintf(stderr, "tmm: reserve: %s: not the number of a node\n", text);
		return false;
	}
	options->request.node = node;
	return true;
}

static bool take_option(int option, struct options *options)
{
	switch (option) {
	case 'j':
		options->is_json = true;
		return true;
	case 'k':
		return take_keep(optarg, options);
	case 'n':
		return take_node(optarg, options);
	case 'r':
		options->root = optarg;
		return true;
	case 's':
		options->request.wants_sections = true;
		return true;
	default:
		return false;
	}
}

static int run_reserve(int argc, char **argv)
{
	static const struct option known[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "keep", required_argument, NULL, 'k' },
		{ "node", required_argument, NULL, 'n' },
		{ "root", required_argument, NULL, 'r' },
		{ "struct-pages", no_argument, NULL, 's' },
		{ 0 },
	};
	struct options options = { .request.node = ANY_NODE, .root = "" };
	int option;

	while ((option = getopt_long(argc, argv, "jk:n:r:s", known, NULL)) != -1)
		if (!take_option(option, &options))
			return usage(&reserve_command);
	if (optind + 1 != argc || !take_size(argv[optind], &options))
		return usage(&reserve_command);
	return propose_range(&options);
}

const struct command reserve_command = {
	.name = "reserve",
	.arguments = "[OPTION]... SIZE",
	.summary = "print the memmap= that reserves memory at the next boot",
	.help = "Choose a range of RAM that can be taken from Linux, and print the lines to paste into\n"
		"the files of GRUB and systemd-boot, and for QEMU. Nothing is changed. Needs root, but\n"
		"not the module. SIZE may have a suffix K, M, G or T, and is rounded up to 2 MiB.\n\n"
		"  -s, --struct-pages   use whole sections of 128 MiB, for the parameter struct_pages=1\n"
		"  -k, --keep SIZE      leave SIZE to Linux (default: what it uses now, and 256 MiB)\n"
		"  -n, --node NUMBER    use memory of this NUMA node\n"
		"  -r, --root DIR       read copies of /proc and /sys below DIR, from another machine\n"
		"  -j, --json           print JSON\n",
	.run = run_reserve,
};
