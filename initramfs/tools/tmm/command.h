/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every subcommand of tmm is: a row in main.c's table, defined in the file
 * that is named after it.
 */
#ifndef TMM_COMMAND_H
#define TMM_COMMAND_H

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

extern const struct command regions_command;
extern const struct command info_command;
extern const struct command map_command;
extern const struct command translate_command;
extern const struct command dump_command;
extern const struct command hold_command;
extern const struct command demo_command;

/* Says on stderr how @command is called; returns TMM_USAGE. */
int usage(const struct command *command);

#endif /* TMM_COMMAND_H */
