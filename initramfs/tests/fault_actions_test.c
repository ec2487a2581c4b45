// SPDX-License-Identifier: GPL-2.0
/* Debug kernel by name only: the part faults of `make test-stress` runs the program. */
/*
 * Operations that fault_calls_test does not try fail at every allocation and copy that Linux can
 * make fail, one after the other. An operation that fails has the right error, and changes nothing.
 */
#include "area.h"
#include "faults.h"
#include "pci.h"

/**
 * action - a client with one mapping, which is filled
 * @mapping: the mapping
 * @offset: its offset for mmap()
 * @lending: a descriptor that lends the mapping
 * @device: device memory, four pages
 * @place: the allocation or copy that fails
 */
FIXTURE(action)
{
	int fd;
	struct theseus_mm_info start;
	struct theseus_mm_create_mapping mapping;
	__u64 offset;
	int lending;
	__u64 device;
	unsigned int place;
};

/**
 * action variants - operations
 * @prepare: may be NULL
 * @operate: returns a negative errno, or what @undo needs
 * @undo: puts everything back after a success
 * @can_fail: the operation needs memory
 */
FIXTURE_VARIANT(action)
{
	long (*prepare)(FIXTURE_DATA(action) *self);
	long (*operate)(FIXTURE_DATA(action) *self);
	void (*undo)(FIXTURE_DATA(action) *self, long result);
	bool can_fail;
};

FIXTURE_SETUP(action)
{
	CLIENT_SETUP();
	self->mapping = FILLED(4);
	ASSERT_EQ(0, uapi_map_offset(self->fd, self->mapping.handle, &self->offset, NULL));
	ASSERT_EQ(0, uapi_export_as(self->fd, self->mapping.handle, THESEUS_MM_EXPORT_BORROW,
				    &self->lending, NULL));
	self->device = pci_find_bar(0x1af4, 0x1110, 2) & ~0xfULL;
	ASSERT_NE(0, self->device);
	if (variant->prepare)
		ASSERT_EQ(0, variant->prepare(self));
}

FIXTURE_TEARDOWN(action)
{
	close(self->lending);
	uapi_remove_device_region(self->fd, self->device, 4 * PAGE);
	CLIENT_TEARDOWN();
}

#define OPERATION(name, prepare_it, operate_it, undo_it, needs_memory)			\
	FIXTURE_VARIANT_ADD(action, name) {						\
		.prepare = prepare_it,							\
		.operate = operate_it,							\
		.undo = undo_it,							\
		.can_fail = needs_memory,						\
	}

static long open_client(FIXTURE_DATA(action) __attribute__((unused)) *self)
{
	return uapi_open(NULL);
}

static void close_it(FIXTURE_DATA(action) __attribute__((unused)) *self, long result)
{
	close(result);
}

OPERATION(open, NULL, open_client, close_it, true);

static long open_walk(FIXTURE_DATA(action) __attribute__((unused)) *self)
{
	int fd = open("/sys/kernel/debug/theseus_mm/walk", O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

OPERATION(open_of_a_debugfs_file, NULL, open_walk, close_it, true);

static long map_with(int fd, __u64 offset, int flags)
{
	void *area = mmap(NULL, 4 * PAGE, RW, MAP_SHARED | flags, fd, offset);

	return area == MAP_FAILED ? -errno : (long)area;
}

static long map_area(FIXTURE_DATA(action) *self)
{
	return map_with(self->fd, self->offset, 0);
}

static long map_and_populate(FIXTURE_DATA(action) *self)
{
	return map_with(self->fd, self->offset, MAP_POPULATE);
}

static long map_lending(FIXTURE_DATA(action) *self)
{
	return map_with(self->lending, 0, 0);
}

/* If memory is short, Linux repeats the access. */
static long map_and_touch(FIXTURE_DATA(action) *self)
{
	long area = map_area(self);

	if (area > 0)
		(void)*(volatile char *)area;
	return area;
}

static void unmap_area(FIXTURE_DATA(action) __attribute__((unused)) *self, long result)
{
	munmap((void *)result, 4 * PAGE);
}

OPERATION(mmap, NULL, map_area, unmap_area, true);
OPERATION(mmap_and_populate, NULL, map_and_populate, unmap_area, true);
OPERATION(mmap_and_touch, NULL, map_and_touch, unmap_area, true);
OPERATION(mmap_of_a_lending_descriptor, NULL, map_lending, unmap_area, true);

/* Only REVOKE fails, not the mmap() before it. */
static long revoke_area(FIXTURE_DATA(action) *self)
{
	long area, err;

	fail_at(0);
	area = map_and_populate(self);
	if (area < 0)
		_exit(KSFT_FAIL);
	fail_at(self->place);
	err = uapi_revoke(self->fd, self->mapping.handle, NULL);
	if (err)
		unmap_area(self, area);
	return err ?: area;
}

static void lend_again(FIXTURE_DATA(action) *self, long result)
{
	unmap_area(self, result);
	close(self->lending);
	if (uapi_export_as(self->fd, self->mapping.handle, THESEUS_MM_EXPORT_BORROW, &self->lending,
			   NULL))
		_exit(KSFT_FAIL);
}

OPERATION(revoke, NULL, revoke_area, lend_again, false);

static long export_dmabuf(FIXTURE_DATA(action) *self)
{
	struct theseus_mm_export call = { .handle = self->mapping.handle };
	int err = uapi_call(self->fd, THESEUS_MM_IOC_EXPORT_DMABUF, &call);

	return err ?: call.fd;
}

OPERATION(export_dmabuf, NULL, export_dmabuf, close_it, true);

static long add_device_region(FIXTURE_DATA(action) *self)
{
	return uapi_add_device_region(self->fd, self->device, 4 * PAGE,
				      THESEUS_MM_MEMORY_WRITE_BACK);
}

static long remove_device_region(FIXTURE_DATA(action) *self)
{
	return uapi_remove_device_region(self->fd, self->device, 4 * PAGE);
}

static void undo_add(FIXTURE_DATA(action) *self, long __attribute__((unused)) result)
{
	remove_device_region(self);
}

static void undo_remove(FIXTURE_DATA(action) *self, long __attribute__((unused)) result)
{
	add_device_region(self);
}

OPERATION(add_device_region, NULL, add_device_region, undo_add, true);
OPERATION(remove_device_region, add_device_region, remove_device_region, undo_remove, false);

static long map_frame_range(FIXTURE_DATA(action) *self)
{
	struct theseus_mm_map_range mapping;
	int err = uapi_map_frame_range(self->fd, self->device, 2 * PAGE, THESEUS_MM_PTE_DATA,
				       &mapping);

	return err ?: (long)mapping.handle;
}

static void drop_it(FIXTURE_DATA(action) *self, long result)
{
	uapi_drop(self->fd, result);
}

OPERATION(map_frame_range, add_device_region, map_frame_range, drop_it, true);

TEST_F_TIMEOUT(action, fails_at_each_allocation_and_copy, 300)
{
	struct snapshot before;
	unsigned int n, nr_errors = 0;
	bool failed;
	long result;

	ASSERT_TRUE(let_linux_fail());
	TAKE_SNAPSHOT(&before, self->mapping.handle);
	for (n = 1; n < MANY; n++) {
		self->place = n;
		fail_at(n);
		result = variant->operate(self);
		failed = has_failed();
		if (result >= 0)
			variant->undo(self, result);
		EXPECT_UNCHANGED(&before, self->mapping.handle);
		if (!failed)
			break;
		fault_count(result < 0 ? result : 0);
		nr_errors += result < 0;
		/* Linux returns EBUSY for each failure while it claims device memory */
		EXPECT_TRUE(result >= 0 || is_of_failure(result) ||
			    (result == -EBUSY && variant->operate == add_device_region)) {
			TH_LOG("place %u: error %ld", n, result);
		}
	}
	EXPECT_FALSE(failed);
	EXPECT_LE(0, result);
	EXPECT_EQ(variant->can_fail, nr_errors > 0);
}

TEST_HARNESS_MAIN
