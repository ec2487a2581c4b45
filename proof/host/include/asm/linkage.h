/* SPDX-License-Identifier: GPL-2.0 */
/* No assembler needs these macros here. */
