// SPDX-License-Identifier: GPL-2.0
/*
 * The public mapping functions apply mapping/ to the module's instance and the kernel's
 * context.
 */
#include "core/compat.h"
#include "kernel/instance.h"

#include "include/linux/theseus_mm.h"
#include "mapping/create.h"
#include "mapping/create_identity.h"
#include "mapping/instance.h"
#include "mapping/instance_devices.h"
#include "paging/mapper.h"
#include "paging/translate.h"

#include <linux/errno.h>

/**
 * tmm_create_mapping() - map new pages to new frames
 * @nr_bytes: size, rounded up to whole pages
 * @flags: permissions of the mapping
 *
 * The mapping is under the active root of the kernel's context. The frames still have the
 * content of their last owner.
 *
 * Theseus: create_mapping()
 *
 * Context: Process context, may sleep. O(leaves).
 * Return: the mapping, which the caller owns until tmm_mapped_pages_drop(), or an error of
 * tmm_instance_create_mapping()
 */
struct tmm_mapped_pages *tmm_create_mapping(u64 nr_bytes, tmm_pte_flags_t flags)
{
	struct tmm_page_table *pt = tmm_kernel_page_table();
	struct tmm_mapped_pages *mp =
		tmm_instance_create_mapping(tmm_kernel_instance(), pt, nr_bytes, flags, false);

	tmm_kernel_page_table_put(pt);
	return mp;
}
EXPORT_SYMBOL_TMM(tmm_create_mapping);

/**
 * tmm_create_contiguous_mapping() - map new pages to one run of new frames
 * @nr_bytes: size, rounded up to whole pages
 * @flags: permissions of the mapping
 * @paddr: set to the physical address, on success only
 *
 * Theseus: create_contiguous_mapping()
 *
 * Context: Process context, may sleep. O(leaves).
 * Return: as tmm_create_mapping()
 */
struct tmm_mapped_pages *tmm_create_contiguous_mapping(u64 nr_bytes, tmm_pte_flags_t flags,
						       struct tmm_paddr *paddr)
{
	struct tmm_page_table *pt = tmm_kernel_page_table();
	struct tmm_mapped_pages *mp =
		tmm_instance_create_contiguous_mapping(tmm_kernel_instance(), pt, nr_bytes, flags,
						       false, paddr);

	tmm_kernel_page_table_put(pt);
	return mp;
}
EXPORT_SYMBOL_TMM(tmm_create_contiguous_mapping);

/**
 * tmm_create_identity_mapping() - map new frames at virtual addresses equal to the physical ones
 * @nr_pages: number of contiguous pages of 4 KiB
 * @flags: permissions of the mapping
 *
 * Theseus: create_identity_mapping()
 *
 * Context: Process context, may sleep. O(leaves).
 * Return: the mapping, which the caller owns until tmm_mapped_pages_drop(), or an error of
 * tmm_instance_create_identity_mapping()
 */
struct tmm_mapped_pages *tmm_create_identity_mapping(u64 nr_pages, tmm_pte_flags_t flags)
{
	const struct tmm_allocation_request req = tmm_request_any(nr_pages);

	return tmm_create_identity_mapping_by_request(&req, flags);
}
EXPORT_SYMBOL_TMM(tmm_create_identity_mapping);

/**
 * tmm_create_identity_mapping_by_request() - create an identity mapping of chosen frames
 * @req: the frames: at an address, aligned, or in a range; also of reserved regions
 * @flags: permissions of the mapping
 *
 * Context: Process context, may sleep. O(leaves).
 * Return: as tmm_create_identity_mapping()
 */
struct tmm_mapped_pages *
tmm_create_identity_mapping_by_request(const struct tmm_allocation_request *req,
				       tmm_pte_flags_t flags)
{
	struct tmm_page_table *pt = tmm_kernel_page_table();
	struct tmm_mapped_pages *mp =
		tmm_instance_create_identity_mapping(tmm_kernel_instance(), pt, req, flags, false);

	tmm_kernel_page_table_put(pt);
	return mp;
}
EXPORT_SYMBOL_TMM(tmm_create_identity_mapping_by_request);

/**
 * tmm_map_frame_range() - map new pages to the frames at an address
 * @start: physical address; the mapping starts at the frame that contains @start
 * @nr_bytes: number of bytes from @start on that the mapping covers
 * @flags: permissions of the mapping; TMM_MMIO_FLAGS for registers
 *
 * Theseus: map_frame_range()
 *
 * Context: Process context, may sleep. O(leaves).
 * Return: the mapping, which the caller owns until tmm_mapped_pages_drop(), or an error of
 * tmm_instance_map_frame_range()
 */
struct tmm_mapped_pages *tmm_map_frame_range(struct tmm_paddr start, u64 nr_bytes,
					     tmm_pte_flags_t flags)
{
	struct tmm_page_table *pt = tmm_kernel_page_table();
	struct tmm_mapped_pages *mp =
		tmm_instance_map_frame_range(tmm_kernel_instance(), pt, start, nr_bytes, flags);

	tmm_kernel_page_table_put(pt);
	return mp;
}
EXPORT_SYMBOL_TMM(tmm_map_frame_range);

/**
 * tmm_mapped_pages_empty() - create an empty mapping
 *
 * The mapping is under the active root of the kernel's context.
 *
 * Theseus: MappedPages::empty()
 *
 * Context: Process context, may sleep.
 * Return: the mapping, which the caller owns until tmm_mapped_pages_drop(), or
 * ERR_PTR(-ENOMEM)
 */
struct tmm_mapped_pages *tmm_mapped_pages_empty(void)
{
	struct tmm_allocated_pages *pages = tmm_allocated_pages_empty();
	struct tmm_mapped_pages *mp;
	struct tmm_page_table *pt;

	if (IS_ERR(pages))
		return ERR_CAST(pages);
	pt = tmm_kernel_page_table();
	mp = tmm_mapped_pages_begin(pt, pages, TMM_PTE_DEFAULT);
	tmm_kernel_page_table_put(pt);
	if (mp)
		return mp;
	tmm_allocated_pages_drop(&pages);
	return ERR_PTR(-ENOMEM);
}
EXPORT_SYMBOL_TMM(tmm_mapped_pages_empty);

/**
 * tmm_add_reserved_region() - make device memory available for allocation
 * @start: physical address, a multiple of 4096
 * @nr_bytes: size, a multiple of 4096
 * @type: memory type of every mapping of the region
 *
 * An allocation gets frames of the region only if the request names their address. The caller
 * keeps the device in place until the region is removed.
 *
 * Theseus: the reserved regions of frame_allocator, which can be added but never removed
 *
 * Context: Process context, may sleep.
 * Return: 0, or an error of tmm_device_region_add()
 */
int tmm_add_reserved_region(struct tmm_paddr start, u64 nr_bytes, enum tmm_memory_type type)
{
	return tmm_instance_add_reserved_region(tmm_kernel_instance(), start, nr_bytes, type);
}
EXPORT_SYMBOL_TMM(tmm_add_reserved_region);

/**
 * tmm_remove_reserved_region() - undo tmm_add_reserved_region()
 * @start: as passed to tmm_add_reserved_region()
 * @nr_bytes: as passed to tmm_add_reserved_region()
 *
 * Context: Process context, may sleep.
 * Return:
 * * 0       - the region is removed
 * * -ERANGE - no such region was added
 * * -EBUSY  - a frame of the region is owned; nothing changed
 */
int tmm_remove_reserved_region(struct tmm_paddr start, u64 nr_bytes)
{
	return tmm_instance_remove_reserved_region(tmm_kernel_instance(), start, nr_bytes);
}
EXPORT_SYMBOL_TMM(tmm_remove_reserved_region);

/**
 * tmm_translate() - the physical address behind a virtual one
 * @vaddr: an address under the active root of the kernel's context
 * @paddr: set on success only
 *
 * Theseus: translate()
 *
 * Context: Any but interrupt. O(levels).
 * Return: 0, or -ENOENT if nothing is mapped at @vaddr
 */
int tmm_translate(struct tmm_vaddr vaddr, struct tmm_paddr *paddr)
{
	struct tmm_page_table *pt = tmm_kernel_page_table();
	struct tmm_translation found;
	int err;

	err = tmm_mapper_translate(pt, vaddr, &found);
	tmm_kernel_page_table_put(pt);
	if (err)
		return err;
	*paddr = found.paddr;
	return 0;
}
EXPORT_SYMBOL_TMM(tmm_translate);
