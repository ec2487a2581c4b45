// SPDX-License-Identifier: GPL-2.0
/*
 * Tracepoints: each event has its addresses, sizes and names of flags.
 */
#include "area.h"
#include "client.h"
#include "live_patch.h"
#include "text.h"

#define ENABLE	TRACEFS "events/theseus_mm/enable"

/*
 * Enable the events once in the program, not in each test, which is a child process: enabling an
 * event changes the code of the running kernel, which takes time.
 */
__attribute__((constructor)) static void enable(void)
{
	live_patch_begin();
	text_write(ENABLE, "1");
	live_patch_end();
}

__attribute__((destructor)) static void disable(void)
{
	live_patch_begin();
	text_write(ENABLE, "0");
	live_patch_end();
}

FIXTURE(trace)
{
	int fd;
	__u32 id;
	char *text;
};

FIXTURE_SETUP(trace)
{
	struct theseus_mm_info info;

	self->text = text_of(ENABLE);
	ASSERT_NE(NULL, self->text);
	ASSERT_STREQ("1\n", self->text);
	ASSERT_TRUE(text_write(TRACEFS "trace", ""));
	self->fd = uapi_open(NULL);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, uapi_get_info(self->fd, &info));
	self->id = info.client_id;
}

FIXTURE_TEARDOWN(trace)
{
	if (self->fd >= 0)
		close(self->fd);
	free(self->text);
}

/* Read the events so far into self->text, and clear the trace. */
#define EVENTS()									\
	do {										\
		free(self->text);							\
		self->text = text_of(TRACEFS "trace");					\
		ASSERT_NE(NULL, self->text);						\
		ASSERT_TRUE(text_write(TRACEFS "trace", ""));				\
	} while (0)

#define EXPECT_EVENT(...)								\
	EXPECT_TRUE(text_has(self->text, __VA_ARGS__)) TH_LOG(__VA_ARGS__)

TEST_F(trace, tells_of_clients_and_calls)
{
	int other = uapi_open(NULL);
	struct theseus_mm_info info;

	ASSERT_EQ(0, uapi_get_info(other, &info));
	EXPECT_EQ(-ENOENT, uapi_drop(other, 77));
	close(other);
	EVENTS();
	EXPECT_EVENT("tmm_client_open: client=%u\n", info.client_id);
	EXPECT_EVENT("tmm_call: client=%u call=GET_INFO ret=0\n", info.client_id);
	EXPECT_EVENT("tmm_call: client=%u call=DROP ret=-2\n", info.client_id);
	EXPECT_EVENT("tmm_client_close: client=%u\n", info.client_id);
}

TEST_F(trace, tells_of_allocate_and_free)
{
	struct theseus_mm_allocate pages = PAGES(3), frames = FRAMES(5);

	ASSERT_EQ(0, uapi_drop(self->fd, pages.handle));
	ASSERT_EQ(0, uapi_drop(self->fd, frames.handle));
	EVENTS();
	EXPECT_EVENT("tmm_allocate: kind=pages start=0x%llx nr=3\n", pages.start);
	EXPECT_EVENT("tmm_allocate: kind=frames start=0x%llx nr=5\n", frames.start);
	EXPECT_EVENT("tmm_free: kind=pages start=0x%llx nr=3\n", pages.start);
	EXPECT_EVENT("tmm_free: kind=frames start=0x%llx nr=5\n", frames.start);
}

TEST_F(trace, tells_of_map_remap_and_unmap)
{
	struct theseus_mm_create_mapping mapping;

	ASSERT_EQ(0, uapi_create_contiguous_mapping(self->fd, 4 * PAGE, THESEUS_MM_PTE_DATA,
						    &mapping));
	ASSERT_EQ(0, uapi_remap(self->fd, mapping.handle, READ_ONLY));
	ASSERT_EQ(0, uapi_drop(self->fd, mapping.handle));
	EVENTS();
	EXPECT_EVENT("tmm_allocate: kind=frames start=0x%llx nr=4\n", mapping.paddr);
	EXPECT_EVENT("tmm_allocate: kind=table start=0x");
	EXPECT_EVENT("tmm_map: vaddr=0x%llx nr_pages=4 paddr=0x%llx flags=%s\n", mapping.start,
		     mapping.paddr, "valid|writable|accessed|exclusive|noexec");
	EXPECT_EVENT("tmm_remap: vaddr=0x%llx nr_pages=4 flags=valid|accessed|exclusive|noexec\n",
		     mapping.start);
	EXPECT_EVENT("tmm_unmap: vaddr=0x%llx nr_pages=4 flags=valid|accessed|exclusive|noexec\n",
		     mapping.start);
	EXPECT_EVENT("tmm_free: kind=table start=0x");
	EXPECT_EVENT("tmm_free: kind=frames start=0x%llx nr=4\n", mapping.paddr);
}

TEST_F(trace, tells_nothing_of_what_is_refused)
{
	struct theseus_mm_create_mapping mapping = MAPPING(1);

	EVENTS();
	EXPECT_EQ(-ERANGE, uapi_write(self->fd, mapping.handle, PAGE, "x", 1));
	EXPECT_EQ(-EOPNOTSUPP, uapi_remap(self->fd, mapping.handle,
					  THESEUS_MM_PTE_DATA | THESEUS_MM_PTE_DEVICE_MEMORY));
	EVENTS();
	EXPECT_FALSE(text_has(self->text, "tmm_borrow:"));
	EXPECT_FALSE(text_has(self->text, "tmm_remap:"));
	EXPECT_EVENT("call=REMAP ret=-95\n");
}

TEST_F(trace, tells_of_borrows)
{
	struct theseus_mm_create_mapping mapping = MAPPING(4);
	unsigned char *area;
	char bytes[8] = "";
	__u32 nr;

	EVENTS();
	ASSERT_EQ(0, uapi_read(self->fd, mapping.handle, PAGE + 8, bytes, 8));
	ASSERT_EQ(0, uapi_write(self->fd, mapping.handle, 16, bytes, 8));
	EVENTS();
	EXPECT_EVENT("tmm_borrow: vaddr=0x%llx nr_bytes=8 immutable\n", mapping.start + PAGE + 8);
	EXPECT_EVENT("tmm_unborrow: vaddr=0x%llx nr_bytes=8 immutable\n",
		     mapping.start + PAGE + 8);
	EXPECT_EVENT("tmm_borrow: vaddr=0x%llx nr_bytes=8 mutable\n", mapping.start + 16);

	area = mmap_part(self->fd, mapping.handle, PAGE, 2 * PAGE, RW);
	ASSERT_NE(MAP_FAILED, (void *)area);
	EVENTS();
	EXPECT_EVENT("tmm_borrow: vaddr=0x%llx nr_bytes=8192 mutable\n", mapping.start + PAGE);
	EXPECT_FALSE(text_has(self->text, "tmm_unborrow:"));
	ASSERT_EQ(0, uapi_revoke(self->fd, mapping.handle, &nr));
	EVENTS();
	EXPECT_EVENT("tmm_revoke: vaddr=0x%llx nr_bytes=8192 mutable\n", mapping.start + PAGE);
	EXPECT_EVENT("tmm_unborrow: vaddr=0x%llx nr_bytes=8192 mutable\n", mapping.start + PAGE);
	munmap(area, 2 * PAGE);
	EVENTS();
	EXPECT_FALSE(text_has(self->text, "tmm_unborrow:"));
}

TEST_F(trace, tells_what_goes_with_a_client)
{
	struct theseus_mm_allocate frames = FRAMES(9);
	struct theseus_mm_create_mapping mapping = MAPPING(7);

	EVENTS();
	close(self->fd);
	self->fd = -1;
	EVENTS();
	EXPECT_EVENT("tmm_free: kind=frames start=0x%llx nr=9\n", frames.start);
	EXPECT_EVENT("tmm_unmap: vaddr=0x%llx nr_pages=7 ", mapping.start);
	EXPECT_EVENT("tmm_client_close: client=%u\n", self->id);
}

/*
 * The calls use windows, walk page tables, and free memory under a spinlock. No event may fire
 * where tracing is forbidden.
 */
TEST_F(trace, may_be_on_while_much_is_done)
{
	struct theseus_mm_create_mapping mapping;
	char bytes[64] = "";
	int i;

	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, uapi_create_mapping(self->fd, 520 * PAGE, THESEUS_MM_PTE_DATA,
						 &mapping));
		ASSERT_EQ(0, uapi_write(self->fd, mapping.handle, 0, bytes, 64));
		ASSERT_EQ(0, uapi_drop(self->fd, mapping.handle));
	}
}

TEST_HARNESS_MAIN
