/* SPDX-License-Identifier: GPL-2.0 */
/* A warning is a failure of the check. */
#ifndef HOST_LINUX_BUG_H
#define HOST_LINUX_BUG_H

#include "runtime.h"

#include <linux/build_bug.h>

#define WARN_ON(cond) ({						\
	bool __is_bad = !!(cond);					\
									\
	if (__is_bad)							\
		host_fail(__FILE__, __LINE__, "warning: " #cond);	\
	__is_bad;							\
})
#define WARN_ON_ONCE(cond)	WARN_ON(cond)
#define BUG_ON(cond)		((void)WARN_ON(cond))

#endif
