// SPDX-License-Identifier: GPL-2.0
#include "alloc/firmware_map.h"

#include "core/types.h"

#include <asm/e820/api.h>
#include <kunit/visibility.h>
#include <linux/align.h>
#include <linux/export.h>

/*
 * The only place that asks Linux: e820__mapped_raw_any() knows the firmware's map as it
 * was at boot, e820__mapped_any() what memmap= and others made of it.
 */
static bool ask(enum tmm_map_kind kind, u64 start, u64 end)
{
	switch (kind) {
	case TMM_MAP_RAM:
		return e820__mapped_raw_any(start, end, E820_TYPE_RAM);
	case TMM_MAP_RESERVED:
		return e820__mapped_raw_any(start, end, E820_TYPE_RESERVED);
	case TMM_MAP_ACPI:
		return e820__mapped_raw_any(start, end, E820_TYPE_ACPI) ||
		       e820__mapped_raw_any(start, end, E820_TYPE_NVS);
	case TMM_MAP_LINUX:
		return e820__mapped_any(start, end, E820_TYPE_RAM);
	}
	return false;
}

static bool has(const struct tmm_firmware_map *map, enum tmm_map_kind kind, u64 start, u64 end)
{
	return ask(kind, start, end);
}

/*
 * Linux passes over the entries that begin at or after the end it is given, or end at
 * or before the start. Given them the wrong way round, it finds an entry that begins
 * before @start + 1 and ends after @end - 1: one that holds all of it. A kernel that
 * minded would say no, and all would be refused.
 */
static bool is_all(const struct tmm_firmware_map *map, enum tmm_map_kind kind, u64 start, u64 end)
{
	return ask(kind, end - 1, start + 1);
}

const struct tmm_firmware_map tmm_firmware_map = { .has = has, .is_all = is_all };
EXPORT_SYMBOL_IF_KUNIT(tmm_firmware_map);

static bool is_taken(const struct tmm_firmware_map *map, u64 start, u64 end)
{
	/* Entries may overlap, and then the worse one counts. */
	return map->is_all(map, TMM_MAP_RAM, start, end) &&
	       !map->has(map, TMM_MAP_RESERVED, start, end) &&
	       !map->has(map, TMM_MAP_ACPI, start, end) &&
	       !map->has(map, TMM_MAP_LINUX, start, end);
}

/* Is all of [start, end) of one use? Of which? */
static bool is_run(const struct tmm_firmware_map *map, u64 start, u64 end, enum tmm_map_use *use)
{
	if (map->is_all(map, TMM_MAP_LINUX, start, end))
		*use = TMM_USE_LINUX;
	else if (!map->has(map, TMM_MAP_RAM, start, end))
		*use = TMM_USE_OTHER;
	else if (is_taken(map, start, end))
		*use = TMM_USE_TAKEN;
	else
		return false;
	return true;
}

/**
 * tmm_firmware_map_run() - what begins at a page, and where it ends
 * @map: whom to ask
 * @start: physical address, a multiple of 4096
 * @end: where to stop at the latest, a multiple of 4096 above @start
 * @use: set to what the run is
 *
 * Where a map has two entries for what is one, there are two runs.
 *
 * Context: Any. O(log(@end - @start)) questions.
 * Return: the end of the run, above @start
 */
u64 tmm_firmware_map_run(const struct tmm_firmware_map *map, u64 start, u64 end,
			 enum tmm_map_use *use)
{
	u64 known = start + TMM_PAGE_SIZE;
	enum tmm_map_use found;
	u64 middle;

	if (is_run(map, start, end, use))
		return end;
	/* RAM that ends within a page. */
	if (!is_run(map, start, known, use)) {
		*use = TMM_USE_OTHER;
		return known;
	}
	/* It lasts to @known at least, and not to @end. */
	while (end - known > TMM_PAGE_SIZE) {
		middle = known + ALIGN_DOWN((end - known) / 2, TMM_PAGE_SIZE);
		if (is_run(map, start, middle, &found) && found == *use)
			known = middle;
		else
			end = middle;
	}
	return known;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_firmware_map_run);

/**
 * tmm_firmware_map_why() - what makes a page something else than RAM that was taken
 * @map: whom to ask
 * @page: its physical address
 *
 * Context: Any.
 * Return: words that go behind "is"; NULL if nothing does
 */
const char *tmm_firmware_map_why(const struct tmm_firmware_map *map, u64 page)
{
	const u64 end = page + TMM_PAGE_SIZE;

	if (map->has(map, TMM_MAP_RESERVED, page, end))
		return "reserved by the firmware";
	if (map->has(map, TMM_MAP_ACPI, page, end))
		return "used by ACPI";
	if (!map->has(map, TMM_MAP_RAM, page, end))
		return "not RAM";
	if (map->has(map, TMM_MAP_LINUX, page, end))
		return "RAM in use by Linux";
	return map->is_all(map, TMM_MAP_RAM, page, end) ? NULL : "not RAM from end to end";
}
EXPORT_SYMBOL_IF_KUNIT(tmm_firmware_map_why);
