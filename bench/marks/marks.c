// SPDX-License-Identifier: GPL-2.0
/*
 * The costs of stretches between two marks (see marks.h). The parameter "marks" of theseus_mm shows
 * the places whose stretches were measured since the parameter was last written:
 *
 *	interrupts|spinlock|preemption LONGEST NR NR_INTERRUPTED FILE:LINE:FUNCTION
 *
 * The clock stands still inside of the functions for marks, so that an outer stretch does not
 * contain the cost of the marks within.
 */
#include "core/compat.h"

#include <asm/msr.h>
#include <linux/hardirq.h>
#include <linux/kernel_stat.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/string.h>
#include <linux/sysfs.h>

/* The lines of a place have room after this many bytes of a page. */
#define MAX_TEXT	(PAGE_SIZE - 800)

/**
 * struct stretch - a stretch that has begun
 * @depth: stretches of this kind that are nested
 * @site: place where the outermost one begins
 * @begin: time of the begin
 * @nr_interrupts: interrupts before the begin
 */
struct stretch {
	unsigned int depth;
	struct tmm_marks_site *site;
	u64 begin;
	u64 nr_interrupts;
};

static const char * const kind_names[TMM_MARKS_NR] = {
	[TMM_MARKS_INTERRUPTS] = "interrupts",
	[TMM_MARKS_SPINLOCK] = "spinlock",
	[TMM_MARKS_PREEMPTION] = "preemption",
};

static struct stretch stretches[TMM_MARKS_NR];
static struct tmm_marks_site *sites;
/* The next place to show; the next read begins with the first place if @is_reset is set. */
static struct tmm_marks_site *shown;
static bool is_reset;
/* Ends without a begin, which must not happen. */
static unsigned int nr_unbalanced;
/* The cost of all marks until now, which the clock leaves out. */
static u64 hidden;
/* The cost of a mark outside of its two readings of the counter; that of an empty stretch. */
static u64 mark_cost, empty_cost;

static u64 count_interrupts(void)
{
	return tmm_compat_nr_local_interrupts() + this_cpu_read(kstat.irqs_sum);
}

static void begin_kind(struct tmm_marks_site *site, struct stretch *stretch, u64 now)
{
	if (stretch->depth++)
		return;
	stretch->site = site;
	stretch->begin = now;
	stretch->nr_interrupts = count_interrupts();
}

static void end_kind(unsigned int kind, u64 now)
{
	struct stretch *stretch = &stretches[kind];
	struct tmm_marks_site *site = stretch->site;
	/* The cost of marks is subtracted, so a short stretch may seem to end before it begins. */
	u64 cost = now > stretch->begin ? now - stretch->begin : 0;

	if (!stretch->depth) {
		nr_unbalanced++;
		return;
	}
	if (--stretch->depth)
		return;
	if (count_interrupts() != stretch->nr_interrupts) {
		site->nr_interrupted[kind]++;
		return;
	}
	site->nr[kind]++;
	site->longest[kind] = max(site->longest[kind], cost - min(cost, empty_cost));
}

noinline void tmm_marks_begin(struct tmm_marks_site *site, unsigned int kinds)
{
	u64 entered = rdtsc();
	unsigned int kind;

	if (!site->is_known) {
		site->is_known = true;
		site->next = sites;
		sites = site;
	}
	for (kind = 0; kind < TMM_MARKS_NR; kind++)
		if (kinds & BIT(kind))
			begin_kind(site, &stretches[kind], entered - hidden);
	hidden += rdtsc() - entered + mark_cost;
}

noinline void tmm_marks_end(unsigned int kinds)
{
	u64 entered = rdtsc();
	unsigned int kind;

	for (kind = 0; kind < TMM_MARKS_NR; kind++)
		if (kinds & BIT(kind))
			end_kind(kind, entered - hidden);
	hidden += rdtsc() - entered + mark_cost;
}

/**
 * struct visit - a range of entries that Linux visits
 * @fn: the function for each entry
 * @data: its argument
 * @table: number of the table whose lock Linux has
 * @begin: time at which Linux called @fn for the first entry of that table
 * @nr_interrupts: interrupts before that
 */
struct visit {
	pte_fn_t fn;
	void *data;
	unsigned long table;
	u64 begin;
	u64 nr_interrupts;
};

static struct tmm_marks_site apply_site = {
	.file = "mm/memory.c", .function = "apply_to_page_range",
};

/* Note the stretch from the first entry of a table to this one. */
static int visit_entry(pte_t *pte, unsigned long address, void *data)
{
	struct visit *visit = data;
	struct stretch until_now = { .depth = 1, .site = &apply_site };
	int err;

	if (visit->table != address >> PMD_SHIFT) {
		visit->table = address >> PMD_SHIFT;
		visit->begin = rdtsc() - hidden;
		visit->nr_interrupts = count_interrupts();
	}
	err = visit->fn(pte, address, visit->data);
	until_now.begin = visit->begin;
	until_now.nr_interrupts = visit->nr_interrupts;
	stretches[TMM_MARKS_SPINLOCK] = until_now;
	stretches[TMM_MARKS_PREEMPTION] = until_now;
	tmm_marks_end(TMM_MARKS_LOCK);
	return err;
}

/* Linux calls @fn under the lock of a table, which has 512 entries, once for each entry. */
#undef apply_to_page_range
int apply_to_page_range(struct mm_struct *mm, unsigned long address, unsigned long nr_bytes,
			pte_fn_t fn, void *data);

int tmm_marks_apply_to_page_range(struct mm_struct *mm, unsigned long address,
				  unsigned long nr_bytes, pte_fn_t fn, void *data)
{
	struct visit visit = { .fn = fn, .data = data, .table = ULONG_MAX };

	/* The place becomes known. */
	tmm_marks_begin(&apply_site, TMM_MARKS_LOCK);
	tmm_marks_end(TMM_MARKS_LOCK);
	return apply_to_page_range(mm, address, nr_bytes, visit_entry, &visit);
}

static u64 measure_nested(unsigned int nr_nested)
{
	struct tmm_marks_site site = { .is_known = true };
	unsigned long flags = tmm_marks_irq_save();
	unsigned int i;

	tmm_marks_begin(&site, BIT(TMM_MARKS_INTERRUPTS));
	for (i = 0; i < nr_nested; i++) {
		tmm_marks_begin(&site, TMM_MARKS_ALL);
		tmm_marks_end(TMM_MARKS_ALL);
	}
	tmm_marks_end(BIT(TMM_MARKS_INTERRUPTS));
	tmm_marks_irq_restore(flags);
	return site.longest[TMM_MARKS_INTERRUPTS];
}

/* A turn with two marks has a few instructions of its own, which count as those of the marks. */
static void calibrate(void)
{
	mark_cost = 0;
	empty_cost = 0;
	mark_cost = (measure_nested(64) - measure_nested(0)) / 128;
	empty_cost = measure_nested(0);
}

static int reset_marks(const char *value, const struct kernel_param *param)
{
	struct tmm_marks_site *site;

	for (site = sites; site; site = site->next) {
		memset(site->nr, 0, sizeof(site->nr));
		memset(site->nr_interrupted, 0, sizeof(site->nr_interrupted));
		memset(site->longest, 0, sizeof(site->longest));
	}
	calibrate();
	is_reset = true;
	return 0;
}

/* The file without the folder of the build. */
static const char *short_name(const char *file)
{
	const char *own = strstr(file, "/theseus_mm/"), *found;

	/* The folder of the build may have the same name. */
	while (own && (found = strstr(own + 1, "/theseus_mm/")))
		own = found;
	return own ? own + 1 : file;
}

static int show_site(char *buffer, int at, const struct tmm_marks_site *site)
{
	unsigned int kind;
	int begin = at;

	for (kind = 0; kind < TMM_MARKS_NR; kind++)
		if (site->nr[kind] || site->nr_interrupted[kind])
			at += sysfs_emit_at(buffer, at, "%s %llu %llu %llu %s:%u:%s\n",
					    kind_names[kind], site->longest[kind], site->nr[kind],
					    site->nr_interrupted[kind], short_name(site->file),
					    site->line, site->function);
	return at - begin;
}

/* A file of sysfs has a page. The last line is "more" if the next read shows further places. */
static int show_marks(char *buffer, const struct kernel_param *param)
{
	int at = 0;

	if (is_reset)
		shown = sites;
	is_reset = false;
	if (nr_unbalanced)
		at += sysfs_emit_at(buffer, at, "unbalanced %u\n", nr_unbalanced);
	for (; shown && at < MAX_TEXT; shown = shown->next)
		at += show_site(buffer, at, shown);
	if (shown)
		at += sysfs_emit_at(buffer, at, "more\n");
	return at;
}

static const struct kernel_param_ops marks_ops = {
	.set = reset_marks,
	.get = show_marks,
};
module_param_cb(marks, &marks_ops, NULL, 0600);
MODULE_PARM_DESC(marks, "stretches without interrupts, under a spinlock, without preemption");
