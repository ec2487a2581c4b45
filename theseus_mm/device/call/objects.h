/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Objects that DROP and DROP_BATCH take.
 */
#ifndef TMM_DEVICE_CALL_OBJECTS_H
#define TMM_DEVICE_CALL_OBJECTS_H

#include <linux/compiler_types.h>

struct tmm_client;
struct tmm_object;

struct tmm_object * __must_check
tmm_object_allow_drop(struct tmm_client *client, struct tmm_object *object);

#endif /* TMM_DEVICE_CALL_OBJECTS_H */
