/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Show a chosen range: the lines for the boot loaders, the reasons, and what to do next.
 */
#ifndef TMM_PROPOSAL_H
#define TMM_PROPOSAL_H

#include "machine.h"
#include "placement.h"

#include <linux/types.h>

#define MAX_NOTES	16
#define TEXT_NOTE	192
#define TEXT_LINE	128

/**
 * struct proposal - a range, and its lines
 * @machine: the machine
 * @request: what was asked for
 * @asked: the size before rounding
 * @root: folder with the files of another machine, or ""
 * @placement: the range
 * @memmap: the argument as Linux has to see it
 * @grub: a line of /etc/default/grub
 * @shell: the argument between double quotes of a shell
 * @regions: the module's parameter
 * @nr_notes: number of notes
 * @notes: facts that the user should know
 */
struct proposal {
	const struct machine *machine;
	const struct placement_request *request;
	__u64 asked;
	const char *root;
	struct placement placement;

	char memmap[TEXT_LINE];
	char grub[TEXT_LINE];
	char shell[TEXT_LINE];
	char regions[TEXT_LINE];
	unsigned int nr_notes;
	char notes[MAX_NOTES][TEXT_NOTE];
};

/* Write the lines and the notes; the members before them are set. */
void proposal_write(struct proposal *proposal);
/* Print the proposal on stdout. */
void proposal_print(const struct proposal *proposal);
void proposal_print_json(const struct proposal *proposal);

#endif /* TMM_PROPOSAL_H */
