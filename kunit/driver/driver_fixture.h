/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fixture of the suites in theseus_mm_driver_test.ko. That module uses theseus_mm as any
 * other driver does: of the headers of theseus_mm it includes only the public one, it uses only
 * symbols exported to every module, and it works on the one instance of theseus_mm.
 *
 * Each case reads the counts in sysfs when it begins and when it ends.
 */
#ifndef TMM_KUNIT_DRIVER_FIXTURE_H
#define TMM_KUNIT_DRIVER_FIXTURE_H

#include "linux/theseus_mm.h"

#include <kunit/test.h>
#include <linux/err.h>
#include <linux/pci.h>
#include <linux/sizes.h>

#define NR_1G		(SZ_1G >> TMM_PAGE_SHIFT)
#define NR_2M		(SZ_2M >> TMM_PAGE_SHIFT)

/* The counts of the instance, as sysfs shows them. */
struct tmm_driver_totals {
	u64 frames_free;
	u64 frames_largest_free;	/* length of the longest free run */
	u64 mappings;			/* under the kernel's root */
	u64 tables;			/* of all roots together */
};

/*
 * The state of a case, in test->priv. The exit function drops the mapping, removes the region,
 * and expects the counts to be what they were when the case began.
 */
struct tmm_driver {
	struct tmm_driver_totals before;
	struct pci_dev *pdev;		/* NULL in a case without a device */
	struct tmm_paddr bar;		/* address of the BAR that the suite uses */
	u64 nr_bytes;			/* length of that BAR */
	bool is_added;			/* the BAR is a region of the module */
	struct tmm_mapped_pages *mp;	/* the mapping of the case, or NULL */
};

/* The PCI device that a suite works on. */
struct tmm_driver_device {
	unsigned int vendor;
	unsigned int device;
	int bar;			/* number of the BAR */
	const char *how;		/* QEMU's arguments that add the device */
	struct pci_dev *pdev;		/* enabled while the suite runs; NULL without a device */
};

int tmm_driver_init(struct kunit *test);
void tmm_driver_exit(struct kunit *test);
int tmm_driver_find_device(struct tmm_driver_device *device);
void tmm_driver_forget_device(struct tmm_driver_device *device);
int tmm_driver_init_device(struct kunit *test, const struct tmm_driver_device *device);
void tmm_driver_add_region(struct kunit *test, enum tmm_memory_type type);
void tmm_driver_remove_region(struct kunit *test);
struct tmm_page_table *tmm_driver_kernel_root(struct kunit *test);

struct tmm_driver_totals tmm_driver_totals(struct kunit *test);

/* Compare the counts with those at the start of the case. */
void tmm_driver_expect_frames_taken(struct kunit *test, u64 nr);
void tmm_driver_expect_mappings_made(struct kunit *test, u64 nr);
void tmm_driver_expect_pages_free(struct kunit *test, u64 start, u64 nr);
/* Like tmm_driver_exit(), but also expects all general pages of the guard hole to be free. */
void tmm_driver_exit_with_hole(struct kunit *test);

static inline struct tmm_paddr paddr_of(u64 frame)
{
	return (struct tmm_paddr){ frame << TMM_PAGE_SHIFT };
}

static inline struct tmm_vaddr vaddr_of(u64 page)
{
	return tmm_page_start_address((struct tmm_page){ page, TMM_4K });
}

/* Reads the memory type from the leaf entries, not from the mapping's flags. */
static inline bool tmm_driver_is_device_memory(const struct tmm_mapped_pages *mp)
{
	return tmm_pte_flags_is_device_memory(tmm_mapped_pages_collect_flags(mp));
}

struct tmm_vaddr tmm_driver_vaddr(const struct tmm_mapped_pages *mp, u64 offset);
void tmm_driver_expect_at(struct kunit *test, const struct tmm_mapped_pages *mp, u64 offset,
			  u64 paddr);
void tmm_driver_expect_leaf(struct kunit *test, const struct tmm_mapped_pages *mp, u64 offset,
			    enum tmm_page_size size);
u64 tmm_driver_read(struct kunit *test, struct tmm_mapped_pages *mp, u64 offset);
void tmm_driver_write(struct kunit *test, struct tmm_mapped_pages *mp, u64 offset, u64 value);
/* Expects a mutable borrow to fail with @err, or to succeed if @err is 0. */
void tmm_driver_expect_writable(struct kunit *test, struct tmm_mapped_pages *mp, int err);

#endif /* TMM_KUNIT_DRIVER_FIXTURE_H */
