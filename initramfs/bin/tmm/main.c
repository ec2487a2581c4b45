// SPDX-License-Identifier: GPL-2.0
/*
 * tmm: the command-line tool for the memory that theseus_mm manages
 */
#include "command.h"
#include "text.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <linux/theseus_mm.h>

static const struct command *const commands[] = {
	&demo_command,
	&info_command,
	&map_command,
	&stats_command,
	&alloc_command,
	&hold_command,
	&put_command,
	&cat_command,
	&translate_command,
	&dump_command,
	&bench_command,
	&regions_command,
	&reserve_command,
};

#define NR_COMMANDS	(sizeof(commands) / sizeof(commands[0]))

static const struct command *find(const char *name)
{
	size_t i;

	for (i = 0; i < NR_COMMANDS; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

static void list(FILE *out)
{
	size_t i;

	fprintf(out, "Usage: tmm COMMAND [ARGUMENT...]\n"
		     "Show and use the memory that theseus_mm manages.\n\n"
		     "Commands:\n");
	for (i = 0; i < NR_COMMANDS; i++)
		fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
	fprintf(out, "\n`tmm COMMAND --help` and tmm(1) say more. `tmm --version` prints the version.\n"
		     "With --json, every command prints JSON. The environment variable TMM_DEVICE\n"
		     "selects another device than /dev/theseus_mm.\n\n"
		     "Exit status: 0 success, 1 failure, 2 wrong arguments.\n");
}

static void synopsis(FILE *out, const struct command *command)
{
	fprintf(out, "Usage: tmm %s%s%s\n", command->name, command->arguments[0] ? " " : "",
		command->arguments);
}

static int help(const struct command *command)
{
	synopsis(stdout, command);
	printf("%s.\n%s%s", command->summary, command->help[0] ? "\n" : "", command->help);
	return TMM_OK;
}

int usage(const struct command *command)
{
	synopsis(stderr, command);
	fprintf(stderr, "See `tmm %s --help`.\n", command->name);
	return TMM_USAGE;
}

int take_json_option(const struct command *command, int argc, char **argv, bool *is_json)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	int option;

	*is_json = false;
	while ((option = getopt_long(argc, argv, "j", options, NULL)) != -1) {
		if (option != 'j')
			return usage(command);
		*is_json = true;
	}
	return TMM_OK;
}

static int is_help(const char *argument)
{
	return !strcmp(argument, "--help") || !strcmp(argument, "-h");
}

static int wants_help(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (is_help(argv[i]))
			return 1;
	return 0;
}

static int unknown(const char *name)
{
	fprintf(stderr, "tmm: unknown command: %s\n", name);
	list(stderr);
	return TMM_USAGE;
}

/* Report a failure to write stdout, such as a full disk or a closed pipe. */
static int check_output(int status)
{
	errno = 0;
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	return status ? status : failed(errno ? errno : EIO, "write");
}

static int print_version(void)
{
	printf("tmm %s, interface %u\n", TMM_VERSION, THESEUS_MM_ABI);
	return TMM_OK;
}

/* getopt() prints argv[0] before each of its messages. */
static int run(const struct command *command, int argc, char **argv)
{
	static char name[64];

	snprintf(name, sizeof(name), "tmm: %s", command->name);
	argv[0] = name;
	return command->run(argc, argv);
}

static int dispatch(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2) {
		list(stderr);
		return TMM_USAGE;
	}
	if (is_help(argv[1]) || (!strcmp(argv[1], "help") && argc < 3)) {
		list(stdout);
		return TMM_OK;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V"))
		return print_version();
	if (!strcmp(argv[1], "help")) {
		command = find(argv[2]);
		return command ? help(command) : unknown(argv[2]);
	}
	command = find(argv[1]);
	if (!command)
		return unknown(argv[1]);
	if (wants_help(argc - 1, argv + 1))
		return help(command);
	return run(command, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
	return check_output(dispatch(argc, argv));
}
