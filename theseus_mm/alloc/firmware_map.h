/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The firmware's memory map, and the map that Linux made of it. All queries are made here,
 * since the functions that Linux offers for them may change.
 *
 * RAM was *taken* from Linux, as memmap= does, if all of it is RAM in the firmware's own
 * map and none of it is in the map that Linux uses. (alloc/pool.h has further checks.) A
 * *run* is a range of whole pages of one use. Finding its end takes a few queries for each
 * doubling of its length, not one for each page.
 *
 * Lock: none; maps do not change after boot.
 * Owner: Linux. A test has a map of its own, with its own answers.
 */
#ifndef TMM_ALLOC_FIRMWARE_MAP_H
#define TMM_ALLOC_FIRMWARE_MAP_H

#include <linux/types.h>

/**
 * enum tmm_map_kind - kind of a byte in a map
 * @TMM_MAP_RAM: RAM in the firmware's map
 * @TMM_MAP_RESERVED: reserved by the firmware
 * @TMM_MAP_ACPI: ACPI's tables, or its storage
 * @TMM_MAP_LINUX: RAM that Linux uses
 */
enum tmm_map_kind {
	TMM_MAP_RAM,
	TMM_MAP_RESERVED,
	TMM_MAP_ACPI,
	TMM_MAP_LINUX,
};

/**
 * struct tmm_firmware_map - a map to query
 * @has: is a byte of [start, end) of that kind?
 * @is_all: does one entry of that kind contain all of [start, end)?
 */
struct tmm_firmware_map {
	bool (*has)(const struct tmm_firmware_map *map, enum tmm_map_kind kind, u64 start,
		    u64 end);
	bool (*is_all)(const struct tmm_firmware_map *map, enum tmm_map_kind kind, u64 start,
		       u64 end);
};

/* The map of this machine. */
extern const struct tmm_firmware_map tmm_firmware_map;

/**
 * enum tmm_map_use - use of a run of pages
 * @TMM_USE_TAKEN: RAM that neither Linux nor the firmware uses
 * @TMM_USE_LINUX: RAM that Linux uses
 * @TMM_USE_OTHER: not RAM, or not all of it
 */
enum tmm_map_use {
	TMM_USE_TAKEN,
	TMM_USE_LINUX,
	TMM_USE_OTHER,
};

u64 tmm_firmware_map_run(const struct tmm_firmware_map *map, u64 start, u64 end,
			 enum tmm_map_use *use);
const char *tmm_firmware_map_why(const struct tmm_firmware_map *map, u64 page);

#endif /* TMM_ALLOC_FIRMWARE_MAP_H */
