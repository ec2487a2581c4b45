// SPDX-License-Identifier: GPL-2.0
#include "device/show/debugfs_views.h"

#include "alloc/account.h"
#include "device/client/client.h"
#include "device/client/object.h"
#include "device/show/snapshot.h"
#include "mapping/instance.h"
#include "paging/dump_pte.h"
#include "paging/leaf_runs.h"
#include "paging/mapper.h"
#include "paging/page_table.h"
#include "paging/translate.h"
#include "uapi/linux/theseus_mm.h"

#include <linux/atomic.h>
#include <linux/errno.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/seq_file.h>
#include <linux/string_helpers.h>
#include <linux/uaccess.h>

/* --- clients: each client, followed by its objects ------------------------------ */

/*
 * A file position has the client's number in its high bits and a handle in its low bits.
 * Handle 0 stands for the line of the client itself.
 */
#define HANDLE_BITS	32

/* The line that a reader has reached. */
struct clients_view {
	struct tmm_client *client;	/* a reference, held between start and stop */
	struct tmm_snapshot look;	/* the object; kind 0 for the client's own line */
};

static struct clients_view *next_client(struct clients_view *view, u32 from, loff_t *pos)
{
	if (view->client)
		tmm_client_put(view->client);
	view->client = tmm_clients_find(from);
	view->look = (struct tmm_snapshot){};
	if (!view->client) {
		*pos = (loff_t)from << HANDLE_BITS;
		return NULL;
	}
	*pos = (loff_t)view->client->identity.id << HANDLE_BITS;
	return view;
}

/* Find the client's first object at or after @pos. If there is none, go to the next client. */
static struct clients_view *seek_object(struct clients_view *view, loff_t *pos)
{
	const u32 id = view->client->identity.id;
	const u64 handle = *pos - ((u64)id << HANDLE_BITS);

	if (!tmm_snapshot_objects(view->client, handle, &view->look, 1))
		return next_client(view, id + 1, pos);
	*pos = ((u64)id << HANDLE_BITS) + view->look.handle;
	return view;
}

static void *clients_start(struct seq_file *m, loff_t *pos)
{
	struct clients_view *view = m->private;
	const u64 wanted = *pos;

	view->client = NULL;
	if (!next_client(view, wanted >> HANDLE_BITS, pos))
		return NULL;
	/* The wanted client is gone, or the client's own line is wanted. */
	if (*pos >> HANDLE_BITS != wanted >> HANDLE_BITS || !(u32)wanted)
		return view;
	*pos = wanted;
	return seek_object(view, pos);
}

static void *clients_next(struct seq_file *m, void *v, loff_t *pos)
{
	struct clients_view *view = m->private;

	++*pos;
	return seek_object(view, pos);
}

static void clients_stop(struct seq_file *m, void *v)
{
	struct clients_view *view = m->private;

	if (view->client)
		tmm_client_put(view->client);
	view->client = NULL;
}

/* A process chooses its own name, so the name is shown as one word of printable ASCII. */
static void show_name(struct seq_file *m, const char *name)
{
	seq_escape_str(m, name, ESCAPE_SPACE | ESCAPE_SPECIAL | ESCAPE_OCTAL | ESCAPE_NAP |
		       ESCAPE_APPEND, " \\");
}

static void show_client(struct seq_file *m, const struct tmm_client *client)
{
	const struct tmm_client_identity *identity = &client->identity;

	seq_printf(m, "client %u uid %u pid %d comm ", identity->id,
		   from_kuid_munged(seq_user_ns(m), identity->uid), pid_vnr(identity->pid));
	show_name(m, identity->comm);
	seq_printf(m, " handles %llu mappings %d exported %d frames %llu%s\n",
		   tmm_account_count(client->account, TMM_RESOURCE_HANDLES),
		   atomic_read(&client->nr_mappings), atomic_read(&client->nr_exported),
		   tmm_account_count(client->account, TMM_RESOURCE_FRAMES),
		   READ_ONCE(client->is_closed) ? " closed" : "");
}

/* Show the addresses of the first and the last byte. */
static void show_range(struct seq_file *m, u64 start, u64 nr)
{
	seq_printf(m, "%#llx-%#llx %llu", start, start + (nr << TMM_PAGE_SHIFT) - 1, nr);
}

static u64 page_address(u64 page)
{
	return tmm_vaddr_new_canonical(page << TMM_PAGE_SHIFT).v;
}

static void show_flags(struct seq_file *m, tmm_pte_flags_t flags)
{
	static const struct {
		tmm_pte_flags_t flag;
		const char *name;
	} names[] = {
		{ TMM_PTE_WRITABLE, "writable" },
		{ TMM_PTE_USER_ACCESSIBLE, "user" },
		{ TMM_PTE_DEVICE_MEMORY, "device" },
		{ TMM_PTE_ACCESSED, "accessed" },
		{ TMM_PTE_DIRTY, "dirty" },
		{ TMM_PTE_GLOBAL, "global" },
		{ TMM_PTE_EXCLUSIVE, "exclusive" },
		{ TMM_PTE_NOT_EXECUTABLE, "noexec" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (flags & names[i].flag)
			seq_printf(m, " %s", names[i].name);
}

static void show_object(struct seq_file *m, const struct tmm_snapshot *look)
{
	static const char *const kinds[TMM_NR_KINDS] = {
		[THESEUS_MM_KIND_PAGES] = "pages",
		[THESEUS_MM_KIND_FRAMES] = "frames",
		[THESEUS_MM_KIND_MAPPING] = "mapping",
	};
	const bool is_frames = look->kind == THESEUS_MM_KIND_FRAMES;

	seq_printf(m, "  %u %s ", look->handle, kinds[look->kind]);
	show_range(m, is_frames ? look->start << TMM_PAGE_SHIFT : page_address(look->start),
		   look->nr);
	if (look->kind == THESEUS_MM_KIND_MAPPING) {
		seq_printf(m, " runs %u borrows %u", look->nr_frame_ranges, look->nr_borrows);
		if (look->is_mmapped)
			seq_puts(m, " mmapped");
		show_flags(m, look->flags);
	}
	seq_putc(m, '\n');
}

static int clients_show(struct seq_file *m, void *v)
{
	const struct clients_view *view = v;

	if (view->look.kind)
		show_object(m, &view->look);
	else
		show_client(m, view->client);
	return 0;
}

static const struct seq_operations clients_ops = {
	.start = clients_start,
	.next = clients_next,
	.stop = clients_stop,
	.show = clients_show,
};

static int clients_open(struct inode *inode, struct file *file)
{
	return seq_open_private(file, &clients_ops, sizeof(struct clients_view));
}

const struct file_operations tmm_debugfs_clients_fops = {
	.owner = THIS_MODULE,
	.open = clients_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = seq_release_private,
};

/* --- mappings: all leaves of the shared root ------------------------------------ */

/* The run that a reader has reached. A file position is a page number. */
struct mappings_view {
	struct tmm_instance *inst;
	struct tmm_leaf_run run;
};

/*
 * Return the end of the pages to show: the lower half and the guard hole, which are adjacent. The
 * mirror is not shown, because it belongs to Linux.
 */
static u64 pages_end(void)
{
	return tmm_private_first_page() + tmm_private_nr_pages();
}

static void *mappings_start(struct seq_file *m, loff_t *pos)
{
	struct mappings_view *view = m->private;
	const u64 end = pages_end();
	struct tmm_page_range pages;

	pages = tmm_page_range_of(tmm_page_4k(*pos), *pos < end ? end - *pos : 0);
	if (!tmm_leaf_runs_find(view->inst->root, pages, &view->run)) {
		*pos = end;
		return NULL;
	}
	*pos = view->run.page;
	return view;
}

static void *mappings_next(struct seq_file *m, void *v, loff_t *pos)
{
	struct mappings_view *view = v;

	*pos = view->run.page + view->run.nr;
	return mappings_start(m, pos);
}

static void mappings_stop(struct seq_file *m, void *v)
{
}

static int mappings_show(struct seq_file *m, void *v)
{
	static const char *const sizes[] = { "4K", "2M", "1G" };
	const struct mappings_view *view = v;
	const struct tmm_leaf_run *run = &view->run;
	const u64 start = page_address(run->page);

	seq_printf(m, "%#llx-%#llx %#llx %s", start, start + (run->nr << TMM_PAGE_SHIFT) - 1,
		   run->frame << TMM_PAGE_SHIFT, sizes[run->size]);
	show_flags(m, run->flags);
	seq_putc(m, '\n');
	return 0;
}

static const struct seq_operations mappings_ops = {
	.start = mappings_start,
	.next = mappings_next,
	.stop = mappings_stop,
	.show = mappings_show,
};

static int mappings_open(struct inode *inode, struct file *file)
{
	struct mappings_view *view = __seq_open_private(file, &mappings_ops, sizeof(*view));

	if (!view)
		return -ENOMEM;
	view->inst = inode->i_private;
	return 0;
}

const struct file_operations tmm_debugfs_mappings_fops = {
	.owner = THIS_MODULE,
	.open = mappings_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = seq_release_private,
};

/* --- walk: write an address, then read the page-table entries of its walk ----------- */

/* The length of the longest line, rounded up generously. */
#define LINE_BYTES	160

/* The address that was written to the file. The seq_file's lock protects @vaddr and @is_set. */
struct walk_view {
	struct tmm_instance *inst;
	struct tmm_vaddr vaddr;
	bool is_set;	/* an address was written */
};

static int walk_show(struct seq_file *m, void *unused)
{
	const struct walk_view *view = m->private;
	struct tmm_page_table *pt = view->inst->root;
	struct tmm_pte_dump dump = {};
	char line[LINE_BYTES];
	unsigned int i;

	if (!view->is_set) {
		seq_puts(m, "write an address first\n");
		return 0;
	}
	tmm_translate_dump(pt, view->vaddr, &dump);
	seq_printf(m, "address %#llx\n", view->vaddr.v);
	for (i = 0; i < dump.nr_levels; i++) {
		tmm_dump_pte_format_entry(line, sizeof(line), dump.entries[i], pt->levels - i);
		seq_printf(m, "%s\n", line);
	}
	return 0;
}

static ssize_t walk_write(struct file *file, const char __user *from, size_t nr_bytes,
			  loff_t *pos)
{
	struct seq_file *m = file->private_data;
	struct walk_view *view = m->private;
	struct tmm_vaddr vaddr;
	u64 value;
	int err;

	err = kstrtou64_from_user(from, nr_bytes, 0, &value);
	if (err)
		return err;
	err = tmm_vaddr_new(value, &vaddr);
	if (err)
		return err;
	mutex_lock(&m->lock);
	view->vaddr = vaddr;
	view->is_set = true;
	mutex_unlock(&m->lock);
	/* Rewind the file, so that the next read begins at the start of the answer. */
	*pos = 0;
	return nr_bytes;
}

static int walk_open(struct inode *inode, struct file *file)
{
	struct walk_view *view = kzalloc(sizeof(*view), GFP_KERNEL_ACCOUNT);
	int err;

	if (!view)
		return -ENOMEM;
	view->inst = inode->i_private;
	err = single_open(file, walk_show, view);
	if (err)
		kfree(view);
	return err;
}

static int walk_release(struct inode *inode, struct file *file)
{
	struct seq_file *m = file->private_data;

	kfree(m->private);
	return single_release(inode, file);
}

const struct file_operations tmm_debugfs_walk_fops = {
	.owner = THIS_MODULE,
	.open = walk_open,
	.read = seq_read,
	.write = walk_write,
	.llseek = seq_lseek,
	.release = walk_release,
};
