/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The version of the running kernel, for what differs between versions.
 */
#ifndef TESTS_KERNEL_H
#define TESTS_KERNEL_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

static inline bool kernel_is_at_least(unsigned int major, unsigned int minor)
{
	struct utsname name;
	unsigned int has_major, has_minor;

	if (uname(&name) || sscanf(name.release, "%u.%u", &has_major, &has_minor) != 2)
		return false;
	return has_major > major || (has_major == major && has_minor >= minor);
}

/* The module refuses struct_pages=1 there; a case of load_test checks the refusal. */
#define KERNEL_HAS_STRUCT_PAGES()	(!kernel_is_at_least(6, 15))

/* End a case that loads the module with struct_pages=1. */
#define SKIP_WITHOUT_STRUCT_PAGES()							\
	do {										\
		if (!KERNEL_HAS_STRUCT_PAGES())						\
			SKIP(return, "Linux 6.15 and later: struct_pages=1 is refused");	\
	} while (0)

/*
 * True if Linux can give areas entries of 2 MiB and 1 GiB. That takes transparent huge pages, which
 * no kernel with PREEMPT_RT has.
 */
#define KERNEL_HAS_LARGE_ENTRIES()	(!access("/sys/kernel/mm/transparent_hugepage", F_OK))

/*
 * Errors of Linux itself for a file that has no path. They changed after 6.12, and were read off 7.3:
 * for an executable VMA, and for opening the file through /proc.
 */
#define ERRNO_OF_EXEC()		(kernel_is_at_least(7, 0) ? EPERM : EACCES)
#define ERRNO_OF_REOPEN()	(kernel_is_at_least(7, 0) ? EACCES : ENXIO)

#endif /* TESTS_KERNEL_H */
