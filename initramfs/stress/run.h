/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fixture of the programs of this folder: users that may open the device and have limits, and a
 * client that only watches. After the test all counts must be as before, and nothing may be wrong.
 */
#ifndef STRESS_RUN_H
#define STRESS_RUN_H

#include "limits_client.h"
#include "process.h"
#include "record.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* init ends a program that takes too long, and its case with it. */
#define NO_TIMEOUT	(7 * 24 * 3600)

/**
 * run - a run
 * @fd: a client that only watches
 * @start: the counts at the start
 * @seed: of all random numbers: the variable STRESS_SEED
 * @seconds: how long the program may take: STRESS_SECONDS
 */
FIXTURE(run)
{
	int fd;
	struct theseus_mm_info start;
	__u64 seed;
	double seconds;
};

/* Return: the number in environment variable @name, or @otherwise */
static inline __u64 number_of(const char *name, __u64 otherwise)
{
	const char *value = getenv(name);

	return value && *value ? strtoull(value, NULL, 0) : otherwise;
}

/* After so many seconds, a process that does not end waits for ever. */
#define PATIENCE	300

/* Limit what each user may have. */
static inline int limit_users(__u64 frames, __u64 pages, __u64 handles)
{
	return write_number("max_user_frames", frames) ?: write_number("max_user_pages", pages) ?:
	       write_number("max_user_handles", handles);
}

/*
 * A bad frame is out of use, and not lost: the result of GET_INFO, as it would be without bad frames.
 * The program checks the runs of free frames elsewhere.
 */
static inline void forget_bad(const struct theseus_mm_info *start, struct theseus_mm_info *info)
{
	info->frames_free += info->frames_bad;
	info->frames_bad = 0;
	info->frames_ranges = start->frames_ranges;
	memcpy(info->frames_largest, start->frames_largest, sizeof(info->frames_largest));
}

/* Wait until all is free again, in the same pieces: the last reference may go late. */
static inline const char *difference_from(const struct theseus_mm_info *start, int fd,
					  char text[SNAPSHOT_TEXT])
{
	const char *difference = "GET_INFO fails";
	double begin = now();
	struct theseus_mm_info info;

	while (*difference && now() - begin < 60) {
		usleep(50000);
		if (uapi_get_info(fd, &info))
			continue;
		if (record->damage.nr_bad)
			forget_bad(start, &info);
		/* in quarantine, memory is free when the module is unloaded; init counts it */
		if (start->features & THESEUS_MM_FEATURE_QUARANTINE)
			difference = info.nr_clients != start->nr_clients ? "clients" :
				     info.nr_mappings != start->nr_mappings ? "mappings" : "";
		else
			difference = info_difference(start, &info, text);
	}
	return difference;
}

#define EXPECT_ALL_RETURNED()								\
	do {										\
		char _text[SNAPSHOT_TEXT];						\
											\
		EXPECT_STREQ("", difference_from(&self->start, self->fd, _text));	\
	} while (0)

FIXTURE_SETUP(run)
{
	ASSERT_EQ(0, prctl(PR_SET_PDEATHSIG, SIGKILL));
	setvbuf(stdout, NULL, _IOLBF, 0);
	CLIENT_SETUP();
	ASSERT_TRUE(record_start());
	ASSERT_EQ(0, chmod(UAPI_DEVICE, 0666));
	self->seed = number_of("STRESS_SEED", time(NULL));
	self->seconds = number_of("STRESS_SECONDS", 30);
	printf("# SEED=%llu, %.0f seconds\n", (unsigned long long)self->seed, self->seconds);
}

FIXTURE_TEARDOWN(run)
{
	EXPECT_EQ(0, reset_parameters(self->start.pages_total));
	EXPECT_EQ(0, chmod(UAPI_DEVICE, 0600));
	EXPECT_ALL_RETURNED();
	EXPECT_EQ(0, record->nr_wrong);
	close(self->fd);
}

/*
 * Kill @what, a process that never ends by itself. A process that has not started, or does not end,
 * is noted, and left alone.
 */
static inline void end_process(pid_t pid, const char *what)
{
	double begin = now();
	int status = 0;
	pid_t ended;

	if (pid <= 0) {
		record_wrong("%s does not start", what);
		return;
	}
	kill(pid, SIGKILL);
	while (!(ended = waitpid(pid, &status, WNOHANG))) {
		if (now() - begin > PATIENCE) {
			record_wrong("%s does not end when killed", what);
			return;
		}
		usleep(1000);
	}
	if (ended < 0 || !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		record_wrong("%s ended by itself with status %#x", what, status);
}

#endif /* STRESS_RUN_H */
