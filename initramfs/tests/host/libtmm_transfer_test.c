// SPDX-License-Identifier: GPL-2.0
/*
 * The library hands mappings over: exports, imports, descriptors in messages.
 */
#include "libtmm_test.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static int lowest_free(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	close(fd);
	return fd;
}

static void export_and_import_move(void)
{
	struct tmm_client *client = new_client();
	struct tmm_mapping *mapping = new_mapping(client), *kept = mapping;
	int fd, taken;

	fake.error = EBUSY;
	EXPECT_REFUSED(EBUSY, tmm_mapping_export(&mapping) == -1);
	fake.error = 0;
	EXPECT(mapping == kept);
	fd = tmm_mapping_export(&mapping);
	EXPECT(is_open(fd) && !mapping);

	taken = fd;
	fake.error = EDQUOT;
	EXPECT_REFUSED(EDQUOT, !tmm_mapping_import(client, &taken));
	fake.error = 0;
	no_memory_at = 1;
	EXPECT_REFUSED(ENOMEM, !tmm_mapping_import(client, &taken));
	EXPECT_REFUSED(EBADF, !tmm_mapping_import(NULL, &taken));
	EXPECT(taken == fd && is_open(fd));
	mapping = tmm_mapping_import(client, &taken);
	EXPECT(mapping && taken == -1 && !is_open(fd) && fake.argument.import.fd == fd);
	EXPECT(tmm_mapping_size(mapping) == 7 * TMM_PAGE_SIZE);
	EXPECT(tmm_mapping_address(mapping) == 0x70000);
	EXPECT(tmm_mapping_handle(mapping) == fake.handle);

	fd = tmm_mapping_export_dmabuf(mapping);
	EXPECT(is_open(fd) && fake.last == THESEUS_MM_IOC_EXPORT_DMABUF);
	close(fd);
	EXPECT(!tmm_mapping_drop(&mapping));
	tmm_client_close(&client);
}

static void descriptors_can_be_less(void)
{
	const struct tmm_export_options read_only = { .is_read_only = true };
	const struct tmm_export_options unknown[] = { { .reserved1 = { 1 } }, { .reserved = { 1 } } };
	struct tmm_client *client = new_client();
	struct tmm_mapping *mapping = new_mapping(client);
	uint32_t id = 0;
	int fd, i;

	for (i = 0; i < 2; i++) {
		EXPECT_REFUSED(EINVAL, tmm_mapping_lend(mapping, &unknown[i]) == -1);
		EXPECT_REFUSED(EINVAL, tmm_mapping_export_as(&mapping, &unknown[i], &id) == -1);
	}
	fd = tmm_mapping_lend(mapping, NULL);
	EXPECT(is_open(fd) && fake.argument.export.flags == THESEUS_MM_EXPORT_BORROW);
	EXPECT(fake.argument.export.handle == tmm_mapping_handle(mapping));
	close(fd);
	fd = tmm_mapping_lend(mapping, &read_only);
	EXPECT(is_open(fd) && fake.argument.export.flags == THESEUS_MM_EXPORT_FLAGS_ALL);
	close(fd);
	fake.error = EMFILE;
	EXPECT_REFUSED(EMFILE, tmm_mapping_export_as(&mapping, &read_only, &id) == -1);
	EXPECT(mapping && !id);
	fake.error = 0;
	fd = tmm_mapping_export_as(&mapping, &read_only, &id);
	EXPECT(is_open(fd) && !mapping && id == 44);
	EXPECT(fake.argument.export.flags == THESEUS_MM_EXPORT_READ_ONLY);
	fake.error = ESTALE;
	EXPECT_REFUSED(ESTALE, !tmm_mapping_take_back(client, id));
	fake.error = 0;
	no_memory_at = 1;
	EXPECT_REFUSED(ENOMEM, !tmm_mapping_take_back(client, id));
	mapping = tmm_mapping_take_back(client, id);
	EXPECT(mapping && fake.argument.take_back.export_id == 44);
	EXPECT(tmm_mapping_size(mapping) == 7 * TMM_PAGE_SIZE);
	close(fd);
	EXPECT(!tmm_mapping_drop(&mapping));
	tmm_client_close(&client);
}

/* In a call on a descriptor, handle 0 means the descriptor's mapping. */
static void descriptors_are_asked(void)
{
	struct tmm_revocation revocation;
	struct tmm_mapping_info info;
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	EXPECT(!tmm_fd_query(fd, &info) && info.nr_borrows == 9);
	EXPECT(!fake.argument.query.handle);
	EXPECT(!tmm_fd_revoke(fd, &revocation));
	EXPECT(revocation.nr_revoked == 5 && revocation.nr_pinned == 2);
	EXPECT(!tmm_fd_revoke(fd, NULL));
	fake.error = ESTALE;
	revocation.nr_revoked = 77;
	EXPECT_REFUSED(ESTALE, tmm_fd_revoke(fd, &revocation));
	EXPECT_REFUSED(ESTALE, tmm_fd_query(fd, &info));
	EXPECT(revocation.nr_revoked == 77 && info.nr_borrows == 9);
	fake.error = 0;
	EXPECT_REFUSED(EBADF, tmm_fd_query(-1, &info));
	close(fd);
}

static void share_says_which(void)
{
	struct tmm_client *client = new_client();
	struct tmm_mapping *mapping = new_mapping(client);

	EXPECT(!tmm_mapping_share(mapping, true) && !fake.argument.share.flags);
	EXPECT(!tmm_mapping_share(mapping, false));
	EXPECT(fake.argument.share.flags == THESEUS_MM_SHARE_OFF);
	EXPECT(fake.argument.share.handle == tmm_mapping_handle(mapping));
	EXPECT(!tmm_mapping_drop(&mapping));
	tmm_client_close(&client);
}

/* Send a message with @nr descriptors, at most 8. A receiver expects exactly one. */
static void send_some(int socket, int fd, unsigned int nr)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(8 * sizeof(fd))];
	} control = { .room = { 0 } };
	struct iovec data = { .iov_base = &(char){ 0 }, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = nr ? &control : NULL,
		.msg_controllen = nr ? CMSG_SPACE(nr * sizeof(fd)) : 0,
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	if (header) {
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(nr * sizeof(fd));
		while (nr)
			memcpy(CMSG_DATA(header) + --nr * sizeof(fd), &fd, sizeof(fd));
	}
	EXPECT(sendmsg(socket, &message, 0) == 1);
}

static void descriptors_travel(int type)
{
	int ends[2], fd = open("/dev/zero", O_RDWR | O_CLOEXEC), other;
	struct stat sent, received;

	EXPECT(!socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends));
	EXPECT(!tmm_fd_send(ends[0], fd));
	EXPECT(!tmm_fd_send(ends[0], ends[1]));
	other = tmm_fd_receive(ends[1]);
	EXPECT(other >= 0 && other != fd && fcntl(other, F_GETFD) == FD_CLOEXEC);
	EXPECT(!fstat(fd, &sent) && !fstat(other, &received));
	EXPECT(sent.st_rdev == received.st_rdev);
	close(other);
	other = tmm_fd_receive(ends[1]);
	EXPECT(!fstat(other, &received) && S_ISSOCK(received.st_mode));
	close(other);

	/* receive through a socket with SO_PASSCRED */
	EXPECT(!setsockopt(ends[1], SOL_SOCKET, SO_PASSCRED, &(int){ 1 }, sizeof(int)));
	EXPECT(!tmm_fd_send(ends[0], fd));
	other = tmm_fd_receive(ends[1]);
	EXPECT(is_open(other));
	close(other);
	close(ends[0]);
	close(ends[1]);
	close(fd);
}

/* After each message, no unexpected descriptor is open. */
static void odd_messages_are_refused(void)
{
	const unsigned int numbers[] = { 0, 2, 3, 8 };
	struct rlimit limit, none;
	int ends[2], free_before;
	unsigned int i;

	EXPECT(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
	EXPECT_REFUSED(EBADF, tmm_fd_send(ends[0], -1));
	EXPECT_REFUSED(EBADF, tmm_fd_send(-1, ends[0]));
	EXPECT_REFUSED(EBADF, tmm_fd_receive(-1) == -1);
	free_before = lowest_free();
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		send_some(ends[0], ends[0], numbers[i]);
		EXPECT_REFUSED(EBADMSG, tmm_fd_receive(ends[1]) == -1);
		EXPECT(lowest_free() == free_before);
	}
	EXPECT(!tmm_fd_send(ends[0], ends[0]));
	EXPECT(!getrlimit(RLIMIT_NOFILE, &limit));
	none = limit;
	none.rlim_cur = (rlim_t)free_before;
	EXPECT(!setrlimit(RLIMIT_NOFILE, &none));
	EXPECT_REFUSED(EMFILE, tmm_fd_receive(ends[1]) == -1);
	EXPECT(!setrlimit(RLIMIT_NOFILE, &limit));
	close(ends[0]);
	EXPECT_REFUSED(ECONNRESET, tmm_fd_receive(ends[1]) == -1);
	/* the call raises no signal, which would end this program */
	EXPECT_REFUSED(EPIPE, tmm_fd_send(ends[1], ends[1]));
	close(ends[1]);
}

void test_transfers(void)
{
	export_and_import_move();
	descriptors_can_be_less();
	descriptors_are_asked();
	share_says_which();
	descriptors_travel(SOCK_STREAM);
	descriptors_travel(SOCK_SEQPACKET);
	odd_messages_are_refused();
}
