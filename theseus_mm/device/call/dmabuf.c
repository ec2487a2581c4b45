// SPDX-License-Identifier: GPL-2.0
/*
 * EXPORT_DMABUF: a mapping as a dma-buf, for devices.
 *
 * A dma-buf has a loan, like a VMA made by mmap(). The loan borrows the mapping, can be
 * revoked, and lingers while a device still has addresses of the memory. The VMAs made by
 * mmapping the dma-buf share its loan.
 *
 * Invariant: a device has addresses of the memory only while the device's struct attachment is
 * in @attachments and is counted by the loan.
 * Lock: @lock protects the list. Lock order: the dma-buf's own locks, @lock, the locks of the
 * mapping file.
 * Owner: the dma-buf's file.
 */
#include "device/call/dmabuf.h"

#include "device/call/call.h"
#include "alloc/account.h"
#include "core/compat.h"
#include "device/client/client.h"
#include "device/client/handles.h"
#include "device/client/mmap_offset.h"
#include "device/share/mapping_file.h"
#include "device/share/vma.h"
#include "mapping/mapped_pages.h"
#include "mapping/mapped_pages_memory.h"
#include "mapping/mapped_pages_pin.h"

#include <kunit/visibility.h>
#include <linux/errno.h>

#if IS_ENABLED(CONFIG_DMA_SHARED_BUFFER)
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

/* The mapping behind a dma-buf. */
struct buffer {
	struct tmm_loan *loan;		/* a reference */
	struct tmm_mapping_file *mf;	/* a reference */
	struct tmm_account *account;	/* charged with a handle while the dma-buf's file exists */
	struct mutex lock;		/* protects @attachments */
	struct list_head attachments;	/* every struct attachment that is mapped */
};

/* A buffer that is mapped for a device. */
struct attachment {
	struct device *device;
	struct sg_table table;		/* addresses of the memory for the device */
	enum dma_data_direction direction;
	struct list_head link;		/* in @attachments of the buffer */
};

static int attach(struct dma_buf *dmabuf, struct dma_buf_attachment *at)
{
	const struct buffer *buffer = dmabuf->priv;

	return tmm_loan_is_revoked(buffer->loan) ? -ENODEV : 0;
}

static int fill_table(const struct buffer *buffer, struct device *device, struct sg_table *table)
{
	const struct tmm_mapped_pages *mp = buffer->loan->borrow.mp;
	const u64 nr = buffer->loan->borrow.nr_bytes >> PAGE_SHIFT;
	struct page **pages;
	int err;

	if (nr > UINT_MAX)
		return -EFBIG;
	pages = kvmalloc_array(nr, sizeof(*pages), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!pages)
		return -ENOMEM;
	tmm_mapped_pages_get_struct_pages(mp, pages);
	err = sg_alloc_table_from_pages_segment(table, pages, nr, 0, nr << PAGE_SHIFT,
						dma_get_max_seg_size(device), GFP_KERNEL);
	kvfree(pages);
	return err;
}

/* Map the buffer for a device. The caller has counted the new attachment in the loan. */
static struct attachment *map_counted(struct buffer *buffer, struct device *device,
				      enum dma_data_direction direction)
{
	struct attachment *a = kzalloc(sizeof(*a), GFP_KERNEL_ACCOUNT);
	int err;

	if (!a)
		return ERR_PTR(-ENOMEM);
	a->device = device;
	a->direction = direction;
	err = fill_table(buffer, device, &a->table);
	if (err)
		goto err_free;
	err = dma_map_sgtable(device, &a->table, direction, 0);
	if (err)
		goto err_free_table;
	mutex_lock(&buffer->lock);
	list_add(&a->link, &buffer->attachments);
	mutex_unlock(&buffer->lock);
	return a;

err_free_table:
	sg_free_table(&a->table);
err_free:
	kfree(a);
	return ERR_PTR(err);
}

static bool may_write(enum dma_data_direction direction)
{
	return direction == DMA_FROM_DEVICE || direction == DMA_BIDIRECTIONAL;
}

static struct sg_table *map(struct dma_buf_attachment *at, enum dma_data_direction direction)
{
	struct buffer *buffer = at->dmabuf->priv;
	struct attachment *a;
	int err;

	if (may_write(direction) && !buffer->loan->borrow.is_mutable)
		return ERR_PTR(-EACCES);
	err = tmm_loan_use(buffer->loan);
	if (err)
		return ERR_PTR(err);
	a = map_counted(buffer, at->dev, direction);
	if (IS_ERR(a)) {
		tmm_loan_unuse(buffer->loan);
		return ERR_CAST(a);
	}
	return &a->table;
}

static void unmap(struct dma_buf_attachment *at, struct sg_table *table,
		  enum dma_data_direction direction)
{
	struct attachment *a = container_of(table, struct attachment, table);
	struct buffer *buffer = at->dmabuf->priv;

	mutex_lock(&buffer->lock);
	list_del(&a->link);
	mutex_unlock(&buffer->lock);
	dma_unmap_sgtable(a->device, &a->table, direction, 0);
	sg_free_table(&a->table);
	kfree(a);
	tmm_loan_unuse(buffer->loan);
}

static int begin_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction direction)
{
	struct buffer *buffer = dmabuf->priv;
	struct attachment *a;

	mutex_lock(&buffer->lock);
	list_for_each_entry(a, &buffer->attachments, link)
		dma_sync_sgtable_for_cpu(a->device, &a->table, a->direction);
	mutex_unlock(&buffer->lock);
	return 0;
}

static int end_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction direction)
{
	struct buffer *buffer = dmabuf->priv;
	struct attachment *a;

	mutex_lock(&buffer->lock);
	list_for_each_entry(a, &buffer->attachments, link)
		dma_sync_sgtable_for_device(a->device, &a->table, a->direction);
	mutex_unlock(&buffer->lock);
	return 0;
}

/* Let a VMA show the dma-buf. dma_buf_mmap_internal() has checked the bounds. */
static int mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct buffer *buffer = dmabuf->priv;
	struct tmm_loan *loan = buffer->loan;
	int err;

	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	if ((vma->vm_flags & VM_WRITE) && !loan->borrow.is_mutable)
		return -EACCES;
	/* Keep the borrow of the mapping from ending while tmm_vma_check() reads the mapping. */
	err = tmm_loan_use(loan);
	if (err)
		return err;
	err = tmm_vma_check(vma, loan->borrow.mp);
	if (err)
		goto out;
	kref_get(&loan->kref);
	vma_set_file(vma, buffer->mf->file);
	tmm_vma_set_up(vma, loan);
out:
	tmm_loan_unuse(loan);
	return err;
}

static void uncharge_handle(struct buffer *buffer)
{
	tmm_account_uncharge(buffer->account, TMM_RESOURCE_HANDLES, 1);
	tmm_account_put(buffer->account);
}

static void free_buffer(struct buffer *buffer)
{
	tmm_loan_put(buffer->loan);
	fput(buffer->mf->file);
	uncharge_handle(buffer);
	mutex_destroy(&buffer->lock);
	kfree(buffer);
}

static void release(struct dma_buf *dmabuf)
{
	free_buffer(dmabuf->priv);
}

static const struct dma_buf_ops ops = {
	.attach = attach,
	.map_dma_buf = map,
	.unmap_dma_buf = unmap,
	.begin_cpu_access = begin_cpu_access,
	.end_cpu_access = end_cpu_access,
	.mmap = mmap,
	.release = release,
};

static int charge_handle(struct tmm_client *client, u32 handle, struct buffer *buffer)
{
	int err;

	err = tmm_mmap_offset_check_room(client, handle);
	if (err)
		return err;
	err = tmm_account_charge(client->account, TMM_RESOURCE_HANDLES, 1);
	if (err)
		return err;
	buffer->account = tmm_account_get(client->account);
	return 0;
}

/*
 * Begin the loan of the dma-buf. The mapping's file is made after every check, so that a
 * refused call leaves nothing behind.
 */
static int begin_loan(struct tmm_client *client, u32 handle, struct buffer *buffer)
{
	u64 nr_bytes, generation;
	int err;

	/* A dma-buf can be mmapped in any process, so the loan names no mm. */
	tmm_loan_prepare(buffer->loan, NULL);
	if (!buffer->loan->has_struct_pages)
		return -EOPNOTSUPP;
	if (tmm_mapped_pages_any_bad(buffer->loan->borrow.mp, 0,
				     buffer->loan->borrow.nr_bytes >> PAGE_SHIFT))
		return -EIO;
	err = charge_handle(client, handle, buffer);
	if (err)
		return err;
	err = tmm_mmap_offset_open_file(client, handle, &buffer->mf, &nr_bytes, &generation);
	if (err)
		goto err_uncharge;
	err = tmm_loan_begin(buffer->loan, buffer->mf, &buffer->mf->owner);
	if (err)
		goto err_put_file;
	return 0;

err_put_file:
	fput(buffer->mf->file);
err_uncharge:
	uncharge_handle(buffer);
	return err;
}

/* Borrow the whole mapping. The borrow is writable if the mapping is writable. */
static int lend_mapping(struct tmm_client *client, u32 handle, struct buffer *buffer)
{
	int err;

	err = tmm_handle_borrow_all(client, handle, &buffer->loan->borrow);
	if (err)
		return err;
	err = begin_loan(client, handle, buffer);
	if (err)
		tmm_borrow_end(&buffer->loan->borrow);
	return err;
}

static struct buffer *create_buffer(struct tmm_client *client, u32 handle)
{
	struct buffer *buffer = kzalloc(sizeof(*buffer), GFP_KERNEL_ACCOUNT);
	int err = -ENOMEM;

	if (!buffer)
		return ERR_PTR(-ENOMEM);
	mutex_init(&buffer->lock);
	INIT_LIST_HEAD(&buffer->attachments);
	buffer->loan = tmm_loan_create();
	if (!buffer->loan)
		goto err_free;
	err = lend_mapping(client, handle, buffer);
	if (err)
		goto err_free_loan;
	return buffer;

err_free_loan:
	kfree(buffer->loan);
err_free:
	mutex_destroy(&buffer->lock);
	kfree(buffer);
	return ERR_PTR(err);
}

/*
 * Make a dma-buf of a mapping, which keeps its handle. May sleep. The caller owns a reference
 * to the dma-buf, to be released by dma_buf_put(). Errors: -EOPNOTSUPP if the memory has no
 * struct pages, -EIO if a frame is bad, -EDQUOT at the limit of handles, and the errors of
 * tmm_handle_borrow_all(), tmm_mmap_offset_open_file(), tmm_loan_begin() and dma_buf_export().
 */
struct dma_buf *tmm_dmabuf_create(struct tmm_client *client, u32 handle)
{
	struct buffer *buffer = create_buffer(client, handle);
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;

	if (IS_ERR(buffer))
		return ERR_CAST(buffer);
	info.ops = &ops;
	info.size = buffer->loan->borrow.nr_bytes;
	info.flags = buffer->loan->borrow.is_mutable ? O_RDWR : O_RDONLY;
	info.priv = buffer;
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf))
		free_buffer(buffer);
	return dmabuf;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_dmabuf_create);

static int export_buffer(struct tmm_call *call)
{
	struct theseus_mm_export *request = &call->arg.export;
	const struct buffer *buffer;
	struct dma_buf *dmabuf;
	int err;

	request->export_id = 0;
	request->fd = get_unused_fd_flags(O_CLOEXEC);
	if (request->fd < 0)
		return request->fd;
	/*
	 * Creating the dma-buf gives the mapping a file, which counts as a handle. Check first
	 * that the reply can be written.
	 */
	err = tmm_call_reply(call);
	if (err)
		goto err_put_fd;
	dmabuf = tmm_dmabuf_create(call->client, request->handle);
	err = PTR_ERR_OR_ZERO(dmabuf);
	if (err)
		goto err_put_fd;
	buffer = dmabuf->priv;
	tmm_loan_taint(buffer->loan);
	fd_install(request->fd, dmabuf->file);
	return 0;

err_put_fd:
	put_unused_fd(request->fd);
	return err;
}

MODULE_IMPORT_NS(TMM_COMPAT_NS(DMA_BUF));
#else
static int export_buffer(struct tmm_call *call)
{
	return -EOPNOTSUPP;
}
#endif /* CONFIG_DMA_SHARED_BUFFER */

int tmm_ioctl_export_dmabuf(struct tmm_call *call)
{
	return export_buffer(call);
}
