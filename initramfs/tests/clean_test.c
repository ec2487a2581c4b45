// SPDX-License-Identifier: GPL-2.0
/*
 * Clean memory ahead: free memory becomes clean in the background, a new owner finds zeros whether
 * the memory was clean or not, and the thread never takes memory that a program asks for.
 */
#include "area.h"
#include "text.h"

#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>

#define SIZE		(8ULL << 20)
#define PARAMETERS	"/sys/module/theseus_mm/parameters/"
#define CLEAN_AHEAD	PARAMETERS "clean_ahead"
#define CLEAN_RATE	PARAMETERS "clean_rate"
#define FRAMES_CLEAN	"/sys/class/misc/theseus_mm/frames_clean"
#define SECONDS		120

/* Frames that are free, but kept by a CPU, where they are not cleared. */
#define MAX_KEPT	(64 * sysconf(_SC_NPROCESSORS_CONF))

/**
 * clean - a client, with the thread on and without a limit
 * @was_on: the parameter before the test
 */
FIXTURE(clean)
{
	int fd;
	struct theseus_mm_info start;
	bool was_on;
};

static __u64 nr_clean(void)
{
	char *text = text_of(FRAMES_CLEAN);
	__u64 nr = text ? strtoull(text, NULL, 0) : 0;

	free(text);
	return nr;
}

FIXTURE_SETUP(clean)
{
	char *text = text_of(CLEAN_AHEAD);

	CLIENT_SETUP();
	self->was_on = text_has(text, "Y");
	free(text);
	ASSERT_TRUE(text_write(CLEAN_AHEAD, "1"));
}

FIXTURE_TEARDOWN(clean)
{
	EXPECT_TRUE(text_write(CLEAN_RATE, "0"));
	EXPECT_TRUE(text_write(CLEAN_AHEAD, self->was_on ? "1" : "0"));
	CLIENT_TEARDOWN();
}

static void pause_for(long milliseconds)
{
	const struct timespec pause = { .tv_sec = milliseconds / 1000,
					.tv_nsec = milliseconds % 1000 * 1000000 };

	nanosleep(&pause, NULL);
}

/* Wait until all free memory is clean, but for what CPUs keep. Return: false after a time-out. */
static bool await_clean(int fd)
{
	struct theseus_mm_info info;
	int i;

	for (i = 0; i < SECONDS * 10; i++) {
		if (!uapi_get_info(fd, &info) && nr_clean() + MAX_KEPT >= info.frames_free)
			return true;
		pause_for(100);
	}
	return false;
}

/* Create a mapping, look for old content, fill and drop the mapping. Return: 0 or an errno */
static int use_memory(int fd, bool *is_zero)
{
	struct theseus_mm_create_mapping mapping;
	static unsigned char buffer[SIZE];
	int err = uapi_create_mapping(fd, SIZE, THESEUS_MM_PTE_DATA, &mapping);

	if (err)
		return err;
	err = uapi_read(fd, mapping.handle, 0, buffer, SIZE);
	*is_zero = !buffer[0] && !memcmp(buffer, buffer + 1, SIZE - 1);
	return err ?: fill(fd, mapping.handle, SIZE) ?: uapi_drop(fd, mapping.handle);
}

TEST_F(clean, free_memory_becomes_clean)
{
	bool is_zero = false;
	int i;

	for (i = 0; i < 3; i++) {
		EXPECT_TRUE(await_clean(self->fd));
		EXPECT_EQ(0, use_memory(self->fd, &is_zero));
		EXPECT_TRUE(is_zero);
	}
	EXPECT_TRUE(await_clean(self->fd));
}

/* The thread is in the middle of the memory when the next owner comes. */
TEST_F(clean, memory_that_is_being_cleared)
{
	bool is_zero = false;
	int i;

	for (i = 0; i < 30; i++) {
		EXPECT_EQ(0, use_memory(self->fd, &is_zero));
		EXPECT_TRUE(is_zero);
		pause_for(i % 10 * 15);
	}
}

/* A debug kernel takes long, since the module looks through all memory that is handed out as clean. */
TEST_F_TIMEOUT(clean, all_memory_while_some_is_cleared, 180)
{
	struct theseus_mm_create_mapping mapping;
	struct theseus_mm_info info;
	bool is_zero = false;
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, use_memory(self->fd, &is_zero));
		pause_for(100 + i * 10);
		ASSERT_EQ(0, uapi_get_info(self->fd, &info));
		/* a few frames stay for the page tables */
		ASSERT_EQ(0, uapi_create_mapping(self->fd, (info.frames_free - 2048) * PAGE,
						 THESEUS_MM_PTE_DATA, &mapping));
		ASSERT_EQ(0, uapi_drop(self->fd, mapping.handle));
	}
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

/* A piece of 2 MiB is cleared at once. */
TEST_F(clean, rate_is_a_limit)
{
	bool is_zero = false;
	__u64 before, nr;
	double begun;

	EXPECT_TRUE(await_clean(self->fd));
	EXPECT_TRUE(text_write(CLEAN_RATE, "1"));
	EXPECT_EQ(0, use_memory(self->fd, &is_zero));
	begun = now();
	before = nr_clean();
	pause_for(1000);
	nr = nr_clean();
	EXPECT_GE(((now() - begun) * (1 << 20) + (4 << 20)) / PAGE, nr - before);
	EXPECT_TRUE(text_write(CLEAN_RATE, "0"));
	EXPECT_TRUE(await_clean(self->fd));
}

TEST_F(clean, thread_is_on_by_default_except_for_real_time)
{
	struct utsname name;

	ASSERT_EQ(0, uname(&name));
	EXPECT_EQ(self->was_on, !text_has(name.version, "PREEMPT_RT"));
}

/* With pm_test, Linux stops all threads for a second, and goes on. */
TEST_F(clean, thread_stops_for_a_suspend)
{
	bool is_zero = false;

	if (access("/sys/power/pm_test", F_OK))
		return;
	ASSERT_TRUE(text_write("/sys/module/suspend/parameters/pm_test_delay", "1"));
	ASSERT_TRUE(text_write("/sys/power/pm_test", "freezer"));
	EXPECT_EQ(0, use_memory(self->fd, &is_zero));
	EXPECT_TRUE(text_write("/sys/power/state", "freeze"));
	EXPECT_TRUE(text_write("/sys/power/pm_test", "none"));
	EXPECT_TRUE(await_clean(self->fd));
}

TEST_F(clean, only_root_may_count)
{
	struct stat stat;

	ASSERT_EQ(0, lstat(FRAMES_CLEAN, &stat));
	EXPECT_EQ(0400, stat.st_mode & 07777);
	EXPECT_EQ(0, stat.st_uid);
}

TEST_F(clean, nothing_is_cleared_when_off)
{
	struct theseus_mm_info info = {};
	bool is_zero = false;
	__u64 nr;

	EXPECT_TRUE(await_clean(self->fd));
	EXPECT_TRUE(text_write(CLEAN_AHEAD, "0"));
	EXPECT_EQ(0, use_memory(self->fd, &is_zero));
	pause_for(1000);
	EXPECT_EQ(0, uapi_get_info(self->fd, &info));
	nr = nr_clean();
	EXPECT_GE(info.frames_free, nr + SIZE / PAGE);
	EXPECT_EQ(0, use_memory(self->fd, &is_zero));
	EXPECT_TRUE(is_zero);
	EXPECT_TRUE(text_write(CLEAN_AHEAD, "1"));
	EXPECT_TRUE(await_clean(self->fd));
}

TEST_HARNESS_MAIN
