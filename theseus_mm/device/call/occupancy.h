/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parts that GET_OCCUPANCY divides a region into.
 *
 * Invariant: the parts cover the region, and all but the last are of one size.
 * Lock: none.
 * Owner: none; the parts are numbers.
 */
#ifndef TMM_DEVICE_CALL_OCCUPANCY_H
#define TMM_DEVICE_CALL_OCCUPANCY_H

#include <linux/types.h>

unsigned int tmm_occupancy_shift(u64 nr_frames);

#endif /* TMM_DEVICE_CALL_OCCUPANCY_H */
