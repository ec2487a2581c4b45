// SPDX-License-Identifier: GPL-2.0
#include "text.h"

#include "command.h"

#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/theseus_mm.h>
#include <tmm.h>

static const char units[] = "\0KMGTPE";

const char *size_text(char buffer[TEXT_SIZE], __u64 bytes)
{
	unsigned int unit = 0;
	__u64 rest = 0;

	while (bytes >= 1024 && unit < 6) {
		/* rounded down to a tenth, so that the text never shows too much */
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

	/* use only the units that people write; memparse() accepts larger ones too */
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

__u64 translation_flags(const struct tmm_translation *translation)
{
	return translation->flags | THESEUS_MM_PTE_VALID |
	       (translation->is_exclusive ? THESEUS_MM_PTE_EXCLUSIVE : 0);
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

/* Refuse signs and blanks, which strtoull() accepts. */
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

const char *count_text(char buffer[TEXT_SIZE], __u64 nr, const char *noun)
{
	snprintf(buffer, TEXT_SIZE, "%llu %s%s", (unsigned long long)nr, noun, nr == 1 ? "" : "s");
	return buffer;
}

const char *share_text(char buffer[TEXT_SIZE], __u64 part, __u64 whole)
{
	double share = whole ? 100.0 * part / whole : 0;

	/* show 0 % only for nothing, and 100 % only for the whole */
	if (part && share < 0.1)
		snprintf(buffer, TEXT_SIZE, "<0.1 %%");
	else if (part < whole && share > 99.9)
		snprintf(buffer, TEXT_SIZE, "99.9 %%");
	else
		snprintf(buffer, TEXT_SIZE, "%.1f %%", share);
	return buffer;
}

const char *user_text(char buffer[TEXT_SIZE], __u32 uid)
{
	FILE *file = fopen("/etc/passwd", "re");
	struct passwd *entry = NULL;

	while (file && (entry = fgetpwent(file)) && entry->pw_uid != uid)
		;
	if (entry)
		plain_text(buffer, entry->pw_name);
	else
		snprintf(buffer, TEXT_SIZE, "%u", uid);
	if (file)
		fclose(file);
	return buffer;
}

const char *plain_text(char buffer[TEXT_SIZE], const char *name)
{
	size_t i;

	for (i = 0; name[i] && i < TEXT_SIZE - 1; i++)
		buffer[i] = name[i] >= ' ' && name[i] < 0x7f ? name[i] : '?';
	buffer[i] = '\0';
	return buffer;
}

size_t utf8_length(const char *text)
{
	const unsigned char *bytes = (const unsigned char *)text;
	size_t i, length;

	if (bytes[0] < 0x80)
		return bytes[0] ? 1 : 0;
	if (bytes[0] < 0xc2 || bytes[0] > 0xf4)
		return 0;
	length = bytes[0] < 0xe0 ? 2 : bytes[0] < 0xf0 ? 3 : 4;
	for (i = 1; i < length; i++)
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
	/* refuse overlong forms, surrogates, and numbers beyond Unicode */
	if ((bytes[0] == 0xe0 && bytes[1] < 0xa0) || (bytes[0] == 0xed && bytes[1] > 0x9f) ||
	    (bytes[0] == 0xf0 && bytes[1] < 0x90) || (bytes[0] == 0xf4 && bytes[1] > 0x8f))
		return 0;
	return length;
}

const char *error_text(char buffer[TEXT_ERROR], int error)
{
	const char *name = strerrorname_np(error);

	snprintf(buffer, TEXT_ERROR, "%s (%s)", strerror(error), name ? name : "?");
	return buffer;
}

int failed(int error, const char *format, ...)
{
	char text[TEXT_ERROR];
	va_list arguments;

	/* keep the order of stdout and stderr */
	fflush(stdout);
	fprintf(stderr, "tmm: ");
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, ": %s\n", error_text(text, error));
	if (error == ENOTTY)
		fprintf(stderr, "tmm: the module is older than tmm and lacks this call\n");
	return TMM_FAILED;
}

int complained(const char *path, const char *format, ...)
{
	va_list arguments;

	/* keep the order of stdout and stderr */
	fflush(stdout);
	fprintf(stderr, "tmm: %s: ", path);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	return TMM_FAILED;
}

const char *device_path(void)
{
	const char *asked = getenv("TMM_DEVICE");

	return asked && *asked ? asked : TMM_DEVICE;
}

struct tmm_client *open_device(void)
{
	const char *path = device_path();
	struct tmm_client *client = tmm_client_open(path);
	int error = errno;

	if (client)
		return client;
	if (error == ENOTTY) {
		fprintf(stderr, "tmm: %s: not a device of theseus_mm; check TMM_DEVICE\n", path);
		return NULL;
	}
	failed(error, "open %s", path);
	if (error == ENOENT && !strcmp(path, TMM_DEVICE))
		fprintf(stderr, "tmm: load the module first: insmod theseus_mm.ko $(tmm regions)\n");
	return NULL;
}
