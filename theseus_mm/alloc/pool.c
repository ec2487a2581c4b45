// SPDX-License-Identifier: GPL-2.0
#include "alloc/pool.h"

#include "alloc/firmware_map.h"
#include "alloc/struct_pages.h"
#include "core/types.h"

#include <kunit/visibility.h>
#include <linux/cc_platform.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <xen/xen.h>

static u64 pool_end(const struct tmm_pool *pool)
{
	return pool->start + pool->nr_bytes;
}

/* One "<size>@<start>"; *text moves behind it. */
static int parse_one(const char **text, struct tmm_pool *pool)
{
	const char *at = *text;
	char *rest;
	u64 end;

	pool->nr_bytes = memparse(at, &rest);
	if (rest == at || *rest != '@')
		return -EINVAL;
	at = rest + 1;
	pool->start = memparse(at, &rest);
	if (rest == at || (*rest && *rest != ','))
		return -EINVAL;
	*text = *rest ? rest + 1 : rest;
	if (*rest && !**text)
		return -EINVAL;
	if (!IS_ALIGNED(pool->start | pool->nr_bytes, TMM_PAGE_SIZE))
		return -EINVAL;
	if (pool->nr_bytes < TMM_POOL_MIN_BYTES)
		return -EINVAL;
	if (check_add_overflow(pool->start, pool->nr_bytes, &end) ||
	    end > 1ULL << boot_cpu_data.x86_phys_bits)
		return -ERANGE;
	return 0;
}

static int compare_start(const void *a, const void *b)
{
	const struct tmm_pool *left = a;
	const struct tmm_pool *right = b;

	return left->start < right->start ? -1 : left->start > right->start;
}

/* Join runs that overlap or touch; the result is sorted. */
static unsigned int merge_pools(struct tmm_pool *pools, unsigned int nr)
{
	unsigned int i, last = 0;

	sort(pools, nr, sizeof(*pools), compare_start, NULL);
	for (i = 1; i < nr; i++) {
		if (pools[i].start <= pool_end(&pools[last]))
			pools[last].nr_bytes = max(pool_end(&pools[last]), pool_end(&pools[i])) -
					       pools[last].start;
		else
			pools[++last] = pools[i];
	}
	return last + 1;
}

/**
 * tmm_pools_parse() - read a list of runs
 * @text: "<size>@<start>[,...]", K/M/G suffixes, as in memmap=
 * @pools: set to an array of unclaimed runs, the caller's to kfree(), sorted;
 *         runs that overlap or touch are joined
 * @nr: set to their number
 *
 * Context: Process context, may sleep.
 * Return: 0; -EINVAL if @text is malformed, not in whole pages or a run is
 * smaller than TMM_POOL_MIN_BYTES, -ERANGE if a run lies past the last physical
 * address, or -ENOMEM
 */
int tmm_pools_parse(const char *text, struct tmm_pool **pools, unsigned int *nr)
{
	struct tmm_pool *parsed;
	unsigned int count = 1;
	unsigned int i;
	const char *c;
	int err;

	for (c = text; *c; c++)
		count += *c == ',';
	parsed = kcalloc(count, sizeof(*parsed), GFP_KERNEL);
	if (!parsed)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		err = parse_one(&text, &parsed[i]);
		if (err) {
			kfree(parsed);
			return err;
		}
	}
	*nr = merge_pools(parsed, count);
	*pools = parsed;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_pools_parse);

/**
 * struct coverage - how far Reserved ranges cover a run without a gap
 * @end: first byte that is not covered
 * @count: ranges it took
 */
struct coverage {
	u64 end;
	unsigned int count;
};

/* Ranges come in order, cut to the run. */
static int cover(struct resource *res, void *arg)
{
	struct coverage *covered = arg;

	if (res->start <= covered->end) {
		covered->end = max(covered->end, (u64)res->end + 1);
		covered->count++;
	}
	return 0;
}

static void refuse(const struct tmm_pool *pool, u64 page, const char *why)
{
	pr_err("refused: page %#llx of %lluK@%#llx is %s\n", page, pool->nr_bytes >> 10,
	       pool->start, why);
	pr_err("reserve it at boot: memmap=%lluK$%#llx (GRUB_CMDLINE_LINUX: memmap=%lluK\\\\\\$%#llx; QEMU -append in a shell: memmap=%lluK\\$%#llx), then load with regions=%lluK@%#llx\n",
	       pool->nr_bytes >> 10, pool->start, pool->nr_bytes >> 10, pool->start,
	       pool->nr_bytes >> 10, pool->start, pool->nr_bytes >> 10, pool->start);
}

/* A run at a time; a page only to say what it is. */
static int check_runs(const struct tmm_pool *pool)
{
	enum tmm_map_use use;
	u64 at = pool->start;
	u64 next;

	for (; at < pool_end(pool); at = next) {
		if (fatal_signal_pending(current))
			return -EINTR;
		next = tmm_firmware_map_run(&tmm_firmware_map, at, pool_end(pool), &use);
		if (use != TMM_USE_TAKEN) {
			refuse(pool, at, tmm_firmware_map_why(&tmm_firmware_map, at));
			return -ENODEV;
		}
		cond_resched();
	}
	return 0;
}

static int check_resources(const struct tmm_pool *pool)
{
	struct coverage covered = { .end = pool->start };

	walk_iomem_res_desc(IORES_DESC_RESERVED, IORESOURCE_MEM, pool->start, pool_end(pool) - 1,
			    &covered, cover);
	if (covered.end < pool_end(pool)) {
		refuse(pool, covered.end, "not Reserved in /proc/iomem");
		return -ENODEV;
	}
	if (covered.count != 1) {
		refuse(pool, pool->start, "the first of several Reserved ranges");
		return -ENODEV;
	}
	if (region_intersects(pool->start, pool->nr_bytes, IORESOURCE_SYSTEM_RAM,
			      IORES_DESC_NONE) != REGION_DISJOINT) {
		refuse(pool, pool->start, "System RAM in /proc/iomem");
		return -ENODEV;
	}
	return 0;
}

static int check_machine(void)
{
	if (xen_pv_domain()) {
		pr_err("refused: Xen PV guests cannot load a page table of their own\n");
		return -EOPNOTSUPP;
	}
	if (cc_platform_has(CC_ATTR_MEM_ENCRYPT)) {
		pr_err("refused: memory encryption is active, and this module does not set its address bit\n");
		return -EOPNOTSUPP;
	}
	return 0;
}

/*
 * Map all of it write-back, for as long as we have it: besides being the way to
 * tables, this is what makes Linux map the same memory write-back into processes.
 */
static int map_window(struct tmm_pool *pool)
{
	if (!pool->wants_struct_pages) {
		pool->window = memremap(pool->start, pool->nr_bytes, MEMREMAP_WB);
		return pool->window ? 0 : -ENOMEM;
	}
	pool->struct_pages = tmm_struct_pages_create(pool->start, pool->nr_bytes);
	if (IS_ERR(pool->struct_pages)) {
		int err = PTR_ERR(pool->struct_pages);

		pool->struct_pages = NULL;
		return err;
	}
	/* Memory with struct pages is in Linux's direct mapping. */
	pool->window = __va(pool->start);
	pool->nr_reserved = tmm_struct_pages_nr_reserved(pool->struct_pages);
	return 0;
}

static void unmap_window(struct tmm_pool *pool)
{
	if (pool->struct_pages)
		tmm_struct_pages_destroy(pool->struct_pages);
	else
		memunmap(pool->window);
	pool->struct_pages = NULL;
	pool->window = NULL;
	pool->nr_reserved = 0;
}

/**
 * tmm_pool_claim() - check a run and take it
 * @pool: start, nr_bytes and wants_struct_pages are set; the rest is set on
 *        success only
 *
 * Says in the log which page of which run is what, and how to reserve it.
 *
 * Context: Process context, may sleep. O(runs in the firmware's map).
 * Return: 0; -ENODEV if the run is not RAM reserved with memmap=, -EBUSY if
 * somebody has claimed it, -EOPNOTSUPP on a machine where the module cannot
 * work, -EINVAL if it is not aligned for struct pages, -EINTR if killed, or -ENOMEM
 */
int tmm_pool_claim(struct tmm_pool *pool)
{
	int err = check_machine();

	if (!err && pool->wants_struct_pages)
		err = tmm_struct_pages_check(pool->start, pool->nr_bytes);
	if (!err)
		err = check_resources(pool);
	if (!err)
		err = check_runs(pool);
	if (err)
		return err;

	pool->resource = request_mem_region_exclusive(pool->start, pool->nr_bytes, KBUILD_MODNAME);
	if (!pool->resource) {
		pr_err("refused: %lluK@%#llx, or a part of it, is claimed already (/proc/iomem says by whom)\n",
		       pool->nr_bytes >> 10, pool->start);
		return -EBUSY;
	}
	err = map_window(pool);
	if (err) {
		release_mem_region(pool->start, pool->nr_bytes);
		pool->resource = NULL;
	}
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_pool_claim);

/**
 * tmm_pool_release() - undo tmm_pool_claim()
 * @pool: claimed, or not
 *
 * Context: Process context, may sleep.
 */
void tmm_pool_release(struct tmm_pool *pool)
{
	if (!pool->resource)
		return;
	unmap_window(pool);
	release_mem_region(pool->start, pool->nr_bytes);
	pool->resource = NULL;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_pool_release);

static int list_candidate(struct resource *res, void *arg)
{
	unsigned int *nr = arg;
	enum tmm_map_use use;
	struct tmm_pool pool;

	pool.start = ALIGN(res->start, TMM_PAGE_SIZE);
	pool.nr_bytes = ALIGN_DOWN(res->end + 1, TMM_PAGE_SIZE) - pool.start;
	/* Page 0 is RAM that Linux reserves by itself. */
	if (!pool.start || res->end + 1 <= pool.start || pool.nr_bytes < TMM_POOL_MIN_BYTES)
		return 0;
	if (tmm_firmware_map_run(&tmm_firmware_map, pool.start, pool_end(&pool), &use) !=
		    pool_end(&pool) || use != TMM_USE_TAKEN)
		return 0;
	pr_err("candidate: regions=%lluK@%#llx\n", pool.nr_bytes >> 10, pool.start);
	(*nr)++;
	return 0;
}

/**
 * tmm_pools_list_candidates() - say in the log what could be claimed
 *
 * Context: Process context, may sleep.
 */
void tmm_pools_list_candidates(void)
{
	unsigned int nr = 0;

	walk_iomem_res_desc(IORES_DESC_RESERVED, IORESOURCE_MEM, 0, -1, &nr, list_candidate);
	if (!nr)
		pr_err("no Reserved range is RAM from end to end: boot with memmap=<size>$<start> (\\$ in a shell, \\\\\\$ in /etc/default/grub)\n");
}
