// SPDX-License-Identifier: GPL-2.0
#include "device/show/debugfs.h"

#include "device/show/debugfs_views.h"
#include "device/show/free_runs.h"
#include "mapping/instance.h"
#include "paging/page_table.h"

#include <linux/atomic.h>
#include <linux/debugfs.h>
#include <linux/seq_file.h>

static struct dentry *directory;

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
	debugfs_create_file("frame_allocator", 0400, directory, inst,
			    &tmm_debugfs_frame_allocator_fops);
	debugfs_create_file("page_allocator", 0400, directory, inst,
			    &tmm_debugfs_page_allocator_fops);
	debugfs_create_file("stats", 0400, directory, inst, &stats_fops);
	debugfs_create_file("clients", 0400, directory, inst, &tmm_debugfs_clients_fops);
	debugfs_create_file("mappings", 0400, directory, inst, &tmm_debugfs_mappings_fops);
	debugfs_create_file("walk", 0600, directory, inst, &tmm_debugfs_walk_fops);
}

void tmm_debugfs_exit(void)
{
	debugfs_remove(directory);
}
