/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Report memory as failed through the decode chain of machine checks. mce-inject raises no machine
 * check, so the memory itself keeps its content.
 */
#ifndef TESTS_INJECT_H
#define TESTS_INJECT_H

#include "text.h"
#include "uapi.h"

#include <sys/syscall.h>

#define INJECT		"/sys/kernel/debug/mce-inject/"
#define INJECT_MODULE	"/lib/modules/stock/mce-inject.ko"
#define STATUS_UC	(1ULL << 61)
#define STATUS_ADDRV	(1ULL << 58)
/* Linux 6.12, unlike 6.1, uses an AMD processor's address only with this bit. */
#define STATUS_POISON	(1ULL << 43)
#define STATUS_FAILS	(STATUS_UC | STATUS_ADDRV | STATUS_POISON)
/* MISC as Intel's CPUs report it: a physical address with the precision of a page */
#define MISC		((2ULL << 6) | 12)

static inline bool put_number(const char *path, unsigned long long number)
{
	char text[32];

	snprintf(text, sizeof(text), "%#llx", number);
	return text_write(path, text);
}

/* Debian's kernel has mce-inject as a module. */
static inline void load_inject(void)
{
	int fd = open(INJECT_MODULE, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	syscall(SYS_finit_module, fd, "", 0);
	close(fd);
}

/* Linux reports the memory from a work item, later. Its queue of reports is short. */
static inline bool inject(unsigned long long paddr, unsigned long long status)
{
	return text_write(INJECT "flags", "sw\n") && put_number(INJECT "status", status) &&
	       put_number(INJECT "misc", MISC) && put_number(INJECT "addr", paddr) &&
	       text_write(INJECT "bank", "0");
}

static inline __u64 nr_bad(int fd)
{
	struct theseus_mm_info info;

	return uapi_get_info(fd, &info) ? ~0ULL : info.frames_bad;
}

/* Wait, since Linux reports memory from a work item. */
static inline bool wait_for_bad(int fd, __u64 nr)
{
	int i;

	for (i = 0; i < 20000 && nr_bad(fd) != nr; i++)
		usleep(1000);
	return nr_bad(fd) == nr;
}

/* Return: retired frames of region @index, as GET_OCCUPANCY counts them */
static inline __u32 nr_retired(int fd, __u32 index)
{
	struct theseus_mm_bucket bucket;
	struct theseus_mm_occupancy call = {
		.index = index,
		.nr_buckets = 1,
		.buckets = (uintptr_t)&bucket,
		.bucket_frames = THESEUS_MM_MAX_BUCKET_FRAMES,
	};

	return uapi_get_occupancy(fd, &call) ? ~0U : bucket.bad;
}

static inline int allocate_at(int fd, __u64 paddr)
{
	struct theseus_mm_allocate one = { .flags = THESEUS_MM_ALLOCATE_AT, .size = 1,
					   .at = paddr };

	return uapi_allocate_frames(fd, &one);
}

#endif /* TESTS_INJECT_H */
