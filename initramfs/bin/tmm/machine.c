// SPDX-License-Identifier: GPL-2.0
#include "machine.h"

#include "boot_params.h"
#include "command.h"
#include "file.h"
#include "firmware.h"
#include "iomem.h"
#include "text.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_PATH	4096

static int read_firmware(const char *root, struct machine *machine)
{
	char path[MAX_PATH], problem[TEXT_PROBLEM];

	snprintf(path, sizeof(path), "%s/sys/firmware/memmap", root);
	if (!firmware_read_ram(path, &machine->ram, problem)) {
		fprintf(stderr, "tmm: %s%s\n", problem, access(path, F_OK) ?
			": mount sysfs, and run tmm outside of containers" : "");
		return TMM_FAILED;
	}
	return machine->ram.nr ? TMM_OK : complained(path, "the map has no System RAM");
}

/* Leave out RAM that was added after boot: memmap= comes too early to find it. */
static int read_boot_params(const char *root, struct machine *machine)
{
	static struct boot_params boot;

	if (boot_params_read(root, &boot))
		return TMM_FAILED;
	if (boot.ram.nr && !ranges_intersect(&machine->ram, &boot.ram))
		return complained("/sys/kernel/boot_params", "the map has too many entries");
	machine->free = machine->ram;
	if (!ranges_remove(&machine->free, boot.initrd.start, boot.initrd.end) ||
	    !ranges_remove(&machine->free, boot.setup_data.start, boot.setup_data.end))
		return complained("/sys/kernel/boot_params", "the map has too many entries");
	return TMM_OK;
}

static int read_iomem(const char *root, struct machine *machine)
{
	static struct iomem iomem;
	char path[MAX_PATH];
	unsigned int i;

	snprintf(path, sizeof(path), "%s/proc/iomem", root);
	if (iomem_read(path, &iomem))
		return TMM_FAILED;
	if (!ranges_intersect(&machine->ram, &iomem.ram) ||
	    !ranges_intersect(&machine->free, &iomem.ram))
		return complained(path, "the map has too many entries");
	for (i = 0; i < iomem.in_use.nr; i++)
		if (!ranges_remove(&machine->free, iomem.in_use.items[i].start,
				   iomem.in_use.items[i].end))
			return complained(path, "the map has too many entries");
	return TMM_OK;
}

static int read_cmdline(const char *root, struct machine *machine)
{
	char path[MAX_PATH];

	snprintf(path, sizeof(path), "%s/proc/cmdline", root);
	if (cmdline_read(path, &machine->cmdline))
		return TMM_FAILED;
	if (!ranges_remove(&machine->free, machine->cmdline.cma.start, machine->cmdline.cma.end))
		return complained(path, "cma= splits too many ranges");
	return TMM_OK;
}

/* Find a line such as "MemTotal:  16318480 kB". */
static bool find_amount(const char *text, const char *name, __u64 *bytes)
{
	const char *line = strstr(text, name);
	unsigned long long amount;
	char unit[3];

	if (!line || sscanf(line + strlen(name), ": %llu %2s", &amount, unit) != 2 ||
	    strcmp(unit, "kB") || amount > ~0ULL >> 10)
		return false;
	*bytes = amount << 10;
	return true;
}

/* Huge pages count as used: Linux takes them out of MemAvailable. */
static int read_meminfo(const char *root, struct machine *machine)
{
	char path[MAX_PATH], text[8192];
	__u64 available;
	ssize_t length;

	snprintf(path, sizeof(path), "%s/proc/meminfo", root);
	length = file_read(path, text, sizeof(text));
	if (length < 0)
		return failed(-length, "read %s", path);
	if (!find_amount(text, "MemTotal", &machine->total) ||
	    !find_amount(text, "MemAvailable", &available) || available > machine->total)
		return complained(path, "MemTotal or MemAvailable is missing or wrong");
	machine->used = machine->total - available;
	return TMM_OK;
}

/* Read the numbers of the memory blocks of a node: its folder has an entry memoryN for each. */
static bool read_node(const char *path, __u64 block, struct ranges *memory)
{
	const struct dirent *entry;
	DIR *entries = opendir(path);
	unsigned long long number;
	bool is_read = true;
	char rest;

	while (is_read && entries && (entry = readdir(entries)))
		if (sscanf(entry->d_name, "memory%llu%c", &number, &rest) == 1 &&
		    number < ~0ULL / block)
			is_read = ranges_add(memory, number * block, (number + 1) * block);
	if (entries)
		closedir(entries);
	return is_read;
}

/* A kernel without NUMA or without memory blocks does not tell the nodes. */
static int read_nodes(const char *root, struct machine *machine)
{
	char path[MAX_PATH], text[TEXT_SIZE];
	struct node *node = machine->nodes;
	unsigned int id;
	__u64 block;

	snprintf(path, sizeof(path), "%s/sys/devices/system/memory/block_size_bytes", root);
	if (file_read_line(path, text, sizeof(text)) < 0)
		return TMM_OK;
	block = strtoull(text, NULL, 16);
	if (!block)
		return TMM_OK;
	/* nodes may be numbered with gaps */
	for (id = 0; id < 1024 && node < machine->nodes + MAX_NODES; id++) {
		snprintf(path, sizeof(path), "%s/sys/devices/system/node/node%u", root, id);
		node->memory.nr = 0;
		if (!read_node(path, block, &node->memory))
			return complained(path, "the node has too many ranges");
		node->id = id;
		node += node->memory.nr != 0;
	}
	machine->nr_nodes = node - machine->nodes;
	return TMM_OK;
}

int machine_read(const char *root, struct machine *machine)
{
	if (read_firmware(root, machine) || read_boot_params(root, machine) ||
	    read_iomem(root, machine) || read_cmdline(root, machine) ||
	    read_meminfo(root, machine) || read_nodes(root, machine))
		return TMM_FAILED;
	if (!machine->ram.nr)
		return complained("the maps of firmware, boot loader and Linux",
				  "no RAM is in all of them");
	return TMM_OK;
}
