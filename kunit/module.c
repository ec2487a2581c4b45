// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>
#include <kunit/visibility.h>

MODULE_DESCRIPTION("KUnit suites of theseus_mm");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
