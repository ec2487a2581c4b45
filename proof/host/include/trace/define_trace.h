/* SPDX-License-Identifier: GPL-2.0 */
/* Tracepoints do nothing here. */
