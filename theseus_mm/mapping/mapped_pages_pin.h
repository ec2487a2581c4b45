/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Struct pages of a mapping. I/O pins struct pages, and a search finds those that are still
 * pinned.
 *
 * Invariant: a mapping that borrows its frames counts as one without struct pages; see
 * tmm_mapped_pages_have_struct_pages().
 * Lock: none. The caller has borrowed the mapping, so that its frames stay. Owner of a search:
 * the code that began the search. The state is a plain value.
 */
#ifndef TMM_MAPPING_MAPPED_PAGES_PIN_H
#define TMM_MAPPING_MAPPED_PAGES_PIN_H

#include <linux/types.h>

struct page;
struct tmm_mapped_frames;
struct tmm_mapped_pages;

bool tmm_mapped_pages_have_struct_pages(const struct tmm_mapped_pages *mp);
void tmm_mapped_pages_get_struct_pages(const struct tmm_mapped_pages *mp, struct page **pages);
void tmm_mapped_pages_clear_file(const struct tmm_mapped_pages *mp, u64 first, u64 nr);

/* The value of @pinned while no frame was found pinned */
#define TMM_NOT_PINNED	(~0ULL)

/**
 * struct tmm_pin_search - state of a search for pinned pages
 * @run: the present run of the mapping's frames
 * @first: index in @run of the frame to check next; an index past the end of @run means a later
 *         run
 * @nr: pages left to check
 * @pinned: number of the frame that was found pinned last, or TMM_NOT_PINNED
 */
struct tmm_pin_search {
	/* private: */
	struct tmm_mapped_frames *run;
	u64 first;
	u64 nr;
	u64 pinned;
};

void tmm_mapped_pages_begin_pin_search(struct tmm_pin_search *search, struct tmm_mapped_pages *mp,
				       u64 first, u64 nr);
int __must_check tmm_mapped_pages_search_pins(struct tmm_pin_search *search, u64 *budget);

#endif /* TMM_MAPPING_MAPPED_PAGES_PIN_H */
