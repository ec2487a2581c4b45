/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The firmware's memory map, as Linux shows it in /sys/firmware/memmap.
 */
#ifndef TMM_FIRMWARE_H
#define TMM_FIRMWARE_H

#include "ranges.h"

/* Room for a message about a file. */
#define TEXT_PROBLEM	4352

/*
 * Read the RAM in the map in folder @dir. Where entries overlap, RAM is only what no other type
 * covers. False if the map cannot be read or is malformed; then @ram is empty, and @problem says
 * why.
 */
bool firmware_read_ram(const char *dir, struct ranges *ram, char problem[TEXT_PROBLEM]);

#endif /* TMM_FIRMWARE_H */
