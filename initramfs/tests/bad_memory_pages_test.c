// SPDX-License-Identifier: GPL-2.0
/* Stock kernel: with DEBUG_VM, Linux 6.1 fails an assertion when it removes reported pages. */
/*
 * Memory with struct pages that fails. Linux itself reports such memory too, here by madvise().
 */
#include "bad_memory.h"
#include "kernel.h"

#include <sys/uio.h>

static int start_with_struct_pages(struct _test_data_bad *self)
{
	char regions[MODULE_TEXT], more[200];

	module_section_regions(regions);
	snprintf(more, sizeof(more), "struct_pages=1 %.150s", regions);
	return start(self, more);
}

TEST_F_TIMEOUT(bad, a_page_that_linux_reports, 120)
{
	struct theseus_mm_export buffer = { 0 };

	SKIP_WITHOUT_STRUCT_PAGES();
	ASSERT_EQ(0, start_with_struct_pages(self));
	ASSERT_EQ(0, madvise(self->area + PAGE, PAGE, MADV_HWPOISON));
	EXPECT_EQ(1, nr_bad(self->fd));
	EXPECT_TOLD(self->area + PAGE);
	EXPECT_EQ(PAGE, nr_alike(self->area, 0, PAGE));
	EXPECT_EQ(THESEUS_MM_ATTRIBUTE_BAD, QUERY(self->mapping.handle).attributes);
	leave(self);
	/* devices get no memory that fails */
	buffer.handle = self->mapping.handle;
	EXPECT_REFUSED(EIO, uapi_call(self->fd, THESEUS_MM_IOC_EXPORT_DMABUF, &buffer),
		       buffer.handle);
	ASSERT_EQ(0, uapi_drop(self->fd, self->mapping.handle));
	EXPECT_EQ(-EADDRINUSE, allocate_at(self->fd, self->mapping.paddr + PAGE));
	EXPECT_EQ(0, allocate_at(self->fd, self->mapping.paddr));
}

/* A failed page that I/O pins stays pinned until the I/O ends, and is never allocated again. */
TEST_F_TIMEOUT(bad, a_page_that_is_pinned, 120)
{
	struct iovec vector;
	__u64 paddr;
	int ends[2], i;

	SKIP_WITHOUT_STRUCT_PAGES();
	ASSERT_EQ(0, start_with_struct_pages(self));
	paddr = self->mapping.paddr + PAGE;
	vector = (struct iovec){ self->area + PAGE, PAGE };
	ASSERT_EQ(0, pipe(ends));
	ASSERT_EQ((ssize_t)PAGE, vmsplice(ends[1], &vector, 1, 0));
	FAIL(paddr);
	EXPECT_TOLD(self->area + PAGE);
	leave(self);
	ASSERT_EQ(0, uapi_drop(self->fd, self->mapping.handle));
	close(ends[0]);
	close(ends[1]);
	for (i = 0; i < MAX_WAIT && INFO().nr_mappings != self->start.nr_mappings; i++)
		usleep(20000);
	EXPECT_EQ(-EADDRINUSE, allocate_at(self->fd, paddr));
	EXPECT_EQ(0, allocate_at(self->fd, self->mapping.paddr));
}

TEST_HARNESS_MAIN
