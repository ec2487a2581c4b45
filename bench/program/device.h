/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The calls of the module that are measured, as a program without the library makes them. All
 * functions return 0, or -1 with errno set.
 */
#ifndef BENCH_DEVICE_H
#define BENCH_DEVICE_H

#include <stdint.h>

#include <linux/theseus_mm.h>

int device_open(void);
int device_free_frames(int fd, unsigned long *nr);
int device_create(int fd, uint64_t nr_bytes, uint32_t *handle);
int device_drop(int fd, uint32_t handle);
int device_remap(int fd, uint32_t handle, uint64_t pte_flags);
int device_unmap(int fd, uint32_t handle, uint32_t *frames, uint32_t *nr_frames, uint32_t *pages);
int device_access(int fd, unsigned long call, uint32_t handle, void *buffer, uint64_t nr_bytes);
int device_batch(int fd, unsigned long call, void *items, uint32_t item_size, uint32_t nr);
int device_offset(int fd, uint32_t handle, int64_t *offset);

#endif /* BENCH_DEVICE_H */
