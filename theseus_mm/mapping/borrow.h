/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Borrows: the right to use a part of a mapping for a while.
 *
 * Invariant: any number of immutable borrows of a mapping, or one mutable one.
 * While it is borrowed it can't be remapped, merged, split or unmapped, and a
 * drop takes effect when the last borrow ends.
 * Owner: whoever began it; ends it exactly once.
 */
#ifndef TMM_MAPPING_BORROW_H
#define TMM_MAPPING_BORROW_H

#include <linux/types.h>

struct tmm_mapped_pages;

/**
 * struct tmm_borrow - a borrowed part of a mapping
 * @mp: the mapping
 * @offset: bytes from its start
 * @nr_bytes: length of the part
 * @is_mutable: may be written
 *
 * Theseus: BorrowedMappedPages, BorrowedSliceMappedPages
 */
struct tmm_borrow {
	/* private: */
	struct tmm_mapped_pages *mp;
	u64 offset;
	u64 nr_bytes;
	bool is_mutable;
};

int __must_check tmm_borrow_begin(struct tmm_mapped_pages *mp, u64 offset, u64 nr_bytes,
				  bool is_mutable, struct tmm_borrow *borrow);
void tmm_borrow_end(struct tmm_borrow *borrow);
int __must_check tmm_borrow_read(const struct tmm_borrow *borrow, u64 offset, void *to,
				 size_t nr_bytes);
int __must_check tmm_borrow_write(const struct tmm_borrow *borrow, u64 offset, const void *from,
				  size_t nr_bytes);

#endif /* TMM_MAPPING_BORROW_H */
