// SPDX-License-Identifier: GPL-2.0
/* A call between two looks at the marks. */
#include "bounds.h"
#include "marks.h"
#include "result.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

int bounds_failed(const struct bounds *bounds, const char *name, const char *size)
{
	return result_failed("bounds", "%s %s, %s: %s", name, size, bounds->situation,
			     strerrorname_np(errno));
}

/**
 * bounds_call() - make a call between two looks at the marks
 * @bounds: the state
 * @name: name of the call
 * @size: its size, "-" if it has none
 * @request: number of the call
 * @argument: argument of the call
 */
int bounds_call(const struct bounds *bounds, const char *name, const char *size,
		unsigned long request, void *argument)
{
	if (marks_begin() || ioctl(bounds->fd, request, argument))
		return bounds_failed(bounds, name, size);
	return marks_end(name, size, bounds->situation);
}

int bounds_drop(const struct bounds *bounds, const char *name, const char *size, uint32_t handle)
{
	struct theseus_mm_drop arg = { .handle = handle };

	return bounds_call(bounds, name, size, THESEUS_MM_IOC_DROP, &arg);
}
