/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random numbers that depend on a seed only (splitmix64).
 */
#ifndef STRESS_RANDOM_H
#define STRESS_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
	uint64_t state;
};

static inline uint64_t random_next(struct random *random)
{
	uint64_t value = random->state += 0x9e3779b97f4a7c15ULL;

	value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
	value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
	return value ^ (value >> 31);
}

/* Return: a number from 0 to @limit - 1 */
static inline uint64_t random_below(struct random *random, uint64_t limit)
{
	return random_next(random) % limit;
}

/* Return: true once in @times */
static inline bool random_once_in(struct random *random, unsigned int times)
{
	return !random_below(random, times);
}

/* Start the numbers of part @part of a run. Different parts get unrelated numbers. */
static inline struct random random_for(uint64_t seed, uint64_t part)
{
	struct random random = { .state = seed };

	random.state = random_next(&random) ^ (part * 0xd1342543de82ef95ULL);
	random_next(&random);
	return random;
}

#endif /* STRESS_RANDOM_H */
