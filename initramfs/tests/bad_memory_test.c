// SPDX-License-Identifier: GPL-2.0
/* Debug kernel by name: each case loads the module twice, which takes seconds there. */
/*
 * Memory that fails is taken from its owner and from all processes that show it, and goes to nobody
 * else.
 */
#include "bad_memory.h"

#include <pthread.h>

/* Return: the attributes of the first handle or export in LIST_HANDLES, or ~0 */
static __u32 listed(int fd, __u32 flags)
{
	struct theseus_mm_handle_info info;
	__u32 from = 0, nr;

	return uapi_list_handles(fd, flags, &from, &info, 1, &nr) || nr != 1 ? ~0U :
	       info.attributes;
}

TEST_F_TIMEOUT(bad, its_owner_is_told, 120)
{
	unsigned char buffer[2 * PAGE], byte;
	__u32 handle;

	ASSERT_EQ(0, start(self, ""));
	handle = self->mapping.handle;
	FAIL(self->mapping.paddr + PAGE + 64);
	EXPECT_TOLD(self->area + PAGE);
	EXPECT_TOLD(self->area + 2 * PAGE - 1);
	EXPECT_EQ(SIGBUS, store(self->area + PAGE + 5, 1));
	/* the other pages of the mapping keep their content */
	EXPECT_EQ(PAGE, nr_alike(self->area, 0, PAGE));
	EXPECT_EQ(2 * PAGE, nr_alike(self->area + 2 * PAGE, 2 * PAGE, 2 * PAGE));
	EXPECT_EQ(THESEUS_MM_ATTRIBUTE_BAD, QUERY(handle).attributes & THESEUS_MM_ATTRIBUTE_BAD);
	EXPECT_EQ(1, QUERY(handle).nr_borrows);
	EXPECT_EQ(THESEUS_MM_ATTRIBUTE_BAD, listed(self->fd, 0));
	leave(self);
	EXPECT_EQ(-EIO, uapi_read(self->fd, handle, PAGE, &byte, 1));
	EXPECT_EQ(-EIO, uapi_read(self->fd, handle, PAGE - 1, buffer, 2));
	EXPECT_EQ(-EIO, uapi_write(self->fd, handle, 2 * PAGE - 1, buffer, 2));
	EXPECT_EQ(0, uapi_read(self->fd, handle, 0, buffer, PAGE));
	EXPECT_EQ(0, uapi_write(self->fd, handle, 2 * PAGE, buffer, 2 * PAGE));
}

TEST_F_TIMEOUT(bad, nobody_gets_it_afterwards, 120)
{
	__u64 free;
	int i;

	ASSERT_EQ(0, start(self, ""));
	free = INFO().frames_free;
	FAIL(self->mapping.paddr + PAGE);
	EXPECT_EQ(free, INFO().frames_free);
	leave(self);
	ASSERT_EQ(0, uapi_drop(self->fd, self->mapping.handle));
	EXPECT_EQ(-EADDRINUSE, allocate_at(self->fd, self->mapping.paddr + PAGE));
	for (i = 0; i < NR; i++)
		if (i != 1)
			EXPECT_EQ(0, allocate_at(self->fd, self->mapping.paddr + i * PAGE));
}

TEST_F_TIMEOUT(bad, a_free_frame_is_retired_at_once, 120)
{
	__u64 free;

	ASSERT_EQ(0, start(self, ""));
	leave(self);
	ASSERT_EQ(0, uapi_drop(self->fd, self->mapping.handle));
	free = INFO().frames_free;
	EXPECT_EQ(0, nr_retired(self->fd, 0));
	FAIL(self->mapping.paddr + 2 * PAGE);
	EXPECT_EQ(free - 1, INFO().frames_free);
	EXPECT_EQ(1, nr_retired(self->fd, 0));
	EXPECT_EQ(-EADDRINUSE, allocate_at(self->fd, self->mapping.paddr + 2 * PAGE));
	EXPECT_EQ(0, allocate_at(self->fd, self->mapping.paddr + 3 * PAGE));
	/* a second report of the same memory has no effect */
	ASSERT_TRUE(inject(self->mapping.paddr + 2 * PAGE, STATUS_FAILS));
	FAIL(self->mapping.paddr + PAGE);
	EXPECT_EQ(free - 3, INFO().frames_free);
}

TEST_F_TIMEOUT(bad, what_is_corrected_or_elsewhere_is_left_alone, 120)
{
	ASSERT_EQ(0, start(self, ""));
	/* report a corrected error, one without an address, and one outside all regions */
	ASSERT_TRUE(inject(self->mapping.paddr, STATUS_FAILS & ~STATUS_UC));
	ASSERT_TRUE(inject(self->mapping.paddr, STATUS_FAILS & ~STATUS_ADDRV));
	ASSERT_TRUE(inject(1ULL << 45, STATUS_FAILS));
	FAIL(KEY | (self->mapping.paddr + 3 * PAGE));
	EXPECT_EQ(3 * PAGE, nr_alike(self->area, 0, 3 * PAGE));
	EXPECT_TOLD(self->area + 3 * PAGE);
}

TEST_F_TIMEOUT(bad, a_part_of_a_large_mapping, 120)
{
	const __u64 large = 512 * PAGE;
	struct theseus_mm_create_mapping mapping;
	unsigned char *area;

	ASSERT_EQ(0, start(self, ""));
	ASSERT_EQ(0, uapi_create_contiguous_mapping(self->fd, 2 * large, THESEUS_MM_PTE_DATA,
						    &mapping));
	ASSERT_EQ(0, fill(self->fd, mapping.handle, 2 * large));
	area = AREA(mapping.handle, R);
	EXPECT_EQ(2 * large, nr_alike(area, 0, 2 * large));
	FAIL(mapping.paddr + large + 7 * PAGE);
	EXPECT_TOLD(area + large + 7 * PAGE);
	EXPECT_EQ(large + 7 * PAGE, nr_alike(area, 0, large + 7 * PAGE));
	EXPECT_EQ(large - 8 * PAGE, nr_alike(area + large + 8 * PAGE, large + 8 * PAGE,
					     large - 8 * PAGE));
	munmap(area, 2 * large);
	ASSERT_EQ(0, uapi_drop(self->fd, mapping.handle));
	EXPECT_EQ(-EADDRINUSE, allocate_at(self->fd, mapping.paddr + large + 7 * PAGE));
}

/* Each other page of the mapping has its entry after MAP_POPULATE. */
TEST_F_TIMEOUT(bad, map_populate_leaves_out_what_fails, 120)
{
	const __u64 nr = 2 * 512, bad[] = { 0, 7, 512, nr - 1 };
	struct theseus_mm_create_mapping mapping;
	__u64 offset, i, nr_right = 0;
	unsigned char *area;
	long faults;

	ASSERT_EQ(0, start(self, ""));
	ASSERT_EQ(0, uapi_create_contiguous_mapping(self->fd, nr * PAGE, THESEUS_MM_PTE_DATA,
						    &mapping));
	ASSERT_EQ(0, fill(self->fd, mapping.handle, nr * PAGE));
	ASSERT_EQ(0, uapi_map_offset(self->fd, mapping.handle, &offset, NULL));
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		FAIL(mapping.paddr + bad[i] * PAGE);
	area = mmap(NULL, nr * PAGE, R, MAP_SHARED | MAP_POPULATE, self->fd, offset);
	ASSERT_NE((unsigned char *)MAP_FAILED, area);
	faults = nr_faults();
	for (i = 1; i < nr - 1; i++)
		nr_right += i != 7 && i != 512 && area[i * PAGE] == pattern(i * PAGE);
	EXPECT_EQ(faults, nr_faults());
	EXPECT_EQ(nr - ARRAY_SIZE(bad), nr_right);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_TOLD(area + bad[i] * PAGE);
	munmap(area, nr * PAGE);
	/* a failing page that faults first does not keep its neighbours from their entries */
	area = AREA(mapping.handle, R);
	EXPECT_TOLD(area);
	EXPECT_EQ(6 * PAGE, nr_alike(area + PAGE, PAGE, 6 * PAGE));
	munmap(area, nr * PAGE);
}

TEST_F_TIMEOUT(bad, parts_of_what_has_it, 120)
{
	__u32 first, second, third, pages, frames[NR], nr = NR;

	ASSERT_EQ(0, start(self, ""));
	FAIL(self->mapping.paddr + PAGE);
	leave(self);
	ASSERT_EQ(0, uapi_split(self->fd, self->mapping.handle, PAGE, &first, &second));
	ASSERT_EQ(0, uapi_split(self->fd, second, PAGE, &second, &third));
	EXPECT_EQ(0, QUERY(first).attributes);
	EXPECT_EQ(THESEUS_MM_ATTRIBUTE_BAD, QUERY(second).attributes);
	EXPECT_EQ(0, QUERY(third).attributes);
	ASSERT_EQ(0, uapi_unmap_into_parts(self->fd, second, &pages, frames, &nr));
	EXPECT_EQ(0, uapi_drop(self->fd, frames[0]));
	EXPECT_EQ(-EADDRINUSE, allocate_at(self->fd, self->mapping.paddr + PAGE));
}

TEST_F_TIMEOUT(bad, it_is_handed_over_as_it_is, 120)
{
	struct theseus_mm_query query = { 0 };
	unsigned char *area;
	__u32 handle;
	int fd;

	ASSERT_EQ(0, start(self, ""));
	leave(self);
	ASSERT_EQ(0, uapi_export(self->fd, self->mapping.handle, &fd));
	area = mmap(NULL, SIZE, R, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, (void *)area);
	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	FAIL(self->mapping.paddr);
	EXPECT_TOLD(area);
	munmap(area, SIZE);
	ASSERT_EQ(0, uapi_call(fd, THESEUS_MM_IOC_QUERY, &query));
	EXPECT_EQ(THESEUS_MM_ATTRIBUTE_BAD, query.attributes);
	EXPECT_EQ(THESEUS_MM_ATTRIBUTE_BAD, listed(self->fd, THESEUS_MM_HANDLES_EXPORTS));
	ASSERT_EQ(0, uapi_import(self->fd, fd, &handle));
	EXPECT_EQ(THESEUS_MM_ATTRIBUTE_BAD, QUERY(handle).attributes);
	area = AREA(handle, R);
	EXPECT_TOLD(area);
	munmap(area, SIZE);
	close(fd);
}

/* A thread creates, hands over and drops mappings while memory fails. */
static void *make_and_drop(void *context)
{
	bool *stop = context;
	struct theseus_mm_create_mapping mapping;
	int fd = uapi_open(NULL), export;
	unsigned char *area, byte;
	__u32 handle = 0;

	while (!__atomic_load_n(stop, __ATOMIC_SEQ_CST)) {
		if (uapi_create_mapping(fd, 64 * PAGE, THESEUS_MM_PTE_DATA, &mapping))
			break;
		area = mmap_all(fd, mapping.handle, RW);
		load(area + 5 * PAGE, &byte);
		munmap(area, 64 * PAGE);
		if (!uapi_export(fd, mapping.handle, &export)) {
			uapi_import(fd, export, &handle);
			close(export);
			uapi_drop(fd, handle);
		}
	}
	close(fd);
	return NULL;
}

TEST_F_TIMEOUT(bad, reports_while_mappings_come_and_go, 120)
{
	bool stop = false;
	pthread_t thread;
	int i;

	ASSERT_EQ(0, start(self, ""));
	leave(self);
	ASSERT_EQ(0, pthread_create(&thread, NULL, make_and_drop, &stop));
	/* report one page after the other, since Linux's queue of reports is short */
	for (i = 0; i < 60; i++)
		FAIL(self->mapping.paddr + (i + 1) * 3 * PAGE);
	__atomic_store_n(&stop, true, __ATOMIC_SEQ_CST);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, uapi_drop(self->fd, self->mapping.handle));
	EXPECT_EQ(self->start.frames_free - 60, INFO().frames_free);
}

/* Reports go on while the module is unloaded and loaded. */
TEST_F_TIMEOUT(bad, reports_while_the_module_is_unloaded, 120)
{
	pid_t pid;
	int i;

	ASSERT_EQ(0, start(self, ""));
	leave(self);
	close(self->fd);
	self->fd = -1;
	pid = fork();
	if (!pid)
		for (i = 0;; i++) {
			inject(self->mapping.paddr + i % 1000 * PAGE, STATUS_FAILS);
			usleep(500);
		}
	for (i = 0; i < 10; i++) {
		usleep(20000);
		EXPECT_EQ(0, module_unload());
		EXPECT_EQ(0, module_load(self->parameters));
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	/* the module gives the whole region back, and can claim it again */
	EXPECT_EQ(0, module_unload());
	EXPECT_EQ(0, module_load(self->parameters));
}

TEST_F_TIMEOUT(bad, in_quarantine, 120)
{
	ASSERT_EQ(0, start(self, "quarantine=1"));
	leave(self);
	ASSERT_EQ(0, uapi_drop(self->fd, self->mapping.handle));
	FAIL(self->mapping.paddr + PAGE);
	EXPECT_EQ(-EADDRINUSE, allocate_at(self->fd, self->mapping.paddr + PAGE));
}

/* --- named at load -------------------------------------------------------------------- */

TEST_F_TIMEOUT(bad, frames_named_at_load_go_to_nobody, 120)
{
	char more[100];
	__u64 paddr;

	ASSERT_EQ(0, start(self, ""));
	/* an address that will not hold the first page tables */
	paddr = self->mapping.paddr + 1000 * PAGE;
	leave(self);
	close(self->fd);
	snprintf(more, sizeof(more), "bad=%#llx,%llu,%#llx", paddr, paddr + 2 * PAGE + 5, paddr);
	ASSERT_EQ(0, start(self, more));
	EXPECT_EQ(2, self->start.frames_bad);
	EXPECT_EQ(-EADDRINUSE, allocate_at(self->fd, paddr));
	EXPECT_EQ(0, allocate_at(self->fd, paddr + PAGE));
	EXPECT_EQ(-EADDRINUSE, allocate_at(self->fd, paddr + 2 * PAGE));
}

static int try_load(struct _test_data_bad *self, const char *bad)
{
	char parameters[MODULE_TEXT + 200];
	int err = module_unload();

	snprintf(parameters, sizeof(parameters), "%s bad=%s", self->parameters, bad);
	err = err ?: module_load(parameters);
	if (err)
		err = module_load(self->parameters) ? -EIO : err;
	return err;
}

TEST_F_TIMEOUT(bad, addresses_that_are_refused, 120)
{
	struct theseus_mm_region region;
	char text[40];

	ASSERT_EQ(0, start(self, ""));
	leave(self);
	ASSERT_EQ(0, uapi_get_region(self->fd, 0, &region));
	close(self->fd);
	self->fd = -1;
	EXPECT_EQ(-EINVAL, try_load(self, "here"));
	EXPECT_EQ(-EINVAL, try_load(self, "0x130100000,"));
	EXPECT_EQ(-EINVAL, try_load(self, "-1"));
	EXPECT_EQ(-ERANGE, try_load(self, "0x10000000000130000"));
	/* name Linux's own memory, and memory that holds the module's metadata */
	EXPECT_EQ(-ERANGE, try_load(self, "0x100000"));
	snprintf(text, sizeof(text), "%#llx", region.start);
	EXPECT_EQ(-EBUSY, try_load(self, text));
	snprintf(text, sizeof(text), "%#llx", region.start + region.nr_bytes);
	EXPECT_EQ(-ERANGE, try_load(self, text));
}

TEST_HARNESS_MAIN
