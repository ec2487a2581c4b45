// SPDX-License-Identifier: GPL-2.0
#include "device/show/sysfs.h"

#include "alloc/cleaner.h"
#include "device/client/client.h"
#include "device/client/features.h"
#include "mapping/instance.h"
#include "paging/page_table.h"
#include "uapi/linux/theseus_mm.h"

#include <linux/atomic.h>
#include <linux/device.h>
#include <linux/numa.h>
#include <linux/sysfs.h>

/* The instance that the files show, set before the first file can be opened. */
static struct tmm_instance *instance;

static struct tmm_range_totals frame_totals(void)
{
	struct tmm_range_totals totals;

	tmm_range_allocator_totals(&instance->fa.ra, &totals);
	return totals;
}

/* One line per region. Only root may read the file, since it shows physical addresses. */
static ssize_t region_base_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	unsigned int i;
	int len = 0;

	for (i = 0; i < instance->nr_memories; i++)
		len += sysfs_emit_at(buf, len, "%#llx\n",
				     instance->memories[i].memory.first << TMM_PAGE_SHIFT);
	return len;
}
static DEVICE_ATTR_ADMIN_RO(region_base);

static ssize_t region_size_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	unsigned int i;
	int len = 0;

	for (i = 0; i < instance->nr_memories; i++)
		len += sysfs_emit_at(buf, len, "%llu\n",
				     instance->memories[i].memory.nr << TMM_PAGE_SHIFT);
	return len;
}
static DEVICE_ATTR_RO(region_size);

/*
 * The NUMA node of each region's first frame, also without struct pages. Linux keeps what the
 * firmware says about reserved memory too; on a machine without nodes, Linux says 0.
 */
static ssize_t region_node_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	unsigned int i;
	int len = 0;

	for (i = 0; i < instance->nr_memories; i++)
		len += sysfs_emit_at(buf, len, "%d\n",
				     phys_to_target_node(instance->memories[i].memory.first <<
							 TMM_PAGE_SHIFT));
	return len;
}
static DEVICE_ATTR_RO(region_node);

static ssize_t frames_total_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", frame_totals().nr_total);
}
static DEVICE_ATTR_RO(frames_total);

static ssize_t frames_free_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", frame_totals().nr_free);
}
static DEVICE_ATTR_RO(frames_free);

static ssize_t frames_largest_free_show(struct device *dev, struct device_attribute *attr,
					char *buf)
{
	return sysfs_emit(buf, "%llu\n", frame_totals().largest[TMM_4K]);
}
static DEVICE_ATTR_RO(frames_largest_free);

static ssize_t frames_largest_free_2m_show(struct device *dev, struct device_attribute *attr,
					   char *buf)
{
	return sysfs_emit(buf, "%llu\n", frame_totals().largest[TMM_2M]);
}
static DEVICE_ATTR_RO(frames_largest_free_2m);

static ssize_t frames_largest_free_1g_show(struct device *dev, struct device_attribute *attr,
					   char *buf)
{
	return sysfs_emit(buf, "%llu\n", frame_totals().largest[TMM_1G]);
}
static DEVICE_ATTR_RO(frames_largest_free_1g);

static ssize_t frames_ranges_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", frame_totals().nr_ranges);
}
static DEVICE_ATTR_RO(frames_ranges);

static ssize_t abi_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", THESEUS_MM_ABI);
}
static DEVICE_ATTR_RO(abi);

/* THESEUS_MM_FEATURE_* */
static ssize_t features_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%#llx\n", tmm_features(instance));
}
static DEVICE_ATTR_RO(features);

static ssize_t paging_levels_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", tmm_paging_levels());
}
static DEVICE_ATTR_RO(paging_levels);

static ssize_t nr_clients_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", tmm_clients_nr());
}
static DEVICE_ATTR_RO(nr_clients);

static ssize_t frames_quarantined_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", READ_ONCE(instance->fa.nr_quarantined));
}
static DEVICE_ATTR_RO(frames_quarantined);

/* For root only: the count takes long if free memory is in many parts. */
static ssize_t frames_clean_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", tmm_cleaner_count(&instance->fa));
}
static DEVICE_ATTR_ADMIN_RO(frames_clean);

static ssize_t frames_bad_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", READ_ONCE(instance->fa.nr_bad));
}
static DEVICE_ATTR_RO(frames_bad);

static ssize_t mappings_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n",
			  (u64)tmm_page_table_nr_mappings(instance->root));
}
static DEVICE_ATTR_RO(mappings);

static ssize_t tables_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", READ_ONCE(instance->fa.nr_tables));
}
static DEVICE_ATTR_RO(tables);

static struct attribute *tmm_sysfs_attrs[] = {
	&dev_attr_region_base.attr,
	&dev_attr_region_size.attr,
	&dev_attr_region_node.attr,
	&dev_attr_frames_total.attr,
	&dev_attr_frames_free.attr,
	&dev_attr_frames_largest_free.attr,
	&dev_attr_frames_largest_free_2m.attr,
	&dev_attr_frames_largest_free_1g.attr,
	&dev_attr_frames_ranges.attr,
	&dev_attr_abi.attr,
	&dev_attr_features.attr,
	&dev_attr_paging_levels.attr,
	&dev_attr_nr_clients.attr,
	&dev_attr_frames_quarantined.attr,
	&dev_attr_frames_clean.attr,
	&dev_attr_frames_bad.attr,
	&dev_attr_mappings.attr,
	&dev_attr_tables.attr,
	NULL
};

static const struct attribute_group tmm_sysfs_group = {
	.attrs = tmm_sysfs_attrs,
};

static const struct attribute_group *tmm_sysfs_groups[] = {
	&tmm_sysfs_group,
	NULL
};

/*
 * Return the files as attributes of the device that is to be registered. The files show @inst,
 * which the caller keeps until the device is unregistered.
 */
const struct attribute_group **tmm_sysfs_init(struct tmm_instance *inst)
{
	instance = inst;
	return tmm_sysfs_groups;
}
