/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Loans and their revocation: lend_lending() and set_up_area() in device/call/mmap.c,
 * tmm_lending_lend() in device/client/lending.c, tmm_loan_begin(), tmm_loans_revoke_file(),
 * tmm_loans_wait_for_mmap() and destroy_loan() in device/share/loan.c, insert_entries() in
 * device/share/fault.c, and take_out() in device/share/bad_memory.c.
 *
 * Two processes have a descriptor that lends the mapping. Each maps it, takes faults, accesses the
 * memory, and unmaps it, up to two times. The owner calls REVOKE, and then unmaps the mapping, so
 * that the frames go to somebody else. Before that, a frame may be reported as bad.
 *
 * Properties: after REVOKE has returned no borrow of a descriptor is left, so the owner can change
 * the mapping at once; no process has an entry for memory that it no longer borrows, or for a frame
 * that is known to be bad; each borrow ends once.
 */
#define NR_PROCESSES 2
#define NR_CPUS (NR_PROCESSES + 1)
#define OWNER NR_PROCESSES	/* CPU of the owner */
#define NR_MMAPS 2

#define GENERATION 0
#define BAD 1			/* tmm_bad_frames_any() */
#define REVOKED 2		/* is_revoked of the loan of process 0, then of process 1 */
#define NR_VARS (REVOKED + NR_PROCESSES)

#define ON_COMMIT(variable, value) skip
#include "tso.pml"
#include "locks.pml"

rwsem lend_lock, revoke_lock;
byte nr_borrows;		/* users of the mapping, without its owner */
bool is_listed[NR_PROCESSES];	/* the loan is in the list of the file */
bool has_entry[NR_PROCESSES];	/* in the page table of the process */
bool is_revoking, was_revoked, is_freed, is_bad;

inline end_borrow()
{
	d_step { assert(nr_borrows > 0); nr_borrows-- }
}

/* lend_lending(): did the process get a loan? */
inline mmap()
{
	is_mapped = false;
#ifndef NO_LEND_LOCK	/* down_read(&lending->mf->lend_lock) in lend_lending() */
	down_read(cpu, lend_lock);
#endif
	/* tmm_lender_is_stale() without a lock */
#ifdef NO_EARLY_CHECK	/* tmm_lender_is_stale() in tmm_lending_lend() */
	generation = 0;
#else
	load(cpu, GENERATION, generation);
#endif
	if
	:: generation == 0 ->
		/* tmm_lending_lend_object(): under the lock of the table, and -EBUSY during a change. */
		d_step {
			drained(cpu) ->
			is_mapped = !is_freed;
			nr_borrows = nr_borrows + is_mapped
		}
	:: else
	fi;
	if
	:: is_mapped ->
		/* tmm_loan_begin() */
		down_write(cpu, revoke_lock);
		load(cpu, GENERATION, generation);
#ifdef NO_CHECK_AT_BEGIN	/* tmm_lender_is_stale() in tmm_loan_begin() */
		generation = 0;
#endif
		if
		:: generation == 0 ->
			store(cpu, REVOKED + cpu, 0);
			is_listed[cpu] = true
		:: else
		fi;
		up_write(cpu, revoke_lock);
		if
		:: generation -> is_mapped = false; end_borrow()
		:: else
		fi
	:: else
	fi;
#ifndef NO_LEND_LOCK
	up_read(cpu, lend_lock);
#endif
	generation = 0
}

/* insert_entries() */
inline fault()
{
#ifndef NO_FAULT_LOCK	/* down_read(&loan->mf->revoke_lock) in insert_entries() */
	down_read(cpu, revoke_lock);
#endif
	load(cpu, REVOKED + cpu, value);
#ifdef NO_CHECK_AT_FAULT	/* is_revoked in insert_entries() */
	value = 0;
#endif
	if
	:: !value ->
		load(cpu, BAD, value);
#ifdef NO_CHECK_OF_FRAME	/* is_bad() in insert_page() */
		value = 0;
#endif
		if
		/* Linux inserts the entry under the lock of the page table. */
		:: !value -> d_step { drained(cpu) -> has_entry[cpu] = true }
		:: else
		fi
	:: else
	fi;
#ifndef NO_FAULT_LOCK
	up_read(cpu, revoke_lock);
#endif
	value = 0
}

/* revoke_loan() and tmm_linger_or_end(), under the lock, for memory that nothing pins */
inline revoke_loan(_of)
{
	is_listed[_of] = false;
	store(cpu, REVOKED + _of, 1);
	end_borrow()
}

/* munmap(): Linux clears the entries and then calls destroy_loan(). */
inline munmap()
{
	d_step { drained(cpu) -> has_entry[cpu] = false }
	down_write(cpu, revoke_lock);
	load(cpu, REVOKED + cpu, value);
#ifdef NO_CHECK_AT_MUNMAP	/* is_revoked in destroy_loan() */
	value = 0;
#endif
	if
	:: !value -> revoke_loan(cpu)
	:: else
	fi;
	up_write(cpu, revoke_lock);
	value = 0
}

proctype process(byte cpu)
{
	byte generation, value, nr;
	bool is_mapped;

	do
	:: nr < NR_MMAPS ->
		mmap();
		do
		:: is_mapped -> fault()
		:: is_mapped -> munmap(); break
		:: !is_mapped -> break
		od;
		nr++
	:: break
	od
}

/* unmap_mapping_range() clears entries one by one, each under the lock of its page table. */
inline unmap_all()
{
	d_step { drained(cpu) -> has_entry[0] = false }
	d_step { has_entry[1] = false }
}

proctype owner(byte cpu)
{
	byte i;

	if
	:: true
	:: true ->
		/* tmm_bad_frames_retire(), and take_out() with its lock */
		store(cpu, BAD, 1);
#ifndef NO_TAKE_OUT_LOCK	/* down_write(&mf->revoke_lock) in take_out() */
		down_write(cpu, revoke_lock);
		unmap_all();
		up_write(cpu, revoke_lock);
#else
		unmap_all();
#endif
		is_bad = true
	fi;

	/* tmm_loans_revoke_file() */
#ifndef NO_REVOKE_LOCK	/* down_write(&mf->revoke_lock) in tmm_loans_revoke_file() */
	down_write(cpu, revoke_lock);
#endif
#ifndef NO_STEP_OF_GENERATION	/* mf->generation + 1 in tmm_loans_revoke_file() */
	store(cpu, GENERATION, 1);
#endif
#ifndef NO_UNMAP	/* unmap_mapping_range() in tmm_loans_revoke() */
	unmap_all();
#endif
	i = 0;
	do
	:: i < NR_PROCESSES ->
		if
		:: is_listed[i] -> revoke_loan(i)
		:: else
		fi;
		i++
	:: else -> break
	od;
#ifndef NO_REVOKE_LOCK
	up_write(cpu, revoke_lock);
#endif
#ifndef NO_WAIT_FOR_MMAP	/* tmm_loans_wait_for_mmap() in tmm_ioctl_revoke() */
	down_write(cpu, lend_lock);
	up_write(cpu, lend_lock);
#endif
	was_revoked = true;
	/* tmm_mapped_pages_claim(), and the frames go to somebody else. */
	is_freed = true
}

/* Accesses of the processes go through their entries at any time. */
#define IS_SAFE(p) (!has_entry[p] || (!is_freed && !is_bad))

proctype monitor()
{
end:
	do
	:: d_step { was_revoked && nr_borrows > 0 -> assert(false) }
	:: d_step { !IS_SAFE(0) || !IS_SAFE(1) -> assert(false) }
	od
}

init {
	atomic {
		start_writers();
		run process(0);
		run process(1);
		run owner(OWNER);
		run monitor()
	}
}
