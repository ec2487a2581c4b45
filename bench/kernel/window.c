// SPDX-License-Identifier: GPL-2.0
/* A window on a mapping, beside the instructions that every window needs. */
#include "kernel/groups.h"
#include "kernel/measure.h"
#include "kernel/report.h"
#include "linux/theseus_mm.h"

#include <asm/special_insns.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>

#define NR_OPERATIONS	10000

/* The borrow whose memory the window shows, and a place for what is read. */
static struct {
	TMM_BORROW(u64) borrow;
	u64 sum;
} used;

static int use_window(unsigned int i)
{
	struct tmm_window window;
	const u64 *p;

	p = tmm_borrow_enter(&used.borrow, &window);
	if (IS_ERR(p))
		return PTR_ERR(p);
	used.sum += *p;
	tmm_borrow_leave(&window);
	return 0;
}

/* Load the register with the value that it has, twice, with interrupts off. */
static int load_cr3_twice(unsigned int i)
{
	unsigned long flags, cr3;

	local_irq_save(flags);
	cr3 = __native_read_cr3();
	native_write_cr3(cr3);
	native_write_cr3(cr3);
	local_irq_restore(flags);
	return 0;
}

static void undo_nothing(unsigned int i)
{
}

static const struct bench_step step_ours = { "window", "ours", use_window };
static const struct bench_step step_cr3 = { "window", "cr3-twice", load_cr3_twice };

static const struct bench_series series_ours = {
	.steps = &step_ours, .nr_steps = 1, .undo = undo_nothing,
};

static const struct bench_series series_cr3 = {
	.steps = &step_cr3, .nr_steps = 1, .undo = undo_nothing,
};

void bench_window(void)
{
	struct tmm_mapped_pages *mp;
	int err;

	bench_measure(&series_cr3, NR_OPERATIONS, NR_OPERATIONS, 1);
	if (!bench_series_is_wanted(&series_ours))
		return;
	mp = tmm_create_mapping(PAGE_SIZE, TMM_PTE_DEFAULT | TMM_PTE_WRITABLE);
	if (IS_ERR(mp)) {
		bench_report_failed("window", PTR_ERR(mp));
		return;
	}
	err = tmm_as_slice(mp, 0, PAGE_SIZE / sizeof(u64), &used.borrow);
	if (err) {
		bench_report_failed("window", err);
	} else {
		bench_measure(&series_ours, NR_OPERATIONS, NR_OPERATIONS, 1);
		tmm_borrow_into_inner(&used.borrow);
	}
	tmm_mapped_pages_drop(&mp);
}
