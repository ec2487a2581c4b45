// SPDX-License-Identifier: GPL-2.0
#include "alloc/firmware_entries.h"

#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/kernfs.h>
#include <linux/kobject.h>
#include <linux/kstrtox.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/sysfs.h>

/* The types that count, as Linux's e820_type_to_string() names them. */
static const struct {
	const char *name;
	enum tmm_map_kind kind;
} types[] = {
	{ "System RAM", TMM_MAP_RAM },
	{ "Reserved", TMM_MAP_RESERVED },
	{ "ACPI Tables", TMM_MAP_ACPI },
	{ "ACPI Non-volatile Storage", TMM_MAP_ACPI },
};

/*
 * Find the object behind directory @name of @parent, without a reference. The caller asks for
 * objects that Linux made at boot. Linux frees such an object only if its range is removed as
 * memory.
 */
static struct kobject *find_object(const struct kobject *parent, const char *name)
{
	struct kernfs_node *node = kernfs_find_and_get(parent->sd, name);
	struct kobject *found = NULL;

	if (!node)
		return NULL;
	if (kernfs_type(node) == KERNFS_DIR)
		found = node->priv;
	/* A directory that is not made by an object has something else there. */
	if (found && found->sd != node)
		found = NULL;
	kernfs_put(node);
	return found;
}

/* The set of all entries: the directory itself is the set of the object of its first entry. */
static struct kset *find_set(const struct kobject *firmware)
{
	struct kobject *directory = find_object(firmware, "memmap");
	struct kobject *first = directory ? find_object(directory, "0") : NULL;

	if (!first || !first->kset || &first->kset->kobj != directory)
		return NULL;
	return first->kset;
}

static struct attribute *find_attribute(const struct kobj_type *type, const char *name)
{
	const struct attribute_group **group;
	struct attribute **attribute;

	for (group = type->default_groups; group && *group; group++)
		for (attribute = (*group)->attrs; attribute && *attribute; attribute++)
			if (!strcmp((*attribute)->name, name))
				return *attribute;
	return NULL;
}

/* Write the content of file @name, without the end of the line, to @page. */
static char *show_value(struct kobject *kobj, const char *name, char *page)
{
	const struct kobj_type *type = get_ktype(kobj);
	struct attribute *attribute;
	ssize_t nr_bytes;

	if (!type || !type->sysfs_ops || !type->sysfs_ops->show)
		return NULL;
	attribute = find_attribute(type, name);
	if (!attribute)
		return NULL;
	nr_bytes = type->sysfs_ops->show(kobj, attribute, page);
	if (nr_bytes <= 0 || nr_bytes >= PAGE_SIZE)
		return NULL;
	page[nr_bytes] = '\0';
	return strim(page);
}

static bool read_number(struct kobject *kobj, const char *name, char *page, u64 *number)
{
	const char *value = show_value(kobj, name, page);

	return value && !kstrtou64(value, 0, number);
}

/* Append the entry of an object if the type of the entry counts. Return: 0 or -ENODEV */
static int read_entry(struct kobject *kobj, char *page, struct tmm_firmware_entries *read)
{
	struct tmm_firmware_entry *entry = &read->entries[read->nr];
	const char *type;
	unsigned int i;

	if (!read_number(kobj, "start", page, &entry->start) ||
	    !read_number(kobj, "end", page, &entry->last) || entry->last < entry->start)
		return -ENODEV;
	type = show_value(kobj, "type", page);
	if (!type)
		return -ENODEV;
	for (i = 0; i < ARRAY_SIZE(types); i++)
		if (!strcmp(type, types[i].name)) {
			entry->kind = types[i].kind;
			read->nr++;
			break;
		}
	return 0;
}

/* Read all entries of a set. Return: 0; -ENODEV; or -ENOSPC if there are more than @max. */
static int read_set(struct kset *set, char *page, struct tmm_firmware_entries *read,
		    unsigned int max)
{
	struct kobject *kobj;
	int err = 0;

	read->nr = 0;
	/* An object in the list is not freed while the lock is held. */
	spin_lock(&set->list_lock);
	list_for_each_entry(kobj, &set->list, entry) {
		err = read->nr < max ? read_entry(kobj, page, read) : -ENOSPC;
		if (err)
			break;
	}
	spin_unlock(&set->list_lock);
	return err;
}

/*
 * Read the entries below @firmware, the object of /sys/firmware. The caller frees the copy with
 * tmm_firmware_entries_free(). May sleep. O(entries). Return: 0; -ENODEV if the map is missing, has
 * another form, or has no RAM; or -ENOMEM. On error, @read is empty.
 */
int tmm_firmware_entries_read(struct tmm_firmware_entries *read, const struct kobject *firmware)
{
	struct kset *set = find_set(firmware);
	unsigned int max = 128;
	char *page;
	int err;

	*read = (struct tmm_firmware_entries){};
	if (!set)
		return -ENODEV;
	page = (char *)__get_free_page(GFP_KERNEL);
	if (!page)
		return -ENOMEM;
	do {
		kfree(read->entries);
		max *= 2;
		read->entries = kcalloc(max, sizeof(*read->entries), GFP_KERNEL);
		err = read->entries ? read_set(set, page, read, max) : -ENOMEM;
	} while (err == -ENOSPC);
	free_page((unsigned long)page);
	if (!err && !tmm_firmware_entries_any(read, TMM_MAP_RAM, 0, U64_MAX))
		err = -ENODEV;
	if (err)
		tmm_firmware_entries_free(read);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_firmware_entries_read);

void tmm_firmware_entries_free(struct tmm_firmware_entries *read)
{
	kfree(read->entries);
	*read = (struct tmm_firmware_entries){};
}
EXPORT_SYMBOL_IF_KUNIT(tmm_firmware_entries_free);

/*
 * True if there is an entry of this kind that begins before @end and ends after @start. As with
 * Linux's e820__mapped_any(), @end may be less than @start.
 */
bool tmm_firmware_entries_any(const struct tmm_firmware_entries *read, enum tmm_map_kind kind,
			      u64 start, u64 end)
{
	unsigned int i;

	for (i = 0; i < read->nr; i++)
		if (read->entries[i].kind == kind && read->entries[i].start < end &&
		    read->entries[i].last >= start)
			return true;
	return false;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_firmware_entries_any);
