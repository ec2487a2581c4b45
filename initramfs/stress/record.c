// SPDX-License-Identifier: GPL-2.0
#include "record.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* One fault may show again and again. */
#define MAX_TEXTS	24

struct record *record;

bool record_start(void)
{
	record = mmap(NULL, sizeof(*record), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	return record != MAP_FAILED;
}

static uint32_t add(uint32_t *number)
{
	return __atomic_fetch_add(number, 1, __ATOMIC_RELAXED);
}

void record_count(unsigned int operation, int err)
{
	add(&record->counts[operation][err < RECORD_ERRORS ? err : RECORD_ERRORS - 1]);
}

uint32_t record_total(unsigned int operation)
{
	uint32_t sum = 0;
	int i;

	for (i = 0; i < RECORD_ERRORS; i++)
		sum += i == NO_OBJECT ? 0 : record->counts[operation][i];
	return sum;
}

uint32_t record_successes(unsigned int operation)
{
	return record->counts[operation][0];
}

void record_wrong(const char *format, ...)
{
	char text[400];
	va_list arguments;
	size_t length;

	snprintf(text, sizeof(text), "# WRONG: %s: ", program_invocation_short_name);
	length = strlen(text);
	va_start(arguments, format);
	/* one byte less, for the end of the line */
	vsnprintf(text + length, sizeof(text) - length - 1, format, arguments);
	va_end(arguments);
	length = strlen(text);
	text[length] = '\n';
	/* one write(), since other processes print too */
	if (add(&record->nr_wrong) < MAX_TEXTS && write(STDOUT_FILENO, text, length + 1) < 0)
		return;
}

void record_used(uint64_t address)
{
	struct record_damage *damage = &record->damage;

	if (address)
		__atomic_store_n(&damage->used[add(&damage->nr_used) % RECORD_USED], address,
				 __ATOMIC_RELAXED);
}

void record_bad(uint64_t frame)
{
	struct record_damage *damage = &record->damage;

	damage->bad[damage->nr_bad] = frame;
	__atomic_store_n(&damage->nr_bad, damage->nr_bad + 1, __ATOMIC_RELEASE);
}

uint32_t record_nr_bad(void)
{
	return __atomic_load_n(&record->damage.nr_bad, __ATOMIC_ACQUIRE);
}

bool record_has_bad(uint64_t frame, uint64_t nr_frames, uint32_t nr_bad)
{
	uint32_t i;

	for (i = 0; i < nr_bad; i++)
		if (record->damage.bad[i] - frame < nr_frames)
			return true;
	return false;
}

void record_print(const char *name, unsigned int operation)
{
	int err;

	printf("# %-26s %8u, ok %u", name, record_total(operation), record_successes(operation));
	for (err = 1; err < RECORD_ERRORS; err++)
		if (record->counts[operation][err])
			printf(", %s %u", strerrorname_np(err) ? strerrorname_np(err) : "?",
			       record->counts[operation][err]);
	printf("\n");
}
