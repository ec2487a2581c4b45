/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Make a chosen allocation or copy of this thread fail, in a kernel with CONFIG_FAULT_INJECTION.
 */
#ifndef TESTS_FAULTS_H
#define TESTS_FAULTS_H

#include "client.h"
#include "pci.h"

#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define FAILSLAB		"/sys/kernel/debug/failslab/"
#define FAIL_PAGE_ALLOC		"/sys/kernel/debug/fail_page_alloc/"

/* More than any call has places. */
#define MANY		2000

/* Only a thread that asks for failures gets any. Linux has no limit of their number: times is -1. */
static inline bool let_allocations_fail(const char *folder)
{
	static const struct {
		const char *name;
		const char *value;
	} files[] = {
		{ "ignore-gfp-wait", "N" }, { "verbose", "0" }, { "task-filter", "Y" },
		{ "probability", "100" }, { "times", "0xffffffff" },
	};
	bool is_fine = true;
	char path[80];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "%s%s", folder, files[i].name);
		is_fine &= !put_text(path, files[i].value);
	}
	return is_fine;
}

/*
 * Only the thread that asks for a failure gets one, and Linux logs nothing. The thread stays on one
 * CPU, with one set of magazines.
 */
static inline bool let_linux_fail(void)
{
	cpu_set_t first;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	return !sched_setaffinity(0, sizeof(first), &first) &&
	       let_allocations_fail(FAILSLAB) && let_allocations_fail(FAIL_PAGE_ALLOC) &&
	       !put_text(FAIL_PAGE_ALLOC "ignore-gfp-highmem", "N") &&
	       !put_text(FAIL_PAGE_ALLOC "min-order", "0") &&
	       !put_text("/sys/kernel/debug/fail_usercopy/verbose", "0");
}

static inline int nth_file(void)
{
	static int file = -1;

	if (file < 0)
		file = open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC);
	return file;
}

/* Let all allocations of this thread fail, or none. */
static inline void fail_all(bool is_on)
{
	static int file = -1;

	if (file < 0)
		file = open("/proc/self/make-it-fail", O_WRONLY | O_CLOEXEC);
	if (pwrite(file, is_on ? "1" : "0", 1, 0) != 1)
		_exit(KSFT_FAIL);
}

/* Let the @n-th allocation or copy of this thread fail; 1 is the next one. */
static inline void fail_at(unsigned int n)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%u", n);

	/* if a failure is still wanted, the copy of this number may be the one that fails */
	if (pwrite(nth_file(), text, length, 0) != length &&
	    pwrite(nth_file(), text, length, 0) != length)
		_exit(KSFT_FAIL);
}

/* Cancel the failure, if none has happened. Return: true if an allocation or copy has failed */
static inline bool has_failed(void)
{
	char text[16] = "";
	bool is_over = pread(nth_file(), text, sizeof(text) - 1, 0) > 0 && !atoi(text);

	fail_at(0);
	return is_over;
}

/* Is @err the error of an allocation or of a copy that has failed? */
static inline bool is_of_failure(int err)
{
	return err == -ENOMEM || err == -EFAULT;
}

/* How often something failed at a place of each kind, in all cases of a program. */
struct fault_counts {
	unsigned int nth;
	unsigned int survived;
	unsigned int words;
	unsigned int limits;
};

static struct fault_counts *fault_counts;
static pid_t fault_parent;

static void __attribute__((constructor)) fault_counts_begin(void)
{
	fault_parent = getpid();
	fault_counts = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

/* The children of the harness end without destructors. */
static void __attribute__((destructor)) fault_counts_print(void)
{
	if (getpid() == fault_parent)
		printf("# FIGURES failed: %u allocations and copies (%u survived), %u words, %u limits\n",
		       fault_counts->nth, fault_counts->survived, fault_counts->words,
		       fault_counts->limits);
}

/* Note the failure of an operation that ended with @err, 0 or a negative errno. */
static inline void fault_count(int err)
{
	fault_counts->nth++;
	fault_counts->survived += !err;
}

#endif /* TESTS_FAULTS_H */
