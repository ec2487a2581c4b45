/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one way this module says that it is itself broken. A caller's mistake is
 * an errno and never comes here; nothing user space does may.
 */
#ifndef TMM_CORE_BUG_H
#define TMM_CORE_BUG_H

#include <kunit/test-bug.h>
#include <linux/bug.h>

/*
 * True if @cond holds, after a warning (and a failed case, if a KUnit case is
 * running). The caller then takes the path that loses least.
 */
#define TMM_BUG_IF(cond) ({						\
	bool __broken = WARN_ON_ONCE(cond);				\
									\
	if (__broken)							\
		kunit_fail_current_test("invariant broken: " #cond);	\
	__broken;							\
})

#endif /* TMM_CORE_BUG_H */
