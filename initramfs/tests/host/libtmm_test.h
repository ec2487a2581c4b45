/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The library's host-side tests share these declarations: the counted checks, a kernel that is a
 * function of the tests (linked with --wrap=ioctl,--wrap=calloc), and the functions that run the
 * tests.
 */
#ifndef HOST_LIBTMM_TEST_H
#define HOST_LIBTMM_TEST_H

#include <tmm.h>

#include <linux/theseus_mm.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern int nr_checks, nr_failed;

#define EXPECT(is_true)									\
	do {										\
		nr_checks++;								\
		if (!(is_true)) {							\
			nr_failed++;							\
			fprintf(stderr, "%s:%d: %s: not so (errno %s)\n", __FILE__,	\
				__LINE__, #is_true, strerrorname_np(errno));		\
		}									\
	} while (0)

/* Check that @is_failure is true, and that errno is @error. */
#define EXPECT_REFUSED(error, is_failure)						\
	do {										\
		errno = 0;								\
		EXPECT((is_failure) && errno == (error));				\
	} while (0)

/* --- the kernel: libtmm_kernel.c ------------------------------------------------------- */

/**
 * struct libtmm_fake - a fake kernel whose calls succeed
 * @error: if set, all calls but GET_INFO fail with this error
 * @nr_calls: number of calls so far
 * @last: the last call and its argument
 * @handle: the last handle that was returned
 * @nr_runs: number of runs of frames of every mapping
 * @nr_races: how many of the next calls lose a race: UNMAP then finds a run more than QUERY
 *            returned, and GET_CLIENTS finds more clients than before
 * @nr_clients: number of clients that GET_CLIENTS returns
 * @bad_item: the item of a batch that fails with EBUSY, from 1 on; 0 for none
 * @is_real: make calls to the real kernel
 */
struct libtmm_fake {
	int error;
	int nr_calls;
	unsigned long last;
	union {
		struct theseus_mm_allocate allocate;
		struct theseus_mm_create_mapping create;
		struct theseus_mm_access access;
		struct theseus_mm_query query;
		struct theseus_mm_share share;
		struct theseus_mm_export export;
		struct theseus_mm_import import;
		struct theseus_mm_take_back take_back;
		struct theseus_mm_limits limits;
		struct theseus_mm_batch batch;
		struct theseus_mm_device_region device_region;
		struct theseus_mm_map_range map_range;
		char bytes[256];
	} argument;
	__u32 handle;
	__u32 nr_runs;
	int nr_races;
	__u32 nr_clients;
	__u32 bad_item;
	bool is_real;
};

extern struct libtmm_fake fake;

#define NR_FAKE_HANDLES	150
#define NR_FAKE_EXPORTS	3

/* The @no_memory_at-th allocation from now on fails; 0 means none. */
extern int no_memory_at;

/* --- the tests ------------------------------------------------------------------------- */

static inline struct tmm_client *new_client(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC), taken = fd;
	struct tmm_client *client = tmm_client_from_fd(&taken);

	EXPECT(client && taken == -1 && tmm_client_fd(client) == fd);
	return client;
}

static inline struct tmm_mapping *new_mapping(struct tmm_client *client)
{
	struct tmm_mapping *mapping = tmm_mapping_create(client, 4 * TMM_PAGE_SIZE, TMM_DATA, NULL);

	EXPECT(tmm_mapping_size(mapping) == 4 * TMM_PAGE_SIZE);
	return mapping;
}

/* libtmm_transfer_test.c, libtmm_batch_test.c, libtmm_query_test.c */
void test_transfers(void);
void test_batches(void);
void test_queries(void);

#endif /* HOST_LIBTMM_TEST_H */
