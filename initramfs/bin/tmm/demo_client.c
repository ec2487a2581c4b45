// SPDX-License-Identifier: GPL-2.0
/*
 * The demo's second client: when it is killed, the kernel takes back all that it owned.
 */
#include "demo.h"
#include "terminal.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GIVE_BACK_MS	10000
#define MAX_HELD	(8ULL << 20)

/**
 * struct other - the second client
 * @pid: process of the client
 * @output: pipe from its stdout
 */
struct other {
	pid_t pid;
	int output;
};

static void become_holder(int output, __u64 size)
{
	char text[TEXT_SIZE];

	snprintf(text, sizeof(text), "%llu", size);
	if (dup2(output, STDOUT_FILENO) >= 0)
		execl("/proc/self/exe", "tmm", "hold", text, "mapping", "frames", "pages",
		      (char *)NULL);
	_exit(127);
}

static bool start_other(struct demo *demo, struct other *other, __u64 size)
{
	int ends[2];

	if (pipe(ends))
		return demo_call_failed(demo, "pipe", errno);
	fcntl(ends[0], F_SETFD, FD_CLOEXEC);
	fcntl(ends[1], F_SETFD, FD_CLOEXEC);
	other->pid = fork();
	if (!other->pid)
		become_holder(ends[1], size);
	close(ends[1]);
	other->output = ends[0];
	if (other->pid < 0) {
		close(ends[0]);
		return demo_call_failed(demo, "fork", errno);
	}
	return true;
}

static bool wait_until_ready(struct demo *demo, struct other *other)
{
	char word[7] = "";
	size_t used = 0;
	ssize_t got;

	while (used < 6) {
		got = read(other->output, word + used, 6 - used);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		used += got;
	}
	if (strcmp(word, "ready\n"))
		return demo_fail(demo, "`tmm hold` did not print `ready`");
	return true;
}

static int kill_other(struct other *other)
{
	int status = 0;

	kill(other->pid, SIGKILL);
	while (waitpid(other->pid, &status, 0) < 0 && errno == EINTR)
		;
	close(other->output);
	return status;
}

static bool owns_enough(struct demo *demo, const struct demo_counts *before,
			const struct demo_counts *with, __u64 size)
{
	__u64 nr = size / TMM_PAGE_SIZE;

	if (before->frames_free - with->frames_free < 2 * nr ||
	    before->pages_free - with->pages_free < 2 * nr ||
	    with->nr_mappings != before->nr_mappings + 1)
		return demo_fail(demo, "the counts do not show what the second client owns");
	return true;
}

/* The kernel may close the client's descriptor shortly after waitpid() returns. */
static bool wait_for_counts(struct demo *demo, const struct demo_counts *expected)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	__u64 end = now_in_milliseconds() + GIVE_BACK_MS;
	struct demo_counts now;

	do {
		if (!demo_count(demo, &now))
			return false;
		if (demo_same_counts(&now, expected)) {
			demo_say_counts("after", &now);
			return true;
		}
		nanosleep(&pause, NULL);
	} while (now_in_milliseconds() < end);
	demo_say_counts("after", &now);
	return demo_fail(demo, "the counts differ from before: memory is missing, or another "
			       "client is active");
}

/* A quarter of the free frames for each object leaves room for page tables. */
static __u64 size_to_hold(const struct demo_counts *counts)
{
	__u64 size = counts->frames_free / 4 * TMM_PAGE_SIZE;

	return size > MAX_HELD ? MAX_HELD : size;
}

static bool watch_other(struct demo *demo, struct other *other, const struct demo_counts *before,
			__u64 size)
{
	struct demo_counts with;
	char text[TEXT_SIZE];

	if (!wait_until_ready(demo, other) || !demo_count(demo, &with))
		return false;
	demo_say("process %d: a mapping, frames and pages of %s each", (int)other->pid,
		 size_text(text, size));
	demo_say_counts("with it", &with);
	return owns_enough(demo, before, &with, size);
}

bool demo_second_client(struct demo *demo)
{
	struct demo_counts before;
	struct other other = { .pid = -1, .output = -1 };
	int status;
	__u64 size;
	bool good;

	if (!demo_count(demo, &before))
		return false;
	size = size_to_hold(&before);
	if (!size)
		return demo_fail(demo, "no memory is free for a second client: take a smaller "
				       "FILE, or reserve more with memmap=");
	demo_say_counts("before", &before);
	if (!start_other(demo, &other, size))
		return false;
	good = watch_other(demo, &other, &before, size);
	status = kill_other(&other);
	if (!good)
		return false;
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		return demo_fail(demo, "the second client ended before it was killed");
	demo_say("killed with SIGKILL");
	return wait_for_counts(demo, &before);
}
