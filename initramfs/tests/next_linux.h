/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The content that a client leaves in memory when its Linux ends: each page begins with a number.
 */
#ifndef TESTS_NEXT_LINUX_H
#define TESTS_NEXT_LINUX_H

/* The number of the first page; each other page has the next number. */
#define NEXT_LINUX_MARK		0x7e5e05a11e570000ULL
#define NEXT_LINUX_MARKS	1500

#endif /* TESTS_NEXT_LINUX_H */
