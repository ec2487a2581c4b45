/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The clock and the user of the processes of a run.
 */
#ifndef STRESS_PROCESS_H
#define STRESS_PROCESS_H

#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define NOBODY		65534

/* Return: seconds on a clock that only goes forward */
static inline double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

/*
 * Become user @id (0: stay root), and end with the parent. Linux forgets PR_SET_PDEATHSIG when the
 * user changes, so the request comes after the change.
 *
 * Return: false if that fails
 */
static inline bool become_user(unsigned int id)
{
	return (!id || (!setresgid(id, id, id) && !setresuid(id, id, id))) &&
	       !prctl(PR_SET_PDEATHSIG, SIGKILL);
}

#endif /* STRESS_PROCESS_H */
