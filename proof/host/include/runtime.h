/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The part of the stand-ins that has state: one task, a heap that can refuse, locks that know
 * whether they are held. runtime.c has the functions.
 */
#ifndef HOST_RUNTIME_H
#define HOST_RUNTIME_H

#include <linux/stddef.h>
#include <linux/types.h>

#define HOST_NR_CPUS	2

struct task_struct;

extern struct task_struct *const host_task;
extern bool host_is_killed;
extern unsigned int host_cpu;
extern unsigned int host_nr_levels;
/* Objects of slab caches and pieces of heap that exist */
extern unsigned long host_nr_objects;
/* Memory that was asked for since the heap was last told when to refuse */
extern unsigned long host_nr_requests;
/* Waiters that were woken, by enum tmm_resource */
extern unsigned long host_nr_releases[3];

void host_fail(const char *file, int line, const char *what) __attribute__((noreturn));
void host_failf(const char *file, int line, const char *format, ...)
	__attribute__((noreturn, format(printf, 3, 4)));
/* Print with a failure what led to it; NULL for nothing. */
void host_note(void (*print)(void));

void host_lock(bool *is_held);
void host_unlock(bool *is_held);
void host_may_sleep(void);

/* Refuse the request for memory with this number, counted from 1 on; 0 refuses none. */
void host_refuse(unsigned long number);
bool host_heap_refuses(void);

/* Memory of the check itself, which is never refused */
void *host_memory(size_t nr_bytes);
void host_free_memory(void *memory);

int printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A part of a check: prints its name and the number of its cases. */
void host_passed(const char *name, unsigned long nr_cases);

#define expect(cond)								\
	do {									\
		if (!(cond))							\
			host_fail(__FILE__, __LINE__, #cond);			\
	} while (0)

#define expect_equal(a, b)							\
	do {									\
		const long long __a = (long long)(a), __b = (long long)(b);	\
										\
		if (__a != __b)							\
			host_failf(__FILE__, __LINE__, #a " is %lld, not %lld", __a, __b); \
	} while (0)

#endif
