/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Linux's locks, for the models that include this file after tso.pml. Each function of an rwsem is
 * an instruction with a LOCK prefix, and so is the lock of a spinlock, which is a variable in memory.
 * The unlock of a spinlock is a plain store.
 */
typedef rwsem {
	byte nr_readers;
	bool is_held
};

inline down_read(_cpu, _lock)
{
	d_step { drained(_cpu) && !_lock.is_held -> _lock.nr_readers++ }
}

inline up_read(_cpu, _lock)
{
	d_step { drained(_cpu) -> _lock.nr_readers-- }
}

inline down_write(_cpu, _lock)
{
	d_step { drained(_cpu) && !_lock.is_held && _lock.nr_readers == 0 -> _lock.is_held = true }
}

inline up_write(_cpu, _lock)
{
	d_step { drained(_cpu) -> _lock.is_held = false }
}

inline spin_lock(_cpu, _lock)
{
	d_step { drained(_cpu) && !mem[_lock] -> mem[_lock] = 1 }
}

inline spin_unlock(_cpu, _lock)
{
	store(_cpu, _lock, 0)
}
