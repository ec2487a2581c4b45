/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HOST_LINUX_CACHE_H
#define HOST_LINUX_CACHE_H
#define ____cacheline_aligned
#endif
