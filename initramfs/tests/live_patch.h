/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Let Linux change its own code safely while a test switches a tracer, an event or a probe.
 *
 * While Linux changes an instruction, a breakpoint stands there for a moment. Under QEMU's
 * emulator another CPU may still see that breakpoint later. Linux 6.1 then tries the instruction
 * again, but Linux 6.12 ends with "Oops: int3". With one CPU online nobody else can see the
 * breakpoint.
 */
#ifndef TESTS_LIVE_PATCH_H
#define TESTS_LIVE_PATCH_H

#include "text.h"

#define TRACEFS	"/sys/kernel/tracing/"

static inline bool live_patch_set_online(const char *online)
{
	char path[64];
	bool ok = true;
	int cpu;

	for (cpu = 1; ; cpu++) {
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online", cpu);
		if (access(path, W_OK))
			return ok;
		ok = text_write(path, online) && ok;
	}
}

/*
 * Leave only the first CPU online. If a test ends before live_patch_end(), the guest's init brings
 * the CPUs back and reports the program.
 */
static inline bool live_patch_begin(void)
{
	return live_patch_set_online("0");
}

/* Bring all CPUs back. */
static inline bool live_patch_end(void)
{
	return live_patch_set_online("1");
}

#endif /* TESTS_LIVE_PATCH_H */
