/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A poll() that notices a lost wake-up. When the time of poll() is up, Linux looks at the file once
 * more, and returns an event for which nobody has woken poll().
 */
#ifndef TESTS_WOKEN_H
#define TESTS_WOKEN_H

#include <poll.h>
#include <time.h>

static inline long long woken_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Call poll() for one file. An event that comes only when the time is up does not count. */
static inline int woken_poll(struct pollfd *wanted, int timeout_ms)
{
	long long end = woken_now_ms() + timeout_ms;
	int nr = poll(wanted, 1, timeout_ms);

	if (nr != 1 || timeout_ms <= 0 || woken_now_ms() < end)
		return nr;
	wanted->revents = 0;
	return 0;
}

#endif /* TESTS_WOKEN_H */
