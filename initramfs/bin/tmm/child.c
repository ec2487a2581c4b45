// SPDX-License-Identifier: GPL-2.0
#include "child.h"

#include "command.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile pid_t child;

char **split_command(int *argc, char **argv)
{
	int i;

	for (i = 1; i < *argc; i++) {
		if (!strcmp(argv[i], "--")) {
			*argc = i;
			return argv[i + 1] ? &argv[i + 1] : NULL;
		}
	}
	return NULL;
}

void set_number(const char *name, uint64_t value)
{
	char text[TEXT_SIZE];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	setenv(name, text, 1);
}

void set_address(const char *name, uint64_t value)
{
	char text[TEXT_SIZE];

	snprintf(text, sizeof(text), "%#llx", (unsigned long long)value);
	setenv(name, text, 1);
}

static void pass_on(int number)
{
	if (child > 0)
		kill(child, number);
}

static _Noreturn void become(char **command, int fd, const sigset_t *mask)
{
	if (fd >= 0)
		fcntl(fd, F_SETFD, 0);
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(command[0], command);
	failed(errno, "run %s", command[0]);
	_exit(errno == ENOENT ? 127 : 126);
}

int child_run(char **command, int fd)
{
	struct sigaction pass = { .sa_handler = pass_on };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t blocked, mask;
	int status;
	pid_t pid;

	fflush(NULL);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGHUP);
	/* a signal that comes before the handlers are set must reach the child later */
	sigprocmask(SIG_BLOCK, &blocked, &mask);
	pid = fork();
	if (!pid)
		become(command, fd, &mask);
	child = pid;
	sigaction(SIGTERM, &pass, NULL);
	sigaction(SIGHUP, &pass, NULL);
	sigaction(SIGINT, &ignore, NULL);
	sigaction(SIGQUIT, &ignore, NULL);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	if (pid < 0)
		return failed(errno, "fork");
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return failed(errno, "wait for %s", command[0]);
	child = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

_Noreturn void wait_forever(void)
{
	if (fflush(stdout) || ferror(stdout))
		exit(failed(errno, "write"));
	for (;;)
		pause();
}
