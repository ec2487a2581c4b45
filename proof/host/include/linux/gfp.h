/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HOST_LINUX_GFP_H
#define HOST_LINUX_GFP_H

/* Only whether memory is cleared, and whether the request may fail, matters to the checks. */
#define GFP_KERNEL		0u
#define GFP_KERNEL_ACCOUNT	0u
#define __GFP_NOWARN		0u
#define __GFP_ZERO		1u
#define __GFP_NOFAIL		2u

#endif
