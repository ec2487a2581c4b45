// SPDX-License-Identifier: GPL-2.0
#include "proposal.h"

#include "file.h"
#include "json.h"
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Linux's decompressor gives up physical randomization if there are more (MAX_MEMMAP_REGIONS). */
#define MAX_KASLR_RANGES	4

__attribute__((format(printf, 2, 3)))
static void add_note(struct proposal *proposal, const char *format, ...)
{
	va_list arguments;

	if (proposal->nr_notes == MAX_NOTES)
		return;
	va_start(arguments, format);
	vsnprintf(proposal->notes[proposal->nr_notes++], TEXT_NOTE, format, arguments);
	va_end(arguments);
}

/*
 * The $ is removed twice on the way through GRUB. The shell that reads /etc/default/grub makes
 * \\\$ in double quotes a \$, and GRUB's own language makes that a $ in grub.cfg. The line adds to
 * the variable, so it can follow the lines that the file has.
 */
static void write_lines(struct proposal *proposal)
{
	char size[TEXT_SIZE], start[TEXT_SIZE];

	memparse_text(size, proposal->request->bytes);
	memparse_text(start, proposal->placement.start);
	snprintf(proposal->memmap, TEXT_LINE, "memmap=%s$%s", size, start);
	snprintf(proposal->grub, TEXT_LINE,
		 "GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX memmap=%s\\\\\\$%s\"", size, start);
	snprintf(proposal->shell, TEXT_LINE, "memmap=%s\\$%s", size, start);
	snprintf(proposal->regions, TEXT_LINE, "regions=%s@%s", size, start);
}

static void note_range(struct proposal *proposal, const struct range *range)
{
	const __u64 bytes = range->end - range->start;
	char size[TEXT_SIZE], text[TEXT_SIZE];

	add_note(proposal, "memmap= reserves %s at p%#llx already (regions=%s@%#llx).",
		 size_text(size, bytes), (unsigned long long)range->start,
		 memparse_text(text, bytes), (unsigned long long)range->start);
}

/* The notes about ranges come last, so that many ranges hide no other note. */
static void note_reserved(struct proposal *proposal)
{
	const struct cmdline *cmdline = &proposal->machine->cmdline;
	const size_t room = MAX_NOTES - proposal->nr_notes;
	const size_t nr = cmdline->nr <= room ? cmdline->nr : room - 1;
	const struct range *range;

	for (range = cmdline->reserved; range < cmdline->reserved + nr; range++)
		note_range(proposal, range);
	if (nr < cmdline->nr)
		add_note(proposal, "memmap= reserves %zu more ranges: tmm reserve --json lists all.",
			 (size_t)cmdline->nr - nr);
}

static void note_cmdline(struct proposal *proposal)
{
	const struct cmdline *cmdline = &proposal->machine->cmdline;

	if (cmdline->nr_without_dollar)
		add_note(proposal,
			 "A memmap= of the command line has no $, and so limits Linux's memory: remove it.");
	if (cmdline->nr + cmdline->nr_others >= MAX_KASLR_RANGES)
		add_note(proposal,
			 "With more than %u memmap= ranges, Linux's physical address is not randomized.",
			 MAX_KASLR_RANGES);
}

static void note_place(struct proposal *proposal)
{
	const struct placement *placement = &proposal->placement;
	char asked[TEXT_SIZE], size[TEXT_SIZE];

	if (proposal->asked != proposal->request->bytes)
		add_note(proposal, "The size is rounded up from %s to %s.",
			 size_text(asked, proposal->asked),
			 size_text(size, proposal->request->bytes));
	if (placement->start < DMA32_END)
		add_note(proposal, "There is no room for the range above 4 GiB.");
	if (placement->node == ANY_NODE && proposal->machine->nr_nodes > 1)
		add_note(proposal, "No NUMA node has room: the range may lie on several.");
	if (placement->align == ALIGN_SMALL)
		add_note(proposal, "No address with a larger alignment than 2 MiB has room.");
}

/* A module that is not signed cannot be loaded while Linux is locked down. */
static void note_lockdown(struct proposal *proposal)
{
	char path[4096], text[TEXT_NOTE];

	snprintf(path, sizeof(path), "%s/sys/kernel/security/lockdown", proposal->root);
	if (file_read_line(path, text, sizeof(text)) > 0 && !strstr(text, "[none]"))
		add_note(proposal, "Linux is locked down: it loads only modules with a trusted signature.");
}

static bool has_sections(const struct proposal *proposal)
{
	return proposal->placement.align >= ALIGN_SECTION &&
	       proposal->request->bytes % ALIGN_SECTION == 0;
}

void proposal_write(struct proposal *proposal)
{
	proposal->nr_notes = 0;
	write_lines(proposal);
	note_place(proposal);
	note_cmdline(proposal);
	note_lockdown(proposal);
	note_reserved(proposal);
}

static void print_reasons(const struct proposal *proposal)
{
	const struct machine *machine = proposal->machine;
	const struct placement *placement = &proposal->placement;
	char text[TEXT_SIZE], total[TEXT_SIZE], used[TEXT_SIZE];
	unsigned int i;

	printf("%s at p%#llx: a multiple of %s, %s 4 GiB",
	       size_text(text, proposal->request->bytes), (unsigned long long)placement->start,
	       size_text(total, placement->align),
	       placement->start < DMA32_END ? "below" : "above");
	if (placement->node != ANY_NODE)
		printf(", on NUMA node %d", placement->node);
	printf(".\nLinux keeps %s of %s, and uses %s now.\n",
	       size_text(text, machine->total - proposal->request->bytes),
	       size_text(total, machine->total), size_text(used, machine->used));
	printf("The module's parameter struct_pages=1 %s.\n",
	       has_sections(proposal) ? "is possible" : "needs a range chosen with --struct-pages");
	for (i = 0; i < proposal->nr_notes; i++)
		printf("%s\n", proposal->notes[i]);
}

void proposal_print(const struct proposal *proposal)
{
	print_reasons(proposal);
	printf("\n# GRUB: append this line to /etc/default/grub, then run update-grub\n%s\n",
	       proposal->grub);
	printf("\n# systemd-boot: append this word to the line in /etc/kernel/cmdline, then run\n"
	       "# kernel-install add \"$(uname -r)\" \"/boot/vmlinuz-$(uname -r)\". If there is no\n"
	       "# such file, write the words of /proc/cmdline into it first, without those that begin\n"
	       "# with initrd= or BOOT_IMAGE=.\n%s\n",
	       proposal->memmap);
	printf("\n# QEMU: add this word to -append \"...\" in a shell\n%s\n", proposal->shell);
	printf("\n# Then reboot, look for the range, which may be a part of a larger one, and load the\n"
	       "# module\n"
	       "grep Reserved /proc/iomem\nmodprobe theseus_mm %s\n", proposal->regions);
}

static void print_reserved(struct json *json, const struct cmdline *cmdline)
{
	const struct range *range;

	json_open_array(json, "reserved");
	for (range = cmdline->reserved; range < cmdline->reserved + cmdline->nr; range++) {
		json_open_object(json, NULL);
		json_address(json, "start", range->start);
		json_number(json, "bytes", range->end - range->start);
		json_close_object(json);
	}
	json_close_array(json);
}

void proposal_print_json(const struct proposal *proposal)
{
	const struct placement *placement = &proposal->placement;
	struct json json = json_begin(stdout, false);
	unsigned int i;

	json_address(&json, "start", placement->start);
	json_number(&json, "bytes", proposal->request->bytes);
	json_number(&json, "align", placement->align);
	if (placement->node == ANY_NODE)
		json_null(&json, "node");
	else
		json_number(&json, "node", placement->node);
	json_bool(&json, "struct_pages", has_sections(proposal));
	json_open_object(&json, "linux");
	json_number(&json, "bytes", proposal->machine->total);
	json_number(&json, "used", proposal->machine->used);
	json_number(&json, "kept", proposal->machine->total - proposal->request->bytes);
	json_close_object(&json);
	json_text(&json, "memmap", proposal->memmap);
	json_text(&json, "grub", proposal->grub);
	json_text(&json, "systemd_boot", proposal->memmap);
	json_text(&json, "qemu", proposal->shell);
	json_text(&json, "regions", proposal->regions);
	print_reserved(&json, &proposal->machine->cmdline);
	json_open_array(&json, "notes");
	for (i = 0; i < proposal->nr_notes; i++)
		json_text(&json, NULL, proposal->notes[i]);
	json_close_array(&json);
	json_end(&json);
}
