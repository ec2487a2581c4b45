// SPDX-License-Identifier: GPL-2.0
/* A device imports a mapping as a dma-buf. */
#include "alloc/frames.h"
#include "core/compat.h"
#include "device/call/dmabuf.h"
#include "device/client/client.h"
#include "device/client/handles.h"
#include "device/client/mmap_offset.h"
#include "device/share/mapping_file.h"
#include "mapping/create.h"
#include "mapping/mapped_pages_borrow.h"

#include "support/fault.h"
#include "support/fixture.h"
#include "support/instance_fixture.h"

#include <linux/delay.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/file.h>
#include <linux/gfp.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/scatterlist.h>

#define NR_FRAMES	512
#define NR_MAPPED	5
#define MAX_ALLOCATIONS	100

/*
 * An instance, a client with a mapping, and the importing device. Each page of @memory has one
 * reference, as pages of ZONE_DEVICE have.
 */
struct dmabuf_fixture {
	struct tmm_instance inst;
	struct tmm_memory memory;
	struct tmm_client *client;
	struct tmm_mapped_pages *mp;
	u32 handle;
	struct platform_device *device;
};

static void create_mapping(struct kunit *test, tmm_pte_flags_t flags)
{
	struct dmabuf_fixture *df = test->priv;
	struct tmm_object *object = tmm_handle_reserve(df->client);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, object);
	df->mp = tmm_instance_create_mapping(&df->inst, df->inst.root, NR_MAPPED * PAGE_SIZE,
					     flags, true);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, df->mp);
	object->kind = THESEUS_MM_KIND_MAPPING;
	object->mapping = df->mp;
	df->handle = object->handle;
	tmm_handle_publish(df->client, object);
}

static int init_case(struct kunit *test)
{
	struct dmabuf_fixture *df = tmm_test_kvzalloc(test, sizeof(*df));
	void *window = alloc_pages_exact(NR_FRAMES * PAGE_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, window);
	test->priv = df;
	df->memory = (struct tmm_memory){
		.first = virt_to_phys(window) >> PAGE_SHIFT,
		.nr = NR_FRAMES,
		.window = window,
		.has_struct_pages = true,
	};
	KUNIT_ASSERT_EQ(test, tmm_instance_init(&df->inst, &df->memory, 1), 0);
	KUNIT_ASSERT_EQ(test, tmm_instance_move_to_heap(&df->inst), 0);
	df->client = tmm_client_create(&df->inst);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, df->client);
	df->device = platform_device_register_simple("tmm_importer", PLATFORM_DEVID_NONE, NULL, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, df->device);
	return dma_coerce_mask_and_coherent(&df->device->dev, DMA_BIT_MASK(64));
}

/* Waits, since Linux delays the release of files that a kernel thread closes. */
static bool all_is_back(const struct dmabuf_fixture *df)
{
	int i;

	for (i = 0; i < 300; i++) {
		flush_delayed_fput();
		if (!tmm_page_table_nr_mappings(df->inst.root))
			return true;
		msleep(20);
	}
	return false;
}

static void exit_case(struct kunit *test)
{
	struct dmabuf_fixture *df = test->priv;

	platform_device_unregister(df->device);
	tmm_client_destroy(df->client);
	KUNIT_EXPECT_TRUE(test, all_is_back(df));
	if (tmm_page_table_nr_mappings(df->inst.root))
		return;
	tmm_instance_exit(&df->inst);
	free_pages_exact(df->memory.window, NR_FRAMES * PAGE_SIZE);
}

static struct dma_buf *export_mapping(struct kunit *test)
{
	struct dmabuf_fixture *df = test->priv;
	struct dma_buf *buffer = tmm_dmabuf_create(df->client, df->handle);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, buffer);
	return buffer;
}

static struct dma_buf_attachment *attach_device(struct kunit *test, struct dma_buf *buffer)
{
	struct dmabuf_fixture *df = test->priv;
	struct dma_buf_attachment *at = dma_buf_attach(buffer, &df->device->dev);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, at);
	return at;
}

/* Waits, since a worker may have begun to release the file before flush_delayed_fput(). */
static bool is_free_soon(const struct tmm_mapped_pages *mp)
{
	int i;

	for (i = 0; i < 300 && tmm_mapped_pages_is_borrowed(mp); i++)
		msleep(20);
	return !tmm_mapped_pages_is_borrowed(mp);
}

static void put_buffer(struct dma_buf *buffer)
{
	dma_buf_put(buffer);
	flush_delayed_fput();
}

static void device_gets_the_frames(struct kunit *test)
{
	struct dmabuf_fixture *df = test->priv;
	struct dma_buf_attachment *at;
	struct tmm_mapped_frames *run;
	struct scatterlist *sg;
	struct dma_buf *buffer;
	struct sg_table *table;
	u64 nr_bytes = 0;
	int i;

	create_mapping(test, TMM_TEST_WRITABLE);
	buffer = export_mapping(test);
	at = attach_device(test, buffer);
	table = dma_buf_map_attachment_unlocked(at, DMA_BIDIRECTIONAL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, table);
	run = list_first_entry(&df->mp->frames, struct tmm_mapped_frames, f.link);
	KUNIT_EXPECT_EQ(test, sg_phys(table->sgl), run->f.chunk.start << PAGE_SHIFT);
	for_each_sgtable_dma_sg(table, sg, i)
		nr_bytes += sg_dma_len(sg);
	KUNIT_EXPECT_EQ(test, nr_bytes, NR_MAPPED * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(buffer, DMA_BIDIRECTIONAL), 0);
	KUNIT_EXPECT_EQ(test, dma_buf_end_cpu_access(buffer, DMA_BIDIRECTIONAL), 0);
	dma_buf_unmap_attachment_unlocked(at, table, DMA_BIDIRECTIONAL);
	dma_buf_detach(buffer, at);
	KUNIT_EXPECT_TRUE(test, tmm_mapped_pages_is_borrowed(df->mp));
	put_buffer(buffer);
	KUNIT_EXPECT_TRUE(test, is_free_soon(df->mp));
}

static void device_may_not_write_a_read_only_mapping(struct kunit *test)
{
	struct dma_buf_attachment *at;
	struct dma_buf *buffer;
	struct sg_table *table;

	create_mapping(test, TMM_TEST_READ_ONLY);
	buffer = export_mapping(test);
	at = attach_device(test, buffer);
	KUNIT_EXPECT_PTR_EQ(test, dma_buf_map_attachment_unlocked(at, DMA_FROM_DEVICE),
			    ERR_PTR(-EACCES));
	KUNIT_EXPECT_PTR_EQ(test, dma_buf_map_attachment_unlocked(at, DMA_BIDIRECTIONAL),
			    ERR_PTR(-EACCES));
	table = dma_buf_map_attachment_unlocked(at, DMA_TO_DEVICE);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, table);
	if (!IS_ERR_OR_NULL(table))
		dma_buf_unmap_attachment_unlocked(at, table, DMA_TO_DEVICE);
	dma_buf_detach(buffer, at);
	put_buffer(buffer);
}

static void attached_mapping_outlives_revocation(struct kunit *test)
{
	struct dmabuf_fixture *df = test->priv;
	struct dma_buf_attachment *at, *idle;
	struct tmm_mapping_file *mf;
	unsigned int nr_pinned;
	struct dma_buf *buffer;
	struct sg_table *table;

	create_mapping(test, TMM_TEST_WRITABLE);
	buffer = export_mapping(test);
	at = attach_device(test, buffer);
	idle = attach_device(test, buffer);
	table = dma_buf_map_attachment_unlocked(at, DMA_BIDIRECTIONAL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, table);
	KUNIT_ASSERT_EQ(test, tmm_mmap_offset_find_file(df->client, df->handle, &mf), 0);
	KUNIT_EXPECT_EQ(test, tmm_loans_revoke_file(mf, &nr_pinned), 1);
	KUNIT_EXPECT_EQ(test, nr_pinned, 1);
	KUNIT_EXPECT_PTR_EQ(test, dma_buf_attach(buffer, &df->device->dev), ERR_PTR(-ENODEV));
	KUNIT_EXPECT_PTR_EQ(test, dma_buf_map_attachment_unlocked(idle, DMA_TO_DEVICE),
			    ERR_PTR(-ENODEV));
	/* wait until the module has looked for pins once more */
	msleep(200);
	KUNIT_EXPECT_TRUE(test, tmm_mapped_pages_is_borrowed(df->mp));
	KUNIT_EXPECT_EQ(test, tmm_loans_revoke_file(mf, &nr_pinned), 0);
	KUNIT_EXPECT_EQ(test, nr_pinned, 1);
	dma_buf_unmap_attachment_unlocked(at, table, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_TRUE(test, is_free_soon(df->mp));
	KUNIT_EXPECT_EQ(test, tmm_loans_revoke_file(mf, &nr_pinned), 0);
	KUNIT_EXPECT_EQ(test, nr_pinned, 0);
	fput(mf->file);
	dma_buf_detach(buffer, idle);
	dma_buf_detach(buffer, at);
	put_buffer(buffer);
}

/* The mapping ends with its last user, here the device. */
static void attached_mapping_outlives_its_client(struct kunit *test)
{
	struct dmabuf_fixture *df = test->priv;
	struct dma_buf_attachment *at;
	struct dma_buf *buffer;
	struct sg_table *table;

	create_mapping(test, TMM_TEST_WRITABLE);
	buffer = export_mapping(test);
	at = attach_device(test, buffer);
	table = dma_buf_map_attachment_unlocked(at, DMA_BIDIRECTIONAL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, table);
	tmm_client_destroy(df->client);
	KUNIT_EXPECT_EQ(test, tmm_page_table_nr_mappings(df->inst.root), 1);
	dma_buf_unmap_attachment_unlocked(at, table, DMA_BIDIRECTIONAL);
	dma_buf_detach(buffer, at);
	put_buffer(buffer);
	KUNIT_EXPECT_TRUE(test, all_is_back(df));
	df->client = tmm_client_create(&df->inst);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, df->client);
}

static void each_allocation_of_a_device_fails(struct kunit *test)
{
	struct dmabuf_fixture *df = test->priv;
	struct dma_buf_attachment *at;
	struct sg_table *table = NULL;
	struct dma_buf *buffer;
	unsigned int nth;

	create_mapping(test, TMM_TEST_WRITABLE);
	buffer = export_mapping(test);
	at = attach_device(test, buffer);
	for (nth = 1; nth <= MAX_ALLOCATIONS; nth++) {
		tmm_test_fail_alloc(test, nth);
		table = dma_buf_map_attachment_unlocked(at, DMA_BIDIRECTIONAL);
		if (!tmm_test_fail_alloc_end())
			break;
		KUNIT_EXPECT_PTR_EQ_MSG(test, table, ERR_PTR(-ENOMEM), "allocation %u", nth);
	}
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, table);
	/* The attachment, the array of pages, and the table each need memory. */
	KUNIT_EXPECT_GT(test, nth, 3);
	dma_buf_unmap_attachment_unlocked(at, table, DMA_BIDIRECTIONAL);
	dma_buf_detach(buffer, at);
	put_buffer(buffer);
	KUNIT_EXPECT_TRUE(test, is_free_soon(df->mp));
}

static struct kunit_case dmabuf_cases[] = {
	KUNIT_CASE(device_gets_the_frames),
	KUNIT_CASE(device_may_not_write_a_read_only_mapping),
	KUNIT_CASE(attached_mapping_outlives_revocation),
	KUNIT_CASE(attached_mapping_outlives_its_client),
	KUNIT_CASE(each_allocation_of_a_device_fails),
	{}
};

static struct kunit_suite dmabuf_suite = {
	.name = "theseus_mm_dmabuf",
	.init = init_case,
	.exit = exit_case,
	.test_cases = dmabuf_cases,
};

kunit_test_suite(dmabuf_suite);

MODULE_IMPORT_NS(TMM_COMPAT_NS(DMA_BUF));
