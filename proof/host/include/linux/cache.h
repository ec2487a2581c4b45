/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HOST_LINUX_CACHE_H
#define HOST_LINUX_CACHE_H
#define L1_CACHE_SHIFT 6
#define L1_CACHE_BYTES (1 << L1_CACHE_SHIFT)
#define ____cacheline_aligned
#endif
