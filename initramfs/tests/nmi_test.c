// SPDX-License-Identifier: GPL-2.0
/*
 * NMIs hit CPUs in windows: Linux prints the stack of each CPU from an NMI, as it does when an
 * administrator asks for that with sysrq-l.
 */
/* Machine: modes: the stacks of all CPUs fill the log. */
#include "text.h"
#include "workers.h"

#include <sys/syscall.h>

#define PROBE		"theseus_mm_nmi_probe"
#define PROBE_FILE	"/lib/modules/" PROBE ".ko"
#define NR_OTHERS	"/sys/module/" PROBE "/parameters/nr_others"
#define MIN_REQUESTS	40
#define MAX_REQUESTS	4000
#define MIN_HITS	10

/* Return: the NMIs of all CPUs that Linux has counted */
static unsigned long nr_nmis(void)
{
	char *text = text_of("/proc/interrupts"), *at = text ? strstr(text, "NMI:") : NULL, *end;
	unsigned long sum = 0, nr;

	for (at += at ? 4 : 0; at; at = end) {
		nr = strtoul(at, &end, 10);
		if (end == at)
			break;
		sum += nr;
	}
	free(text);
	return sum;
}

/* Return: the NMIs that the probe has seen in windows */
static unsigned long nr_hits(void)
{
	char *text = text_of(NR_OTHERS);
	unsigned long nr = text ? strtoul(text, NULL, 10) : 0;

	free(text);
	return nr;
}

TEST_F_TIMEOUT(client, stacks_of_cpus_in_windows, 300)
{
	const unsigned long before = nr_nmis();
	struct workers workers;
	unsigned int i;
	int fd;

	fd = open(PROBE_FILE, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, syscall(SYS_finit_module, fd, "", 0));
	close(fd);
	ASSERT_TRUE(workers_start(&workers, sysconf(_SC_NPROCESSORS_ONLN), true));
	EXPECT_PROGRESS(&workers);
	for (i = 0; i < MAX_REQUESTS && (i < MIN_REQUESTS || nr_hits() < MIN_HITS); i++) {
		ASSERT_TRUE(text_write("/proc/sysrq-trigger", "l"));
		usleep(10000);
	}
	EXPECT_PROGRESS(&workers);
	EXPECT_WELL(&workers);
	TH_LOG("%u requests, %lu NMIs, %lu in a window", i, nr_nmis() - before, nr_hits());
	EXPECT_LE(i, nr_nmis() - before);
	/* the test proves something only if NMIs have hit windows */
	EXPECT_LE(MIN_HITS, nr_hits());
	EXPECT_EQ(0, syscall(SYS_delete_module, PROBE, O_NONBLOCK));
}

TEST_HARNESS_MAIN
