// SPDX-License-Identifier: GPL-2.0
/*
 * Use CAP_SYS_RAWIO: map memory at virtual addresses that equal its physical addresses, and map
 * the memory of a PCI device that has no driver.
 */
#include "example.h"

#include <glob.h>
#include <unistd.h>

#define IS_MEMORY	0x200	/* IORESOURCE_MEM of the kernel */

static void map_identically(struct tmm_client *client)
{
	struct tmm_translation translation;
	struct tmm_mapping *mapping;

	mapping = tmm_mapping_create(client, TMM_PAGE_SIZE, TMM_DATA, &(struct tmm_create_options){
		.is_identity = true,
	});
	CHECK(mapping);
	CHECK(!tmm_client_translate(client, tmm_mapping_address(mapping), &translation));
	CHECK(translation.paddr == tmm_mapping_address(mapping));
	printf("virtual and physical address: %#" PRIx64 "\n", translation.paddr);
	CHECK(!tmm_mapping_drop(&mapping));
}

/* Find the first range of a PCI device that is memory and consists of whole pages. */
static bool find_memory(const char *device, uint64_t *start, uint64_t *nr_bytes)
{
	uint64_t end, flags = 0;
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/resource", device);
	file = fopen(path, "r");
	if (!file)
		return false;
	while (fscanf(file, "%" SCNx64 " %" SCNx64 " %" SCNx64, start, &end, &flags) == 3) {
		*nr_bytes = end - *start + 1;
		if (flags & IS_MEMORY && !((*start | *nr_bytes) % TMM_PAGE_SIZE))
			break;
		flags = 0;
	}
	fclose(file);
	return flags;
}

static bool find_device(uint64_t *start, uint64_t *nr_bytes)
{
	bool is_found = false;
	char driver[256];
	glob_t devices;
	size_t i;

	if (glob("/sys/bus/pci/devices/*", 0, NULL, &devices))
		return false;
	for (i = 0; i < devices.gl_pathc && !is_found; i++) {
		snprintf(driver, sizeof(driver), "%s/driver", devices.gl_pathv[i]);
		is_found = access(driver, F_OK) && find_memory(devices.gl_pathv[i], start, nr_bytes);
	}
	globfree(&devices);
	return is_found;
}

static void map_device(struct tmm_client *client, uint64_t start, uint64_t nr_bytes)
{
	const uint64_t flags = TMM_READ_ONLY_DATA | TMM_DEVICE_MEMORY;
	struct tmm_mapping *mapping;

	CHECK(!tmm_client_add_device_region(client, start, nr_bytes, TMM_MEMORY_UNCACHED));
	mapping = tmm_mapping_map_frame_range(client, start, TMM_PAGE_SIZE, flags);
	CHECK(mapping);
	printf("device memory at %#" PRIx64 " is mapped at %#" PRIx64 "\n", start,
	       tmm_mapping_address(mapping));
	CHECK_REFUSED(EBUSY, tmm_client_remove_device_region(client, start, nr_bytes));
	CHECK(!tmm_mapping_drop(&mapping));
	CHECK(!tmm_client_remove_device_region(client, start, nr_bytes));
}

int main(void)
{
	struct tmm_client *client = tmm_client_open(NULL);
	uint64_t start, nr_bytes;

	CHECK(client);
	map_identically(client);
	if (find_device(&start, &nr_bytes))
		map_device(client, start, nr_bytes);
	else
		printf("no PCI device with memory and without a driver\n");
	tmm_client_close(&client);
	return EXIT_SUCCESS;
}
