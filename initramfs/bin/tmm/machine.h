/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The memory of a machine, as Linux describes it in /proc and /sys: RAM that could be reserved at
 * the next boot, and the rest that must stay with Linux.
 */
#ifndef TMM_MACHINE_H
#define TMM_MACHINE_H

#include "cmdline.h"
#include "ranges.h"

#include <stdbool.h>

/* Machines have up to 16 nodes; the memory of further nodes counts as memory without a node. */
#define MAX_NODES	64

/**
 * struct node - a NUMA node
 * @id: its number in Linux
 * @memory: its addresses, as far as Linux uses the memory
 */
struct node {
	unsigned int id;
	struct ranges memory;
};

/**
 * struct machine - the memory of a machine
 * @cmdline: what the command line takes from Linux now
 * @ram: RAM that the firmware and the boot loader list, and that Linux uses
 * @free: the part of @ram without the kernel, the crash kernel, the initrd and the like
 * @total: bytes that Linux manages (MemTotal)
 * @used: the part of @total that Linux cannot do without at present
 * @nr_nodes: number of nodes with memory; 0 if Linux does not tell
 * @nodes: the nodes
 */
struct machine {
	struct cmdline cmdline;
	struct ranges ram;
	struct ranges free;
	__u64 total;
	__u64 used;
	unsigned int nr_nodes;
	struct node nodes[MAX_NODES];
};

/*
 * Read the memory of this machine, or with @root of another machine, from copies of its files
 * below folder @root. Return TMM_OK, or TMM_FAILED after printing the error.
 */
int machine_read(const char *root, struct machine *machine);

#endif /* TMM_MACHINE_H */
