/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The device whose memory lives of the storm add as regions. It can go and come back.
 */
#ifndef STRESS_DEVICE_H
#define STRESS_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Return: the address of the device's memory, or 0 if there is no device
 * @comes_back: the device will go, and must have the same address when it comes back
 */
uint64_t device_find(bool comes_back);

/*
 * Remove the device regions that lives have added, as values.c chooses them.
 *
 * Return: false if somebody still owns a frame of one of them
 */
bool device_remove_regions(int fd, uint64_t device);

/* Return: has nobody claimed a part of the device's memory? */
bool device_is_unclaimed(int fd, uint64_t device);

/*
 * Remove the device while a client has a region, a mapping and an area of its memory, and bring the
 * device back. @pause: microseconds in which the device is away
 */
void device_go_and_come(int fd, uint64_t device, unsigned int pause);

#endif /* STRESS_DEVICE_H */
