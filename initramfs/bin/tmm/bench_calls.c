// SPDX-License-Identifier: GPL-2.0
/*
 * The operations of tmm bench: each function runs its operation @nr times, and returns 0, or
 * -1 with errno set.
 */
#include "bench.h"

#include <string.h>

#define FEW_BYTES	64

static int create_and_drop(struct bench *bench, uint64_t nr_bytes, unsigned int nr)
{
	struct tmm_mapping *mapping;

	while (nr--) {
		mapping = tmm_mapping_create(bench->client, nr_bytes, TMM_DATA, NULL);
		if (!mapping || tmm_mapping_drop(&mapping))
			return -1;
	}
	return 0;
}

static int create_4k(struct bench *bench, unsigned int nr)
{
	return create_and_drop(bench, TMM_PAGE_SIZE, nr);
}

static int create_2m(struct bench *bench, unsigned int nr)
{
	return create_and_drop(bench, TMM_LARGE_PAGE_SIZE, nr);
}

static int drop_small(struct bench *bench)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < BATCH; i++)
		err |= tmm_mapping_drop(&bench->small[i]);
	return err;
}

static int create_singly(struct bench *bench, unsigned int nr)
{
	unsigned int i;

	while (nr--) {
		for (i = 0; i < BATCH; i++) {
			bench->small[i] = tmm_mapping_create(bench->client, TMM_PAGE_SIZE,
							     TMM_DATA, NULL);
			if (!bench->small[i]) {
				drop_small(bench);
				return -1;
			}
		}
		if (drop_small(bench))
			return -1;
	}
	return 0;
}

static int create_batch(struct bench *bench, unsigned int nr)
{
	struct tmm_create_item items[BATCH];
	unsigned int i;

	while (nr--) {
		for (i = 0; i < BATCH; i++)
			items[i] = (struct tmm_create_item){
				.nr_bytes = TMM_PAGE_SIZE, .flags = TMM_DATA,
			};
		if (tmm_mapping_create_many(bench->client, items, bench->small, BATCH,
					    TMM_ALL_OR_NOTHING) < 0 ||
		    tmm_mapping_drop_many(bench->small, NULL, BATCH, TMM_ALL_OR_NOTHING) < 0)
			return -1;
	}
	return 0;
}

static int allocate_frames(struct bench *bench, unsigned int nr)
{
	const struct tmm_allocate_options options = { .nr_pages = 1 };
	struct tmm_frames *frames;

	while (nr--) {
		frames = tmm_frames_allocate(bench->client, &options);
		if (!frames || tmm_frames_drop(&frames))
			return -1;
	}
	return 0;
}

static int split_and_merge(struct bench *bench, unsigned int nr)
{
	const uint64_t middle = bench->size / 2 / TMM_PAGE_SIZE * TMM_PAGE_SIZE;
	struct tmm_mapping *rest;

	while (nr--)
		if (tmm_mapping_split(&bench->large, middle, &bench->large, &rest) ||
		    tmm_mapping_merge(bench->large, &rest))
			return -1;
	return 0;
}

/* Every other call makes the mapping writable again. */
static int remap(struct bench *bench, unsigned int nr)
{
	while (nr--) {
		bench->is_read_only = !bench->is_read_only;
		if (tmm_mapping_remap(bench->large,
				      bench->is_read_only ? TMM_READ_ONLY_DATA : TMM_DATA))
			return -1;
	}
	return 0;
}

static int make_writable(struct bench *bench, unsigned int nr)
{
	(void)nr;
	bench->is_read_only = false;
	return tmm_mapping_remap(bench->large, TMM_DATA);
}

static int query(struct bench *bench, unsigned int nr)
{
	struct tmm_mapping_info info;

	while (nr--)
		if (tmm_mapping_query(bench->large, &info))
			return -1;
	return 0;
}

/* Measure the borrow alone: no page is touched. */
static int borrow(struct bench *bench, uint64_t nr_bytes, int prot, unsigned int nr)
{
	void *window;

	while (nr--) {
		window = tmm_mapping_mmap(bench->large, 0, nr_bytes, prot);
		if (!window || tmm_mapping_munmap(window, nr_bytes))
			return -1;
	}
	return 0;
}

static int borrow_4k(struct bench *bench, unsigned int nr)
{
	return borrow(bench, TMM_PAGE_SIZE, PROT_READ, nr);
}

static int borrow_mut_4k(struct bench *bench, unsigned int nr)
{
	return borrow(bench, TMM_PAGE_SIZE, PROT_READ | PROT_WRITE, nr);
}

static int touch(char *window, uint64_t nr_bytes)
{
	uint64_t offset;

	for (offset = 0; offset < nr_bytes; offset += TMM_PAGE_SIZE)
		*(volatile char *)(window + offset) = 1;
	return 0;
}

static int borrow_and_touch(struct bench *bench, unsigned int nr)
{
	char *window;

	while (nr--) {
		window = tmm_mapping_mmap(bench->large, 0, bench->size, PROT_READ | PROT_WRITE);
		if (!window)
			return -1;
		touch(window, bench->size);
		tmm_mapping_munmap(window, bench->size);
	}
	return 0;
}

static int anonymous_and_touch(struct bench *bench, unsigned int nr)
{
	char *window;

	while (nr--) {
		window = mmap(NULL, bench->size, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (window == MAP_FAILED)
			return -1;
		touch(window, bench->size);
		munmap(window, bench->size);
	}
	return 0;
}

static int borrow_and_revoke(struct bench *bench, unsigned int nr)
{
	void *window;

	while (nr--) {
		window = tmm_mapping_mmap(bench->large, 0, TMM_PAGE_SIZE, PROT_READ);
		if (!window || tmm_mapping_revoke(bench->large, NULL) ||
		    tmm_mapping_munmap(window, TMM_PAGE_SIZE))
			return -1;
	}
	return 0;
}

static int hand_over(struct bench *bench, unsigned int nr)
{
	int fd;

	while (nr--) {
		fd = tmm_mapping_export(&bench->large);
		if (fd < 0)
			return -1;
		bench->large = tmm_mapping_import(bench->client, &fd);
		if (!bench->large)
			return -1;
	}
	return 0;
}

static int read_few(struct bench *bench, unsigned int nr)
{
	while (nr--)
		if (tmm_mapping_read(bench->large, 0, bench->buffer, FEW_BYTES))
			return -1;
	return 0;
}

static int write_few(struct bench *bench, unsigned int nr)
{
	while (nr--)
		if (tmm_mapping_write(bench->large, 0, bench->buffer, FEW_BYTES))
			return -1;
	return 0;
}

static int read_all(struct bench *bench, unsigned int nr)
{
	while (nr--)
		if (tmm_mapping_read(bench->large, 0, bench->buffer, bench->size))
			return -1;
	return 0;
}

static int write_all(struct bench *bench, unsigned int nr)
{
	while (nr--)
		if (tmm_mapping_write(bench->large, 0, bench->buffer, bench->size))
			return -1;
	return 0;
}

static int copy(struct bench *bench, bool out, unsigned int nr)
{
	char *window = tmm_mapping_mmap(bench->large, 0, bench->size,
					out ? PROT_READ : PROT_READ | PROT_WRITE);

	if (!window)
		return -1;
	while (nr--) {
		memcpy(out ? bench->buffer : window, out ? window : bench->buffer, bench->size);
		/* keep the compiler from merging all copies into one */
		__asm__ __volatile__("" : : : "memory");
	}
	return tmm_mapping_munmap(window, bench->size);
}

static int copy_out(struct bench *bench, unsigned int nr)
{
	return copy(bench, true, nr);
}

static int copy_in(struct bench *bench, unsigned int nr)
{
	return copy(bench, false, nr);
}

/* Several calls, whose single calls are measured in bench_single.c. */
#define CALLS(name, what, function, amount)						\
	{ .key = name, .words = what, .run = function, .per = amount }
/* One call */
#define CALL(name, what, function)							\
	{ .key = name, .words = what, .run = function, .per = 1, .is_call = true }
#define THROUGHPUT(name, what, function, one)						\
	{ .key = name, .words = what, .run = function, .per = 1, .is_throughput = true,	\
	  .is_call = one }

const struct measurement measurements[] = {
	CALLS("create_drop_4k", "create and drop a mapping of 4 KiB", create_4k, 1),
	CALLS("create_drop_2m", "create and drop a mapping of 2 MiB", create_2m, 1),
	CALLS("create_drop_singly", "64 mappings of 4 KiB singly, each", create_singly, BATCH),
	CALLS("create_drop_batch", "64 mappings of 4 KiB in a batch, each", create_batch, BATCH),
	CALLS("frames", "allocate and drop a frame", allocate_frames, 1),
	CALLS("split_merge", "split and merge a mapping", split_and_merge, 1),
	{ .key = "remap", .words = "remap a mapping", .run = remap, .per = 1, .is_call = true,
	  .finish = make_writable },
	CALL("query", "query a mapping", query),
	CALL("read_64", "READ of 64 bytes", read_few),
	CALL("write_64", "WRITE of 64 bytes", write_few),
	CALLS("borrow_4k", "mmap and munmap 4 KiB, shared", borrow_4k, 1),
	CALLS("borrow_mut_4k", "mmap and munmap 4 KiB, exclusive", borrow_mut_4k, 1),
	CALLS("revoke", "mmap, revoke and munmap 4 KiB", borrow_and_revoke, 1),
	CALLS("export_import", "export and import", hand_over, 1),
	THROUGHPUT("borrow_touch", "mmap, touch each page, munmap", borrow_and_touch, false),
	THROUGHPUT("anonymous_touch", "  the same on anonymous memory", anonymous_and_touch, false),
	THROUGHPUT("read", "READ", read_all, true),
	THROUGHPUT("write", "WRITE", write_all, true),
	THROUGHPUT("copy_out", "memcpy() out of a window", copy_out, false),
	THROUGHPUT("copy_in", "memcpy() into a window", copy_in, false),
};

const size_t nr_measurements = sizeof(measurements) / sizeof(measurements[0]);
