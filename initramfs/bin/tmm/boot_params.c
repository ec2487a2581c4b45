// SPDX-License-Identifier: GPL-2.0
#include "boot_params.h"

#include "command.h"
#include "file.h"
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MAX_PATH	4096
#define PAGE_SIZE	4096ULL

/* The layout of the message is fixed: Documentation/x86/zero-page.rst in Linux's source. */
#define MESSAGE_BYTES		4096
#define AT_INITRD_HIGH		0x0c0
#define AT_INITRD_SIZE_HIGH	0x0c4
#define AT_MAP_ENTRIES		0x1e8
#define AT_INITRD		0x218
#define AT_INITRD_SIZE		0x21c
#define AT_SETUP_DATA		0x250
#define AT_MAP			0x2d0
#define MAX_MAP_ENTRIES		128

/* An entry of the map, here and in the extension: address, size, type. */
#define ENTRY_BYTES		20
#define ENTRY_RAM		1

/* The entries that the message has no room for are further data of this type. */
#define TYPE_MAP_EXTENSION	1
#define MAX_EXTENSION		(MAX_RANGES * ENTRY_BYTES)

static __u64 get_number(const char *bytes, size_t nr)
{
	__u64 number = 0;

	memcpy(&number, bytes, nr);
	return number;
}

static int add_entries(const char *path, const char *entries, size_t nr, struct ranges *ram)
{
	__u64 start, size;

	for (; nr; nr--, entries += ENTRY_BYTES) {
		start = get_number(entries, 8);
		size = get_number(entries + 8, 8);
		if (get_number(entries + 16, 4) != ENTRY_RAM)
			continue;
		if (start + size < start)
			return complained(path, "the memory map has an entry that is not a range");
		if (!ranges_add(ram, start, start + size))
			return complained(path, "the memory map has too many entries");
	}
	return TMM_OK;
}

/* Further data is numbered. Read the extension of the map, if there is one. */
static int read_extension(const char *root, struct ranges *ram)
{
	static char data[MAX_EXTENSION + 1];
	char path[MAX_PATH], type[TEXT_SIZE];
	unsigned int i;
	ssize_t length;
	__u64 number;

	for (i = 0;; i++) {
		snprintf(path, sizeof(path), "%s/sys/kernel/boot_params/setup_data/%u/type", root,
			 i);
		if (file_read_line(path, type, sizeof(type)) < 0)
			return TMM_OK;
		if (!parse_address(type, &number) || number != TYPE_MAP_EXTENSION)
			continue;
		snprintf(path, sizeof(path), "%s/sys/kernel/boot_params/setup_data/%u/data", root,
			 i);
		length = file_read(path, data, sizeof(data));
		if (length < 0)
			return failed(-length, "read %s", path);
		if (length % ENTRY_BYTES)
			return complained(path, "not a memory map");
		if (add_entries(path, data, length / ENTRY_BYTES, ram))
			return TMM_FAILED;
	}
}

static void find_data(const char *message, struct boot_params *boot)
{
	const __u64 start = get_number(message + AT_INITRD_HIGH, 4) << 32 |
			    get_number(message + AT_INITRD, 4);
	const __u64 size = get_number(message + AT_INITRD_SIZE_HIGH, 4) << 32 |
			   get_number(message + AT_INITRD_SIZE, 4);
	const __u64 data = get_number(message + AT_SETUP_DATA, 8) & ~(PAGE_SIZE - 1);

	if (start && start + size > start)
		boot->initrd = (struct range){ start, start + size };
	if (data && data + PAGE_SIZE > data)
		boot->setup_data = (struct range){ data, data + PAGE_SIZE };
}

int boot_params_read(const char *root, struct boot_params *boot)
{
	/* room for one byte too many, and the null byte */
	char path[MAX_PATH], message[MESSAGE_BYTES + 2];
	ssize_t length;
	__u64 nr;

	snprintf(path, sizeof(path), "%s/sys/kernel/boot_params/data", root);
	length = file_read(path, message, sizeof(message));
	if (length == -ENOENT)
		return TMM_OK;
	if (length < 0)
		return failed(-length, "read %s", path);
	nr = length == MESSAGE_BYTES ? get_number(message + AT_MAP_ENTRIES, 1) : 0;
	if (length != MESSAGE_BYTES || nr > MAX_MAP_ENTRIES)
		return complained(path, "not Linux's boot parameters");
	find_data(message, boot);
	/* Linux ignores a map of one entry, and asks the BIOS for the size instead */
	if (nr < 2)
		return TMM_OK;
	if (add_entries(path, message + AT_MAP, nr, &boot->ram))
		return TMM_FAILED;
	return read_extension(root, &boot->ram);
}
