// SPDX-License-Identifier: GPL-2.0
/*
 * The picture has, from the top: a title, a bar of all memory by owner, a grid for each region,
 * the list of owners, and the free memory.
 */
#include "svg.h"

#include "palette.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WIDTH		1120
#define MARGIN		40
#define INNER		(WIDTH - 2 * MARGIN)
#define COLUMNS		64
#define LABEL		112
#define STEP		14.5
#define SIDE		13.5
#define LINE		26
#define HEAD		116
#define MAX_LISTED	24

/**
 * struct page - a picture that is being drawn
 * @out: where to write
 * @y: upper edge of the next element
 */
struct page {
	FILE *out;
	double y;
};

/* Write text with the special characters of XML escaped. */
static void put_xml(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (strchr("&<>\"'", *text))
			fprintf(out, "&#%d;", *text);
		else
			putc(*text, out);
	}
}

static void put_text(struct page *page, double x, double y, const char *class, const char *text)
{
	fprintf(page->out, "<text x=\"%g\" y=\"%g\" class=\"%s\">", x, y, class);
	put_xml(page->out, text);
	fputs("</text>\n", page->out);
}

static void put_box(struct page *page, double x, double y, double width, double height,
		    const char *colour)
{
	fprintf(page->out, "<rect x=\"%g\" y=\"%g\" width=\"%.2f\" height=\"%.2f\" rx=\"2\" "
		"fill=\"%s\"", x, y, width, height, colour);
}

static void put_plain_box(struct page *page, double x, double y, double width, double height,
			  const char *colour)
{
	put_box(page, x, y, width, height, colour);
	fputs("/>\n", page->out);
}

/* --- the list ------------------------------------------------------------------------ */

/**
 * struct line - a line of the list below the grids, and a piece of the bar above them
 * @rgb: colour of the owner
 * @name: name of the owner
 * @details: process and user
 * @nr: number of frames
 * @is_again: other lines contain these frames too, so the bar leaves them out
 */
struct line {
	const char *rgb;
	char name[TEXT_SIZE];
	char details[3 * TEXT_SIZE];
	uint64_t nr;
	bool is_again;
};

/**
 * struct list - all lines
 * @lines: the lines
 * @nr: number of lines
 */
struct list {
	struct line lines[MAX_LISTED + NR_USES + 4];
	unsigned int nr;
};

static struct line *add(struct list *list, const char *rgb, const char *name, uint64_t nr)
{
	struct line *line = &list->lines[list->nr++];

	line->rgb = rgb;
	line->nr = nr;
	snprintf(line->name, sizeof(line->name), "%s", name);
	return line;
}

static void add_client(struct list *list, const struct view *view, uint32_t index)
{
	const struct tmm_client_entry *entry = &view->clients.entries[index];
	char name[TEXT_SIZE], user[TEXT_SIZE];
	struct line *line = add(list, look_of_owner(view, index).rgb, plain_text(name, entry->comm),
				entry->nr_frames);

	user_text(user, entry->uid);
	if (entry->pid)
		snprintf(line->details, sizeof(line->details), "process %d, %s", entry->pid, user);
	else
		snprintf(line->details, sizeof(line->details), "%s", user);
}

static void list_owners(struct list *list, const struct view *view)
{
	uint32_t nr = view->clients.nr < MAX_LISTED ? view->clients.nr : MAX_LISTED, i;
	struct line *line;
	char name[TEXT_SIZE];
	uint64_t rest = 0;

	for (i = 0; i < nr; i++)
		add_client(list, view, i);
	for (; i < view->clients.nr; i++)
		rest += view->clients.entries[i].nr_frames;
	snprintf(name, sizeof(name), "%u more clients", view->clients.nr - nr);
	if (nr < view->clients.nr)
		add(list, look_of_owner(view, nr).rgb, name, rest);
	snprintf(name, sizeof(name), "clients of other users (%u)", view->clients.nr_hidden);
	if (view->clients.nr_hidden)
		add(list, look_of_owner(view, OWNER_HIDDEN).rgb, name, view->clients.hidden_frames);
	add(list, look_of_owner(view, OWNER_KERNEL).rgb, "kernel",
	    view->kernel_frames);
	if (view->clients.orphan_frames)
		add(list, look_of_owner(view, OWNER_KERNEL).rgb, "orphans",
		    view->clients.orphan_frames);
	add(list, look_of_owner(view, OWNER_METADATA).rgb, "bookkeeping", view->uses[USE_METADATA]);
	if (view->uses[USE_BAD])
		add(list, look_of_use(USE_BAD).rgb, use_name(USE_BAD), view->uses[USE_BAD]);
	add(list, look_of_owner(view, OWNER_NOBODY).rgb, "free", view->uses[USE_FREE]);
	line = add(list, look_of_owner(view, OWNER_TABLES).rgb, "page tables",
		   view->uses[USE_TABLES]);
	snprintf(line->details, sizeof(line->details), "counted above, for their owners");
	line->is_again = true;
}

static void list_uses(struct list *list, const struct view *view)
{
	enum use use;

	for (use = USE_MAPPED; use < NR_USES; use++)
		if (use != USE_BAD || view->uses[use])
			add(list, look_of_use(use).rgb, use_name(use), view->uses[use]);
	add(list, look_of_use(USE_FREE).rgb, use_name(USE_FREE), view->uses[USE_FREE]);
}

/* --- the grids ---------------------------------------------------------------------- */

static const char *owner_name(const struct view *view, int owner, char text[TEXT_SIZE])
{
	if (owner >= 0)
		return plain_text(text, view->clients.entries[owner].comm);
	switch (owner) {
	case OWNER_KERNEL:
		return "the kernel, or a closed client";
	case OWNER_HIDDEN:
		return "a client of another user";
	default:
		return "";
	}
}

/* Write the text that a browser shows for the cell under the mouse. */
static void put_title(struct page *page, const struct view *view,
		      const struct view_region *region, uint32_t index)
{
	const struct cell *cell = &region->cells[index];
	uint64_t offset = region->region.start + cell_offset(region, index);
	char text[TEXT_SIZE];
	const char *owner = view->has_clients ? owner_name(view, cell->owner, text) : "";
	enum use use;

	fprintf(page->out, "<title>%#llx", (unsigned long long)offset);
	if (*owner) {
		fputs(", ", page->out);
		put_xml(page->out, owner);
	}
	for (use = 0; use < NR_USES; use++)
		if (cell->uses[use])
			fprintf(page->out, "&#10;%s: %s", use_name(use),
				size_text(text, cell->uses[use] * TMM_PAGE_SIZE));
	fputs("</title>", page->out);
}

/* The height of the coloured part shows how much of the cell is used. */
static void put_cell(struct page *page, const struct view *view, const struct view_region *region,
		     uint32_t index, bool by_owner)
{
	const struct cell *cell = &region->cells[index];
	const struct look look = by_owner ? look_of_owner(view, cell->owner) :
					    look_of_use(cell->use);
	double x = MARGIN + LABEL + index % COLUMNS * STEP, y = page->y + index / COLUMNS * STEP;
	uint32_t used = cell->nr - cell->uses[USE_FREE];
	double height = cell->nr ? SIDE * used / cell->nr : 0;

	if (used && height < 2)
		height = 2;
	fputs("<g>", page->out);
	put_title(page, view, region, index);
	put_box(page, x, y, SIDE, SIDE, look_of_owner(view, OWNER_NOBODY).rgb);
	fputs("/>", page->out);
	if (used) {
		put_box(page, x, y + SIDE - height, SIDE, height, look.rgb);
		fputs("/>", page->out);
	}
	fputs("</g>\n", page->out);
}

static void put_region(struct page *page, const struct view *view, uint32_t index, bool by_owner)
{
	const struct view_region *region = &view->regions[index];
	char line[256], size[TEXT_SIZE], cell[TEXT_SIZE], share[TEXT_SIZE];
	uint32_t i;

	snprintf(line, sizeof(line), "Region %u: %s, %s used", index,
		 size_text(size, region->region.nr_bytes),
		 share_text(share, region->nr - region->uses[USE_FREE], region->nr));
	put_text(page, MARGIN, page->y + 16, "h", line);
	snprintf(line, sizeof(line), "one square is %s; its coloured part is used",
		 size_text(cell, region->cell_bytes));
	put_text(page, WIDTH - MARGIN, page->y + 16, "n e", line);
	page->y += 30;
	for (i = 0; i < region->nr_cells; i += COLUMNS) {
		snprintf(line, sizeof(line), "%#llx", (unsigned long long)
			 (region->region.start + cell_offset(region, i)));
		put_text(page, MARGIN + LABEL - 12, page->y + i / COLUMNS * STEP + 10.5, "a e",
			 line);
	}
	for (i = 0; i < region->nr_cells; i++)
		put_cell(page, view, region, i, by_owner);
	page->y += ((region->nr_cells - 1) / COLUMNS + 1) * STEP + 30;
}

/* --- the rest ----------------------------------------------------------------------- */

static void put_head(struct page *page, const struct view *view, const struct list *list)
{
	char line[256], host[64] = "", used[TEXT_SIZE], total[TEXT_SIZE], share[TEXT_SIZE];
	uint64_t nr = view->nr - view->uses[USE_FREE];
	double x = MARGIN, width;
	time_t now = time(NULL);
	unsigned int i;

	gethostname(host, sizeof(host) - 1);
	snprintf(line, sizeof(line), "theseus_mm: %s of %s used (%s)",
		 size_text(used, nr * TMM_PAGE_SIZE), size_text(total, view->nr * TMM_PAGE_SIZE),
		 share_text(share, nr, view->nr));
	put_text(page, MARGIN, 54, "t", line);
	strftime(line, sizeof(line), "%Y-%m-%d %H:%M:%S %Z", localtime(&now));
	if (strcmp(host, "(none)") && *host)
		snprintf(line + strlen(line), sizeof(line) - strlen(line), ", %s", host);
	put_text(page, WIDTH - MARGIN, 54, "n e", line);
	for (i = 0; i < list->nr && view->nr; i++) {
		if (list->lines[i].is_again)
			continue;
		width = (double)INNER * list->lines[i].nr / view->nr;
		put_plain_box(page, x, 76, width, 14, list->lines[i].rgb);
		x += width;
	}
	page->y = HEAD;
}

static void put_list(struct page *page, const struct view *view, const struct list *list,
		     const char *title)
{
	char size[TEXT_SIZE], share[TEXT_SIZE];
	double y;
	unsigned int i;

	put_text(page, MARGIN, page->y + 16, "h", title);
	page->y += 32;
	for (i = 0; i < list->nr; i++) {
		const struct line *line = &list->lines[i];

		y = page->y + i * LINE;
		put_plain_box(page, MARGIN, y, SIDE, SIDE, line->rgb);
		put_text(page, MARGIN + 24, y + 11.5, "b", line->name);
		put_text(page, MARGIN + 210, y + 11.5, "n", line->details);
		put_text(page, MARGIN + 510, y + 11.5, "b e",
			 size_text(size, line->nr * TMM_PAGE_SIZE));
		put_text(page, MARGIN + 590, y + 11.5, "n e",
			 share_text(share, line->nr, view->nr));
		put_plain_box(page, MARGIN + 610, y + 1, INNER - 610, 11, "#f4f6f8");
		put_plain_box(page, MARGIN + 610, y + 1,
			      view->nr ? (INNER - 610.0) * line->nr / view->nr : 0, 11, line->rgb);
	}
	page->y += list->nr * LINE + 20;
}

static void put_runs(struct page *page, const struct tmm_info *info)
{
	char line[256], size[TEXT_SIZE], total[TEXT_SIZE], share[TEXT_SIZE], runs[TEXT_SIZE];
	double y, part;
	unsigned int i;

	snprintf(line, sizeof(line), "Free: %s in %s",
		 size_text(total, info->frames_free * TMM_PAGE_SIZE),
		 count_text(runs, info->frames_ranges, "run"));
	put_text(page, MARGIN, page->y + 16, "h", line);
	put_text(page, WIDTH - MARGIN, page->y + 16, "n e",
		 "the longest free run for each page size, and the share of the free "
		 "memory outside it");
	page->y += 32;
	for (i = 0; i < 3; i++) {
		y = page->y + i * LINE;
		part = info->frames_free ? (double)info->frames_largest[i] / info->frames_free : 0;
		put_text(page, MARGIN + 24, y + 11.5, "b", page_text(12 + 9 * i));
		snprintf(line, sizeof(line), "%llu pages",
			 (unsigned long long)(info->frames_largest[i] >> 9 * i));
		put_text(page, MARGIN + 210, y + 11.5, "n", line);
		put_text(page, MARGIN + 510, y + 11.5, "b e", info->frames_largest[i] ?
			 size_text(size, info->frames_largest[i] * TMM_PAGE_SIZE) : "none");
		put_text(page, MARGIN + 590, y + 11.5, "n e",
			 share_text(share, info->frames_free - info->frames_largest[i],
				    info->frames_free));
		put_plain_box(page, MARGIN + 610, y + 1, INNER - 610, 11, "#f4f6f8");
		put_plain_box(page, MARGIN + 610, y + 1, (INNER - 610.0) * part, 11, "#7fa7d9");
	}
	page->y += 3 * LINE + 12;
}

/* Write the beginning of the document, which contains the height of the whole picture. */
static void begin(FILE *out, double height)
{
	fprintf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%.0f\" "
		"viewBox=\"0 0 %d %.0f\" role=\"img\">\n"
		"<title>theseus_mm: what the memory is used for</title>\n"
		"<style>text{font:13px system-ui,-apple-system,\"Segoe UI\",\"DejaVu Sans\","
		"sans-serif;fill:#26303a}.t{font-size:22px;font-weight:600}"
		".h{font-size:15px;font-weight:600}.n{fill:#6b7683}.e{text-anchor:end}"
		".a{font-family:\"DejaVu Sans Mono\",ui-monospace,Menlo,Consolas,monospace;"
		"font-size:11px;fill:#6b7683}g:hover rect{stroke:#26303a;stroke-width:1}</style>\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n",
		WIDTH, height, WIDTH, height);
}

void svg_draw(FILE *out, const struct view *view, bool by_owner)
{
	struct list *list = calloc(1, sizeof(*list));
	struct page page = { .out = out };
	double height = HEAD;
	uint32_t i;

	if (!list)
		return;
	if (by_owner)
		list_owners(list, view);
	else
		list_uses(list, view);
	for (i = 0; i < view->info.nr_regions; i++)
		height += 60 + ((view->regions[i].nr_cells - 1) / COLUMNS + 1) * STEP;
	height += 52 + list->nr * LINE + 32 + 3 * LINE + MARGIN;
	begin(out, height);
	put_head(&page, view, list);
	for (i = 0; i < view->info.nr_regions; i++)
		put_region(&page, view, i, by_owner);
	put_list(&page, view, list, by_owner ? "Owners" : "Uses");
	put_runs(&page, &view->info);
	fputs("</svg>\n", out);
	free(list);
}
