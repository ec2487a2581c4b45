// SPDX-License-Identifier: GPL-2.0
/* Debug kernel by name only: the part faults of `make test-stress` runs the program. */
/*
 * Every call fails at every place where a call can fail, one place after the other: at each
 * allocation and each copy from or to the program that Linux can make fail, at each word of the
 * structure and of its arrays, and at each frame, page and handle that the client's limits refuse.
 * A call that fails has the right error, and changes nothing.
 */
#include "call.h"
#include "faults.h"

#define TIMEOUT		300

CALL(import, THESEUS_MM_IOC_IMPORT, 0, true)
{
	struct theseus_mm_create_mapping mapping;

	if (!uapi_create_mapping(self->fd, PAGE, THESEUS_MM_PTE_DATA, &mapping))
		uapi_export(self->fd, mapping.handle, &self->exported);
	argument->import.fd = self->exported;
}

/* After a call that has succeeded, all its objects are made again. */
#define START_OVER()									\
	do {										\
		call_teardown(_metadata, self, variant);				\
		memset(self, 0, sizeof(*self));						\
		call_setup(_metadata, self, variant);					\
	} while (0)

/* An item that fails lets a whole batch fail. */
static void demand_all(unsigned long request, union argument *argument)
{
	if (request == THESEUS_MM_IOC_CREATE_BATCH || request == THESEUS_MM_IOC_DROP_BATCH)
		argument->batch.flags = THESEUS_MM_BATCH_ALL_OR_NOTHING;
}

/*
 * The snapshot empties the magazines, so a call that follows fills them again, and outlives a
 * failure there. How many allocations that takes varies. With full magazines, the places of a call
 * are the same each time.
 */
static void fill_magazines(int fd)
{
	struct theseus_mm_allocate pages = { .size = 1 }, frames = { .size = 1 };

	if (uapi_allocate_pages(fd, &pages) || uapi_drop(fd, pages.handle) ||
	    uapi_allocate_frames(fd, &frames) || uapi_drop(fd, frames.handle))
		_exit(KSFT_FAIL);
}

/* Makes the call an object? Then the call needs memory of Linux. */
static bool makes_object(unsigned long request)
{
	switch (request) {
	case THESEUS_MM_IOC_SPLIT:
	case THESEUS_MM_IOC_ALLOCATE_FRAMES:
	case THESEUS_MM_IOC_ALLOCATE_PAGES:
	case THESEUS_MM_IOC_CREATE_MAPPING:
	case THESEUS_MM_IOC_CREATE_CONTIGUOUS_MAPPING:
	case THESEUS_MM_IOC_CREATE_IDENTITY_MAPPING:
	case THESEUS_MM_IOC_CREATE_BATCH:
	case THESEUS_MM_IOC_MAP_ALLOCATED_PAGES:
	case THESEUS_MM_IOC_EXPORT:
		return true;
	default:
		return false;
	}
}

/* These calls give something back, so they have to work without memory. */
static bool needs_no_memory(unsigned long request)
{
	return request == THESEUS_MM_IOC_DROP || request == THESEUS_MM_IOC_REVOKE;
}

/*
 * Can Linux let a copy of the call fail? Short structures and the items of batches are copied word
 * by word, without a function that Linux can make fail. fails_at_each_word_* tries those.
 */
static bool has_copies(unsigned long request)
{
	switch (request) {
	case THESEUS_MM_IOC_GET_INFO:
	case THESEUS_MM_IOC_GET_REGION:
	case THESEUS_MM_IOC_GET_OCCUPANCY:
	case THESEUS_MM_IOC_GET_CLIENTS:
	case THESEUS_MM_IOC_GET_LIMITS:
	case THESEUS_MM_IOC_LIST_HANDLES:
	case THESEUS_MM_IOC_READ:
	case THESEUS_MM_IOC_WRITE:
		return true;
	default:
		return false;
	}
}

/* How often a call failed with each of the two errors. */
struct nr_errors {
	unsigned int memory;
	unsigned int copy;
};

/* Return: the error of the call whose place @n fails. *@failed: is there such a place? */
static int call_and_fail(FIXTURE_DATA(call) *self, unsigned long request, unsigned int n,
			 bool *failed)
{
	int err;

	fail_at(n);
	err = uapi_call(self->fd, request, self->argument);
	*failed = has_failed();
	if (*failed)
		fault_count(err);
	return err;
}

static void try_each_place(struct __test_metadata *_metadata, FIXTURE_DATA(call) *self,
			   const FIXTURE_VARIANT(call) *variant, bool has_magazines,
			   struct nr_errors *nr)
{
	struct snapshot before;
	union argument good;
	bool failed = true;
	unsigned int n;
	int err = 0;

	for (n = 1; n < MANY && failed; n++) {
		demand_all(variant->request, self->argument);
		good = *self->argument;
		TAKE_SNAPSHOT(&before, ALL_HANDLES);
		if (has_magazines)
			fill_magazines(self->fd);
		err = call_and_fail(self, variant->request, n, &failed);
		if (!err) {
			START_OVER();
			continue;
		}
		nr->memory += err == -ENOMEM;
		nr->copy += err == -EFAULT;
		EXPECT_TRUE(is_of_failure(err)) {
			TH_LOG("place %u: error %d", n, err);
		}
		EXPECT_UNCHANGED(&before, ALL_HANDLES);
		*self->argument = good;
	}
	EXPECT_FALSE(failed);
	EXPECT_EQ(0, err);
}

TEST_F_TIMEOUT(call, fails_at_each_allocation_and_copy, TIMEOUT)
{
	struct nr_errors nr = { 0 };

	ASSERT_TRUE(let_linux_fail());
	try_each_place(_metadata, self, variant, false, &nr);
	try_each_place(_metadata, self, variant, true, &nr);
	EXPECT_EQ(has_copies(variant->request), nr.copy > 0);
	EXPECT_TRUE(!nr.memory || !needs_no_memory(variant->request));
}

/* One failure may be outlived: a magazine that cannot be filled is left empty. */
TEST_F_TIMEOUT(call, fails_if_all_allocations_fail, TIMEOUT)
{
	struct snapshot before;
	int err;

	ASSERT_TRUE(let_linux_fail());
	TAKE_SNAPSHOT(&before, ALL_HANDLES);
	fail_all(true);
	err = uapi_call(self->fd, variant->request, self->argument);
	fail_all(false);
	EXPECT_TRUE(makes_object(variant->request) ? err == -ENOMEM :
		    !err || (is_of_failure(err) && !needs_no_memory(variant->request))) {
		TH_LOG("error %d", err);
	}
	if (err)
		EXPECT_UNCHANGED(&before, ALL_HANDLES);
}

/* --- words that cannot be read or written ----------------------------------------------------- */

/* Copy @nr_bytes so that only the first @nr_there of them are before the inaccessible page. */
static void *cut_off(union argument *argument, const void *from, size_t nr_bytes, size_t nr_there,
		     int rights_beyond)
{
	char *beyond = (char *)argument + ROOM, *to = beyond - nr_there;

	if (mprotect(beyond, PAGE, PROT_READ | PROT_WRITE))
		_exit(KSFT_FAIL);
	memmove(to, from, nr_bytes);
	if (mprotect(beyond, PAGE, rights_beyond))
		_exit(KSFT_FAIL);
	return to;
}

TEST_F_TIMEOUT(call, fails_at_each_word_of_its_structure, TIMEOUT)
{
	const size_t size = _IOC_SIZE(variant->request);
	const union argument good = *self->argument;
	struct snapshot before;
	size_t nr_there;
	void *cut;

	TAKE_SNAPSHOT(&before, ALL_HANDLES);
	for (nr_there = 0; nr_there < size; nr_there += 8) {
		cut = cut_off(self->argument, &good, size, nr_there, PROT_NONE);
		EXPECT_EQ(-EFAULT, uapi_call(self->fd, variant->request, cut));
		EXPECT_UNCHANGED(&before, ALL_HANDLES);
		fault_counts->words++;
		if (!variant->has_results)
			continue;
		cut = cut_off(self->argument, &good, size, nr_there, PROT_READ);
		EXPECT_EQ(-EFAULT, uapi_call(self->fd, variant->request, cut));
		EXPECT_UNCHANGED(&before, ALL_HANDLES);
		fault_counts->words++;
	}
	cut_off(self->argument, &good, size, ROOM, PROT_NONE);
}

/* Is word @word of the structure the address of an array of the fixture? */
static bool is_array(const FIXTURE_DATA(call) *self, size_t word)
{
	__u64 address;

	memcpy(&address, self->argument->bytes + 8 * word, 8);
	return address >= (uintptr_t)self && address < (uintptr_t)(self + 1);
}

/* The call needs at most so many bytes of an array. */
#define ARRAY_BYTES	(4 * sizeof(struct theseus_mm_handle_info))

/* Call with only @nr_there bytes of the array of word @word. */
static int call_without(const FIXTURE_DATA(call) *self, unsigned long request, size_t word,
			size_t nr_there, int rights_beyond)
{
	const union argument good = *self->argument;
	char array[ARRAY_BYTES] = { 0 };
	size_t nr_bytes;
	__u64 address;
	int err;

	memcpy(&address, good.bytes + 8 * word, 8);
	nr_bytes = (uintptr_t)(self + 1) - address;
	memcpy(array, (void *)(uintptr_t)address, nr_bytes < ARRAY_BYTES ? nr_bytes : ARRAY_BYTES);
	address = (uintptr_t)cut_off(self->argument, array, ARRAY_BYTES, nr_there, rights_beyond);
	memcpy(self->argument->bytes + 8 * word, &address, 8);
	err = uapi_call(self->fd, request, self->argument);
	if (err)
		*self->argument = good;
	return err;
}

static unsigned int nr_arrays(unsigned long request)
{
	switch (request) {
	case THESEUS_MM_IOC_GET_OCCUPANCY:
		return 2;
	case THESEUS_MM_IOC_GET_CLIENTS:
	case THESEUS_MM_IOC_LIST_HANDLES:
	case THESEUS_MM_IOC_UNMAP_INTO_PARTS:
	case THESEUS_MM_IOC_READ:
	case THESEUS_MM_IOC_WRITE:
	case THESEUS_MM_IOC_CREATE_BATCH:
	case THESEUS_MM_IOC_DROP_BATCH:
		return 1;
	default:
		return 0;
	}
}

TEST_F_TIMEOUT(call, fails_at_each_word_of_its_arrays, TIMEOUT)
{
	const size_t nr_words = _IOC_SIZE(variant->request) / 8;
	const int rights[] = { PROT_NONE, PROT_READ };
	unsigned int i, nr = 0;
	struct snapshot before;
	size_t word, nr_there;
	int err;

	for (i = 0; i < 2 * nr_words; i++) {
		word = i / 2;
		if (!is_array(self, word))
			continue;
		nr++;
		TAKE_SNAPSHOT(&before, ALL_HANDLES);
		for (nr_there = 0; nr_there <= ARRAY_BYTES; nr_there += 4) {
			err = call_without(self, variant->request, word, nr_there, rights[i % 2]);
			if (!err)
				break;
			fault_counts->words++;
			EXPECT_EQ(-EFAULT, err);
			EXPECT_UNCHANGED(&before, ALL_HANDLES);
		}
		EXPECT_EQ(0, err);
		/* WRITE only reads its array */
		if (rights[i % 2] == PROT_NONE || variant->request != THESEUS_MM_IOC_WRITE)
			EXPECT_LT(0, nr_there);
		START_OVER();
	}
	EXPECT_EQ(2 * nr_arrays(variant->request), nr);
}

/* --- limits ----------------------------------------------------------------------------------- */

static void fill_limits(const struct theseus_mm_limits *now, __u64 room,
			struct theseus_mm_limits *limits)
{
	const __u64 no = THESEUS_MM_NO_LIMIT;

	limits->client_frames_max = limits->flags & THESEUS_MM_SET_FRAMES ?
				    now->client_frames + room : no;
	limits->client_pages_max = limits->flags & THESEUS_MM_SET_PAGES ?
				   now->client_pages + room : no;
	limits->client_handles_max = limits->flags & THESEUS_MM_SET_HANDLES ?
				     now->client_handles + room : no;
}

/* Takes the call frames, pages or handles? EXPORT gives a handle back. */
static bool is_limited(unsigned long request)
{
	switch (request) {
	case THESEUS_MM_IOC_UNMAP_INTO_PARTS:
	case THESEUS_MM_IOC_MAP_OFFSET:
	case THESEUS_MM_IOC_IMPORT:
	case THESEUS_MM_IOC_TAKE_BACK:
		return true;
	case THESEUS_MM_IOC_EXPORT:
		return false;
	default:
		return makes_object(request);
	}
}

TEST_F_TIMEOUT(call, fails_at_each_frame_page_and_handle, TIMEOUT)
{
	const __u32 which[] = {
		THESEUS_MM_SET_FRAMES, THESEUS_MM_SET_PAGES, THESEUS_MM_SET_HANDLES,
	};
	struct theseus_mm_limits now, limits;
	unsigned int i, room, nr_refused = 0;
	struct snapshot before;
	int err;

	for (i = 0; i < ARRAY_SIZE(which); i++) {
		for (room = 0; room < MANY; room++) {
			demand_all(variant->request, self->argument);
			ASSERT_EQ(0, uapi_get_limits(self->fd, &now));
			limits = (struct theseus_mm_limits){ .flags = which[i] };
			fill_limits(&now, room, &limits);
			ASSERT_EQ(0, uapi_call(self->fd, THESEUS_MM_IOC_SET_LIMITS, &limits));
			TAKE_SNAPSHOT(&before, ALL_HANDLES);
			err = uapi_call(self->fd, variant->request, self->argument);
			if (!err)
				break;
			fault_counts->limits++;
			nr_refused++;
			EXPECT_EQ(-EDQUOT, err);
			EXPECT_UNCHANGED(&before, ALL_HANDLES);
		}
		EXPECT_EQ(0, err);
		START_OVER();
	}
	EXPECT_EQ(is_limited(variant->request), nr_refused > 0);
}

TEST_HARNESS_MAIN
