// SPDX-License-Identifier: GPL-2.0
/*
 * The demo's second half: what can be done to a mapping that is in use.
 */
#include "demo.h"
#include "text.h"

#include <errno.h>
#include <string.h>

static bool in_a_region(struct demo *demo, __u64 paddr)
{
	struct theseus_mm_region region;
	__u32 i;

	for (i = 0; !tmm_get_region(demo->fd, i, &region); i++)
		if (paddr >= region.start && paddr - region.start < region.nr_bytes)
			return true;
	return demo_fail(demo, "p%#llx lies in no region", paddr);
}

static bool translate_one(struct demo *demo, const char *which, __u64 vaddr)
{
	struct theseus_mm_translate found;
	char flags[TEXT_FLAGS];
	int err = tmm_translate(demo->fd, vaddr, &found);

	if (err)
		return demo_call_failed(demo, "TRANSLATE", err);
	demo_say("%-6s v%#llx -> p%#llx  %s page: %s", which, vaddr, found.paddr,
		 page_text(found.page_size_shift), flags_text(flags, found.pte_flags));
	return in_a_region(demo, found.paddr);
}

bool demo_translate(struct demo *demo)
{
	struct theseus_mm_translate found;
	int err = tmm_translate(demo->fd, demo->vaddr, &found);

	if (err == -EPERM) {
		demo_say("physical addresses are for CAP_SYS_ADMIN only: refused, as it should be");
		return true;
	}
	return translate_one(demo, "first", demo->vaddr) &&
	       translate_one(demo, "last", demo->vaddr + demo->map_size - 1);
}

bool demo_read_only(struct demo *demo)
{
	const __u64 flags = THESEUS_MM_PTE_DATA & ~THESEUS_MM_PTE_WRITABLE;
	int err = tmm_remap(demo->fd, demo->mapping, flags);

	if (err)
		return demo_call_failed(demo, "REMAP to read-only", err);
	err = tmm_write(demo->fd, demo->mapping, 0, "x", 1);
	if (!err)
		return demo_fail(demo, "a write into a read-only mapping went through");
	if (err != -EACCES)
		return demo_fail(demo, "the write gave %s instead of %s", strerror(-err),
				 strerror(EACCES));
	demo_say("a write of one byte: EACCES (%s)", strerror(-err));
	return demo_check_content(demo, demo->mapping);
}

static bool is_gone(struct demo *demo, __u32 handle)
{
	int err = tmm_drop(demo->fd, handle);

	if (err != -ENOENT)
		return demo_fail(demo, "the handle that was split still means something");
	return true;
}

bool demo_split_and_merge(struct demo *demo)
{
	__u64 middle = demo->map_size / TMM_PAGE_SIZE / 2 * TMM_PAGE_SIZE;
	char first_size[TEXT_SIZE], second_size[TEXT_SIZE];
	__u32 first, second;
	int err = tmm_split(demo->fd, demo->mapping, middle, &first, &second);

	if (err)
		return demo_call_failed(demo, "SPLIT", err);
	demo_say("split handle %u: now %u (%s) and %u (%s)", demo->mapping, first,
		 size_text(first_size, middle), second,
		 size_text(second_size, demo->map_size - middle));
	if (first != demo->mapping && second != demo->mapping &&
	    !is_gone(demo, demo->mapping))
		return false;
	err = tmm_merge(demo->fd, first, second);
	if (err)
		return demo_call_failed(demo, "MERGE", err);
	demo_say("merged %u into %u", second, first);
	demo->mapping = first;
	return demo_check_content(demo, demo->mapping);
}
