/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A crew: threads that walk at the same time, each on a CPU of its own.
 *
 * The threads work in rounds. Before a round after the first, the threads wait up to 2 ms for each
 * other, so that their steps overlap. At the end of a round, the thread that arrives last compares
 * everything while all other threads wait. So this comparison is exact, also where a count under
 * one lock would miss what is just between an allocator and its caller.
 */
#ifndef TMM_KUNIT_CREW_H
#define TMM_KUNIT_CREW_H

#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/wait.h>

#define CREW_MAX 4

/**
 * struct crew - the threads and what they do
 * @test: the case; a bug that the module reports in a thread of the crew fails this case
 * @work: what each thread does; @index is 0 for the first thread
 * @check: compares everything, and returns false to end the walk
 * @context: passed to @check
 * @max_rounds: number of rounds
 * @nr: private: number of threads
 * @nr_working: private: threads that have not ended their work
 * @nr_arrived: private: threads that have ended the round
 * @nr_ready: private: threads that have begun a round, over all rounds
 * @nr_rounds: private: finished rounds
 * @is_over: private: set by the last round
 * @wait: private: the threads that have ended the round
 * @done: private: all threads have ended their work
 */
struct crew {
	struct kunit *test;
	void (*work)(struct crew *crew, unsigned int index);
	bool (*check)(void *context);
	void *context;
	unsigned int max_rounds;
	unsigned int nr;
	atomic_t nr_working;
	atomic_t nr_arrived;
	atomic_t nr_ready;
	unsigned int nr_rounds;
	bool is_over;
	wait_queue_head_t wait;
	struct completion done;
};

/* The number of online CPUs, CREW_MAX at most. Skips the case if there is one CPU only. */
unsigned int crew_size(struct kunit *test);

/* Starts @nr threads, and returns when all of them have ended. */
void crew_run(struct crew *crew, unsigned int nr);

/* Ends a round, and waits for the next one. Returns false if there is no next round. */
bool crew_meet(struct crew *crew);

#endif /* TMM_KUNIT_CREW_H */
