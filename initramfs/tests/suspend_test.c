// SPDX-License-Identifier: GPL-2.0
/*
 * The machine sleeps and wakes up while clients work: memory keeps its content, and mappings, areas
 * and descriptors from before serve afterwards.
 */
/* Machine: modes: the whole machine sleeps. */
#include "text.h"
#include "workers.h"

#define ALARM		"/sys/class/rtc/rtc0/wakealarm"
#define NR_PAGES	600
#define NR_WORKERS	3

/* Return: how often Linux says that the machine has slept */
static unsigned long nr_sleeps(void)
{
	char *text = text_of("/sys/power/suspend_stats/success");
	unsigned long nr = text ? strtoul(text, NULL, 10) : 0;

	free(text);
	return nr;
}

FIXTURE(sleep)
{
	int fd;
	struct theseus_mm_info start;
};

/**
 * sleep variants - the states of sleep
 * @state: what /sys/power/state takes
 * @kind: what /sys/power/mem_sleep takes
 * @test: what /sys/power/pm_test takes: how far Linux goes before it wakes up by itself
 */
FIXTURE_VARIANT(sleep)
{
	const char *state;
	const char *kind;
	const char *test;
};

/* The memory is powered, and the CPUs are off. */
FIXTURE_VARIANT_ADD(sleep, to_ram) { .state = "mem", .kind = "deep", .test = "none" };
/* The devices sleep. The CPUs do not become idle, since the alarm of QEMU's clock would not wake them. */
FIXTURE_VARIANT_ADD(sleep, to_idle) { .state = "freeze", .kind = "s2idle", .test = "platform" };

FIXTURE_SETUP(sleep)
{
	recover_start();
	CLIENT_SETUP();
}

FIXTURE_TEARDOWN(sleep)
{
	CLIENT_TEARDOWN();
}

TEST_F_TIMEOUT(sleep, what_clients_own_survives, 300)
{
	struct theseus_mm_create_mapping lent = FILLED(NR_PAGES), sent = FILLED(NR_PAGES);
	unsigned char *area = AREA(lent.handle, RW), byte = 0;
	const unsigned long before = nr_sleeps();
	struct workers workers;
	int export;
	__u32 back;

	EXPECT_EQ(0, store(area + PAGE, 77));
	ASSERT_EQ(0, uapi_export(self->fd, sent.handle, &export));
	ASSERT_TRUE(workers_start(&workers, NR_WORKERS, false));
	EXPECT_PROGRESS(&workers);
	ASSERT_TRUE(text_write("/sys/power/mem_sleep", variant->kind));
	ASSERT_TRUE(text_write("/sys/power/pm_test", variant->test));
	ASSERT_TRUE(text_write(ALARM, "0"));
	/* on a busy machine, falling asleep takes seconds */
	ASSERT_TRUE(text_write(ALARM, "+10"));
	ASSERT_TRUE(text_write("/sys/power/state", variant->state));
	EXPECT_EQ(before + 1, nr_sleeps());

	/* the borrow is as before: a reader gets in, a writer does not */
	EXPECT_EQ(77, area[PAGE]);
	area[PAGE] = pattern(PAGE);
	EXPECT_EQ(NR_PAGES * PAGE, nr_alike(area, 0, NR_PAGES * PAGE));
	EXPECT_EQ(-EBUSY, uapi_write(self->fd, lent.handle, 0, &byte, 1));
	EXPECT_EQ(0, munmap(area, NR_PAGES * PAGE));
	EXPECT_EQ(0, uapi_write(self->fd, lent.handle, 0, &byte, 1));
	ASSERT_EQ(0, uapi_import(self->fd, export, &back));
	close(export);
	area = AREA(back, R);
	EXPECT_EQ(NR_PAGES * PAGE, nr_alike(area, 0, NR_PAGES * PAGE));
	EXPECT_EQ(0, munmap(area, NR_PAGES * PAGE));
	EXPECT_PROGRESS(&workers);
	EXPECT_WELL(&workers);
}

TEST_HARNESS_MAIN
