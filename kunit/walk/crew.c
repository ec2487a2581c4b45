// SPDX-License-Identifier: GPL-2.0
#include "walk/crew.h"

#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/time64.h>

/* The longest time that a thread spins: the host may have fewer CPUs than the guest. */
#define MAX_SPIN_NS (2 * NSEC_PER_MSEC)

struct member {
	struct crew *crew;
	unsigned int index;
	struct task_struct *task;
};

unsigned int crew_size(struct kunit *test)
{
	unsigned int nr = min_t(unsigned int, num_online_cpus(), CREW_MAX);

	if (nr < 2)
		kunit_skip(test, "needs a second CPU");
	return nr;
}

static int run_member(void *context)
{
	const struct member *member = context;

	current->kunit_test = member->crew->test;
	member->crew->work(member->crew, member->index);
	current->kunit_test = NULL;
	if (atomic_dec_and_test(&member->crew->nr_working))
		complete(&member->crew->done);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

/* Waits until all threads have begun the round, or for MAX_SPIN_NS. */
static void begin_together(struct crew *crew)
{
	const int all = crew->nr * crew->nr_rounds;
	const u64 end = local_clock() + MAX_SPIN_NS;

	atomic_inc(&crew->nr_ready);
	while (atomic_read(&crew->nr_ready) < all && local_clock() < end)
		cpu_relax();
}

bool crew_meet(struct crew *crew)
{
	const unsigned int round = READ_ONCE(crew->nr_rounds);

	if (atomic_inc_return(&crew->nr_arrived) == crew->nr) {
		crew->is_over = !crew->check(crew->context) || round + 1 >= crew->max_rounds;
		atomic_set(&crew->nr_arrived, 0);
		/* The other threads read what @check wrote. */
		smp_store_release(&crew->nr_rounds, round + 1);
		wake_up_all(&crew->wait);
	} else {
		/* Pairs with the release above. */
		wait_event_idle(crew->wait, smp_load_acquire(&crew->nr_rounds) != round);
	}
	if (crew->is_over)
		return false;
	begin_together(crew);
	return true;
}

/* All threads exist before the first one runs, since each waits for all others. */
void crew_run(struct crew *crew, unsigned int nr)
{
	struct member members[CREW_MAX] = {};
	unsigned int cpu = cpumask_first(cpu_online_mask);
	unsigned int i, nr_created;

	crew->nr = nr;
	atomic_set(&crew->nr_working, nr);
	init_waitqueue_head(&crew->wait);
	init_completion(&crew->done);
	for (i = 0; i < nr; i++) {
		struct member *member = &members[i];

		*member = (struct member){ crew, i };
		member->task = kthread_create(run_member, member, "tmm_walk/%u", i);
		if (IS_ERR(member->task))
			break;
		kthread_bind(member->task, cpu);
		cpu = cpumask_next(cpu, cpu_online_mask);
	}
	nr_created = i;
	for (i = 0; i < nr_created && nr_created == nr; i++)
		wake_up_process(members[i].task);
	/* kthread_stop() cancels a thread that has not run yet, so let all threads work first. */
	if (nr_created == nr)
		wait_for_completion(&crew->done);
	for (i = 0; i < nr_created; i++)
		kthread_stop(members[i].task);
	KUNIT_EXPECT_EQ(crew->test, nr_created, nr);
}
