// SPDX-License-Identifier: GPL-2.0
#include "alloc/firmware_entries.h"

#include "core/compat.h"
#include "support/fixture.h"

#include <linux/ioport.h>
#include <linux/kernel.h>
#include <linux/kobject.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

/* A made-up entry: the contents of its files, or NULL for a file that cannot be read. */
struct fake {
	const char *start;
	const char *end;
	const char *type;
};

/* A made-up entry as an object of sysfs. */
struct fake_object {
	struct kobject kobj;
	struct fake content;
};

static ssize_t show_file(struct kobject *kobj, struct attribute *attribute, char *page)
{
	const struct fake *fake = &container_of(kobj, struct fake_object, kobj)->content;
	const char *text = !strcmp(attribute->name, "start") ? fake->start :
			   !strcmp(attribute->name, "end") ? fake->end : fake->type;

	return text ? sysfs_emit(page, "%s\n", text) : -EIO;
}

static void free_object(struct kobject *kobj)
{
	kfree(container_of(kobj, struct fake_object, kobj));
}

static struct attribute start_file = { .name = "start", .mode = 0444 };
static struct attribute end_file = { .name = "end", .mode = 0444 };
static struct attribute type_file = { .name = "type", .mode = 0444 };
static struct attribute *fake_attrs[] = { &start_file, &end_file, &type_file, NULL };
ATTRIBUTE_GROUPS(fake);

static const struct sysfs_ops fake_ops = { .show = show_file };
static struct kobj_type fake_type = {
	.release = free_object,
	.sysfs_ops = &fake_ops,
	.default_groups = fake_groups,
};

/* A made-up /sys/firmware, with the set of entries. */
struct fake_map {
	struct kobject *firmware;
	struct kset *set;
};

static void make_map(struct kunit *test, struct fake_map *map)
{
	map->firmware = kobject_create_and_add("theseus_mm_fake", NULL);
	KUNIT_ASSERT_NOT_NULL(test, map->firmware);
	map->set = kset_create_and_add("memmap", NULL, map->firmware);
	KUNIT_ASSERT_NOT_NULL(test, map->set);
}

static void add_entry(struct kunit *test, struct fake_map *map, unsigned int number,
		      struct fake content)
{
	struct fake_object *object = kzalloc(sizeof(*object), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, object);
	object->content = content;
	object->kobj.kset = map->set;
	KUNIT_ASSERT_EQ(test, kobject_init_and_add(&object->kobj, &fake_type, NULL, "%u", number),
			0);
}

static void remove_map(struct fake_map *map)
{
	struct kobject *kobj, *next;

	list_for_each_entry_safe(kobj, next, &map->set->list, entry)
		kobject_put(kobj);
	kset_unregister(map->set);
	kobject_put(map->firmware);
}

/* Linux answers the same queries from its own map. */
static void entries_agree_with_linux(struct kunit *test)
{
	const struct tmm_firmware_map *map = &tmm_firmware_map;
	struct tmm_firmware_entries read;
	unsigned int nr[2] = {};
	enum tmm_map_kind kind;
	struct resource *res;
	u64 start, at;

	KUNIT_ASSERT_EQ(test, tmm_firmware_entries_read(&read, firmware_kobj), 0);
	for (res = iomem_resource.child; res; res = res->sibling)
		for (at = 0; at < 6; at++) {
			/* the two bytes at each boundary, and both together */
			start = (at & 1 ? res->start : res->end + 1) - (at < 4);
			if (!start || start == U64_MAX)
				continue;
			for (kind = TMM_MAP_RAM; kind <= TMM_MAP_ACPI; kind++) {
				bool found = tmm_firmware_entries_any(&read, kind, start,
								      start + 1 + (at >= 2));

				KUNIT_EXPECT_EQ_MSG(test, found,
						    map->has(map, kind, start,
							     start + 1 + (at >= 2)),
						    "kind %d at %#llx", kind, start);
				nr[found]++;
			}
		}
	KUNIT_EXPECT_GT(test, nr[0], 0);
	KUNIT_EXPECT_GT(test, nr[1], 0);
	tmm_firmware_entries_free(&read);
}

/* Entries of the types that count are kept, with their first and last byte. */
static void entries_have_their_kind(struct kunit *test)
{
	static const struct fake list[] = {
		{ "0x0", "0x9fbff", "System RAM" },
		{ "0x9fc00", "0x9ffff", "Reserved" },
		{ "0x100000", "0x1fffff", "ACPI Tables" },
		{ "0x200000", "0x2fffff", "ACPI Non-volatile Storage" },
		{ "0x300000", "0x3fffff", "Soft Reserved" },
		{ "0x400000", "0xffffffffffffffff", "System RAM" },
	};
	struct tmm_firmware_entries read;
	struct fake_map map;
	unsigned int i;

	make_map(test, &map);
	for (i = 0; i < ARRAY_SIZE(list); i++)
		add_entry(test, &map, i, list[i]);
	KUNIT_ASSERT_EQ(test, tmm_firmware_entries_read(&read, map.firmware), 0);
	KUNIT_EXPECT_EQ(test, read.nr, ARRAY_SIZE(list) - 1);
	KUNIT_EXPECT_TRUE(test, tmm_firmware_entries_any(&read, TMM_MAP_RAM, 0x9fbff, 0x9fc00));
	KUNIT_EXPECT_FALSE(test, tmm_firmware_entries_any(&read, TMM_MAP_RAM, 0x9fc00, 0x400000));
	KUNIT_EXPECT_TRUE(test, tmm_firmware_entries_any(&read, TMM_MAP_RESERVED, 0, 0x9fc01));
	KUNIT_EXPECT_FALSE(test, tmm_firmware_entries_any(&read, TMM_MAP_RESERVED, 0, 0x9fc00));
	KUNIT_EXPECT_TRUE(test, tmm_firmware_entries_any(&read, TMM_MAP_ACPI, 0x1fffff, 0x200000));
	KUNIT_EXPECT_TRUE(test, tmm_firmware_entries_any(&read, TMM_MAP_ACPI, 0x2fffff, 0x300000));
	KUNIT_EXPECT_FALSE(test, tmm_firmware_entries_any(&read, TMM_MAP_ACPI, 0x300000, 0x400000));
	KUNIT_EXPECT_TRUE(test, tmm_firmware_entries_any(&read, TMM_MAP_RAM, U64_MAX - 1, U64_MAX));
	/* swapped arguments find the entry that contains the whole range, as in Linux */
	KUNIT_EXPECT_TRUE(test, tmm_firmware_entries_any(&read, TMM_MAP_RAM, 0x9fbff, 1));
	KUNIT_EXPECT_FALSE(test, tmm_firmware_entries_any(&read, TMM_MAP_RAM, 0x9fc00, 1));
	tmm_firmware_entries_free(&read);
	KUNIT_EXPECT_PTR_EQ(test, read.entries, NULL);
	remove_map(&map);
}

/* The number of entries has no limit. */
static void many_entries_are_read(struct kunit *test)
{
	const unsigned int nr = 600;
	struct tmm_firmware_entries read;
	struct fake_map map;
	unsigned int i;

	make_map(test, &map);
	for (i = 0; i < nr; i++)
		add_entry(test, &map, i, (struct fake){ "0x0", "0xfff", "System RAM" });
	KUNIT_EXPECT_EQ(test, tmm_firmware_entries_read(&read, map.firmware), 0);
	KUNIT_EXPECT_EQ(test, read.nr, nr);
	tmm_firmware_entries_free(&read);
	remove_map(&map);
}

static void expect_refused(struct kunit *test, const struct kobject *firmware, int err)
{
	struct tmm_firmware_entries read;

	KUNIT_EXPECT_EQ(test, tmm_firmware_entries_read(&read, firmware), err);
	KUNIT_EXPECT_EQ(test, read.nr, 0);
	KUNIT_EXPECT_PTR_EQ(test, read.entries, NULL);
}

/* If one entry cannot be understood, the whole map is refused. */
static void unknown_form_is_refused(struct kunit *test)
{
	static const struct fake list[] = {
		{ NULL, "0x1fff", "Reserved" },
		{ "0x1000", NULL, "Reserved" },
		{ "0x1000", "0x1fff", NULL },
		{ "", "0x1fff", "Reserved" },
		{ "0x1000", "0x1fffx", "Reserved" },
		{ "0x1000", "0x10000000000000000", "Reserved" },
		{ "0x1000", "0xfff", "Reserved" },
	};
	struct fake_map map;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(list); i++) {
		make_map(test, &map);
		add_entry(test, &map, 0, (struct fake){ "0x0", "0xfff", "System RAM" });
		add_entry(test, &map, 1, list[i]);
		expect_refused(test, map.firmware, -ENODEV);
		remove_map(&map);
	}
}

static void missing_map_is_refused(struct kunit *test)
{
	struct fake_map map;
	struct kobject *directory;

	make_map(test, &map);
	/* a set without entries */
	expect_refused(test, map.firmware, -ENODEV);
	/* no entry is RAM */
	add_entry(test, &map, 0, (struct fake){ "0x0", "0xfff", "Reserved" });
	expect_refused(test, map.firmware, -ENODEV);
	/* a directory without "memmap" */
	expect_refused(test, &map.set->kobj, -ENODEV);
	remove_map(&map);
	/* a directory "memmap" that is not a set */
	map.firmware = kobject_create_and_add("theseus_mm_fake", NULL);
	KUNIT_ASSERT_NOT_NULL(test, map.firmware);
	directory = kobject_create_and_add("memmap", map.firmware);
	KUNIT_ASSERT_NOT_NULL(test, directory);
	map.set = kset_create_and_add("0", NULL, directory);
	KUNIT_ASSERT_NOT_NULL(test, map.set);
	expect_refused(test, map.firmware, -ENODEV);
	kset_unregister(map.set);
	kobject_put(directory);
	kobject_put(map.firmware);
}

static void failed_allocation_changes_nothing(struct kunit *test)
{
	struct tmm_firmware_entries read;
	unsigned int nth, nr_failed = 0;
	int err;

	for (nth = 1; nth < 10; nth++) {
		tmm_test_fail_alloc(test, nth);
		err = tmm_firmware_entries_read(&read, firmware_kobj);
		if (tmm_test_fail_alloc_end()) {
			nr_failed++;
			KUNIT_EXPECT_EQ(test, err, -ENOMEM);
			KUNIT_EXPECT_PTR_EQ(test, read.entries, NULL);
		}
		tmm_firmware_entries_free(&read);
	}
	KUNIT_EXPECT_GT(test, nr_failed, 0);
}

static struct kunit_case firmware_entries_cases[] = {
	KUNIT_CASE(entries_agree_with_linux),
	KUNIT_CASE(entries_have_their_kind),
	KUNIT_CASE(many_entries_are_read),
	KUNIT_CASE(unknown_form_is_refused),
	KUNIT_CASE(missing_map_is_refused),
	KUNIT_CASE(failed_allocation_changes_nothing),
	{}
};

static struct kunit_suite firmware_entries_suite = {
	.name = "theseus_mm_firmware_entries",
	.test_cases = firmware_entries_cases,
};

kunit_test_suite(firmware_entries_suite);
