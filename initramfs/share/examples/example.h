/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Checks that the examples share: for calls that must succeed, and calls that must fail.
 */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <tmm.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Print the condition and errno, and end the program, unless @is_good is true. */
#define CHECK(is_good)									\
	do {										\
		if (!(is_good)) {							\
			fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #is_good,	\
				strerror(errno));					\
			exit(EXIT_FAILURE);						\
		}									\
	} while (0)

/* Check that a call failed (@failed is true) and set errno to @error. */
#define CHECK_REFUSED(error, failed)							\
	do {										\
		errno = 0;								\
		CHECK((failed) && errno == (error));					\
	} while (0)

#endif /* EXAMPLE_H */
