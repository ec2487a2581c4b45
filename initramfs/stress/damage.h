/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Damage beside the storm: a process of root makes frames bad that somebody owns, or that are free,
 * and lets the device of the storm go and come back. The seed decides what happens next.
 */
#ifndef STRESS_DAMAGE_H
#define STRESS_DAMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/theseus_mm.h>

/* The user of the client that damages, so that the limits of others leave it enough. */
#define DAMAGE_USER	2000

/* Prepare the damage while nobody uses the module. Return: false if that fails */
bool damage_prepare(void);

/*
 * Damage until the record says stop, for about @seconds, and end the process. @fd is a client of
 * DAMAGE_USER, and the process has all rights of root.
 */
void damage_live(int fd, uint64_t seed, uint64_t device, double seconds)
	__attribute__((noreturn));

/*
 * Check that each frame that was reported is out of use, and no other, when nobody uses the module.
 * @fd: a client of root, without a limit
 */
void damage_check(int fd, const struct theseus_mm_info *start);

#endif /* STRESS_DAMAGE_H */
