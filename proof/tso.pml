/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The memory of x86 CPUs (x86-TSO), for the models that include this file.
 *
 * Each CPU has a buffer of stores. A store goes into the buffer of its CPU, and some time later,
 * in order, to memory. A load takes the newest store to its variable from the buffer of its own
 * CPU, or else the value in memory. A barrier waits until the buffer of its CPU is empty, and so
 * does an instruction with a LOCK prefix, such as an exchange. So smp_mb() and each atomic function
 * that returns a value are barriers, while READ_ONCE(), WRITE_ONCE(), smp_load_acquire() and
 * smp_store_release() are plain loads and stores that the compiler leaves in their place.
 *
 * A model defines NR_CPUS, NR_VARS (its variables in memory, numbered from 0) and ON_COMMIT(var,
 * val), which checks a store that goes to memory.
 *
 * A buffer has room for NR_STORES. A model with all its barriers never needs more: that is checked.
 * With BOUNDED, which is defined where a switch removes something, a store waits for room instead,
 * so a run with an error is still one that a CPU allows.
 */
#ifndef NR_STORES
#define NR_STORES 4
#endif
#ifdef BOUNDED
#define HAS_ROOM(cpu) stores[cpu].nr < NR_STORES
#else
#define HAS_ROOM(cpu) assert(stores[cpu].nr < NR_STORES)
#endif

typedef buffer {
	byte var[NR_STORES];
	byte val[NR_STORES];
	byte nr
};

byte mem[NR_VARS];
buffer stores[NR_CPUS];
hidden byte at;

inline store(_cpu, _var, _val)
{
	d_step {
		HAS_ROOM(_cpu);
		stores[_cpu].var[stores[_cpu].nr] = _var;
		stores[_cpu].val[stores[_cpu].nr] = _val;
		stores[_cpu].nr++
	}
}

inline load(_cpu, _var, _to)
{
	d_step {
		_to = mem[_var];
		at = 0;
		do
		:: at < stores[_cpu].nr ->
			if
			:: stores[_cpu].var[at] == _var -> _to = stores[_cpu].val[at]
			:: else
			fi;
			at++
		:: else -> break
		od;
		at = 0
	}
}

/* True if nothing is in the buffer: an instruction with a LOCK prefix begins with this guard. */
#define drained(cpu) (stores[cpu].nr == 0)

/* smp_mb() */
#define barrier(cpu) drained(cpu)

/* Moves the stores of a CPU to memory, one at a time. */
proctype writer(byte cpu)
{
	byte i;
end:
	do
	:: d_step {
		stores[cpu].nr > 0 ->
		ON_COMMIT(stores[cpu].var[0], stores[cpu].val[0]);
		mem[stores[cpu].var[0]] = stores[cpu].val[0];
		stores[cpu].nr--;
		i = 0;
		do
		:: i < stores[cpu].nr ->
			stores[cpu].var[i] = stores[cpu].var[i + 1];
			stores[cpu].val[i] = stores[cpu].val[i + 1];
			i++
		:: else -> break
		od;
		stores[cpu].var[i] = 0;
		stores[cpu].val[i] = 0;
		i = 0
	   }
	od
}

inline start_writers()
{
	at = 0;
	do
	:: at < NR_CPUS -> run writer(at); at++
	:: else -> break
	od;
	at = 0
}
