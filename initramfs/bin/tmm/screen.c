// SPDX-License-Identifier: GPL-2.0
#include "screen.h"

#include "terminal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define ENTER	"\033[?1049h\033[?25l\033[2J"
#define LEAVE	"\033[?25h\033[?1049l"

static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH };

#define NR_SIGNALS	(sizeof(signals) / sizeof(signals[0]))

/* The signal handler sets these; the main program reads them. */
static volatile sig_atomic_t ending;
static volatile sig_atomic_t stopping;
static volatile sig_atomic_t resized;
static sigset_t normal_mask;
static struct termios normal_input;
static bool has_keys;

static void note_signal(int number)
{
	if (number == SIGWINCH)
		resized = 1;
	else if (number == SIGTSTP)
		stopping = 1;
	else
		ending = number;
}

/*
 * Signals are blocked outside ppoll(), so that none arrives between a check of the flags and
 * the wait.
 */
static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = note_signal }, old;
	sigset_t ours;
	size_t i;

	sigemptyset(&ours);
	for (i = 0; i < NR_SIGNALS; i++) {
		/* an ignored signal stays ignored: nohup, or & in a shell without job control */
		if (!sigaction(signals[i], NULL, &old) && old.sa_handler == SIG_IGN)
			continue;
		sigaction(signals[i], &action, NULL);
		sigaddset(&ours, signals[i]);
	}
	sigprocmask(SIG_BLOCK, &ours, &normal_mask);
}

static void take_keys(void)
{
	struct termios input;

	if (tcgetattr(STDIN_FILENO, &normal_input) || tcgetpgrp(STDIN_FILENO) != getpgrp())
		return;
	input = normal_input;
	input.c_lflag &= ~(ICANON | ECHO);
	has_keys = !tcsetattr(STDIN_FILENO, TCSADRAIN, &input);
}

static void give_keys_back(void)
{
	if (has_keys)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &normal_input);
	has_keys = false;
}

static void enter(const struct screen *screen)
{
	if (!screen->is_own)
		return;
	take_keys();
	fputs(ENTER, stdout);
	fflush(stdout);
}

static void leave(const struct screen *screen)
{
	if (!screen->is_own)
		return;
	fputs(LEAVE, stdout);
	fflush(stdout);
	give_keys_back();
}

void screen_begin(struct screen *screen, bool wants_own)
{
	const char *term = getenv("TERM");

	screen->is_own = wants_own && isatty(STDOUT_FILENO) && term && strcmp(term, "dumb");
	catch_signals();
	enter(screen);
}

void screen_home(const struct screen *screen)
{
	if (screen->is_own)
		fputs("\033[H", stdout);
}

const char *screen_line_end(const struct screen *screen)
{
	return screen->is_own ? "\033[K" : "";
}

void screen_done(const struct screen *screen)
{
	if (screen->is_own)
		fputs("\033[J", stdout);
	fflush(stdout);
}

/* Restore the terminal, stop until SIGCONT, and take the terminal again. */
static void stop(const struct screen *screen)
{
	stopping = 0;
	leave(screen);
	raise(SIGSTOP);
	enter(screen);
}

static bool key_says_end(void)
{
	char key;
	ssize_t got = read(STDIN_FILENO, &key, 1);

	return got == 1 ? key == 'q' || key == 'Q' : got == 0 || errno != EINTR;
}

bool screen_wait(struct screen *screen, uint64_t milliseconds)
{
	uint64_t end = now_in_milliseconds() + milliseconds, now;

	for (now = 0; !ending && !resized && now < end; now = now_in_milliseconds()) {
		struct pollfd keys = { .fd = has_keys ? STDIN_FILENO : -1, .events = POLLIN };
		uint64_t left = now ? end - now : milliseconds;
		struct timespec time = {
			.tv_sec = left / 1000,
			.tv_nsec = left % 1000 * 1000000,
		};

		if (ppoll(&keys, 1, &time, &normal_mask) > 0 && key_says_end())
			return false;
		if (stopping) {
			stop(screen);
			break;
		}
	}
	resized = 0;
	return !ending;
}

void screen_end(struct screen *screen)
{
	leave(screen);
	if (ending && ending != SIGINT) {
		signal(ending, SIG_DFL);
		raise(ending);
	}
	sigprocmask(SIG_SETMASK, &normal_mask, NULL);
}
