/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What has an end that only reading shows: a pipe, a device, a file of /proc.
 */
#ifndef TMM_STREAM_H
#define TMM_STREAM_H

#include <stdint.h>
#include <tmm.h>

/**
 * stream_take() - read all there is, into a mapping that grows
 * @client: whose mapping it is to be
 * @name: of what is read
 * @fd: its descriptor
 * @nr_bytes: set to how much there was
 *
 * Of Linux's memory it takes nothing, of the module's as much as is read and a few MiB
 * more, and at most what there is for this client.
 *
 * Return: a mapping of whole pages, one at least; or NULL after it has said what failed
 */
struct tmm_mapping *stream_take(struct tmm_client *client, const char *name, int fd,
				uint64_t *nr_bytes);

#endif /* TMM_STREAM_H */
