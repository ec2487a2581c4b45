/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A subcommand of tmm is a row in the table of main.c. The file that defines the subcommand
 * is named after it, or after the subject that two subcommands share.
 */
#ifndef TMM_COMMAND_H
#define TMM_COMMAND_H

#include <stdbool.h>

/* Exit statuses: success, failure, wrong arguments. */
enum {
	TMM_OK = 0,
	TMM_FAILED = 1,
	TMM_USAGE = 2,
};

/**
 * struct command - one subcommand
 * @name: the name that the user types
 * @arguments: the arguments, as the usage line shows them
 * @summary: one line, for the list of all commands
 * @help: further lines of --help; every line ends with a newline
 * @run: runs the command and returns an exit status; argv[0] is the name
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
extern const struct command reserve_command;
extern const struct command stats_command;
extern const struct command translate_command;

/*
 * Parse the options of a command that takes only --json. Return 0 or TMM_USAGE; the other
 * arguments begin at argv[optind].
 */
int take_json_option(const struct command *command, int argc, char **argv, bool *is_json);

/* Print the usage line of @command on stderr, and return TMM_USAGE. */
int usage(const struct command *command);

#endif /* TMM_COMMAND_H */
