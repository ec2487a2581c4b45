// SPDX-License-Identifier: GPL-2.0
#include "alloc/advice.h"

#include "alloc/firmware_map.h"
#include "alloc/pool.h"
#include "alloc/struct_pages.h"
#include "core/address.h"

#include <kunit/visibility.h>
#include <linux/align.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/ioport.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>

/* A range of bytes; @end is exclusive. */
struct run {
	u64 start;
	u64 end;
};

/* A search for the largest range that would be accepted. */
struct search {
	/* the result has to lie in this range */
	struct run within;
	/* the result is to have struct pages */
	bool with_struct_pages;
	/* largest range found so far; empty if none was found */
	struct run best;
	/* start of the part of the current run that is not claimed */
	u64 free;
	/* log every range that would be accepted */
	bool is_listing;
};

/* Alignment of both ends of a result that lies in a run with this use. */
static u64 run_align(const struct search *search, enum tmm_map_use use)
{
	if (!search->with_struct_pages)
		return TMM_PAGE_SIZE;
	/* Linux must not have RAM in the same section at the next boot. */
	return use == TMM_USE_LINUX ? TMM_STRUCT_PAGES_SECTION : tmm_struct_pages_align();
}

static void consider_run(struct search *search, enum tmm_map_use use, u64 start, u64 end)
{
	const u64 align = run_align(search, use);

	start = ALIGN(max(start, search->within.start), align);
	end = ALIGN_DOWN(min(end, search->within.end), align);
	if (search->with_struct_pages && use == TMM_USE_TAKEN)
		tmm_struct_pages_cut(&start, &end);
	if (end <= start || end - start < TMM_POOL_MIN_BYTES)
		return;
	if (search->is_listing)
		pr_err("regions=%lluK@%#llx would be accepted\n", (end - start) >> 10, start);
	if (end - start > search->best.end - search->best.start)
		search->best = (struct run){ start, end };
}

static int leave_out_claimed(struct resource *res, void *arg)
{
	struct search *search = arg;

	if (res->start > search->free)
		consider_run(search, TMM_USE_TAKEN, search->free, res->start);
	search->free = max(search->free, (u64)res->end + 1);
	return 0;
}

/* Consider the parts of a run that are not claimed. */
static void consider_free(struct search *search, u64 start, u64 end)
{
	search->free = start;
	walk_iomem_res_desc(IORES_DESC_NONE, IORESOURCE_MEM | IORESOURCE_BUSY, start, end - 1,
			    search, leave_out_claimed);
	if (search->free < end)
		consider_run(search, TMM_USE_TAKEN, search->free, end);
}

/* Walk run by run, not page by page, since holes can be huge. */
static int look_into_reserved(struct resource *res, void *arg)
{
	struct search *search = arg;
	/* Page 0 is RAM that Linux reserves by itself. */
	u64 page = ALIGN(max_t(u64, res->start, TMM_PAGE_SIZE), TMM_PAGE_SIZE);
	u64 end = ALIGN_DOWN(res->end + 1, TMM_PAGE_SIZE);
	enum tmm_map_use use;
	u64 next;

	for (; page < end; page = next) {
		if (fatal_signal_pending(current))
			return -EINTR;
		next = tmm_firmware_map_run(&tmm_firmware_map, page, end, &use);
		if (use == TMM_USE_TAKEN)
			consider_free(search, page, next);
		cond_resched();
	}
	return 0;
}

static void search_candidates(struct search *search)
{
	if (search->within.start < search->within.end)
		walk_iomem_res_desc(IORES_DESC_RESERVED, IORESOURCE_MEM, search->within.start,
				    search->within.end - 1, search, look_into_reserved);
}

/*
 * Consider RAM that could be reserved. Leave out the first 1 MiB, which Linux needs to start
 * other CPUs.
 */
static void search_ram(struct search *search)
{
	u64 page = max_t(u64, search->within.start, SZ_1M);
	enum tmm_map_use use;
	u64 next;

	for (; page < search->within.end && !fatal_signal_pending(current); page = next) {
		next = tmm_firmware_map_run(&tmm_firmware_map, page, search->within.end, &use);
		if (use == TMM_USE_LINUX)
			consider_run(search, use, page, next);
		cond_resched();
	}
}

/* Consider only the last quarter of a range of RAM, so that Linux keeps the rest. */
static int consider_last_quarter(struct resource *res, void *arg)
{
	const u64 align = max_t(u64, run_align(arg, TMM_USE_LINUX), SZ_2M);
	const u64 end = ALIGN_DOWN(res->end + 1, align);

	if (res->start >= SZ_1M)
		consider_run(arg, TMM_USE_LINUX,
			     end - ALIGN_DOWN((res->end + 1 - res->start) / 4, align), end);
	return 0;
}

static const char *say_load(const struct search *found, const char *switches, char *text)
{
	snprintf(text, TMM_ADVICE_TEXT, "load with %sregions=%lluK@%#llx", switches,
		 (found->best.end - found->best.start) >> 10, found->best.start);
	return text;
}

static const char *say_reserve(const struct search *found, const char *switches, char *text)
{
	const u64 size = (found->best.end - found->best.start) >> 10;
	const u64 start = found->best.start;

	snprintf(text, TMM_ADVICE_TEXT,
		 "reserve memory at boot, memmap=%lluK$%#llx (GRUB_CMDLINE_LINUX: memmap=%lluK\\\\\\$%#llx; QEMU -append in a shell: memmap=%lluK\\$%#llx), then load with %sregions=%lluK@%#llx",
		 size, start, size, start, size, start, switches, size, start);
	return text;
}

/*
 * Find a value of regions= that would be accepted instead of @request, and write the advice
 * into @text. The advice says so if memory has to be reserved at boot first, or if no memory can
 * be reserved. May sleep. Return: @text.
 */
const char *tmm_advice(const struct tmm_advice_request *request, char text[TMM_ADVICE_TEXT])
{
	const char *switches = request->with_struct_pages ? "struct_pages=1 " : "";
	struct search search = {
		.within = { request->start, request->end },
		.with_struct_pages = request->with_struct_pages,
	};

	search_candidates(&search);
	if (search.best.end)
		return say_load(&search, switches, text);
	search_ram(&search);
	if (search.best.end)
		return say_reserve(&search, switches, text);
	search.within = (struct run){ 0, 1ULL << boot_cpu_data.x86_phys_bits };
	search_candidates(&search);
	if (search.best.end)
		return say_load(&search, switches, text);
	walk_iomem_res_desc(IORES_DESC_NONE, IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY, 0, -1,
			    &search, consider_last_quarter);
	if (search.best.end)
		return say_reserve(&search, switches, text);
	snprintf(text, TMM_ADVICE_TEXT, "there is no RAM that could be reserved with memmap=%s",
		 request->with_struct_pages ?
		 " in whole 128 MiB sections: load without struct_pages=1" : "");
	return text;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_advice);

/*
 * Log in one line why @request is refused and which range would be accepted. @format names the
 * object first, as in "regions=64K@0x1000: refused: ...". May sleep.
 */
void tmm_advice_refuse(const struct tmm_advice_request *request, const char *format, ...)
{
	char advice[TMM_ADVICE_TEXT];
	struct va_format wrong = { .fmt = format };
	va_list args;

	tmm_advice(request, advice);
	va_start(args, format);
	wrong.va = &args;
	pr_err("%pV; %s\n", &wrong, advice);
	va_end(args);
}

/*
 * Log the ranges that could be claimed, and that could have struct pages if these are
 * requested. May sleep.
 */
void tmm_advice_list_candidates(bool with_struct_pages)
{
	const struct tmm_advice_request nothing = { .with_struct_pages = with_struct_pages };
	struct search search = {
		.within = { 0, 1ULL << boot_cpu_data.x86_phys_bits },
		.with_struct_pages = with_struct_pages,
		.is_listing = true,
	};
	char advice[TMM_ADVICE_TEXT];

	search_candidates(&search);
	if (!search.best.end)
		pr_err("regions= has no candidate: %s\n", tmm_advice(&nothing, advice));
}
