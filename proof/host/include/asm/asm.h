/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HOST_ASM_ASM_H
#define HOST_ASM_ASM_H
#define _ASM_EXTABLE_TYPE(from, to, type)	""
#endif
