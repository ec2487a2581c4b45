// SPDX-License-Identifier: GPL-2.0
#include "picture.h"

#include "canvas.h"
#include "palette.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

/* "    0x40000000 " */
#define LABEL_WIDTH	15
#define MIN_COLUMNS	16
/* Columns of the bar that shows the share of a client. */
#define MIN_BAR		8
#define MAX_BAR		40

static unsigned int columns_of(const struct picture_style *style)
{
	unsigned int room = style->width > LABEL_WIDTH + MIN_COLUMNS ?
			    style->width - LABEL_WIDTH : MIN_COLUMNS;

	/* with a multiple of 8, the addresses on the left are round numbers */
	return room / 8 * 8;
}

uint32_t picture_cells(const struct picture_style *style)
{
	return columns_of(style) * style->max_rows;
}

/* Blocks have no letter, so they need colours to tell the owners apart. */
static bool draws_blocks(const struct picture_style *style)
{
	return style->has_blocks && style->colours;
}

static const char *colour_of(const struct picture_style *style, const struct look *look)
{
	return style->colours == 256 ? look->colour256 : look->colour8;
}

static void begin_colour(FILE *out, const struct picture_style *style, const struct look *look)
{
	if (style->colours)
		fprintf(out, "\033[%sm", colour_of(style, look));
}

static void end_colour(FILE *out, const struct picture_style *style)
{
	if (style->colours)
		fputs("\033[0m", out);
}

static void put_mark(FILE *out, const struct picture_style *style, const struct look *look)
{
	bool is_free = look->full == '.';

	begin_colour(out, style, look);
	if (draws_blocks(style) && !look->is_sign)
		fputs(is_free ? "·" : "█", out);
	else
		putc(look->full, out);
	end_colour(out, style);
}

/* --- the cells -------------------------------------------------------------------- */

static struct look look_of(const struct view *view, const struct cell *cell,
			   const struct picture_style *style)
{
	return style->by_owner ? look_of_owner(view, cell->owner) : look_of_use(cell->use);
}

/* The height of a block shows how much of the cell is used. */
static const char *block_of(const struct cell *cell)
{
	static const char *const blocks[] = {
		"·", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█",
	};
	uint32_t used = cell->nr - cell->uses[USE_FREE];

	return blocks[cell->nr ? ((uint64_t)used * 8 + cell->nr - 1) / cell->nr : 0];
}

static void draw_cell(FILE *out, const struct picture_style *style, const struct view *view,
		      const struct cell *cell, const char **last)
{
	const struct look look = look_of(view, cell, style);
	const char *colour = colour_of(style, &look);

	if (style->colours && colour != *last)
		fprintf(out, "\033[0;%sm", colour);
	*last = colour;
	if (draws_blocks(style) && !look.is_sign)
		fputs(block_of(cell), out);
	else
		putc(cell->uses[USE_FREE] ? look.part : look.full, out);
}

static void draw_cells(FILE *out, const struct picture_style *style, const struct view *view,
		       const struct view_region *region)
{
	unsigned int columns = columns_of(style);
	const char *last = NULL;
	uint32_t i;

	for (i = 0; i < region->nr_cells; i++) {
		if (i % columns == 0) {
			last = NULL;
			fprintf(out, "  %#12llx ", (unsigned long long)
				(region->region.start + cell_offset(region, i)));
		}
		draw_cell(out, style, view, &region->cells[i], &last);
		if (i % columns == columns - 1 || i == region->nr_cells - 1)
			fprintf(out, "%s\n", style->colours ? "\033[0m" : "");
	}
}

/* Write "one letter is 2 MiB, a small one is partly free". */
static void describe_cells(char *line, size_t room, const struct picture_style *style,
			   const struct view_region *region)
{
	char cell[TEXT_SIZE];

	snprintf(line, room, "one %s is %s, a %s one is partly free",
		 draws_blocks(style) ? "block" : "letter", size_text(cell, region->cell_bytes),
		 draws_blocks(style) ? "low" : "small");
}

static void draw_region(FILE *out, const struct picture_style *style, const struct view *view,
			uint32_t index)
{
	const struct view_region *region = &view->regions[index];
	char size[TEXT_SIZE], share[TEXT_SIZE], cells[128], line[256];
	uint64_t used = region->nr - region->uses[USE_FREE];

	describe_cells(cells, sizeof(cells), style, region);
	snprintf(line, sizeof(line), "region %u: %s, %s%s", index,
		 size_text(size, region->region.nr_bytes),
		 style->is_brief ? cells : share_text(share, used, region->nr),
		 style->is_brief ? "" : " used");
	canvas_paragraph(out, line, style->width);
	putc('\n', out);
	draw_cells(out, style, view, region);
	putc('\n', out);
}

static void draw_scale(FILE *out, const struct picture_style *style, const struct view *view)
{
	char line[128];

	if (style->is_brief || !view->info.nr_regions)
		return;
	describe_cells(line, sizeof(line), style, &view->regions[0]);
	canvas_paragraph(out, line, style->width);
	putc('\n', out);
}

/* --- the legend ------------------------------------------------------------------- */

static void draw_uses(FILE *out, const struct picture_style *style, const struct view *view)
{
	char text[TEXT_SIZE];
	struct look look;
	enum use use;

	for (use = 0; use < NR_USES; use++) {
		/* no line for bad frames if there are none */
		if (use == USE_BAD && !view->uses[use])
			continue;
		look = look_of_use(use);
		fputs("  ", out);
		put_mark(out, style, &look);
		fprintf(out, "  %-26s %s\n", use_name(use),
			size_text(text, view->uses[use] * TMM_PAGE_SIZE));
	}
}

/**
 * struct table - the columns for which the list of clients has room
 * @has_id: the number of the client
 * @has_pid: the process of the client
 * @has_user: the user of the client
 * @bar: width of the bar that shows the share
 * @lead: width of the name and of the columns that the members above describe
 */
struct table {
	bool has_id;
	bool has_pid;
	bool has_user;
	unsigned int bar;
	unsigned int lead;
};

/* "  A  " and " 1023.9 MiB  99.9 %" */
#define TABLE_MARK	5
#define TABLE_NAME	15
#define TABLE_NUMBERS	19

static struct table choose_columns(const struct picture_style *style)
{
	unsigned int rest = style->width;
	struct table table = { .lead = TABLE_NAME };

	if (rest < TABLE_MARK + TABLE_NAME + TABLE_NUMBERS)
		return table;
	rest -= TABLE_MARK + TABLE_NAME + TABLE_NUMBERS;
	table.has_pid = rest >= 8;
	rest -= table.has_pid ? 8 : 0;
	table.has_user = rest >= 11;
	rest -= table.has_user ? 11 : 0;
	table.has_id = rest >= 6 + MIN_BAR + 2;
	rest -= table.has_id ? 6 : 0;
	table.lead += (table.has_pid ? 8 : 0) + (table.has_user ? 11 : 0) + (table.has_id ? 6 : 0);
	if (rest >= MIN_BAR + 2)
		table.bar = rest - 2 < MAX_BAR ? rest - 2 : MAX_BAR;
	return table;
}

static void draw_bar(FILE *out, const struct picture_style *style, const struct look *look,
		     unsigned int width, double share)
{
	static const char *const ends[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
	unsigned int eighths = share * width * 8 + 0.5, i;

	fputs("  ", out);
	begin_colour(out, style, look);
	for (i = 0; i < eighths / 8; i++)
		fputs(style->has_blocks ? "█" : "=", out);
	if (style->has_blocks)
		fputs(ends[eighths % 8], out);
	end_colour(out, style);
}

static void draw_numbers(FILE *out, const struct picture_style *style, const struct table *table,
			 const struct look *look, uint64_t nr, const struct view *view)
{
	char size[TEXT_SIZE], share[TEXT_SIZE];

	fprintf(out, " %10s %7s", size_text(size, nr * TMM_PAGE_SIZE),
		share_text(share, nr, view->nr));
	if (table->bar && view->nr)
		draw_bar(out, style, look, table->bar, (double)nr / view->nr);
	putc('\n', out);
}

/* Draw a line for an owner that is not a visible client. */
static void draw_other(FILE *out, const struct picture_style *style, const struct table *table,
		       const struct view *view, int owner, const char *name, uint64_t nr)
{
	struct look look = look_of_owner(view, owner);

	fputs("  ", out);
	if (style->by_owner)
		put_mark(out, style, &look);
	else
		putc(' ', out);
	fprintf(out, "  %-*.*s", (int)table->lead, (int)table->lead, name);
	draw_numbers(out, style, table, &look, nr, view);
}

static void draw_client(FILE *out, const struct picture_style *style, const struct table *table,
			const struct view *view, uint32_t index)
{
	const struct tmm_client_entry *entry = &view->clients.entries[index];
	struct look look = look_of_owner(view, index);
	char text[TEXT_SIZE];

	fputs("  ", out);
	if (style->by_owner)
		put_mark(out, style, &look);
	else
		putc(' ', out);
	fprintf(out, "  %-*.*s", TABLE_NAME, TABLE_NAME, plain_text(text, entry->comm));
	if (table->has_pid && entry->pid)
		fprintf(out, " %7d", entry->pid);
	else if (table->has_pid)
		fprintf(out, " %7s", "?");
	if (table->has_user)
		fprintf(out, "  %-9.9s", user_text(text, entry->uid));
	if (table->has_id)
		fprintf(out, " %5u", entry->id);
	draw_numbers(out, style, table, &look, entry->nr_frames, view);
}

static void draw_head(FILE *out, const struct table *table)
{
	fprintf(out, "     %-*s", TABLE_NAME, "NAME");
	if (table->has_pid)
		fprintf(out, " %7s", "PID");
	if (table->has_user)
		fprintf(out, "  %-9s", "USER");
	if (table->has_id)
		fprintf(out, " %5s", "ID");
	fprintf(out, " %10s %7s\n", "SIZE", "SHARE");
}

static void draw_clients(FILE *out, const struct picture_style *style,
			 const struct table *table, const struct view *view)
{
	uint32_t nr = view->clients.nr, i;
	char text[TEXT_SIZE];
	uint64_t rest = 0;

	/* a single client keeps its line, since the line "1 more" takes as much room */
	if (nr > style->max_clients + 1)
		nr = style->max_clients;
	for (i = 0; i < nr; i++)
		draw_client(out, style, table, view, i);
	for (; i < view->clients.nr; i++)
		rest += view->clients.entries[i].nr_frames;
	if (nr < view->clients.nr) {
		snprintf(text, sizeof(text), "%u more", view->clients.nr - nr);
		draw_other(out, style, table, view, nr, text, rest);
	}
	if (view->clients.nr_hidden) {
		snprintf(text, sizeof(text), "of others (%u)", view->clients.nr_hidden);
		draw_other(out, style, table, view, OWNER_HIDDEN, text,
			   view->clients.hidden_frames);
	}
}

static void draw_owners(FILE *out, const struct picture_style *style, const struct view *view)
{
	const struct table table = choose_columns(style);

	draw_head(out, &table);
	draw_clients(out, style, &table, view);
	if (view->clients.orphan_frames)
		draw_other(out, style, &table, view, OWNER_KERNEL, "orphans",
			   view->clients.orphan_frames);
	draw_other(out, style, &table, view, OWNER_KERNEL, "kernel", view->kernel_frames);
	draw_other(out, style, &table, view, OWNER_METADATA, "bookkeeping",
		   view->uses[USE_METADATA]);
	if (view->uses[USE_BAD])
		draw_other(out, style, &table, view, OWNER_METADATA, "bad", view->uses[USE_BAD]);
	draw_other(out, style, &table, view, OWNER_NOBODY, "free", view->uses[USE_FREE]);
}

/* Draw the uses of the owned memory, which the cells do not show. */
static void draw_summary(FILE *out, const struct picture_style *style, const struct view *view)
{
	static const enum use uses[] = { USE_MAPPED, USE_ALLOCATED, USE_TABLES };
	struct look tables = look_of_owner(view, OWNER_TABLES);
	char line[256] = "of this: ", text[TEXT_SIZE];
	size_t i;

	for (i = 0; i < sizeof(uses) / sizeof(uses[0]); i++)
		snprintf(line + strlen(line), sizeof(line) - strlen(line), "%s%s %s",
			 i ? "; " : "", use_name(uses[i]),
			 size_text(text, view->uses[uses[i]] * TMM_PAGE_SIZE));
	snprintf(line + strlen(line), sizeof(line) - strlen(line), " (%c)", tables.full);
	putc('\n', out);
	canvas_paragraph(out, line, style->width);
}

/* --- free memory ------------------------------------------------------------------ */

static void draw_free_line(FILE *out, const struct picture_style *style,
			   const struct tmm_info *info)
{
	char free_text[TEXT_SIZE], total[TEXT_SIZE], runs[TEXT_SIZE], line[256];

	snprintf(line, sizeof(line), "free: %s of %s, in %s%s",
		 size_text(free_text, info->frames_free * TMM_PAGE_SIZE),
		 size_text(total, info->frames_total * TMM_PAGE_SIZE),
		 count_text(runs, info->frames_ranges, "run"),
		 style->is_brief ? "; the longest run for each page size:" : "");
	putc('\n', out);
	canvas_paragraph(out, line, style->width);
}

static void draw_brief_runs(FILE *out, const struct tmm_info *info)
{
	char run[TEXT_SIZE];
	unsigned int i;

	for (i = 0; i < 3; i++) {
		fprintf(out, "  %s  ", page_text(12 + 9 * i));
		if (info->frames_largest[i])
			fprintf(out, "%s (%llu)\n",
				size_text(run, info->frames_largest[i] * TMM_PAGE_SIZE),
				(unsigned long long)(info->frames_largest[i] >> 9 * i));
		else
			fprintf(out, "none\n");
	}
}

static void draw_runs(FILE *out, const struct tmm_info *info)
{
	char run[TEXT_SIZE], share[TEXT_SIZE];
	unsigned int i;

	fprintf(out, "\n  PAGE  LONGEST RUN    PAGES FRAGMENTED\n");
	for (i = 0; i < 3; i++)
		fprintf(out, "  %-5s %11s %8llu %10s\n", page_text(12 + 9 * i),
			info->frames_largest[i] ?
			size_text(run, info->frames_largest[i] * TMM_PAGE_SIZE) : "none",
			(unsigned long long)(info->frames_largest[i] >> 9 * i),
			share_text(share, info->frames_free - info->frames_largest[i],
				   info->frames_free));
}

static void draw_all(FILE *out, const struct view *view, const struct picture_style *style)
{
	uint32_t i;

	for (i = 0; i < view->info.nr_regions; i++)
		draw_region(out, style, view, i);
	draw_scale(out, style, view);
	if (!style->by_owner)
		draw_uses(out, style, view);
	if (!style->by_owner && !style->is_brief && view->has_clients)
		putc('\n', out);
	if (!style->is_brief && view->has_clients)
		draw_owners(out, style, view);
	if (style->by_owner)
		draw_summary(out, style, view);
	draw_free_line(out, style, &view->info);
	if (style->is_brief)
		draw_brief_runs(out, &view->info);
	else
		draw_runs(out, &view->info);
}

char *picture_text(const struct view *view, const struct picture_style *style)
{
	FILE *memory;
	char *text = NULL;
	size_t size;

	memory = open_memstream(&text, &size);
	if (!memory)
		return NULL;
	draw_all(memory, view, style);
	if (!fclose(memory))
		return text;
	free(text);
	return NULL;
}
