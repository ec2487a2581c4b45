// SPDX-License-Identifier: GPL-2.0
#include "kernel/instance.h"

#include "include/linux/theseus_mm.h"
#include "mapping/create.h"
#include "mapping/instance.h"
#include "paging/mapper.h"

#include <linux/errno.h>
#include <linux/export.h>

/* Set before anyone can link to us, cleared after the last has gone. */
static struct tmm_instance kernel_instance;
static bool is_initialised;
static struct tmm_mmi *kernel_mmi;

/**
 * tmm_kernel_instance() - the instance that the public functions use
 *
 * Return: the instance; nothing is in it before tmm_init()
 */
struct tmm_instance *tmm_kernel_instance(void)
{
	return &kernel_instance;
}

/**
 * tmm_init() - bring up the module's instance
 * @memories: runs of RAM that nobody else uses; runs that overlap are merged
 * @nr_memories: number of runs, 1 or more
 * @initial: set to the initial mappings, on success only
 *
 * The module does this when it is loaded, once.
 *
 * Theseus: memory::init()
 *
 * Context: Process context, may sleep.
 * Return: 0; -EBUSY if it is up already; or an error of tmm_startup_init()
 */
int tmm_init(const struct tmm_memory *memories, unsigned int nr_memories,
	     struct tmm_initial_memory_mappings *initial)
{
	int err;

	if (is_initialised)
		return -EBUSY;
	err = tmm_startup_init(&kernel_instance, memories, nr_memories, initial);
	is_initialised = !err;
	return err;
}
EXPORT_SYMBOL_GPL(tmm_init);

/**
 * tmm_init_post_heap() - finish start-up, and publish the kernel's context
 * @initial: from tmm_init(); consumed on success, untouched on error
 *
 * Theseus: memory::init_post_heap()
 *
 * Context: Process context, may sleep.
 * Return: 0; -EBUSY if it was done already; or -ENOMEM
 */
int tmm_init_post_heap(struct tmm_initial_memory_mappings *initial)
{
	struct tmm_mmi *mmi;
	int err;

	if (kernel_mmi)
		return -EBUSY;
	err = tmm_startup_post_heap(&kernel_instance, initial, &mmi);
	if (!err)
		kernel_mmi = mmi;
	return err;
}
EXPORT_SYMBOL_GPL(tmm_init_post_heap);

/**
 * tmm_exit() - undo tmm_init_post_heap() and tmm_init()
 *
 * Context: Process context, may sleep. Everything given out has come back.
 */
void tmm_exit(void)
{
	tmm_mmi_put(kernel_mmi);
	kernel_mmi = NULL;
	if (is_initialised)
		tmm_instance_exit(&kernel_instance);
	is_initialised = false;
}

/**
 * tmm_get_kernel_mmi_ref() - the context that kernel code works in
 *
 * Theseus: get_kernel_mmi_ref()
 *
 * Context: Any but interrupt.
 * Return: the context with a reference, the caller's to tmm_mmi_put(); NULL before
 * start-up is finished
 */
struct tmm_mmi *tmm_get_kernel_mmi_ref(void)
{
	if (kernel_mmi)
		tmm_mmi_get(kernel_mmi);
	return kernel_mmi;
}
EXPORT_SYMBOL_GPL(tmm_get_kernel_mmi_ref);

/**
 * tmm_create_mapping() - new pages, mapped to new frames
 * @nr_bytes: size, rounded up to whole pages
 * @flags: what the mapping may be used for
 *
 * Under the root that is active in the kernel's context. The frames hold what
 * their last owner left.
 *
 * Theseus: create_mapping()
 *
 * Context: Process context, may sleep. O(leaves).
 * Return: the mapping, the caller's until tmm_mapped_pages_drop(), or an error of
 * tmm_instance_create_mapping()
 */
struct tmm_mapped_pages *tmm_create_mapping(u64 nr_bytes, tmm_pte_flags_t flags)
{
	struct tmm_page_table *pt = tmm_mmi_page_table(kernel_mmi);
	struct tmm_mapped_pages *mp =
		tmm_instance_create_mapping(&kernel_instance, pt, nr_bytes, flags, false);

	tmm_page_table_put(pt);
	return mp;
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
 * Context: Process context, may sleep. O(leaves).
 * Return: as tmm_create_mapping()
 */
struct tmm_mapped_pages *tmm_create_contiguous_mapping(u64 nr_bytes, tmm_pte_flags_t flags,
						       struct tmm_paddr *paddr)
{
	struct tmm_page_table *pt = tmm_mmi_page_table(kernel_mmi);
	struct tmm_mapped_pages *mp =
		tmm_instance_create_contiguous_mapping(&kernel_instance, pt, nr_bytes, flags,
						       false, paddr);

	tmm_page_table_put(pt);
	return mp;
}
EXPORT_SYMBOL_GPL(tmm_create_contiguous_mapping);

/**
 * tmm_create_identity_mapping() - new frames, mapped where virtual is physical
 * @nr_pages: how many of 4 KiB, contiguous
 * @flags: what the mapping may be used for
 *
 * Theseus: create_identity_mapping()
 *
 * Context: Process context, may sleep. O(leaves).
 * Return: the mapping, the caller's until tmm_mapped_pages_drop(), or an error of
 * tmm_instance_create_identity_mapping()
 */
struct tmm_mapped_pages *tmm_create_identity_mapping(u64 nr_pages, tmm_pte_flags_t flags)
{
	const struct tmm_allocation_request req = tmm_request_any(nr_pages);

	return tmm_create_identity_mapping_by_request(&req, flags);
}
EXPORT_SYMBOL_GPL(tmm_create_identity_mapping);

/**
 * tmm_create_identity_mapping_by_request() - the same, with a choice of frames
 * @req: which frames: at, aligned, in a range; of reserved regions too
 * @flags: what the mapping may be used for
 *
 * Context: Process context, may sleep. O(leaves).
 * Return: as tmm_create_identity_mapping()
 */
struct tmm_mapped_pages *
tmm_create_identity_mapping_by_request(const struct tmm_allocation_request *req,
				       tmm_pte_flags_t flags)
{
	struct tmm_page_table *pt = tmm_mmi_page_table(kernel_mmi);
	struct tmm_mapped_pages *mp =
		tmm_instance_create_identity_mapping(&kernel_instance, pt, req, flags, false);

	tmm_page_table_put(pt);
	return mp;
}
EXPORT_SYMBOL_GPL(tmm_create_identity_mapping_by_request);

/**
 * tmm_map_frame_range() - new pages, mapped to the frames at an address
 * @start: physical address; the mapping starts at the frame that contains it
 * @nr_bytes: bytes from @start on that it covers
 * @flags: what the mapping may be used for; TMM_MMIO_FLAGS for registers
 *
 * Theseus: map_frame_range()
 *
 * Context: Process context, may sleep. O(leaves).
 * Return: the mapping, the caller's until tmm_mapped_pages_drop(), or an error of
 * tmm_instance_map_frame_range()
 */
struct tmm_mapped_pages *tmm_map_frame_range(struct tmm_paddr start, u64 nr_bytes,
					     tmm_pte_flags_t flags)
{
	struct tmm_page_table *pt = tmm_mmi_page_table(kernel_mmi);
	struct tmm_mapped_pages *mp =
		tmm_instance_map_frame_range(&kernel_instance, pt, start, nr_bytes, flags);

	tmm_page_table_put(pt);
	return mp;
}
EXPORT_SYMBOL_GPL(tmm_map_frame_range);

/**
 * tmm_mapped_pages_empty() - a mapping of nothing
 *
 * Under the root that is active in the kernel's context.
 *
 * Theseus: MappedPages::empty()
 *
 * Context: Process context, may sleep.
 * Return: the mapping, the caller's until tmm_mapped_pages_drop(), or
 * ERR_PTR(-ENOMEM)
 */
struct tmm_mapped_pages *tmm_mapped_pages_empty(void)
{
	struct tmm_allocated_pages *pages = tmm_allocated_pages_empty();
	struct tmm_mapped_pages *mp;
	struct tmm_page_table *pt;

	if (IS_ERR(pages))
		return ERR_CAST(pages);
	pt = tmm_mmi_page_table(kernel_mmi);
	mp = tmm_mapping_new(pt, pages, TMM_PTE_DEFAULT);
	tmm_page_table_put(pt);
	if (mp)
		return mp;
	tmm_allocated_pages_drop(&pages);
	return ERR_PTR(-ENOMEM);
}
EXPORT_SYMBOL_GPL(tmm_mapped_pages_empty);

/**
 * tmm_add_reserved_region() - let device memory be given out
 * @start: physical address, a multiple of 4096
 * @nr_bytes: size, a multiple of 4096
 * @type: how it is cached, in every mapping of it
 *
 * Its frames go only to those who ask for them by address. Whoever adds a region
 * sees that the device stays until it is removed.
 *
 * Theseus: frame_allocator's reserved regions, to which one can be added but never
 * removed
 *
 * Context: Process context, may sleep.
 * Return: 0, or an error of tmm_device_region_add()
 */
int tmm_add_reserved_region(struct tmm_paddr start, u64 nr_bytes, enum tmm_memory_type type)
{
	return tmm_instance_add_reserved_region(&kernel_instance, start, nr_bytes, type);
}
EXPORT_SYMBOL_GPL(tmm_add_reserved_region);

/**
 * tmm_remove_reserved_region() - undo tmm_add_reserved_region()
 * @start: as it was added
 * @nr_bytes: as it was added
 *
 * Context: Process context, may sleep.
 * Return:
 * * 0       - it is no longer known
 * * -ERANGE - no such region was added
 * * -EBUSY  - a frame of it is owned; nothing changed
 */
int tmm_remove_reserved_region(struct tmm_paddr start, u64 nr_bytes)
{
	return tmm_instance_remove_reserved_region(&kernel_instance, start, nr_bytes);
}
EXPORT_SYMBOL_GPL(tmm_remove_reserved_region);

/**
 * tmm_translate() - the physical address behind a virtual one
 * @vaddr: an address of the root that is active in the kernel's context
 * @paddr: set on success only
 *
 * Theseus: translate()
 *
 * Context: Any but interrupt. O(levels).
 * Return: 0, or -ENOENT if nothing is mapped there
 */
int tmm_translate(struct tmm_vaddr vaddr, struct tmm_paddr *paddr)
{
	struct tmm_page_table *pt = tmm_mmi_page_table(kernel_mmi);
	struct tmm_translation found;
	int err = tmm_mapper_translate(pt, vaddr, &found);

	tmm_page_table_put(pt);
	if (!err)
		*paddr = found.paddr;
	return err;
}
EXPORT_SYMBOL_GPL(tmm_translate);
