// SPDX-License-Identifier: GPL-2.0
/*
 * Keep memory while a service restarts or crashes: the service manager stores the descriptor that
 * owns the memory. keep.service starts this program. The program adds its argument, such as
 * FDPOLL=0, to the message that stores the descriptor.
 */
#include "example.h"

#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define NAME		"memory"
#define SIZE		(4 << 20)
#define NR_WORDS	(SIZE / sizeof(uint64_t))

/* The first descriptor that a service manager passes: SD_LISTEN_FDS_START of sd_listen_fds(3) */
#define FIRST_FD	3

/*
 * Send a message to the service manager, with a descriptor unless @fd is -1. sd_notify(3) describes
 * the format of the datagram, which is stable, so this program needs no libsystemd.
 */
static void notify_manager(const char *message, int fd)
{
	union { char bytes[CMSG_SPACE(sizeof(int))]; struct cmsghdr header; } control = { 0 };
	struct iovec text = { .iov_base = (char *)message, .iov_len = strlen(message) };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct msghdr datagram = { .msg_name = &address, .msg_iov = &text, .msg_iovlen = 1 };
	const char *path = getenv("NOTIFY_SOCKET");
	int sender;

	CHECK(path && strlen(path) < sizeof(address.sun_path));
	datagram.msg_namelen = offsetof(struct sockaddr_un, sun_path) + strlen(path);
	memcpy(address.sun_path, path, strlen(path));
	/* the first byte of an abstract address is 0 */
	if (path[0] == '@')
		address.sun_path[0] = 0;
	if (fd >= 0) {
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
		datagram.msg_control = &control;
		datagram.msg_controllen = sizeof(control);
	}
	sender = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	CHECK(sender >= 0);
	CHECK(sendmsg(sender, &datagram, MSG_NOSIGNAL) == (ssize_t)strlen(message));
	CHECK(!close(sender));
}

/* Find the descriptor that an earlier start has stored. Return: the descriptor, or -1 */
static int find_stored(void)
{
	const char *pid = getenv("LISTEN_PID"), *names = getenv("LISTEN_FDNAMES");
	int fd = FIRST_FD;
	size_t length;

	/* a child process inherits these variables, but not the descriptors */
	if (!pid || !names || atol(pid) != getpid())
		return -1;
	for (; *names; names += length + (names[length] == ':'), fd++) {
		length = strcspn(names, ":");
		if (length == strlen(NAME) && !strncmp(names, NAME, length))
			return fd;
	}
	return -1;
}

/* The first word counts the starts. Every other word contains its index. */
static void fill_words(uint64_t *words)
{
	size_t i;

	CHECK(words[0] == 0);
	words[0] = 1;
	for (i = 1; i < NR_WORDS; i++)
		words[i] = i;
}

static void check_words(const uint64_t *words)
{
	size_t i;

	CHECK(words[0] > 0);
	for (i = 1; i < NR_WORDS; i++)
		CHECK(words[i] == i);
}

/*
 * Own the memory of an earlier start, or new memory that is filled, and store its descriptor: after
 * that, a crash of this program does not free the memory.
 */
static uint64_t *own_memory(const char *option)
{
	struct tmm_client *client = tmm_client_open(NULL);
	struct tmm_mapping_info info;
	struct tmm_mapping *mapping;
	int fd = find_stored();
	const bool is_new = fd < 0;
	char message[128];
	uint64_t *words;

	CHECK(client);
	if (is_new) {
		mapping = tmm_mapping_create(client, SIZE, TMM_DATA, NULL);
	} else {
		/* if this is other memory, end before the import makes the descriptor stale */
		CHECK(!tmm_fd_query(fd, &info) && info.nr_bytes == SIZE);
		mapping = tmm_mapping_import(client, &fd);
	}
	CHECK(mapping);
	fd = tmm_mapping_export(&mapping);
	CHECK(fd >= 0);
	tmm_client_close(&client);
	/* a window of the descriptor needs no client */
	words = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(words != MAP_FAILED);
	if (is_new)
		fill_words(words);

	/* the import has made the descriptor in the store stale */
	notify_manager("FDSTOREREMOVE=1\nFDNAME=" NAME, -1);
	snprintf(message, sizeof(message), "FDSTORE=1\nFDNAME=" NAME "\n%s", option);
	notify_manager(message, fd);
	CHECK(!close(fd));
	return words;
}

static void serve_until(const sigset_t *end, const char *option)
{
	const bool is_kept = find_stored() >= 0;
	uint64_t *words = own_memory(option);
	char message[128];
	int number;

	if (is_kept) {
		check_words(words);
		words[0]++;
	}
	snprintf(message, sizeof(message), "READY=1\nSTATUS=start %" PRIu64 " of this memory", words[0]);
	puts(strrchr(message, '=') + 1);
	fflush(stdout);
	notify_manager(message, -1);
	CHECK(!sigwait(end, &number));
}

int main(int nr_arguments, char **arguments)
{
	sigset_t end;

	if (!getenv("NOTIFY_SOCKET")) {
		printf("no service manager: start this program with keep.service\n");
		return EXIT_SUCCESS;
	}
	/* keep SIGTERM pending until the descriptor is sent to the store */
	sigemptyset(&end);
	sigaddset(&end, SIGTERM);
	CHECK(!sigprocmask(SIG_BLOCK, &end, NULL));
	serve_until(&end, nr_arguments > 1 ? arguments[1] : "FDPOLL=1");
	return EXIT_SUCCESS;
}
