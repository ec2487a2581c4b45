// SPDX-License-Identifier: GPL-2.0
/*
 * The demo's second half: translate, remap, split and merge the mapping.
 */
#include "demo.h"
#include "text.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <linux/theseus_mm.h>

static bool in_a_region(struct demo *demo, __u64 paddr)
{
	struct tmm_region region;
	__u32 i;

	for (i = 0; !tmm_client_region(demo->client, i, &region); i++)
		if (paddr >= region.start && paddr - region.start < region.nr_bytes)
			return true;
	return demo_fail(demo, "p%#llx is not in a region", (unsigned long long)paddr);
}

static bool translate_one(struct demo *demo, const char *which, __u64 vaddr)
{
	struct tmm_translation found;
	char flags[TEXT_FLAGS];

	if (tmm_client_translate(demo->client, vaddr, &found))
		return demo_call_failed(demo, "TRANSLATE", errno);
	demo_say("%-6s v%#llx -> p%#llx  %s page: %s", which, (unsigned long long)vaddr,
		 (unsigned long long)found.paddr, page_text(__builtin_ctzll(found.page_size)),
		 flags_text(flags, translation_flags(&found)));
	return in_a_region(demo, found.paddr);
}

bool demo_translate(struct demo *demo)
{
	struct tmm_translation found;

	if (tmm_client_translate(demo->client, demo->vaddr, &found) && errno == EPERM) {
		demo_say("refused, as expected: physical addresses need CAP_SYS_ADMIN");
		return true;
	}
	return translate_one(demo, "first", demo->vaddr) &&
	       translate_one(demo, "last", demo->vaddr + demo->map_size - 1);
}

bool demo_read_only(struct demo *demo)
{
	if (tmm_mapping_remap(demo->mapping, TMM_READ_ONLY_DATA))
		return demo_call_failed(demo, "REMAP to read-only", errno);
	if (!tmm_mapping_write(demo->mapping, 0, "x", 1))
		return demo_fail(demo, "a write to the read-only mapping succeeded");
	if (errno != EACCES)
		return demo_fail(demo, "the write failed with %s instead of %s", strerror(errno),
				 strerror(EACCES));
	demo_say("a write of one byte: EACCES (%s)", strerror(EACCES));
	return demo_check_content(demo);
}

/* Ask the kernel about the old handle: the library's object now has the handle of a part. */
static bool is_gone(struct demo *demo, __u32 handle)
{
	struct theseus_mm_query query = { .handle = handle };

	if (!ioctl(tmm_client_fd(demo->client), THESEUS_MM_IOC_QUERY, &query) || errno != ENOENT)
		return demo_fail(demo, "handle %u is still valid after the split", handle);
	return true;
}

bool demo_split_and_merge(struct demo *demo)
{
	__u64 middle = demo->map_size / TMM_PAGE_SIZE / 2 * TMM_PAGE_SIZE;
	__u32 old = tmm_mapping_handle(demo->mapping), first, second;
	char first_size[TEXT_SIZE], second_size[TEXT_SIZE];
	struct tmm_mapping *rest;

	if (tmm_mapping_split(&demo->mapping, middle, &demo->mapping, &rest))
		return demo_call_failed(demo, "SPLIT", errno);
	first = tmm_mapping_handle(demo->mapping);
	second = tmm_mapping_handle(rest);
	demo_say("split handle %u: now %u (%s) and %u (%s)", old, first,
		 size_text(first_size, middle), second,
		 size_text(second_size, demo->map_size - middle));
	if (first != old && second != old && !is_gone(demo, old)) {
		tmm_mapping_drop(&rest);
		return false;
	}
	if (tmm_mapping_merge(demo->mapping, &rest)) {
		tmm_mapping_drop(&rest);
		return demo_call_failed(demo, "MERGE", errno);
	}
	demo_say("merged %u into %u", second, first);
	return demo_check_content(demo);
}
