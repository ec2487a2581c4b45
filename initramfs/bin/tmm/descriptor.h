/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Descriptors of this process and of others.
 */
#ifndef TMM_DESCRIPTOR_H
#define TMM_DESCRIPTOR_H

#include <stdbool.h>

/**
 * get_descriptor() - get a descriptor of this or another process
 * @pid: the process; 0 means this one
 * @number: number of the descriptor in that process
 *
 * To use another process, tmm needs the right to trace that process.
 *
 * Return: the descriptor, in this process; or -1 after printing the error
 */
int get_descriptor(int pid, int number);

/* Parse the number of a descriptor or a process. False if @text is no such number. */
bool parse_int(const char *text, int *number);

#endif /* TMM_DESCRIPTOR_H */
