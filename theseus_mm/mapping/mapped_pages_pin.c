// SPDX-License-Identifier: GPL-2.0
#include "mapping/mapped_pages_pin.h"

#include "alloc/frames.h"
#include "alloc/pins.h"
#include "mapping/mapped_pages.h"

#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched.h>

/*
 * Can I/O pin the frames of a mapping? Returns true if the mapping owns its frames, and Linux
 * has a struct page for each. The mapping is borrowed, or no other code changes the mapping.
 *
 * Context: Process context, may sleep. O(runs of frames).
 */
bool tmm_mapped_pages_have_struct_pages(const struct tmm_mapped_pages *mp)
{
	const struct tmm_mapped_frames *frames;

	/*
	 * Several mappings may share borrowed frames. The module could not tell whether I/O has
	 * pinned the frames through another mapping.
	 */
	if (mp->borrowed)
		return false;
	list_for_each_entry(frames, &mp->frames, f.link) {
		if (!frames->f.region->has_struct_pages)
			return false;
		cond_resched();
	}
	return true;
}

/*
 * Write the struct pages of a mapping's frames to @pages, in the order of the mapping's pages.
 * @pages has one element for each page. The mapping is borrowed, and satisfies
 * tmm_mapped_pages_have_struct_pages().
 *
 * Context: Process context, may sleep. O(pages).
 */
void tmm_mapped_pages_get_struct_pages(const struct tmm_mapped_pages *mp, struct page **pages)
{
	const struct tmm_mapped_frames *frames;
	u64 i;

	list_for_each_entry(frames, &mp->frames, f.link) {
		for (i = 0; i < tmm_frames_nr(&frames->f); i++) {
			*pages++ = pfn_to_page(frames->f.chunk.start + i);
			if (!(i & 0xfff))
				cond_resched();
		}
	}
}

/*
 * Begin a search for pinned pages among @nr pages, from index @first of the mapping on. The
 * mapping is exclusive, stays borrowed until the search ends, and satisfies
 * tmm_mapped_pages_have_struct_pages().
 *
 * Context: Any. O(1).
 */
void tmm_mapped_pages_begin_pin_search(struct tmm_pin_search *search, struct tmm_mapped_pages *mp,
				       u64 first, u64 nr)
{
	search->run = list_first_entry_or_null(&mp->frames, struct tmm_mapped_frames, f.link);
	search->first = first;
	search->nr = search->run ? nr : 0;
	search->pinned = TMM_NOT_PINNED;
}

/* Continue in the current run of frames, and subtract the checked frames from @budget. */
static bool finds_pinned_here(struct tmm_pin_search *search, u64 *budget)
{
	const struct tmm_frames *f = &search->run->f;
	u64 part = min3(tmm_frames_nr(f) - search->first, search->nr, *budget);
	u64 start = f->chunk.start + search->first;
	u64 nr = tmm_pins_find(start, part);

	search->first += nr;
	search->nr -= nr;
	*budget -= nr;
	if (nr == part)
		return false;
	search->pinned = start + nr;
	return true;
}

/*
 * Continue a search for pinned pages. The search first checks the page that the last call found
 * pinned, and does not check the pages before that page again. @budget is the number of pages or
 * runs of frames that the call may check, and is reduced by the number checked. Returns 1 if a
 * page is pinned, 0 if none is, or -EAGAIN if @budget is used up before the end.
 *
 * Context: Process context, may sleep. O(@budget). The caller meets the conditions of
 * tmm_pins_find().
 */
int tmm_mapped_pages_search_pins(struct tmm_pin_search *search, u64 *budget)
{
	if (search->pinned != TMM_NOT_PINNED && !tmm_pins_find(search->pinned, 1))
		return 1;
	search->pinned = TMM_NOT_PINNED;
	while (search->nr) {
		if (!*budget)
			return -EAGAIN;
		if (search->first < tmm_frames_nr(&search->run->f)) {
			if (finds_pinned_here(search, budget))
				return 1;
			continue;
		}
		search->first -= tmm_frames_nr(&search->run->f);
		search->run = list_next_entry(search->run, f.link);
		--*budget;
	}
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapped_pages_search_pins);

/*
 * Clear the file in the struct pages of @nr pages, from index @first of the mapping on. The
 * mapping is borrowed, but mapped in no process. The mapping satisfies
 * tmm_mapped_pages_have_struct_pages(), and no page is pinned.
 *
 * Context: Process context, may sleep. O(runs of frames + @nr).
 */
void tmm_mapped_pages_clear_file(const struct tmm_mapped_pages *mp, u64 first, u64 nr)
{
	const struct tmm_mapped_frames *frames;

	list_for_each_entry(frames, &mp->frames, f.link) {
		u64 here = tmm_frames_nr(&frames->f);
		u64 part = first < here ? min(here - first, nr) : 0;

		if (!nr)
			break;
		tmm_pins_clear_file(frames->f.chunk.start + first, part);
		nr -= part;
		first = part ? 0 : first - here;
		cond_resched();
	}
}
