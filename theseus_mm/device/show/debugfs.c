// SPDX-License-Identifier: GPL-2.0
#include "device/show/debugfs.h"

#include "device/show/debugfs_views.h"
#include "mapping/instance.h"
#include "paging/page_table.h"

#include <linux/atomic.h>
#include <linux/debugfs.h>
#include <linux/minmax.h>
#include <linux/seq_file.h>

/*
 * The highest number of free ranges that are printed for one region. The number is limited
 * because the allocator's lock is held during the printing.
 */
#define MAX_RANGES	1000

static struct dentry *directory;

static void show_region(struct seq_file *m, const struct tmm_range_region *region)
{
	static const char *const types[] = {
		[TMM_REGION_GENERAL] = "general",
		[TMM_REGION_KERNEL] = "kernel",
		[TMM_REGION_DESIGNATED] = "designated",
		[TMM_REGION_RESERVED] = "reserved",
	};
	const u64 nr_ranges = tmm_free_set_nr_ranges(&region->free);
	u64 first, end = region->first;
	unsigned int shown;

	seq_printf(m, "%s %#llx-%#llx: %llu of %llu free in %llu ranges\n", types[region->type],
		   region->first, region->first + region->nr - 1,
		   tmm_free_set_nr_free(&region->free), region->nr, nr_ranges);
	for (shown = 0; shown < min_t(u64, nr_ranges, MAX_RANGES); shown++) {
		tmm_free_set_next_run(&region->free, end, &first, &end);
		seq_printf(m, "  %#llx-%#llx %llu\n", first, end - 1, end - first);
	}
	if (nr_ranges > shown)
		seq_printf(m, "  and %llu more\n", nr_ranges - shown);
}

static void show_allocator(struct seq_file *m, struct tmm_range_allocator *ra)
{
	struct tmm_range_region *region;

	spin_lock(&ra->lock);
	list_for_each_entry(region, &ra->regions, link)
		show_region(m, region);
	spin_unlock(&ra->lock);
}

/* Theseus: dump_frame_allocator_state(). Numbers are frames of 4 KiB. */
static int frame_allocator_show(struct seq_file *m, void *unused)
{
	struct tmm_instance *inst = m->private;

	show_allocator(m, &inst->fa.ra);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(frame_allocator);

/* Theseus: dump_page_allocator_state(). Numbers are pages of 4 KiB. */
static int page_allocator_show(struct seq_file *m, void *unused)
{
	struct tmm_instance *inst = m->private;

	show_allocator(m, &inst->pa.ra);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(page_allocator);

static int stats_show(struct seq_file *m, void *unused)
{
	static const char *const sizes[] = { "4K", "2M", "1G" };
	struct tmm_instance *inst = m->private;
	struct tmm_range_totals totals;
	unsigned int i;

	for (i = 0; i < inst->nr_memories; i++)
		seq_printf(m, "region %#llx %llu bytes\n",
			   inst->memories[i].memory.first << TMM_PAGE_SHIFT,
			   inst->memories[i].memory.nr << TMM_PAGE_SHIFT);
	tmm_range_allocator_totals(&inst->fa.ra, &totals);
	seq_printf(m, "frames_total %llu\nframes_free %llu\nframes_ranges %llu\n", totals.nr_total,
		   totals.nr_free, totals.nr_ranges);
	for (i = 0; i < TMM_NR_PAGE_SIZES; i++)
		seq_printf(m, "frames_largest_%s %llu\n", sizes[i], totals.largest[i]);
	tmm_range_allocator_totals(&inst->pa.ra, &totals);
	seq_printf(m, "pages_total %llu\npages_free %llu\n", totals.nr_total, totals.nr_free);
	seq_printf(m, "mappings %llu\ntables %llu\nroot %#llx\n",
		   (u64)tmm_page_table_nr_mappings(inst->root), READ_ONCE(inst->fa.nr_tables),
		   inst->root->paddr);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

/* Create the files, which show @inst. The caller keeps @inst until tmm_debugfs_exit(). */
void tmm_debugfs_init(struct tmm_instance *inst)
{
	directory = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("frame_allocator", 0400, directory, inst, &frame_allocator_fops);
	debugfs_create_file("page_allocator", 0400, directory, inst, &page_allocator_fops);
	debugfs_create_file("stats", 0400, directory, inst, &stats_fops);
	debugfs_create_file("clients", 0400, directory, inst, &tmm_debugfs_clients_fops);
	debugfs_create_file("mappings", 0400, directory, inst, &tmm_debugfs_mappings_fops);
	debugfs_create_file("walk", 0600, directory, inst, &tmm_debugfs_walk_fops);
}

void tmm_debugfs_exit(void)
{
	debugfs_remove(directory);
}
