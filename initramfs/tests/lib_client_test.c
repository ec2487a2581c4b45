// SPDX-License-Identifier: GPL-2.0
/*
 * Clients of libtmm: open, count, limit, wait and close.
 */
#include "library.h"
#include "limits.h"

#include <fcntl.h>
#include <sys/time.h>

#define NR	8

/* Return: the number that the next descriptor gets */
static int next_fd(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

TEST_F(library, open_makes_a_client)
{
	struct tmm_client *client = tmm_client_open(TMM_DEVICE);
	int fd = tmm_client_fd(client);

	ASSERT_NE(NULL, client);
	EXPECT_EQ(self->start.nr_clients + 1, INFO().nr_clients);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_EQ(O_RDWR, fcntl(fd, F_GETFL) & O_ACCMODE);
	tmm_client_close(&client);
	EXPECT_EQ(NULL, client);
	EXPECT_EQ(-1, fcntl(fd, F_GETFD));
	EXPECT_ALL_BACK();
}

TEST_F(library, open_refuses_other_files)
{
	int next = next_fd();

	EXPECT_NONE(ENOENT, tmm_client_open("/nonexistent"));
	EXPECT_NONE(ENOTTY, tmm_client_open("/dev/null"));
	EXPECT_EQ(next, next_fd());
}

TEST_F(library, from_fd_takes_a_descriptor_over)
{
	int fd = uapi_open(NULL), number = fd;
	struct tmm_client *client;

	ASSERT_LE(0, fd);
	client = tmm_client_from_fd(&fd);
	ASSERT_NE(NULL, client);
	EXPECT_EQ(-1, fd);
	EXPECT_EQ(number, tmm_client_fd(client));
	tmm_client_close(&client);
	EXPECT_EQ(-1, fcntl(number, F_GETFD));
}

TEST_F(library, from_fd_leaves_what_it_refuses)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC), number = fd;

	EXPECT_NONE(ENOTTY, tmm_client_from_fd(&fd));
	EXPECT_EQ(number, fd);
	EXPECT_EQ(0, close(fd));
	EXPECT_NONE(EBADF, tmm_client_from_fd(&fd));
}

TEST_F(library, fd_is_none_once_the_client_is_closed)
{
	struct tmm_mapping *mapping = OWN_MAPPING(1);
	struct tmm_client *none = NULL;

	EXPECT_EQ(-1, tmm_client_fd(NULL));
	tmm_client_close(&none);
	tmm_client_close(&self->client);
	EXPECT_EQ(-1, tmm_client_fd(self->client));
	tmm_client_close(&self->client);
	EXPECT_EQ(0, tmm_mapping_drop(&mapping));
}

TEST_F(library, close_gives_all_back_and_leaves_objects_to_drop)
{
	struct tmm_mapping *mapping = OWN_MAPPING(NR);
	struct tmm_frames *frames = OWN_FRAMES(NR);
	char byte = 'x';

	tmm_client_close(&self->client);
	self->fd = uapi_open(NULL);
	ASSERT_LE(0, self->fd);
	EXPECT_ALL_BACK();
	EXPECT_FAILS(EBADF, tmm_mapping_read(mapping, 0, &byte, 1));
	EXPECT_EQ('x', byte);
	EXPECT_FAILS(EBADF, tmm_frames_split(&frames, PAGE, &frames, &frames));
	EXPECT_EQ(NR * PAGE, tmm_frames_size(frames));
	EXPECT_EQ(0, tmm_mapping_drop(&mapping));
	EXPECT_EQ(NULL, mapping);
	EXPECT_EQ(0, tmm_frames_drop(&frames));
	EXPECT_EQ(NULL, frames);
	close(self->fd);
}

#define EXPECT_SAME(field)	EXPECT_EQ(raw.field, info.field)

TEST_F(library, info_says_what_the_kernel_says)
{
	struct theseus_mm_info raw;
	struct tmm_info info;

	OWN_MAPPING(NR);
	OWN_PAGES(1);
	ASSERT_EQ(0, tmm_client_info(self->client, &info));
	raw = INFO();
	EXPECT_SAME(abi);
	EXPECT_SAME(nr_regions);
	EXPECT_SAME(features);
	EXPECT_SAME(region_bytes);
	EXPECT_SAME(frames_total);
	EXPECT_SAME(frames_free);
	EXPECT_SAME(frames_ranges);
	EXPECT_SAME(frames_largest[0]);
	EXPECT_SAME(frames_largest[1]);
	EXPECT_SAME(frames_largest[2]);
	EXPECT_SAME(pages_start);
	EXPECT_SAME(pages_total);
	EXPECT_SAME(pages_free);
	EXPECT_SAME(nr_mappings);
	EXPECT_SAME(nr_tables);
	EXPECT_SAME(paging_levels);
	EXPECT_SAME(client_handles);
	EXPECT_SAME(client_handles_max);
	EXPECT_SAME(client_id);
	EXPECT_SAME(client_frames);
	EXPECT_SAME(nr_clients);
	EXPECT_SAME(frames_bad);
	EXPECT_EQ(2, info.client_handles);
	EXPECT_EQ(NR, info.client_frames);
	EXPECT_EQ(self->start.nr_mappings + 1, info.nr_mappings);
	EXPECT_EQ(self->start.pages_free - NR - 1, info.pages_free);
}

TEST_F(library, info_of_no_client_is_refused)
{
	struct tmm_info info = { .abi = 77 };

	EXPECT_FAILS(EBADF, tmm_client_info(NULL, &info));
	EXPECT_EQ(77, info.abi);
}

#define LIMITS()									\
	({										\
		struct tmm_limits _limits;						\
											\
		ASSERT_EQ(0, tmm_client_limits(self->client, &_limits));		\
		_limits;								\
	})

TEST_F(library, limits_count_what_is_owned)
{
	struct tmm_limits before = LIMITS(), info;
	struct theseus_mm_limits raw;

	OWN_PAGES(3);
	OWN_FRAMES(5);
	info = LIMITS();
	ASSERT_EQ(0, uapi_get_limits(self->fd, &raw));
	EXPECT_SAME(client_frames_max);
	EXPECT_SAME(client_pages_max);
	EXPECT_SAME(client_handles_max);
	EXPECT_SAME(user_frames_max);
	EXPECT_SAME(user_pages_max);
	EXPECT_SAME(user_handles_max);
	EXPECT_EQ(0, before.client_frames);
	EXPECT_EQ(5, info.client_frames);
	EXPECT_EQ(3, info.client_pages);
	EXPECT_EQ(2, info.client_handles);
	EXPECT_EQ(before.user_frames + 5, info.user_frames);
	EXPECT_EQ(before.user_pages + 3, info.user_pages);
	EXPECT_EQ(before.user_handles + 2, info.user_handles);
	EXPECT_FAILS(EBADF, tmm_client_limits(NULL, &info));
	EXPECT_EQ(5, info.client_frames);
}

TEST_F(library, set_limits_sets_those_that_are_selected)
{
	struct tmm_limits before = LIMITS(), wanted = {
		.client_frames_max = 11,
		.client_pages_max = 12,
		.client_handles_max = 13,
	};

	EXPECT_EQ(0, tmm_client_set_limits(self->client, TMM_LIMIT_PAGES, &wanted));
	EXPECT_EQ(before.client_frames_max, LIMITS().client_frames_max);
	EXPECT_EQ(12, LIMITS().client_pages_max);
	EXPECT_EQ(before.client_handles_max, LIMITS().client_handles_max);
	EXPECT_EQ(0, tmm_client_set_limits(self->client, TMM_LIMIT_FRAMES | TMM_LIMIT_HANDLES,
					   &wanted));
	EXPECT_EQ(11, LIMITS().client_frames_max);
	EXPECT_EQ(13, LIMITS().client_handles_max);
	wanted.client_frames_max = TMM_NO_LIMIT;
	EXPECT_EQ(0, tmm_client_set_limits(self->client, TMM_LIMIT_FRAMES, &wanted));
	EXPECT_EQ(TMM_NO_LIMIT, LIMITS().client_frames_max);
	EXPECT_FAILS(EINVAL, tmm_client_set_limits(self->client, 1U << 3, &wanted));
	wanted.client_handles_max = before.client_handles_max;
	EXPECT_EQ(0, tmm_client_set_limits(self->client, TMM_LIMIT_HANDLES, &wanted));
}

TEST_F(library, a_limit_holds_and_takes_a_capability_to_raise)
{
	const struct tmm_allocate_options frames = { .nr_pages = 1 };
	struct tmm_limits wanted = { .client_frames_max = 4 };

	OWN_FRAMES(4);
	EXPECT_EQ(0, tmm_client_set_limits(self->client, TMM_LIMIT_FRAMES, &wanted));
	EXPECT_NONE(EDQUOT, tmm_frames_allocate(self->client, &frames));
	ASSERT_EQ(0, set_capability(CAP_SYS_RESOURCE, false));
	wanted.client_frames_max = 5;
	EXPECT_FAILS(EPERM, tmm_client_set_limits(self->client, TMM_LIMIT_FRAMES, &wanted));
	EXPECT_EQ(4, LIMITS().client_frames_max);
	ASSERT_EQ(0, set_capability(CAP_SYS_RESOURCE, true));
	EXPECT_EQ(0, tmm_client_set_limits(self->client, TMM_LIMIT_FRAMES, &wanted));
	OWN_FRAMES(1);
}

TEST_F(library, wait_lasts_until_something_came_back)
{
	struct tmm_limits wanted = { .client_frames_max = 4 };
	struct tmm_frames *frames = OWN_FRAMES(4);

	EXPECT_EQ(0, tmm_client_wait(self->client, 0));
	EXPECT_EQ(0, tmm_client_set_limits(self->client, TMM_LIMIT_FRAMES, &wanted));
	EXPECT_EQ(NULL, tmm_mapping_create(self->client, PAGE, TMM_DATA, NULL));
	EXPECT_FAILS(ETIMEDOUT, tmm_client_wait(self->client, 0));
	EXPECT_FAILS(ETIMEDOUT, tmm_client_wait(self->client, 20));
	EXPECT_EQ(0, tmm_frames_drop(&frames));
	EXPECT_EQ(0, tmm_client_wait(self->client, -1));
}

static void ignore_signal(int signal_number)
{
	(void)signal_number;
}

TEST_F(library, wait_ends_with_a_signal_and_not_with_a_closed_client)
{
	const struct itimerval soon = { .it_value.tv_usec = 50000, .it_interval.tv_usec = 50000 };
	const struct sigaction action = { .sa_handler = ignore_signal };
	struct tmm_limits none = { 0 };

	EXPECT_FAILS(EBADF, tmm_client_wait(NULL, -1));
	EXPECT_EQ(0, tmm_client_set_limits(self->client, TMM_LIMIT_HANDLES, &none));
	EXPECT_EQ(NULL, tmm_mapping_create(self->client, PAGE, TMM_DATA, NULL));
	EXPECT_EQ(EDQUOT, errno);
	sigaction(SIGALRM, &action, NULL);
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &soon, NULL));
	errno = 0;
	EXPECT_EQ(-1, tmm_client_wait(self->client, -1));
	EXPECT_EQ(EINTR, errno);
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL));
}

TEST_HARNESS_MAIN
