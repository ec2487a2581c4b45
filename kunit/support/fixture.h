/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every suite may need: random numbers that can be repeated, memory that
 * goes with the case, and descriptions of parameters.
 */
#ifndef TMM_KUNIT_FIXTURE_H
#define TMM_KUNIT_FIXTURE_H

#include "support/fault.h"

#include <kunit/test.h>
#include <linux/prandom.h>
#include <linux/string.h>

/* Begins each message of a random case. */
#define TMM_SEED_FMT "seed=%llu: "

/* KUNIT_ARRAY_PARAM() of an array of structs whose member @name describes each. */
#define TMM_ARRAY_PARAM(_name, _array)							\
static void _name##_param_desc(typeof(&(_array)[0]) param, char *desc)			\
{											\
	strscpy(desc, param->name, KUNIT_PARAM_DESC_SIZE);				\
}											\
KUNIT_ARRAY_PARAM(_name, _array, _name##_param_desc)

u64 tmm_test_seed(void);
void tmm_test_random_start(struct kunit *test, struct rnd_state *rnd, u64 salt);
u64 tmm_test_random_below(struct rnd_state *rnd, u64 below);

void *tmm_test_kvzalloc(struct kunit *test, size_t nr_bytes);

#endif /* TMM_KUNIT_FIXTURE_H */
