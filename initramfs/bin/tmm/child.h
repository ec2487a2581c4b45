/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Run a command while this process owns memory for it.
 */
#ifndef TMM_CHILD_H
#define TMM_CHILD_H

#include <stdint.h>

/* Cut argv at the first "--". Return the arguments after it, or NULL if there are none. */
char **split_command(int *argc, char **argv);

/* Set an environment variable: a number in decimal, an address in hexadecimal. */
void set_number(const char *name, uint64_t value);
void set_address(const char *name, uint64_t value);

/**
 * child_run() - run a command and wait for its end
 * @command: name and arguments
 * @fd: a descriptor that the command inherits; -1 for none
 *
 * ^C goes to the command only; tmm passes SIGTERM and SIGHUP on to the command.
 *
 * Return: the exit status of the command; 128 + signal if a signal ended the command; 126 or
 * 127 if the command could not be run
 */
int child_run(char **command, int fd);

/* Flush stdout, and wait for a signal that ends this process. */
_Noreturn void wait_forever(void);

#endif /* TMM_CHILD_H */
