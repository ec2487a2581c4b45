/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A device that goes: tmm_device_region_close() and tmm_device_region_access_begin() in
 * alloc/device_region.c, end_resource() and shows_closed() in device/share/unplug.c,
 * tmm_loan_begin() in device/share/loan.c, and copy_device_memory() in mapping/borrow.c.
 *
 * One CPU closes the region and revokes its areas; then another device may get the addresses. A
 * process maps the memory and takes one fault. Another CPU copies the memory any number of times.
 *
 * Property: when the region's claim is released, no process has an entry, and no copy accesses the
 * memory.
 */
#define NR_CPUS 3

#define CLOSED 0	/* is_closed of the region */
#define NR_VARS 1

#define ON_COMMIT(variable, value) skip
#include "tso.pml"
#include "locks.pml"

rwsem revoke_lock;
bool is_listed;		/* the loan is in the list of the file, and is not revoked */
bool has_entry;
bool is_copying;	/* between srcu_read_lock() and srcu_read_unlock() */
bool is_gone;

/* tmm_loans_revoke_file(); Linux clears an entry under the lock of its page table. */
inline revoke_file()
{
	down_write(cpu, revoke_lock);
	has_entry = false;
	is_listed = false;
	up_write(cpu, revoke_lock)
}

proctype remover(byte cpu)
{
	bool value;

	store(cpu, CLOSED, 1);
	/* synchronize_srcu() is a barrier before and after its wait for readers. */
	barrier(cpu);
#ifndef NO_WAIT_FOR_COPIES	/* synchronize_srcu() in tmm_device_region_close() */
	!is_copying;
#endif
#ifndef NO_REVOKE	/* tmm_mapping_files_each() in end_resource() */
	down_read(cpu, revoke_lock);
	value = is_listed;
	up_read(cpu, revoke_lock);
	if
	:: value -> revoke_file()
	:: else
	fi;
#endif
	is_gone = true;
	assert(!has_entry)
}

proctype process(byte cpu)
{
	byte value;

	/* tmm_loan_begin() */
	down_write(cpu, revoke_lock);
	is_listed = true;
	load(cpu, CLOSED, value);
	up_write(cpu, revoke_lock);
	if
#ifndef NO_RECHECK_AT_BEGIN	/* is_closed in tmm_loan_begin() */
	:: value -> revoke_file()
#endif
	:: else
	fi;
	/* insert_entries() */
	down_read(cpu, revoke_lock);
	if
	:: is_listed -> has_entry = true; assert(!is_gone)
	:: else
	fi;
	up_read(cpu, revoke_lock)
}

proctype copier(byte cpu)
{
	byte value;
end:
	do
	::
#ifndef NO_ACCESS_BEGIN	/* tmm_device_region_access_begin() in copy_device_memory() */
		d_step { drained(cpu) -> is_copying = true }
#endif
		load(cpu, CLOSED, value);
#ifdef NO_CHECK_IN_COPY	/* tmm_mapped_pages_is_closed() in copy_device_memory() */
		value = 0;
#endif
		if
		:: !value -> assert(!is_gone)
		:: else
		fi;
		value = 0;
		is_copying = false
	od
}

init {
	atomic {
		start_writers();
		run remover(0);
		run process(1);
		run copier(2)
	}
}
