/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Use of a mapping by code other than the owner: borrows, sharing and seals.
 *
 * Invariant: a mapping has any number of immutable borrows, or one mutable borrow. A shareable
 * mapping may have many mutable borrows. A sealed mapping is read-only, and no owner can change
 * that.
 * Lock: none. One count keeps borrows and changes apart (mapping/mapped_pages.h). Owner of a
 * borrow: the code that began the borrow. mapping/borrow.h has borrows of parts.
 */
#ifndef TMM_MAPPING_MAPPED_PAGES_BORROW_H
#define TMM_MAPPING_MAPPED_PAGES_BORROW_H

#include "core/pte_flags.h"

#include <linux/types.h>

struct tmm_mapped_pages;

bool tmm_mapped_pages_is_borrowed(const struct tmm_mapped_pages *mp);
unsigned int tmm_mapped_pages_nr_borrows(const struct tmm_mapped_pages *mp);

bool tmm_mapped_pages_is_shareable(const struct tmm_mapped_pages *mp);
int __must_check tmm_mapped_pages_set_shareable(struct tmm_mapped_pages *mp, bool is_shareable);

/* Ownership without the right to write */
bool tmm_mapped_pages_is_sealed(const struct tmm_mapped_pages *mp);
int __must_check tmm_mapped_pages_seal(struct tmm_mapped_pages *mp);
void tmm_mapped_pages_unseal(struct tmm_mapped_pages *mp, tmm_pte_flags_t flags);

/* The count that keeps changes and borrows apart */
int __must_check tmm_mapped_pages_borrow(struct tmm_mapped_pages *mp, bool is_mutable);
void tmm_mapped_pages_unborrow(struct tmm_mapped_pages *mp, bool is_mutable);

#endif /* TMM_MAPPING_MAPPED_PAGES_BORROW_H */
