/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The first broken invariant that a check finds. Checks can run where KUnit must not be used, such
 * as under a lock: they note their finding, and the case reports it later.
 */
#ifndef TMM_KUNIT_FINDING_H
#define TMM_KUNIT_FINDING_H

#include <kunit/test.h>

/* The first broken invariant; empty if there is none. */
struct tmm_finding {
	char text[160];
};

/* Keeps the first message. */
void __printf(2, 3) tmm_finding_note(struct tmm_finding *finding, const char *fmt, ...);
/* Fails the running case if there is a finding. */
void tmm_finding_report(struct kunit *test, const struct tmm_finding *finding);

#endif /* TMM_KUNIT_FINDING_H */
