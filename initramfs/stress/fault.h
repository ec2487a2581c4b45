/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Access to areas that may have ended: SIGBUS and SIGSEGV end the access, not the process.
 */
#ifndef STRESS_FAULT_H
#define STRESS_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Catch the signals in this process, and let SIGALRM only interrupt calls. */
void fault_catch(void);

/* Return: 0, or the signal that ended the copy */
int fault_safe_copy(void *to, const void *from, size_t length);

/* Store a word. Return: false if a signal ended the store */
bool fault_safe_store(void *to, uint64_t word);

#endif /* STRESS_FAULT_H */
