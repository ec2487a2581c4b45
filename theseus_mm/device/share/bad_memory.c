// SPDX-License-Identifier: GPL-2.0
#include "device/share/bad_memory.h"

#include "alloc/bad_frames.h"
#include "alloc/struct_pages.h"
#include "device/share/mapping_file.h"
#include "mapping/instance.h"
#include "mapping/mapped_pages.h"
#include "mapping/mapped_pages_memory.h"

#include <asm/cpufeature.h>
#include <asm/mce.h>
#include <asm/processor.h>
#include <kunit/visibility.h>
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/notifier.h>
#include <linux/rwsem.h>

static struct tmm_instance *instance;

static bool shows_frame(struct tmm_mapping_file *mf, u64 number)
{
	const struct tmm_loan *loan;
	bool does;

	down_read(&mf->revoke_lock);
	loan = list_first_entry_or_null(&mf->loans, struct tmm_loan, link);
	/* All loans of a file are of one mapping. */
	does = loan && tmm_mapped_pages_has_frame(loan->borrow.mp, number);
	up_read(&mf->revoke_lock);
	return does;
}

/*
 * Clear all entries of the mapping, because a large entry cannot be split. Later faults insert
 * the entries of good frames again. A fault that has not seen the bad frame holds the lock until
 * its entry is inserted, so its entry is cleared as well.
 */
static void take_out(struct tmm_mapping_file *mf, void *context)
{
	const u64 *number = context;

	if (!shows_frame(mf, *number))
		return;
	down_write(&mf->revoke_lock);
	unmap_mapping_range(mf->file->f_mapping, 0, 0, 1);
	up_write(&mf->revoke_lock);
}

static void log_frame(u64 number, int err)
{
	const u64 paddr = number << TMM_PAGE_SHIFT;

	switch (err) {
	case 0:
		pr_err("memory at %#llx fails: its frame is retired: load with bad=%#llx next time, or leave it out of regions=\n",
		       paddr, paddr);
		break;
	case -EBUSY:
		pr_err("memory at %#llx fails, and holds a page table or bookkeeping, so it stays in use: close all clients and unload the module\n",
		       paddr);
		break;
	default:
		pr_err("memory at %#llx fails, and its frame could not be retired (error %d), so it may be given out again: unload the module, and load with bad=%#llx\n",
		       paddr, err, paddr);
	}
}

/*
 * Retire a frame whose memory fails. When the result is 0, no process can reach the frame;
 * otherwise the result is an error of tmm_bad_frames_retire(). May sleep. O(mapping files +
 * entries in processes of the file whose mapping has the frame).
 */
int tmm_bad_memory_report(struct tmm_instance *inst, u64 number)
{
	int err;

	err = tmm_bad_frames_retire(&inst->fa, number);
	if (err == -ERANGE || err == -EEXIST)
		return err;
	log_frame(number, err);
	if (!err)
		tmm_mapping_files_each(take_out, &number);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_bad_memory_report);

/*
 * Linux reports a failing page. The process that accessed the page then faults again and gets
 * SIGBUS.
 */
static int struct_page_failed(u64 number)
{
	int err;

	err = tmm_bad_memory_report(instance, number);
	return err == -EEXIST ? 0 : err;
}

#ifdef CONFIG_X86_MCE
/*
 * AMD's memory controllers report an address that is not the physical address of the frame.
 * Such memory is retired later, when a CPU accesses the memory and reports the failure.
 */
static bool has_frame(struct mce *m)
{
	return mce_usable_address(m) &&
	       !(boot_cpu_has(X86_FEATURE_SMCA) && mce_is_memory_error(m));
}

/* Handle a report of a machine check, of a poll or of the firmware, in process context. */
static int decode(struct notifier_block *nb, unsigned long event, void *data)
{
	struct mce *m = data;
	u64 addr;
	int err;

	if (!m || mce_is_correctable(m) || !has_frame(m))
		return NOTIFY_DONE;
	/* The bits above the physical address can hold the number of an encryption key. */
	addr = m->addr & GENMASK_ULL(boot_cpu_data.x86_phys_bits - 1, 0);
	err = tmm_bad_memory_report(instance, addr >> TMM_PAGE_SHIFT);
	if (err && err != -EEXIST)
		return NOTIFY_DONE;
	m->kflags |= MCE_HANDLED_UC;
	return NOTIFY_OK;
}

static struct notifier_block decoder = {
	.notifier_call = decode,
	/* Run after Linux's own notifiers, which handle memory that Linux manages. */
	.priority = MCE_PRIO_NFIT,
};

static void listen_to_reports(void)
{
	mce_register_decode_chain(&decoder);
}

static void stop_listening(void)
{
	mce_unregister_decode_chain(&decoder);
}
#else
static void listen_to_reports(void)
{
}

static void stop_listening(void)
{
}
#endif /* CONFIG_X86_MCE */

/* Begin to handle reports of failing memory of @inst. May sleep. */
void __init tmm_bad_memory_init(struct tmm_instance *inst)
{
	instance = inst;
	tmm_struct_pages_on_failure(struct_page_failed);
	listen_to_reports();
}

/*
 * Undo tmm_bad_memory_init(). When the function returns, no report is being handled. May sleep.
 */
void tmm_bad_memory_exit(void)
{
	stop_listening();
	tmm_struct_pages_on_failure(NULL);
}
