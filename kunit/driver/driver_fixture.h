/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the suites of theseus_mm_driver_test.ko share. That module is to this one
 * what any other driver is: it includes the public header and nothing else of it,
 * links to what is exported to everybody, and works on the one real instance.
 *
 * What was used is read from sysfs, before a case and after it.
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

/**
 * struct tmm_driver_totals - what the instance says of itself
 * @frames_free: frames that nobody owns
 * @frames_largest_free: the longest run of them
 * @mappings: under the kernel's root
 * @tables: page tables, all roots together
 */
struct tmm_driver_totals {
	u64 frames_free;
	u64 frames_largest_free;
	u64 mappings;
	u64 tables;
};

/**
 * struct tmm_driver - test->priv: what a case holds
 * @before: when it began
 * @pdev: the device; NULL in a case without one
 * @bar: the part of it that is used
 * @nr_bytes: its length
 * @is_added: it is a region of the module's
 * @mp: a mapping, or NULL
 *
 * Exit drops and removes what is left, and expects all to be as it was.
 */
struct tmm_driver {
	struct tmm_driver_totals before;
	struct pci_dev *pdev;
	struct tmm_paddr bar;
	u64 nr_bytes;
	bool is_added;
	struct tmm_mapped_pages *mp;
};

/**
 * struct tmm_driver_device - a device that a suite works on
 * @vendor: PCI vendor
 * @device: PCI device
 * @bar: which of its BARs
 * @how: QEMU's arguments for it
 * @pdev: the device, enabled, while the suite runs; NULL if there is none
 */
struct tmm_driver_device {
	unsigned int vendor;
	unsigned int device;
	int bar;
	const char *how;
	struct pci_dev *pdev;
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

/* Since the case began. */
void tmm_driver_expect_frames_taken(struct kunit *test, u64 nr);
void tmm_driver_expect_mappings_made(struct kunit *test, u64 nr);
void tmm_driver_expect_pages_free(struct kunit *test, u64 start, u64 nr);
/* Ends a case in which the guard hole was free as a whole: all of the hole must be free again. */
void tmm_driver_exit_with_hole(struct kunit *test);

static inline struct tmm_paddr paddr_of(u64 frame)
{
	return (struct tmm_paddr){ frame << TMM_PAGE_SHIFT };
}

static inline struct tmm_vaddr vaddr_of(u64 page)
{
	return tmm_page_start_address((struct tmm_page){ page, TMM_4K });
}

/* As the leaf entries say. */
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
void tmm_driver_expect_writable(struct kunit *test, struct tmm_mapped_pages *mp, int err);

#endif /* TMM_KUNIT_DRIVER_FIXTURE_H */
