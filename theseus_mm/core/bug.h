/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The only way in which this module reports a bug of its own. A mistake of a caller gives
 * an errno, never a bug report. User space must not be able to cause a bug report.
 */
#ifndef TMM_CORE_BUG_H
#define TMM_CORE_BUG_H

#include <kunit/test-bug.h>
#include <linux/bug.h>

/*
 * Warn once and return true if @cond is true. If a KUnit case is running, the case also fails.
 * The caller then continues on the path that does the least damage.
 */
#define TMM_BUG_IF(cond) ({						\
	bool __broken = WARN_ON_ONCE(cond);				\
									\
	if (__broken)							\
		kunit_fail_current_test("invariant broken: " #cond);	\
	__broken;							\
})

#endif /* TMM_CORE_BUG_H */
