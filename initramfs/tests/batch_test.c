// SPDX-License-Identifier: GPL-2.0
/*
 * Batches: each item has its own result, and nothing happens before the caller has all results.
 */
#include "area.h"

#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>

/* Also 32-bit: addresses of arrays are 64-bit numbers. */

#define ALL_OR_NOTHING	THESEUS_MM_BATCH_ALL_OR_NOTHING
#define CONTIGUOUS	THESEUS_MM_CREATE_ITEM_CONTIGUOUS
/* Numbers of items, to create and to drop, whose array is a little longer than two pages. */
#define MANY		160
#define MANY_DROPS	1100

#define ITEM(nr)	((struct theseus_mm_create_item){				\
				.size = (nr) * PAGE, .pte_flags = THESEUS_MM_PTE_DATA })

#define ROOM		(64 * PAGE)

/* Make an array of @nr_bytes. protect_end() makes the memory after it inaccessible. */
static void *array_before(size_t nr_bytes)
{
	char *memory = mmap(NULL, 2 * ROOM, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED || nr_bytes > ROOM ? NULL : memory + ROOM - nr_bytes;
}

static int protect_end(void *array, size_t nr_bytes, int protection)
{
	return mprotect((char *)array + nr_bytes, ROOM, protection);
}

/* Has the item failed with @error, and no result? */
#define EXPECT_FAILED(item, _error)							\
	do {										\
		EXPECT_EQ(_error, (item).error);					\
		EXPECT_EQ(0, (item).handle);						\
		EXPECT_EQ(0, (item).start);						\
		EXPECT_EQ(0, (item).nr_pages);						\
		EXPECT_EQ(0, (item).paddr);						\
	} while (0)

/* The old content of the out fields does not matter. */
static struct theseus_mm_create_item dirty(struct theseus_mm_create_item item)
{
	item.error = 77;
	item.handle = 77;
	item.start = 77;
	item.nr_pages = 77;
	item.paddr = 77;
	return item;
}

TEST_F(client, each_item_is_created_or_told_why_not)
{
	struct theseus_mm_create_item items[] = {
		dirty(ITEM(1)), dirty(ITEM(0)), dirty(ITEM(3)), dirty(ITEM(1)), dirty(ITEM(1)),
		dirty(ITEM(1)), dirty(ITEM(1)), dirty(ITEM(5)), dirty(ITEM(1)),
	};
	__u32 nr_done = 77;

	items[3].pte_flags = THESEUS_MM_PTE_VALID;
	items[4].flags = 2;
	items[5].reserved = 1;
	items[6].size = 1ULL << 36;
	items[7].flags = CONTIGUOUS;
	items[8].pte_flags |= THESEUS_MM_PTE_DEVICE_MEMORY;
	ASSERT_EQ(0, uapi_create_batch(self->fd, 0, items, ARRAY_SIZE(items), &nr_done));
	EXPECT_EQ(3, nr_done);
	EXPECT_FAILED(items[1], EINVAL);
	EXPECT_FAILED(items[3], EINVAL);
	EXPECT_FAILED(items[4], EINVAL);
	EXPECT_FAILED(items[5], EINVAL);
	EXPECT_FAILED(items[6], ENOSPC);
	EXPECT_FAILED(items[8], EOPNOTSUPP);
	EXPECT_EQ(0, items[0].error);
	EXPECT_EQ(0, items[0].paddr);
	EXPECT_EQ(1, items[0].nr_pages);
	EXPECT_EQ(items[0].start, QUERY(items[0].handle).start);
	EXPECT_EQ(3, items[2].nr_pages);
	EXPECT_EQ(3, QUERY(items[2].handle).nr_pages);
	EXPECT_EQ(1, QUERY(items[7].handle).nr_frame_ranges);
	EXPECT_NE(0, items[7].paddr);
	EXPECT_EQ(3, INFO().client_handles);
	EXPECT_EQ(9, INFO().client_frames);
}

TEST_F(client, items_name_leaves_and_alignments)
{
	struct theseus_mm_create_item items[] = {
		ITEM(1024), ITEM(1), ITEM(512), ITEM(1), ITEM(1), ITEM(1),
	};
	struct theseus_mm_translate found;
	__u32 nr_done;

	items[0].leaf_size = 512 * PAGE;
	items[1].align = 1024 * PAGE;
	items[2].leaf_size = PAGE;
	items[3].leaf_size = 512 * PAGE;
	items[4].leaf_size = 2 * PAGE;
	items[5].align = 3 * PAGE;
	items[1].flags = CONTIGUOUS;
	ASSERT_EQ(0, uapi_create_batch(self->fd, 0, items, ARRAY_SIZE(items), &nr_done));
	EXPECT_EQ(3, nr_done);
	ASSERT_EQ(0, uapi_translate(self->fd, items[0].start, &found));
	EXPECT_EQ(21, found.page_size_shift);
	EXPECT_EQ(0, (items[1].start | items[1].paddr) % (1024 * PAGE));
	ASSERT_EQ(0, uapi_translate(self->fd, items[2].start, &found));
	EXPECT_EQ(12, found.page_size_shift);
	EXPECT_FAILED(items[3], EINVAL);
	EXPECT_FAILED(items[4], EINVAL);
	EXPECT_FAILED(items[5], EINVAL);
}

TEST_F(client, all_are_created)
{
	struct theseus_mm_create_item items[] = { ITEM(1), ITEM(2) };
	__u32 nr_done;

	ASSERT_EQ(0, uapi_create_batch(self->fd, ALL_OR_NOTHING, items, 2, &nr_done));
	EXPECT_EQ(2, nr_done);
	EXPECT_EQ(0, items[0].error);
	EXPECT_EQ(0, items[1].error);
	EXPECT_EQ(2, QUERY(items[1].handle).nr_pages);
}

TEST_F(client, none_is_created)
{
	struct theseus_mm_create_item items[] = { ITEM(1), ITEM(2), ITEM(0), ITEM(0), ITEM(3) };
	unsigned int i;

	EXPECT_REFUSED(EINVAL, uapi_create_batch(self->fd, ALL_OR_NOTHING, items, 5, NULL));
	for (i = 0; i < ARRAY_SIZE(items); i++)
		EXPECT_FAILED(items[i], i == 2 ? EINVAL : ECANCELED);
	EXPECT_ALL_BACK();
}

TEST_F(client, many_are_created_and_dropped)
{
	static struct theseus_mm_create_item items[MANY];
	static struct theseus_mm_drop_item drops[MANY];
	__u32 nr_done, i;

	for (i = 0; i < MANY; i++)
		items[i] = i % 3 ? ITEM(1) : ITEM(0);
	ASSERT_EQ(0, uapi_create_batch(self->fd, 0, items, MANY, &nr_done));
	EXPECT_EQ(MANY - (MANY + 2) / 3, nr_done);
	EXPECT_EQ(nr_done, INFO().client_handles);
	for (i = 0; i < MANY; i++) {
		ASSERT_EQ(i % 3 ? 0 : EINVAL, items[i].error);
		ASSERT_EQ(!(i % 3), !items[i].handle);
		drops[i] = (struct theseus_mm_drop_item){ .handle = items[i].handle, .error = 77 };
	}
	ASSERT_EQ(0, uapi_drop_batch(self->fd, 0, drops, MANY, &nr_done));
	EXPECT_EQ(MANY - (MANY + 2) / 3, nr_done);
	for (i = 0; i < MANY; i++)
		ASSERT_EQ(i % 3 ? 0 : ENOENT, drops[i].error);
	EXPECT_ALL_BACK();
}

TEST_F(client, many_are_created_or_none)
{
	static struct theseus_mm_create_item items[MANY];
	__u32 i;

	for (i = 0; i < MANY; i++)
		items[i] = ITEM(1);
	items[MANY - 2].size = 0;
	EXPECT_REFUSED(EINVAL, uapi_create_batch(self->fd, ALL_OR_NOTHING, items, MANY, NULL));
	for (i = 0; i < MANY; i++)
		ASSERT_EQ(i == MANY - 2 ? EINVAL : ECANCELED, items[i].error);
}

/* The last item lies in a page that cannot be written, and then in one that cannot be read. */
TEST_F(client, nothing_is_created_if_a_result_cannot_be_written)
{
	const int protections[] = { PROT_READ, PROT_NONE };
	const size_t before = (MANY - 1) * sizeof(struct theseus_mm_create_item);
	struct theseus_mm_create_item *items;
	unsigned int i, flags;

	items = array_before(before);
	ASSERT_NE(NULL, items);
	for (i = 0; i < MANY; i++)
		items[i] = ITEM(1);
	for (i = 0; i < ARRAY_SIZE(protections); i++) {
		ASSERT_EQ(0, protect_end(items, before, protections[i]));
		for (flags = 0; flags <= ALL_OR_NOTHING; flags++)
			EXPECT_REFUSED(EFAULT, uapi_create_batch(self->fd, flags, items, MANY,
								 NULL));
	}
	EXPECT_REFUSED(EFAULT, uapi_create_batch(self->fd, 0, NULL, 1, NULL));
	EXPECT_REFUSED(EFAULT, uapi_create_batch(self->fd, 0, (void *)0xffff888000000000UL, 1,
						 NULL));
	EXPECT_ALL_BACK();
}

TEST_F(client, nothing_is_dropped_if_a_result_cannot_be_written)
{
	const int protections[] = { PROT_READ, PROT_NONE };
	const size_t before = (MANY_DROPS - 1) * sizeof(struct theseus_mm_drop_item);
	struct theseus_mm_create_item created[4] = { ITEM(1), ITEM(2), ITEM(3), ITEM(4) };
	struct theseus_mm_drop_item *items;
	unsigned int i, flags;

	ASSERT_EQ(0, uapi_create_batch(self->fd, ALL_OR_NOTHING, created, 4, NULL));
	items = array_before(before);
	ASSERT_NE(NULL, items);
	items[0].handle = created[0].handle;
	items[1].handle = created[1].handle;
	items[600].handle = created[2].handle;
	items[MANY_DROPS - 1].handle = created[3].handle;
	for (i = 0; i < ARRAY_SIZE(protections); i++) {
		ASSERT_EQ(0, protect_end(items, before, protections[i]));
		for (flags = 0; flags <= ALL_OR_NOTHING; flags++)
			EXPECT_REFUSED(EFAULT,
				       uapi_drop_batch(self->fd, flags, items, MANY_DROPS, NULL),
				       created[0].handle, created[1].handle, created[2].handle,
				       created[3].handle);
	}
}

TEST_F(client, each_item_is_dropped_or_told_why_not)
{
	struct theseus_mm_create_item mappings[2] = { ITEM(2), ITEM(2) };
	struct theseus_mm_drop_item items[7] = {};
	unsigned char *area;
	__u32 nr_done = 77;
	__u64 offset;

	ASSERT_EQ(0, uapi_create_batch(self->fd, 0, mappings, 2, NULL));
	ASSERT_EQ(0, uapi_map_offset(self->fd, mappings[1].handle, &offset, NULL));
	area = mmap(NULL, 2 * PAGE, R, MAP_SHARED, self->fd, offset);
	ASSERT_NE(MAP_FAILED, (void *)area);
	items[0].handle = mappings[0].handle;
	items[1].handle = mappings[1].handle;
	items[2].handle = mappings[0].handle;
	items[3].handle = PAGES(3).handle;
	items[4].handle = FRAMES(3).handle;
	items[5].error = 77;
	/* An item that was refused is still there for a later one. */
	items[6].handle = mappings[1].handle;
	ASSERT_EQ(0, uapi_drop_batch(self->fd, 0, items, 7, &nr_done));
	EXPECT_EQ(3, nr_done);
	EXPECT_EQ(0, items[0].error);
	EXPECT_EQ(EBUSY, items[1].error);
	EXPECT_EQ(ENOENT, items[2].error);
	EXPECT_EQ(0, items[3].error);
	EXPECT_EQ(0, items[4].error);
	EXPECT_EQ(ENOENT, items[5].error);
	EXPECT_EQ(EBUSY, items[6].error);
	EXPECT_GONE(mappings[0].handle);
	/* two handles count: the handle of the mapping, and the file behind the mapping's offset */
	EXPECT_EQ(2, INFO().client_handles);
	/* the refused items have not changed */
	EXPECT_EQ(2, QUERY(mappings[1].handle).nr_pages);
	ASSERT_EQ(0, munmap(area, 2 * PAGE));
	EXPECT_EQ(0, uapi_drop(self->fd, mappings[1].handle));
	EXPECT_ALL_BACK();
}

TEST_F(client, none_is_dropped)
{
	struct theseus_mm_create_item mappings[2] = { ITEM(2), ITEM(2) };
	__u32 pages, frames;
	struct theseus_mm_drop_item items[5] = {};
	unsigned int i;

	ASSERT_EQ(0, uapi_create_batch(self->fd, 0, mappings, 2, NULL));
	pages = PAGES(3).handle;
	frames = FRAMES(3).handle;
	items[0].handle = mappings[0].handle;
	items[1].handle = pages;
	items[2].handle = frames;
	items[3].handle = mappings[0].handle;
	items[4].handle = mappings[1].handle;
	EXPECT_REFUSED(ENOENT, uapi_drop_batch(self->fd, ALL_OR_NOTHING, items, 5, NULL),
		       mappings[0].handle, mappings[1].handle, pages, frames);
	for (i = 0; i < ARRAY_SIZE(items); i++)
		EXPECT_EQ(i == 3 ? ENOENT : ECANCELED, items[i].error);
	items[3].handle = mappings[1].handle;
	ASSERT_EQ(0, uapi_drop_batch(self->fd, ALL_OR_NOTHING, items, 4, NULL));
	EXPECT_ALL_BACK();
}

TEST_F(client, a_batch_has_from_one_to_65536_items)
{
	struct theseus_mm_create_item item = ITEM(1);
	struct theseus_mm_drop_item drop = { .handle = MAPPING(1).handle };

	EXPECT_REFUSED(EINVAL, uapi_create_batch(self->fd, 0, &item, 0, NULL));
	EXPECT_REFUSED(EINVAL, uapi_create_batch(self->fd, 0, &item, 65537, NULL));
	EXPECT_REFUSED(EINVAL, uapi_create_batch(self->fd, 0, &item, ~0U, NULL));
	EXPECT_REFUSED(EINVAL, uapi_drop_batch(self->fd, 0, &drop, 0, NULL), drop.handle);
	EXPECT_REFUSED(EINVAL, uapi_drop_batch(self->fd, 0, &drop, 65537, NULL), drop.handle);
}

/*
 * The client stays open, since this process has its descriptor too. A call that was interrupted is
 * undone.
 */
TEST_F(client, a_batch_can_be_killed)
{
	static struct theseus_mm_create_item items[THESEUS_MM_MAX_BATCH];
	int status, i;
	pid_t child;

	for (i = 0; i < THESEUS_MM_MAX_BATCH; i++)
		items[i] = ITEM(1);
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		uapi_create_batch(self->fd, 0, items, THESEUS_MM_MAX_BATCH, NULL);
		_exit(1);
	}
	/* wait until the call has begun */
	for (i = 0; i < 20000 && !INFO().client_handles; i++)
		usleep(1000);
	EXPECT_NE(0, INFO().client_handles);
	kill(child, SIGKILL);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_ALL_BACK();
}

TEST_HARNESS_MAIN
