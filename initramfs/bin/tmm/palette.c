// SPDX-License-Identifier: GPL-2.0
#include "palette.h"

#define FREE_LOOK	{ '.', '.', false, "2", "38;5;242", "#eceff3" }
#define TABLES_LOOK	{ '#', '#', true, "36", "38;5;37", "#5b6b7b" }
#define METADATA_LOOK	{ '=', '=', true, "35", "38;5;245", "#a3adb8" }

/*
 * Each use has its own letter, so that the picture also works without colours. A capital letter is
 * a cell without free frames.
 */
struct look look_of_use(enum use use)
{
	static const struct look looks[NR_USES] = {
		[USE_FREE] = FREE_LOOK,
		[USE_MAPPED] = { 'M', 'm', false, "32", "38;5;71", "#3a9d5d" },
		[USE_ALLOCATED] = { 'A', 'a', false, "33", "38;5;214", "#e8a33d" },
		[USE_TABLES] = { 'T', 't', false, "36", "38;5;44", "#2b8fa8" },
		[USE_METADATA] = { 'B', 'b', false, "35", "38;5;134", "#9863b5" },
		[USE_BAD] = { 'X', 'x', false, "31", "38;5;160", "#c0282d" },
	};

	return looks[use];
}

/* Colours that are next to each other here differ in hue and in lightness. */
static const struct look hues[NR_HUES] = {
	{ .colour8 = "34", .colour256 = "38;5;33", .rgb = "#2f6fd0" },
	{ .colour8 = "33", .colour256 = "38;5;214", .rgb = "#f08c1e" },
	{ .colour8 = "32", .colour256 = "38;5;71", .rgb = "#3a9d5d" },
	{ .colour8 = "31", .colour256 = "38;5;197", .rgb = "#d6395b" },
	{ .colour8 = "35", .colour256 = "38;5;134", .rgb = "#8a55c4" },
	{ .colour8 = "36", .colour256 = "38;5;44", .rgb = "#1fa7b8" },
	{ .colour8 = "93", .colour256 = "38;5;185", .rgb = "#c7b42c" },
	{ .colour8 = "95", .colour256 = "38;5;211", .rgb = "#ef7fa8" },
	{ .colour8 = "92", .colour256 = "38;5;113", .rgb = "#8ac44a" },
	{ .colour8 = "94", .colour256 = "38;5;111", .rgb = "#86aef0" },
	{ .colour8 = "91", .colour256 = "38;5;137", .rgb = "#a9744f" },
	{ .colour8 = "96", .colour256 = "38;5;29", .rgb = "#17695a" },
};

static struct look look_of_slot(unsigned int slot)
{
	struct look look = { .colour8 = "37", .colour256 = "38;5;250", .rgb = "#c4cad1" };

	if (slot < NR_HUES)
		look = hues[slot];
	look.full = slot < NR_LETTERS ? 'A' + slot : '+';
	look.part = slot < NR_LETTERS ? 'a' + slot : '+';
	return look;
}

struct look look_of_owner(const struct view *view, int owner)
{
	static const struct look others[] = {
		[-OWNER_NOBODY] = FREE_LOOK,
		[-OWNER_KERNEL] = { '*', '*', false, "37", "38;5;253", "#2c3540" },
		[-OWNER_HIDDEN] = { '?', '?', false, "37", "38;5;180", "#d8c9a3" },
		[-OWNER_TABLES] = TABLES_LOOK,
		[-OWNER_METADATA] = METADATA_LOOK,
	};

	return owner >= 0 ? look_of_slot(view->slots[owner]) : others[-owner];
}
