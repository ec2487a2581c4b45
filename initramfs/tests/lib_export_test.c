// SPDX-License-Identifier: GPL-2.0
/*
 * Handing over with libtmm: export mappings, pass descriptors on, and import them.
 */
#include "library.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define NR	8
#define SIZE	(NR * PAGE)

#define EXPORT_OF(call)									\
	({										\
		int _export = (call);							\
											\
		ASSERT_LE(0, _export);							\
		_export;								\
	})

static const struct tmm_export_options read_only = { .is_read_only = true };
static const struct tmm_export_options unknown = { .reserved = { 1 } };

static unsigned char *mmap_export(int export, int protection)
{
	return mmap(NULL, SIZE, protection, MAP_SHARED, export, 0);
}

TEST_F(library, export_makes_a_descriptor_the_owner)
{
	struct tmm_mapping *mapping = OWN_FILLED(NR);
	unsigned char *area;
	struct stat status;
	int export;

	area = tmm_mapping_mmap(mapping, 0, PAGE, R);
	ASSERT_NE(NULL, area);
	EXPECT_FAILS(EBUSY, tmm_mapping_export(&mapping), tmm_mapping_handle(mapping));
	EXPECT_NE(NULL, mapping);
	ASSERT_EQ(0, tmm_mapping_munmap(area, PAGE));

	export = EXPORT_OF(tmm_mapping_export(&mapping));
	EXPECT_EQ(NULL, mapping);
	EXPECT_EQ(FD_CLOEXEC, fcntl(export, F_GETFD));
	ASSERT_EQ(0, fstat(export, &status));
	EXPECT_EQ(SIZE, status.st_size);
	/* until somebody imports the mapping, it counts as this client's */
	EXPECT_EQ(1, INFO().client_handles);
	EXPECT_EQ(self->start.nr_mappings + 1, INFO().nr_mappings);
	area = mmap_export(export, RW);
	ASSERT_NE((unsigned char *)MAP_FAILED, area);
	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	ASSERT_EQ(0, munmap(area, SIZE));
	EXPECT_FAILS(ENOENT, tmm_mapping_export(&mapping));
	close(export);
	EXPECT_ALL_BACK();
}

TEST_F(library, import_makes_a_client_the_owner)
{
	struct tmm_client *receiver = tmm_client_open(NULL);
	struct tmm_mapping *mapping = OWN_FILLED(NR);
	const __u64 vaddr = tmm_mapping_address(mapping);
	int export = EXPORT_OF(tmm_mapping_export(&mapping)), number = export, copy = dup(export);

	ASSERT_NE(NULL, receiver);
	mapping = OWN(mapping, tmm_mapping_import(receiver, &export));
	EXPECT_EQ(-1, export);
	EXPECT_EQ(-1, fcntl(number, F_GETFD));
	EXPECT_EQ(vaddr, tmm_mapping_address(mapping));
	EXPECT_EQ(SIZE, tmm_mapping_size(mapping));
	EXPECT_EQ(SIZE, nr_alike_in(mapping, 0, SIZE));
	EXPECT_EQ(0, tmm_mapping_write(mapping, 0, "x", 1));
	number = copy;
	EXPECT_NONE(ESTALE, tmm_mapping_import(self->client, &copy));
	EXPECT_EQ(number, copy);
	close(copy);
	copy = open("/dev/null", O_RDWR | O_CLOEXEC);
	EXPECT_NONE(EINVAL, tmm_mapping_import(self->client, &copy));
	close(copy);
	EXPECT_NONE(EBADF, tmm_mapping_import(self->client, &copy));
	tmm_client_close(&receiver);
	EXPECT_EQ(0, tmm_mapping_drop(&mapping));
	EXPECT_ALL_BACK();
}

TEST_F(library, export_as_takes_rights_away)
{
	struct tmm_mapping *mapping = OWN_FILLED(NR);
	struct tmm_mapping_info info;
	__u32 export_id = 0;
	int export;

	EXPECT_FAILS(EINVAL, tmm_mapping_export_as(&mapping, &unknown, &export_id),
		     tmm_mapping_handle(mapping));
	EXPECT_EQ(0, export_id);
	EXPECT_NE(NULL, mapping);
	export = EXPORT_OF(tmm_mapping_export_as(&mapping, &read_only, &export_id));
	EXPECT_EQ(NULL, mapping);
	EXPECT_NE(0, export_id);
	ASSERT_EQ(0, tmm_fd_query(export, &info));
	EXPECT_TRUE(info.is_read_only);
	EXPECT_ERRNO(EACCES, mmap_export(export, RW));
	mapping = OWN(mapping, tmm_mapping_import(self->client, &export));
	EXPECT_FAILS(EACCES, tmm_mapping_write(mapping, 0, "x", 1), tmm_mapping_handle(mapping));
	EXPECT_FAILS(EACCES, tmm_mapping_remap(mapping, TMM_DATA), tmm_mapping_handle(mapping));
	EXPECT_EQ(SIZE, nr_alike_in(mapping, 0, SIZE));
	/* without options, the call is a plain export */
	export = EXPORT_OF(tmm_mapping_export_as(&mapping, NULL, NULL));
	ASSERT_EQ(0, tmm_fd_query(export, &info));
	EXPECT_EQ(SIZE, info.nr_bytes);
	close(export);
}

TEST_F(library, take_back_ends_an_export)
{
	struct tmm_mapping *mapping = OWN_FILLED(NR);
	const __u64 vaddr = tmm_mapping_address(mapping);
	struct tmm_mapping_info info;
	unsigned char *area, byte;
	__u32 export_id;
	int export;

	export = EXPORT_OF(tmm_mapping_export_as(&mapping, NULL, &export_id));
	area = mmap_export(export, RW);
	ASSERT_NE((unsigned char *)MAP_FAILED, area);
	EXPECT_NONE(ESTALE, tmm_mapping_take_back(self->client, export_id + 1));
	mapping = OWN(mapping, tmm_mapping_take_back(self->client, export_id));
	EXPECT_EQ(vaddr, tmm_mapping_address(mapping));
	EXPECT_EQ(SIZE, tmm_mapping_size(mapping));
	EXPECT_EQ(SIZE, nr_alike_in(mapping, 0, SIZE));
	EXPECT_EQ(SIGBUS, load(area, &byte));
	EXPECT_FAILS(ESTALE, tmm_fd_query(export, &info));
	EXPECT_NONE(ESTALE, tmm_mapping_take_back(self->client, export_id));
	EXPECT_NONE(EBADF, tmm_mapping_take_back(NULL, export_id));
	ASSERT_EQ(0, munmap(area, SIZE));
	close(export);
}

TEST_F(library, lend_leaves_the_mapping_with_its_client)
{
	struct tmm_mapping *mapping = OWN_FILLED(NR), *none = NULL;
	unsigned char *area, byte;
	int lent, number;

	EXPECT_FAILS(EINVAL, tmm_mapping_lend(mapping, &unknown));
	EXPECT_FAILS(ENOENT, tmm_mapping_lend(none, NULL));
	lent = EXPORT_OF(tmm_mapping_lend(mapping, &read_only));
	EXPECT_ERRNO(EACCES, mmap_export(lent, RW));
	close(lent);
	lent = EXPORT_OF(tmm_mapping_lend(mapping, NULL));
	number = lent;
	EXPECT_EQ(0, tmm_mapping_write(mapping, 0, "", 1));
	area = mmap_export(lent, RW);
	ASSERT_NE((unsigned char *)MAP_FAILED, area);
	EXPECT_EQ(SIZE - 1, nr_alike(area + 1, 1, SIZE - 1));
	EXPECT_FAILS(EBUSY, tmm_mapping_write(mapping, 0, "x", 1));
	EXPECT_NONE(EACCES, tmm_mapping_import(self->client, &lent));
	EXPECT_EQ(number, lent);
	EXPECT_EQ(0, tmm_mapping_revoke(mapping, NULL));
	EXPECT_EQ(SIGBUS, load(area, &byte));
	EXPECT_ERRNO(ESTALE, mmap_export(lent, R));
	ASSERT_EQ(0, munmap(area, SIZE));
	close(lent);
}

/*
 * The module is loaded without struct pages here; dmabuf_test.c tests dma-bufs with struct pages.
 */
TEST_F(library, export_dmabuf_takes_struct_pages)
{
	struct tmm_mapping *mapping = OWN_FILLED(NR);

	if (self->start.features & THESEUS_MM_FEATURE_DMABUF)
		SKIP(return, "the module is loaded with struct_pages=1");
	EXPECT_FAILS(EOPNOTSUPP, tmm_mapping_export_dmabuf(mapping), tmm_mapping_handle(mapping));
}

TEST_F(library, fd_query_tells_what_a_descriptor_holds)
{
	struct tmm_mapping *mapping = OWN_FILLED(NR);
	const __u64 vaddr = tmm_mapping_address(mapping);
	struct tmm_mapping_info info = { 0 };
	int lent = EXPORT_OF(tmm_mapping_lend(mapping, NULL)), export, other;

	ASSERT_EQ(0, tmm_fd_query(lent, &info));
	EXPECT_TRUE(info.is_lent);
	EXPECT_EQ(vaddr, info.address);
	export = EXPORT_OF(tmm_mapping_export(&mapping));
	EXPECT_FAILS(ESTALE, tmm_fd_query(lent, &info));
	EXPECT_TRUE(info.is_lent);
	ASSERT_EQ(0, tmm_fd_query(export, &info));
	EXPECT_FALSE(info.is_lent);
	EXPECT_FALSE(info.is_read_only);
	EXPECT_EQ(TMM_DATA, info.flags);
	EXPECT_EQ(0, info.nr_borrows);
	EXPECT_EQ(vaddr, info.address);
	EXPECT_EQ(SIZE, info.nr_bytes);
	other = open("/dev/null", O_RDWR | O_CLOEXEC);
	EXPECT_FAILS(ENOTTY, tmm_fd_query(other, &info));
	EXPECT_FAILS(EBADF, tmm_fd_query(-1, &info));
	close(other);
	close(export);
	close(lent);
}

TEST_F(library, fd_revoke_ends_the_windows_of_a_descriptor)
{
	struct tmm_revocation revocation = { .nr_pinned = 77 };
	struct tmm_mapping *mapping = OWN_FILLED(NR);
	int export = EXPORT_OF(tmm_mapping_export(&mapping)), copy = dup(export);
	unsigned char *area = mmap_export(export, R), byte;

	ASSERT_NE((unsigned char *)MAP_FAILED, area);
	ASSERT_EQ(0, tmm_fd_revoke(export, &revocation));
	EXPECT_EQ(1, revocation.nr_revoked);
	EXPECT_EQ(0, revocation.nr_pinned);
	EXPECT_EQ(SIGBUS, load(area, &byte));
	EXPECT_EQ(0, tmm_fd_revoke(export, NULL));
	ASSERT_EQ(0, munmap(area, SIZE));
	mapping = OWN(mapping, tmm_mapping_import(self->client, &export));
	EXPECT_FAILS(ESTALE, tmm_fd_revoke(copy, &revocation));
	EXPECT_EQ(1, revocation.nr_revoked);
	close(copy);
}

/* The child is another client, which gets the mapping, reads it, and ends. */
static int receive_mapping(int socket)
{
	struct tmm_client *client = tmm_client_open(NULL);
	int fd = tmm_fd_receive(socket), flags = fcntl(fd, F_GETFD);
	struct tmm_mapping *mapping = tmm_mapping_import(client, &fd);

	return flags == FD_CLOEXEC && nr_alike_in(mapping, 0, SIZE) == SIZE;
}

TEST_F(library, a_descriptor_travels_to_another_process)
{
	struct tmm_mapping *mapping = OWN_FILLED(NR);
	int export = EXPORT_OF(tmm_mapping_export(&mapping)), pair[2], status;
	pid_t child;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	ASSERT_EQ(0, tmm_fd_send(pair[0], export));
	EXPECT_EQ(0, close(export));
	child = fork();
	ASSERT_LE(0, child);
	if (!child)
		_exit(receive_mapping(pair[1]));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(1, WEXITSTATUS(status));
	close(pair[0]);
	close(pair[1]);
	EXPECT_ALL_BACK();
}

TEST_F(library, receive_wants_one_descriptor)
{
	int pair[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	ASSERT_EQ(1, write(pair[0], "x", 1));
	EXPECT_FAILS(EBADMSG, tmm_fd_receive(pair[1]));
	EXPECT_FAILS(EBADF, tmm_fd_send(pair[0], -1));
	close(pair[0]);
	EXPECT_FAILS(ECONNRESET, tmm_fd_receive(pair[1]));
	EXPECT_FAILS(EPIPE, tmm_fd_send(pair[1], 0));
	close(pair[1]);
	EXPECT_FAILS(EBADF, tmm_fd_receive(-1));
}

TEST_HARNESS_MAIN
