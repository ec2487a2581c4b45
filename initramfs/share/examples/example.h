/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the examples share: a call that must succeed, and one that must not.
 */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <tmm.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ends the program unless @is_good; @what is the call that gave errno. */
#define CHECK(is_good)									\
	do {										\
		if (!(is_good)) {							\
			fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #is_good,	\
				strerror(errno));					\
			exit(EXIT_FAILURE);						\
		}									\
	} while (0)

/* @failed is true and errno is @error. */
#define CHECK_REFUSED(error, failed)							\
	do {										\
		errno = 0;								\
		CHECK((failed) && errno == (error));					\
	} while (0)

#endif /* EXAMPLE_H */
