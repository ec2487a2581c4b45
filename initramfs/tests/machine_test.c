// SPDX-License-Identifier: GPL-2.0
/*
 * The guest has the properties that the host has asked for with tmm.expect= on the kernel's
 * command line, as Linux in the guest shows them. Without this test, a mode whose option does
 * nothing would pass.
 */
/* Machine: modes: only there the host asks for properties. */
#include "client.h"
#include "command_line.h"

#include <fnmatch.h>
#include <sys/utsname.h>

#define ROOM		256
/* Where Linux is without KASLR, in its virtual and in physical memory */
#define TEXT_START	0xffffffff81000000ULL
#define CODE_START	0x1000000ULL
#define THP		"/sys/kernel/mm/transparent_hugepage/enabled"
#define MODELS		"/sys/kernel/debug/sched/preempt"

/* Put the first line that a shell command prints into @value. */
static void first_line_of(const char *command, char value[ROOM])
{
	FILE *pipe = popen(command, "r");

	if (!pipe || !fgets(value, ROOM, pipe))
		value[0] = '\0';
	value[strcspn(value, "\n")] = '\0';
	if (pipe)
		pclose(pipe);
}

/* Is the flag shown for the first CPU? */
static bool has_flag(const char *name)
{
	char command[ROOM], value[ROOM];

	snprintf(command, sizeof(command), "grep -m1 '^flags' /proc/cpuinfo | grep -w '%s'", name);
	first_line_of(command, value);
	return value[0];
}

static bool is_moved(void)
{
	char text[ROOM], code[ROOM];

	first_line_of("grep -m1 ' _text$' /proc/kallsyms", text);
	first_line_of("grep 'Kernel code' /proc/iomem", code);
	return strtoull(text, NULL, 16) != TEXT_START || strtoull(code, NULL, 16) != CODE_START;
}

/* Put the value of a property into @value, "" if it is unknown. */
static void look(const char *name, char value[ROOM])
{
	struct utsname system;

	value[0] = '\0';
	if (!strcmp(name, "cpus"))
		snprintf(value, ROOM, "%ld", sysconf(_SC_NPROCESSORS_ONLN));
	else if (!strcmp(name, "levels"))
		strcpy(value, has_flag("la57") ? "5" : "4");
	else if (!strcmp(name, "pti") || !strcmp(name, "smap") || !strcmp(name, "pdpe1gb") ||
		 !strcmp(name, "pse"))
		strcpy(value, has_flag(name) ? "on" : "off");
	else if (!strcmp(name, "release") && !uname(&system))
		strcpy(value, system.release);
	else if (!strcmp(name, "kaslr"))
		strcpy(value, is_moved() ? "on" : "off");
	else if (!strcmp(name, "thp"))
		first_line_of("sed 's/.*\\[//; s/\\].*//' " THP, value);
	/* the number of the boot loader, in the upper four bits */
	else if (!strcmp(name, "loader"))
		first_line_of("cat /proc/sys/kernel/bootloader_type", value);
	else if (!strcmp(name, "vmcore"))
		strcpy(value, access("/proc/vmcore", F_OK) ? "no" : "yes");
	/* Linux shows all its models, and the present one in parentheses: "none (voluntary) full" */
	else if (!strcmp(name, "preempt"))
		first_line_of("sed 's/.*(//; s/).*//' " MODELS, value);
	else if (!strcmp(name, "models"))
		first_line_of("tr -d '()' <" MODELS " | sed 's/ *$//; s/  */+/g'", value);
	/* without PAT, no entry of the list of memory types is WC */
	else if (!strcmp(name, "pat"))
		first_line_of("dmesg | grep 'x86/PAT: Configuration' | "
			      "sed 's/.* WC .*/on/; t; s/.* WB .*/off/'", value);
}

TEST_F(client, the_machine_is_as_asked)
{
	char wanted[COMMAND_LINE], value[ROOM], *item, *rest;
	unsigned int nr = 0;

	ASSERT_TRUE(command_line_value("tmm.expect", wanted));
	for (item = strtok_r(wanted, ",", &rest); item; item = strtok_r(NULL, ",", &rest)) {
		char *pattern = strchr(item, ':');

		ASSERT_NE(NULL, pattern) TH_LOG("no value: %s", item);
		*pattern++ = '\0';
		look(item, value);
		EXPECT_EQ(0, fnmatch(pattern, value, 0))
			TH_LOG("%s: %s instead of %s", item, value[0] ? value : "unknown", pattern);
		TH_LOG("%s: %s", item, value);
		nr++;
	}
	EXPECT_LT(0, nr);
}

TEST_HARNESS_MAIN
