// SPDX-License-Identifier: GPL-2.0
/*
 * tmm translate, tmm dump: show the page-table entries of one address.
 */
#include "command.h"
#include "json.h"
#include "text.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <tmm.h>

#define ENTRY_PRESENT	(1ULL << 0)
#define ENTRY_HUGE	(1ULL << 7)
#define ENTRY_FRAME	0x000FFFFFFFFFF000ULL

static void json_flags(struct json *json, __u64 flags)
{
	char text[TEXT_FLAGS], *name, *rest;

	flags_text(text, flags);
	json_open_array(json, "flags");
	for (name = strtok_r(text, ", ", &rest); name; name = strtok_r(NULL, ", ", &rest))
		json_text(json, NULL, name);
	json_close_array(json);
}

static void json_translation(__u64 vaddr, const struct tmm_translation *found, __u64 flags)
{
	struct json json = json_begin(stdout, false);

	json_address(&json, "vaddr", vaddr);
	json_address(&json, "paddr", found->paddr);
	json_number(&json, "page_bytes", found->page_size);
	json_flags(&json, flags);
	json_end(&json);
}

static int print_translation(const struct tmm_client *client, __u64 vaddr, bool is_json)
{
	struct tmm_translation found;
	char text[TEXT_FLAGS];
	__u64 flags;

	if (tmm_client_translate(client, vaddr, &found)) {
		if (errno != ENOENT)
			return failed(errno, "TRANSLATE v%#llx", (unsigned long long)vaddr);
		fprintf(stderr, "tmm: TRANSLATE v%#llx: nothing is mapped there (ENOENT)\n",
			(unsigned long long)vaddr);
		return TMM_FAILED;
	}
	flags = translation_flags(&found);
	if (is_json)
		json_translation(vaddr, &found, flags);
	else
		printf("v%#llx -> p%#llx, in a page of %s: %s\n", (unsigned long long)vaddr,
		       (unsigned long long)found.paddr,
		       page_text(__builtin_ctzll(found.page_size)), flags_text(text, flags));
	return TMM_OK;
}

static unsigned int table_index(__u64 vaddr, unsigned int level)
{
	return vaddr >> (12 + 9 * (level - 1)) & 511;
}

/**
 * struct step - an entry on the way
 * @level: level of its table; 1 is the last level
 * @index: index in the table
 * @entry: the raw entry
 * @kind: what the entry points to
 */
struct step {
	unsigned int level;
	unsigned int index;
	__u64 entry;
	enum { NOTHING, LEAF, FOREIGN, TABLE } kind;
};

static struct step step_of(const struct tmm_walk *walk, unsigned int levels, __u64 vaddr,
			   unsigned int i)
{
	struct step step = {
		.level = levels - i,
		.index = table_index(vaddr, levels - i),
		.entry = walk->entries[i],
	};

	if (!(step.entry & ENTRY_PRESENT))
		step.kind = NOTHING;
	else if (step.level == 1 || (step.level <= 3 && step.entry & ENTRY_HUGE))
		step.kind = LEAF;
	else
		step.kind = i == walk->nr_levels - 1 ? FOREIGN : TABLE;
	return step;
}

static void print_step(const struct step *step)
{
	unsigned long long frame = step->entry & ENTRY_FRAME;
	char flags[TEXT_FLAGS];

	printf("P%u[%3u]  0x%016llx  ", step->level, step->index,
	       (unsigned long long)step->entry);
	switch (step->kind) {
	case NOTHING:
		printf("nothing mapped\n");
		break;
	case LEAF:
		printf("page of %s at p%#llx: %s\n", page_text(12 + 9 * (step->level - 1)), frame,
		       flags_text(flags, step->entry));
		break;
	case FOREIGN:
		printf("table of Linux, not followed\n");
		break;
	case TABLE:
		printf("table at p%#llx, %llu of 512 entries used\n", frame,
		       (unsigned long long)(step->entry >> 52 & 0x7ff));
		break;
	}
}

static void json_step(struct json *json, const struct step *step)
{
	static const char *const kinds[] = {
		[NOTHING] = "nothing", [LEAF] = "page", [FOREIGN] = "foreign", [TABLE] = "table",
	};

	json_open_object(json, NULL);
	json_number(json, "level", step->level);
	json_number(json, "index", step->index);
	json_address(json, "entry", step->entry);
	json_text(json, "kind", kinds[step->kind]);
	if (step->kind != NOTHING)
		json_address(json, "paddr", step->entry & ENTRY_FRAME);
	if (step->kind == LEAF) {
		json_number(json, "page_bytes", 1ULL << (12 + 9 * (step->level - 1)));
		json_flags(json, step->entry);
	}
	if (step->kind == TABLE)
		json_number(json, "used", step->entry >> 52 & 0x7ff);
	json_close_object(json);
}

static int print_dump(const struct tmm_client *client, __u64 vaddr, bool is_json)
{
	struct json json;
	struct tmm_walk walk;
	struct tmm_info info;
	struct step step;
	unsigned int i;

	if (tmm_client_info(client, &info))
		return failed(errno, "GET_INFO");
	if (tmm_client_dump_pte(client, vaddr, &walk))
		return failed(errno, "DUMP_PTE v%#llx", (unsigned long long)vaddr);
	if (is_json) {
		json = json_begin(stdout, false);
		json_address(&json, "vaddr", vaddr);
		json_open_array(&json, "entries");
	}
	for (i = 0; i < walk.nr_levels && i < TMM_MAX_LEVELS; i++) {
		step = step_of(&walk, info.paging_levels, vaddr, i);
		if (is_json)
			json_step(&json, &step);
		else
			print_step(&step);
	}
	if (is_json) {
		json_close_array(&json);
		json_end(&json);
	}
	return TMM_OK;
}

static int run(const struct command *command, int argc, char **argv,
	       int (*print)(const struct tmm_client *client, __u64 vaddr, bool is_json))
{
	struct tmm_client *client;
	bool is_json;
	__u64 vaddr;
	int status = take_json_option(command, argc, argv, &is_json);

	if (status)
		return status;
	if (argc - optind != 1)
		return usage(command);
	if (!parse_address(argv[optind], &vaddr)) {
		fprintf(stderr, "tmm: %s: %s: expected an address such as 0x1000\n", command->name,
			argv[optind]);
		return TMM_USAGE;
	}
	client = open_device();
	if (!client)
		return TMM_FAILED;
	status = print(client, vaddr, is_json);
	tmm_client_close(&client);
	return status;
}

static int run_translate(int argc, char **argv)
{
	return run(&translate_command, argc, argv, print_translation);
}

static int run_dump(int argc, char **argv)
{
	return run(&dump_command, argc, argv, print_dump);
}

const struct command translate_command = {
	.name = "translate",
	.arguments = "[--json] VADDR",
	.summary = "print the physical address of a virtual address",
	.help = "Print the physical address, the size of the page and its flags. The command needs\n"
		"CAP_SYS_ADMIN.\n\n"
		"  -j, --json   print JSON\n",
	.run = run_translate,
};

const struct command dump_command = {
	.name = "dump",
	.arguments = "[--json] VADDR",
	.summary = "print the page-table entries on the way to a virtual address",
	.help = "Print one line for each of the 4 or 5 levels, from the root down, until an entry\n"
		"maps nothing. The command needs CAP_SYS_ADMIN.\n\n"
		"  -j, --json   print JSON\n",
	.run = run_dump,
};
