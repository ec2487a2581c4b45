/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Include the kernel's kselftest_harness.h without the warnings of -Wextra: the harness leaves a
 * parameter unused, and its macros compare plain numbers with unsigned fields.
 */
#ifndef TESTS_HARNESS_H
#define TESTS_HARNESS_H

#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
#include <kselftest_harness.h>
#pragma GCC diagnostic pop

#endif /* TESTS_HARNESS_H */
