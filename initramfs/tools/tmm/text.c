// SPDX-License-Identifier: GPL-2.0
#include "text.h"

#include "command.h"
#include "tmm.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char units[] = "\0KMGTPE";

const char *size_text(char buffer[TEXT_SIZE], __u64 bytes)
{
	unsigned int unit = 0;
	__u64 rest = 0;

	while (bytes >= 1024 && unit < 6) {
		/* a tenth is enough for a reader, rounded down: never more than there is */
		rest = bytes % 1024 * 10 / 1024;
		bytes /= 1024;
		unit++;
	}
	if (!unit)
		snprintf(buffer, TEXT_SIZE, "%llu bytes", (unsigned long long)bytes);
	else if (rest)
		snprintf(buffer, TEXT_SIZE, "%llu.%llu %ciB", (unsigned long long)bytes,
			 (unsigned long long)rest, units[unit]);
	else
		snprintf(buffer, TEXT_SIZE, "%llu %ciB", (unsigned long long)bytes, units[unit]);
	return buffer;
}

const char *memparse_text(char buffer[TEXT_SIZE], __u64 bytes)
{
	unsigned int unit = 0;

	/* memparse() knows more units, but people write these. */
	while (bytes && bytes % 1024 == 0 && unit < 3) {
		bytes /= 1024;
		unit++;
	}
	if (unit)
		snprintf(buffer, TEXT_SIZE, "%llu%c", (unsigned long long)bytes, units[unit]);
	else
		snprintf(buffer, TEXT_SIZE, "%#llx", (unsigned long long)bytes);
	return buffer;
}

const char *flags_text(char buffer[TEXT_FLAGS], __u64 pte_flags)
{
	static const struct {
		__u64 bit;
		const char *name;
	} names[] = {
		{ THESEUS_MM_PTE_VALID, "valid" },
		{ THESEUS_MM_PTE_WRITABLE, "writable" },
		{ THESEUS_MM_PTE_USER_ACCESSIBLE, "user" },
		{ THESEUS_MM_PTE_DEVICE_MEMORY, "device" },
		{ THESEUS_MM_PTE_ACCESSED, "accessed" },
		{ THESEUS_MM_PTE_DIRTY, "dirty" },
		{ THESEUS_MM_PTE_GLOBAL, "global" },
		{ THESEUS_MM_PTE_NOT_EXECUTABLE, "no-execute" },
		{ THESEUS_MM_PTE_EXCLUSIVE, "exclusive" },
	};
	size_t i, used = 0;

	buffer[0] = '\0';
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (pte_flags & names[i].bit)
			used += snprintf(buffer + used, TEXT_FLAGS - used, "%s%s",
					 used ? ", " : "", names[i].name);
	return buffer;
}

const char *page_text(unsigned int shift)
{
	switch (shift) {
	case 12:
		return "4 KiB";
	case 21:
		return "2 MiB";
	case 30:
		return "1 GiB";
	default:
		return "?";
	}
}

/* strtoull() takes signs and blanks; nobody means those here. */
static bool parse_number(const char *text, __u64 *number, char **end)
{
	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*number = strtoull(text, end, 0);
	return !errno;
}

bool parse_size(const char *text, __u64 *bytes)
{
	static const char suffixes[] = "kmgt";
	const char *suffix;
	unsigned int shift;
	char *end;

	if (!parse_number(text, bytes, &end))
		return false;
	if (!*end)
		return true;
	suffix = strchr(suffixes, *end | 0x20);
	if (!suffix || (strcmp(end + 1, "") && strcmp(end + 1, "iB") && strcmp(end + 1, "B")))
		return false;
	shift = (suffix - suffixes + 1) * 10;
	if (*bytes > ~0ULL >> shift)
		return false;
	*bytes <<= shift;
	return true;
}

bool parse_address(const char *text, __u64 *address)
{
	char *end;

	if (*text == 'v' || *text == 'p')
		text++;
	return parse_number(text, address, &end) && !*end;
}

int failed(int err, const char *format, ...)
{
	va_list arguments;

	/* what was said before belongs before */
	fflush(stdout);
	fprintf(stderr, "tmm: ");
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, ": %s\n", strerror(-err));
	return TMM_FAILED;
}

int open_device(void)
{
	int fd = tmm_open(NULL);

	if (fd >= 0)
		return fd;
	failed(fd, "open %s", TMM_DEVICE);
	if (fd == -ENOENT)
		fprintf(stderr, "tmm: is the module loaded? insmod theseus_mm.ko $(tmm regions)\n");
	return -1;
}
