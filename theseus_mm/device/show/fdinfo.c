// SPDX-License-Identifier: GPL-2.0
#include "device/show/fdinfo.h"

#include "alloc/account.h"
#include "device/client/client.h"
#include "device/client/exports.h"
#include "device/client/lending.h"
#include "device/client/object.h"
#include "device/share/mapping_file.h"
#include "device/show/snapshot.h"
#include "uapi/linux/theseus_mm.h"

#include <linux/atomic.h>
#include <linux/fs.h>
#include <linux/seq_file.h>

/* The number of objects of a kind, and of their pages or frames. */
struct sum {
	u64 nr;
	u64 nr_pages;
};

/* Sums of the objects that a client owns. */
struct sums {
	struct sum kinds[TMM_NR_KINDS];	/* by THESEUS_MM_KIND_* */
	struct sum borrowed;		/* mappings with a borrow of any sort */
	struct sum mmapped;		/* mappings that are mmapped in a process */
};

static void add_to_sum(struct sum *sum, u64 nr_pages)
{
	sum->nr++;
	sum->nr_pages += nr_pages;
}

static void add_up(struct tmm_client *client, struct sums *sums)
{
	struct tmm_snapshots all = { .client = client };
	const struct tmm_snapshot *look;

	while ((look = tmm_snapshots_next(&all))) {
		add_to_sum(&sums->kinds[look->kind], look->nr);
		if (look->nr_borrows)
			add_to_sum(&sums->borrowed, look->nr);
		if (look->is_mmapped)
			add_to_sum(&sums->mmapped, look->nr);
	}
}

static void show_sum(struct seq_file *m, const char *key, const struct sum *sum)
{
	seq_printf(m, "theseus_mm-%s:\t%llu\n", key, sum->nr);
	seq_printf(m, "theseus_mm-size-%s:\t%llu KiB\n", key,
		   sum->nr_pages << (TMM_PAGE_SHIFT - 10));
}

static void show_limited(struct seq_file *m, const char *key, const struct tmm_account *account,
			 enum tmm_resource resource)
{
	const u64 max = tmm_account_max(account, resource);

	seq_printf(m, "theseus_mm-%s:\t%llu\n", key, tmm_account_count(account, resource));
	if (max != TMM_NO_LIMIT)
		seq_printf(m, "theseus_mm-%s-max:\t%llu\n", key, max);
}

/* Show what the client of @file owns. May sleep. Costs O(handles). */
void tmm_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct tmm_client *client = file->private_data;
	struct sums sums = {};

	add_up(client, &sums);
	seq_printf(m, "theseus_mm-client-id:\t%u\n", client->identity.id);
	show_limited(m, "handles", client->account, TMM_RESOURCE_HANDLES);
	show_limited(m, "charged", client->account, TMM_RESOURCE_FRAMES);
	show_limited(m, "charged-pages", client->account, TMM_RESOURCE_PAGES);
	show_sum(m, "pages", &sums.kinds[THESEUS_MM_KIND_PAGES]);
	show_sum(m, "frames", &sums.kinds[THESEUS_MM_KIND_FRAMES]);
	show_sum(m, "mappings", &sums.kinds[THESEUS_MM_KIND_MAPPING]);
	show_sum(m, "borrowed", &sums.borrowed);
	show_sum(m, "mmapped", &sums.mmapped);
}

/* If @is_stale, @query is not filled in. */
static void show_mapping(struct seq_file *m, const char *key, bool is_stale,
			 const struct theseus_mm_query *query)
{
	seq_printf(m, "theseus_mm-stale:\t%d\n", is_stale);
	if (is_stale)
		return;
	seq_printf(m, "theseus_mm-size-%s:\t%llu KiB\n", key,
		   query->nr_pages << (TMM_PAGE_SHIFT - 10));
	seq_printf(m, "theseus_mm-borrows:\t%u\n", query->nr_borrows);
}

/* Show the exported mapping of @file. May sleep. */
void tmm_export_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct theseus_mm_query query = {};
	bool is_stale = tmm_export_query(file->private_data, &query);

	show_mapping(m, "exported", is_stale, &query);
}

/*
 * Show the mapping that the descriptor of @file lends. The function shows nothing while a call
 * changes the mapping. May sleep.
 */
void tmm_lending_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct theseus_mm_query query = {};
	int err;

	err = tmm_lending_query(file->private_data, &query);
	if (err != -EBUSY)
		show_mapping(m, "lent", err, &query);
}
