/* SPDX-License-Identifier: GPL-2.0 */
/* Stands in for the module's header of the same name, whose other contents need a whole kernel. */
#ifndef HOST_CORE_COMPAT_H
#define HOST_CORE_COMPAT_H

#include "core/page.h"

#include <linux/export.h>
#include <linux/kernel.h>

#define TMM_UNINITIALIZED
#define EXPORT_SYMBOL_TMM(symbol)

#endif
