// SPDX-License-Identifier: GPL-2.0
/*
 * The command-line tool on the real device: each command as root and as another user, with its
 * output, its JSON and its exit status, and all counts as before at the end. Tests that need no
 * device run on the host.
 */
#include "client.h"

#include <fcntl.h>
#include <grp.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

#define NOBODY		65534
/* Seconds: an emulated debug kernel takes half a second to start a program. */
#define PATIENCE	120
#define MAX_OUTPUT	(1 << 20)
#define FILE_NAME	"/tmp/tool_test.file"
#define COPY_NAME	"/tmp/tool_test.copy"

/**
 * tool - the counts before the test, and the output of the last command
 * @fd: a client
 * @start: counts before the test
 * @output: stdout and stderr of the last command
 * @length: length of @output
 */
FIXTURE(tool)
{
	int fd;
	struct theseus_mm_info start;
	char *output;
	size_t length;
};

/**
 * tool variants - the users who run the tool
 * @uid: the user
 */
FIXTURE_VARIANT(tool)
{
	uid_t uid;
};

FIXTURE_VARIANT_ADD(tool, root) { .uid = 0 };
FIXTURE_VARIANT_ADD(tool, nobody) { .uid = NOBODY };

FIXTURE_SETUP(tool)
{
	CLIENT_SETUP();
	ASSERT_EQ(0, chmod(UAPI_DEVICE, 0666));
	self->output = malloc(MAX_OUTPUT);
	ASSERT_NE(NULL, self->output);
	setenv("LC_ALL", "C.UTF-8", 1);
	unsetenv("COLUMNS");
}

FIXTURE_TEARDOWN(tool)
{
	struct theseus_mm_info end;
	char text[SNAPSHOT_TEXT];

	EXPECT_EQ(0, uapi_get_info(self->fd, &end));
	EXPECT_STREQ("", info_difference(&self->start, &end, text));
	EXPECT_EQ(0, chmod(UAPI_DEVICE, 0600));
	free(self->output);
	close(self->fd);
	unlink(FILE_NAME);
	unlink(COPY_NAME);
}

static void become(uid_t uid)
{
	if (uid && (setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid)))
		_exit(99);
}

static pid_t start(const char *command, uid_t uid, int output)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	become(uid);
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(98);
}

static size_t read_to_end(int fd, char *buffer)
{
	size_t length = 0;
	ssize_t got;

	while (length < MAX_OUTPUT - 1) {
		got = read(fd, buffer + length, MAX_OUTPUT - 1 - length);
		if (got <= 0)
			break;
		length += got;
	}
	buffer[length] = '\0';
	return length;
}

/* Read into @buffer until the text ends with @text. */
static bool read_until(int fd, const char *text, char *buffer)
{
	size_t length = 0, wanted = strlen(text);

	while (length < MAX_OUTPUT - 1 && read(fd, buffer + length, 1) == 1) {
		buffer[++length] = '\0';
		if (length >= wanted && !strcmp(buffer + length - wanted, text))
			return true;
	}
	return false;
}

static int status_of(pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Run a command in a shell and fill @output. Return: the exit status */
static int run(const char *command, uid_t uid, char *output, size_t *length)
{
	int ends[2];
	pid_t pid;

	if (pipe(ends))
		return -1;
	pid = start(command, uid, ends[1]);
	close(ends[1]);
	*length = read_to_end(ends[0], output);
	close(ends[0]);
	return status_of(pid);
}

/* A failure prints the output. */
#define EXPECT_STATUS(status, command)							\
	do {										\
		int _status = run(command, variant->uid, self->output, &self->length);	\
											\
		EXPECT_EQ(status, _status)						\
			TH_LOG("%s: %s", command, self->output);			\
	} while (0)

#define EXPECT_SAYS(text)								\
	EXPECT_NE(NULL, strstr(self->output, text))					\
		TH_LOG("no \"%s\" in: %s", text, self->output)

#define EXPECT_SAYS_NOT(text)								\
	EXPECT_EQ(NULL, strstr(self->output, text))					\
		TH_LOG("\"%s\" in: %s", text, self->output)

/* The tests on the host check that the output is JSON, since they have a parser. */
#define EXPECT_KEY(key)		EXPECT_SAYS("\"" key "\": ")

#define IS_ROOT		(variant->uid == 0)

TEST_F(tool, info)
{
	char interface[32];

	snprintf(interface, sizeof(interface), "interface      %d\n", THESEUS_MM_ABI);
	EXPECT_STATUS(0, "tmm info");
	EXPECT_SAYS(interface);
	EXPECT_EQ(IS_ROOT, !!strstr(self->output, " at p0x"));
	EXPECT_STATUS(0, "tmm info --json");
	EXPECT_KEY("interface");
	EXPECT_EQ(!IS_ROOT, !!strstr(self->output, "\"start\": null"));
}

/* Use an inherited descriptor, and one of another process. */
TEST_F_TIMEOUT(tool, info_of_a_client, PATIENCE)
{
	struct theseus_mm_create_mapping mapping = MAPPING(3);
	char command[64];
	int export;

	ASSERT_EQ(0, uapi_export(self->fd, MAPPING(1).handle, &export));
	snprintf(command, sizeof(command), "tmm info --pid %d --fd %d", getpid(), self->fd);
	EXPECT_STATUS(IS_ROOT ? 0 : 1, command);
	EXPECT_SAYS(IS_ROOT ? " owns 2 objects:" : "(EPERM)");
	if (IS_ROOT)
		EXPECT_SAYS(" export ");
	EXPECT_STATUS(0, "exec 9</dev/theseus_mm; tmm info --fd 9");
	EXPECT_SAYS(" owns 0 objects");
	EXPECT_EQ(0, uapi_drop(self->fd, mapping.handle));
	close(export);
}

/* Return: columns of the longest line, without continuation bytes of UTF-8 */
static int widest(const char *text)
{
	int column = 0, most = 0;

	for (; *text; text++) {
		if (*text == '\n')
			column = 0;
		else if ((*text & 0xc0) != 0x80)
			column++;
		if (column > most)
			most = column;
	}
	return most;
}

TEST_F_TIMEOUT(tool, map_is_as_wide_as_asked, PATIENCE)
{
	EXPECT_STATUS(0, "tmm map --width 40");
	EXPECT_GE(40, widest(self->output));
	EXPECT_STATUS(0, "tmm map --width 80");
	EXPECT_GE(80, widest(self->output));
	EXPECT_LT(60, widest(self->output));
	EXPECT_STATUS(0, "tmm map --width 200");
	EXPECT_GE(200, widest(self->output));
	EXPECT_LT(180, widest(self->output));
}

TEST_F_TIMEOUT(tool, map, PATIENCE)
{
	EXPECT_STATUS(0, "tmm map");
	EXPECT_SAYS("region 0: ");
	EXPECT_SAYS("LONGEST RUN");
	EXPECT_SAYS_NOT("\033");
	EXPECT_STATUS(0, "tmm map --json");
	EXPECT_KEY("regions");
	EXPECT_STATUS(0, "tmm map --svg -");
	EXPECT_SAYS("</svg>");
	EXPECT_STATUS(0, "tmm map --by use --color=always --ascii");
	EXPECT_SAYS("\033[");
}

TEST_F(tool, an_owner_is_named)
{
	/* the process is called sh until it execs tmm, which opens the device */
	EXPECT_STATUS(0, "tmm alloc 16M -- tmm map --width 100");
	EXPECT_SAYS(" tmm ");
	EXPECT_SAYS("16 MiB");
	EXPECT_STATUS(0, "tmm alloc 16M -- tmm map --json | sed 1d");
	EXPECT_SAYS("\"comm\": \"tmm\"");
	EXPECT_KEY("comm");
}

TEST_F(tool, others_are_counted_only)
{
	struct theseus_mm_create_mapping mapping = MAPPING(4096);

	EXPECT_STATUS(0, "tmm info");
	EXPECT_SAYS(IS_ROOT ? "tool_test" : "1 of other users, with 16");
	EXPECT_STATUS(0, "tmm map");
	EXPECT_SAYS(IS_ROOT ? "tool_test" : "of others (1)");
	EXPECT_EQ(0, uapi_drop(self->fd, mapping.handle));
}

TEST_F(tool, stats)
{
	EXPECT_STATUS(0, "tmm stats");
	EXPECT_STATUS(0, "tmm stats --json 1 2 | head -n 1");
	EXPECT_KEY("mappings");
}

TEST_F_TIMEOUT(tool, alloc, PATIENCE)
{
	EXPECT_STATUS(0, "tmm alloc 3M -- true");
	EXPECT_SAYS("mapping of 3 MiB at v0xff");
	EXPECT_STATUS(0, "tmm alloc -j -c -n 3 64K -- true");
	EXPECT_KEY("objects");
	EXPECT_STATUS(0, "tmm alloc -k frames -a 2M 4K -- true");
	EXPECT_STATUS(0, "tmm alloc -k pages 1G -- sh -c 'echo size $TMM_SIZE'");
	EXPECT_SAYS("size 1073741824");
	EXPECT_STATUS(3, "tmm alloc 4K -- sh -c 'exit 3'");
	EXPECT_STATUS(127, "tmm alloc 4K -- /nonexistent");
	EXPECT_STATUS(128 + SIGKILL, "tmm alloc 4K -- sh -c 'kill -9 $$'");
	EXPECT_STATUS(1, "tmm alloc 1000G -- true");
	EXPECT_SAYS("(ENOSPC)");
	EXPECT_STATUS(1, "tmm alloc -a 3 4K -- true");
	EXPECT_SAYS("(EINVAL)");
}

TEST_F(tool, alloc_at)
{
	char command[128];

	snprintf(command, sizeof(command), "tmm alloc --at %#llx -c 2M -- true",
		 self->start.pages_start + (1ULL << 30));
	EXPECT_STATUS(0, command);
	snprintf(command, sizeof(command), " at v%#llx", self->start.pages_start + (1ULL << 30));
	EXPECT_SAYS(command);
	EXPECT_STATUS(1, "tmm alloc -k frames --at 0 4K -- true");
	EXPECT_SAYS(IS_ROOT ? "(ERANGE)" : "(EPERM)");
}

TEST_F_TIMEOUT(tool, translate_and_dump, PATIENCE)
{
	EXPECT_STATUS(IS_ROOT ? 0 : 1, "tmm alloc 4K -- sh -c 'tmm translate $TMM_VADDR'");
	EXPECT_SAYS(IS_ROOT ? "in a page of 4 KiB: valid, writable" : "(EPERM)");
	EXPECT_STATUS(1, "tmm translate 0x1000");
	EXPECT_SAYS(IS_ROOT ? "nothing is mapped there (ENOENT)" : "(EPERM)");
	if (!IS_ROOT)
		return;
	EXPECT_STATUS(0, "tmm alloc 4K -- sh -c 'tmm translate -j $TMM_VADDR' | sed 1d");
	EXPECT_KEY("vaddr");
	EXPECT_STATUS(0, "tmm dump -j 0x1000");
	EXPECT_KEY("entries");
	EXPECT_STATUS(1, "tmm dump 0x800000000000000");
	EXPECT_SAYS("(EINVAL)");
}

TEST_F(tool, hold)
{
	char word[16] = "";
	int ends[2];
	pid_t pid;

	ASSERT_EQ(0, pipe(ends));
	pid = start("exec tmm hold 1M mapping frames pages", variant->uid, ends[1]);
	close(ends[1]);
	EXPECT_EQ(6, read(ends[0], word, 6));
	EXPECT_STREQ("ready\n", word);
	kill(pid, SIGTERM);
	EXPECT_EQ(128 + SIGTERM, status_of(pid));
	close(ends[0]);
}

/* The tool passes a signal on to its command. */
TEST_F(tool, alloc_passes_signals_on)
{
	int ends[2];
	pid_t pid;

	ASSERT_EQ(0, pipe(ends));
	pid = start("exec tmm alloc 1M -- sh -c 'trap \"exit 7\" TERM; echo ready; "
		    "while :; do sleep 0.1; done'", variant->uid, ends[1]);
	close(ends[1]);
	EXPECT_TRUE(read_until(ends[0], "ready\n", self->output));
	kill(pid, SIGTERM);
	EXPECT_EQ(7, status_of(pid));
	close(ends[0]);
}

static int make_file(size_t nr_bytes)
{
	int fd = open(FILE_NAME, O_RDWR | O_CREAT | O_TRUNC, 0644);
	unsigned int state = 1;
	size_t i;
	FILE *file;

	if (fd < 0)
		return -1;
	file = fdopen(fd, "w");
	for (i = 0; i < nr_bytes; i++) {
		state = state * 1664525 + 1013904223;
		putc(state >> 24, file);
	}
	return fclose(file);
}

/* Return: a copy of descriptor @fd of process @pid, made as `tmm cat` does; or -1 */
static int descriptor_of(pid_t pid, int fd)
{
	int process = syscall(SYS_pidfd_open, pid, 0);
	int copy = process < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, process, fd, 0);

	close(process);
	return copy;
}

/* With `tmm put -r`, no receiver can write, not even after importing the mapping. */
TEST_F_TIMEOUT(tool, put_read_only, PATIENCE)
{
	char *place;
	int ends[2], fd;
	__u32 handle;
	pid_t pid;

	ASSERT_EQ(0, pipe(ends));
	pid = start("echo content | exec tmm put -j -r -", variant->uid, ends[1]);
	close(ends[1]);
	EXPECT_TRUE(read_until(ends[0], "}\n", self->output));
	place = strstr(self->output, "\"pid\": ");
	ASSERT_NE(NULL, place);
	pid = atoi(place + strlen("\"pid\": "));
	place = strstr(self->output, "\"fd\": ");
	ASSERT_NE(NULL, place);
	fd = descriptor_of(pid, atoi(place + strlen("\"fd\": ")));
	ASSERT_LE(0, fd);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, fd, 0));
	ASSERT_EQ(0, uapi_import(self->fd, fd, &handle));
	EXPECT_EQ(-EACCES, uapi_remap(self->fd, handle, THESEUS_MM_PTE_DATA));
	EXPECT_EQ(-EACCES, uapi_write(self->fd, handle, 0, "mine!", 5));
	EXPECT_EQ(0, uapi_drop(self->fd, handle));
	close(fd);
	kill(pid, SIGTERM);
	close(ends[0]);
	wait(NULL);
}

TEST_F_TIMEOUT(tool, put_and_cat, PATIENCE)
{
	const size_t sizes[] = { 0, 1, 300001 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		ASSERT_EQ(0, make_file(sizes[i]));
		EXPECT_STATUS(0, "tmm put " FILE_NAME " -- sh -c 'tmm cat | cmp - " FILE_NAME "'");
	}
	EXPECT_STATUS(0, "tmm put -r -c - <" FILE_NAME " -- sh -c 'tmm cat | cmp - " FILE_NAME "'");
	EXPECT_STATUS(0, "cat " FILE_NAME " | tmm put - -- sh -c 'tmm cat | cmp - " FILE_NAME "'");
	EXPECT_STATUS(0, "tmm put " FILE_NAME " -- sh -c "
		      "'tmm cat -s 4K | head -c 4096 | cmp -n 4096 - " FILE_NAME "'");
	EXPECT_STATUS(1, "tmm put " FILE_NAME " -- tmm cat -s 1G");
	EXPECT_STATUS(1, "tmm put /nonexistent -- true");
}

/* tmm put stops when the module's memory is used up, and does not use up Linux's memory. */
TEST_F_TIMEOUT(tool, put_of_what_has_no_end, PATIENCE)
{
	EXPECT_STATUS(1, "ulimit -v 2000000; tmm put /dev/zero -- true");
	EXPECT_SAYS("tmm: put: /dev/zero has more than");
	EXPECT_SAYS_NOT("(ENOMEM)");
	EXPECT_STATUS(1, "ulimit -v 2000000; tmm put - </dev/zero");
	EXPECT_SAYS("tmm: put: - has more than");
}

TEST_F_TIMEOUT(tool, cat_of_another_process, PATIENCE)
{
	char command[256];
	int ends[2];
	pid_t pid;

	ASSERT_EQ(0, make_file(100000));
	ASSERT_EQ(0, pipe(ends));
	pid = start("exec tmm put " FILE_NAME, variant->uid, ends[1]);
	close(ends[1]);
	EXPECT_TRUE(read_until(ends[0], ":\n", self->output));
	/* the next line is the command that reads the mapping */
	EXPECT_TRUE(read_until(ends[0], "\n", self->output));
	snprintf(command, sizeof(command), "%.*s | cmp - " FILE_NAME,
		 (int)strcspn(self->output, "\n"), self->output);
	EXPECT_STATUS(0, command);
	kill(pid, SIGTERM);
	status_of(pid);
	close(ends[0]);
}

TEST_F_TIMEOUT(tool, bench, PATIENCE)
{
	EXPECT_STATUS(0, "tmm bench --rounds 1 --size 64K --json");
	EXPECT_KEY("results");
	EXPECT_KEY("p999_ns");
	EXPECT_KEY("worst_ns");
	EXPECT_SAYS("\"borrow_4k\"");
	EXPECT_SAYS("\"create_4k\"");
	EXPECT_SAYS("\"drop_4k\"");
	EXPECT_SAYS_NOT("\"error\"");
}

TEST_F_TIMEOUT(tool, demo, PATIENCE)
{
	ASSERT_EQ(0, make_file(50000));
	/* with --json, the text goes to stderr, and `make run` shows the text unchanged */
	EXPECT_STATUS(0, "tmm demo --json " FILE_NAME " 2>/dev/null");
	EXPECT_KEY("steps");
}

TEST_F(tool, refuses_what_makes_no_sense)
{
	EXPECT_STATUS(2, "tmm map --nonsense");
	EXPECT_STATUS(2, "tmm alloc 12Q");
	EXPECT_STATUS(1, "TMM_DEVICE=/nonexistent tmm info");
	EXPECT_SAYS("(ENOENT)");
}

TEST_F(tool, watch_gives_the_terminal_back)
{
	struct winsize size = { .ws_row = 30, .ws_col = 70 };
	struct termios before, after;
	int terminal, other;
	pid_t pid;

	ASSERT_EQ(0, openpty(&terminal, &other, NULL, NULL, &size));
	ASSERT_EQ(0, tcgetattr(other, &before));
	pid = fork();
	if (!pid) {
		login_tty(other);
		become(variant->uid);
		setenv("TERM", "xterm", 1);
		execlp("tmm", "tmm", "map", "--watch=0.2", (char *)NULL);
		_exit(98);
	}
	EXPECT_TRUE(read_until(terminal, "\033[J", self->output));
	EXPECT_SAYS("\033[?1049h");
	kill(pid, SIGTERM);
	EXPECT_TRUE(read_until(terminal, "\033[?1049l", self->output));
	EXPECT_EQ(128 + SIGTERM, status_of(pid));
	EXPECT_EQ(0, tcgetattr(other, &after));
	EXPECT_EQ(before.c_lflag, after.c_lflag);
	close(terminal);
	close(other);
}

TEST_HARNESS_MAIN
