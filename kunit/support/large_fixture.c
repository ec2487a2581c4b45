// SPDX-License-Identifier: GPL-2.0
#include "support/large_fixture.h"

#include "support/fixture.h"
#include "support/instance_fixture.h"
#include "support/invariants.h"

#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/string.h>

/*
 * Runs of 4 MiB, aligned to their size. Each offers one block for a leaf of 2 MiB, since the
 * frame table takes a part of the other block.
 */
#define LARGE_ORDER	10
#define LARGE_NR	(1ULL << LARGE_ORDER)

/* An instance with room for large leaves. */
struct large_instance {
	struct tmm_test_instance ti;	/* must be first: test->priv points to it */
	struct tmm_memory memories[TMM_TEST_NR_LARGE];
};

static void give_memories(struct large_instance *li)
{
	unsigned int i;

	for (i = 0; i < TMM_TEST_NR_LARGE; i++)
		if (li->memories[i].window)
			__free_pages(virt_to_page(li->memories[i].window), LARGE_ORDER);
}

static int take_memories(struct large_instance *li)
{
	unsigned int i;

	for (i = 0; i < TMM_TEST_NR_LARGE; i++) {
		struct page *pages = alloc_pages(GFP_KERNEL, LARGE_ORDER);

		if (!pages)
			return -ENOMEM;
		memset(page_address(pages), 0xa5, LARGE_NR << TMM_PAGE_SHIFT);
		li->memories[i] = (struct tmm_memory){ page_to_pfn(pages), LARGE_NR,
						       page_address(pages) };
	}
	return 0;
}

int tmm_test_large_init(struct kunit *test)
{
	struct large_instance *li = tmm_test_kvzalloc(test, sizeof(*li));
	struct tmm_instance *inst = &li->ti.inst;
	int err = take_memories(li);

	INIT_LIST_HEAD(&li->ti.hogs);
	if (!err)
		err = tmm_instance_init(inst, li->memories, TMM_TEST_NR_LARGE);
	if (err) {
		give_memories(li);
		return err;
	}
	KUNIT_EXPECT_EQ(test, tmm_instance_move_to_heap(inst), 0);
	li->ti.frames_before = tmm_fingerprint_frames(&inst->fa);
	li->ti.pages_before = tmm_fingerprint_ranges(&inst->pa.ra);
	test->priv = li;
	return 0;
}

void tmm_test_large_exit(struct kunit *test)
{
	struct large_instance *li = test->priv;

	if (!li)
		return;
	tmm_test_instance_exit(test);
	/* After a failure the instance may still use its memory. */
	if (test->status != KUNIT_FAILURE)
		give_memories(li);
}
