/* SPDX-License-Identifier: GPL-2.0 */
#include <asm-generic/posix_types.h>
