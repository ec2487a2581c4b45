/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Export a mapping as a dma-buf, which other drivers can import.
 */
#ifndef TMM_DEVICE_CALL_DMABUF_H
#define TMM_DEVICE_CALL_DMABUF_H

#include <linux/compiler_types.h>
#include <linux/types.h>

struct dma_buf;
struct tmm_client;

struct dma_buf * __must_check tmm_dmabuf_create(struct tmm_client *client, u32 handle);

#endif /* TMM_DEVICE_CALL_DMABUF_H */
