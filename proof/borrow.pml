/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Borrows and changes of a mapping: mapping/mapped_pages_borrow.c, and claim, unclaim, remap, drop
 * and destroy in mapping/mapped_pages.c.
 *
 * Two borrowers borrow and return the mapping, immutably or mutably. The owner makes the mapping
 * shareable or not, and writable or not, as often as there are steps, and then drops the mapping.
 * Each runs on its own CPU. As in Rust, no borrow begins after the drop.
 *
 * Properties: a mutable borrow excludes all others, unless the mapping is shareable; the mapping is
 * not changed while it is borrowed; a mutable borrow is one of a writable mapping; the mapping is
 * destroyed once, after the drop and the last borrow.
 */
#define NR_CPUS 3
#define NR_BORROWERS 2
#define NR_CHANGES 3

#define USERS 0
#define SHAREABLE 1	/* is_shareable */
#define WRITABLE 2	/* the bit in flags */
#define NR_VARS 3

/* TMM_USERS_OWNER and TMM_USERS_CLAIMED, in the same order, with room for all borrows below. */
#define OWNER 16
#define CLAIMED 64

#define ON_COMMIT(variable, value) skip
#include "tso.pml"

byte nr_shared, nr_mutable, nr_exclusive;	/* borrows that have begun, as their users know them */
byte nr_attempts;	/* calls of tmm_mapped_pages_borrow() that have returned */
byte nr_ends;
byte nr_destroyed;

/* tmm_mapped_pages_destroy() */
inline destroy()
{
	d_step {
		assert(nr_shared + nr_mutable + nr_exclusive == 0);
		assert(nr_destroyed == 0);
		nr_destroyed++
	}
}

/* An instruction with a LOCK prefix that subtracts @by from the count. */
inline subtract(by, became_0)
{
	d_step {
		drained(cpu) ->
		assert(mem[USERS] >= by);
		mem[USERS] = mem[USERS] - by;
		became_0 = mem[USERS] == 0
	}
}

/* is_exclusive() */
inline load_excludes(answer)
{
	load(cpu, SHAREABLE, answer);
	answer = is_mutable && !answer
}

/* tmm_mapped_pages_borrow() */
inline begin()
{
	err = false;
	load_excludes(excludes);
	amount = (excludes -> CLAIMED : 1);
	load(cpu, USERS, users);
	if
	:: is_mutable ->
		load(cpu, WRITABLE, value);
		err = !value
	:: else
	fi;
	do
	:: !err ->
		if
		:: false
#ifndef NO_TEST_OF_CLAIM	/* users >= TMM_USERS_CLAIMED - 1 in tmm_mapped_pages_borrow() */
		:: users >= CLAIMED - 1 -> err = true; break
#endif
#ifndef NO_TEST_OF_BORROWS	/* excludes && users != TMM_USERS_OWNER in the same function */
		:: excludes && users != OWNER -> err = true; break
#endif
		:: else
		fi;
		/* atomic_try_cmpxchg() */
#ifdef NO_CMPXCHG	/* atomic_try_cmpxchg() in tmm_mapped_pages_borrow(): a plain store instead */
		store(cpu, USERS, users + amount);
		break;
#endif
		d_step {
			drained(cpu) ->
			did = mem[USERS] == users;
			mem[USERS] = (did -> users + amount : mem[USERS]);
			users = mem[USERS]
		}
		if
		:: did -> break
		:: else
		fi
	:: else -> break
	od;
	if
	:: !err ->
		load_excludes(value);
#ifndef NO_RECHECK_OF_SHAREABLE	/* the second is_exclusive() in tmm_mapped_pages_borrow() */
		err = excludes != value;
#endif
		load(cpu, WRITABLE, value);
#ifndef NO_RECHECK_OF_FLAGS	/* the second tmm_pte_flags_is_writable() in the same function */
		err = err || (is_mutable && !value);
#endif
		if
#ifndef NO_UNDO	/* atomic_sub_return_release() in tmm_mapped_pages_borrow() */
		:: err -> subtract(amount, is_last); assert(!is_last)
#endif
		:: else
		fi
	:: else
	fi;
	value = 0;
	users = 0;
	amount = 0;
	did = false;
	is_last = false
}

/* tmm_mapped_pages_unborrow() */
inline end_borrow()
{
	load_excludes(excludes);
	amount = (excludes -> CLAIMED : 1);
#ifdef NO_ATOMIC_UNBORROW	/* atomic_sub_and_test(): a subtraction, and then a test */
	subtract(amount, is_last);
	load(cpu, USERS, value);
	is_last = value == 0;
#else
	subtract(amount, is_last);
#endif
	if
	:: is_last -> destroy()
	:: else
	fi
}

inline check_borrows()
{
	assert(nr_destroyed == 0);
	assert(nr_exclusive == 0 || nr_exclusive + nr_mutable + nr_shared == 1);
	assert(nr_mutable == 0 || mem[SHAREABLE]);
	assert(nr_exclusive + nr_mutable == 0 || mem[WRITABLE])
}

proctype borrower(byte cpu)
{
	byte users, amount, value;
	bool is_mutable, excludes, err, did, is_last;

	if
	:: is_mutable = true
	:: is_mutable = false
	fi;
	begin();
	d_step {
		if
		:: err
		:: !err && !is_mutable -> nr_shared++
		:: !err && is_mutable && excludes -> nr_exclusive++
		:: !err && is_mutable && !excludes -> nr_mutable++
		fi;
		nr_attempts++
	}
	if
	:: !err ->
		d_step { check_borrows() }
		d_step {
			check_borrows();
			if
			:: !is_mutable -> nr_shared--
			:: is_mutable && excludes -> nr_exclusive--
			:: is_mutable && !excludes -> nr_mutable--
			fi
		}
		end_borrow()
	:: else
	fi;
	nr_ends++
}

/* tmm_mapped_pages_claim(), a change, and tmm_mapped_pages_unclaim() */
inline change(variable)
{
#ifdef NO_CLAIM	/* tmm_mapped_pages_claim() in remap and set_shareable */
	did = true;
#else
	d_step {
		drained(cpu) ->
		did = mem[USERS] == OWNER;
		mem[USERS] = (did -> OWNER + CLAIMED : mem[USERS])
	}
#endif
	if
	:: did ->
		assert(nr_shared + nr_mutable + nr_exclusive == 0);
		load(cpu, variable, value);
		store(cpu, variable, 1 - value);
		assert(nr_shared + nr_mutable + nr_exclusive == 0);
#ifndef NO_CLAIM
		subtract(CLAIMED, is_last);
		assert(!is_last)
#endif
	:: else
	fi;
	value = 0
}

proctype owner(byte cpu)
{
	byte i, value;
	bool did, is_last;

	do
	:: i < NR_CHANGES ->
		if
		:: change(SHAREABLE)
		:: change(WRITABLE)
		fi;
		i++
	:: nr_attempts == NR_BORROWERS -> break
	od;
	/* tmm_mapped_pages_drop() */
#ifdef NO_COUNT_IN_DROP	/* atomic_sub_and_test() in tmm_mapped_pages_drop() */
	is_last = true;
#else
	subtract(OWNER, is_last);
#endif
	if
	:: is_last -> destroy()
	:: else
	fi;
	nr_ends++;
	/* All has ended. */
	nr_ends == NR_BORROWERS + 1;
	assert(nr_destroyed == 1)
}

init {
	atomic {
		mem[USERS] = OWNER;
		mem[WRITABLE] = 1;
		start_writers();
		run owner(0);
		run borrower(1);
		run borrower(2)
	}
}
