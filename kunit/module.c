// SPDX-License-Identifier: GPL-2.0
#include "core/compat.h"

#include <linux/module.h>
#include <kunit/visibility.h>

MODULE_DESCRIPTION("KUnit suites of theseus_mm");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(TMM_COMPAT_NS(EXPORTED_FOR_KUNIT_TESTING));
MODULE_IMPORT_NS(TMM_COMPAT_NS(THESEUS_MM));
