/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What other kernel modules may use.
 *
 * The functions here work on the module's own instance, as long as it is loaded;
 * a module that uses them holds it in place. Functions that take a T ** consume
 * what it points to: the pointer is NULL after success, untouched after an error.
 */
#ifndef THESEUS_MM_H
#define THESEUS_MM_H

#include "alloc/frames.h"
#include "alloc/pages.h"
#include "core/pte_flags.h"
#include "core/range.h"
#include "mapping/borrow.h"
#include "mapping/mapped_pages.h"
#include "paging/tlb.h"

struct tmm_allocated_frames * __must_check tmm_allocate_frames(u64 nr_frames);
struct tmm_allocated_pages * __must_check tmm_allocate_pages(u64 nr_pages);
struct tmm_mapped_pages * __must_check tmm_create_mapping(u64 nr_bytes, tmm_pte_flags_t flags);
struct tmm_mapped_pages * __must_check
tmm_create_contiguous_mapping(u64 nr_bytes, tmm_pte_flags_t flags, struct tmm_paddr *paddr);
int __must_check tmm_translate(struct tmm_vaddr vaddr, struct tmm_paddr *paddr);

#endif /* THESEUS_MM_H */
