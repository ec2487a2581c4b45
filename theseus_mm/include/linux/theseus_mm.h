/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What other kernel modules may use: the one header to include, with
 * theseus_mm/ and theseus_mm/include/ of the source tree among the include paths
 * and its Module.symvers in KBUILD_EXTRA_SYMBOLS (kunit/driver/driver_test.c is one).
 * The functions are in a symbol namespace, which the module imports:
 *
 *	MODULE_IMPORT_NS(THESEUS_MM);		("THESEUS_MM" from Linux 6.13 on)
 *
 * The functions here work on the module's own instance, as long as it is loaded;
 * a module that uses them holds it in place. Of the headers included, everything
 * whose kernel-doc does not say that it is internal may be used; a function is
 * public if it is exported.
 *
 * Ownership: functions that take a T ** consume what it points to: the pointer is
 * NULL after success, untouched after an error. Constructors return an ERR_PTR(),
 * never NULL (but tmm_get_kernel_mmi_ref(), before start-up is finished);
 * destructors (_drop, _put) accept NULL and cannot fail, but for
 * tmm_page_table_drop(), which refuses a root that is in use. No function
 * locks an object against its own owner: one object, one caller at a time, unless
 * its kernel-doc says more.
 *
 * Units: nr_* of pages and frames count 4 KiB, *_bytes bytes.
 */
#ifndef THESEUS_MM_H
#define THESEUS_MM_H

#include "alloc/frames.h"
#include "alloc/frames_split.h"
#include "alloc/pages.h"
#include "core/pte_flags.h"
#include "core/range.h"
#include "mapping/borrow.h"
#include "mapping/deep_copy.h"
#include "mapping/map.h"
#include "mapping/mapped_pages.h"
#include "mapping/mapped_pages_borrow.h"
#include "mapping/mapped_pages_split.h"
#include "mapping/memory.h"
#include "mapping/mmi.h"
#include "mapping/startup.h"
#include "paging/mapper.h"
#include "paging/page_table.h"
#include "paging/tlb.h"

/* Frames */
struct tmm_allocated_frames * __must_check tmm_allocate_frames(u64 nr_frames);
struct tmm_allocated_frames * __must_check tmm_allocate_frames_at(struct tmm_paddr paddr,
								  u64 nr_frames);
struct tmm_allocated_frames * __must_check tmm_allocate_frames_by_bytes(u64 nr_bytes);
struct tmm_allocated_frames * __must_check tmm_allocate_frames_by_bytes_at(struct tmm_paddr paddr,
									   u64 nr_bytes);
struct tmm_allocated_frames * __must_check
tmm_allocate_frames_by_request(const struct tmm_allocation_request *req);
struct tmm_allocated_frames * __must_check
tmm_allocate_frames_deferred(const struct tmm_paddr *paddr, u64 nr_frames,
			     struct tmm_deferred_action *action);
struct tmm_allocated_frames * __must_check
tmm_allocate_frames_by_bytes_deferred(const struct tmm_paddr *paddr, u64 nr_bytes,
				      struct tmm_deferred_action *action);
struct tmm_allocated_frames * __must_check
tmm_inspect_then_allocate_free_frames(tmm_frames_inspect_fn fn, void *context);
struct tmm_allocated_frames * __must_check tmm_allocated_frames_empty(void);

/* Pages */
struct tmm_allocated_pages * __must_check tmm_allocate_pages(u64 nr_pages);
struct tmm_allocated_pages * __must_check tmm_allocate_pages_at(struct tmm_vaddr vaddr,
								u64 nr_pages);
struct tmm_allocated_pages * __must_check tmm_allocate_pages_by_bytes(u64 nr_bytes);
struct tmm_allocated_pages * __must_check tmm_allocate_pages_by_bytes_at(struct tmm_vaddr vaddr,
									 u64 nr_bytes);
struct tmm_allocated_pages * __must_check
tmm_allocate_pages_in_range(u64 nr_pages, const struct tmm_page_range *range);
struct tmm_allocated_pages * __must_check
tmm_allocate_pages_by_bytes_in_range(u64 nr_bytes, const struct tmm_page_range *range);
struct tmm_allocated_pages * __must_check
tmm_allocate_pages_by_request(const struct tmm_allocation_request *req);
struct tmm_allocated_pages * __must_check
tmm_allocate_pages_deferred(const struct tmm_allocation_request *req,
			    struct tmm_deferred_action *action);
struct tmm_allocated_pages * __must_check
tmm_allocate_pages_by_bytes_deferred(const struct tmm_allocation_request *req, u64 nr_bytes,
				     struct tmm_deferred_action *action);
struct tmm_allocated_pages * __must_check tmm_allocated_pages_empty(void);

/* Mappings under the root that is active in the kernel's context */
struct tmm_mapped_pages * __must_check tmm_create_mapping(u64 nr_bytes, tmm_pte_flags_t flags);
struct tmm_mapped_pages * __must_check
tmm_create_contiguous_mapping(u64 nr_bytes, tmm_pte_flags_t flags, struct tmm_paddr *paddr);
struct tmm_mapped_pages * __must_check tmm_create_identity_mapping(u64 nr_pages,
								   tmm_pte_flags_t flags);
struct tmm_mapped_pages * __must_check
tmm_create_identity_mapping_by_request(const struct tmm_allocation_request *req,
				       tmm_pte_flags_t flags);
struct tmm_mapped_pages * __must_check tmm_map_frame_range(struct tmm_paddr start, u64 nr_bytes,
							   tmm_pte_flags_t flags);
struct tmm_mapped_pages * __must_check tmm_mapped_pages_empty(void);
int __must_check tmm_translate(struct tmm_vaddr vaddr, struct tmm_paddr *paddr);

/* Device memory */
int __must_check tmm_add_reserved_region(struct tmm_paddr start, u64 nr_bytes,
					 enum tmm_memory_type type);
int __must_check tmm_remove_reserved_region(struct tmm_paddr start, u64 nr_bytes);

/* Start-up: the module's own; others get -EBUSY. And the context it makes. */
int __must_check tmm_init(const struct tmm_memory *memories, unsigned int nr_memories,
			  struct tmm_initial_memory_mappings *initial);
int __must_check tmm_init_post_heap(struct tmm_initial_memory_mappings *initial);
struct tmm_mmi * __must_check tmm_get_kernel_mmi_ref(void);

#endif /* THESEUS_MM_H */
