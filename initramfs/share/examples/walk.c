// SPDX-License-Identifier: GPL-2.0
/* Translate a virtual address, and show the page-table entries; needs CAP_SYS_ADMIN. */
#include "example.h"

int main(void)
{
	struct tmm_client *client = tmm_client_open(NULL);
	struct tmm_translation translation;
	struct tmm_mapping *mapping;
	struct tmm_walk walk;
	uint64_t vaddr;
	uint32_t i;

	CHECK(client);
	mapping = tmm_mapping_create(client, TMM_PAGE_SIZE, TMM_DATA, NULL);
	CHECK(mapping);
	vaddr = tmm_mapping_address(mapping) + 123;
	CHECK(!tmm_client_translate(client, vaddr, &translation));
	printf("%#" PRIx64 " is %#" PRIx64 " in a leaf of %" PRIu64 " bytes, %s\n", vaddr,
	       translation.paddr, translation.page_size,
	       translation.flags & TMM_WRITABLE ? "writable" : "read-only");
	CHECK(!tmm_client_dump_pte(client, vaddr, &walk));
	for (i = 0; i < walk.nr_levels; i++)
		printf("level %" PRIu32 ": %016" PRIx64 "\n", walk.nr_levels - i, walk.entries[i]);
	CHECK(!tmm_mapping_drop(&mapping));
	CHECK_REFUSED(ENOENT, tmm_client_translate(client, vaddr, &translation));
	tmm_client_close(&client);
	return EXIT_SUCCESS;
}
