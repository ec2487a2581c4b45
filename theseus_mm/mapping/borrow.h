/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Borrows: the right to use a part of a mapping for a limited time.
 *
 * Invariant: a mapping has any number of immutable borrows, or one mutable borrow. A shareable
 * mapping may have many mutable borrows. A borrowed mapping can't be remapped, merged, split or
 * unmapped. A drop takes effect when the last borrow ends.
 * Owner: the code that began the borrow, which ends the borrow exactly once.
 */
#ifndef TMM_MAPPING_BORROW_H
#define TMM_MAPPING_BORROW_H

#include "paging/window.h"

#include <linux/build_bug.h>
#include <linux/types.h>

struct tmm_mapped_pages;
struct tmm_pin_search;

/**
 * struct tmm_borrow - a borrowed part of a mapping
 * @mp: the mapping
 * @offset: bytes from the start of the mapping
 * @nr_bytes: length of the part
 * @is_mutable: the borrow allows writes
 *
 * Theseus: BorrowedMappedPages, BorrowedSliceMappedPages; Mutability is @is_mutable
 */
struct tmm_borrow {
	/* private: */
	struct tmm_mapped_pages *mp;
	u64 offset;
	u64 nr_bytes;
	bool is_mutable;
};

/* Borrows of any part, for access by copying */
int __must_check tmm_borrow_begin(struct tmm_mapped_pages *mp, u64 offset, u64 nr_bytes,
				  bool is_mutable, struct tmm_borrow *borrow);
void tmm_borrow_end(struct tmm_borrow *borrow);
int __must_check tmm_borrow_read(const struct tmm_borrow *borrow, u64 offset, void *to,
				 size_t nr_bytes);
int __must_check tmm_borrow_write(const struct tmm_borrow *borrow, u64 offset, const void *from,
				  size_t nr_bytes);

void tmm_borrow_mark_dirty(const struct tmm_borrow *borrow);
void tmm_borrow_search_pins(const struct tmm_borrow *borrow, struct tmm_pin_search *search);

/*
 * Typed borrows: a borrow that has the type of its objects, for access in place.
 *
 *	TMM_BORROW_MUT(struct ring) ring;
 *	struct tmm_window window;
 *	struct ring *r;
 *
 *	err = tmm_as_type_mut(mp, offset, &ring);
 *	...
 *	r = tmm_borrow_enter(&ring, &window);
 *	if (IS_ERR(r))
 *		...
 *	r->head++;			interrupts are off: no sleeping, a few KiB at most
 *	tmm_borrow_leave(&window);
 *	...
 *	tmm_borrow_into_inner(&ring);
 *
 * An immutable borrow gives a pointer to const. @type itself is not const. Code that passes a
 * TMM_BORROW() to a _mut macro, or a TMM_BORROW_MUT() to another macro, does not compile.
 */
#define TMM_BORROW(type)							\
	union {									\
		struct tmm_borrow borrow;					\
		const type *is;							\
	}

#define TMM_BORROW_MUT(type)							\
	union {									\
		struct tmm_borrow borrow;					\
		type *is;							\
	}

#define TMM_BORROW_IS_MUT(b)							\
	(!__builtin_types_compatible_p(typeof((b)->is), const typeof(*(b)->is) *))

/* The build fails if @b has the other mutability. */
#define tmm_as_slice_checked(mp, offset, nr, b, is_mutable) ({			\
	BUILD_BUG_ON_MSG(TMM_BORROW_IS_MUT(b) != (is_mutable),			\
			 "TMM_BORROW() is for as_type(), TMM_BORROW_MUT() for _mut()");	\
	tmm_borrow_typed(mp, offset, nr, sizeof(*(b)->is), __alignof__(*(b)->is), \
			 is_mutable, &(b)->borrow);				\
})

/* One object at @offset bytes. Theseus: as_type(), borrow_type() and their _mut */
#define tmm_as_type(mp, offset, b)	tmm_as_slice_checked(mp, offset, 1, b, false)
#define tmm_as_type_mut(mp, offset, b)	tmm_as_slice_checked(mp, offset, 1, b, true)
/* @nr objects from @offset bytes on. Theseus: as_slice(), borrow_slice() and their _mut */
#define tmm_as_slice(mp, offset, nr, b)	tmm_as_slice_checked(mp, offset, nr, b, false)
#define tmm_as_slice_mut(mp, offset, nr, b) tmm_as_slice_checked(mp, offset, nr, b, true)

/* Returns a pointer to the first object, valid until tmm_borrow_leave(), or an error pointer. */
#define tmm_borrow_enter(b, window)						\
	((typeof((b)->is))tmm_borrow_enter_window(&(b)->borrow, window))

/* Theseus: into_inner() */
#define tmm_borrow_into_inner(b)	tmm_borrow_end(&(b)->borrow)

int __must_check tmm_borrow_typed(struct tmm_mapped_pages *mp, u64 offset, u64 nr, size_t size,
				  size_t align, bool is_mutable, struct tmm_borrow *borrow);
void * __must_check tmm_borrow_enter_window(const struct tmm_borrow *borrow,
					    struct tmm_window *window);
void tmm_borrow_leave(const struct tmm_window *window);

#endif /* TMM_MAPPING_BORROW_H */
