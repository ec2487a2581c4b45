// SPDX-License-Identifier: GPL-2.0
#include "alloc/firmware_map.h"

#include "alloc/firmware_entries.h"
#include "core/address.h"
#include "core/compat.h"

#include <asm/e820/api.h>
#include <kunit/visibility.h>
#include <linux/align.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/kobject.h>
#include <linux/printk.h>

/* The firmware's map, where Linux does not let modules query the map. Set while loading. */
static struct tmm_firmware_entries entries;

/*
 * Read the firmware's map if Linux does not let modules query the map. The function logs the
 * reason if it cannot. May sleep. Return: 0, -ENODEV or -ENOMEM.
 */
int tmm_firmware_map_start(void)
{
	int err;

	if (tmm_compat_has_raw_map())
		return 0;
	err = tmm_firmware_entries_read(&entries, firmware_kobj);
	if (err == -ENODEV)
		pr_err("/sys/firmware/memmap: refused: this kernel does not show the firmware's memory map there in the known form: use a kernel with CONFIG_FIRMWARE_MEMMAP that this module was tested with\n");
	return err;
}

void tmm_firmware_map_stop(void)
{
	tmm_firmware_entries_free(&entries);
}

static bool ask_firmware(enum tmm_map_kind kind, u64 start, u64 end)
{
	if (!tmm_compat_has_raw_map())
		return tmm_firmware_entries_any(&entries, kind, start, end);
	switch (kind) {
	case TMM_MAP_RAM:
		return tmm_compat_raw_map_any(start, end, E820_TYPE_RAM);
	case TMM_MAP_RESERVED:
		return tmm_compat_raw_map_any(start, end, E820_TYPE_RESERVED);
	case TMM_MAP_ACPI:
		return tmm_compat_raw_map_any(start, end, E820_TYPE_ACPI) ||
		       tmm_compat_raw_map_any(start, end, E820_TYPE_NVS);
	default:
		return false;
	}
}

/*
 * e820__mapped_any() reads the map after memmap= and other changes. No other file queries the
 * maps.
 */
static bool ask_map(enum tmm_map_kind kind, u64 start, u64 end)
{
	if (kind == TMM_MAP_LINUX)
		return e820__mapped_any(start, end, E820_TYPE_RAM);
	return ask_firmware(kind, start, end);
}

static bool has(const struct tmm_firmware_map *map, enum tmm_map_kind kind, u64 start, u64 end)
{
	return ask_map(kind, start, end);
}

/*
 * Linux skips an entry that begins at or after the end of the query, or ends at or before the
 * start of the query. With start and end swapped, Linux finds an entry that begins before
 * @start + 1 and ends after @end - 1, and so contains the whole range. A kernel that rejected
 * swapped arguments would answer no, and the module would refuse every region.
 */
static bool is_all(const struct tmm_firmware_map *map, enum tmm_map_kind kind, u64 start, u64 end)
{
	return ask_map(kind, end - 1, start + 1);
}

const struct tmm_firmware_map tmm_firmware_map = { .has = has, .is_all = is_all };
EXPORT_SYMBOL_IF_KUNIT(tmm_firmware_map);

static bool is_taken(const struct tmm_firmware_map *map, u64 start, u64 end)
{
	/* Where entries overlap, the more restrictive one counts. */
	return map->is_all(map, TMM_MAP_RAM, start, end) &&
	       !map->has(map, TMM_MAP_RESERVED, start, end) &&
	       !map->has(map, TMM_MAP_ACPI, start, end) &&
	       !map->has(map, TMM_MAP_LINUX, start, end);
}

/* True if all of [start, end) has one use; then @use is set to this use. */
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

/*
 * Find the use and the end of the run that begins at page @start. @start and @end are multiples
 * of 4096; the run ends at @end at most. Two adjacent entries with the same use may give two
 * runs. O(log(@end - @start)) queries. Return: the end of the run, above @start.
 */
u64 tmm_firmware_map_run(const struct tmm_firmware_map *map, u64 start, u64 end,
			 enum tmm_map_use *use)
{
	u64 known = start + TMM_PAGE_SIZE;
	enum tmm_map_use found;
	u64 middle;

	if (is_run(map, start, end, use))
		return end;
	/* RAM may end within the page. */
	if (!is_run(map, start, known, use)) {
		*use = TMM_USE_OTHER;
		return known;
	}
	/* The run reaches at least @known, but not @end. */
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

/*
 * Say why a page is not RAM that was taken from Linux. Return: text that follows "is" in a
 * message, or NULL if the page is such RAM.
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
