/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A command that runs while this process holds something for it.
 */
#ifndef TMM_CHILD_H
#define TMM_CHILD_H

#include <stdint.h>

/* Cuts argv at the first "--". Return: what follows it, NULL if nothing does. */
char **split_command(int *argc, char **argv);

/* Puts a number into the environment: decimal, or hexadecimal for addresses. */
void set_number(const char *name, uint64_t value);
void set_address(const char *name, uint64_t value);

/**
 * child_run() - run a command, wait for it
 * @command: name and arguments
 * @fd: a descriptor that it inherits; -1 for none
 *
 * ^C is the command's to handle; SIGTERM and SIGHUP are passed on to it.
 *
 * Return: its exit status; 128 + signal; 126 or 127 if it could not be run
 */
int child_run(char **command, int fd);

/* Prints what is pending and waits for a signal that ends this process. */
_Noreturn void wait_forever(void);

#endif /* TMM_CHILD_H */
