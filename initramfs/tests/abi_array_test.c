// SPDX-License-Identifier: GPL-2.0
/*
 * Calls that read or write an array of the program. The program's entries may be smaller or larger
 * than the module's.
 */
#include "argument.h"

/* Also 32-bit: every structure has one layout. */

/* Room for two entries of any size, with an inaccessible page after it. */
#define ARRAY_ROOM	(2 * PAGE)
#define UNTOUCHED	0x5a

/**
 * array - a client with an object of each kind, and a good argument for a call that has
 *         an array of structures
 * @pages: a handle
 * @frames: a handle
 * @other: another client
 * @argument: argument of the call
 * @memory: memory of the array
 */
FIXTURE(array)
{
	int fd;
	struct theseus_mm_info start;
	__u32 pages;
	__u32 frames;
	int other;
	union argument argument;
	unsigned char *memory;
};

/**
 * array variants - one for each call
 * @request: number of the call
 * @known: size of an entry
 * @first: size of an entry in the first version of the structure
 * @is_read: the call reads entries and writes them
 * @set: stores the array's address and the size of an entry in the argument
 * @fill: fills in the rest of the argument, and an array of two entries
 * @is_told: tells whether an entry has the results of a successful call
 */
FIXTURE_VARIANT(array)
{
	unsigned long request;
	size_t known;
	size_t first;
	bool is_read;
	void (*set)(union argument *argument, void *array, __u32 size);
	void (*fill)(FIXTURE_DATA(array) *self, unsigned char *array, size_t size);
	bool (*is_told)(const void *entry);
};

static void set_buckets(union argument *argument, void *array, __u32 size)
{
	argument->occupancy.buckets = (uintptr_t)array;
	argument->occupancy.bucket_size = size;
}

/* Choose a size that makes two parts. */
static void fill_buckets(FIXTURE_DATA(array) *self,
			 unsigned char __attribute__((unused)) *array,
			 size_t __attribute__((unused)) size)
{
	struct theseus_mm_region region = { 0 };

	uapi_get_region(self->fd, 0, &region);
	self->argument.occupancy.nr_buckets = 2;
	self->argument.occupancy.bucket_frames = 512;
	while (2 * self->argument.occupancy.bucket_frames * PAGE < region.nr_bytes)
		self->argument.occupancy.bucket_frames *= 2;
}

static bool is_bucket(const void *entry)
{
	const struct theseus_mm_bucket *bucket = entry;

	return bucket->free && bucket->free < 1 << 24 && !bucket->bad;
}

FIXTURE_VARIANT_ADD(array, get_occupancy) {
	.request = THESEUS_MM_IOC_GET_OCCUPANCY,
	.known = sizeof(struct theseus_mm_bucket),
	.first = sizeof(struct theseus_mm_bucket),
	.set = set_buckets,
	.fill = fill_buckets,
	.is_told = is_bucket,
};

static void set_clients(union argument *argument, void *array, __u32 size)
{
	argument->clients.clients = (uintptr_t)array;
	argument->clients.entry_size = size;
}

static void fill_clients(FIXTURE_DATA(array) *self,
			 unsigned char __attribute__((unused)) *array,
			 size_t __attribute__((unused)) size)
{
	self->argument.clients.nr_clients = 2;
}

static bool is_client(const void *entry)
{
	const struct theseus_mm_client_info *info = entry;

	/* Linux cuts the names of programs: "abi_array32_test" is one letter too long. */
	return info->id && !info->uid && !strncmp(info->comm, program_invocation_short_name,
						  sizeof(info->comm) - 1);
}

FIXTURE_VARIANT_ADD(array, get_clients) {
	.request = THESEUS_MM_IOC_GET_CLIENTS,
	.known = sizeof(struct theseus_mm_client_info),
	.first = sizeof(struct theseus_mm_client_info),
	.set = set_clients,
	.fill = fill_clients,
	.is_told = is_client,
};

static void set_handles(union argument *argument, void *array, __u32 size)
{
	argument->handles.handles = (uintptr_t)array;
	argument->handles.entry_size = size;
}

static void fill_handles(FIXTURE_DATA(array) *self,
			 unsigned char __attribute__((unused)) *array,
			 size_t __attribute__((unused)) size)
{
	self->argument.handles.nr_handles = 2;
}

static bool is_handle(const void *entry)
{
	const struct theseus_mm_handle_info *info = entry;

	return info->handle && info->nr_pages == 4 && !info->export_id &&
	       (info->kind == THESEUS_MM_KIND_PAGES || info->kind == THESEUS_MM_KIND_FRAMES);
}

FIXTURE_VARIANT_ADD(array, list_handles) {
	.request = THESEUS_MM_IOC_LIST_HANDLES,
	.known = sizeof(struct theseus_mm_handle_info),
	.first = sizeof(struct theseus_mm_handle_info),
	.set = set_handles,
	.fill = fill_handles,
	.is_told = is_handle,
};

static void set_items(union argument *argument, void *array, __u32 size)
{
	argument->batch.items = (uintptr_t)array;
	argument->batch.item_size = size;
}

static void fill_creates(FIXTURE_DATA(array) *self, unsigned char *array, size_t size)
{
	const struct theseus_mm_create_item item = {
		.error = 77,
		.size = PAGE,
		.pte_flags = THESEUS_MM_PTE_DATA,
	};
	unsigned int i;

	memset(array, 0, 2 * size);
	for (i = 0; i < 2; i++)
		memcpy(array + i * size, &item, size < sizeof(item) ? size : sizeof(item));
	self->argument.batch.nr_items = 2;
}

static bool is_created(const void *entry)
{
	const struct theseus_mm_create_item *item = entry;

	return !item->error && item->handle && item->start && item->nr_pages == 1;
}

FIXTURE_VARIANT_ADD(array, create_batch) {
	.request = THESEUS_MM_IOC_CREATE_BATCH,
	.known = sizeof(struct theseus_mm_create_item),
	.first = sizeof(struct theseus_mm_create_item),
	.is_read = true,
	.set = set_items,
	.fill = fill_creates,
	.is_told = is_created,
};

static void fill_drops(FIXTURE_DATA(array) *self, unsigned char *array, size_t size)
{
	struct theseus_mm_drop_item item = { .error = 77 };
	unsigned int i;

	memset(array, 0, 2 * size);
	for (i = 0; i < 2; i++) {
		item.handle = i ? self->frames : self->pages;
		memcpy(array + i * size, &item, size < sizeof(item) ? size : sizeof(item));
	}
	self->argument.batch.nr_items = 2;
}

static bool is_dropped(const void *entry)
{
	const struct theseus_mm_drop_item *item = entry;

	return item->handle && !item->error;
}

FIXTURE_VARIANT_ADD(array, drop_batch) {
	.request = THESEUS_MM_IOC_DROP_BATCH,
	.known = sizeof(struct theseus_mm_drop_item),
	.first = sizeof(struct theseus_mm_drop_item),
	.is_read = true,
	.set = set_items,
	.fill = fill_drops,
	.is_told = is_dropped,
};

FIXTURE_SETUP(array)
{
	CLIENT_SETUP();
	self->other = uapi_open(NULL);
	self->pages = PAGES(4).handle;
	self->frames = FRAMES(4).handle;
	self->memory = mmap(NULL, ARRAY_ROOM + PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)self->memory);
	ASSERT_EQ(0, mprotect(self->memory + ARRAY_ROOM, PAGE, PROT_NONE));
}

FIXTURE_TEARDOWN(array)
{
	close(self->other);
	CLIENT_TEARDOWN();
}

/*
 * Make an array of two entries that ends at the end of the memory. @fill writes the entries that
 * the call reads; all other bytes of the memory are UNTOUCHED.
 */
static unsigned char *array_of(FIXTURE_DATA(array) *self, const FIXTURE_VARIANT(array) *variant,
			       size_t size)
{
	unsigned char *array = self->memory + ARRAY_ROOM - 2 * size;

	memset(self->memory, UNTOUCHED, ARRAY_ROOM);
	memset(&self->argument, 0, sizeof(self->argument));
	variant->fill(self, array, size);
	variant->set(&self->argument, array, size);
	return array;
}

TEST_F(array, of_entries_of_the_size_they_have)
{
	unsigned char *array = array_of(self, variant, variant->known);

	ASSERT_EQ(0, uapi_call(self->fd, variant->request, &self->argument));
	EXPECT_TRUE(variant->is_told(array));
	EXPECT_TRUE(variant->is_told(array + variant->known));
	EXPECT_EQ(UNTOUCHED, array[-1]);
}

/* Entries are smaller and larger than the module's. The unknown rest of a larger entry is 0. */
TEST_F(array, of_entries_of_another_size)
{
	const size_t sizes[] = { variant->first, variant->known + 8, 1024, PAGE };
	unsigned char *array;
	size_t i, j, size;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		size = sizes[i];
		if (i && variant->request == THESEUS_MM_IOC_DROP_BATCH) {
			self->pages = PAGES(1).handle;
			self->frames = FRAMES(1).handle;
		}
		array = array_of(self, variant, size);
		ASSERT_EQ(0, uapi_call(self->fd, variant->request, &self->argument));
		EXPECT_TRUE(variant->is_told(array));
		EXPECT_TRUE(variant->is_told(array + size));
		for (j = variant->known; j < size; j++) {
			ASSERT_EQ(0, array[j]);
			ASSERT_EQ(0, array[size + j]);
		}
		if (2 * size < ARRAY_ROOM)
			EXPECT_EQ(UNTOUCHED, array[-1]);
	}
}

TEST_F(array, of_entries_too_small_or_no_multiple_of_8_or_too_large)
{
	const __u32 sizes[] = {
		0, 1, 4, variant->first - 8, variant->first - 4, variant->first - 1,
		variant->known + 1, variant->known + 4, variant->known + 7, PAGE - 4, PAGE + 8,
		1U << 31, ~0U - 7, ~0U,
	};
	unsigned char *array = array_of(self, variant, variant->known);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		variant->set(&self->argument, array, sizes[i]);
		EXPECT_REFUSED(EINVAL, uapi_call(self->fd, variant->request, &self->argument),
			       self->pages, self->frames);
	}
}

TEST_F(array, of_entries_that_say_more)
{
	const size_t sizes[] = { variant->known + 8, PAGE };
	unsigned char *array;
	size_t i, at;

	if (!variant->is_read)
		return;
	for (i = 0; i < 3 * ARRAY_SIZE(sizes); i++) {
		const size_t size = sizes[i / 3];

		array = array_of(self, variant, size);
		/*
		 * set a byte that the module does not know: the first or last such byte of the
		 * first entry, or the last byte of the second entry
		 */
		at = i % 3 == 0 ? variant->known : i % 3 == 1 ? size - 1 : 2 * size - 1;
		array[at] = 0x80;
		EXPECT_REFUSED(E2BIG, uapi_call(self->fd, variant->request, &self->argument),
			       self->pages, self->frames);
		EXPECT_EQ(0x80, array[at]);
	}
}

/* The second entry cannot be written, so the call must do nothing for the first entry either. */
TEST_F(array, that_is_not_all_there)
{
	unsigned char *array = self->memory + ARRAY_ROOM - variant->known;

	memset(&self->argument, 0, sizeof(self->argument));
	variant->fill(self, self->memory, variant->known);
	memcpy(array, self->memory, variant->known);
	variant->set(&self->argument, array, variant->known);
	EXPECT_REFUSED(EFAULT, uapi_call(self->fd, variant->request, &self->argument),
		       self->pages, self->frames);
}

TEST_HARNESS_MAIN
