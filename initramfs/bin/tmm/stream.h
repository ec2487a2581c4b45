/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Read a file whose size is not known: a pipe, a device, a file of /proc.
 */
#ifndef TMM_STREAM_H
#define TMM_STREAM_H

#include <stdint.h>
#include <tmm.h>

/**
 * stream_take() - read a file to its end, into a mapping that grows
 * @client: the client that will own the mapping
 * @name: name of the file
 * @fd: descriptor of the file
 * @nr_bytes: set to the number of bytes read
 *
 * The call needs no buffer in Linux's memory. In the module's memory, it needs the size of
 * the file and a few MiB more.
 *
 * Return: a mapping of one or more whole pages; or NULL after printing the error
 */
struct tmm_mapping *stream_take(struct tmm_client *client, const char *name, int fd,
				uint64_t *nr_bytes);

#endif /* TMM_STREAM_H */
