// SPDX-License-Identifier: GPL-2.0
/*
 * The example "keep": its memory outlives the process. The test plays the service manager, which
 * stores the descriptor and passes it to the next process.
 */
#include "exported.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#define PROGRAM	"/bin/examples/keep"
#define SIZE	(4ULL << 20)
#define NAME	"@theseus_mm keep_test"

/* The messages that the program sends before its message READY. */
#define REMOVE	"FDSTOREREMOVE=1\nFDNAME=memory"
#define STORE	"FDSTORE=1\nFDNAME=memory\n"

/**
 * keep - a service manager
 * @fd: a client, for the counts
 * @socket: receives the program's messages
 * @stored: the descriptor that the program has stored; -1 if there is none
 * @pid: the program; 0 if it does not run
 */
FIXTURE(keep)
{
	int fd;
	struct theseus_mm_info start;
	int socket;
	int stored;
	pid_t pid;
};

FIXTURE_SETUP(keep)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = NAME };

	CLIENT_SETUP();
	self->stored = -1;
	self->pid = 0;
	address.sun_path[0] = 0;
	self->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ASSERT_LE(0, self->socket);
	ASSERT_EQ(0, bind(self->socket, (struct sockaddr *)&address,
			  offsetof(struct sockaddr_un, sun_path) + strlen(NAME)));
}

FIXTURE_TEARDOWN(keep)
{
	if (self->pid) {
		kill(self->pid, SIGKILL);
		waitpid(self->pid, NULL, 0);
	}
	close(self->stored);
	close(self->socket);
	CLIENT_TEARDOWN();
}

/* Pass the descriptor under the last of these names; the first name is that of descriptor 3. */
static int pass_stored(int fd, const char *names, pid_t listener)
{
	int number = strchr(names, ':') ? 4 : 3;
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", listener);
	if (setenv("LISTEN_PID", pid, 1) || setenv("LISTEN_FDNAMES", names, 1))
		return -1;
	return dup2(fd, number) == number ? 0 : -1;
}

/* Start the program as the next process of the service. Return: its pid, or -1 */
static pid_t start_program(int stored, const char *names, const char *option)
{
	/* dup2() keeps the close-on-exec flag if the numbers are equal, so take another number */
	int copy = stored < 0 ? -1 : fcntl(stored, F_DUPFD_CLOEXEC, 10);
	pid_t pid = fork();

	if (!pid) {
		if (!setenv("NOTIFY_SOCKET", NAME, 1) &&
		    (copy < 0 || !pass_stored(copy, names, getpid())))
			execl(PROGRAM, PROGRAM, option, NULL);
		_exit(127);
	}
	close(copy);
	return pid;
}

/* Receive a message within 20 s. Return: its descriptor, or -1 if it has none */
static int receive_message(int socket, char *text, size_t size)
{
	union { char bytes[CMSG_SPACE(sizeof(int))]; struct cmsghdr header; } control = { 0 };
	struct iovec part = { .iov_base = text, .iov_len = size - 1 };
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct pollfd wanted = { .fd = socket, .events = POLLIN };
	ssize_t length = -1;
	int fd = -1;

	if (poll(&wanted, 1, 20000) == 1)
		length = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	text[length < 0 ? 0 : length] = 0;
	if (length >= 0 && message.msg_controllen >= control.header.cmsg_len &&
	    control.header.cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	return fd;
}

/* Check that a message has this text, and return its descriptor. */
#define EXPECT_MESSAGE(expected)							\
	({										\
		char _text[256];							\
		int _fd = receive_message(self->socket, _text, sizeof(_text));		\
											\
		EXPECT_STREQ(expected, _text);						\
		_fd;									\
	})

/* Start the program, and store the descriptor as a service manager does. */
#define START(name, option)								\
	do {										\
		self->pid = start_program(self->stored, name, option);			\
		ASSERT_LT(0, self->pid);						\
		EXPECT_EQ(-1, EXPECT_MESSAGE(REMOVE));					\
		close(self->stored);							\
		self->stored = EXPECT_MESSAGE(STORE option);				\
		ASSERT_LE(0, self->stored);						\
	} while (0)

#define EXPECT_READY(nr)								\
	EXPECT_EQ(-1, EXPECT_MESSAGE("READY=1\nSTATUS=start " #nr " of this memory"))

/* End the program with a signal. Return: its status for waitpid(2) */
#define END(signal_number)								\
	({										\
		int _status = -1;							\
											\
		EXPECT_EQ(0, kill(self->pid, signal_number));				\
		EXPECT_EQ(self->pid, waitpid(self->pid, &_status, 0));			\
		self->pid = 0;								\
		_status;								\
	})

/* Start the program with a descriptor that it cannot use, and check that the program fails. */
#define EXPECT_FAILED_START(stored)							\
	do {										\
		int _status = -1;							\
		pid_t _pid = start_program(stored, "memory", "FDPOLL=1");		\
											\
		ASSERT_LT(0, _pid);							\
		EXPECT_EQ(_pid, waitpid(_pid, &_status, 0));				\
		EXPECT_TRUE(WIFEXITED(_status));					\
		EXPECT_EQ(EXIT_FAILURE, WEXITSTATUS(_status));				\
	} while (0)

TEST_F(keep, memory_outlives_a_restart)
{
	struct theseus_mm_info info;

	START("memory", "FDPOLL=1");
	EXPECT_READY(1);
	EXPECT_EQ(0, END(SIGTERM));
	ASSERT_EQ(0, uapi_get_info(self->fd, &info));
	EXPECT_EQ(self->start.nr_mappings + 1, info.nr_mappings);
	START("memory", "FDPOLL=0");
	EXPECT_READY(2);
	EXPECT_EQ(0, END(SIGTERM));
	START("other:memory", "FDPOLL=1");
	EXPECT_READY(3);
}

TEST_F(keep, memory_outlives_a_crash)
{
	START("memory", "FDPOLL=1");
	EXPECT_READY(1);
	EXPECT_EQ(SIGKILL, END(SIGKILL));
	START("memory", "FDPOLL=1");
	EXPECT_READY(2);
	EXPECT_EQ(SIGKILL, END(SIGKILL));
	START("memory", "FDPOLL=1");
	EXPECT_READY(3);
}

/* The memory is filled before it is stored, so a crash right after that leaves nothing half done. */
TEST_F(keep, memory_outlives_a_crash_before_the_service_is_ready)
{
	char message[256];

	START("memory", "FDPOLL=1");
	EXPECT_EQ(SIGKILL, END(SIGKILL));
	/* the program may have been ready already */
	while (recv(self->socket, message, sizeof(message), MSG_DONTWAIT) > 0)
		;
	START("memory", "FDPOLL=1");
	EXPECT_READY(2);
}

/*
 * A service manager polls the descriptors of its store, and closes one that reports POLLHUP or
 * POLLERR. The descriptor that owns the memory reports neither; the imported one reports both.
 */
TEST_F(keep, only_the_old_descriptor_leaves_the_store)
{
	int old;

	START("memory", "FDPOLL=1");
	EXPECT_EQ(0, polled(self->stored, 0) & GONE);
	EXPECT_READY(1);
	EXPECT_EQ(0, polled(self->stored, 0) & GONE);
	EXPECT_EQ(0, END(SIGTERM));
	EXPECT_EQ(POLLIN, polled(self->stored, 0));
	old = dup(self->stored);
	ASSERT_LE(0, old);
	START("memory", "FDPOLL=1");
	EXPECT_EQ(GONE, polled(old, 0));
	EXPECT_EQ(0, polled(self->stored, 0) & GONE);
	close(old);
}

TEST_F(keep, another_name_is_other_memory)
{
	START("memory", "FDPOLL=1");
	EXPECT_READY(1);
	EXPECT_EQ(0, END(SIGTERM));
	START("memories", "FDPOLL=1");
	EXPECT_READY(1);
}

/* The descriptor in the store is the only owner. */
TEST_F(keep, closing_the_store_frees_the_memory)
{
	START("memory", "FDPOLL=1");
	EXPECT_READY(1);
	EXPECT_EQ(0, END(SIGTERM));
	close(self->stored);
	self->stored = -1;
	EXPECT_ALL_BACK();
}

/* The program refuses a descriptor that is not its own, and leaves the descriptor as it is. */
TEST_F(keep, another_size_and_a_stale_descriptor_are_refused)
{
	int export, stale;
	__u32 handle;

	ASSERT_EQ(0, uapi_export(self->fd, MAPPING(1).handle, &export));
	EXPECT_FAILED_START(export);
	stale = dup(export);
	ASSERT_EQ(0, uapi_import(self->fd, export, &handle));
	EXPECT_FAILED_START(stale);
	EXPECT_EQ(0, uapi_drop(self->fd, handle));
	close(export);
	close(stale);
}

/* The program refuses memory with other content, here zeros. The memory stays stored. */
TEST_F(keep, other_content_is_refused)
{
	int export;

	ASSERT_EQ(0, uapi_export(self->fd, MAPPING(SIZE / PAGE).handle, &export));
	EXPECT_FAILED_START(export);
	EXPECT_EQ(-1, EXPECT_MESSAGE(REMOVE));
	self->stored = EXPECT_MESSAGE(STORE "FDPOLL=1");
	EXPECT_EQ(POLLIN, polled(self->stored, 0));
	close(export);
}

TEST_HARNESS_MAIN
