/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The entries of the firmware's memory map that Linux shows in /sys/firmware/memmap, for kernels
 * that do not let modules query the map itself.
 *
 * The module reads the entries from Linux's objects behind the files of sysfs, and opens no file.
 * So whoever loads the module cannot show other entries by a root directory or a mount of their
 * own. Linux makes the objects at boot from the map that it passes to a kernel that kexec starts:
 * the firmware's map, in which Linux has changed some RAM to Reserved. Memory that is added later
 * gets an entry as well, which may overlap others.
 *
 * Lock: the kset's, while the entries are read, but not while the first entry is looked up, by
 * which the kset is found. That entry exists since boot. The copy does not change.
 * Owner: whoever calls tmm_firmware_entries_read().
 */
#ifndef TMM_ALLOC_FIRMWARE_ENTRIES_H
#define TMM_ALLOC_FIRMWARE_ENTRIES_H

#include "alloc/firmware_map.h"

struct kobject;

/* The bytes from @start to @last, both included. */
struct tmm_firmware_entry {
	u64 start;
	u64 last;
	enum tmm_map_kind kind;
};

/* All entries of a known kind. */
struct tmm_firmware_entries {
	/* NULL until read */
	struct tmm_firmware_entry *entries;
	unsigned int nr;
};

int __must_check tmm_firmware_entries_read(struct tmm_firmware_entries *read,
					   const struct kobject *firmware);
void tmm_firmware_entries_free(struct tmm_firmware_entries *read);
bool tmm_firmware_entries_any(const struct tmm_firmware_entries *read, enum tmm_map_kind kind,
			      u64 start, u64 end);

#endif /* TMM_ALLOC_FIRMWARE_ENTRIES_H */
