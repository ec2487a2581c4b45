/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Owners: taking, publishing and dropping a handle (device/client/handle_table.c, handles.c), EXPORT,
 * IMPORT and TAKE_BACK (device/call/transfer.c, device/client/exports.c), mmap() of an exported
 * mapping (lend_export() in device/call/mmap.c), and the release of its file.
 *
 * One thread of a client exports a mapping and then takes it back, if that is possible. Another
 * thread reads or drops the mapping by its old or its new handle. Two processes have the descriptor:
 * each imports the mapping, or maps and unmaps it, and then closes the descriptor.
 *
 * Properties: one owner at a time; at the end one owner, or the mapping was destroyed once; an
 * exported mapping is not borrowed through its old handle; a mapping that was imported or taken back
 * is not borrowed by anybody; an object that is found has its content; a freed file is not used.
 */
#define NR_CPUS 4

#define OPEN 0			/* the descriptor was passed on */
#define MAPPING 1		/* export->mapping */
#define GENERATION 2
#define REVOKED 3		/* is_revoked of the loan of CPU 2, then of CPU 3 */
#define VISIBLE 5		/* is_visible of the object of handle 0, then of handle 1 */
#define CONTENT 7		/* the mapping that the object owns, likewise */
#define TABLE_LOCK 9
#define EXPORTS_LOCK 10
#define NR_VARS 11

#define ON_COMMIT(variable, value) skip
#include "tso.pml"
#include "locks.pml"

/* Owners, as they know it: the handles 0 and 1, the file, and calls on the CPUs 0 to 3 */
#define FILE 2
#define CALL 3
bool owns[CALL + NR_CPUS];

rwsem lend_lock, revoke_lock;
bool is_owned = true;		/* TMM_USERS_OWNER in the count of the mapping */
byte nr_borrows;		/* the other part of that count */
bool is_listed, is_loan[NR_CPUS];
byte nr_files;			/* references on the file of the export */
bool is_file_freed;
byte nr_destroyed, nr_done;

#define NR_OWNERS (owns[0] + owns[1] + owns[2] + owns[3] + owns[4] + owns[5] + owns[6])

/* The ownership goes from one to another. */
inline move(_from, _to)
{
	d_step {
		owns[_from] = false;
		owns[_to] = true;
		assert(NR_OWNERS == 1)
	}
}

inline destroy()
{
	d_step {
		assert(nr_destroyed == 0 && nr_borrows == 0);
		nr_destroyed++
	}
}

/* tmm_mapped_pages_drop() */
inline drop(_from)
{
	d_step {
		drained(cpu) ->
		owns[_from] = false;
		is_owned = false;
		value = nr_borrows == 0
	}
	if
	:: value -> destroy()
	:: else
	fi;
	value = 0
}

/* tmm_mapped_pages_borrow(), for an immutable borrow */
inline begin_borrow()
{
	d_step { drained(cpu) -> assert(nr_destroyed == 0); nr_borrows++ }
}

/* tmm_mapped_pages_unborrow() */
inline end_borrow()
{
	d_step {
		drained(cpu) ->
		assert(nr_borrows > 0);
		nr_borrows--;
		value = !is_owned && nr_borrows == 0
	}
	if
	:: value -> destroy()
	:: else
	fi;
	value = 0
}

/* tmm_handle_take() */
inline take(_handle)
{
#ifndef NO_TABLE_LOCK	/* tmm_handle_table_lock() in tmm_handle_take() */
	spin_lock(cpu, TABLE_LOCK);
#endif
	load(cpu, VISIBLE + _handle, value);
	did = value;
	if
	:: did ->
		load(cpu, CONTENT + _handle, value);
		assert(value);
#ifndef NO_HIDE	/* hide_object() in tmm_handle_take() */
		store(cpu, VISIBLE + _handle, 0);
#endif
		move(_handle, CALL + cpu)
	:: else
	fi;
#ifndef NO_TABLE_LOCK
	spin_unlock(cpu, TABLE_LOCK);
#endif
	value = 0
}

/* tmm_handle_publish(), of an object that got its mapping before */
inline publish(_handle)
{
	owns[CALL + cpu] = false;
	owns[_handle] = true;
#ifdef NO_ORDER_IN_PUBLISH	/* smp_store_release() in tmm_handle_table_publish() */
	store(cpu, VISIBLE + _handle, 1);
	store(cpu, CONTENT + _handle, 1)
#else
	store(cpu, CONTENT + _handle, 1);
	store(cpu, VISIBLE + _handle, 1)
#endif
}

/* fput(): at the last reference, tmm_export_release() unlists the export. */
inline put_reference()
{
	d_step { drained(cpu) -> assert(nr_files > 0); nr_files--; did = nr_files == 0 }
	if
	:: did ->
		spin_lock(cpu, EXPORTS_LOCK);
		is_listed = false;
		spin_unlock(cpu, EXPORTS_LOCK);
		load(cpu, MAPPING, value)
	:: else
	fi
}

/* fput(), with the rest of tmm_export_release() */
inline put_file()
{
	put_reference();
	if
	:: value -> drop(FILE)
	:: else
	fi;
	is_file_freed = did
}

/* disown_mapping() */
inline disown()
{
	store(cpu, MAPPING, 0);
#ifndef NO_STEP_OF_GENERATION	/* mf.generation + 1 in disown_mapping() */
	store(cpu, GENERATION, 1);
#endif
	move(FILE, CALL + cpu)
}

/* export_owned() and export_taken() */
inline export()
{
	take(0);
	if
	:: did ->
#ifndef NO_CHECK_IN_EXPORT	/* tmm_mapped_pages_is_borrowed() in export_taken() */
		did = nr_borrows == 0;
#endif
		if
		:: did ->
			assert(nr_borrows == 0);
			/* tmm_export_mapping(), and then fd_install() */
			store(cpu, MAPPING, 1);
			move(CALL + cpu, FILE);
			spin_lock(cpu, EXPORTS_LOCK);
			is_listed = true;
			spin_unlock(cpu, EXPORTS_LOCK);
			nr_files = 3;
			store(cpu, OPEN, 1)
		:: else -> publish(0)
		fi
	:: else
	fi
}

/* tmm_ioctl_take_back() and tmm_export_take_back() */
inline take_back()
{
	spin_lock(cpu, EXPORTS_LOCK);
	d_step {
		did = is_listed;
#ifndef NO_REFERENCE_UNLESS_ZERO	/* tmm_compat_get_file() in tmm_export_find() */
		did = did && nr_files > 0;
#endif
		nr_files = nr_files + did
	}
	spin_unlock(cpu, EXPORTS_LOCK);
	if
	:: did ->
		assert(!is_file_freed);
#ifndef NO_REVOKE_LOCK_IN_TAKE_BACK	/* down_write(&mf->revoke_lock) in tmm_export_take_back() */
		down_write(cpu, revoke_lock);
#endif
		load(cpu, MAPPING, value);
#ifdef NO_CHECK_IN_TAKE_BACK	/* !export->mapping in tmm_export_take_back() */
		value = 1;
#endif
		did = value;
		if
		:: did ->
			disown();
			/* tmm_loans_revoke(), after unmap_mapping_range() */
			value = 2;
			do
			:: value < NR_CPUS ->
				if
				:: is_loan[value] ->
					store(cpu, REVOKED + value - 2, 1);
					is_loan[value] = false;
					d_step { nr_borrows-- }
				:: else
				fi;
				value++
			:: else -> break
			od
		:: else
		fi;
		value = 0;
#ifndef NO_REVOKE_LOCK_IN_TAKE_BACK
		up_write(cpu, revoke_lock);
#endif
		if
		:: did ->
#ifndef NO_WAIT_FOR_MMAP	/* tmm_loans_wait_for_mmap() in tmm_export_take_back() */
			down_write(cpu, lend_lock);
			up_write(cpu, lend_lock);
#endif
			assert(nr_borrows == 0);
			publish(1)
		:: else
		fi;
		/* The file no longer owns the mapping. */
		put_reference();
		assert(!value);
		is_file_freed = did
	:: else
	fi
}

/* IMPORT: tmm_export_import() */
inline import()
{
	assert(!is_file_freed);
#ifndef NO_REVOKE_LOCK_IN_IMPORT	/* down_write(&export->mf.revoke_lock) in tmm_export_import() */
	down_write(cpu, revoke_lock);
#endif
	load(cpu, MAPPING, value);
#ifdef NO_CHECK_IN_IMPORT	/* !export->mapping in tmm_export_import() */
	value = 1;
#endif
	if
	:: value && (nr_borrows == 0
#ifdef NO_CHECK_OF_BORROWS	/* tmm_mapped_pages_is_borrowed() in tmm_export_import() */
			|| true
#endif
			) ->
		disown();
		assert(nr_borrows == 0)
	:: else
	fi;
	value = 0;
#ifndef NO_REVOKE_LOCK_IN_IMPORT
	up_write(cpu, revoke_lock);
#endif
}

/* mmap() and munmap(): lend_export(), tmm_loan_begin(), destroy_loan() */
inline map_and_unmap()
{
	assert(!is_file_freed);
#ifndef NO_LEND_LOCK	/* down_read(&export->mf.lend_lock) in lend_export() */
	down_read(cpu, lend_lock);
#endif
#ifndef NO_REVOKE_LOCK_IN_LEND	/* down_read(&export->mf.revoke_lock) in tmm_export_lend() */
	down_read(cpu, revoke_lock);
#endif
	load(cpu, MAPPING, value);
	did = value;
	if
	:: did -> begin_borrow()
	:: else
	fi;
#ifndef NO_REVOKE_LOCK_IN_LEND
	up_read(cpu, revoke_lock);
#endif
	if
	:: did ->
		down_write(cpu, revoke_lock);
		load(cpu, GENERATION, value);
#ifdef NO_CHECK_AT_BEGIN	/* tmm_lender_is_stale() in tmm_loan_begin() */
		value = 0;
#endif
		did = !value;
		is_loan[cpu] = did;
		up_write(cpu, revoke_lock);
		if
		:: !did -> end_borrow()
		:: else
		fi
	:: else
	fi;
	value = 0;
#ifndef NO_LEND_LOCK
	up_read(cpu, lend_lock);
#endif
	if
	:: did ->
		down_write(cpu, revoke_lock);
		load(cpu, REVOKED + cpu - 2, value);
		did = !value;
		value = 0;
		if
		:: did -> is_loan[cpu] = false; end_borrow()
		:: else
		fi;
		up_write(cpu, revoke_lock)
	:: else
	fi
}

proctype exporter(byte cpu)
{
	byte value;
	bool did;

	export();
	if
	:: did -> put_file()
	:: else
	fi;
	take_back();
	nr_done++
}

/* READ of a handle: tmm_handle_borrow() */
inline read(_handle)
{
	spin_lock(cpu, TABLE_LOCK);
	load(cpu, VISIBLE + _handle, value);
	did = value;
	if
	:: did ->
		load(cpu, CONTENT + _handle, value);
		assert(value);
		begin_borrow()
	:: else
	fi;
	value = 0;
	spin_unlock(cpu, TABLE_LOCK);
	if
	:: did -> assert(nr_destroyed == 0); end_borrow()
	:: else
	fi
}

proctype other_thread(byte cpu)
{
	byte value;
	bool did;

	if
	:: read(0)
	:: read(1)
	:: take(0); if :: did -> drop(CALL + cpu) :: else fi
	:: take(1); if :: did -> drop(CALL + cpu) :: else fi
	fi;
	nr_done++
}

proctype holder(byte cpu)
{
	byte value;
	bool did;

	if
	:: mem[OPEN]
	:: !mem[OPEN] && nr_done >= 2 -> goto done
	fi;
	if
	:: import()
	:: map_and_unmap()
	fi;
	put_file();
done:
	nr_done++
}

init {
	atomic {
		mem[VISIBLE] = 1;
		mem[CONTENT] = 1;
		owns[0] = true;
		start_writers();
		run exporter(0);
		run other_thread(1);
		run holder(2);
		run holder(3)
	}
	nr_done == NR_CPUS;
	assert(NR_OWNERS == (nr_destroyed == 0))
}
