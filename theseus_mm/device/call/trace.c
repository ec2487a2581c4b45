// SPDX-License-Identifier: GPL-2.0
#define CREATE_TRACE_POINTS
#include "device/call/trace.h"

#include "uapi/linux/theseus_mm.h"

#include <linux/build_bug.h>
#include <linux/ioctl.h>

/* Check that the event gives each call the number that the call has in the user API. */
#define IS_NUMBER_OF(nr, name)	\
	TRACED_##name = BUILD_BUG_ON_ZERO(_IOC_NR(THESEUS_MM_IOC_##name) != (nr))
enum { TMM_TRACE_CALLS(IS_NUMBER_OF) };
