// SPDX-License-Identifier: GPL-2.0
/* Machine: cyclictest: needs the program of rt-tests, and a kernel with PREEMPT_RT. */
/*
 * cyclictest beside a storm of clients: the threads of cyclictest wake up as often as they are to,
 * and the clients go on. The latencies prove nothing under emulation, so that none is checked.
 */
#include "client.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define NR_CLIENTS	8
#define NR_THREADS	2
#define NR_LOOPS	3000
#define NR_PAGES	16

/* Make, change, mmap, touch and drop a mapping. */
static int use_mapping(int fd)
{
	struct theseus_mm_create_mapping mapping;
	struct theseus_mm_map_offset offset;
	char *area;
	int err;

	err = uapi_create_mapping(fd, NR_PAGES * PAGE, THESEUS_MM_PTE_DATA, &mapping);
	if (err)
		return err;
	offset = (struct theseus_mm_map_offset){ .handle = mapping.handle };
	err = uapi_call(fd, THESEUS_MM_IOC_MAP_OFFSET, &offset);
	if (err)
		return err;
	area = mmap(NULL, NR_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset.offset);
	if (area == MAP_FAILED)
		return -errno;
	memset(area, 1, NR_PAGES * PAGE);
	munmap(area, NR_PAGES * PAGE);
	err = uapi_remap(fd, mapping.handle, READ_ONLY);
	return err ?: uapi_drop(fd, mapping.handle);
}

/* The process of a client, which ends with the test at the latest. */
static void run_client(unsigned long *nr_done)
{
	int fd = uapi_open(NULL);

	while (fd >= 0 && !use_mapping(fd))
		__atomic_add_fetch(nr_done, 1, __ATOMIC_RELAXED);
	_exit(1);
}

/*
 * Run cyclictest. cyclictest ends all its threads when one thread has done all loops. Return the
 * number of threads that have done at least half of the loops by then, or -1.
 */
static int run_cyclictest(void)
{
	char command[128], line[256];
	const char *count;
	int nr_awake = 0;
	FILE *output;

	snprintf(command, sizeof(command), "cyclictest -q -m -t %d -p 90 -i 2000 -d 0 -l %d 2>&1",
		 NR_THREADS, NR_LOOPS);
	output = popen(command, "r");
	if (!output)
		return -1;
	while (fgets(line, sizeof(line), output)) {
		printf("# %s", line);
		fflush(stdout);
		count = strstr(line, " C:");
		if (!strncmp(line, "T:", 2) && count && atoi(count + 3) >= NR_LOOPS / 2)
			nr_awake++;
	}
	return pclose(output) ? -1 : nr_awake;
}

TEST_F_TIMEOUT(client, cyclictest_beside_a_storm_of_clients, 600)
{
	unsigned long *nr_done = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_ANONYMOUS, -1, 0), before[NR_CLIENTS];
	pid_t pids[NR_CLIENTS];
	int i, status;

	ASSERT_NE(MAP_FAILED, nr_done);
	for (i = 0; i < NR_CLIENTS; i++) {
		pids[i] = fork();
		ASSERT_LE(0, pids[i]);
		if (!pids[i])
			run_client(&nr_done[i]);
	}
	for (i = 0; i < NR_CLIENTS; i++) {
		while (!__atomic_load_n(&nr_done[i], __ATOMIC_RELAXED) &&
		       !waitpid(pids[i], &status, WNOHANG))
			usleep(1000);
		before[i] = nr_done[i];
	}
	EXPECT_EQ(NR_THREADS, run_cyclictest());
	for (i = 0; i < NR_CLIENTS; i++) {
		EXPECT_LT(before[i], __atomic_load_n(&nr_done[i], __ATOMIC_RELAXED));
		EXPECT_EQ(0, waitpid(pids[i], &status, WNOHANG));
		kill(pids[i], SIGKILL);
		waitpid(pids[i], &status, 0);
	}
	munmap(nr_done, PAGE);
}

TEST_HARNESS_MAIN
