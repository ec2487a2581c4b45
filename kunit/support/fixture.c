// SPDX-License-Identifier: GPL-2.0
#include "support/fixture.h"

#include "core/compat.h"

#include <kunit/resource.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/random.h>
#include <linux/slab.h>

static unsigned long seed;
module_param(seed, ulong, 0444);
MODULE_PARM_DESC(seed, "Seed of the random cases; a random seed, which is printed, if not given");

static unsigned int times = 1;
module_param(times, uint, 0444);
MODULE_PARM_DESC(times, "Factor for the number of steps of the random walks");

/* Return a number among the arguments that Linux has not parsed yet; 0 if there is none. */
static u64 given_number(const char *name)
{
	const char *args = tmm_compat_module_args(THIS_MODULE);
	const char *arg = args ? strstr(args, name) : NULL;
	u64 value;

	return arg && sscanf(arg + strlen(name), "%llu", &value) == 1 ? value : 0;
}

unsigned int tmm_test_times(void)
{
	return given_number("times=") ?: times;
}

u64 tmm_test_seed(void)
{
	if (!seed)
		seed = given_number("seed=");
	if (!seed)
		seed = get_random_u32() | 1;
	return seed;
}

/* Cases with different @salt draw different numbers from one seed. */
void tmm_test_random_start(struct kunit *test, struct rnd_state *rnd, u64 salt)
{
	prandom_seed_state(rnd, tmm_test_seed() + salt * 0x9e3779b97f4a7c15ULL);
	kunit_info(test, TMM_SEED_FMT "start\n", tmm_test_seed());
}

u64 tmm_test_random_below(struct rnd_state *rnd, u64 below)
{
	return ((u64)prandom_u32_state(rnd) << 32 | prandom_u32_state(rnd)) % below;
}

static int alloc_memory(struct kunit_resource *res, void *nr_bytes)
{
	res->data = kvzalloc(*(size_t *)nr_bytes, GFP_KERNEL);
	return res->data ? 0 : -ENOMEM;
}

static void free_memory(struct kunit_resource *res)
{
	kvfree(res->data);
}

void *tmm_test_kvzalloc(struct kunit *test, size_t nr_bytes)
{
	void *memory = kunit_alloc_resource(test, alloc_memory, free_memory, GFP_KERNEL, &nr_bytes);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, memory);
	return memory;
}
