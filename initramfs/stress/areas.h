/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Operations of the storm on areas, by the program and by Linux for it. Each returns 0, a positive
 * errno, or NO_OBJECT.
 */
#ifndef STRESS_AREAS_H
#define STRESS_AREAS_H

#include <errno.h>

#include "worker.h"

/* Return: the errno of a system call that has returned @result; 0 if the call has succeeded */
static inline int error_of(long result)
{
	return result < 0 ? errno : 0;
}

int act_mmap(struct worker *worker);
int act_mmap_fd(struct worker *worker);
int act_munmap(struct worker *worker);
int act_mprotect(struct worker *worker);
int act_mremap(struct worker *worker);
int act_madvise(struct worker *worker);
int act_lock(struct worker *worker);
int act_load(struct worker *worker);
int act_store(struct worker *worker);
int act_vm_readv(struct worker *worker);
int act_vmsplice(struct worker *worker);

#endif /* STRESS_AREAS_H */
