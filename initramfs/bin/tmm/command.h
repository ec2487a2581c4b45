/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every subcommand of tmm is: a row in main.c's table, defined in the file
 * that is named after it, or after what it shares with another one.
 */
#ifndef TMM_COMMAND_H
#define TMM_COMMAND_H

#include <stdbool.h>

/* Exit statuses: it worked, it did not, it was asked for wrongly. */
enum {
	TMM_OK = 0,
	TMM_FAILED = 1,
	TMM_USAGE = 2,
};

/**
 * struct command - one subcommand
 * @name: as typed
 * @arguments: as shown behind the name
 * @summary: one line, for the list of all
 * @help: the rest of what --help says; every line ends with a newline
 * @run: does it; argv[0] is the name. Returns an exit status.
 */
struct command {
	const char *name;
	const char *arguments;
	const char *summary;
	const char *help;
	int (*run)(int argc, char **argv);
};

extern const struct command alloc_command;
extern const struct command bench_command;
extern const struct command cat_command;
extern const struct command demo_command;
extern const struct command dump_command;
extern const struct command hold_command;
extern const struct command info_command;
extern const struct command map_command;
extern const struct command put_command;
extern const struct command regions_command;
extern const struct command stats_command;
extern const struct command translate_command;

/* A command that has no options but --json: 0, or TMM_USAGE. argv[optind] is the rest. */
int take_json_option(const struct command *command, int argc, char **argv, bool *is_json);

/* Says on stderr how @command is called; returns TMM_USAGE. */
int usage(const struct command *command);

#endif /* TMM_COMMAND_H */
