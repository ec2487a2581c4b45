// SPDX-License-Identifier: GPL-2.0
#include "alloc/pool.h"

#include "alloc/advice.h"
#include "alloc/firmware_map.h"
#include "alloc/frame_maps.h"
#include "alloc/struct_pages.h"
#include "core/address.h"
#include "core/compat.h"
#include "core/number.h"

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
#include <linux/moduleparam.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <xen/xen.h>

/* Linux's limit for a charp parameter. The module also returns the same error as Linux. */
#define REGIONS_MAX	1024

static u64 pool_end(const struct tmm_pool *pool)
{
	return pool->start + pool->nr_bytes;
}

/* A mistake in an item of regions=: the errno and its text. */
struct flaw {
	int err;
	const char *what;
};

static struct flaw flaw_of_number(int err)
{
	return err == -ERANGE ? (struct flaw){ err, "a number does not fit in 64 bits" } :
	       (struct flaw){ err, "malformed, write <size>@<start>[,...] with K, M, G suffixes" };
}

/* Parse one "<size>@<start>". */
static struct flaw parse_one(const char *text, const char *end, struct tmm_pool *pool)
{
	u64 last;
	int err;

	err = tmm_number_parse_bytes(&text, &pool->nr_bytes);
	if (err)
		return flaw_of_number(err);
	if (*text++ != '@')
		return flaw_of_number(-EINVAL);
	err = tmm_number_parse_bytes(&text, &pool->start);
	if (err)
		return flaw_of_number(err);
	if (text != end)
		return flaw_of_number(-EINVAL);
	if (!IS_ALIGNED(pool->start | pool->nr_bytes, TMM_PAGE_SIZE))
		return (struct flaw){ -EINVAL, "size and start have to be multiples of 4K" };
	if (pool->nr_bytes < TMM_POOL_MIN_BYTES)
		return (struct flaw){ -EINVAL, "the size has to be 64K or more" };
	if (check_add_overflow(pool->start, pool->nr_bytes, &last))
		return (struct flaw){ -ERANGE, "the range ends past the last physical address" };
	if (pool->nr_bytes >> TMM_PAGE_SHIFT > TMM_FRAME_MAPS_MAX_NR)
		return (struct flaw){ -EINVAL, "the size has to be less than 16T - 2M" };
	if (last > 1ULL << boot_cpu_data.x86_phys_bits)
		return (struct flaw){ -ERANGE, "the range ends past the last physical address" };
	return (struct flaw){};
}

/* Parse all items, and log the first mistake. */
static int parse_all(const char *text, bool wants_struct_pages, struct tmm_pool *pools,
		     unsigned int nr)
{
	const struct tmm_advice_request anywhere = { .with_struct_pages = wants_struct_pages };
	const char *end;
	unsigned int i;

	for (i = 0; i < nr; i++, text = end + 1) {
		struct flaw flaw;

		end = strchrnul(text, ',');
		flaw = parse_one(text, end, &pools[i]);
		if (flaw.err) {
			tmm_advice_refuse(&anywhere, "regions=%.*s: refused: %s",
					  (int)min(end - text, 100L), text, flaw.what);
			return flaw.err;
		}
		pools[i].wants_struct_pages = wants_struct_pages;
	}
	return 0;
}

static int compare_start(const void *a, const void *b)
{
	const struct tmm_pool *left = a;
	const struct tmm_pool *right = b;

	return left->start < right->start ? -1 : left->start > right->start;
}

/* Join runs that overlap or are adjacent; the result is sorted. */
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

/*
 * Parse a list of runs, "<size>@<start>[,...]" with K/M/G suffixes, as in memmap=. @pools is
 * set to a sorted array of unclaimed runs, which the caller frees with kfree(). Runs that
 * overlap or are adjacent are joined. The function logs a mistake, and a value that would be
 * accepted.
 *
 * May sleep. Return: 0; -EINVAL if @text is malformed, a run does not consist of whole pages,
 * or a run is smaller than TMM_POOL_MIN_BYTES; -ERANGE if a number does not fit or a run ends
 * past the last physical address; or -ENOMEM.
 */
int tmm_pools_parse(const char *text, bool wants_struct_pages, struct tmm_pool **pools,
		    unsigned int *nr)
{
	struct tmm_pool *parsed;
	unsigned int count = 1;
	const char *c;
	int err;

	for (c = text; *c; c++)
		count += *c == ',';
	parsed = kcalloc(count, sizeof(*parsed), GFP_KERNEL);
	if (!parsed)
		return -ENOMEM;
	err = parse_all(text, wants_struct_pages, parsed, count);
	if (err) {
		kfree(parsed);
		return err;
	}
	*nr = merge_pools(parsed, count);
	*pools = parsed;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_pools_parse);

/* The part of a run that Reserved ranges cover without a gap. */
struct coverage {
	/* first byte that is not covered */
	u64 end;
	/* number of ranges that cover the part */
	unsigned int count;
};

/* The walk visits ranges in order, cut to the run. */
static int cover_run(struct resource *res, void *arg)
{
	struct coverage *covered = arg;

	if (res->start <= covered->end) {
		covered->end = max(covered->end, (u64)res->end + 1);
		covered->count++;
	}
	return 0;
}

static struct tmm_advice_request advice_for(const struct tmm_pool *pool)
{
	return (struct tmm_advice_request){
		.start = pool->start,
		.end = pool_end(pool),
		.with_struct_pages = pool->wants_struct_pages,
	};
}

static void refuse_region(const struct tmm_pool *pool, const char *why)
{
	const struct tmm_advice_request request = advice_for(pool);

	tmm_advice_refuse(&request, "regions=%lluK@%#llx: refused: %s", pool->nr_bytes >> 10,
			  pool->start, why);
}

static void refuse_page(const struct tmm_pool *pool, u64 page, const char *why)
{
	const struct tmm_advice_request request = advice_for(pool);

	tmm_advice_refuse(&request, "regions=%lluK@%#llx: refused: page %#llx is %s",
			  pool->nr_bytes >> 10, pool->start, page, why);
}

/* Check run by run. A single page is checked only to find out why the page is refused. */
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
			refuse_page(pool, at, tmm_firmware_map_why(&tmm_firmware_map, at));
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
			    &covered, cover_run);
	if (covered.end < pool_end(pool)) {
		refuse_page(pool, covered.end, "not Reserved in /proc/iomem");
		return -ENODEV;
	}
	if (covered.count != 1) {
		refuse_page(pool, pool->start, "the first of several Reserved ranges");
		return -ENODEV;
	}
	if (region_intersects(pool->start, pool->nr_bytes, IORESOURCE_SYSTEM_RAM,
			      IORES_DESC_NONE) != REGION_DISJOINT) {
		refuse_page(pool, pool->start, "System RAM in /proc/iomem");
		return -ENODEV;
	}
	return 0;
}

static int check_machine(void)
{
	if (xen_pv_domain()) {
		pr_err("Xen PV guest: refused: such a guest cannot load its own page tables: start the guest as HVM or PVH\n");
		return -EOPNOTSUPP;
	}
	if (cc_platform_has(CC_ATTR_MEM_ENCRYPT)) {
		pr_err("memory encryption: refused: this module does not set the encryption bit: boot with mem_encrypt=off\n");
		return -EOPNOTSUPP;
	}
	return 0;
}

static int check_struct_pages(const struct tmm_pool *pool)
{
	const struct tmm_advice_request request = advice_for(pool);
	int err;

	err = tmm_struct_pages_check(pool->start, pool->nr_bytes);
	if (err == -EINVAL)
		tmm_advice_refuse(&request,
				  "regions=%lluK@%#llx: refused: with struct_pages=1, a region has to begin and end at multiples of %lluK",
				  pool->nr_bytes >> 10, pool->start,
				  tmm_struct_pages_align() >> 10);
	else if (err)
		pr_err("struct_pages=1: refused: this kernel lacks CONFIG_ZONE_DEVICE: load without struct_pages=1\n");
	return err;
}

/*
 * Map the whole pool write-back into the kernel, for as long as the module has the pool. The
 * module accesses its page tables through this alias. The alias also makes Linux map the same
 * memory write-back into processes.
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

static int check_pool(const struct tmm_pool *pool)
{
	int err;

	err = check_machine();
	if (err)
		return err;
	if (pool->wants_struct_pages) {
		err = check_struct_pages(pool);
		if (err)
			return err;
	}
	err = check_runs(pool);
	if (err)
		return err;
	return check_resources(pool);
}

static void unclaim_range(struct tmm_pool *pool)
{
	release_mem_region(pool->start, pool->nr_bytes);
	pool->resource = NULL;
}

/*
 * Check a run and claim the run. The caller sets start, nr_bytes and wants_struct_pages; this
 * function sets the other fields on success only. The function logs the first page that is
 * refused, the reason, and a range that would be accepted.
 *
 * May sleep. O(runs in the firmware's map). Return: 0; -ENODEV if the run is not RAM reserved
 * with memmap=, -EBUSY if a part of the run is claimed already, -EOPNOTSUPP on a machine where
 * the module cannot work, -EINVAL if the run is not aligned for struct pages or shares a section
 * with Linux's memory, -EINTR if the task is killed, or -ENOMEM. Making struct pages may fail
 * with other errors.
 */
int tmm_pool_claim(struct tmm_pool *pool)
{
	int err;

	err = check_pool(pool);
	if (err)
		return err;
	pool->resource = request_mem_region_exclusive(pool->start, pool->nr_bytes, KBUILD_MODNAME);
	if (!pool->resource) {
		refuse_region(pool,
			      "all or part of the range is claimed already (see /proc/iomem)");
		return -EBUSY;
	}
	if (pool->wants_struct_pages && tmm_struct_pages_are_shared(pool->start, pool->nr_bytes)) {
		/* The advice leaves out claimed ranges, so release the claim first. */
		unclaim_range(pool);
		refuse_region(pool,
			      "the range shares a 128 MiB section with Linux's memory, and cannot have struct pages");
		return -EINVAL;
	}
	err = map_window(pool);
	if (err) {
		pr_err("regions=%lluK@%#llx: refused: Linux cannot map the range (error %d): name a smaller one, or free kernel memory\n",
		       pool->nr_bytes >> 10, pool->start, err);
		unclaim_range(pool);
	}
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_pool_claim);

/* Undo tmm_pool_claim(). The function does nothing for a pool that is not claimed. May sleep. */
void tmm_pool_release(struct tmm_pool *pool)
{
	if (!pool->resource)
		return;
	unmap_window(pool);
	unclaim_range(pool);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_pool_release);

static int set_regions(const char *text, const struct kernel_param *kp)
{
	if (strnlen(text, REGIONS_MAX + 1) > REGIONS_MAX) {
		pr_err("regions=: refused: the text is longer than %u characters: join ranges that touch, or name fewer\n",
		       REGIONS_MAX);
		return -ENOSPC;
	}
	return param_set_charp(text, kp);
}

/* The parameter regions=, a charp. */
const struct kernel_param_ops tmm_pools_param_ops = {
	.set = set_regions,
	.get = param_get_charp,
	.free = param_free_charp,
};

/* Claim all runs that @regions names, or none. The function logs the first run that is refused. */
int tmm_pools_claim(struct tmm_pools *pools, const char *regions, bool wants_struct_pages)
{
	unsigned int i;
	int err;

	if (wants_struct_pages && !tmm_compat_has_struct_pages()) {
		pr_err("struct_pages=1: refused: Linux 6.15 and later count references to struct pages in a way that this module does not support: load without struct_pages=1\n");
		return -EOPNOTSUPP;
	}
	if (!regions || !*regions) {
		pr_err("regions= is missing: name the RAM to claim as regions=<size>@<start>[,...]\n");
		tmm_advice_list_candidates(wants_struct_pages);
		return -ENODEV;
	}
	err = tmm_pools_parse(regions, wants_struct_pages, &pools->pools, &pools->nr);
	if (err)
		return err;
	for (i = 0; i < pools->nr; i++) {
		err = tmm_pool_claim(&pools->pools[i]);
		if (err)
			goto err_release;
	}
	return 0;

err_release:
	tmm_pools_release(pools);
	return err;
}

void tmm_pools_release(struct tmm_pools *pools)
{
	while (pools->nr)
		tmm_pool_release(&pools->pools[--pools->nr]);
	kfree(pools->pools);
	pools->pools = NULL;
}

/* True if a pool contains this frame outside of the memory of its struct pages. */
bool tmm_pools_contain(const struct tmm_pools *pools, u64 frame)
{
	unsigned int i;

	for (i = 0; i < pools->nr; i++) {
		const struct tmm_pool *pool = &pools->pools[i];

		if ((frame << TMM_PAGE_SHIFT) - pool->start - pool->nr_reserved <
		    pool->nr_bytes - pool->nr_reserved)
			return true;
	}
	return false;
}

void tmm_pools_announce(const struct tmm_pools *pools)
{
	unsigned int i;

	for (i = 0; i < pools->nr; i++)
		pr_info("%lluK@%#llx: claimed%s\n", pools->pools[i].nr_bytes >> 10,
			pools->pools[i].start,
			pools->pools[i].struct_pages ? ", with struct pages" : "");
}
