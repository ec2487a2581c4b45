// SPDX-License-Identifier: GPL-2.0
/*
 * tmm info: facts and counts, as the module gives them.
 */
#include "command.h"
#include "text.h"
#include "tmm.h"

#include <stdio.h>
#include <unistd.h>

static void print_frames(const struct theseus_mm_info *info)
{
	static const char *const sizes[] = { "4 KiB", "2 MiB", "1 GiB" };
	char total[TEXT_SIZE], free_text[TEXT_SIZE], run_text[TEXT_SIZE];
	unsigned int i;

	printf("frames         %s of %s free, in %llu run%s\n",
	       size_text(free_text, info->frames_free * TMM_PAGE_SIZE),
	       size_text(total, info->frames_total * TMM_PAGE_SIZE),
	       (unsigned long long)info->frames_ranges, info->frames_ranges == 1 ? "" : "s");
	for (i = 0; i < 3; i++)
		printf("  longest run  for pages of %s: %s\n", sizes[i],
		       info->frames_largest[i] ?
		       size_text(run_text, info->frames_largest[i] * TMM_PAGE_SIZE) : "none");
}

static int print_regions(int fd, const struct theseus_mm_info *info)
{
	struct theseus_mm_region region;
	char size[TEXT_SIZE];
	__u32 i;
	int err;

	for (i = 0; i < info->nr_regions; i++) {
		err = tmm_get_region(fd, i, &region);
		if (err)
			return failed(err, "GET_REGION %u", i);
		printf("region %-7u %s", i, size_text(size, region.nr_bytes));
		if (region.start)
			printf(" at p%#llx", (unsigned long long)region.start);
		putchar('\n');
	}
	return TMM_OK;
}

static int print_info(int fd)
{
	char total[TEXT_SIZE], free_text[TEXT_SIZE];
	struct theseus_mm_info info;
	int err = tmm_get_info(fd, &info);

	if (err)
		return failed(err, "GET_INFO");
	printf("interface      %u\n", info.abi);
	printf("paging         %u levels\n", info.paging_levels);
	if (print_regions(fd, &info))
		return TMM_FAILED;
	print_frames(&info);
	printf("pages          %s of %s free, from v%#llx\n",
	       size_text(free_text, info.pages_free * TMM_PAGE_SIZE),
	       size_text(total, info.pages_total * TMM_PAGE_SIZE),
	       (unsigned long long)info.pages_start);
	printf("mappings       %llu\n", (unsigned long long)info.nr_mappings);
	printf("page tables    %llu\n", (unsigned long long)info.nr_tables);
	printf("handles        at most %u for a client\n", info.client_handles_max);
	return TMM_OK;
}

static int run(int argc, char **argv)
{
	int fd, status;

	(void)argv;
	if (argc != 1)
		return usage(&info_command);
	fd = open_device();
	if (fd < 0)
		return TMM_FAILED;
	status = print_info(fd);
	close(fd);
	return status;
}

const struct command info_command = {
	.name = "info",
	.arguments = "",
	.summary = "print what the module manages and how much of it is free",
	.help = "",
	.run = run,
};
