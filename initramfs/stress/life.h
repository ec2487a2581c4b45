/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A life of the storm: two processes that hand memory to each other, each with one or several
 * workers. The seed and the number of a life decide all that its workers do.
 */
#ifndef STRESS_LIFE_H
#define STRESS_LIFE_H

#include "worker.h"

/* Choose a life. @domain is its number in marks. */
struct life life_choose(uint64_t seed, unsigned int number);

/*
 * Live in this process and a second one, and end the process. Return: never
 * @device: device memory that the life may use, or 0
 */
void life_live(const struct life *life, uint64_t device) __attribute__((noreturn));

/* Note something that must not happen. @status: of a process, or an errno */
void life_wrong(const struct life *life, const char *what, int status);

#endif /* STRESS_LIFE_H */
