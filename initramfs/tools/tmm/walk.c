// SPDX-License-Identifier: GPL-2.0
/*
 * tmm translate, tmm dump: what the page tables say about one address.
 */
#include "command.h"
#include "text.h"
#include "tmm.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#define ENTRY_PRESENT	(1ULL << 0)
#define ENTRY_HUGE	(1ULL << 7)
#define ENTRY_FRAME	0x000FFFFFFFFFF000ULL

static int print_translation(int fd, __u64 vaddr)
{
	struct theseus_mm_translate found;
	char flags[TEXT_FLAGS];
	int err = tmm_translate(fd, vaddr, &found);

	if (err == -ENOENT) {
		fprintf(stderr, "tmm: TRANSLATE v%#llx: nothing is mapped there\n",
			(unsigned long long)vaddr);
		return TMM_FAILED;
	}
	if (err)
		return failed(err, "TRANSLATE v%#llx", (unsigned long long)vaddr);
	printf("v%#llx -> p%#llx, in a page of %s: %s\n", (unsigned long long)vaddr,
	       (unsigned long long)found.paddr, page_text(found.page_size_shift),
	       flags_text(flags, found.pte_flags));
	return TMM_OK;
}

static unsigned int table_index(__u64 vaddr, unsigned int level)
{
	return vaddr >> (12 + 9 * (level - 1)) & 511;
}

static void print_entry(__u64 vaddr, unsigned int level, __u64 entry, bool is_last)
{
	char flags[TEXT_FLAGS];

	printf("P%u[%3u]  0x%016llx  ", level, table_index(vaddr, level),
	       (unsigned long long)entry);
	if (!(entry & ENTRY_PRESENT))
		printf("nothing mapped\n");
	else if (level == 1 || (level <= 3 && entry & ENTRY_HUGE))
		printf("page of %s at p%#llx: %s\n", page_text(12 + 9 * (level - 1)),
		       (unsigned long long)(entry & ENTRY_FRAME), flags_text(flags, entry));
	else if (is_last)
		printf("table of Linux's own, not entered\n");
	else
		printf("table at p%#llx, %llu of 512 entries used\n",
		       (unsigned long long)(entry & ENTRY_FRAME),
		       (unsigned long long)(entry >> 52 & 0x7ff));
}

static int print_dump(int fd, __u64 vaddr)
{
	struct theseus_mm_dump_pte dump;
	struct theseus_mm_info info;
	unsigned int i;
	int err = tmm_get_info(fd, &info);

	if (err)
		return failed(err, "GET_INFO");
	err = tmm_dump_pte(fd, vaddr, &dump);
	if (err)
		return failed(err, "DUMP_PTE v%#llx", (unsigned long long)vaddr);
	for (i = 0; i < dump.nr_levels && i < THESEUS_MM_MAX_LEVELS; i++)
		print_entry(vaddr, info.paging_levels - i, dump.entries[i],
			    i == dump.nr_levels - 1);
	return TMM_OK;
}

static int run(const struct command *command, int argc, char **argv,
	       int (*print)(int fd, __u64 vaddr))
{
	int fd, status;
	__u64 vaddr;

	if (argc != 2)
		return usage(command);
	if (!parse_address(argv[1], &vaddr)) {
		fprintf(stderr, "tmm: %s: not an address: %s\n", command->name, argv[1]);
		return TMM_USAGE;
	}
	fd = open_device();
	if (fd < 0)
		return TMM_FAILED;
	status = print(fd, vaddr);
	close(fd);
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
	.arguments = "VADDR",
	.summary = "print what a virtual address translates to",
	.help = "Takes CAP_SYS_ADMIN.\n",
	.run = run_translate,
};

const struct command dump_command = {
	.name = "dump",
	.arguments = "VADDR",
	.summary = "print the page-table entries on the way to a virtual address",
	.help = "One line for each of the 4 or 5 levels, from the root down, until nothing is\n"
		"mapped. Takes CAP_SYS_ADMIN.\n",
	.run = run_dump,
};
