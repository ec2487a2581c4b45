/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's command line: the memory that it takes from Linux.
 */
#ifndef TMM_CMDLINE_H
#define TMM_CMDLINE_H

#include "ranges.h"

/* More ranges than a boot loader's command line has room for. */
#define MAX_MEMMAP	1024

/**
 * struct cmdline - the arguments about memory
 * @nr: number of memmap=<size>$<start>
 * @reserved: their ranges, in the order of the command line
 * @nr_others: number of memmap= with another sign and an address, such as ! or #
 * @nr_without_dollar: number of memmap= that have only a size: the boot loader removed the $
 * @cma: the range of cma=<size>@<start>[-<end>]; empty if there is none
 */
struct cmdline {
	unsigned int nr;
	struct range reserved[MAX_MEMMAP];
	unsigned int nr_others;
	unsigned int nr_without_dollar;
	struct range cma;
};

/* Read a command line from a file. Return TMM_OK, or TMM_FAILED after printing the error. */
int cmdline_read(const char *path, struct cmdline *cmdline);

#endif /* TMM_CMDLINE_H */
