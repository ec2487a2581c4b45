// SPDX-License-Identifier: GPL-2.0
#include "mapping/kernel_api.h"

#include "include/theseus_mm.h"
#include "mapping/instance.h"
#include "paging/mapper.h"

#include <linux/errno.h>
#include <linux/export.h>

/* Set before anyone can link to us, cleared after the last has gone. */
static struct tmm_instance *kernel_instance;

/**
 * tmm_kernel_api_publish() - name the instance that the public functions use
 * @inst: the instance, or NULL
 */
void tmm_kernel_api_publish(struct tmm_instance *inst)
{
	kernel_instance = inst;
}

/**
 * tmm_allocate_frames() - take frames
 * @nr_frames: how many of 4 KiB, contiguous
 *
 * They hold what their last owner left: see tmm_allocated_frames_zero().
 *
 * Theseus: allocate_frames()
 *
 * Context: Process context, may sleep. O(log n).
 * Return: the frames, the caller's until tmm_allocated_frames_drop();
 * ERR_PTR(-EINVAL) for none, ERR_PTR(-ENOSPC) or ERR_PTR(-ENOMEM)
 */
struct tmm_allocated_frames *tmm_allocate_frames(u64 nr_frames)
{
	struct tmm_allocation_request req = tmm_request_any(nr_frames);

	return tmm_frame_allocator_allocate(&kernel_instance->fa, &req);
}
EXPORT_SYMBOL_GPL(tmm_allocate_frames);

/**
 * tmm_allocate_pages() - take pages
 * @nr_pages: how many of 4 KiB, contiguous
 *
 * Theseus: allocate_pages()
 *
 * Context: Process context, may sleep. O(log n).
 * Return: the pages, the caller's until tmm_allocated_pages_drop();
 * ERR_PTR(-EINVAL) for none, ERR_PTR(-ENOSPC) or ERR_PTR(-ENOMEM)
 */
struct tmm_allocated_pages *tmm_allocate_pages(u64 nr_pages)
{
	struct tmm_allocation_request req = tmm_request_any(nr_pages);

	return tmm_page_allocator_allocate(&kernel_instance->pa, &req);
}
EXPORT_SYMBOL_GPL(tmm_allocate_pages);

/**
 * tmm_create_mapping() - new pages, mapped to new frames
 * @nr_bytes: size, rounded up to whole pages
 * @flags: what the mapping may be used for
 *
 * Theseus: create_mapping()
 *
 * Context: Process context, may sleep. O(pages).
 * Return: the mapping, the caller's until tmm_mapped_pages_drop(), or an error of
 * tmm_instance_create_mapping()
 */
struct tmm_mapped_pages *tmm_create_mapping(u64 nr_bytes, tmm_pte_flags_t flags)
{
	return tmm_instance_create_mapping(kernel_instance, nr_bytes, flags, false);
}
EXPORT_SYMBOL_GPL(tmm_create_mapping);

/**
 * tmm_create_contiguous_mapping() - new pages, mapped to one run of frames
 * @nr_bytes: size, rounded up to whole pages
 * @flags: what the mapping may be used for
 * @paddr: set to the physical address, on success only
 *
 * Theseus: create_contiguous_mapping()
 *
 * Context: Process context, may sleep. O(pages).
 * Return: as tmm_create_mapping()
 */
struct tmm_mapped_pages *tmm_create_contiguous_mapping(u64 nr_bytes, tmm_pte_flags_t flags,
						       struct tmm_paddr *paddr)
{
	return tmm_instance_create_contiguous_mapping(kernel_instance, nr_bytes, flags, false,
						      paddr);
}
EXPORT_SYMBOL_GPL(tmm_create_contiguous_mapping);

/**
 * tmm_translate() - the physical address behind a virtual one
 * @vaddr: an address of the shared root
 * @paddr: set on success only
 *
 * Theseus: translate()
 *
 * Context: Any but NMI. O(levels).
 * Return: 0, or -ENOENT if nothing is mapped there
 */
int tmm_translate(struct tmm_vaddr vaddr, struct tmm_paddr *paddr)
{
	struct tmm_translation found;
	int err = tmm_mapper_translate(kernel_instance->root, vaddr, &found);

	if (!err)
		*paddr = found.paddr;
	return err;
}
EXPORT_SYMBOL_GPL(tmm_translate);
