// SPDX-License-Identifier: GPL-2.0
/* Stock kernel: the debug kernel's checks interrupt other CPUs now and then. */
/*
 * The module's entries are changed without interrupts to other CPUs. The test counts the interrupts
 * that CPUs send to each other, in /proc/interrupts, while a thread of the same process keeps another
 * CPU busy.
 */
#include "client.h"
#include "text.h"

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>

#define NR_OPERATIONS	100
/* Linux itself interrupts other CPUs now and then: one short round without that is enough. */
#define NR_ROUNDS	50
#define NR_AREAS	20

static int stop;

/* Set the calling thread's CPU. */
static int move_to(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	return sched_setaffinity(0, sizeof(cpus), &cpus);
}

static void *spin(void *result)
{
	*(int *)result = move_to(1);
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		;
	return NULL;
}

/* Return the sum of a line of /proc/interrupts over all CPUs, or -1 without such a line. */
static long sum_of_line(const char *text, const char *name)
{
	const char *at = strstr(text, name);
	long sum = 0, number;
	char *end;

	if (!at)
		return -1;
	for (at += strlen(name); number = strtol(at, &end, 10), end != at; at = end)
		sum += number;
	return sum;
}

/* Return the function calls and TLB flushes that CPUs have asked of each other, or -1. */
static long count_interrupts(void)
{
	char *text = text_of("/proc/interrupts");
	long calls, flushes;

	if (!text)
		return -1;
	calls = sum_of_line(text, "CAL:");
	flushes = sum_of_line(text, "TLB:");
	free(text);
	return calls < 0 || flushes < 0 ? -1 : calls + flushes;
}

static int change_mapping(int fd, __u64 nr_bytes)
{
	struct theseus_mm_create_mapping mapping;
	__u32 pages, frames, nr_frames = 1;
	int err;

	err = uapi_create_contiguous_mapping(fd, nr_bytes, THESEUS_MM_PTE_DATA, &mapping);
	err = err ?: uapi_remap(fd, mapping.handle, READ_ONLY);
	err = err ?: uapi_unmap_into_parts(fd, mapping.handle, &pages, &frames, &nr_frames);
	err = err ?: uapi_drop(fd, frames);
	err = err ?: uapi_drop(fd, pages);
	err = err ?: uapi_create_mapping(fd, nr_bytes, THESEUS_MM_PTE_DATA, &mapping);
	return err ?: uapi_drop(fd, mapping.handle);
}

/* Linux flushes an area of a process on the CPUs of all its threads. */
static int change_area(int fd, __u64 nr_bytes)
{
	char *area = mmap(NULL, nr_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			  0);

	(void)fd;
	if (area == MAP_FAILED)
		return -errno;
	*(volatile char *)area = 1;
	return munmap(area, nr_bytes) ? -errno : 0;
}

typedef int (*change_fn)(int fd, __u64 nr_bytes);

/* Return the interrupts of a round, or a negative errno. */
static long count_round(change_fn change, int fd, __u64 nr_bytes, int nr)
{
	long before = count_interrupts(), after;
	int i, err;

	for (i = 0; i < nr; i++) {
		err = change(fd, nr_bytes);
		if (err)
			return err;
	}
	after = count_interrupts();
	return before < 0 || after < 0 ? -ENOENT : after - before;
}

/* Return the fewest interrupts of a round, or a negative errno. */
static long fewest_interrupts(change_fn change, int fd, __u64 nr_bytes, int nr)
{
	long nr_now, fewest = LONG_MAX;
	int round;

	for (round = 0; round < NR_ROUNDS && fewest > 0; round++) {
		nr_now = count_round(change, fd, nr_bytes, nr);
		fewest = nr_now < fewest ? nr_now : fewest;
	}
	return fewest;
}

/* Return the interrupts of the first round that has @enough of them, or of the last round. */
static long enough_interrupts(change_fn change, int fd, __u64 nr_bytes, int nr, long enough)
{
	long nr_now = 0;
	int round;

	for (round = 0; round < NR_ROUNDS && nr_now >= 0 && nr_now < enough; round++)
		nr_now = count_round(change, fd, nr_bytes, nr);
	return nr_now;
}

FIXTURE(busy)
{
	int fd;
	struct theseus_mm_info start;
	pthread_t thread;
	int err;
};

FIXTURE_SETUP(busy)
{
	CLIENT_SETUP();
	ASSERT_LE(2, sysconf(_SC_NPROCESSORS_ONLN));
	stop = 0;
	self->err = 0;
	ASSERT_EQ(0, pthread_create(&self->thread, NULL, spin, &self->err));
	ASSERT_EQ(0, move_to(0));
}

FIXTURE_TEARDOWN(busy)
{
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	EXPECT_EQ(0, pthread_join(self->thread, NULL));
	EXPECT_EQ(0, self->err);
	CLIENT_TEARDOWN();
}

TEST_F(busy, mappings_of_one_page_interrupt_no_cpu)
{
	EXPECT_EQ(0, fewest_interrupts(change_mapping, self->fd, PAGE, NR_OPERATIONS));
}

TEST_F(busy, large_mappings_interrupt_no_cpu)
{
	EXPECT_EQ(0, fewest_interrupts(change_mapping, self->fd, 2ULL << 20, 20));
}

/*
 * This case shows that the count works: changes of areas interrupt the other CPU. Linux sends the
 * interrupts only while the thread runs on that CPU, so the case repeats rounds with too few
 * interrupts.
 */
TEST_F(busy, areas_interrupt_the_other_cpu)
{
	EXPECT_LE(NR_AREAS / 2, enough_interrupts(change_area, -1, PAGE, NR_AREAS, NR_AREAS / 2));
}

TEST_HARNESS_MAIN
