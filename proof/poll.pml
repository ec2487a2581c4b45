/* SPDX-License-Identifier: GPL-2.0 */
/*
 * poll() after a refusal: device/client/poll.c and alloc/waiters.[ch].
 *
 * One CPU makes a call that needs a resource. After the first refusal, the client joins the waiters and
 * makes the call again. After a further refusal, the client waits in poll(), until a call succeeds.
 * The other CPU releases the resource, and counts the release only if somebody has joined.
 *
 * Property: the waiter does not sleep for ever (Spin reports a sleep that nothing ends as an invalid
 * end state).
 */
#define NR_CPUS 2

#define FREE 0		/* the resource can be used */
#define COUNT 1		/* releases */
#define QUEUED 2	/* the waiter is in the queue */
#define LOCK 3		/* of the wait queue */
#define JOINED 4	/* somebody has joined the waiters */
#define NR_VARS 5

#define ON_COMMIT(variable, value) skip
#include "tso.pml"
#include "locks.pml"

bool is_woken;

proctype caller(byte cpu)
{
	byte before, value;

	/* The attempt of a client that is no waiter. */
	load(cpu, FREE, value);
#ifdef NO_ATTEMPT_AGAIN	/* the second attempt after tmm_poll_attempt_again() */
	load(cpu, COUNT, before);
#endif
	if
	:: value -> goto done
	:: else
	fi;
	/* The instruction of atomic_inc() is the barrier of tmm_waiters_join(). */
#ifdef NO_BARRIER_IN_JOIN	/* smp_mb__after_atomic() in tmm_waiters_join() */
	store(cpu, JOINED, 1);
#else
	d_step { drained(cpu) -> mem[JOINED] = 1 }
#endif
#ifdef NO_ATTEMPT_AGAIN
	goto wait;
#endif
	do
	::
#ifdef NO_COUNT_BEFORE	/* tmm_poll_attempt_begin() before the call, not after it */
		load(cpu, FREE, value);
		load(cpu, COUNT, before);
#else
		load(cpu, COUNT, before);
		load(cpu, FREE, value);
#endif
		if
		:: value -> break
		:: else
		fi;
wait:
		do
		::
#ifdef NO_QUEUE_FIRST	/* poll_wait() before came_back(), in tmm_poll() */
			load(cpu, COUNT, value);
#endif
			/* poll_wait(): the unlock of the queue is a store without a LOCK prefix. */
			spin_lock(cpu, LOCK);
			is_woken = false;
			store(cpu, QUEUED, 1);
			spin_unlock(cpu, LOCK);
#ifndef NO_BARRIER_IN_POLL	/* smp_mb() in tmm_poll() */
			barrier(cpu);
#endif
#ifndef NO_QUEUE_FIRST
			load(cpu, COUNT, value);
#endif
			if
			:: value != before -> break
			:: else -> is_woken
			fi
		od
	od;
done:
	skip
}

proctype releaser(byte cpu)
{
	byte value;

#ifndef NO_RESOURCE_FIRST	/* the resource is free before tmm_waiters_note() */
	store(cpu, FREE, 1);
#endif
#ifndef NO_BARRIER_IN_NOTE	/* smp_mb() in tmm_waiters_note() */
	barrier(cpu);
#endif
	load(cpu, JOINED, value);
	if
	:: value ->
		/* The instruction of atomic64_inc() is a barrier, and so is wq_has_sleeper(). */
#ifdef NO_BARRIER_IN_COUNT	/* wq_has_sleeper() and atomic64_inc() in tmm_waiters_count() */
		store(cpu, COUNT, 1);
#else
		d_step { drained(cpu) -> mem[COUNT]++ }
#endif
		load(cpu, QUEUED, value);
		if
		:: value ->
#ifndef NO_WAKE	/* tmm_wake_some() in tmm_waiters_count() */
			spin_lock(cpu, LOCK);
			is_woken = true;
			spin_unlock(cpu, LOCK)
#endif
		:: else
		fi
	:: else
	fi
#ifdef NO_RESOURCE_FIRST
	;
	store(cpu, FREE, 1)
#endif
}

init {
	atomic {
		start_writers();
		run caller(0);
		run releaser(1)
	}
}
