// SPDX-License-Identifier: GPL-2.0
/*
 * alloc/account.c: two clients of one user, and a stranger. Every state of their counts, and from
 * each every charge, with every pair of limits of the client and the user.
 */
#include "alloc/account.h"
#include "runtime.h"

#include <linux/errno.h>
#include <linux/minmax.h>

#define FRAMES	TMM_RESOURCE_FRAMES

enum who {
	CLIENT,
	OTHER,
	STRANGER,
	USER,
	NR_ACCOUNTS,
};

static struct tmm_account accounts[NR_ACCOUNTS];
/* The direct charge of each account, and its limit */
static u64 own[NR_ACCOUNTS], limits[NR_ACCOUNTS];
static unsigned long nr_cases;

static void print_state(void)
{
	unsigned int i;

	for (i = 0; i < NR_ACCOUNTS; i++)
		printf("account %u: own charge %llu, limit %llu\n", i, own[i], limits[i]);
}

static void release_nothing(struct tmm_account *account)
{
}

static u64 count_of(enum who who)
{
	return who == USER ? own[USER] + own[CLIENT] + own[OTHER] : own[who];
}

static bool has_user(enum who who)
{
	return who == CLIENT || who == OTHER;
}

static void begin(void)
{
	unsigned int i;

	tmm_account_init(&accounts[USER], NULL, NULL, release_nothing);
	tmm_account_init(&accounts[STRANGER], NULL, NULL, release_nothing);
	tmm_account_init(&accounts[CLIENT], &accounts[USER], NULL, release_nothing);
	tmm_account_init(&accounts[OTHER], &accounts[USER], NULL, release_nothing);
	for (i = 0; i < NR_ACCOUNTS; i++) {
		expect_equal(tmm_account_charge(&accounts[i], FRAMES, own[i]), 0);
		tmm_account_set_max(&accounts[i], FRAMES, limits[i]);
	}
}

static void expect_counts(void)
{
	unsigned int i;

	for (i = 0; i < NR_ACCOUNTS; i++) {
		expect_equal(tmm_account_count(&accounts[i], FRAMES), count_of(i));
		expect_equal(tmm_account_count(&accounts[i], TMM_RESOURCE_PAGES), 0);
	}
	nr_cases++;
}

static void end(void)
{
	unsigned int i;

	expect_counts();
	for (i = 0; i < NR_ACCOUNTS; i++)
		tmm_account_uncharge(&accounts[i], FRAMES, own[i]);
	for (i = 0; i < NR_ACCOUNTS; i++)
		tmm_account_put(&accounts[i]);
}

static bool has_room(enum who who, u64 nr, u64 beyond)
{
	return count_of(who) + nr <= limits[who] + beyond;
}

static int answer(enum who who, u64 nr, u64 beyond)
{
	return !nr || (has_room(who, nr, beyond) && (!has_user(who) || has_room(USER, nr, beyond))) ?
	       0 : -EDQUOT;
}

/* A refusal is noted in the account that was to be charged, and is no release. */
static void expect_refusal(enum who who, int err, unsigned long nr_releases)
{
	unsigned int i;

	for (i = 0; i < NR_ACCOUNTS; i++)
		expect_equal(tmm_account_take_refusals(&accounts[i]),
			     err && i == who ? 1 << FRAMES : 0);
	expect_equal(host_nr_releases[FRAMES], nr_releases);
}

static void charge(enum who who, u64 nr, u64 beyond)
{
	const int wanted = answer(who, nr, beyond);
	unsigned long nr_releases;

	begin();
	nr_releases = host_nr_releases[FRAMES];
	if (!beyond) {
		expect_equal(tmm_account_check(&accounts[who], FRAMES, nr, 0), wanted);
		expect_refusal(who, wanted, nr_releases);
		expect_equal(tmm_account_charge(&accounts[who], FRAMES, nr), wanted);
		expect_refusal(who, wanted, nr_releases);
		if (!wanted)
			tmm_account_uncharge(&accounts[who], FRAMES, nr);
		expect(host_nr_releases[FRAMES] > nr_releases || wanted || !nr);
		expect_counts();
		nr_releases = host_nr_releases[FRAMES];
		if (nr)
			expect_equal(tmm_account_try_charge(&accounts[who], FRAMES, nr), !wanted);
		expect_refusal(who, 0, nr_releases);
	} else {
		expect_equal(tmm_account_charge_beyond(&accounts[who], FRAMES, nr, beyond), wanted);
		expect_refusal(who, wanted, nr_releases);
	}
	own[who] += wanted ? 0 : nr;
	end();
	own[who] -= wanted ? 0 : nr;
}

/* A move between clients of one user does not change the count of the user. */
static void move(enum who from, enum who to, u64 nr)
{
	const u64 moved[TMM_NR_RESOURCES] = { [FRAMES] = nr };
	const bool is_same_user = from == to || (has_user(from) && has_user(to));
	int wanted = 0;

	if (nr > own[from])
		return;
	if (from != to && nr && (!has_room(to, nr, 0) ||
				 (has_user(to) && !is_same_user && !has_room(USER, nr, 0))))
		wanted = -EDQUOT;
	begin();
	expect_equal(tmm_account_move(&accounts[from], &accounts[to], moved), wanted);
	own[from] -= wanted ? 0 : nr;
	own[to] += wanted ? 0 : nr;
	end();
	own[to] -= wanted ? 0 : nr;
	own[from] += wanted ? 0 : nr;
}

static void try_all(void)
{
	unsigned int who, to;
	u64 nr, beyond;

	for (who = 0; who < NR_ACCOUNTS; who++)
		for (nr = 0; nr <= 3; nr++) {
			for (beyond = 0; beyond <= 2; beyond++)
				if (nr || !beyond)
					charge(who, nr, beyond);
			for (to = 0; who != USER && to < USER; to++)
				move(who, to, nr);
		}
}

int main(void)
{
	unsigned int i, rest;

	host_note(print_state);
	for (i = 0; i < 3 * 3 * 3 * 5 * 6 * 3; i++) {
		rest = i;
		own[CLIENT] = rest % 3;
		rest /= 3;
		own[OTHER] = rest % 3;
		rest /= 3;
		own[STRANGER] = rest % 3;
		rest /= 3;
		limits[CLIENT] = rest % 5;
		rest /= 5;
		limits[USER] = rest % 6;
		rest /= 6;
		limits[OTHER] = 2;
		limits[STRANGER] = 1 + rest;
		try_all();
	}
	host_passed("charges, moves, limits", nr_cases);
	return 0;
}
