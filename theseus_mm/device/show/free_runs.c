// SPDX-License-Identifier: GPL-2.0
/*
 * The list is not one snapshot: the allocator's lock is held for one line at a time. Runs may be
 * allocated and freed between two lines. So a region's line may disagree with the lines of its
 * runs, and neighbours of a run that were freed meanwhile may have a line of their own.
 */
#include "device/show/free_runs.h"

#include "alloc/range_allocator.h"
#include "mapping/instance.h"

#include <linux/errno.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>

/*
 * The line that a reader has reached. The file position of a region's line is twice the number of
 * the region's first chunk. The position of a run's line is twice the number of the run's first
 * chunk, plus 1.
 */
struct runs_view {
	struct tmm_range_allocator *ra;
	bool is_region;		/* the line of a region, else that of a run */
	u64 first;		/* first chunk of the region or run */
	u64 nr;			/* chunks of the region or run */
	/* of a region only: */
	enum tmm_region_type type;
	u64 nr_free;		/* free chunks */
	u64 nr_ranges;		/* free runs */
};

static void view_region(struct runs_view *view, const struct tmm_range_region *region)
{
	view->is_region = true;
	view->first = region->first;
	view->nr = region->nr;
	view->type = region->type;
	view->nr_free = tmm_free_set_nr_free(&region->free);
	view->nr_ranges = tmm_free_set_nr_ranges(&region->free);
}

static bool view_run(struct runs_view *view, const struct tmm_range_region *region, u64 number)
{
	u64 first, end;

	if (!tmm_free_set_next_run(&region->free, number, &first, &end))
		return false;
	view->is_region = false;
	view->first = first;
	view->nr = end - first;
	return true;
}

/* Find the first line at or after @pos. */
static bool find_line(struct runs_view *view, u64 pos)
{
	struct tmm_range_region *region;
	const u64 number = pos / 2;
	bool found = false;

	spin_lock(&view->ra->lock);
	list_for_each_entry(region, &view->ra->regions, link) {
		if (region->first + region->nr <= number)
			continue;
		found = pos <= 2 * region->first || view_run(view, region, number);
		if (pos <= 2 * region->first)
			view_region(view, region);
		if (found)
			break;
	}
	spin_unlock(&view->ra->lock);
	return found;
}

static void *runs_start(struct seq_file *m, loff_t *pos)
{
	struct runs_view *view = m->private;

	if (!find_line(view, *pos))
		return NULL;
	*pos = 2 * view->first + !view->is_region;
	return view;
}

static void *runs_next(struct seq_file *m, void *v, loff_t *pos)
{
	const struct runs_view *view = v;

	/* The next region, whose line has an even number, may begin where the run ends. */
	*pos = view->is_region ? 2 * view->first + 1 : 2 * (view->first + view->nr);
	/* A seek passes over any number of lines. */
	cond_resched();
	return fatal_signal_pending(current) ? NULL : runs_start(m, pos);
}

static void runs_stop(struct seq_file *m, void *v)
{
}

static int runs_show(struct seq_file *m, void *v)
{
	static const char *const types[] = {
		[TMM_REGION_GENERAL] = "general",
		[TMM_REGION_KERNEL] = "kernel",
		[TMM_REGION_DESIGNATED] = "designated",
		[TMM_REGION_RESERVED] = "reserved",
	};
	const struct runs_view *view = v;
	const u64 last = view->first + view->nr - 1;

	if (view->is_region)
		seq_printf(m, "%s %#llx-%#llx: %llu of %llu free in %llu ranges\n",
			   types[view->type], view->first, last, view->nr_free, view->nr,
			   view->nr_ranges);
	else
		seq_printf(m, "  %#llx-%#llx %llu\n", view->first, last, view->nr);
	return 0;
}

static const struct seq_operations runs_ops = {
	.start = runs_start,
	.next = runs_next,
	.stop = runs_stop,
	.show = runs_show,
};

static int open_view(struct file *file, struct tmm_range_allocator *ra)
{
	struct runs_view *view = __seq_open_private(file, &runs_ops, sizeof(*view));

	if (!view)
		return -ENOMEM;
	view->ra = ra;
	/*
	 * Chunks in magazines are free, too. Tasks may fill the magazines again during the reading.
	 */
	tmm_magazines_empty(ra);
	return 0;
}

static int frame_allocator_open(struct inode *inode, struct file *file)
{
	struct tmm_instance *inst = inode->i_private;

	return open_view(file, &inst->fa.ra);
}

/* Theseus: dump_frame_allocator_state(). Numbers are frames of 4 KiB. */
const struct file_operations tmm_debugfs_frame_allocator_fops = {
	.owner = THIS_MODULE,
	.open = frame_allocator_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = seq_release_private,
};

static int page_allocator_open(struct inode *inode, struct file *file)
{
	struct tmm_instance *inst = inode->i_private;

	return open_view(file, &inst->pa.ra);
}

/* Theseus: dump_page_allocator_state(). Numbers are pages of 4 KiB. */
const struct file_operations tmm_debugfs_page_allocator_fops = {
	.owner = THIS_MODULE,
	.open = page_allocator_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = seq_release_private,
};
