// SPDX-License-Identifier: GPL-2.0
/*
 * fdinfo of clients and of exported mappings: the memory that each holds.
 */
#include "area.h"
#include "observe.h"
#include "text.h"

static char *fdinfo(int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	return text_of(path);
}

TEST_F(client, fdinfo_says_what_it_holds)
{
	struct theseus_mm_create_mapping mapping = MAPPING(4);
	unsigned char *area;
	char *text;

	PAGES(2);
	FRAMES(3);
	MAPPING(1);
	area = mmap_all(self->fd, mapping.handle, R);
	ASSERT_NE(MAP_FAILED, (void *)area);
	text = fdinfo(self->fd);
	ASSERT_NE(NULL, text);
	EXPECT_TRUE(text_has(text, "theseus_mm-client-id:\t%u\n", id_of(self->fd)));
	EXPECT_TRUE(text_has(text, "theseus_mm-handles:\t5\n"));
	EXPECT_TRUE(text_has(text, "theseus_mm-handles-max:\t%u\n", INFO().client_handles_max));
	EXPECT_TRUE(text_has(text, "theseus_mm-pages:\t1\n"));
	EXPECT_TRUE(text_has(text, "theseus_mm-size-pages:\t8 KiB\n"));
	EXPECT_TRUE(text_has(text, "theseus_mm-frames:\t1\n"));
	EXPECT_TRUE(text_has(text, "theseus_mm-size-frames:\t12 KiB\n"));
	EXPECT_TRUE(text_has(text, "theseus_mm-mappings:\t2\n"));
	EXPECT_TRUE(text_has(text, "theseus_mm-size-mappings:\t20 KiB\n"));
	EXPECT_TRUE(text_has(text, "theseus_mm-borrowed:\t1\n"));
	EXPECT_TRUE(text_has(text, "theseus_mm-mmapped:\t1\n"));
	EXPECT_TRUE(text_has(text, "theseus_mm-size-mmapped:\t16 KiB\n"));
	/* no address is shown */
	EXPECT_FALSE(text_has(text, "0x"));
	free(text);
	munmap(area, 4 * PAGE);
	text = fdinfo(self->fd);
	EXPECT_TRUE(text_has(text, "theseus_mm-borrowed:\t0\n"));
	EXPECT_TRUE(text_has(text, "theseus_mm-mmapped:\t0\n"));
	free(text);
}

TEST_F(client, fdinfo_of_an_exported_mapping)
{
	char *text;
	__u32 mine;
	int fd;

	ASSERT_EQ(0, uapi_export(self->fd, MAPPING(5).handle, &fd));
	text = fdinfo(fd);
	EXPECT_TRUE(text_has(text, "theseus_mm-stale:\t0\n"));
	EXPECT_TRUE(text_has(text, "theseus_mm-size-exported:\t20 KiB\n"));
	EXPECT_TRUE(text_has(text, "theseus_mm-borrows:\t0\n"));
	EXPECT_FALSE(text_has(text, "0x"));
	free(text);
	ASSERT_EQ(0, uapi_import(self->fd, fd, &mine));
	text = fdinfo(fd);
	EXPECT_TRUE(text_has(text, "theseus_mm-stale:\t1\n"));
	EXPECT_FALSE(text_has(text, "KiB"));
	free(text);
	close(fd);
}

TEST_F(client, fdinfo_of_a_mapping_that_is_lent)
{
	struct theseus_mm_create_mapping mapping = MAPPING(5);
	char *text;
	int fd;

	ASSERT_EQ(0, uapi_export_as(self->fd, mapping.handle, THESEUS_MM_EXPORT_BORROW, &fd,
				    NULL));
	text = fdinfo(fd);
	EXPECT_TRUE(text_has(text, "theseus_mm-stale:\t0\n"));
	EXPECT_TRUE(text_has(text, "theseus_mm-size-lent:\t20 KiB\n"));
	EXPECT_TRUE(text_has(text, "theseus_mm-borrows:\t0\n"));
	EXPECT_FALSE(text_has(text, "0x"));
	free(text);
	ASSERT_EQ(0, uapi_drop(self->fd, mapping.handle));
	text = fdinfo(fd);
	EXPECT_TRUE(text_has(text, "theseus_mm-stale:\t1\n"));
	EXPECT_FALSE(text_has(text, "KiB"));
	free(text);
	close(fd);
}

TEST_F(client, fdinfo_of_many_objects_adds_them_up)
{
	char *text;
	int i;

	for (i = 0; i < 50; i++)
		PAGES(2);
	text = fdinfo(self->fd);
	EXPECT_TRUE(text_has(text, "theseus_mm-pages:\t50\n"));
	EXPECT_TRUE(text_has(text, "theseus_mm-size-pages:\t400 KiB\n"));
	free(text);
}

TEST_HARNESS_MAIN
