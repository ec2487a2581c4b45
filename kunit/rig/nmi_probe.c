// SPDX-License-Identifier: GPL-2.0
/*
 * NMI probe: reads an address in an NMI while a task is in a window, as a profiler reads a
 * user stack, and counts the results. initramfs/tests/window_test.c reads the counts in
 * /sys/module/theseus_mm_nmi_probe/parameters/.
 */
#include "core/compat.h"
#include "paging/tlb.h"

#include <asm/apic.h>
#include <asm/nmi.h>
#include <asm/processor-flags.h>
#include <asm/special_insns.h>
#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/panic.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

static unsigned long address;
module_param(address, ulong, 0600);
MODULE_PARM_DESC(address, "address that each NMI tries to read");

static unsigned long nr_nmis;
module_param(nr_nmis, ulong, 0400);
MODULE_PARM_DESC(nr_nmis, "NMIs that arrived");

static unsigned long nr_inside;
module_param(nr_inside, ulong, 0400);
MODULE_PARM_DESC(nr_inside, "NMIs that arrived in a window");

static unsigned long nr_seen;
module_param(nr_seen, ulong, 0400);
MODULE_PARM_DESC(nr_seen, "NMIs in a window that could read the address");

static unsigned long seen;
module_param(seen, ulong, 0400);
MODULE_PARM_DESC(seen, "value that the last of those NMIs read");

static unsigned long nr_others;
module_param(nr_others, ulong, 0400);
MODULE_PARM_DESC(nr_others, "NMIs in a window that the probe has not sent");

static bool crash;
module_param(crash, bool, 0400);
MODULE_PARM_DESC(crash, "panic in the first NMI that arrives in a window");

static atomic_t nr_sent = ATOMIC_INIT(0);

static bool is_in_window(void)
{
	return tmm_tlb_is_inside() && current->mm &&
	       (__read_cr3() & CR3_ADDR_MASK) != virt_to_phys(current->mm->pgd);
}

static int on_nmi(unsigned int type, struct pt_regs *regs)
{
	unsigned long value;

	if (atomic_dec_if_positive(&nr_sent) < 0) {
		if (is_in_window())
			nr_others++;
		return NMI_DONE;
	}
	if (is_in_window()) {
		nr_inside++;
		if (crash)
			nmi_panic(regs, "theseus_mm_nmi_probe: an NMI in a window");
		if (!copy_from_user_nmi(&value, (const void __user *)READ_ONCE(address),
					sizeof(value))) {
			seen = value;
			nr_seen++;
		}
	}
	nr_nmis++;
	return NMI_HANDLED;
}

static int send_nmis(const char *text, const struct kernel_param *param)
{
	unsigned int cpu;
	int err = kstrtouint(text, 0, &cpu);

	if (err)
		return err;
	if (cpu >= nr_cpu_ids || !cpu_online(cpu))
		return -ENODEV;
	atomic_inc(&nr_sent);
	apic->send_IPI(cpu, NMI_VECTOR);
	return 0;
}

static const struct kernel_param_ops send_ops = { .set = send_nmis };
module_param_cb(send, &send_ops, NULL, 0200);
MODULE_PARM_DESC(send, "send an NMI to this CPU");

static int __init probe_init(void)
{
	return register_nmi_handler(NMI_LOCAL, on_nmi, 0, "theseus_mm_nmi_probe");
}

static void __exit probe_exit(void)
{
	unregister_nmi_handler(NMI_LOCAL, "theseus_mm_nmi_probe");
}

module_init(probe_init);
module_exit(probe_exit);
MODULE_DESCRIPTION("Reads user memory from NMIs that arrive in windows");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(TMM_COMPAT_NS(THESEUS_MM));
