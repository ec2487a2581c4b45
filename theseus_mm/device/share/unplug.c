// SPDX-License-Identifier: GPL-2.0
#include "device/share/unplug.h"

#include "device/share/mapping_file.h"
#include "mapping/instance.h"
#include "mapping/instance_devices.h"
#include "mapping/mapped_pages.h"
#include "mapping/mapped_pages_memory.h"

#include <linux/device.h>
#include <linux/ioport.h>
#include <linux/list.h>
#include <linux/notifier.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/rwsem.h>

static struct tmm_instance *instance;

static bool shows_closed(struct tmm_mapping_file *mf)
{
	const struct tmm_loan *loan;
	bool is_closed;

	down_read(&mf->revoke_lock);
	loan = list_first_entry_or_null(&mf->loans, struct tmm_loan, link);
	/* All loans of a file are of one mapping. */
	is_closed = loan && tmm_mapped_pages_is_closed(loan->borrow.mp);
	up_read(&mf->revoke_lock);
	return is_closed;
}

static void revoke_if_closed(struct tmm_mapping_file *mf, void *unused)
{
	unsigned int nr_pinned;

	if (shows_closed(mf))
		tmm_loans_revoke_file(mf, &nr_pinned);
}

/*
 * Close and release the device regions that lie in @resource. In Linux's resource tree, the
 * module's claims lie below @resource, and Linux would release the claims together with @resource.
 */
static void end_resource(const struct resource *resource)
{
	if (!(resource->flags & IORESOURCE_MEM) || !resource->parent ||
	    !tmm_instance_close_device(instance, resource->start, resource->end))
		return;
	tmm_mapping_files_each(revoke_if_closed, NULL);
	tmm_instance_give_up_device(instance, resource->start, resource->end);
}

/* BUS_NOTIFY_REMOVED_DEVICE is the last event before Linux takes the device's resources back. */
static int platform_device_goes(struct notifier_block *nb, unsigned long event, void *device)
{
	const struct platform_device *pdev = to_platform_device(device);
	unsigned int i;

	for (i = 0; event == BUS_NOTIFY_REMOVED_DEVICE && i < pdev->num_resources; i++)
		end_resource(&pdev->resource[i]);
	return NOTIFY_DONE;
}

static struct notifier_block platform_notifier = { .notifier_call = platform_device_goes };

#ifdef CONFIG_PCI
/* End the regions in the BARs of a device, or in the windows of a bridge. */
static int pci_device_goes(struct notifier_block *nb, unsigned long event, void *device)
{
	const struct pci_dev *pdev = to_pci_dev(device);
	unsigned int i;

	for (i = 0; event == BUS_NOTIFY_REMOVED_DEVICE && i < PCI_NUM_RESOURCES; i++)
		end_resource(&pdev->resource[i]);
	return NOTIFY_DONE;
}

static struct notifier_block pci_notifier = { .notifier_call = pci_device_goes };

static int register_pci(void)
{
	return bus_register_notifier(&pci_bus_type, &pci_notifier);
}

static void unregister_pci(void)
{
	bus_unregister_notifier(&pci_bus_type, &pci_notifier);
}
#else
static int register_pci(void)
{
	return 0;
}

static void unregister_pci(void)
{
}
#endif /* CONFIG_PCI */

/*
 * Register for the removal of devices whose memory is a region of @inst. The result is 0 or an
 * error of bus_register_notifier().
 */
int __init tmm_unplug_init(struct tmm_instance *inst)
{
	int err;

	instance = inst;
	err = bus_register_notifier(&platform_bus_type, &platform_notifier);
	if (err)
		return err;
	err = register_pci();
	if (err)
		bus_unregister_notifier(&platform_bus_type, &platform_notifier);
	return err;
}

/* Undo tmm_unplug_init(). May sleep. */
void tmm_unplug_exit(void)
{
	unregister_pci();
	bus_unregister_notifier(&platform_bus_type, &platform_notifier);
}
