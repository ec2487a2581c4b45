/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Descriptors of this process and of others.
 */
#ifndef TMM_DESCRIPTOR_H
#define TMM_DESCRIPTOR_H

#include <stdbool.h>

/**
 * get_descriptor() - have a descriptor of some process
 * @pid: the process; 0 means this one
 * @number: its number there
 *
 * Another process's takes the right to trace it.
 *
 * Return: the descriptor, of this process; or -1 after it has said what failed
 */
int get_descriptor(int pid, int number);

/* A number that an int holds, as a descriptor or a process has. */
bool parse_int(const char *text, int *number);

#endif /* TMM_DESCRIPTOR_H */
