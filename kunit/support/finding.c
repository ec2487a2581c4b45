// SPDX-License-Identifier: GPL-2.0
#include "support/finding.h"

#include "support/fixture.h"

#include <linux/kernel.h>

void tmm_finding_note(struct tmm_finding *finding, const char *fmt, ...)
{
	va_list args;

	if (*finding->text)
		return;
	va_start(args, fmt);
	vscnprintf(finding->text, sizeof(finding->text), fmt, args);
	va_end(args);
}

void tmm_finding_report(struct kunit *test, const struct tmm_finding *finding)
{
	if (*finding->text)
		KUNIT_FAIL(test, TMM_SEED_FMT "%s", tmm_test_seed(), finding->text);
}
