// SPDX-License-Identifier: GPL-2.0
#include "driver/driver_fixture.h"

#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/module.h>

static u64 read_attribute(struct kunit *test, const char *name)
{
	char path[64], text[32] = "";
	struct file *file;
	loff_t pos = 0;
	ssize_t nr;
	u64 value;

	snprintf(path, sizeof(path), "/sys/class/misc/theseus_mm/%s", name);
	file = filp_open(path, O_RDONLY, 0);
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(file), "%s: error %ld", path, PTR_ERR(file));
	nr = kernel_read(file, text, sizeof(text) - 1, &pos);
	filp_close(file, NULL);
	KUNIT_ASSERT_GT(test, nr, 0);
	KUNIT_ASSERT_EQ(test, kstrtou64(text, 10, &value), 0);
	return value;
}

struct tmm_driver_totals tmm_driver_totals(struct kunit *test)
{
	return (struct tmm_driver_totals){
		.frames_free = read_attribute(test, "frames_free"),
		.frames_largest_free = read_attribute(test, "frames_largest_free"),
		.mappings = read_attribute(test, "mappings"),
		.tables = read_attribute(test, "tables"),
	};
}

int tmm_driver_init(struct kunit *test)
{
	struct tmm_driver *driver = kunit_kzalloc(test, sizeof(*driver), GFP_KERNEL);

	if (!driver)
		return -ENOMEM;
	driver->before = tmm_driver_totals(test);
	test->priv = driver;
	return 0;
}

/* Succeeds even without the device: tmm_driver_init_device() then skips each case. */
int tmm_driver_find_device(struct tmm_driver_device *device)
{
	int err;

	device->pdev = pci_get_device(device->vendor, device->device, NULL);
	if (!device->pdev)
		return 0;
	err = pci_enable_device(device->pdev);
	if (err) {
		pci_dev_put(device->pdev);
		device->pdev = NULL;
	}
	return err;
}

void tmm_driver_forget_device(struct tmm_driver_device *device)
{
	if (!device->pdev)
		return;
	pci_disable_device(device->pdev);
	pci_dev_put(device->pdev);
	device->pdev = NULL;
}

/* Without the device, the case is skipped, which the test rig counts as a failure. */
int tmm_driver_init_device(struct kunit *test, const struct tmm_driver_device *device)
{
	struct tmm_driver *driver;
	int err;

	if (!device->pdev)
		kunit_skip(test, "no PCI device %04x:%04x (QEMU: %s)", device->vendor,
			   device->device, device->how);
	err = tmm_driver_init(test);
	if (err)
		return err;
	driver = test->priv;
	driver->pdev = device->pdev;
	driver->bar.v = pci_resource_start(device->pdev, device->bar);
	driver->nr_bytes = pci_resource_len(device->pdev, device->bar);
	return 0;
}

void tmm_driver_exit(struct kunit *test)
{
	struct tmm_driver *driver = test->priv;
	struct tmm_driver_totals after;

	if (!driver)
		return;
	tmm_mapped_pages_drop(&driver->mp);
	if (driver->is_added)
		tmm_driver_remove_region(test);
	after = tmm_driver_totals(test);
	KUNIT_EXPECT_EQ(test, after.frames_free, driver->before.frames_free);
	KUNIT_EXPECT_EQ(test, after.frames_largest_free, driver->before.frames_largest_free);
	KUNIT_EXPECT_EQ(test, after.mappings, driver->before.mappings);
	KUNIT_EXPECT_EQ(test, after.tables, driver->before.tables);
}

void tmm_driver_expect_frames_taken(struct kunit *test, u64 nr)
{
	struct tmm_driver *driver = test->priv;

	KUNIT_EXPECT_EQ(test, tmm_driver_totals(test).frames_free + nr, driver->before.frames_free);
}

void tmm_driver_expect_mappings_made(struct kunit *test, u64 nr)
{
	struct tmm_driver *driver = test->priv;

	KUNIT_EXPECT_EQ(test, tmm_driver_totals(test).mappings, driver->before.mappings + nr);
}

void tmm_driver_expect_pages_free(struct kunit *test, u64 start, u64 nr)
{
	struct tmm_allocated_pages *pages = tmm_allocate_pages_at(vaddr_of(start), nr);

	KUNIT_EXPECT_FALSE_MSG(test, IS_ERR(pages), "error %ld", PTR_ERR(pages));
	tmm_allocated_pages_drop(&pages);
}

void tmm_driver_exit_with_hole(struct kunit *test)
{
	struct tmm_driver *driver = test->priv;

	if (!driver)
		return;
	tmm_mapped_pages_drop(&driver->mp);
	tmm_driver_expect_pages_free(test, tmm_private_first_page(),
				     tmm_private_nr_general_pages());
	tmm_driver_exit(test);
}

void tmm_driver_add_region(struct kunit *test, enum tmm_memory_type type)
{
	struct tmm_driver *driver = test->priv;

	KUNIT_ASSERT_EQ(test, tmm_add_reserved_region(driver->bar, driver->nr_bytes, type), 0);
	driver->is_added = true;
}

void tmm_driver_remove_region(struct kunit *test)
{
	struct tmm_driver *driver = test->priv;

	driver->is_added = false;
	KUNIT_EXPECT_EQ(test, tmm_remove_reserved_region(driver->bar, driver->nr_bytes), 0);
}

/* The module itself keeps this root alive, so the case needs no reference. */
struct tmm_page_table *tmm_driver_kernel_root(struct kunit *test)
{
	struct tmm_mmi *mmi = tmm_get_kernel_mmi_ref();
	struct tmm_page_table *pt;

	KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL(mmi));
	pt = tmm_mmi_page_table(mmi);
	tmm_mmi_put(mmi);
	KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL(pt));
	tmm_page_table_put(pt);
	return pt;
}

struct tmm_vaddr tmm_driver_vaddr(const struct tmm_mapped_pages *mp, u64 offset)
{
	struct tmm_page_range range = tmm_mapped_pages_range(mp);

	return tmm_vaddr_add(tmm_page_range_start_address(&range), offset);
}

void tmm_driver_expect_at(struct kunit *test, const struct tmm_mapped_pages *mp, u64 offset,
			  u64 paddr)
{
	struct tmm_paddr found = { U64_MAX };

	KUNIT_EXPECT_EQ(test, tmm_translate(tmm_driver_vaddr(mp, offset), &found), 0);
	KUNIT_EXPECT_EQ_MSG(test, found.v, paddr, "offset %#llx", offset);
}

void tmm_driver_expect_leaf(struct kunit *test, const struct tmm_mapped_pages *mp, u64 offset,
			    enum tmm_page_size size)
{
	struct tmm_translation found = { .size = TMM_NR_PAGE_SIZES };

	KUNIT_EXPECT_EQ(test, tmm_mapper_translate(tmm_mapped_pages_root(mp),
						   tmm_driver_vaddr(mp, offset), &found), 0);
	KUNIT_EXPECT_EQ_MSG(test, found.size, size, "offset %#llx", offset);
}

u64 tmm_driver_read(struct kunit *test, struct tmm_mapped_pages *mp, u64 offset)
{
	struct tmm_window window;
	TMM_BORROW(u64) borrow;
	const u64 *p;
	u64 value = 0;

	KUNIT_ASSERT_EQ(test, tmm_as_type(mp, offset, &borrow), 0);
	p = tmm_borrow_enter(&borrow, &window);
	if (!IS_ERR(p)) {
		value = READ_ONCE(*p);
		tmm_borrow_leave(&window);
	}
	tmm_borrow_into_inner(&borrow);
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(p), "error %ld", PTR_ERR(p));
	return value;
}

void tmm_driver_write(struct kunit *test, struct tmm_mapped_pages *mp, u64 offset, u64 value)
{
	TMM_BORROW_MUT(u64) borrow;
	struct tmm_window window;
	u64 *p;

	KUNIT_ASSERT_EQ(test, tmm_as_type_mut(mp, offset, &borrow), 0);
	p = tmm_borrow_enter(&borrow, &window);
	if (!IS_ERR(p)) {
		WRITE_ONCE(*p, value);
		tmm_borrow_leave(&window);
	}
	tmm_borrow_into_inner(&borrow);
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(p), "error %ld", PTR_ERR(p));
}

void tmm_driver_expect_writable(struct kunit *test, struct tmm_mapped_pages *mp, int err)
{
	TMM_BORROW_MUT(u8) borrow;

	KUNIT_EXPECT_EQ(test, tmm_as_type_mut(mp, 0, &borrow), err);
	if (!err)
		tmm_borrow_into_inner(&borrow);
}

MODULE_DESCRIPTION("KUnit suites that use theseus_mm as another driver would");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(THESEUS_MM);
