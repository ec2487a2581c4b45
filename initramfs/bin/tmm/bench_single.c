// SPDX-License-Identifier: GPL-2.0
/*
 * The calls of tmm bench that are timed alone. Before the clock starts, @prepare makes what the calls
 * need; after the clock has stopped, @finish undoes what they did.
 */
#include "bench.h"

static int create_small(struct bench *bench, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		bench->small[i] = tmm_mapping_create(bench->client, TMM_PAGE_SIZE, TMM_DATA, NULL);
		if (!bench->small[i])
			return -1;
	}
	return 0;
}

static int create_large(struct bench *bench, unsigned int nr)
{
	(void)nr;
	bench->small[0] = tmm_mapping_create(bench->client, TMM_LARGE_PAGE_SIZE, TMM_DATA, NULL);
	return bench->small[0] ? 0 : -1;
}

static int drop_small(struct bench *bench, unsigned int nr)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < nr; i++)
		err |= tmm_mapping_drop(&bench->small[i]);
	return err;
}

static int allocate_frames(struct bench *bench, unsigned int nr)
{
	const struct tmm_allocate_options options = { .nr_pages = 1 };
	unsigned int i;

	for (i = 0; i < nr; i++) {
		bench->frames[i] = tmm_frames_allocate(bench->client, &options);
		if (!bench->frames[i])
			return -1;
	}
	return 0;
}

static int drop_frames(struct bench *bench, unsigned int nr)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < nr; i++)
		err |= tmm_frames_drop(&bench->frames[i]);
	return err;
}

static int split(struct bench *bench, unsigned int nr)
{
	(void)nr;
	return tmm_mapping_split(&bench->large, bench->size / 2 / TMM_PAGE_SIZE * TMM_PAGE_SIZE,
				 &bench->large, &bench->small[0]);
}

static int merge(struct bench *bench, unsigned int nr)
{
	(void)nr;
	return tmm_mapping_merge(bench->large, &bench->small[0]);
}

static int mmap_page(struct bench *bench, unsigned int nr)
{
	(void)nr;
	bench->window = tmm_mapping_mmap(bench->large, 0, TMM_PAGE_SIZE, PROT_READ | PROT_WRITE);
	return bench->window ? 0 : -1;
}

static int munmap_page(struct bench *bench, unsigned int nr)
{
	(void)nr;
	return tmm_mapping_munmap(bench->window, TMM_PAGE_SIZE);
}

static int mmap_and_touch(struct bench *bench, unsigned int nr)
{
	if (mmap_page(bench, nr))
		return -1;
	*(volatile char *)bench->window = 1;
	return 0;
}

static int touch(struct bench *bench, unsigned int nr)
{
	(void)nr;
	*(volatile char *)bench->window = 1;
	return 0;
}

static int revoke(struct bench *bench, unsigned int nr)
{
	(void)nr;
	return tmm_mapping_revoke(bench->large, NULL);
}

static int export(struct bench *bench, unsigned int nr)
{
	(void)nr;
	bench->exported = tmm_mapping_export(&bench->large);
	return bench->exported < 0 ? -1 : 0;
}

static int import(struct bench *bench, unsigned int nr)
{
	(void)nr;
	bench->large = tmm_mapping_import(bench->client, &bench->exported);
	return bench->large ? 0 : -1;
}

#define ONE_CALL(name, what, room, first, call, last)					\
	{ .key = name, .words = "  " what, .run = call, .per = 1, .is_call = true,	\
	  .at_once = room, .prepare = first, .finish = last }

const struct measurement single_calls[] = {
	ONE_CALL("create_4k", "create a mapping of 4 KiB", BATCH, NULL, create_small, drop_small),
	ONE_CALL("drop_4k", "drop a mapping of 4 KiB", BATCH, create_small, drop_small, NULL),
	ONE_CALL("create_2m", "create a mapping of 2 MiB", 1, NULL, create_large, drop_small),
	ONE_CALL("drop_2m", "drop a mapping of 2 MiB", 1, create_large, drop_small, NULL),
	ONE_CALL("allocate_frame", "allocate a frame", BATCH, NULL, allocate_frames, drop_frames),
	ONE_CALL("drop_frame", "drop a frame", BATCH, allocate_frames, drop_frames, NULL),
	ONE_CALL("split", "split a mapping", 1, NULL, split, merge),
	ONE_CALL("merge", "merge two mappings", 1, split, merge, NULL),
	ONE_CALL("mmap_4k", "mmap 4 KiB", 1, NULL, mmap_page, munmap_page),
	ONE_CALL("touch_4k", "the first touch of it", 1, mmap_page, touch, munmap_page),
	ONE_CALL("munmap_4k", "munmap 4 KiB", 1, mmap_and_touch, munmap_page, NULL),
	ONE_CALL("revoke_4k", "revoke 4 KiB", 1, mmap_and_touch, revoke, munmap_page),
	ONE_CALL("export", "export a mapping", 1, NULL, export, import),
	ONE_CALL("import", "import a mapping", 1, export, import, NULL),
};

const size_t nr_single_calls = sizeof(single_calls) / sizeof(single_calls[0]);
