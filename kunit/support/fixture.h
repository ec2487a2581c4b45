/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Helpers of all suites: random numbers that can be reproduced, memory that is freed when the case
 * ends, and descriptions of parameters.
 */
#ifndef TMM_KUNIT_FIXTURE_H
#define TMM_KUNIT_FIXTURE_H

#include "support/fault.h"

#include <kunit/test.h>
#include <linux/prandom.h>
#include <linux/string.h>

/* Each message of a random case begins with this format. */
#define TMM_SEED_FMT "seed=%llu: "

/* KUNIT_ARRAY_PARAM() for an array of structs that have a member "name". */
#define TMM_ARRAY_PARAM(_name, _array)							\
static void _name##_param_desc(typeof(&(_array)[0]) param, char *desc)			\
{											\
	strscpy(desc, param->name, KUNIT_PARAM_DESC_SIZE);				\
}											\
KUNIT_ARRAY_PARAM(_name, _array, _name##_param_desc)

u64 tmm_test_seed(void);
/* The factor for the number of steps of a random walk; 1, unless the module got times=. */
unsigned int tmm_test_times(void);
void tmm_test_random_start(struct kunit *test, struct rnd_state *rnd, u64 salt);
u64 tmm_test_random_below(struct rnd_state *rnd, u64 below);

void *tmm_test_kvzalloc(struct kunit *test, size_t nr_bytes);

#endif /* TMM_KUNIT_FIXTURE_H */
