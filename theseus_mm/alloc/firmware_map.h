/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The firmware's memory map, and the map that Linux made from the firmware's map.
 * alloc/firmware_map.c makes all queries, since the functions that Linux offers for the maps
 * may change.
 *
 * A range was *taken* from Linux, for example with memmap=, if three conditions hold: all of
 * the range is RAM in the firmware's own map; no part of the range is reserved or used by ACPI
 * in that map; and no part is RAM in the map that Linux uses. (alloc/pool.c makes further
 * checks.) A *run* is a range of whole pages with the same use. A binary search finds the end of
 * a run, without a query for each page.
 *
 * Lock: none; the maps do not change after boot, and the module's copy not after the start.
 * Owner: Linux. A test has a map of its own, with its own answers.
 */
#ifndef TMM_ALLOC_FIRMWARE_MAP_H
#define TMM_ALLOC_FIRMWARE_MAP_H

#include <linux/types.h>

/* Kind of a byte in a map. */
enum tmm_map_kind {
	/* RAM in the firmware's map */
	TMM_MAP_RAM,
	/* reserved by the firmware */
	TMM_MAP_RESERVED,
	/* ACPI's tables or storage */
	TMM_MAP_ACPI,
	/* RAM that Linux uses */
	TMM_MAP_LINUX,
};

/* A map to query. */
struct tmm_firmware_map {
	/* true if a byte of [start, end) is of that kind */
	bool (*has)(const struct tmm_firmware_map *map, enum tmm_map_kind kind, u64 start,
		    u64 end);
	/* true if one entry of that kind contains all of [start, end) */
	bool (*is_all)(const struct tmm_firmware_map *map, enum tmm_map_kind kind, u64 start,
		       u64 end);
};

/* The map of this machine. */
extern const struct tmm_firmware_map tmm_firmware_map;

/* Use of a run of pages. */
enum tmm_map_use {
	/* RAM that neither Linux nor the firmware uses */
	TMM_USE_TAKEN,
	/* RAM that Linux uses */
	TMM_USE_LINUX,
	/* anything else: not RAM, only partly RAM, or RAM that the firmware uses */
	TMM_USE_OTHER,
};

int __must_check tmm_firmware_map_start(void);
void tmm_firmware_map_stop(void);
u64 tmm_firmware_map_run(const struct tmm_firmware_map *map, u64 start, u64 end,
			 enum tmm_map_use *use);
const char *tmm_firmware_map_why(const struct tmm_firmware_map *map, u64 page);

#endif /* TMM_ALLOC_FIRMWARE_MAP_H */
