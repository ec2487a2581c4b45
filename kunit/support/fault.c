// SPDX-License-Identifier: GPL-2.0
#include "support/fault.h"

#include "support/fail_alloc.h"

#include <kunit/resource.h>
#include <kunit/test.h>

static int register_probe(struct kunit_resource *res, void *context)
{
	return tmm_fail_alloc_register();
}

static void unregister_probe(struct kunit_resource *res)
{
	tmm_fail_alloc_unregister();
}

/* Registers the probe once for each case. KUnit unregisters the probe when the case ends. */
static void need_probe(struct kunit *test)
{
	static const char name[] = "tmm_fault";
	struct kunit_resource *res = kunit_find_named_resource(test, name);

	if (!res) {
		res = kunit_alloc_and_get_resource(test, register_probe, unregister_probe,
						   GFP_KERNEL, NULL);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, res);
		res->name = name;
	}
	kunit_put_resource(res);
}

void tmm_test_fail_alloc(struct kunit *test, unsigned int nth)
{
	need_probe(test);
	tmm_fail_alloc_arm(nth, NULL, NULL);
}

bool tmm_test_fail_alloc_end(void)
{
	return tmm_fail_alloc_disarm();
}

void tmm_test_in_alloc(struct kunit *test, unsigned int nth, void (*meanwhile)(void *),
		       void *context)
{
	need_probe(test);
	tmm_fail_alloc_arm(nth, meanwhile, context);
}
