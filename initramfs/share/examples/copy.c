// SPDX-License-Identifier: GPL-2.0
/* Copy into a mapping and out of it. A call that is refused copies nothing. */
#include "example.h"

int main(void)
{
	struct tmm_client *client = tmm_client_open(NULL);
	const char text[] = "across the end of a page";
	struct tmm_mapping *mapping;
	char back[sizeof(text)];

	CHECK(client);
	mapping = tmm_mapping_create(client, 2 * TMM_PAGE_SIZE, TMM_DATA, NULL);
	CHECK(mapping);
	CHECK(!tmm_mapping_write(mapping, TMM_PAGE_SIZE - 7, text, sizeof(text)));
	CHECK(!tmm_mapping_read(mapping, TMM_PAGE_SIZE - 7, back, sizeof(back)));
	printf("read back: %s\n", back);
	CHECK_REFUSED(ERANGE, tmm_mapping_read(mapping, 2 * TMM_PAGE_SIZE - 1, back, 2));

	CHECK(!tmm_mapping_remap(mapping, TMM_READ_ONLY_DATA));
	CHECK_REFUSED(EACCES, tmm_mapping_write(mapping, 0, text, sizeof(text)));
	printf("a write to a read-only mapping: %s\n", strerror(EACCES));

	CHECK(!tmm_mapping_drop(&mapping));
	tmm_client_close(&client);
	return EXIT_SUCCESS;
}
