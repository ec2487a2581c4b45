// SPDX-License-Identifier: GPL-2.0
/*
 * A kernel thread fills roots while it runs on the page tables of a process that ends: a
 * kernel thread has no tables of its own and borrows those of the task that ran before it.
 * Once the process has ended and another task has run, the tables are freed, and KASAN
 * reports a thread that still reads them.
 */
#include "paging/page_table.h"

#include "support/fixture.h"
#include "support/instance_fixture.h"

#include "paging/mirror.h"

#include <asm/processor-flags.h>
#include <asm/special_insns.h>
#include <linux/cpumask.h>
#include <linux/io.h>
#include <linux/irqflags.h>
#include <linux/kthread.h>
#include <linux/pgtable.h>
#include <linux/sched.h>
#include <linux/umh.h>

#define NR_MIRROR_SLOTS (TMM_TABLE_ENTRIES - TMM_FIRST_MIRROR_SLOT)

/* The state that the case and its thread share. */
struct filler {
	struct tmm_page_table *pt;
	u64 kernel_half[NR_MIRROR_SLOTS];	/* Linux's entries, the same for all processes */
	u64 nr_filled;				/* how often the thread has filled @pt */
	u64 nr_switched;			/* fills after which the thread had other tables */
	u64 nr_wrong;				/* entries of @pt that differed from Linux's */
};

static void learn_kernel_half(struct filler *filler)
{
	unsigned long flags;
	const u64 *live;

	local_irq_save(flags);
	live = phys_to_virt(__read_cr3() & CR3_ADDR_MASK);
	memcpy(filler->kernel_half, &live[TMM_FIRST_MIRROR_SLOT], sizeof(filler->kernel_half));
	local_irq_restore(flags);
}

/* Linux's entries do not change, but the hardware may have set ACCESSED in them. */
static u64 nr_wrong(const struct filler *filler)
{
	unsigned int i;
	u64 nr = 0;

	for (i = 0; i < NR_MIRROR_SLOTS; i++) {
		u64 differ = filler->kernel_half[i] ^ filler->pt->top[TMM_FIRST_MIRROR_SLOT + i];

		nr += filler->kernel_half[i] && (differ & ~(_PAGE_ACCESSED | _PAGE_DIRTY));
	}
	return nr;
}

static int fill_the_root(void *context)
{
	struct filler *filler = context;
	struct tmm_page_table *pt = filler->pt;

	while (!kthread_should_stop()) {
		const struct mm_struct *borrowed = current->active_mm;

		pt->nr_mirror_gaps = 0;
		tmm_mirror_init(pt);
		filler->nr_switched += current->active_mm != borrowed;
		filler->nr_wrong += nr_wrong(filler);
		filler->nr_filled++;
	}
	return 0;
}

/* As soon as one of the processes can run, it runs instead of the thread. */
static int run_before_the_filler(struct subprocess_info *info, struct cred *new)
{
	sched_set_fifo(current);
	return set_cpus_allowed_ptr(current, cpumask_of(cpumask_last(cpu_online_mask)));
}

/*
 * The shell starts two background processes. The second one goes to sleep last, so the thread
 * borrows its tables. That process wakes first, perhaps while the thread reads the tables, and
 * ends. Then the shell runs, and waits for the other process, so that the thread runs again.
 */
static int run_processes(void)
{
	static char script[] =
		"i=0; while [ $i -lt 40 ]; do sleep 0.3 & sleep 0.01 & wait; i=$((i + 1)); done";
	char *argv[4] = { "/bin/sh", "-c", script, NULL };
	char *envp[2] = { "PATH=/bin", NULL };
	struct subprocess_info *info;

	info = call_usermodehelper_setup(argv[0], argv, envp, GFP_KERNEL, run_before_the_filler,
					 NULL, NULL);
	return info ? call_usermodehelper_exec(info, UMH_WAIT_PROC) : -ENOMEM;
}

static void root_filled_on_tables_of_a_process_that_ends(struct kunit *test)
{
	struct filler *filler = tmm_test_kvzalloc(test, sizeof(*filler));
	struct task_struct *task;
	int err;

	tmm_test_need_second_cpu(test);
	filler->pt = tmm_page_table_create(&tmm_test_inst(test)->fa);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, filler->pt);
	learn_kernel_half(filler);
	task = tmm_test_thread_start(test, fill_the_root, filler);
	err = run_processes();
	kthread_stop(task);
	tmm_page_table_put(filler->pt);
	KUNIT_EXPECT_EQ(test, err, 0);
	kunit_info(test, "filled %llu times, %llu on other tables afterwards\n",
		   filler->nr_filled, filler->nr_switched);
	KUNIT_EXPECT_GT(test, filler->nr_switched, 0);
	KUNIT_EXPECT_EQ(test, filler->nr_wrong, 0);
}

static struct kunit_case root_race_cases[] = {
	KUNIT_CASE(root_filled_on_tables_of_a_process_that_ends),
	{}
};

static struct kunit_suite root_race_suite = {
	.name = "theseus_mm_root_race",
	.init = tmm_test_instance_init,
	.exit = tmm_test_instance_exit,
	.test_cases = root_race_cases,
};

kunit_test_suite(root_race_suite);
