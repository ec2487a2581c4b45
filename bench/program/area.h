/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sources of memory to mmap: the module, and Linux's own. Functions that return an int return 0, or
 * -1 with errno set.
 */
#ifndef BENCH_AREA_H
#define BENCH_AREA_H

#include <stdint.h>

/**
 * struct area_source - memory to mmap
 * @system: name of the system in results
 * @fd: the file; -1 for anonymous memory
 * @offset: offset in the file
 * @flags: flags of mmap()
 * @advice: advice for madvise(); -1 for none
 * @hint: address for mmap(), or NULL
 */
struct area_source {
	const char *system;
	int fd;
	int64_t offset;
	int flags;
	int advice;
	void *hint;
};

int area_open_ours(struct area_source *source, unsigned long nr_bytes);
int area_open_empty(struct area_source *source);
int area_open_hugetlb(struct area_source *source, unsigned long nr_bytes,
		      unsigned long page_bytes);
int area_report_hugetlb(const char *row, const char *system);
void area_open_anonymous(struct area_source *source, int advice);
void area_close(struct area_source *source);
char *area_map(const struct area_source *source, unsigned long nr_bytes, int flags);
void area_touch(char *area, unsigned long nr_bytes);

#endif /* BENCH_AREA_H */
