// SPDX-License-Identifier: GPL-2.0
/* Before Linux 6.15: the module refuses struct_pages=1 since then. */
/* Debug kernel: KASAN and lockdep find races. */
/* Races: pins beside revocations. */
/*
 * Pinning against revocation and reuse (the module is loaded with struct_pages=1):
 * I/O never holds what another client has written.
 *
 *	pinner	pins a page of the area, waits, checks the page's content
 *	owner	lends a mapping that says OURS, revokes and drops it
 *	thief	takes frames as they become free, and writes THEIRS
 */
#include "area.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/uio.h>

#define NR	16
#define SIZE	(NR * PAGE)
#define OURS	0x55
#define THEIRS	0xaa
#define SECONDS	10

static struct {
	unsigned char *volatile area;
	volatile bool is_over;
	int pipe[2];
	unsigned long nr_pinned, nr_refused, nr_wrong, nr_thefts;
} race;

static void *pinner(void *unused)
{
	static unsigned char page[PAGE];
	struct iovec part = { NULL, PAGE };
	unsigned int i = 0, j;

	while (!race.is_over) {
		part.iov_base = race.area + i++ % NR * PAGE;
		if (vmsplice(race.pipe[1], &part, 1, SPLICE_F_NONBLOCK) != PAGE) {
			race.nr_refused++;
			continue;
		}
		race.nr_pinned++;
		if (i % 4 == 0)
			usleep(2000);
		if (read(race.pipe[0], page, PAGE) != PAGE)
			race.nr_wrong++;
		for (j = 0; j < PAGE; j++)
			race.nr_wrong += page[j] != OURS;
	}
	return unused;
}

static void *thief(void *unused)
{
	static unsigned char loot[SIZE];
	struct theseus_mm_create_mapping mapping;
	int fd = uapi_open(NULL);

	memset(loot, THEIRS, SIZE);
	while (!race.is_over) {
		if (uapi_create_mapping(fd, SIZE, THESEUS_MM_PTE_DATA, &mapping))
			continue;
		if (!uapi_write(fd, mapping.handle, 0, loot, SIZE))
			race.nr_thefts++;
		uapi_drop(fd, mapping.handle);
	}
	close(fd);
	return unused;
}

/* Return: the area, at the same address each time */
static unsigned char *lend(int fd, unsigned char *at, __u32 *handle)
{
	static unsigned char content[SIZE];
	struct theseus_mm_create_mapping mapping;
	__u64 offset;

	memset(content, OURS, SIZE);
	if (uapi_create_mapping(fd, SIZE, THESEUS_MM_PTE_DATA, &mapping) ||
	    uapi_write(fd, mapping.handle, 0, content, SIZE) ||
	    uapi_map_offset(fd, mapping.handle, &offset, NULL))
		return MAP_FAILED;
	*handle = mapping.handle;
	return mmap(at, SIZE, RW, MAP_SHARED | (at ? MAP_FIXED : 0), fd, offset);
}

static bool has_all_happened(void)
{
	return race.nr_pinned && race.nr_refused && race.nr_thefts;
}

TEST_F_TIMEOUT(client, nobody_holds_what_is_somebody_elses, 120)
{
	struct timespec start;
	pthread_t threads[2];
	unsigned char *area;
	__u32 handle;
	int i;

	if (!(self->start.features & THESEUS_MM_FEATURE_STRUCT_PAGES))
		SKIP(return, "the module is not loaded with struct_pages=1");
	ASSERT_EQ(0, pipe(race.pipe));
	area = lend(self->fd, NULL, &handle);
	ASSERT_NE((unsigned char *)MAP_FAILED, area);
	race.area = area;
	ASSERT_EQ(0, pthread_create(&threads[0], NULL, pinner, NULL));
	ASSERT_EQ(0, pthread_create(&threads[1], NULL, thief, NULL));
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (i = 0; race_goes_on(&start, SECONDS, has_all_happened()); i++) {
		usleep(i % 8 * 1000);
		EXPECT_EQ(0, uapi_revoke(self->fd, handle, NULL));
		EXPECT_EQ(0, uapi_drop(self->fd, handle));
		if (i % 2)
			usleep(i % 16 * 500);
		if (lend(self->fd, area, &handle) != area)
			break;
	}
	EXPECT_FALSE(race_goes_on(&start, SECONDS, true));
	race.is_over = true;
	EXPECT_EQ(0, pthread_join(threads[0], NULL));
	EXPECT_EQ(0, pthread_join(threads[1], NULL));
	EXPECT_EQ(0, munmap(area, SIZE));
	close(race.pipe[0]);
	close(race.pipe[1]);
	TH_LOG("%d rounds: %lu pinned, %lu refused, %lu thefts", i, race.nr_pinned,
	       race.nr_refused, race.nr_thefts);
	EXPECT_EQ(0, race.nr_wrong);
	EXPECT_LT(0, race.nr_pinned);
	EXPECT_LT(0, race.nr_refused);
	EXPECT_LT(0, race.nr_thefts);
	/* wait until the lingering loans have ended */
	for (i = 0; i < 2000 && INFO().nr_mappings != self->start.nr_mappings + 1; i++)
		usleep(10000);
}

TEST_HARNESS_MAIN
