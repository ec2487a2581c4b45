/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Include the kernel's kselftest_harness.h without the warnings of -Wextra: the harness leaves a
 * parameter unused, and its macros compare plain numbers with unsigned fields.
 */
#ifndef TESTS_HARNESS_H
#define TESTS_HARNESS_H

#include <stdbool.h>
#include <unistd.h>

#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
#include <kselftest_harness.h>
#pragma GCC diagnostic pop

/* Does @condition hold within 20 seconds? The machine may be busy. */
#define BECOMES(condition)								\
	({										\
		bool _is_so = false;							\
		int _i;									\
											\
		for (_i = 0; _i < 2000 && !_is_so; _i++) {				\
			_is_so = (condition);						\
			if (!_is_so)							\
				usleep(10000);						\
		}									\
		_is_so;									\
	})

#endif /* TESTS_HARNESS_H */
