// SPDX-License-Identifier: GPL-2.0
/*
 * CPUs go and come back while clients work: no client loses memory or sees wrong content.
 */
/* Machine: modes: other programs need all CPUs. */
#include "text.h"
#include "workers.h"

#define NR_WORKERS	6
#define SECONDS		15

static bool set_online(unsigned int cpu, bool is_online)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/online", cpu);
	return text_write(path, is_online ? "1" : "0");
}

static long nr_online(void)
{
	return sysconf(_SC_NPROCESSORS_ONLN);
}

/* One after the other, then all but the first at the same time. */
TEST_F_TIMEOUT(client, cpus_go_and_come_back, 300)
{
	const long nr = nr_online();
	struct workers workers;
	struct timespec start;
	unsigned int rounds = 0;
	long cpu;

	ASSERT_LT(1, nr);
	ASSERT_TRUE(workers_start(&workers, NR_WORKERS, false));
	EXPECT_PROGRESS(&workers);
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (; race_goes_on(&start, SECONDS, rounds >= 3); rounds++) {
		for (cpu = 1; cpu < nr; cpu++) {
			ASSERT_TRUE(set_online(cpu, false));
			EXPECT_EQ(nr - 1, nr_online());
			EXPECT_PROGRESS(&workers);
			ASSERT_TRUE(set_online(cpu, true));
		}
		for (cpu = 1; cpu < nr; cpu++)
			ASSERT_TRUE(set_online(cpu, false));
		EXPECT_EQ(1, nr_online());
		EXPECT_PROGRESS(&workers);
		for (cpu = 1; cpu < nr; cpu++)
			ASSERT_TRUE(set_online(cpu, true));
		EXPECT_EQ(nr, nr_online());
	}
	EXPECT_LE(3, rounds);
	EXPECT_PROGRESS(&workers);
	EXPECT_WELL(&workers);
	TH_LOG("each of %ld CPUs has gone %u times", nr - 1, 2 * rounds);
}

TEST_HARNESS_MAIN
