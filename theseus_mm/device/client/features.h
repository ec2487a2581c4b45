/* SPDX-License-Identifier: GPL-2.0 */
/*
 * THESEUS_MM_FEATURE_*: the features of this module on this machine.
 *
 * Invariant: the features of an instance do not change.
 * Lock: none.
 * Owner: the instance.
 */
#ifndef TMM_DEVICE_CLIENT_FEATURES_H
#define TMM_DEVICE_CLIENT_FEATURES_H

#include <linux/types.h>

struct tmm_instance;

u64 tmm_features(const struct tmm_instance *inst);

#endif /* TMM_DEVICE_CLIENT_FEATURES_H */
