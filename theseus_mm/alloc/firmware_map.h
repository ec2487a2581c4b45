/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The firmware's map: what it says of memory, and what Linux made of it. All who ask
 * do so here, since Linux does not offer the same questions for ever.
 *
 * RAM that was *taken* is RAM from end to end in the firmware's own map, and none in
 * the one that Linux works with: what memmap= does to a range. (It takes more to be
 * sure, see alloc/pool.h.) A *run* is a stretch of whole pages of one use. To find its
 * end takes a few questions for each doubling of its length, and none for each page.
 *
 * Lock: none; maps do not change after boot.
 * Owner: Linux. A test has a map of its own, with its own answers.
 */
#ifndef TMM_ALLOC_FIRMWARE_MAP_H
#define TMM_ALLOC_FIRMWARE_MAP_H

#include <linux/types.h>

/**
 * enum tmm_map_kind - what a byte can be in a map
 * @TMM_MAP_RAM: RAM, says the firmware
 * @TMM_MAP_RESERVED: the firmware's own
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
 * struct tmm_firmware_map - whom to ask
 * @has: is a byte of [start, end) of that kind?
 * @is_all: are all of them, in one entry of the map?
 */
struct tmm_firmware_map {
	bool (*has)(const struct tmm_firmware_map *map, enum tmm_map_kind kind, u64 start,
		    u64 end);
	bool (*is_all)(const struct tmm_firmware_map *map, enum tmm_map_kind kind, u64 start,
		       u64 end);
};

/* This machine's. */
extern const struct tmm_firmware_map tmm_firmware_map;

/**
 * enum tmm_map_use - what a run of pages is
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
